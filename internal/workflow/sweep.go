package workflow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"elevate/internal/pim"
	"elevate/internal/store"
)

// From one sweep's begin to the next: what was decided elsewhere is told within a
// minute, and a hundred groups that are idle cost fourteen round trips in one.
const (
	sweepEvery  = 54500 * time.Millisecond
	sweepJitter = 3 * time.Second
)

// settled is how long after a grant PIM's lists may still lag.
const settled = 2 * time.Minute

// sweep keeps the governed groups true with the read-only identity: requests
// made elsewhere get a card, accesses that ended early are read back.
func (s *Service) sweep(ctx context.Context, _ store.Effect) (result, error) {
	began := s.cfg.Now()
	err := s.sweepUnlessHeld(ctx)
	if noted := s.noteSweep(err); noted != nil {
		return result{}, errors.Join(err, noted)
	}
	took := min(max(s.cfg.Now().Sub(began), 0), sweepEvery/2) // a clock may have been set
	return result{again: sweepEvery - took + jitter(sweepJitter)}, err
}

// held is until when Graph asked the sweep to wait, and how it said so.
type held struct {
	until time.Time
	by    *pim.Error
}

// sweepUnlessHeld asks PIM nothing while Graph wants it to wait, and comes again
// meanwhile all the same: what on-call and the cards say about that does not wait.
func (s *Service) sweepUnlessHeld(ctx context.Context) error {
	now := s.cfg.Now()
	if s.held.by != nil {
		if left := s.held.until.Sub(now); left > 0 && left <= s.held.by.RetryAfter { // a clock may have been set
			return errors.Join(s.expire(), heldFor(s.held.by, left))
		}
		s.held = held{}
	}
	err := s.sweepOnce(ctx)
	if err == nil {
		return nil
	}
	if said := pim.Explain(err); said.Kind == pim.Throttled && said.RetryAfter > sweepEvery {
		s.held = held{now.Add(said.RetryAfter), said}
		return heldFor(said, said.RetryAfter)
	}
	return err
}

// heldFor is Graph's answer with the next look at it, which is no call.
func heldFor(said *pim.Error, left time.Duration) error {
	wait := *said
	wait.RetryAfter = min(left, sweepEvery)
	return &wait
}

// sweepFailing is how long a sweep may fail before that is an event.
const sweepFailing = 5 * time.Minute

// failing remembers since when the sweep has failed.
type failing struct {
	since time.Time
	said  bool
}

// sweepAdvice is what on-call is told with it.
var sweepAdvice = map[bool]string{
	true:  " Cards may be out of date until it can be read again, and the end of an access stays PIM's. `elevate doctor` says what to mend.",
	false: " All cards are looked at now.",
}

// noteSweep writes once that the sweep has failed for too long, and once that
// it works again. Only the sweep's own lane calls it.
func (s *Service) noteSweep(failed error) error {
	now := s.cfg.Now()
	text := ""
	switch {
	case failed == nil && s.failing.said:
		text = "PIM is read again."
	case failed == nil:
		s.failing = failing{}
	case s.failing.since.IsZero():
		s.failing.since = now
	case !s.failing.said && now.Sub(s.failing.since) >= sweepFailing:
		text = "PIM could not be read for five minutes: " + pim.Explain(failed).Message
	}
	if text == "" {
		return nil
	}
	var since time.Time
	if failed != nil {
		if since = s.Swept(); since.IsZero() {
			since = s.failing.since
		}
	}
	// Before the cards are drawn anew, and again by the next sweep if that could not be written.
	s.unread.set(since)
	err := s.update(func(tx *store.Tx) error {
		if err := s.turnUnread(tx, since); err != nil {
			return err
		}
		seq, err := tx.Append(pim.Event{Kind: pim.EventSweepFailing, Chat: pim.System, Text: text})
		if err != nil {
			return err
		}
		return s.tellOnCall(tx, s.cfg.Roles, fmt.Sprintf("sweep|%d", seq), message{Text: text + sweepAdvice[failed != nil], Problem: failed != nil})
	})
	if err != nil {
		return err
	}
	if s.failing.said = failed != nil; !s.failing.said {
		s.failing = failing{}
	}
	return nil
}

func (s *Service) sweepOnce(ctx context.Context) error {
	if err := s.expire(); err != nil {
		return err // what runs out here does not wait for PIM
	}
	now := s.cfg.Now()
	q := s.sweepQuestion(ctx)
	answer, err := s.cfg.Directory.Look(ctx, q)
	if err != nil {
		return err
	}
	s.unread.saw(answer, now)
	if err := s.learn(ctx, answer); err != nil {
		s.cfg.Logger.Warn("policies_not_read", "error", err)
	}
	s.learnPeople(answer)
	if err := s.learnDeclared(answer); err != nil {
		return err
	}
	if err := s.meetPending(ctx, answer); err != nil {
		return err
	}
	un, err := s.meetActive(ctx, answer)
	if err != nil {
		return err
	}
	if err := s.missActive(answer); err != nil {
		return err
	}
	if err := s.watchGroups(answer, un); err != nil {
		return err
	}
	// One group that cannot be read may not keep everybody else in the dark.
	s.answered.Store(true)
	for _, failed := range answer.Failed {
		return failed
	}
	s.swept.Store(now.Unix())
	return nil
}

