package simentra

import "fmt"

// SetEnabled enables or disables an account. Disabling also revokes its sessions, as Entra does.
func (s *Server) SetEnabled(who string, enabled bool) error {
	return s.changePerson(who, func(p *person) {
		p.Enabled = enabled
		if !enabled {
			p.revoked = s.nextNumber()
		}
	})
}

// RevokeSessions ends the sign-ins that somebody made until now.
func (s *Server) RevokeSessions(who string) error {
	return s.changePerson(who, func(p *person) { p.revoked = s.nextNumber() })
}

// RequireMFA lets silent renewals for somebody be answered with AADSTS50076 until it is taken back.
func (s *Server) RequireMFA(who string, required bool) error {
	return s.changePerson(who, func(p *person) { p.mustMFA = required })
}

// SetEmployeeID changes the attribute by which two accounts can be known for one person's.
func (s *Server) SetEmployeeID(who, id string) error {
	return s.changePerson(who, func(p *person) { p.EmployeeID = id })
}

// RemovePerson deletes an account: it is gone from every group and can be found no more.
func (s *Server) RemovePerson(who string) error {
	now := s.lock()
	defer s.mu.Unlock()
	p := s.dir.find(who)
	if p == nil {
		return fmt.Errorf("nobody is called %q", who)
	}
	p.Enabled, p.revoked = false, s.nextNumber()
	for _, g := range s.dir.groups {
		s.removeMember(g, p.ObjectID, now)
		for _, a := range s.pim.assignments[g.ID] {
			if a.principal == p.ObjectID && a.active() {
				s.end(a, now, true)
			}
		}
	}
	s.dir.remove(p)
	return nil
}

func (d *directory) remove(gone *person) {
	delete(d.byID, gone.ObjectID)
	kept := d.people[:0]
	for _, p := range d.people {
		if p != gone {
			kept = append(kept, p)
		}
	}
	d.people = kept
}

func (s *Server) changePerson(who string, change func(*person)) error {
	s.lock()
	defer s.mu.Unlock()
	p := s.dir.find(who)
	if p == nil {
		return fmt.Errorf("nobody is called %q", who)
	}
	change(p)
	return nil
}

// AddMember makes somebody a direct, permanent member of a group, outside PIM.
func (s *Server) AddMember(groupName, who string) error {
	now := s.lock()
	defer s.mu.Unlock()
	p, g, err := s.names(who, groupName)
	if err != nil {
		return err
	}
	s.addMember(g, p.ObjectID, now)
	return nil
}

// RemoveMember takes somebody out of a group of which they are a direct member.
func (s *Server) RemoveMember(groupName, who string) error {
	now := s.lock()
	defer s.mu.Unlock()
	p, g, err := s.names(who, groupName)
	if err != nil {
		return err
	}
	if !s.removeMember(g, p.ObjectID, now) {
		return fmt.Errorf("%s is no direct member of %s", who, groupName)
	}
	return nil
}
