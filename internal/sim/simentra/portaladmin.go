package simentra

import (
	"fmt"
	"slices"
	"time"
)

// Groups returns the names of all groups there are now.
func (p Portal) Groups() []string {
	p.s.lock()
	defer p.s.mu.Unlock()
	var out []string
	for _, g := range p.s.dir.groups {
		out = append(out, g.Name)
	}
	return out
}

// as carries out what an administrator does in the admin center.
func (p Portal) as(admin string, do func(by *person, now time.Time) error) error {
	now := p.s.lock()
	defer p.s.mu.Unlock()
	by := p.s.dir.find(admin)
	if by == nil {
		return fmt.Errorf("nobody is called %q", admin)
	}
	return do(by, now)
}

// principal is who or what is called so: a person's key or a group's name.
func (s *Server) principal(name string) (string, error) {
	if found := s.dir.find(name); found != nil {
		return found.ObjectID, nil
	}
	if g := s.dir.groupNamed(name); g != nil {
		return g.ID, nil
	}
	return "", fmt.Errorf("no person and no group is called %q", name)
}

// AssignApp lets a person or the members of a group sign in to an app that wants assignment.
func (p Portal) AssignApp(admin, clientID, name string) error {
	return p.as(admin, func(by *person, now time.Time) error {
		if !by.Admin {
			return errDirectoryRefused
		}
		id, err := p.s.principal(name)
		if err != nil {
			return err
		}
		a, found := p.s.apps[clientID]
		if !found {
			return fmt.Errorf("no app has the id %q", clientID)
		}
		if !slices.Contains(a.assigned, id) {
			a.assigned = append(a.assigned, id)
		}
		p.s.auditDirectory("Add app role assignment grant to user", actor{oid: by.ObjectID}, now, id)
		return nil
	})
}
