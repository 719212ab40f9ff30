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

// stepLife is how long after the click a submission or decision may still be
// sent: later the person is asked again.
const stepLife = 10 * time.Minute

// decide sends a decision to PIM. What it rests on is read at that moment, in
// one round trip: PIM's copy, the policy, and both people.
func (s *Service) decide(ctx context.Context, e store.Effect) (result, error) {
	d, err := dataOf[decision](e)
	if err != nil {
		return result{}, err
	}
	r, who, err := s.actorOf(e)
	if err != nil {
		return result{}, err
	}
	if why := s.overBeforeSent(&r, e, d); why != nil {
		sent, err := s.everSent(e)
		switch {
		case err != nil:
			return result{}, err
		case !sent:
			return s.notDecided(e, d, why) // PIM was never asked, so there is nothing to look for
		}
		return s.lookWhose(ctx, e, r, d, why)
	}
	role, err := s.roleOf(&r)
	if err != nil {
		return s.notDecided(e, d, err)
	}
	if who.session == nil || who.actor.Person != e.As.Person || s.lacks(who.session, role, d.Since, s.cfg.Now()) != nil {
		return s.decideNeedsSignIn(e, r, d, nil)
	}
	return s.decideNow(ctx, e, r, who, d)
}

// everSent reports whether a decision of this person's may have reached PIM: this
// one, or one whose lease ended before its answer came.
func (s *Service) everSent(e store.Effect) (sent bool, err error) {
	err = s.cfg.Store.View(func(tx *store.Tx) error {
		events, err := tx.EventsOf(e.Request)
		sent = slices.ContainsFunc(events, func(v pim.Event) bool {
			return v.Kind == pim.EventSent && v.By.Person == e.As.Person && (v.Text == verbApprove || v.Text == verbDeny)
		})
		return err
	})
	return sent, err
}

// overBeforeSent says why a decision is not to be sent any more, or nil. PIM
// may have it all the same, from a sending whose answer got lost.
func (s *Service) overBeforeSent(r *pim.Request, e store.Effect, d decision) error {
	now := s.cfg.Now()
	claimed := r.Claimed(now)
	mine := claimed != nil && claimed.By.Person == e.As.Person
	leaseOver := r.Claim != nil && r.Claim.By.Person == e.As.Person && claimed == nil
	switch {
	case r.State != pim.Pending || r.Decided != nil:
		return pim.Errorf(pim.Conflict, "Request %s is not waiting for a decision any more: it is %s.", r.ID, r.State.Phrase())
	case now.Sub(d.Clicked) > stepLife:
		return pim.Errorf(pim.Unavailable, "Your decision on request %s could not be sent to PIM within ten minutes and was dropped. Decide again.", r.ID)
	case leaseOver || d.Leased && !mine:
		return pim.Errorf(pim.Unavailable, "PIM did not answer your decision on request %s within two minutes. Look at the card and decide again if it is still open.", r.ID)
	}
	return nil
}

// decideNow reads what the decision rests on, judges once more, and sends.
func (s *Service) decideNow(ctx context.Context, e store.Effect, r pim.Request, who identity, d decision) (result, error) {
	err := s.readBeforeDecision(ctx, &r, who, d)
	if err == nil && pim.StateOf(r.Copy, s.cfg.Now()) != pim.Pending {
		return s.lookWhose(ctx, e, r, d, decidedByOther(r.ID))
	}
	if err == nil {
		err = s.markSent(e, r.ID, d)
	}
	switch {
	case triedAgain(err):
		return result{}, err
	case pim.IsKind(err, pim.SignIn):
		return s.decideNeedsSignIn(e, r, d, pim.Explain(err))
	case err != nil:
		return s.notDecided(e, d, err)
	}
	_, err = s.cfg.Directory.Decide(ctx, e.As, pim.Ruling{ApprovalID: approvalOf(r.Copy), Approve: d.Approve, Justification: reasonFor(d, who.actor)})
	return s.decisionSent(ctx, e, r, d, err)
}

func approvalOf(c pim.Copy) string {
	if c.ApprovalID != "" {
		return c.ApprovalID
	}
	return c.ID
}

// reasonFor returns the reason for PIM, which always gets one.
func reasonFor(d decision, by pim.Actor) string {
	if d.Reason != "" {
		return d.Reason
	}
	word := "Denied"
	if d.Approve {
		word = "Approved"
	}
	return fmt.Sprintf("%s in %s by %s", word, by.Account.Chat.Title(), by.Name)
}

