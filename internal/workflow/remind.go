package workflow

import (
	"context"
	"slices"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
)

// claimedFor is how long a reminder waits for a decision that is on its way.
const claimedFor = time.Minute

// putRemind has a request looked at again when its role says so.
func (s *Service) putRemind(tx *store.Tx, r *pim.Request) error {
	if next := s.nextRemind(r); !next.IsZero() {
		return tx.PutEffect(remindEffect(r, next))
	}
	return nil
}

// nextRemind is when there is something to do for a request that nobody decides.
func (s *Service) nextRemind(r *pim.Request) time.Time {
	role, _ := s.cfg.Roles.Named(r.Role)
	next, escalation := role.Remind.NextReminder(r.OpenSince(), r.Reminded), role.Remind.Escalation(r.OpenSince(), r.Escalated)
	if next.IsZero() || !escalation.IsZero() && escalation.Before(next) {
		return escalation
	}
	return next
}

// remind asks the approvers of a request once more, and tells another place
// that nobody decides it.
func (s *Service) remind(_ context.Context, e store.Effect) (result, error) {
	var again time.Duration
	err := s.update(func(tx *store.Tx) error {
		again = 0
		r, err := tx.Request(e.Request)
		switch {
		case err != nil || r.State != pim.Pending || r.Decided != nil:
			return err
		case r.Claimed(tx.Now()) != nil:
			again = claimedFor
			return nil
		}
		if err := s.remindOf(tx, &r); err != nil {
			return err
		}
		if next := s.nextRemind(&r); !next.IsZero() {
			again = max(next.Sub(tx.Now()), time.Second)
		}
		return nil
	})
	return result{again: again}, err
}

// remindOf does for a request what is due now.
func (s *Service) remindOf(tx *store.Tx, r *pim.Request) error {
	role, _ := s.cfg.Roles.Named(r.Role)
	due := func(at time.Time) bool { return !at.IsZero() && !tx.Now().Before(at) }
	if due(role.Remind.NextReminder(r.OpenSince(), r.Reminded)) {
		r.Reminded = tx.Now()
		if err := s.record(tx, r, pim.Event{Kind: pim.EventReminded, Chat: pim.System, From: r.State}); err != nil {
			return err
		}
		if err := s.askOnceMore(tx, r, role); err != nil {
			return err
		}
	}
	if !due(role.Remind.Escalation(r.OpenSince(), r.Escalated)) {
		return nil
	}
	r.Escalated = tx.Now()
	if err := s.record(tx, r, pim.Event{Kind: pim.EventEscalated, Chat: pim.System, From: r.State}); err != nil {
		return err
	}
	return s.turn(tx, r)
}

// askOnceMore posts the approvers' card again wherever they are asked.
func (s *Service) askOnceMore(tx *store.Tx, r *pim.Request, role pim.Role) error {
	direct, err := s.approversDirect(tx, r, role)
	if err != nil {
		return err
	}
	return s.putAgain(tx, r, slices.Concat(role.Ask, direct), card.Approvers)
}

// putAgain has a request's card posted once more in these places.
func (s *Service) putAgain(tx *store.Tx, r *pim.Request, places []pim.Conversation, audience card.Viewer) error {
	for _, to := range places {
		if s.cfg.Messengers[to.Chat] == nil {
			continue
		}
		e, err := againEffect(r, to, audience)
		if err != nil {
			return err
		}
		if err := tx.PutEffect(e); err != nil {
			return err
		}
	}
	return nil
}
