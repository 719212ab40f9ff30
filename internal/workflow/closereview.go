package workflow

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"elevate/internal/pim"
	"elevate/internal/store"
)

// checkReview closes a review. Nobody checks after Elevate, so what it rests on is read at that
// moment, in one round trip: who the reviewers are, and all accounts of both people.
func (s *Service) checkReview(ctx context.Context, e store.Effect) (result, error) {
	n, err := dataOf[reviewNote](e)
	if err != nil {
		return result{}, err
	}
	r, who, err := s.actorOf(e)
	if err != nil {
		return result{}, err
	}
	err = s.mayCloseReview(ctx, &r, who, e.As)
	if triedAgain(err) {
		if s.cfg.Now().Sub(n.Clicked) <= stepLife {
			return result{}, err
		}
		err = pim.Errorf(pim.Unavailable, "Microsoft Entra could not be read within ten minutes, so nobody knows whether you are one of the reviewers. Review it again.")
	}
	if err != nil {
		return s.notReviewed(e, err), nil
	}
	return result{apply: func(tx *store.Tx) error { return s.closeReview(tx, e, n) }}, nil
}

// mayCloseReview runs the one rule again, now with everything known.
func (s *Service) mayCloseReview(ctx context.Context, r *pim.Request, who identity, as pim.Actor) error {
	role, err := s.reviewedRole(r)
	switch {
	case !slices.Contains(who.ids(), as.Person):
		return errNotLinked
	case err != nil:
		return err
	}
	if m, ok := s.cfg.Messengers[who.actor.Account.Chat]; ok {
		if err := m.Account(ctx, who.actor.Account); err != nil {
			return s.refusedAccount(ctx, who, err)
		}
	}
	mine, theirs, err := s.bothPeople(r, who)
	if err != nil {
		return err
	}
	q := pim.Question{Members: role.Reviewers, Profiles: slices.Concat(mine, theirs)}
	answer, err := s.cfg.Directory.Look(ctx, q)
	if err != nil {
		return err
	}
	if !allRead(answer, q) {
		return errors.Join(append(answer.Failed, pim.Errorf(pim.Unavailable, "The reviewers could not be read in Microsoft Entra."))...)
	}
	if id := who.link.Person; id != "" { // a link is worth what its own account is
		if err := answer.Profiles[id].MayAct(); err != nil {
			return s.refusedAccount(ctx, who, err)
		}
	}
	profile, member := amongReviewers(answer, role.Reviewers, who)
	return s.cfg.Store.View(func(tx *store.Tx) error {
		same, err := samePerson(tx, r, who)
		if err != nil {
			return err
		}
		return pim.MayReview(r, pim.Reviewer{
			Actor: who.actor, Profile: profile, Member: member, SamePerson: same || sameAttribute(mine, theirs, answer.Profiles),
		})
	})
}

// allRead reports whether every group and every profile was read.
func allRead(a pim.Answer, q pim.Question) bool {
	unread := func(g pim.GroupID) bool { _, read := a.Members[g]; return !read }
	return len(a.Failed) == 0 && all(a.Profiles, q.Profiles) && !slices.ContainsFunc(q.Members, unread)
}

// amongReviewers finds the account of somebody's that is in one of the groups.
func amongReviewers(a pim.Answer, groups []pim.GroupID, who identity) (pim.Profile, pim.Certainty) {
	for _, g := range groups {
		for _, p := range a.Members[g] {
			if slices.Contains(who.ids(), p.ID) {
				return a.Profiles[p.ID], pim.Yes
			}
		}
	}
	return a.Profiles[who.actor.Person], pim.No
}

// mayStillClose says why a reviewer cannot close a review any more, by what turned in
// the state file while the directory was read, or nil.
func (s *Service) mayStillClose(tx *store.Tx, r *pim.Request, as pim.Actor) (why, err error) {
	who, err := s.identify(tx, as.Account, as.Name)
	if err != nil {
		return nil, err
	}
	same, err := samePerson(tx, r, who)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(who.ids(), as.Person) {
		return errNotLinked, nil
	}
	return pim.MayReview(r, pim.Reviewer{Actor: as, SamePerson: same, Member: pim.Yes}), nil
}

// errNotLinked is why a step is over whose chat account was unlinked meanwhile.
var errNotLinked = pim.Errorf(pim.Forbidden, "This chat account is not linked to you any more.")

// closeReview writes what was found. The first counts.
func (s *Service) closeReview(tx *store.Tx, e store.Effect, n reviewNote) error {
	r, err := tx.Request(e.Request)
	if err != nil {
		return err
	}
	if why, err := s.mayStillClose(tx, &r, e.As); err != nil {
		return err
	} else if why != nil {
		return s.tellNotReviewed(tx, &r, e, why)
	}
	r.Review.By, r.Review.Note, r.Review.Closed = e.As, n.Note, tx.Now()
	var ids []pim.RequestID
	if _, err := tx.Meta(reviewsKept, &ids); err != nil {
		return err
	}
	if err := tx.PutMeta(reviewsKept, slices.DeleteFunc(ids, func(id pim.RequestID) bool { return id == r.ID })); err != nil {
		return err
	}
	if err := s.record(tx, &r, pim.Event{Kind: pim.EventReviewed, By: e.As, From: r.State, Text: n.Note}); err != nil {
		return err
	}
	if !r.Requester.Account.IsZero() {
		if err := s.putTell(tx, "reviewed|"+string(r.ID), r.ID, pim.DirectTo(r.Requester.Account), message{Reviewed: true}); err != nil {
			return err
		}
	}
	text := fmt.Sprintf("Request %s is reviewed, with your note. Its cards show it.", r.ID)
	if err := s.putTell(tx, "review|"+string(r.ID), r.ID, pim.DirectTo(e.As.Account), message{Text: text}); err != nil {
		return err
	}
	if err := s.sessionUsed(tx, e.As); err != nil {
		return err
	}
	return s.turn(tx, &r)
}

// notReviewed ends a step that was refused: the review stays as it is, the trail
// says who tried, and the person is told why.
func (s *Service) notReviewed(e store.Effect, why error) result {
	return result{apply: func(tx *store.Tx) error {
		r, err := tx.Request(e.Request)
		if err != nil {
			return err
		}
		return s.tellNotReviewed(tx, &r, e, why)
	}}
}

func (s *Service) tellNotReviewed(tx *store.Tx, r *pim.Request, e store.Effect, why error) error {
	said := pim.Explain(why).Message
	if err := s.record(tx, r, pim.Event{Kind: pim.EventRefused, By: e.As, Text: verbReview + ": " + said}); err != nil {
		return err
	}
	if err := s.sessionUsed(tx, e.As); err != nil {
		return err
	}
	text := fmt.Sprintf("Your review of request %s was not taken. %s", r.ID, said)
	return s.putTell(tx, "review|"+string(r.ID), r.ID, pim.DirectTo(e.As.Account), message{Text: text, Problem: true})
}