// readBeforeDecision asks PIM for its copy, the approvers and the two people,
// and puts the fresh copy into r.
func (s *Service) readBeforeDecision(ctx context.Context, r *pim.Request, who identity, d decision) error {
	if m, ok := s.cfg.Messengers[who.actor.Account.Chat]; ok {
		if err := m.Account(ctx, who.actor.Account); err != nil {
			return s.refusedAccount(ctx, who, err)
		}
	}
	mine, theirs, err := s.bothPeople(r, who)
	if err != nil {
		return err
	}
	q := pim.Question{Requests: []string{r.Copy.ID}, Profiles: slices.Concat(mine, theirs)}
	s.policyQuestion(&q, r.Group)
	answer, err := s.cfg.Directory.Look(ctx, q)
	if err != nil {
		return err
	}
	if err := s.learn(ctx, answer); err != nil {
		s.cfg.Logger.Warn("policy_not_read", "group", r.Group, "error", err) // PIM's assignedToMe decides
	}
	fresh, ok := answer.Requests[r.Copy.ID]
	if !ok || !all(answer.Profiles, q.Profiles) {
		return errors.Join(append(answer.Failed, pim.Errorf(pim.Unavailable, "PIM could not be read before the decision."))...)
	}
	r.Copy = fresh
	if pim.StateOf(fresh, s.cfg.Now()) != pim.Pending {
		return nil
	}
	if err := s.judge(r, who, sameAttribute(mine, theirs, answer.Profiles), answer.Profiles, d); err != nil {
		return s.refusedAccount(ctx, who, err)
	}
	return s.assignedTo(ctx, r, who.actor)
}

// refusedAccount ends the link of an account that is gone, where that is why a
// decision is refused, and returns the reason.
func (s *Service) refusedAccount(ctx context.Context, who identity, why error) error {
	if !pim.IsKind(why, pim.Forbidden) {
		return why
	}
	if err := s.AccountChanged(ctx, who.actor.Account); err != nil {
		s.cfg.Logger.Warn("link_not_checked", "account", who.actor.Account.String(), "error", err)
	}
	return why
}

// assignedTo asks PIM whether the person may decide, where the policy cannot
// be read: nobody else's click becomes a claim.
func (s *Service) assignedTo(ctx context.Context, r *pim.Request, by pim.Actor) error {
	if s.policies.approver(r.Group, s.cfg.Now(), by.Person) != pim.NotKnown {
		return nil
	}
	stage, err := s.cfg.Directory.Assigned(ctx, by, approvalOf(r.Copy))
	if err == nil && !stage.AssignedToMe {
		err = pim.Errorf(pim.Forbidden, "PIM does not name you as an approver of request %s, so you cannot decide it.", r.ID)
	}
	return err
}

// all reports whether every profile was read: an attribute that was not read
// would pass for one that differs.
func all(read map[pim.PrincipalID]pim.Profile, ids []pim.PrincipalID) bool {
	return !slices.ContainsFunc(ids, func(id pim.PrincipalID) bool { _, ok := read[id]; return !ok })
}

// bothPeople are all accounts that are known to be the decider's, and all that
// are known to be the requester's: who becomes a member, who asked, who PIM says
// created it, and whoever was ever seen together with one of them.
func (s *Service) bothPeople(r *pim.Request, who identity) (mine, theirs []pim.PrincipalID, err error) {
	err = s.cfg.Store.View(func(tx *store.Tx) error {
		var err error
		if mine, err = allIDs(tx, who.ids()...); err != nil {
			return err
		}
		theirs, err = allIDs(tx, r.Principal, r.Requester.Person, r.Copy.Principal, r.Copy.CreatedBy)
		return err
	})
	return mine, theirs, err
}

// sameAttribute compares the attribute that is named in people.same_person, of
// each account of the one and of the other.
func sameAttribute(mine, theirs []pim.PrincipalID, read map[pim.PrincipalID]pim.Profile) bool {
	return slices.ContainsFunc(mine, func(one pim.PrincipalID) bool {
		value := read[one].SamePerson
		return value != "" && slices.ContainsFunc(theirs, func(other pim.PrincipalID) bool { return read[other].SamePerson == value })
	})
}

// judge runs the one rule again, now with everything known.
func (s *Service) judge(r *pim.Request, who identity, sameAttribute bool, read map[pim.PrincipalID]pim.Profile, d decision) error {
	// A link is worth what its own account is, whichever of the person's acts.
	if id := who.link.Person; id != "" {
		if err := read[id].MayAct(); err != nil {
			return err
		}
	}
	if d.Approve && read[r.Principal].MayAct() != nil {
		return pim.Errorf(pim.Forbidden, "The requester's account in Microsoft Entra is gone, disabled or a guest's, so request %s cannot be approved.", r.ID)
	}
	return s.cfg.Store.View(func(tx *store.Tx) error {
		same, err := samePerson(tx, r, who)
		if err != nil {
			return err
		}
		now := s.cfg.Now()
		return pim.MayDecide(r, pim.Decider{
			Actor: who.actor, Profile: read[who.actor.Person], SamePerson: same || sameAttribute,
			Approver: s.policies.approver(r.Group, now, who.actor.Person), Digest: d.Digest,
		}, now)
	})
}

