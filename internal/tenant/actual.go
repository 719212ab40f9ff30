package tenant

import (
	"cmp"
	"slices"
	"time"

	"elevate/internal/pim"
)

// Actual is what stands in the tenant, of what the settings name.
type Actual struct {
	// Groups are the groups that have a name or an id, by its Key. More than one can have the same name.
	Groups map[string][]Found
	// People are by the Key of their object id or user principal name. Who was not found is not there.
	People map[string]pim.Profile
	// Details are of the groups that exist.
	Details map[pim.GroupID]Details
	// Names are those of what an id alone was known of.
	Names map[pim.PrincipalID]string
	// Assignable is how many role-assignable groups the tenant has.
	Assignable int
}

// Found is a group of the directory.
type Found struct {
	ID          pim.GroupID
	Name        string
	Description string
	Assignable  bool // a role can be given to it, and few may change who is in it
	Security    bool
	Dynamic     bool // its members follow from a rule
	Synced      bool // it comes from the directory on premises
	Restricted  bool // it is in a restricted management administrative unit
}

// Details are what else was read of a group.
type Details struct {
	// Members are its direct members.
	Members []Member
	// People are the people in it, directly and through groups in it.
	People []pim.Profile
	// Owners are those who own it, at most as many as Graph tells at once.
	Owners []Member
	// Within are the names of the groups that it is a member of.
	Within []string
	// Policy are PIM's rules for its members. Nil means that PIM has none to show: the group is too new.
	Policy *Policy
	// Eligible are those who may activate membership in it, Owning those who may activate owning it.
	Eligible, Owning []Eligible
	// Activated are those who are members by an activation at the moment.
	Activated map[pim.PrincipalID]bool
	// Assigned are those who are members by an assignment in PIM that nobody activates, and its end; zero: without end.
	Assigned map[pim.PrincipalID]time.Time
}

// Member is a direct member of a group.
type Member struct {
	ID      pim.PrincipalID
	Name    string
	IsGroup bool
}

// Eligible is somebody, or a group, that may activate.
type Eligible struct {
	Principal pim.PrincipalID
	End       time.Time // zero: without end
}

// Policy are PIM's rules for the members of a group, as far as they are declared.
type Policy struct {
	pim.Policy
	// Touched is false while nobody has changed a rule, and then the group may not be under PIM yet.
	Touched bool
	// Permanent says whether an eligibility may be without end.
	Permanent bool
	// Beyond is what the approval has that the settings cannot declare: other kinds of approvers, more stages, escalations.
	Beyond []string
	// Mail says, for each of the three rules about mail on activation, whether its default recipients get it.
	Mail map[string]bool
}

// The rules about mail when membership is activated, in the order of PIM's page.
var mailRules = []string{
	"Notification_Admin_EndUser_Assignment", "Notification_Requestor_EndUser_Assignment", "Notification_Approver_EndUser_Assignment",
}

// MailRules are the ids of the rules about mail when membership is activated.
func MailRules() []string { return mailRules }

// group is the one group of a name or id.
func (a Actual) group(name string) (Found, bool) {
	found := a.Groups[Key(name)]
	if len(found) != 1 {
		return Found{}, false
	}
	return found[0], true
}

// SignIns are those who have to be able to sign in to the bot, of what exists: people's, approvers' and readers' groups, and
// approvers by themselves unless they are in a group that may. Entra takes direct members alone for that.
// https://learn.microsoft.com/entra/identity/enterprise-apps/assign-user-or-group-access-portal
func (a Actual) SignIns(w Wanted, assigned []pim.PrincipalID) map[pim.PrincipalID]string {
	names := slices.Clone(w.Readers)
	for _, r := range w.Roles {
		names = append(names, r.Eligible...)
		if r.Rules.Approval {
			names = append(names, r.Approvers...)
		}
	}
	out := map[pim.PrincipalID]string{}
	for _, name := range names {
		if g, found := a.group(name); found {
			out[pim.PrincipalID(g.ID)] = g.Name
		} else if p, found := a.People[Key(name)]; found && !a.isIn(p.ID, assigned) {
			out[p.ID] = called(p.Name, name)
		}
	}
	return out
}

// isIn reports whether somebody is a direct member of one of these, as far as they were read.
func (a Actual) isIn(who pim.PrincipalID, groups []pim.PrincipalID) bool {
	return slices.ContainsFunc(groups, func(g pim.PrincipalID) bool {
		return slices.ContainsFunc(a.Details[pim.GroupID(g)].Members, func(m Member) bool { return m.ID == who })
	})
}

// NameOf says by its display name what an id is, as far as it is known.
func (a Actual) NameOf(id pim.PrincipalID) string {
	for _, list := range a.Groups {
		for _, g := range list {
			if pim.PrincipalID(g.ID) == id {
				return g.Name
			}
		}
	}
	for _, p := range a.People {
		if p.ID == id && p.Name != "" {
			return p.Name
		}
	}
	for _, d := range a.Details {
		for _, p := range d.People {
			if p.ID == id && p.Name != "" {
				return p.Name
			}
		}
	}
	return cmp.Or(a.Names[id], string(id))
}
