package workflow

import (
	"elevate/internal/pim"
	"elevate/internal/store"
)

// askAgain answers somebody who repeats the words of a request of theirs that
// waits for a sign-in, because the link was lost or spent: it is no second
// request. It reports false when there is no such request.
func (s *Service) askAgain(tx *store.Tx, from Sender, who identity, a pim.Asked, out *asked) (bool, error) {
	open, err := tx.OpenOf(out.role.Group, from.Account)
	if err != nil {
		return false, err
	}
	for _, r := range open {
		if r.State != pim.WaitingForSignIn || r.Requester.Account != from.Account || !r.Asked.Same(a) {
			continue
		}
		if who.session == nil {
			if err := s.takeStep(from.Account, tx.Now()); err != nil {
				return true, err
			}
		}
		out.request, out.again = r, true
		if err := remember(tx, from, r.ID); err != nil {
			return true, err
		}
		return true, s.goOnAgain(tx, from, who, out)
	}
	return false, nil
}

// goOnAgain sends the request if the person has signed in meanwhile, else makes
// a new link.
func (s *Service) goOnAgain(tx *store.Tx, from Sender, who identity, out *asked) error {
	if who.session == nil {
		return s.linkAgain(tx, from, &out.request, &out.url)
	}
	intents, err := tx.IntentsOn(out.request.ID)
	if err != nil {
		return err
	}
	for _, in := range intents {
		if in.Verb != verbSubmit || in.Account != from.Account {
			continue
		}
		if err := tx.DeleteIntent(in.ID); err != nil {
			return err
		}
		_, err := s.goOnSubmitting(tx, &out.request, in)
		return err
	}
	return nil
}
