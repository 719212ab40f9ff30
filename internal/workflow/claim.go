package workflow

import (
	"time"

	"elevate/internal/pim"
	"elevate/internal/store"
)

// claimLease is how long a claim holds without PIM's answer.
const claimLease = 2 * time.Minute

// claim makes the decision part of the request, if the policy is known to name
// the person; else the effect finds out first and claims then.
func (s *Service) claim(tx *store.Tx, r *pim.Request, who identity, d ruling, out *ruled) error {
	now := tx.Now()
	sent := decision{
		Approve: d.approve, Reason: d.reason, Digest: orDigest(d.digest, *r), Clicked: d.clicked, Since: d.signedInSince(), Chat: who.actor.Account.Chat,
		Challenge: d.challenge,
	}
	if held := r.Claimed(now); held != nil && held.By.Person == who.actor.Person {
		out.request = *r
		return secondClick(r, held, d)
	}
	if sent.Leased = s.policies.approver(r.Group, now, who.actor.Person) == pim.Yes; sent.Leased {
		if err := s.putClaim(tx, r, who.actor, sent); err != nil {
			return err
		}
	}
	out.request = *r
	return s.putPersonEffect(tx, kindDecide, r, who.actor, sent)
}

// secondClick lets the first click of the same person stand.
func secondClick(r *pim.Request, held *pim.Claim, d ruling) error {
	if held.Approve == d.approve {
		return nil
	}
	return pim.Errorf(pim.Conflict, "Your decision to %s request %s is on its way to PIM already, and PIM takes only one.", ruling{approve: held.Approve}.verb(), r.ID)
}

func (s *Service) putClaim(tx *store.Tx, r *pim.Request, by pim.Actor, d decision) error {
	now := tx.Now()
	r.Claim = &pim.Claim{By: by, Approve: d.Approve, Reason: d.Reason, Digest: d.Digest, Clicked: d.Clicked, Until: now.Add(claimLease)}
	if err := s.record(tx, r, pim.Event{Kind: pim.EventClaimed, By: by, Text: d.verb() + ": " + d.Reason}); err != nil {
		return err
	}
	if err := tx.PutEffect(watchEffect(r.Group)); err != nil {
		return err
	}
	return s.turn(tx, r)
}

// markSent claims the request for the decision, if that did not happen at the
// click, and notes that it is being sent.
func (s *Service) markSent(e store.Effect, id pim.RequestID, d decision) error {
	return s.update(func(tx *store.Tx) error {
		r, err := tx.Request(id)
		if err != nil {
			return err
		}
		if r.State != pim.Pending {
			return pim.Errorf(pim.Conflict, "Request %s is not waiting for a decision any more.", id)
		}
		if held := r.Claimed(tx.Now()); held != nil && held.By.Person != e.As.Person {
			return pim.Errorf(pim.Conflict, "%s is deciding request %s at this moment.", orName(held.By.Name), id)
		}
		if r.Claim == nil || r.Claim.By.Person != e.As.Person {
			if err := s.putClaim(tx, &r, e.As, d); err != nil {
				return err
			}
		}
		r.Claim.Sent = tx.Now()
		return s.record(tx, &r, pim.Event{Kind: pim.EventSent, By: e.As, Text: d.verb()})
	})
}

// dropClaim reopens a request for everybody.
func (s *Service) dropClaim(tx *store.Tx, r *pim.Request, by pim.Actor, why string) error {
	if r.Claim == nil || r.Claim.By.Person != by.Person {
		return nil
	}
	r.Claim = nil
	if err := s.record(tx, r, pim.Event{Kind: pim.EventUnclaimed, By: by, Text: why}); err != nil {
		return err
	}
	return s.turn(tx, r)
}

// endLeases reopens the requests whose claim has had no answer for too long.
func (s *Service) endLeases(open []pim.Request) error {
	now := s.cfg.Now()
	over := func(r *pim.Request) bool { return r.Claim != nil && r.Claimed(now) == nil }
	for i := range open {
		if !over(&open[i]) {
			continue
		}
		err := s.update(func(tx *store.Tx) error {
			fresh, err := tx.Request(open[i].ID)
			if err != nil || !over(&fresh) {
				return err
			}
			return s.dropClaim(tx, &fresh, fresh.Claim.By, "PIM did not answer within two minutes.")
		})
		if err != nil {
			return err
		}
		open[i].Claim = nil
	}
	return nil
}
