package tenant

import (
	"fmt"
	"slices"
	"time"

	"elevate/internal/pim"
)

// Plan leads from what stands to what is declared.
type Plan struct {
	// Refused is why nothing may be changed. A plan with one has no steps.
	Refused []Finding
	// Steps are in an order in which they can be carried out; those of different roles do not depend on each other.
	Steps []Step
	// Warnings are what the settings leave open to others.
	Warnings []Finding
	// Undeclared is what stands in the tenant beside what is declared. Nothing is done about it.
	Undeclared []Finding
	// Others are groups under PIM that are behind no role, and that no group of the settings is eligible for.
	Others []Finding
	// Assignable is how many role-assignable groups the tenant has, and Making how many more the steps make.
	Assignable, Making int
}

// Finding is something that a person should know.
type Finding struct {
	About string `json:"about"` // a role, or a group
	Says  string `json:"says"`
	Mend  string `json:"mend,omitempty"`
	// Group is the group to look for in the audit log, where there is one.
	Group pim.GroupID `json:"group,omitempty"`
}

// Kind is what a step does.
type Kind string

// What a step does.
const (
	MakeGroup    Kind = "make-group"
	AddMember    Kind = "add-member"
	SetRule      Kind = "set-rule"
	MakeEligible Kind = "make-eligible"
)

// Step is one change.
type Step struct {
	Kind Kind   `json:"kind"`
	Role string `json:"role"` // the first role that it is for
	// Group is the group that it changes, as the settings name it; GroupID is empty while a step before it makes the group.
	Group   string      `json:"group"`
	GroupID pim.GroupID `json:"group_id,omitempty"`
	// Called is Group for people, with its name where the settings name it by its id.
	Called string `json:"called"`
	// Says is what it does.
	Says    string   `json:"says"`
	Changes []Change `json:"changes,omitempty"`
	// Notes say who gets something by it.
	Notes []string `json:"notes,omitempty"`
	// Onboards is true where it brings the group under PIM, which cannot be undone.
	Onboards bool `json:"onboards,omitempty"`

	// Description and Assignable are of a group that is made.
	Description string `json:"description,omitempty"`
	Assignable  bool   `json:"assignable,omitempty"`
	// Principal is who becomes a member or eligible, by the name in the settings and, where known, the id.
	Principal   string          `json:"principal,omitempty"`
	PrincipalID pim.PrincipalID `json:"principal_id,omitempty"`
	// Extends is true where an eligibility stands that has an end.
	Extends bool `json:"extends,omitempty"`
	// Rule is the id of PIM's rule that is set, to what Rules and Approvers say.
	Rule      string   `json:"rule,omitempty"`
	Rules     Rules    `json:"-"`
	Approvers []string `json:"approvers,omitempty"`
}

// Change is one setting that a step changes.
type Change struct {
	What string `json:"what"`
	Was  string `json:"was"`
	Will string `json:"will"`
}

// Nothing reports whether there is nothing to do.
func (p Plan) Nothing() bool { return len(p.Steps) == 0 && len(p.Refused) == 0 }

// Onboards are the names of the groups that the plan brings under PIM.
func (p Plan) Onboards() []string {
	var names []string
	for _, s := range p.Steps {
		if s.Onboards {
			names = append(names, s.Called)
		}
	}
	return names
}

// Limits of PIM and of a tenant.
const (
	// LongestActivation is what PIM takes at most as the longest activation.
	// https://learn.microsoft.com/entra/id-governance/privileged-identity-management/groups-role-settings
	LongestActivation = 24 * time.Hour
	// ShortestLimit is the least that PIM takes as the longest activation.
	ShortestLimit = 30 * time.Minute
	// MaxAssignable is how many role-assignable groups a tenant can have.
	// https://learn.microsoft.com/entra/identity/role-based-access-control/groups-concept
	MaxAssignable = 500
	nearlyAll     = MaxAssignable * 8 / 10
)

// comparison makes a plan.
type comparison struct {
	wanted Wanted
	actual Actual
	plan   Plan
	made   map[string]bool // groups that are looked at already, by Key
}

// Compare makes the plan. It refuses what would leave a role that nobody could approve, or that others could get into.
func Compare(w Wanted, a Actual) Plan {
	c := &comparison{wanted: w, actual: a, made: map[string]bool{}, plan: Plan{Assignable: a.Assignable}}
	for _, r := range w.Roles {
		c.groups(r)
	}
	for _, g := range w.Groups {
		c.unused(g)
	}
	c.sameGroups()
	for _, r := range w.Roles {
		c.rules(r)
		c.eligibilities(r)
		c.decidable(r)
		c.open(r)
		c.undeclared(r)
	}
	c.limit()
	order := func(s Step) int { return slices.IndexFunc(w.Roles, func(r Role) bool { return r.Name == s.Role }) }
	slices.SortStableFunc(c.plan.Steps, func(a, b Step) int { return order(a) - order(b) })
	if len(c.plan.Refused) > 0 {
		c.plan.Steps, c.plan.Making = nil, 0
	}
	return c.plan
}

