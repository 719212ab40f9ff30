package workflow

import (
	"context"
	"errors"
	"time"

	"elevate/internal/pim"
	"elevate/internal/store"
)

// slowGrant is when granting has taken so long that it is said.
const slowGrant = 5 * time.Minute

// The pace of a watch: quick while something was just asked, decided or is
// being granted, slower while people think. What is decided elsewhere meanwhile is
// in the chats within ten seconds, with the time that the reading and the writing take.
const (
	watchQuick = time.Second
	watchSlow  = 8 * time.Second
)

// watch polls one group for everything in transition there, in one round trip,
// and turns what PIM turned. It stays while something is in transition.
func (s *Service) watch(ctx context.Context, e store.Effect) (result, error) {
	g, err := dataOf[string](e)
	if err != nil {
		return result{}, err
	}
	open, err := s.inTransition(pim.GroupID(g))
	if err != nil {
		return result{}, err
	}
	if len(open) == 0 {
		return result{}, nil
	}
	if err := s.endLeases(open); err != nil {
		return result{}, err
	}
	answer, err := s.cfg.Directory.Look(ctx, s.watchQuestion(pim.GroupID(g), open))
	if err != nil {
		return result{}, err
	}
	if err := s.learn(ctx, answer); err != nil {
		s.cfg.Logger.Warn("policy_not_read", "group", g, "error", err)
	}
	if err := s.observe(open, answer); err != nil {
		return result{}, err
	}
	if err := throttledIn(answer.Failed); err != nil {
		return result{}, err
	}
	return s.watchAgain(pim.GroupID(g))
}

// throttledIn returns the failure of a part of an answer that asks to wait: the
// whole lane waits then, as for a whole answer.
func throttledIn(failed []error) error {
	for _, err := range failed {
		if said := pim.Explain(err); said.Kind == pim.Throttled && said.RetryAfter > 0 {
			return err
		}
	}
	return nil
}

// inTransition returns the open requests of a group that PIM knows and that
// are not active yet.
func (s *Service) inTransition(g pim.GroupID) ([]pim.Request, error) {
	var moving []pim.Request
	err := s.cfg.Store.View(func(tx *store.Tx) error {
		var err error
		moving, err = tx.OpenInGroup(g, pim.Pending, pim.Scheduled, pim.Granting)
		return err
	})
	return moving, err
}

func (s *Service) watchQuestion(g pim.GroupID, open []pim.Request) pim.Question {
	var q pim.Question
	pending := false
	for _, r := range open {
		q.Requests = append(q.Requests, r.Copy.ID)
		if r.State == pim.Granting {
			q.Access = append(q.Access, pim.Membership{Group: g, Principal: r.Principal})
		}
		pending = pending || r.State == pim.Pending
	}
	if _, fresh := s.policies.get(g, s.cfg.Now(), policyNearlyOld); pending && !fresh {
		s.policyQuestion(&q, g)
	}
	return q
}

// observe writes what PIM turned, if anything.
func (s *Service) observe(open []pim.Request, answer pim.Answer) error {
	var errs []error
	for _, r := range open {
		c, ok := answer.Requests[r.Copy.ID]
		var access *pim.Access
		if read, ok := answer.Access[pim.Membership{Group: r.Group, Principal: r.Principal}]; ok {
			access = &read
		}
		if !ok || !s.turned(r, c, access) {
			continue
		}
		errs = append(errs, s.update(func(tx *store.Tx) error {
			fresh, err := tx.Request(r.ID)
			if err != nil || fresh.State != r.State {
				return err
			}
			return s.observeOne(tx, &fresh, c, access)
		}))
	}
	return errors.Join(errs...)
}

// turned reports whether there is anything to write, so that a poll that finds
// nothing new costs no write.
func (s *Service) turned(r pim.Request, c pim.Copy, access *pim.Access) bool {
	now := s.cfg.Now()
	if c.Status != r.Copy.Status || c.Digest() != r.Copy.Digest() {
		return true
	}
	if to := turnsTo(&r, c, now); to != "" || !r.TimedOutSeen.IsZero() {
		return true
	}
	return r.State == pim.Granting && (access != nil && (access.Member || overUnseen(r, c, now)) || !r.Late && now.Sub(r.Granting) > slowGrant)
}

