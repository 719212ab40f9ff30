package tenant

import (
	"cmp"
	"maps"
	"slices"

	"elevate/internal/pim"
)

// Behind reports whether a group is behind a role.
func (a Actual) Behind(w Wanted, id pim.GroupID) bool {
	return slices.ContainsFunc(w.Roles, func(r Role) bool {
		return slices.ContainsFunc(a.Groups[Key(r.Group)], func(g Found) bool { return g.ID == id })
	})
}

// Beside names groups under PIM that are behind no role, as they were found. One that a group of the settings is eligible for
// was a role once: that is undeclared. The rest may be none of Elevate's business.
func (p *Plan) Beside(w Wanted, a, found Actual) {
	ours := map[pim.PrincipalID]string{}
	for _, name := range w.GroupNames() {
		if g, there := a.group(name); there {
			ours[pim.PrincipalID(g.ID)] = g.Name
		}
	}
	for _, key := range slices.Sorted(maps.Keys(found.Groups)) {
		for _, g := range found.Groups[key] {
			f := Finding{About: cmp.Or(g.Name, string(g.ID)), Group: g.ID}
			was := false
			for _, e := range found.Details[g.ID].Eligible {
				if who := ours[e.Principal]; who != "" {
					was = true
					f.Says, f.Mend = who+" is eligible for it, and no role of the settings names it.", "Put the role back into the settings, or remove the eligibility in PIM."
					p.Undeclared = append(p.Undeclared, f)
				}
			}
			if !was {
				f.Says, f.Mend = "No role of the settings names it.", "If it was a role before, remove its eligibilities in PIM; `elevate tenant import` writes a role for it."
				p.Others = append(p.Others, f)
			}
		}
	}
}
