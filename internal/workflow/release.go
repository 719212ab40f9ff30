package workflow

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"elevate/internal/pim"
	"elevate/internal/store"
)

// The codes by which PIM says that an access is too young to be released, and
// that there is none (any more).
const (
	codeTooShort     = "ActiveDurationTooShort"
	codeNoAssignment = "RoleAssignmentDoesNotExist"
)

// putRelease notes that a release was asked for and has it sent, unless one is
// on its way already.
func (s *Service) putRelease(tx *store.Tx, r *pim.Request, by pim.Actor) error {
	if r.Releasing != nil && r.Releasing.By.Person == by.Person {
		if underWay, err := sendsRelease(tx, r); err != nil || underWay {
			return err
		}
	}
	r.Releasing = &pim.Releasing{By: by, At: tx.Now()}
	if err := s.record(tx, r, pim.Event{Kind: pim.EventReleasing, By: by}); err != nil {
		return err
	}
	if err := s.turn(tx, r); err != nil {
		return err
	}
	return s.putPersonEffect(tx, kindRelease, r, by, nil)
}

// sendsRelease reports whether the release of a request is still to be sent.
func sendsRelease(tx *store.Tx, r *pim.Request) (bool, error) {
	e, err := personEffect(kindRelease, r, r.Releasing.By, nil)
	if err != nil {
		return false, err
	}
	_, there, err := tx.Effect(e.Key)
	return there, err
}

// dropRelease ends a release that PIM has not taken: the card offers it again.
func (s *Service) dropRelease(tx *store.Tx, r *pim.Request, why pim.Event) error {
	if r.Releasing == nil || r.State != pim.Active {
		return nil
	}
	r.Releasing = nil
	if err := s.record(tx, r, why); err != nil {
		return err
	}
	return s.turn(tx, r)
}

// dropLostRelease ends a release whose effect is gone, as after a restored backup.
func (s *Service) dropLostRelease(tx *store.Tx, r *pim.Request) error {
	if r.Releasing == nil {
		return nil
	}
	if kept, err := sendsRelease(tx, r); err != nil || kept {
		return err
	}
	return s.dropRelease(tx, r, pim.Event{Kind: pim.EventRefused, Chat: pim.System, By: r.Releasing.By, Text: "the release was not kept over the start"})
}

// release gives an active access back as its holder. It never expires. That
// the access ended is told by the read-back alone.
func (s *Service) release(ctx context.Context, e store.Effect) (result, error) {
	r, who, err := s.actorOf(e)
	if err != nil {
		return result{}, err
	}
	switch {
	case r.State != pim.Active:
		return s.tooLate(e, r, verbRelease)
	case who.session == nil || who.actor.Person != e.As.Person:
		return s.ownNeedsSignIn(e, r, verbRelease, "")
	}
	sentBefore, err := s.noteReleaseSent(e)
	if err != nil {
		return result{}, err
	}
	_, err = s.cfg.Directory.Submit(ctx, e.As, pim.Activation{
		Action: pim.SelfDeactivate, Group: r.Group, Principal: r.Principal, Justification: pim.Mark("Released early.", r.ID),
	})
	return s.releaseSent(e, r, sentBefore, err)
}

// noteReleaseSent writes that the release is about to be sent, and reports
// whether it was before without an answer.
func (s *Service) noteReleaseSent(e store.Effect) (before bool, err error) {
	err = s.update(func(tx *store.Tx) error {
		r, err := tx.Request(e.Request)
		if err != nil || r.State != pim.Active {
			return err
		}
		if r.Releasing == nil { // it was parked and is tried again
			r.Releasing = &pim.Releasing{By: e.As, At: tx.Now()}
		}
		if before = !r.Releasing.Sent.IsZero(); before {
			return nil
		}
		r.Releasing.Sent = tx.Now()
		return s.record(tx, &r, pim.Event{Kind: pim.EventSent, By: e.As, Text: verbRelease})
	})
	return before, err
}

