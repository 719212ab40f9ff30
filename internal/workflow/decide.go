package workflow

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
)

// claimLease is how long a claim holds without PIM's answer.
const claimLease = 2 * time.Minute

// stepLife is how long after the click a submission or decision may still be
// sent: later the person is asked again.
const stepLife = 10 * time.Minute

// ruling is a decision as it comes in, by whatever door.
type ruling struct {
	request pim.RequestID
	approve bool
	reason  string
	digest  string // of the facts the person saw; "" for a typed command
	clicked time.Time
	claims  string
}

func (d ruling) verb() string {
	if d.approve {
		return verbApprove
	}
	return verbDeny
}

// checkReason wants a reason for a denial. An approval may have none: PIM gets
// a sentence of Elevate's then.
func (d ruling) checkReason() error {
	switch {
	case d.reason != "":
		return pim.CheckReason(d.reason)
	case d.approve:
		return nil
	}
	return pim.Errorf(pim.Invalid, "Say why you deny it: the requester and PIM get the reason.")
}

// ruled is what came of a decision, enough to draw the answer.
type ruled struct {
	request pim.Request
	url     string
}

// ruleOn is the one door for a decision: button, form, command and resumed
// sign-in all come through here. Without a session that is fresh enough it
// becomes an intent, else a claim with its effect.
func (s *Service) ruleOn(from Sender, d ruling) (ruled, error) {
	var out ruled
	err := s.update(func(tx *store.Tx) error {
		r, err := tx.Request(d.request)
		if err != nil {
			return err
		}
		out = ruled{request: r}
		if first, again, err := s.seen(tx, from); err != nil || (again && first.ID == r.ID) {
			return errors.Join(err, s.linkAgain(tx, from, &r, &out.url))
		}
		who, err := s.identify(tx, from.Account, from.Name)
		if err != nil {
			return err
		}
		if who.actor.Person != "" {
			if err := s.checkRuling(tx, &r, who, d); err != nil {
				return err
			}
		} else if r.Requester.Account == from.Account {
			return pim.Errorf(pim.Forbidden, "You cannot decide your own request. Another approver has to.")
		}
		if err := remember(tx, from, r.ID); err != nil {
			return err
		}
		role, _ := s.cfg.Roles.Named(r.Role)
		if !s.mayDecideWith(who.session, role, d.clicked, tx.Now()) {
			return s.intendRuling(tx, from, d, &out)
		}
		return s.claim(tx, &r, who, d, &out)
	})
	return out, err
}

// checkRuling runs the one rule of who may decide, with what is known here.
func (s *Service) checkRuling(tx *store.Tx, r *pim.Request, who identity, d ruling) error {
	same, err := samePerson(tx, r, who)
	if err != nil {
		return err
	}
	now := tx.Now()
	certainty := s.policies.approver(r.Group, now, who.ids()...)
	if who.session != nil {
		certainty = s.policies.approver(r.Group, now, who.actor.Person)
	}
	return pim.MayDecide(r, pim.Decider{Actor: who.actor, SamePerson: same, Approver: certainty, Digest: d.digest}, now)
}

func (s *Service) intendRuling(tx *store.Tx, from Sender, d ruling, out *ruled) error {
	in := store.Intent{
		Request: d.request, Verb: d.verb(), Reason: d.reason, Digest: orDigest(d.digest, out.request), Clicked: d.clicked, Claims: d.claims,
	}
	id, err := s.intend(tx, from, in)
	if err != nil {
		return err
	}
	out.url, err = s.signInLink(tx, from, id, d.claims)
	return err
}

// orDigest pins a typed decision to the facts as they are when it was typed.
func orDigest(digest string, r pim.Request) string {
	if digest != "" {
		return digest
	}
	return r.Digest()
}

