package workflowtest

import (
	"context"
	"maps"
	"slices"

	"elevate/internal/pim"
)

// Part is a part of a question that can be hidden from the application.
type Part string

// The parts of a question.
const (
	PartRequests Part = "requests"
	PartPending  Part = "pending"
	PartRecent   Part = "recent"
	PartAccess   Part = "access"
	PartActive   Part = "active"
	PartPolicies Part = "policies"
	PartMembers  Part = "members"
	PartOwners   Part = "owners"
	PartProfiles Part = "profiles"
	PartEligible Part = "eligible"
	PartMayHave  Part = "may have"
)

// Hide has a part of every answer missing, with that error in Failed; nil
// shows it again.
func (d *Directory) Hide(p Part, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil {
		delete(d.hidden, p)
		return
	}
	d.hidden[p] = err
}

// Look answers a question.
func (d *Directory) Look(ctx context.Context, q pim.Question) (pim.Answer, error) {
	return run(ctx, &d.Faults, OpLook, func() (pim.Answer, error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		for _, r := range d.requests {
			d.settle(r)
		}
		if d.Asked != nil {
			d.Asked(q)
		}
		a := pim.Answer{
			At: d.Now(), Requests: map[string]pim.Copy{}, Gone: map[string]bool{}, Pending: map[pim.GroupID][]pim.Copy{},
			Recent: map[pim.Recent][]pim.Copy{}, Access: map[pim.Membership]pim.Access{}, Active: map[pim.GroupID][]pim.Instance{},
			Policies: map[pim.GroupID]pim.Policy{}, Members: map[pim.GroupID][]pim.Profile{}, Owners: map[pim.GroupID][]pim.Profile{},
			Profiles: map[pim.PrincipalID]pim.Profile{}, Eligible: map[pim.PrincipalID][]pim.Eligibility{},
			MayHave: map[pim.GroupID][]pim.Eligibility{},
		}
		d.lookAtRequests(q, &a)
		d.lookAtAccess(q, &a)
		d.lookAtRules(q, &a)
		d.lookAtPeople(q, &a)
		return a, nil
	})
}

// each calls show for every key of a part, unless the part is hidden.
func each[K any](d *Directory, a *pim.Answer, p Part, keys []K, show func(K)) {
	if len(keys) == 0 {
		return
	}
	if err := d.hidden[p]; err != nil {
		a.Failed = append(a.Failed, err)
		return
	}
	for _, k := range keys {
		show(k)
	}
}

func (d *Directory) lookAtRequests(q pim.Question, a *pim.Answer) {
	each(d, a, PartRequests, q.Requests, func(id string) {
		if r := d.find(id); r != nil {
			a.Requests[id] = r.copy
		} else {
			a.Gone[id] = true
		}
	})
	each(d, a, PartPending, q.Pending, func(g pim.GroupID) {
		a.Pending[g] = d.listed(func(c pim.Copy) bool { return c.Group == g && pim.ReadStatus(c.Status) == pim.WordPending })
	})
	each(d, a, PartRecent, q.Recent, func(k pim.Recent) {
		a.Recent[k] = d.listed(func(c pim.Copy) bool { return c.Group == k.Group && c.Principal == k.Principal })
	})
}

// listed are the requests that lists show by now.
func (d *Directory) listed(wanted func(pim.Copy) bool) []pim.Copy {
	var found []pim.Copy
	for _, r := range d.requests {
		if wanted(r.copy) && d.Now().Sub(r.copy.Created) >= d.Lag {
			found = append(found, r.copy)
		}
	}
	return found
}

func (d *Directory) lookAtAccess(q pim.Question, a *pim.Answer) {
	each(d, a, PartAccess, q.Access, func(m pim.Membership) {
		var access pim.Access
		for _, r := range d.requests {
			if r.copy.Group == m.Group && r.copy.Principal == m.Principal && d.member(r) {
				access.Member = true
			}
		}
		access.Instances = d.instances(m.Group, m.Principal)
		if by, ok := d.standing[m]; ok {
			access.Member = true
			if by != "" {
				access.Instances = append(access.Instances, pim.Instance{ID: by, Group: m.Group, Principal: m.Principal, Access: pim.Member})
			}
		}
		a.Access[m] = access
	})
	each(d, a, PartActive, q.Active, func(g pim.GroupID) {
		a.Active[g] = d.instances(g, "")
		for m, by := range d.standing {
			if m.Group == g && by != "" {
				a.Active[g] = append(a.Active[g], pim.Instance{ID: by, Group: g, Principal: m.Principal, Access: pim.Member})
			}
		}
	})
}

