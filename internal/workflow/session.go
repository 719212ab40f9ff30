package workflow

import (
	"elevate/internal/pim"
	"elevate/internal/store"
)

// sessionUsed ends the session where sessions are not kept.
func (s *Service) sessionUsed(tx *store.Tx, by pim.Actor) error {
	if s.cfg.KeepSessions || by.Account.IsZero() {
		return nil
	}
	return s.cfg.EndSession(tx, by.Account)
}

// askToSignIn stores an intent for a step that is under way and tells the
// person where to sign in.
func (s *Service) askToSignIn(tx *store.Tx, by pim.Actor, r *pim.Request, in store.Intent) error {
	from := Sender{Account: by.Account, Name: by.Name, Place: pim.DirectTo(by.Account)}
	id, err := s.intend(tx, from, in)
	if err != nil {
		return err
	}
	return s.putTell(tx, "sign-in|"+id, r.ID, from.Place, message{Intent: id})
}

// actorOf returns an effect's request, and its person as the state file knows
// them now.
func (s *Service) actorOf(e store.Effect) (pim.Request, identity, error) {
	var r pim.Request
	var who identity
	err := s.cfg.Store.View(func(tx *store.Tx) error {
		var err error
		if r, err = tx.Request(e.Request); err != nil {
			return err
		}
		who, err = s.identify(tx, e.As.Account, e.As.Name)
		return err
	})
	return r, who, err
}
