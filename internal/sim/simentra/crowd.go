package simentra

import (
	"fmt"

	"elevate/internal/sim/cast"
)

// Crowd adds so many people to the tenant who are eligible for a group, and has each ask for it. They are in no chat and
// own nothing else: they are there to be many.
func (p Portal) Crowd(n int, groupName, justification string) error {
	p.s.lock()
	g := p.s.dir.groupNamed(groupName)
	if g == nil {
		p.s.mu.Unlock()
		return fmt.Errorf("no group is called %q", groupName)
	}
	keys := make([]string, n)
	for i := range keys {
		keys[i] = p.s.newcomer(g.ID)
	}
	p.s.mu.Unlock()
	for _, key := range keys {
		if _, err := p.Activate(Activation{Person: key, Group: groupName, Justification: justification}); err != nil {
			return err
		}
	}
	return nil
}

// newcomer adds somebody who is eligible for a group, and returns their key.
func (s *Server) newcomer(group string) string {
	number := len(s.dir.people) + 1
	added := &person{Person: cast.Person{
		Key: fmt.Sprintf("newcomer%d", number), DisplayName: fmt.Sprintf("Newcomer %d", number), ObjectID: newGUID(),
		UPN: fmt.Sprintf("newcomer%d@%s", number, s.domain), UserType: cast.Member, Enabled: true,
	}}
	s.dir.people = append(s.dir.people, added)
	s.dir.byID[added.ObjectID] = added
	s.pim.eligibilities[group] = append(s.pim.eligibilities[group], &eligibility{
		id: group + "_member_" + added.ObjectID, group: group, principal: added.ObjectID, access: accessMember, start: s.clock.Now(), createdUsing: added.ObjectID,
	})
	return added.Key
}
