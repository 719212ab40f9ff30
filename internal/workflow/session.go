package workflow

import (
	"fmt"
	"slices"

	"elevate/internal/pim"
	"elevate/internal/store"
)

// sessionUsed ends the session where sessions are not kept. That of somebody
// who owns a governed group is never kept: it could change who its members are.
// Where the owners could not be read yet, anybody may be one.
func (s *Service) sessionUsed(tx *store.Tx, by pim.Actor) error {
	if by.Account.IsZero() {
		return nil
	}
	if !s.cfg.KeepSessions {
		return s.cfg.EndSession(tx, by.Account)
	}
	for _, role := range s.cfg.Roles {
		switch s.owners.certainly(role.Group, by.Person) {
		case pim.No:
			continue
		case pim.Yes:
			if err := s.tellOwner(tx, by, role); err != nil {
				return err
			}
		case pim.NotKnown:
			text := "Elevate could not read yet who owns the groups it governs, as just after its start. Your sign-in was therefore kept only until the step it was for was done; the next step asks for a new one."
			if err := s.putTell(tx, "owners", "", pim.DirectTo(by.Account), message{Text: text}); err != nil {
				return err
			}
		}
		return s.cfg.EndSession(tx, by.Account)
	}
	return nil
}

// tellOwner says once why a session ended so early.
func (s *Service) tellOwner(tx *store.Tx, by pim.Actor, role pim.Role) error {
	note := "owner|" + by.Account.String()
	told := false
	if _, err := tx.Meta(note, &told); err != nil || told {
		return err
	}
	if err := tx.PutMeta(note, true); err != nil {
		return err
	}
	text := fmt.Sprintf("You own the group behind %s, so your sign-in could change who is in it. Elevate therefore keeps it only until the step it was for is done; the next step asks for a new one.", role.Title)
	return s.putTell(tx, "owner", "", pim.DirectTo(by.Account), message{Text: text})
}

// askToSignIn stores an intent for a step that is under way and tells the
// person where to sign in.
func (s *Service) askToSignIn(tx *store.Tx, by pim.Actor, r *pim.Request, in store.Intent) error {
	from := Sender{Account: by.Account, Name: by.Name, Place: pim.DirectTo(by.Account)}
	if in.Verb == verbApprove || in.Verb == verbDeny || in.Verb == verbRevoke {
		who, err := s.identify(tx, by.Account, by.Name)
		if err != nil {
			return err
		}
		if !slices.Contains(who.ids(), by.Person) { // the account may hear nothing of others any more
			return s.record(tx, r, pim.Event{Kind: pim.EventRefused, By: by, Text: in.Verb + ": the chat account is not linked any more"})
		}
	}
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
