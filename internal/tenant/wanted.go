package tenant

import (
	"slices"
	"strings"
	"time"

	"elevate/internal/pim"
)

// Wanted is what the settings declare.
type Wanted struct {
	Roles  []Role
	Groups []Group
	// Readers are the groups whose members may read everything, or review the uses of an emergency role, by name or object id.
	// They are looked up, and never changed.
	Readers []string
}

// Role is one governed group and who may have it.
type Role struct {
	Name  string
	Title string
	Gives string
	// Group is the role-enabled group, by name or object id.
	Group string
	// Eligible are the people's groups, by name or object id.
	Eligible []string
	// Approvers are groups by name or object id, and people by object id or user principal name.
	Approvers []string
	Rules     Rules
	// Protected has the people's and the approvers' groups created role-assignable.
	Protected bool
}

// Rules are what PIM asks of somebody who activates membership.
type Rules struct {
	Longest       time.Duration
	Justification bool
	Ticket        bool
	MFA           bool
	Context       string // the authentication context, c1 to c99, or empty
	Approval      bool
	// Mail says whether PIM mails its default recipients about activations. Nil leaves PIM's setting alone.
	Mail *bool
}

// Group is what the settings say of a people's or an approvers' group.
type Group struct {
	Name        string
	Description string
	// Members are people by object id or user principal name. Nil leaves the members alone.
	Members []string
}

// Key is the one spelling in which names and ids are compared; Entra compares without regard to case.
func Key(nameOrID string) string { return strings.ToLower(strings.TrimSpace(nameOrID)) }

// IsUPN reports whether a text can only be a user principal name: names of groups may hold an @, too, but the settings
// write such groups by their id.
func IsUPN(s string) bool { return strings.Contains(s, "@") && !strings.Contains(s, " ") }

// GroupNames are all groups that the settings name, each once, and object ids that may be a person's instead.
func (w Wanted) GroupNames() []string {
	var all []string
	for _, r := range w.Roles {
		all = append(all, r.Group)
		all = append(all, r.Eligible...)
		for _, a := range r.Approvers {
			if !IsUPN(a) {
				all = append(all, a)
			}
		}
	}
	for _, g := range w.Groups {
		all = append(all, g.Name)
	}
	return distinct(append(all, w.Readers...))
}

// PeopleNames are all people that the settings name, by object id or user principal name, and object ids of approvers that
// may be a group's instead.
func (w Wanted) PeopleNames() []string {
	var all []string
	for _, r := range w.Roles {
		for _, a := range r.Approvers {
			if IsUPN(a) || pim.IsGUID(a) {
				all = append(all, a)
			}
		}
	}
	for _, g := range w.Groups {
		all = append(all, g.Members...)
	}
	return distinct(all)
}

// distinct keeps the first spelling of each name.
func distinct(names []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, n := range names {
		if k := Key(n); k != "" && !seen[k] {
			seen[k] = true
			out = append(out, n)
		}
	}
	return out
}

// listed is what the settings say of a group, if anything.
func (w Wanted) listed(name string) Group {
	i := slices.IndexFunc(w.Groups, func(g Group) bool { return Key(g.Name) == Key(name) })
	if i < 0 {
		return Group{Name: name}
	}
	return w.Groups[i]
}