// decisionSent deals with PIM's answer to a decision.
func (s *Service) decisionSent(ctx context.Context, e store.Effect, r pim.Request, d decision, err error) (result, error) {
	if err == nil {
		return result{apply: func(tx *store.Tx) error { return s.noteDecided(tx, r.ID, e.As, d) }}, nil
	}
	switch said := pim.Explain(err); {
	case said.Kind == pim.Throttled || said.Kind == pim.Unavailable:
		return result{}, s.decisionNotDone(e, err) // a definite "not done"
	case triedAgain(err):
		return result{}, err
	case said.Kind == pim.SignIn:
		return s.decideNeedsSignIn(e, r, d, said)
	case said.Kind == pim.Conflict:
		return s.lookWhose(ctx, e, r, d, decidedByOther(r.ID))
	}
	return s.notDecided(e, d, err)
}

// decisionNotDone notes that PIM did not take the call: should PIM turn before
// the next one, that is somebody else's doing.
func (s *Service) decisionNotDone(e store.Effect, why error) error {
	err := s.update(func(tx *store.Tx) error {
		r, err := tx.Request(e.Request)
		if err != nil || r.Claim == nil || r.Claim.By.Person != e.As.Person {
			return err
		}
		r.Claim.Sent = time.Time{}
		return tx.PutRequest(r)
	})
	if err != nil {
		return err
	}
	return why
}

// triedAgain reports whether a call that failed so is worth another one.
func triedAgain(err error) bool {
	if err == nil {
		return false
	}
	switch pim.Explain(err).Kind { //nolint:exhaustive // all others are answers
	case pim.Throttled, pim.Unavailable, pim.AnswerLost, pim.Internal:
		return true // a fault of our own too: it happened before or after the call, and nobody knows
	}
	return false
}

func decidedByOther(id pim.RequestID) error {
	return pim.Errorf(pim.Conflict, "Request %s was decided by somebody else a moment earlier. The card shows what became of it.", id)
}

// noteDecided writes that PIM took the decision. The state turns when PIM's
// copy does.
func (s *Service) noteDecided(tx *store.Tx, id pim.RequestID, by pim.Actor, d decision) error {
	r, err := tx.Request(id)
	if err != nil {
		return err
	}
	r.Claim = nil
	r.Decided = &pim.Decided{By: by, Approve: d.Approve, Reason: d.Reason, At: tx.Now(), Chat: by.Account.Chat}
	if err := s.record(tx, &r, pim.Event{Kind: pim.EventDecided, By: by, Text: d.verb() + ": " + d.Reason}); err != nil {
		return err
	}
	if err := s.sessionUsed(tx, by); err != nil {
		return err
	}
	if err := tx.PutEffect(watchEffect(r.Group)); err != nil {
		return err
	}
	return s.turn(tx, &r)
}

// notDecided ends a decision that did not reach PIM or was refused: the card
// opens again and the person is told.
func (s *Service) notDecided(e store.Effect, d decision, why error) (result, error) {
	text := fmt.Sprintf("Your decision to %s was not taken. %s", d.verb(), pim.Explain(why).Message)
	return result{apply: func(tx *store.Tx) error {
		r, err := tx.Request(e.Request)
		if err != nil {
			return err
		}
		if err := s.dropClaim(tx, &r, e.As, text); err != nil {
			return err
		}
		if err := s.sessionUsed(tx, e.As); err != nil {
			return err
		}
		return s.putTell(tx, "decide|"+string(r.ID), r.ID, pim.DirectTo(e.As.Account), message{Text: text, Problem: true})
	}}, nil
}

// decideNeedsSignIn turns a claim into an intent again. The challenge is PIM's; nil where there is only no session that
// is good enough.
func (s *Service) decideNeedsSignIn(e store.Effect, r pim.Request, d decision, challenge *pim.Error) (result, error) {
	role, _ := s.cfg.Roles.Named(r.Role)
	claims := withContext("", role.DecideContext)
	if challenge != nil {
		if claims = withContext(challenge.Claims, role.DecideContext); d.met(claims) {
			return s.notDecided(e, d, stillChallenged(challenge))
		}
	}
	return result{apply: func(tx *store.Tx) error {
		fresh, err := tx.Request(r.ID)
		if err != nil {
			return err
		}
		if err := s.dropClaim(tx, &fresh, e.As, "a new sign-in is needed"); err != nil {
			return err
		}
		who, err := s.identify(tx, e.As.Account, "")
		if err != nil || !slices.Contains(who.ids(), e.As.Person) {
			return err // unlinked meanwhile: the account is not told what the request was about
		}
		return s.askToSignIn(tx, e.As, &fresh, store.Intent{
			Request: r.ID, Verb: d.verb(), Reason: d.Reason, Digest: d.Digest, Clicked: d.Since, Claims: claims, Challenged: challenge != nil,
		})
	}}, nil
}