func (d *Directory) instances(g pim.GroupID, p pim.PrincipalID) []pim.Instance {
	found := []pim.Instance{}
	for _, r := range d.requests {
		if c := r.copy; c.Group == g && (p == "" || c.Principal == p) && d.applies(r) {
			found = append(found, pim.Instance{
				ID: "instance-" + c.ID, Group: g, Principal: c.Principal, Access: pim.Member, Activated: true,
				ScheduleID: c.ScheduleID, Start: r.granted, End: r.end(),
			})
		}
	}
	return found
}

func (d *Directory) lookAtRules(q pim.Question, a *pim.Answer) {
	each(d, a, PartPolicies, q.Policies, func(id pim.GroupID) {
		g := d.groups[id]
		p := pim.Policy{Group: id, ReadAt: d.Now(), MaxDuration: g.Max, Approval: len(g.Approvers) > 0}
		if g.ApproverGroup != "" {
			p.ApproverGroups = []pim.GroupID{g.ApproverGroup}
		} else {
			p.ApproverPeople = g.Approvers
		}
		a.Policies[id] = p
	})
	each(d, a, PartMembers, q.Members, func(id pim.GroupID) {
		a.Members[id] = d.profiles(d.membersOf(id))
		for g := range maps.Values(d.groups) {
			switch id {
			case g.ApproverGroup:
				a.Members[id] = d.profiles(g.Approvers)
			case g.EligibleGroup:
				a.Members[id] = d.profiles(g.Eligible)
			}
		}
		if crowd, known := d.crowds[id]; known {
			a.Members[id] = d.profiles(crowd)
		}
	})
	each(d, a, PartMayHave, q.MayHave, func(id pim.GroupID) {
		g := d.groups[id]
		a.MayHave[id] = []pim.Eligibility{{Group: id, Principal: pim.PrincipalID(g.EligibleGroup), Access: pim.Member}}
		for _, p := range g.Also {
			a.MayHave[id] = append(a.MayHave[id], pim.Eligibility{Group: id, Principal: p, Name: d.people[p].Name, Access: pim.Member})
		}
	})
	each(d, a, PartOwners, q.Owners, func(id pim.GroupID) { a.Owners[id] = d.profiles(d.groups[id].Owners) })
}

// membersOf are those who are in a governed group, by PIM or otherwise.
func (d *Directory) membersOf(g pim.GroupID) []pim.PrincipalID {
	var ids []pim.PrincipalID
	for _, r := range d.requests {
		if r.copy.Group == g && d.member(r) {
			ids = append(ids, r.copy.Principal)
		}
	}
	for m := range d.standing {
		if m.Group == g {
			ids = append(ids, m.Principal)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func (d *Directory) profiles(ids []pim.PrincipalID) []pim.Profile {
	found := []pim.Profile{}
	for _, id := range ids {
		p := d.people[id]
		p.ID = id
		found = append(found, p)
	}
	return found
}

func (d *Directory) lookAtPeople(q pim.Question, a *pim.Answer) {
	each(d, a, PartProfiles, q.Profiles, func(id pim.PrincipalID) {
		p, found := d.people[id]
		p.ID, p.Found = id, found
		a.Profiles[id] = p
	})
	named := map[pim.GroupID]bool{}
	for _, g := range append(append([]pim.GroupID{}, q.Active...), q.Policies...) {
		named[g] = true
	}
	each(d, a, PartEligible, q.Eligible, func(id pim.PrincipalID) {
		a.Eligible[id] = nil
		for g, rules := range d.groups {
			for _, p := range rules.Eligible {
				// People are eligible through a group, which is found only for
				// the groups that the question names.
				if p == id && named[g] {
					a.Eligible[id] = append(a.Eligible[id], pim.Eligibility{Group: g, Principal: id, Access: pim.Member})
				}
			}
		}
	})
}
