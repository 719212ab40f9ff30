package tenant

import (
	"cmp"
	"slices"
	"strings"

	"elevate/internal/pim"
)

// peopleOf are those who are in the named groups or named themselves, as they will be after the plan.
func (c *comparison) peopleOf(names []string) (able, gone []pim.Profile) {
	seen := map[pim.PrincipalID]bool{}
	see := func(p pim.Profile) {
		if p.ID == "" || seen[p.ID] {
			return
		}
		seen[p.ID] = true
		if p.MayAct() == nil {
			able = append(able, p)
		} else {
			gone = append(gone, p)
		}
	}
	for _, name := range names {
		if p, found := c.actual.People[Key(name)]; found {
			see(p)
		}
		if g, found := c.actual.group(name); found {
			for _, p := range c.actual.Details[g.ID].People {
				see(p)
			}
		}
		for _, m := range c.wanted.listed(name).Members {
			see(c.actual.People[Key(m)])
		}
	}
	return able, gone
}

// samePerson compares as the bot does: by id, and by the attribute that is equal for all accounts of one person.
func samePerson(a, b pim.Profile) bool {
	return a.ID == b.ID || (a.SamePerson != "" && strings.EqualFold(a.SamePerson, b.SamePerson))
}

const nameTwo = "Name at least two approvers: people or groups under the role's approvers, and members of a group under tenant.groups."

// decidable refuses a role that nobody could approve.
func (c *comparison) decidable(r Role) {
	if !r.Rules.Approval {
		return
	}
	able, gone := c.peopleOf(r.Approvers)
	requesters, _ := c.peopleOf(r.Eligible)
	for _, name := range distinct(r.Approvers) {
		if IsUPN(name) && c.actual.People[Key(name)].ID == "" {
			c.refuse(r.Name, "Correct the approver in the settings, or write the object id.", "The tenant has nobody called %s.", name)
		}
	}
	switch {
	case len(r.Approvers) == 0:
		c.refuse(r.Name, nameTwo, "It needs approval, and no approver is named: nobody could approve it.")
		return
	case len(able) == 0 && len(gone) > 0:
		c.refuse(r.Name, nameTwo, "All its approvers are disabled, departed or guests (%s): nobody could approve it.", namesOf(gone))
		return
	case len(able) == 0:
		c.refuse(r.Name, nameTwo, "Its approvers' groups (%s) have nobody in them: nobody could approve it.", strings.Join(distinct(r.Approvers), ", "))
		return
	}
	c.stuck(r, able, requesters)
	if len(gone) > 0 {
		c.warn(r.Name, "Take them out of the approvers.", "Among its approvers are some who cannot approve, because they are disabled, departed or guests: %s.", namesOf(gone))
	}
}

// stuck looks for requesters whom nobody else could approve.
func (c *comparison) stuck(r Role, able, requesters []pim.Profile) {
	var stuck []pim.Profile
	for _, who := range requesters {
		if !slices.ContainsFunc(able, func(a pim.Profile) bool { return !samePerson(a, who) }) {
			stuck = append(stuck, who)
		}
	}
	switch {
	case len(stuck) > 0 && len(stuck) == len(requesters):
		c.refuse(r.Name, nameTwo, "Only %s could approve it, who would be the only one to ask for it: nobody approves their own request.", namesOf(able))
	case len(stuck) > 0:
		c.warn(r.Name, "Name a second approver.", "Nobody could approve a request of %s, who is its only approver.", namesOf(stuck))
	case len(able) == 1:
		c.warn(r.Name, "Name a second approver.", "%s is its only approver; while they are away nobody gets it.", namesOf(able))
	}
}

func namesOf(people []pim.Profile) string { return listOf(namesEach(people)) }

func namesEach(people []pim.Profile) []string {
	names := make([]string, len(people))
	for i, p := range people {
		names[i] = cmp.Or(p.Name, string(p.ID))
	}
	return names
}

// open warns of groups that others than role administrators can let anyone into.
func (c *comparison) open(r Role) {
	const mend = "Set protected: true for the role before its groups are made, or name role-assignable groups. Each counts against the tenant's limit."
	if !r.Rules.Approval {
		for _, name := range c.unprotected(r.Eligible) {
			c.warn(r.Name, mend, "It needs no approval, and every Groups or User Administrator can let anyone into %s.", name)
		}
		c.owned(r, r.Eligible, "It needs no approval, and %s owns %s and can let anyone in.")
		return
	}
	for _, name := range c.unprotected(r.Approvers) {
		c.warn(r.Name, mend, "Every Groups or User Administrator can make anyone an approver: %s is not role-assignable.", name)
	}
	c.owned(r, r.Approvers, "%s owns %s and can make anyone an approver.")
}

// owned warns of owners. Those of a group whose members are listed are drift, and are named there.
func (c *comparison) owned(r Role, names []string, says string) {
	for _, name := range distinct(names) {
		g, found := c.actual.group(name)
		if !found || c.wanted.listed(name).Members != nil {
			continue
		}
		for _, o := range c.actual.Details[g.ID].Owners {
			c.warn(r.Name, disown, says, called(o.Name, string(o.ID)), name)
		}
	}
}

// unprotected are the groups that are not, or will not be, role-assignable.
func (c *comparison) unprotected(names []string) []string {
	var out []string
	for _, name := range distinct(names) {
		g, found := c.actual.group(name)
		if (found && !g.Assignable) || (!found && !c.isPerson(name) && !c.protected(name)) {
			out = append(out, name)
		}
	}
	return out
}
