package simentra

import (
	"slices"
	"strings"
	"time"

	"elevate/internal/sim/cast"
)

// A directory holds the tenant's accounts and groups.
type directory struct {
	people []*person
	groups []*group
	byID   map[string]any // *person or *group
}

type person struct {
	cast.Person
	revoked int  // sign-ins and tokens up to this number are refused
	mustMFA bool // silent sign-ins are answered with AADSTS50076
}

type group struct {
	cast.Group
	nickname string
	created  time.Time     // zero for those of the cast, which are old
	members  []*membership // added directly, not through PIM
	owners   []string
}

// A membership that was removed stays until its until has passed.
type membership struct {
	principal string
	from      time.Time
	until     time.Time // zero: lasts
}

func (m *membership) holds(now time.Time) bool {
	return !now.Before(m.from) && (m.until.IsZero() || now.Before(m.until))
}

func newDirectory(c *cast.Cast) directory {
	d := directory{byID: map[string]any{}}
	for _, p := range c.People {
		if p.ObjectID == "" {
			continue
		}
		added := &person{Person: p}
		d.people = append(d.people, added)
		d.byID[p.ObjectID] = added
	}
	for _, g := range c.Groups {
		added := &group{Group: g}
		for _, m := range g.Members {
			id, _ := c.Principal(m)
			added.members = append(added.members, &membership{principal: id})
		}
		for _, o := range g.Owners {
			id, _ := c.Principal(o)
			added.owners = append(added.owners, id)
		}
		d.groups = append(d.groups, added)
		d.byID[g.ID] = added
	}
	return d
}

func (d *directory) person(id string) *person {
	p, _ := d.byID[strings.ToLower(id)].(*person)
	return p
}

func (d *directory) group(id string) *group {
	g, _ := d.byID[strings.ToLower(id)].(*group)
	return g
}

// find returns whom a key, a user principal name or an object id names.
func (d *directory) find(name string) *person {
	for _, p := range d.people {
		if p.Key == name || strings.EqualFold(p.UPN, name) || strings.EqualFold(p.ObjectID, name) {
			return p
		}
	}
	return nil
}

func (d *directory) groupNamed(name string) *group {
	for _, g := range d.groups {
		if strings.EqualFold(g.Name, name) || strings.EqualFold(g.ID, name) {
			return g
		}
	}
	return nil
}

// members returns who is a member now: added directly, or through PIM, each once.
func (s *Server) members(g *group, now time.Time) []string {
	var out []string
	seen := map[string]bool{}
	add := func(id string) {
		if !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	for _, m := range g.members {
		if m.holds(now) {
			add(m.principal)
		}
	}
	for _, a := range s.pim.assignments[g.ID] {
		if a.access == accessMember && a.isMember(now, s.behavior.MemberLag) {
			add(a.principal)
		}
	}
	return out
}

// transitive returns the members of g and of the groups in it.
func (s *Server) transitive(g *group, now time.Time) []string {
	var out []string
	seen := map[string]bool{g.ID: true}
	queue := []*group{g}
	for len(queue) > 0 {
		next := queue[0]
		queue = queue[1:]
		for _, id := range s.members(next, now) {
			if seen[id] {
				continue
			}
			seen[id] = true
			out = append(out, id)
			if nested := s.dir.group(id); nested != nil {
				queue = append(queue, nested)
			}
		}
	}
	return out
}

func (s *Server) isMember(g *group, id string, now time.Time) bool {
	return slices.Contains(s.transitive(g, now), id)
}

func (g *group) isOwner(id string) bool { return slices.Contains(g.owners, id) }