// turnsTo is the state that PIM's copy turns a request to, or "". An end that
// nobody expects in this state is a failure.
func turnsTo(r *pim.Request, c pim.Copy, now time.Time) pim.State {
	from, to := r.State, pim.StateOf(c, now)
	if to == pim.Pending && !r.ApprovalOver.IsZero() {
		to = pim.TimedOut
	}
	switch {
	case to == from:
		return ""
	case from.CanBecome(to):
		return to
	case to != "" && !to.Open(), pim.ReadStatus(c.Status) == pim.WordRevoked:
		return pim.Failed
	}
	return ""
}

// overUnseen reports whether the time that PIM gave is over although the
// membership was never read, as after an hour in which nobody looked.
func overUnseen(r pim.Request, c pim.Copy, now time.Time) bool {
	end := c.EndTime()
	return r.State == pim.Granting && !end.IsZero() && now.After(end)
}

// observeOne turns one request by PIM's copy.
// A nil access was not read.
func (s *Service) observeOne(tx *store.Tx, r *pim.Request, c pim.Copy, access *pim.Access) error {
	now := tx.Now()
	old := r.Copy
	r.Copy = c
	word, to := pim.ReadStatus(c.Status), turnsTo(r, c, now)
	if to == pim.TimedOut && r.TimedOutSeen.IsZero() {
		r.TimedOutSeen = now
		return tx.PutRequest(*r)
	}
	if to != pim.TimedOut && !r.TimedOutSeen.IsZero() {
		r.TimedOutSeen = time.Time{}
		return tx.PutRequest(*r)
	}
	switch {
	case word == pim.WordUnknown && old.Status == r.Copy.Status:
		return nil
	case word == pim.WordUnknown:
		return s.unknownWord(tx, r)
	case to != "":
		return s.moveObserved(tx, r, to, access)
	case r.State == pim.Granting && word == pim.WordProvisioned && access != nil && access.Member:
		return s.confirmed(tx, r, *access)
	case access != nil && overUnseen(*r, c, now):
		return s.missed(tx, r, *access)
	}
	return s.stillThere(tx, r, old, now)
}

// moveObserved turns a request as PIM did; a membership that was read in the
// same look confirms it at once.
func (s *Service) moveObserved(tx *store.Tx, r *pim.Request, to pim.State, access *pim.Access) error {
	s.noteElsewhere(r, to, tx.Now())
	revoked := pim.ReadStatus(r.Copy.Status) == pim.WordRevoked
	if revoked {
		r.Why = "It was revoked in PIM before the access existed."
	}
	if to == pim.Canceled {
		r.Why = pim.InPIM
	}
	if err := s.moveOn(tx, r, to, r.Copy); err != nil {
		return err
	}
	if revoked && !r.Copy.Start.After(tx.Now()) { // there may have been one between two looks
		return s.openReview(tx, r)
	}
	if to == pim.Granting && access != nil && access.Member && pim.ReadStatus(r.Copy.Status) == pim.WordProvisioned {
		return s.confirmed(tx, r, *access)
	}
	return nil
}

// missed ends a request whose whole access went by unread, once two reads agree
// that there is none.
func (s *Service) missed(tx *store.Tx, r *pim.Request, access pim.Access) error {
	switch now := tx.Now(); {
	case access.Member && now.Sub(r.Copy.EndTime()) < lingers:
		r.Absent = time.Time{}
		return tx.PutRequest(*r)
	case access.Member: // by something else
	case r.Absent.IsZero():
		r.Absent = now
		return tx.PutRequest(*r)
	case now.Sub(r.Absent) < absenceApart:
		return nil
	}
	r.Why = "Its time is over, and Elevate never read the membership: PIM may have given the access while Elevate was not looking."
	if err := s.moveOn(tx, r, pim.Failed, r.Copy); err != nil {
		return err
	}
	return s.openReview(tx, r)
}

