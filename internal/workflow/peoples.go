package workflow

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"elevate/internal/pim"
	"elevate/internal/store"
)

// PeoplesGroups are the groups that the settings name for a role: of those who may
// ask, and of those who approve.
type PeoplesGroups struct {
	Eligible, Approvers []pim.GroupID
	// People approve beside those in groups, by object id, and Names by what the
	// settings call them.
	People []pim.PrincipalID
	Names  []string
}

func (p PeoplesGroups) all() []pim.GroupID { return slices.Concat(p.Eligible, p.Approvers) }

// peoplesMost is for how many roles the groups are looked up in one sweep: each is a
// call, and the sweep is waited for.
const peoplesMost = 10

// peoplesOf are the people's groups of a role, once they were found. Only the sweep's
// own lane calls it.
func (s *Service) peoplesOf(ctx context.Context, role pim.Role) PeoplesGroups {
	if known, found := s.peoples[role.Name]; found || s.cfg.Peoples == nil || s.peoplesAsked >= peoplesMost {
		return known
	}
	s.peoplesAsked++
	found, err := s.cfg.Peoples(ctx, role.Name)
	if err != nil {
		s.cfg.Logger.Warn("groups_not_watched", "role", role.Name, "error", err)
		return PeoplesGroups{}
	}
	s.peoples[role.Name] = found
	return found
}

// declared are those whom the settings make eligible for a role; nil while that is
// not known.
func (s *Service) declared(role pim.Role) []pim.PrincipalID {
	known, found := s.peoples[role.Name]
	if !found {
		return nil
	}
	ids := []pim.PrincipalID{}
	for _, g := range known.Eligible {
		ids = append(ids, pim.PrincipalID(g))
	}
	return ids
}

// mostPeople is how many people of a group are kept by name; of a larger one, changes
// are not told.
const mostPeople = 5000

// comparePeople tells on-call who came into and who left the groups of those who may
// ask and of those who approve. The first reading is what they are compared with.
func (s *Service) comparePeople(tx *store.Tx, a pim.Answer) error {
	seen := map[pim.GroupID]changed{}
	for _, role := range s.cfg.Roles {
		for _, g := range s.peoples[role.Name].all() {
			people, read := a.Members[g]
			if !read || len(people) > mostPeople {
				continue
			}
			c, compared := seen[g]
			if !compared {
				var err error
				if c, err = cameAndWent(tx, g, people); err != nil {
					return err
				}
				seen[g] = c
			}
			if c.text == "" {
				continue
			}
			if err := s.sayPeople(tx, role, g, c); err != nil {
				return err
			}
		}
	}
	return nil
}

// sayPeople writes the event and tells on-call.
func (s *Service) sayPeople(tx *store.Tx, role pim.Role, g pim.GroupID, c changed) error {
	of := "those who may ask for the role"
	if slices.Contains(s.peoples[role.Name].Approvers, g) {
		of = "its approvers"
	}
	a := pim.Alarm{Kind: pim.AlarmPeople, Group: g, What: "among " + of + ", " + c.text, People: c.people, Since: tx.Now()}
	return s.raiseAlone(tx, a, role)
}

// changed is who came into a group of people and who went, in words and by id.
type changed struct {
	text   string
	people []pim.PrincipalID
}

// cameAndWent compares the people in a group with those who were in it, and keeps
// them. It is empty where nobody came or went.
func cameAndWent(tx *store.Tx, g pim.GroupID, people []pim.Profile) (c changed, err error) {
	key, was, is := "people|"+string(g), map[pim.PrincipalID]string{}, map[pim.PrincipalID]string{}
	for _, p := range people {
		is[p.ID] = cmp.Or(p.Name, string(p.ID))
	}
	known, err := tx.Meta(key, &was)
	if err != nil || known && maps.Equal(was, is) {
		return c, err
	}
	if err := tx.PutMeta(key, is); err != nil || !known {
		return c, err
	}
	var said []string
	for _, one := range []struct {
		word       string
		from, into map[pim.PrincipalID]string
	}{{"new: ", was, is}, {"gone: ", is, was}} {
		names, ids := missingIn(one.from, one.into)
		if len(ids) > 0 {
			said, c.people = append(said, one.word+names), append(c.people, ids...)
		}
	}
	c.text = strings.Join(said, "; ")
	return c, nil
}

// missingIn names who of others is not in a list, at most as many as one reads.
func missingIn(list, others map[pim.PrincipalID]string) (string, []pim.PrincipalID) {
	const most = 10
	var ids []pim.PrincipalID
	for id := range others {
		if _, there := list[id]; !there {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b pim.PrincipalID) int { return cmp.Or(cmp.Compare(others[a], others[b]), cmp.Compare(a, b)) })
	more := len(ids) - most
	ids = ids[:min(len(ids), most)]
	var names []string
	for _, id := range ids {
		names = append(names, others[id])
	}
	if more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", "), ids
}