func (c *comparison) refuse(about, mend, says string, args ...any) {
	c.plan.Refused = append(c.plan.Refused, Finding{About: about, Says: fmt.Sprintf(says, args...), Mend: mend})
}

func (c *comparison) warn(about, mend, says string, args ...any) {
	c.plan.Warnings = append(c.plan.Warnings, Finding{About: about, Says: fmt.Sprintf(says, args...), Mend: mend})
}

func (c *comparison) step(s Step) {
	s.Called = c.spelled(s.Group)
	c.plan.Steps = append(c.plan.Steps, s)
}

// groups makes a role's groups where they are missing, and looks whether those that stand can be used.
func (c *comparison) groups(r Role) {
	for _, name := range r.Eligible {
		c.peoplesGroup(r, name, "May activate "+r.Title)
	}
	if r.Rules.Approval {
		for _, name := range r.Approvers {
			if !c.isPerson(name) {
				c.peoplesGroup(r, name, "Approves activations of privileged access")
			}
		}
	}
	c.roleGroup(r)
}

// isPerson reports whether an approver is a person: by name, or because the id was found among the people.
func (c *comparison) isPerson(name string) bool {
	_, found := c.actual.People[Key(name)]
	return IsUPN(name) || (pim.IsGUID(name) && found)
}

// missing says whether a group has to be made. What cannot be made or told apart is refused.
func (c *comparison) missing(about, name string) (bool, Found) {
	found := c.actual.Groups[Key(name)]
	switch {
	case len(found) == 1:
		return false, found[0]
	case len(found) > 1:
		c.refuse(about, "Write the object id of the right one in the settings.", "The tenant has %d groups called %q.", len(found), name)
	case pim.IsGUID(name):
		c.refuse(about, "Correct the id in the settings, or write a name: a group that is missing is made.", "The tenant has no group with the id %s.", name)
	default:
		return true, Found{}
	}
	return false, Found{}
}

func (c *comparison) peoplesGroup(r Role, name, description string) {
	listed := c.wanted.listed(name)
	if listed.Description != "" {
		description = listed.Description
	}
	if c.made[Key(name)] {
		return
	}
	c.made[Key(name)] = true
	protected := c.protected(name)
	absent, group := c.missing(r.Name, name)
	if absent {
		c.make(r, name, description, protected)
	} else if group.ID == "" {
		return
	}
	if !absent && !group.Security {
		c.refuse(r.Name, "Name a security group.", "%s is not a security group, and PIM takes no other.", name)
	}
	if protected && !absent && !group.Assignable {
		c.warn(r.Name, "Make a new group with another name, move the people over, and name that one.",
			"%s is to be protected, but it is not role-assignable, which can only be said when a group is made.", name)
	}
	c.members(r, listed, group)
}

// protected reports whether any role that uses a group wants it role-assignable.
func (c *comparison) protected(name string) bool {
	for _, r := range c.wanted.Roles {
		uses := func(n string) bool { return Key(n) == Key(name) }
		if r.Protected && (slices.ContainsFunc(r.Eligible, uses) || slices.ContainsFunc(r.Approvers, uses)) {
			return true
		}
	}
	return false
}

func (c *comparison) make(r Role, name, description string, assignable bool) {
	says := "Make the security group " + name
	if assignable {
		says = "Make the role-assignable group " + name
		c.plan.Making++
	}
	c.step(Step{Kind: MakeGroup, Role: r.Name, Group: name, Says: says, Description: description, Assignable: assignable})
}

// members adds who is listed and missing, and names who is there and not listed.
func (c *comparison) members(r Role, listed Group, group Found) {
	if listed.Members == nil {
		return
	}
	if group.Dynamic || group.Synced {
		c.refuse(r.Name, "Take the members of this group out of the settings.", "Nobody can be added to %s: its members come from a rule or from on premises.", listed.Name)
		return
	}
	there := map[pim.PrincipalID]bool{}
	for _, m := range c.actual.Details[group.ID].Members {
		there[m.ID] = true
	}
	wanted := map[pim.PrincipalID]bool{}
	for _, name := range distinct(listed.Members) {
		p, found := c.actual.People[Key(name)]
		if !found {
			c.refuse(listed.Name, "Correct it in the settings, as in alice@contoso.com, or write the object id.", "The tenant has nobody called %s.", name)
			continue
		}
		if err := p.MayAct(); err != nil && !there[p.ID] {
			c.refuse(listed.Name, "Take them out of the settings.", "%s is disabled or a guest, and cannot use what the group is for.", name)
			continue
		}
		if wanted[p.ID] {
			continue
		}
		wanted[p.ID] = true
		if !there[p.ID] {
			c.step(Step{
				Kind: AddMember, Role: r.Name, Group: listed.Name, GroupID: group.ID, Principal: name, PrincipalID: p.ID,
				Says: "Add " + called(p.Name, name) + " to " + c.spelled(listed.Name),
			})
		}
	}
	for _, m := range c.actual.Details[group.ID].Members {
		if !wanted[m.ID] {
			c.beside(listed.Name, group.ID, "List them under tenant.groups in the settings, or take them out of the group.",
				"%s is a member and not listed.", called(m.Name, string(m.ID)))
		}
	}
	for _, o := range c.actual.Details[group.ID].Owners {
		c.beside(listed.Name, group.ID, disown, "%s owns %s and can let anyone in.", called(o.Name, string(o.ID)), listed.Name)
	}
}