// stillThere writes what changed about a request that did not turn.
func (s *Service) stillThere(tx *store.Tx, r *pim.Request, old pim.Copy, now time.Time) error {
	e := pim.Event{Kind: pim.EventObserved, Chat: pim.System, From: r.State, Text: r.Copy.Status}
	if r.State == pim.Granting && !r.Late && now.Sub(r.Granting) > slowGrant {
		r.Late = true
		e.Kind = pim.EventLate
	} else if old.Status == r.Copy.Status && old.Digest() == r.Copy.Digest() {
		return nil
	}
	if err := s.record(tx, r, e); err != nil {
		return err
	}
	return s.turn(tx, r)
}

// noteElsewhere remembers that a decision did not come from here.
func (s *Service) noteElsewhere(r *pim.Request, to pim.State, now time.Time) {
	decided := r.State == pim.Pending && (to == pim.Granting || to == pim.Scheduled || to == pim.Denied)
	if !decided || r.Decided != nil {
		return
	}
	if c := r.Claim; c != nil && !c.Sent.IsZero() && c.Approve == (to != pim.Denied) {
		// Ours, its answer is still on the way.
		r.Decided = &pim.Decided{By: c.By, Approve: c.Approve, Reason: c.Reason, At: now, Chat: c.By.Account.Chat}
		return
	}
	r.Decided = &pim.Decided{Approve: to != pim.Denied, At: now, Chat: pim.Portal}
}

func (s *Service) moveOn(tx *store.Tx, r *pim.Request, to pim.State, c pim.Copy) error {
	if to == pim.Failed && r.Why == "" {
		r.Why = "PIM could not carry it out (" + c.Status + "). Ask again, and tell an administrator if it fails once more."
	}
	return s.moveTo(tx, r, to, pim.Event{Kind: pim.EventObserved, Chat: pim.System, Text: c.Status})
}

// confirmed writes that the membership was read back, and plans its end.
func (s *Service) confirmed(tx *store.Tx, r *pim.Request, access pim.Access) error {
	now := tx.Now()
	r.MemberSince = now
	r.Ends = r.Copy.EndTime()
	for _, i := range access.Instances {
		if i.Activated && !i.End.IsZero() && (r.Ends.IsZero() || sameSchedule(i, r.Copy)) {
			r.Ends = i.End
		}
	}
	if err := s.moveTo(tx, r, pim.Active, pim.Event{Kind: pim.EventConfirmed, Chat: pim.System}); err != nil {
		return err
	}
	if err := s.openReview(tx, r); err != nil {
		return err
	}
	if err := putEnding(tx, r); err != nil {
		return err
	}
	return tx.PutEffect(confirmEffect(r, r.Ends))
}

func sameSchedule(i pim.Instance, c pim.Copy) bool {
	return i.ScheduleID != "" && i.ScheduleID == c.ScheduleID
}

// watchAgain says when the group is polled next, or that nothing is left.
func (s *Service) watchAgain(g pim.GroupID) (result, error) {
	open, err := s.inTransition(g)
	if err != nil || len(open) == 0 {
		return result{}, err
	}
	now := s.cfg.Now()
	wait := time.Minute
	for i := range open {
		wait = min(wait, watchPace(&open[i], now))
	}
	return result{again: wait}, nil
}

// watchPace is how soon a request is worth another look.
func watchPace(r *pim.Request, now time.Time) time.Duration {
	switch {
	case r.State == pim.Granting && now.Sub(r.Granting) < slowGrant, r.Claim != nil, r.Decided != nil:
		return watchQuick
	case r.State == pim.Scheduled:
		return max(min(r.Copy.Start.Sub(now), time.Minute), watchQuick)
	}
	age := now.Sub(r.Submitted) / 30
	return min(max(age, watchQuick), watchSlow)
}
