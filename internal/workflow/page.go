package workflow

import (
	"cmp"
	"slices"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
)

// page is what concerns somebody, from what is known here: nothing is asked of
// PIM for it. What others have is shown by the rule that `who` has.
func (s *Service) page(tx *store.Tx, who identity) (p card.Page, err error) {
	p = card.Page{All: s.cfg.Roles, Now: tx.Now()}
	eligible, known := s.eligibleFor(who)
	p.Known = known
	alarms, err := unnoticed(tx)
	if err != nil {
		return p, err
	}
	reader := s.readerKnown(who)
	for _, role := range s.cfg.Roles {
		mine, row, err := s.ofRole(tx, who, role)
		if err != nil {
			return p, err
		}
		p.Open = append(p.Open, mine...)
		if e, ok := eligible[role.Group]; ok {
			row.Eligible = e.End
			p.Roles = append(p.Roles, row)
		}
		if reader.Approves[role.Name] {
			p.Approves = true
			some, err := waitsIn(tx, who, role)
			if err != nil {
				return p, err
			}
			p.Waits = append(p.Waits, some...)
		}
		if pim.MayReadRole(role.Name, reader) {
			held, err := whoHas(tx, role, alarms)
			if err != nil {
				return p, err
			}
			p.Who = append(p.Who, held)
		}
	}
	p.Reviews, err = s.reviewsFor(tx, who)
	if err != nil {
		return p, err
	}
	slices.SortFunc(p.Open, func(a, b pim.Request) int { return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID)) })
	slices.SortFunc(p.Waits, func(a, b card.Wait) int {
		return cmp.Or(a.Request.Created.Compare(b.Request.Created), cmp.Compare(a.Request.ID, b.Request.ID))
	})
	return p, nil
}

// readerKnown is somebody with what PIM said of them lately.
func (s *Service) readerKnown(who identity) pim.Reader {
	reader := pim.Reader{Actor: who.actor, Auditor: s.reads(who), Eligible: map[string]bool{}, Approves: map[string]bool{}, Reviews: s.reviewsRoles(who)}
	now := s.cfg.Now()
	for _, role := range s.cfg.Roles {
		reader.Eligible[role.Name] = slices.ContainsFunc(who.ids(), func(id pim.PrincipalID) bool {
			groups, fresh := s.eligible.get(id, now)
			_, ok := groups[role.Group]
			return fresh && ok
		})
		reader.Approves[role.Name] = s.policies.names(role.Group, now, policyUse, who.ids()...) == pim.Yes
	}
	return reader
}

// ofRole are somebody's open requests for a role, and what they have of it.
func (s *Service) ofRole(tx *store.Tx, who identity, role pim.Role) (mine []pim.Request, row card.RoleRow, err error) {
	row.Role = role
	open, err := tx.OpenOf(role.Group, who.actor.Account, who.ids()...)
	if err != nil {
		return nil, row, err
	}
	for i, r := range open {
		own := slices.Contains(who.ids(), r.Principal)
		switch {
		case own && r.State == pim.Active:
			row.Holds = r.Ends
		case own, r.State == pim.WaitingForSignIn && (r.Requester.Person == "" || slices.Contains(who.ids(), r.Requester.Person)):
			row.Waits = &open[i]
		default:
			continue
		}
		mine = append(mine, r)
	}
	if known, ok := s.policies.get(role.Group, tx.Now(), policyUse); ok {
		row.Approvers, row.Role.NeedsApproval = known.names(who.ids()...), known.policy.Approval
	}
	return mine, row, nil
}

// waitsIn are the requests for a role that somebody who approves it may decide.
func waitsIn(tx *store.Tx, who identity, role pim.Role) ([]card.Wait, error) {
	pending, err := tx.OpenInGroup(role.Group, pim.Pending)
	if err != nil {
		return nil, err
	}
	var waits []card.Wait
	for _, r := range pending {
		same, err := samePerson(tx, &r, who)
		if err != nil {
			return nil, err
		}
		if !same && r.Decided == nil && r.Role == role.Name {
			waits = append(waits, card.Wait{Request: r, Role: role, Requester: r.Requester.Name})
		}
	}
	return waits, nil
}

// whoHas is a role with those who have it now, in whatever way.
func whoHas(tx *store.Tx, role pim.Role, alarms []pim.Alarm) (card.WhoRow, error) {
	held, err := holders(tx, &pim.Request{Group: role.Group})
	of := slices.DeleteFunc(slices.Clone(alarms), func(a pim.Alarm) bool { return a.Group != role.Group })
	return card.WhoRow{Role: role, Holders: held, Alarms: of}, err
}