const disown = "Take the ownership away in Entra, unless you mean it: owners say who is in the group."

func (c *comparison) beside(about string, group pim.GroupID, mend, says string, args ...any) {
	c.plan.Undeclared = append(c.plan.Undeclared, Finding{About: about, Says: fmt.Sprintf(says, args...), Mend: mend, Group: group})
}

// called is a person's name with the word that the settings use, where they differ.
func called(name, word string) string {
	if name == "" || Key(name) == Key(word) {
		return word
	}
	return name + " (" + word + ")"
}

// roleGroup makes the role-enabled group, or looks whether PIM can govern the one that stands.
func (c *comparison) roleGroup(r Role) {
	absent, group := c.missing(r.Name, r.Group)
	if absent {
		gives := r.Gives
		if gives == "" {
			gives = r.Title
		}
		c.make(r, r.Group, gives, true)
	}
	if absent || group.ID == "" {
		return
	}
	const another = "Name another group in the settings; one that does not exist yet is made as it has to be."
	inside := c.actual.Details[group.ID]
	switch {
	case !group.Security:
		c.refuse(r.Name, another, "%s is not a security group.", c.spelled(r.Group))
	case group.Dynamic:
		c.refuse(r.Name, another, "%s is a dynamic group: a rule says who is in it, so PIM cannot.", c.spelled(r.Group))
	case group.Synced:
		c.refuse(r.Name, another, "%s comes from the directory on premises, so PIM cannot say who is in it.", c.spelled(r.Group))
	case group.Restricted:
		c.refuse(r.Name, "Take it out of the administrative unit, or name another group in the settings.",
			"%s is in a restricted management administrative unit, where PIM cannot change it.", c.spelled(r.Group))
	case !group.Assignable:
		c.refuse(r.Name, another, "%s is not role-assignable, which can only be said when a group is made: every Groups Administrator could let anyone in.", c.spelled(r.Group))
	case len(inside.Within) > 0:
		c.refuse(r.Name, "Take it out of that group, or name another one in the settings.",
			"%s is itself a member of %s, so that whoever activates gets that, too.", c.spelled(r.Group), inside.Within[0])
	}
	if i := slices.IndexFunc(inside.Members, func(m Member) bool { return m.IsGroup }); i >= 0 {
		c.refuse(r.Name, "Take the group out, or name another one in the settings.",
			"%s has the group %s as a member, so that everybody in that one has the role for good.", c.spelled(r.Group), called(inside.Members[i].Name, string(inside.Members[i].ID)))
	}
}

// spelled is a group that the settings name by its id as a person knows it: its name, too. An id alone could be any group's.
func (c *comparison) spelled(name string) string {
	if g, found := c.actual.group(name); found && pim.IsGUID(name) {
		return called(g.Name, name)
	}
	return name
}

// unused warns of a group that is listed and that no role names.
func (c *comparison) unused(g Group) {
	if !c.made[Key(g.Name)] {
		c.warn(g.Name, "Name it in a role's eligible or approvers, or take it out of tenant.groups.", "No role uses the group %s; nothing is done about it.", g.Name)
	}
}

// sameGroups refuses one group behind two roles, and a role's group among the people's, also where one has its name and the
// other its id.
func (c *comparison) sameGroups() {
	first := map[string]string{}
	for _, r := range c.wanted.Roles {
		if other, taken := first[c.identity(r.Group)]; taken {
			c.refuse(r.Name, "Give each role its own group.", "The roles %s and %s have the same group, %s.", other, r.Name, r.Group)
		}
		first[c.identity(r.Group)] = r.Name
	}
	for _, r := range c.wanted.Roles {
		for _, name := range distinct(slices.Concat(r.Eligible, r.Approvers)) {
			if role, taken := first[c.identity(name)]; taken {
				c.refuse(r.Name, "Name a group of people.", "%s is the group of the role %s: who activates that one would be let in here, too.", name, role)
			}
		}
	}
}

// identity is a group's id, or its name while it does not exist.
func (c *comparison) identity(name string) string {
	if g, found := c.actual.group(name); found {
		return string(g.ID)
	}
	return Key(name)
}

// limit compares with how many role-assignable groups a tenant can have.
func (c *comparison) limit() {
	after := c.plan.Assignable + c.plan.Making
	const mend = "Delete role-assignable groups that nobody needs, or use fewer roles."
	switch {
	case c.plan.Making > 0 && after > MaxAssignable:
		c.refuse("tenant", mend, "The tenant has %d role-assignable groups and can have %d; %d more are wanted.", c.plan.Assignable, MaxAssignable, c.plan.Making)
	case after >= nearlyAll:
		c.warn("tenant", mend, "The tenant will have %d of the %d role-assignable groups that it can have.", after, MaxAssignable)
	}
}