// claim makes the decision part of the request, if the policy is known to name
// the person; else the effect finds out first and claims then.
func (s *Service) claim(tx *store.Tx, r *pim.Request, who identity, d ruling, out *ruled) error {
	now := tx.Now()
	sent := decision{Approve: d.approve, Reason: d.reason, Digest: orDigest(d.digest, *r), Clicked: d.clicked, Chat: who.actor.Account.Chat}
	if held := r.Claimed(now); held != nil && held.By.Person == who.actor.Person {
		out.request = *r
		return secondClick(r, held, d)
	}
	if s.policies.approver(r.Group, now, who.actor.Person) == pim.Yes {
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

func (d decision) verb() string { return ruling{approve: d.Approve}.verb() }

// resumeDecision decides after the sign-in by the same door. If the facts have
// changed since, it asks again.
func (s *Service) resumeDecision(from Sender, in store.Intent) (string, error) {
	if err := s.update(func(tx *store.Tx) error { return tx.DeleteIntent(in.ID) }); err != nil {
		return "", err
	}
	d := ruling{request: in.Request, approve: in.Verb == verbApprove, reason: in.Reason, digest: in.Digest, clicked: in.Clicked}
	out, err := s.ruleOn(from, d)
	if err != nil {
		return "", err
	}
	if out.url != "" {
		return "", pim.Errorf(pim.SignIn, "This sign-in was not new enough to decide with. Decide again in the chat and sign in with your password when you are asked to.")
	}
	return fmt.Sprintf("Your decision to %s request %s is on its way to PIM. You can close this page; the card in the chat shows the rest.", in.Verb, in.Request), nil
}

// answerRuled draws what the person sees at once.
func (s *Service) answerRuled(out ruled, d ruling) Reply {
	if out.url != "" {
		what := fmt.Sprintf("%s %s's request %s", d.verb(), orName(out.request.Requester.Name), out.request.ID)
		return reply(card.SignInNeeded(what, out.url))
	}
	role, _ := s.cfg.Roles.Named(out.request.Role)
	return reply(card.Deciding(out.request, role, d.approve))
}

func orName(name string) string {
	if name == "" {
		return "somebody"
	}
	return name
}

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
	mine := r.Claim != nil && r.Claim.By.Person == e.As.Person
	switch {
	case r.Decided != nil && r.Decided.By.Person == e.As.Person:
		return s.verifyMine(ctx, e, r, d)
	case r.State != pim.Pending || r.Decided != nil:
		return s.notDecided(e, d, pim.Errorf(pim.Conflict, "Request %s is not waiting for a decision any more: it is %s.", r.ID, r.State.Phrase()))
	case s.cfg.Now().Sub(d.Clicked) > stepLife:
		return s.notDecided(e, d, pim.Errorf(pim.Unavailable, "Your decision on request %s could not be sent to PIM within ten minutes and was dropped. Decide again.", r.ID))
	case mine && r.Claimed(s.cfg.Now()) == nil:
		return s.notDecided(e, d, pim.Errorf(pim.Unavailable, "PIM did not answer your decision on request %s within two minutes. Look at the card and decide again if it is still open.", r.ID))
	}
	role, _ := s.cfg.Roles.Named(r.Role)
	if who.session == nil || who.actor.Person != e.As.Person || !s.mayDecideWith(who.session, role, d.Clicked, s.cfg.Now()) {
		return s.decideNeedsSignIn(e, r, d, "")
	}
	return s.decideNow(ctx, e, r, who, d)
}

// decideNow reads what the decision rests on, judges once more, and sends.
func (s *Service) decideNow(ctx context.Context, e store.Effect, r pim.Request, who identity, d decision) (result, error) {
	err := s.readBeforeDecision(ctx, &r, who, d)
	switch kind := pim.Explain(err).Kind; {
	case err == nil:
	case kind == pim.Unavailable || kind == pim.Throttled || kind == pim.AnswerLost || kind == pim.Internal:
		return result{}, err
	default:
		return s.notDecided(e, d, err)
	}
	if settled := pim.StateOf(r.Copy, s.cfg.Now()); settled != pim.Pending {
		return s.decidedMeanwhile(ctx, e, r, d)
	}
	if err := s.markSent(e, r.ID, d); err != nil {
		return result{}, err
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
			return err
		}
	}
	q := pim.Question{Requests: []string{r.Copy.ID}, Profiles: []pim.PrincipalID{who.actor.Person, r.Principal}}
	s.policyQuestion(&q, r.Group)
	answer, err := s.cfg.Directory.Look(ctx, q)
	if err != nil {
		return err
	}
	if err := s.learn(ctx, answer); err != nil {
		return err
	}
	fresh, ok := answer.Requests[r.Copy.ID]
	profile, known := answer.Profiles[who.actor.Person]
	if !ok || !known {
		return errors.Join(append(answer.Failed, pim.Errorf(pim.Unavailable, "PIM could not be read before the decision."))...)
	}
	r.Copy = fresh
	if pim.StateOf(fresh, s.cfg.Now()) != pim.Pending {
		return nil
	}
	return s.judge(r, who, profile, sameAttribute(profile, answer.Profiles[r.Principal]), d)
}

// sameAttribute compares the attribute that is named in people.same_person.
func sameAttribute(a, b pim.Profile) bool {
	return a.SamePerson != "" && a.SamePerson == b.SamePerson
}