// releaseSent deals with PIM's answer to a release.
func (s *Service) releaseSent(e store.Effect, r pim.Request, sentBefore bool, err error) (result, error) {
	said := pim.Explain(err)
	lostBefore := sentBefore && said.Code == codeNoAssignment
	switch {
	case lostBefore && overByItself(r, s.cfg.Now()):
		return result{apply: func(tx *store.Tx) error { return s.releaseOver(tx, &r, e.As) }}, nil
	case err == nil || lostBefore:
		return result{apply: func(tx *store.Tx) error { return s.noteReleased(tx, r.ID, e.As) }}, nil
	case said.Code == codeNoAssignment:
		return result{apply: func(tx *store.Tx) error { return s.nothingToRelease(tx, r.ID, e.As) }}, nil
	case said.Code == codeTooShort:
		return s.releaseLater(e, r)
	case said.Kind == pim.SignIn:
		return s.ownNeedsSignIn(e, r, verbRelease, said.Claims)
	case said.Kind == pim.Throttled || said.Kind == pim.Unavailable:
		return result{}, s.releaseNotDone(e, err) // a definite "not done"
	case triedAgain(err):
		return result{}, err
	}
	return s.ownRefused(e, r, verbRelease, err)
}

// overByItself reports whether the end of an access has come: that PIM holds none any
// more says nothing then of what was sent before. The read-back says how it ended.
func overByItself(r pim.Request, now time.Time) bool { return !r.Ends.IsZero() && !now.Before(r.Ends) }

// releaseNotDone notes that a sending came to nothing, and returns why.
func (s *Service) releaseNotDone(e store.Effect, why error) error {
	err := s.changeActive(e.Request, func(tx *store.Tx, r *pim.Request) error {
		if r.Releasing == nil {
			return nil
		}
		r.Releasing.Sent = time.Time{}
		return tx.PutRequest(*r)
	})
	if err != nil {
		return err
	}
	return why
}

// noteReleased writes that PIM took the release, and has the end read back.
func (s *Service) noteReleased(tx *store.Tx, id pim.RequestID, by pim.Actor) error {
	r, err := tx.Request(id)
	if err != nil {
		return err
	}
	if r.State == pim.Active {
		r.Releasing, r.Leaving = nil, pim.Released
		if err := s.record(tx, &r, pim.Event{Kind: pim.EventReleasing, By: by, Text: "PIM took it"}); err != nil {
			return err
		}
		if err := s.turn(tx, &r); err != nil {
			return err
		}
	}
	return s.releaseOver(tx, &r, by)
}

// nothingToRelease notes that PIM ended the access before it was asked to.
func (s *Service) nothingToRelease(tx *store.Tx, id pim.RequestID, by pim.Actor) error {
	r, err := tx.Request(id)
	if err != nil {
		return err
	}
	if err := s.dropRelease(tx, &r, pim.Event{Kind: pim.EventRefused, By: by, Text: "PIM holds no such access any more"}); err != nil {
		return err
	}
	return s.releaseOver(tx, &r, by)
}

func (s *Service) releaseOver(tx *store.Tx, r *pim.Request, by pim.Actor) error {
	if err := s.sessionUsed(tx, by); err != nil {
		return err
	}
	return tx.PutEffect(confirmEffect(r, tx.Now()))
}

// releaseLater waits for PIM's five minutes to pass and says so once.
func (s *Service) releaseLater(e store.Effect, r pim.Request) (result, error) {
	from := r.MemberSince
	if !r.Copy.Start.IsZero() {
		from = r.Copy.Start
	}
	due := from.Add(pim.MinDuration + 5*time.Second)
	wait := max(due.Sub(s.cfg.Now()), 5*time.Second)
	err := s.changeActive(r.ID, func(tx *store.Tx, fresh *pim.Request) error {
		if fresh.Releasing == nil {
			return nil
		}
		said := fresh.Releasing.Due.Equal(due)
		fresh.Releasing.Due, fresh.Releasing.Sent = due, time.Time{}
		if said {
			return tx.PutRequest(*fresh)
		}
		return s.sayLater(tx, fresh, e.As, wait)
	})
	return result{again: wait}, err
}

func (s *Service) sayLater(tx *store.Tx, r *pim.Request, by pim.Actor, wait time.Duration) error {
	role, _ := s.cfg.Roles.Named(r.Role)
	text := fmt.Sprintf("PIM lets nobody release %s in its first five minutes. Elevate releases it for you in %s.",
		cmp.Or(role.Title, r.Role), pim.FormatDuration(wait.Round(time.Second)))
	event := pim.Event{Kind: pim.EventRefused, By: by, Text: "PIM takes no release before " + r.Releasing.Due.UTC().Format(time.RFC3339)}
	if err := s.record(tx, r, event); err != nil {
		return err
	}
	if err := s.turn(tx, r); err != nil {
		return err
	}
	return s.putTell(tx, "release-later|"+string(r.ID), r.ID, pim.DirectTo(by.Account), message{Text: text})
}
