package workflow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"elevate/internal/pim"
	"elevate/internal/store"
)

// lookWhose finds out whose decision PIM has: it may be this one, whose answer
// got lost. If not, the person is told why it was not taken.
func (s *Service) lookWhose(ctx context.Context, e store.Effect, r pim.Request, d decision, why error) (result, error) {
	stage, err := s.cfg.Directory.Assigned(ctx, e.As, approvalOf(r.Copy))
	switch {
	case triedAgain(err):
		return result{}, err
	case r.Decided != nil && r.Decided.By.Person == e.As.Person:
		return s.verified(e, r, d, stage), nil
	case err == nil && stage.ReviewedBy == e.As.Person && reviewed(stage) != "":
		return result{apply: func(tx *store.Tx) error { return s.noteOwn(tx, r.ID, e.As, d, stage) }}, nil
	case err == nil && strings.EqualFold(stage.Status, "Expired") && stage.ReviewedBy == "":
		return s.approvalOver(e, d)
	}
	if err != nil || stage.ReviewedBy == "" || stage.ReviewedBy == e.As.Person {
		return s.notDecided(e, d, why)
	}
	return s.notMine(e, r.ID, d, stage, why)
}

// notMine ends a decision where PIM has somebody else's. PIM may have turned
// meanwhile, and have been taken for this decision's doing.
func (s *Service) notMine(e store.Effect, id pim.RequestID, d decision, stage pim.Stage, why error) (result, error) {
	res, err := s.notDecided(e, d, why)
	told := res.apply
	res.apply = func(tx *store.Tx) error {
		fresh, err := tx.Request(id)
		if err != nil {
			return err
		}
		if fresh.Decided != nil && fresh.Decided.By.Person == e.As.Person {
			if err := s.decidedElsewhere(tx, &fresh, d, stage); err != nil {
				return err
			}
		}
		return told(tx)
	}
	return res, err
}

// decidedElsewhere writes whose decision PIM has, where it was taken for
// somebody else's.
func (s *Service) decidedElsewhere(tx *store.Tx, r *pim.Request, d decision, stage pim.Stage) error {
	by, at := pim.Actor{Person: stage.ReviewedBy, Name: stage.ReviewedName}, stage.Reviewed
	if at.IsZero() {
		at = r.Decided.At // PIM could not be asked: when its turn was seen
	}
	r.Decided = &pim.Decided{By: by, Approve: d.Approve, Reason: stage.Reason, At: at, Chat: pim.Portal}
	if err := s.record(tx, r, pim.Event{Kind: pim.EventDecided, By: by, Chat: pim.Portal, Text: d.verb() + ": " + stage.Reason}); err != nil {
		return err
	}
	return s.turn(tx, r)
}

// approvalOver notes that PIM's stage has expired: nobody can decide it any
// more. The watch looks once more before it is said.
func (s *Service) approvalOver(e store.Effect, d decision) (result, error) {
	res, err := s.notDecided(e, d, pim.Errorf(pim.Conflict, "The approval of request %s has expired in PIM. The access has to be asked for again.", e.Request))
	told := res.apply
	res.apply = func(tx *store.Tx) error {
		r, err := tx.Request(e.Request)
		if err != nil {
			return err
		}
		if r.State == pim.Pending && r.ApprovalOver.IsZero() {
			r.ApprovalOver = tx.Now()
			if err := s.record(tx, &r, pim.Event{Kind: pim.EventObserved, Chat: pim.System, From: r.State, Text: "the approval stage is Expired"}); err != nil {
				return err
			}
			if err := tx.PutEffect(watchEffect(r.Group)); err != nil {
				return err
			}
		}
		return told(tx)
	}
	return res, err
}

// reviewed returns the verb of a stage's result, whose spelling differs between
// Microsoft's pages: Approve or Approved, Deny or Denied.
func reviewed(stage pim.Stage) string {
	switch strings.ToLower(stage.ReviewResult) {
	case "approve", "approved":
		return verbApprove
	case "deny", "denied":
		return verbDeny
	}
	return ""
}

// noteOwn writes the decision of this person that PIM has, whose answer got
// lost. It may be an earlier one, and the opposite.
func (s *Service) noteOwn(tx *store.Tx, id pim.RequestID, by pim.Actor, d decision, stage pim.Stage) error {
	had := d
	if word := reviewed(stage); word != "" && word != d.verb() {
		had.Approve, had.Reason = word == verbApprove, stage.Reason
		text := fmt.Sprintf("Your decision to %s was not taken. PIM has an earlier one of yours, to %s request %s.", d.verb(), had.verb(), id)
		if err := s.putTell(tx, "decide|"+string(id), id, pim.DirectTo(by.Account), message{Text: text, Problem: true}); err != nil {
			return err
		}
	}
	noted, err := s.decisionNoted(tx, id, by)
	if err != nil || noted {
		return errors.Join(err, s.sessionUsed(tx, by))
	}
	return s.noteDecided(tx, id, by, had)
}

// decisionNoted reports whether the trail says that somebody decided.
func (s *Service) decisionNoted(tx *store.Tx, id pim.RequestID, by pim.Actor) (bool, error) {
	events, err := tx.EventsOf(id)
	return slices.ContainsFunc(events, func(e pim.Event) bool { return e.Kind == pim.EventDecided && e.By.Person == by.Person }), err
}

// verified deals with a decision that looked like this one when PIM turned
// before its answer was written, now that PIM was asked whose it is. One that PIM
// names nobody for is nobody's: only what was read is said.
func (s *Service) verified(e store.Effect, r pim.Request, d decision, stage pim.Stage) result {
	return result{apply: func(tx *store.Tx) error {
		if stage.ReviewedBy == e.As.Person {
			return s.noteOwn(tx, r.ID, e.As, d, stage)
		}
		noted, err := s.decisionNoted(tx, r.ID, e.As)
		if err != nil || noted {
			return errors.Join(err, s.sessionUsed(tx, e.As))
		}
		fresh, err := tx.Request(r.ID)
		if err != nil {
			return err
		}
		if err := s.sessionUsed(tx, e.As); err != nil {
			return err
		}
		return s.decidedElsewhere(tx, &fresh, d, stage)
	}}
}