// sweepQuestion asks what is pending and active in all groups, and of some of them
// also for everything that is watched: those that were asked for longest ago, so
// that each comes within ten minutes and no sweep costs much more than another.
func (s *Service) sweepQuestion(ctx context.Context) pim.Question {
	var q pim.Question
	now := s.cfg.Now()
	whole := s.longestUnread(now)
	s.peoplesAsked = 0
	reviews, err := s.waitingReviews()
	if err != nil {
		s.cfg.Logger.Warn("reviews_not_read", "error", err)
	}
	for _, role := range s.cfg.Roles {
		s.askDeclared(ctx, &q, role, whole[role.Group], reviews)
		q.Pending = append(q.Pending, role.Group)
		q.Active = append(q.Active, role.Group)
		if whole[role.Group] {
			s.policyQuestion(&q, role.Group)
			s.lookedAt[role.Group] = now
			q.Members = append(q.Members, s.peoplesOf(ctx, role).all()...)
		}
		if whole[role.Group] || s.doubtful(role.Group) {
			q.Members, q.Owners, q.MayHave = append(q.Members, role.Group), append(q.Owners, role.Group), append(q.MayHave, role.Group)
		}
	}
	q.Members = append(q.Members, s.cfg.Readers...)
	return q
}

// sweepsForAll is in how many sweeps all groups are read as a whole.
const sweepsForAll = 10

// overdue is how old what is known of a group may be before it is read whosever turn it
// is, as after a standstill. It is used for policyUse.
const overdue = policyUse - 3*time.Minute

// longestUnread are the groups whose turn it is, and those whose rules or owners are not
// known.
func (s *Service) longestUnread(now time.Time) map[pim.GroupID]bool {
	turn := map[pim.GroupID]bool{}
	var groups []pim.GroupID
	for _, role := range s.cfg.Roles {
		if _, known := s.policies.get(role.Group, now, overdue); !known || s.owners.certainly(role.Group, "") == pim.NotKnown {
			turn[role.Group] = true
		}
		groups = append(groups, role.Group)
	}
	slices.SortStableFunc(groups, func(a, b pim.GroupID) int { return s.lookedAt[a].Compare(s.lookedAt[b]) })
	for _, g := range groups[:(len(groups)+sweepsForAll-1)/sweepsForAll] {
		turn[g] = true
	}
	return turn
}

// learnPeople keeps who may read everything and who owns the governed groups.
func (s *Service) learnPeople(a pim.Answer) {
	for _, g := range s.cfg.Readers {
		if people, read := a.Members[g]; read {
			s.readers.set(g, people)
		}
	}
	for g, people := range a.Owners {
		s.owners.set(g, people)
	}
}

// missActive has an access read back that PIM's list of instances does not
// hold any more.
func (s *Service) missActive(a pim.Answer) error {
	return s.update(func(tx *store.Tx) error {
		for g, instances := range a.Active {
			active, err := tx.OpenInGroup(g, pim.Active)
			if err != nil {
				return err
			}
			by := byPrincipal(instances)
			for _, r := range active {
				if since := tx.Now().Sub(r.MemberSince); since >= 0 && since < settled { // a clock may have gone back
					continue
				}
				if mine, _ := instancesOf(r, pim.Access{Instances: by[r.Principal]}, tx.Now()); mine != nil {
					continue
				}
				if err := readBackNow(tx, &r); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// readBackNow has an access read back that ended early. One whose end has come or
// was seen is being read back already: a read between the two that count would
// only cost a call.
func readBackNow(tx *store.Tx, r *pim.Request) error {
	e := confirmEffect(r, tx.Now())
	if !r.Gone.IsZero() || !r.Ends.IsZero() && !tx.Now().Before(r.Ends) {
		if _, there, err := tx.Effect(e.Key); err != nil || there {
			return err
		}
	}
	return tx.PutEffect(e)
}

func byPrincipal(instances []pim.Instance) map[pim.PrincipalID][]pim.Instance {
	by := map[pim.PrincipalID][]pim.Instance{}
	for _, i := range instances {
		by[i.Principal] = append(by[i.Principal], i)
	}
	return by
}

// expireMost bounds how much that has run out is removed at a time.
const expireMost = 1000

func (s *Service) expire() error {
	return s.update(func(tx *store.Tx) error {
		_, err := tx.Expire(expireMost)
		return err
	})
}