// judge runs the one rule again, now with everything known.
func (s *Service) judge(r *pim.Request, who identity, profile pim.Profile, sameAttribute bool, d decision) error {
	return s.cfg.Store.View(func(tx *store.Tx) error {
		same, err := samePerson(tx, r, who)
		if err != nil {
			return err
		}
		now := s.cfg.Now()
		return pim.MayDecide(r, pim.Decider{
			Actor: who.actor, Profile: profile, SamePerson: same || sameAttribute,
			Approver: s.policies.approver(r.Group, now, who.actor.Person), Digest: d.Digest,
		}, now)
	})
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
			return pim.Errorf(pim.Conflict, "%s is deciding request %s at this moment.", held.By.Name, id)
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

// decisionSent deals with PIM's answer to a decision.
func (s *Service) decisionSent(ctx context.Context, e store.Effect, r pim.Request, d decision, err error) (result, error) {
	if err == nil {
		return result{apply: func(tx *store.Tx) error { return s.noteDecided(tx, r.ID, e.As, d) }}, nil
	}
	said := pim.Explain(err)
	switch said.Kind {
	case pim.Throttled, pim.Unavailable, pim.AnswerLost, pim.Internal:
		return result{}, err
	case pim.SignIn:
		return s.decideNeedsSignIn(e, r, d, said.Claims)
	case pim.Conflict:
		return s.decidedMeanwhile(ctx, e, r, d)
	case pim.Invalid, pim.Forbidden, pim.NotFound, pim.Administered:
	}
	return s.notDecided(e, d, err)
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

// sessionUsed ends the session where sessions are not kept.
func (s *Service) sessionUsed(tx *store.Tx, by pim.Actor) error {
	if s.cfg.KeepSessions || by.Account.IsZero() {
		return nil
	}
	return s.cfg.EndSession(tx, by.Account)
}

// decidedMeanwhile finds out whose decision PIM has: it may be this one, whose
// answer got lost.
func (s *Service) decidedMeanwhile(ctx context.Context, e store.Effect, r pim.Request, d decision) (result, error) {
	stage, err := s.cfg.Directory.Assigned(ctx, e.As, approvalOf(r.Copy))
	if err != nil && pim.IsKind(err, pim.Unavailable) {
		return result{}, err
	}
	sent := r.Claim != nil && r.Claim.By.Person == e.As.Person && !r.Claim.Sent.IsZero()
	if err == nil && sent && stage.ReviewedBy == e.As.Person && reviewed(stage) == d.verb() {
		return result{apply: func(tx *store.Tx) error { return s.noteDecided(tx, r.ID, e.As, d) }}, nil
	}
	return s.notDecided(e, d, pim.Errorf(pim.Conflict, "Request %s was decided by somebody else a moment earlier. The card shows what became of it.", r.ID))
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

// verifyMine reads who decided, where PIM turned before its answer to this
// decision was written: until then it only looks as if it were ours.
func (s *Service) verifyMine(ctx context.Context, e store.Effect, r pim.Request, d decision) (result, error) {
	stage, err := s.cfg.Directory.Assigned(ctx, e.As, approvalOf(r.Copy))
	if err != nil && !pim.IsKind(err, pim.NotFound) && !pim.IsKind(err, pim.Forbidden) && !pim.IsKind(err, pim.SignIn) {
		return result{}, err
	}
	if err != nil || stage.ReviewedBy == "" || stage.ReviewedBy == e.As.Person {
		return result{apply: func(tx *store.Tx) error { return s.sessionUsed(tx, e.As) }}, nil
	}
	return result{apply: func(tx *store.Tx) error {
		fresh, err := tx.Request(r.ID)
		if err != nil {
			return err
		}
		by := pim.Actor{Person: stage.ReviewedBy, Name: stage.ReviewedName}
		fresh.Decided = &pim.Decided{By: by, Approve: d.Approve, Reason: stage.Reason, At: stage.Reviewed, Chat: pim.Portal}
		if err := s.record(tx, &fresh, pim.Event{Kind: pim.EventDecided, By: by, Chat: pim.Portal, Text: d.verb() + ": " + stage.Reason}); err != nil {
			return err
		}
		return s.turn(tx, &fresh)
	}}, nil
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
		return s.putTell(tx, "decide|"+string(r.ID), r.ID, pim.DirectTo(e.As.Account), message{Text: text, Problem: true})
	}}, nil
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

// decideNeedsSignIn turns a claim into an intent again.
func (s *Service) decideNeedsSignIn(e store.Effect, r pim.Request, d decision, claims string) (result, error) {
	return result{apply: func(tx *store.Tx) error {
		fresh, err := tx.Request(r.ID)
		if err != nil {
			return err
		}
		if err := s.dropClaim(tx, &fresh, e.As, "a new sign-in is needed"); err != nil {
			return err
		}
		return s.askToSignIn(tx, e.As, &fresh, store.Intent{
			Request: r.ID, Verb: d.verb(), Reason: d.Reason, Digest: d.Digest, Clicked: d.Clicked, Claims: claims,
		})
	}}, nil
}

// askToSignIn stores an intent for a step that is under way and tells the
// person where to sign in.
func (s *Service) askToSignIn(tx *store.Tx, by pim.Actor, r *pim.Request, in store.Intent) error {
	from := Sender{Account: by.Account, Name: by.Name, Place: pim.DirectTo(by.Account)}
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
