package workflow

import (
	"slices"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
)

// OnCallPerson is somebody who is on call now, to be mentioned where on-call is
// told. Nothing is decided by it: the name is PagerDuty's, and Person was found
// by an e-mail address there, which proves nobody; "" where none was found.
type OnCallPerson struct {
	Name   string
	Person pim.PrincipalID
}

// onCallNow are the people to mention in a place. It asks nobody: what is not
// known at this moment is left out, and no card waits for it.
func (s *Service) onCallNow(tx *store.Tx, at pim.Conversation) ([]card.OnCallPerson, error) {
	if s.cfg.OnCall == nil || at.User != "" {
		return nil, nil
	}
	var people []card.OnCallPerson
	for _, p := range s.cfg.OnCall() {
		here := card.OnCallPerson{Name: p.Name}
		if p.Person != "" {
			accounts, err := s.accountsOf(tx, p.Person)
			if err != nil {
				return nil, err
			}
			here.Accounts = slices.DeleteFunc(accounts, func(a pim.ChatAccount) bool { return a.Chat != at.Chat })
		}
		people = append(people, here)
	}
	return people, nil
}

// callOnCall mentions who is on call in what its place is told beside the cards
// of requests: alarms, and that PIM cannot be read.
func (s *Service) callOnCall(at pim.Conversation, c *card.Card) error {
	if at.User != "" {
		return nil
	}
	return s.cfg.Store.View(func(tx *store.Tx) error {
		people, err := s.onCallNow(tx, at)
		if err == nil {
			c.Call(people)
		}
		return err
	})
}
