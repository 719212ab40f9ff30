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

// After an answer got lost, PIM is looked at for this long before it counts as
// "nothing was left".
const lookFor = 90 * time.Second

// submit sends an activation to PIM, once. Before the first sending the request
// says so on disk; whatever is unclear afterwards is looked for, not repeated.
func (s *Service) submit(ctx context.Context, e store.Effect) (result, error) {
	d, err := dataOf[decision](e)
	if err != nil {
		return result{}, err
	}
	r, who, err := s.actorOf(e)
	if err != nil {
		return result{}, err
	}
	now := s.cfg.Now()
	if r.Waits() {
		over, err := s.followedOver(r)
		if err != nil || over.IsZero() {
			return result{again: min(max(r.Follows.Ends.Sub(now), 5*time.Second), time.Minute)}, err
		}
		if over.After(d.Clicked) {
			d.Clicked = over // it had to wait until then
		}
	}
	switch {
	case r.State != pim.Submitting:
		return result{apply: func(tx *store.Tx) error { return s.sessionUsed(tx, e.As) }}, nil
	case r.Sending.Lost:
		return s.findLost(ctx, e, r, d)
	case now.Sub(d.Clicked) > stepLife:
		return s.failed(r, notForTenMinutes(r))
	case who.session == nil || who.actor.Person != e.As.Person:
		return s.submitNeedsSignIn(e, r, nil, "")
	}
	if other, err := s.otherAccountIsEligible(ctx, r, who); err != nil || other != "" {
		if err != nil {
			return result{}, err
		}
		return s.submitNeedsSignIn(e, r, nil, other)
	}
	return s.send(ctx, e, r, d)
}

// otherAccountIsEligible finds out, where a person has several accounts,
// whether another one than the signed-in one has to act. It returns a sentence
// that says so.
func (s *Service) otherAccountIsEligible(ctx context.Context, r pim.Request, who identity) (string, error) {
	ids := who.ids()
	if len(ids) < 2 {
		return "", nil
	}
	answer, err := s.cfg.Directory.Look(ctx, pim.Question{Eligible: ids, Active: []pim.GroupID{r.Group}, Profiles: ids})
	if err != nil {
		return "", err
	}
	if _, read := answer.Eligible[who.actor.Person]; !read {
		return "", nil // PIM finds out
	}
	eligible := func(id pim.PrincipalID) bool {
		return slices.ContainsFunc(answer.Eligible[id], func(e pim.Eligibility) bool { return e.Group == r.Group })
	}
	if eligible(who.actor.Person) {
		return "", nil
	}
	for _, id := range ids {
		if eligible(id) {
			return fmt.Sprintf("Not %s but your other account, %s, is eligible for this role. Sign in with that one.", who.actor.Name, answer.Profiles[id].Name), nil
		}
	}
	return "", nil
}

// send notes the sending, sends, and deals with the answer.
func (s *Service) send(ctx context.Context, e store.Effect, r pim.Request, d decision) (result, error) {
	if role, ok := s.cfg.Roles.Named(r.Role); !ok || role.Group != r.Group {
		return s.failed(r, fmt.Sprintf("The role %s is not in the settings any more, so nothing was asked for.", r.Role))
	}
	a := activation(r)
	var err error
	if r, err = s.noteSending(e); err != nil {
		return result{}, err
	}
	if r.State != pim.Submitting {
		return result{}, nil
	}
	c, err := s.cfg.Directory.Submit(ctx, e.As, a)
	if err == nil {
		return result{apply: func(tx *store.Tx) error { return s.submitted(tx, r.ID, c) }}, nil
	}
	return s.notSubmitted(ctx, e, r, d, err)
}

// activation is what is sent for a request: the same at every sending, also
// when the settings have changed meanwhile.
func activation(r pim.Request) pim.Activation {
	return r.Asked.Activation(pim.Role{Group: r.Group}, r.ID, r.Principal, r.Created)
}

// noteSending writes that the activation is about to be sent. From here on an
// answer that does not come counts as lost.
func (s *Service) noteSending(e store.Effect) (pim.Request, error) {
	var r pim.Request
	err := s.update(func(tx *store.Tx) error {
		var err error
		if r, err = tx.Request(e.Request); err != nil || r.State != pim.Submitting {
			return err
		}
		now := tx.Now()
		r.Sending = pim.Sending{At: now, Tries: r.Sending.Tries + 1, Lost: true}
		return s.record(tx, &r, pim.Event{Kind: pim.EventSent, By: e.As})
	})
	return r, err
}

// notSubmitted deals with PIM's refusal, or with not knowing.
func (s *Service) notSubmitted(ctx context.Context, e store.Effect, r pim.Request, d decision, err error) (result, error) {
	said := pim.Explain(err)
	switch said.Kind {
	case pim.AnswerLost, pim.Internal:
		return result{again: 2 * time.Second}, nil
	case pim.Throttled, pim.Unavailable:
		// A definite "not done": the next try sends again, and is no second one.
		return result{}, errors.Join(s.noteNotYet(e, r.Sending.Tries-1, said), err)
	case pim.SignIn:
		if d.met(said.Claims) {
			return s.refused(ctx, r, stillChallenged(said))
		}
		return s.submitNeedsSignIn(e, r, &said.Claims, said.Message)
	case pim.Conflict:
		if lags, err := s.lagsBehind(r, said); err != nil || lags {
			return result{again: 5 * time.Second}, errors.Join(err, s.noteNotSent(e, r.Sending.Tries-1))
		}
		if r.Sending.Tries == 2 {
			// "Exists" as the answer to a second try may be our own first one. The
			// answer to a third one, after a second look, is not.
			return result{again: 2 * time.Second}, nil
		}
	case pim.Invalid, pim.Forbidden, pim.NotFound, pim.Administered:
	}
	return s.refused(ctx, r, said)
}

// notForTenMinutes says why a request was given up: because of what PIM said last, where it said something.
func notForTenMinutes(r pim.Request) string {
	if r.Refusal == nil || r.Why == "" {
		return "PIM could not be reached for ten minutes, so nothing was asked for. Ask again."
	}
	if r.Refusal.Kind == pim.Throttled { // its own words promise another try
		return "Microsoft Graph was asked too much for ten minutes and took nothing, so nothing was asked for. Ask again."
	}
	return "Elevate tried for ten minutes, and nothing was asked for. " + r.Why
}

// noteNotYet is noteNotSent with what PIM said, for when it stays so.
func (s *Service) noteNotYet(e store.Effect, tries int, said *pim.Error) error {
	return s.noteSent(e, tries, func(r *pim.Request) {
		r.Why = said.Message
		if said.Code != "" {
			r.Refusal = pim.RefusalOf(said)
		}
	})
}

// noteNotSent takes the note of the sending back. Tries counts the sendings
// that may have left something after all.
func (s *Service) noteNotSent(e store.Effect, tries int) error {
	return s.noteSent(e, tries, func(*pim.Request) {})
}

func (s *Service) noteSent(e store.Effect, tries int, also func(*pim.Request)) error {
	return s.update(func(tx *store.Tx) error {
		r, err := tx.Request(e.Request)
		if err != nil || r.State != pim.Submitting {
			return err
		}
		before := r.Why
		r.Sending.Lost, r.Sending.Tries = false, tries
		also(&r)
		if err := tx.PutRequest(r); err != nil || r.Why == before {
			return err
		}
		return s.turn(tx, &r) // not at every try: a card drawn meanwhile says that an answer is awaited
	})
}

// findLost looks whether PIM has what was sent and not answered. Only when it
// is not there for ninety seconds is it sent again.
func (s *Service) findLost(ctx context.Context, e store.Effect, r pim.Request, d decision) (result, error) {
	a := activation(r)
	key := pim.Recent{Group: r.Group, Principal: r.Principal}
	answer, err := s.cfg.Directory.Look(ctx, pim.Question{Recent: []pim.Recent{key}})
	if err != nil {
		return result{}, err
	}
	copies, read := answer.Recent[key]
	if !read {
		return result{again: 5 * time.Second}, nil
	}
	for _, c := range copies {
		if c.SentAs(a, e.As.Person, r.Created, s.cfg.Now()) {
			return result{apply: func(tx *store.Tx) error { return s.submitted(tx, r.ID, c) }}, nil
		}
	}
	since := s.cfg.Now().Sub(r.Sending.At)
	switch {
	case since < lookFor/9:
		return result{again: 2 * time.Second}, nil
	case since < lookFor:
		return result{again: 10 * time.Second}, nil
	case s.cfg.Now().Sub(d.Clicked) > stepLife:
		return s.failed(r, "PIM's answer got lost, and PIM holds no such request, so nothing was asked for. Ask again.")
	}
	if err := s.noteNotSent(e, r.Sending.Tries); err != nil {
		return result{}, err
	}
	return result{again: time.Millisecond}, nil
}

// submitted writes PIM's copy and the state it puts the request in.
func (s *Service) submitted(tx *store.Tx, id pim.RequestID, c pim.Copy) error {
	r, err := tx.Request(id)
	if err != nil || r.State != pim.Submitting {
		return err
	}
	if owner, found, err := tx.ByPIM(c.ID); err != nil {
		return err
	} else if found && owner != id {
		r.Why = fmt.Sprintf("PIM's request has a card of its own already: it is request %s.", owner)
		return s.moveTo(tx, &r, pim.Failed, pim.Event{Kind: pim.EventFailed, By: r.Requester, Text: r.Why})
	}
	r.Copy, r.Submitted, r.Sending.Lost = c, tx.Now(), false
	r.Why, r.Refusal = "", nil // what PIM said before it took it
	if r.Principal == "" {
		r.Principal = c.Principal
	}
	to := pim.StateOf(c, tx.Now())
	if !r.State.CanBecome(to) {
		to = unclearState(c)
	}
	if to == pim.Failed {
		r.Why = "PIM took it and ended it at once (" + c.Status + "). Look at it in PIM, or ask again."
	}
	if err := s.moveTo(tx, &r, to, pim.Event{Kind: pim.EventSubmitted, By: r.Requester, Text: c.Status}); err != nil {
		return err
	}
	if pim.ReadStatus(c.Status) == pim.WordUnknown {
		if err := s.unknownWord(tx, &r); err != nil {
			return err
		}
	}
	if err := s.sessionUsed(tx, r.Requester); err != nil {
		return err
	}
	return tx.PutEffect(watchEffect(r.Group))
}

// unclearState is for what PIM took with a word that nobody expects: one that
// nobody knows is watched as pending, an end is an end.
func unclearState(c pim.Copy) pim.State {
	if pim.ReadStatus(c.Status) == pim.WordUnknown {
		return pim.Pending
	}
	return pim.Failed
}

// moveTo turns a request, writes its event and has its cards rewritten.
func (s *Service) moveTo(tx *store.Tx, r *pim.Request, to pim.State, e pim.Event) error {
	e.From = r.State
	if err := r.Move(to); err != nil {
		return err
	}
	if to == pim.Granting {
		r.Granting = tx.Now()
	}
	if err := s.record(tx, r, e); err != nil {
		return err
	}
	if err := seekEvidence(tx, r); err != nil {
		return err
	}
	if to == pim.Pending {
		if err := s.putRemind(tx, r); err != nil {
			return err
		}
	}
	return s.turn(tx, r)
}

func (s *Service) failed(r pim.Request, why string) (result, error) {
	return s.finishUnsent(r, pim.Failed, pim.EventFailed, why)
}

func (s *Service) finishUnsent(r pim.Request, to pim.State, kind pim.EventKind, why string) (result, error) {
	return result{apply: func(tx *store.Tx) error {
		fresh, err := tx.Request(r.ID)
		if err != nil || fresh.State != pim.Submitting {
			return err
		}
		fresh.Why, fresh.Refusal, fresh.Sending.Lost = why, r.Refusal, false
		if err := s.moveTo(tx, &fresh, to, pim.Event{Kind: kind, By: fresh.Requester, Text: why}); err != nil {
			return err
		}
		if err := s.tellAdministered(tx, &fresh); err != nil {
			return err
		}
		return s.sessionUsed(tx, fresh.Requester)
	}}, nil
}

// submitNeedsSignIn puts the request back to waiting: PIM took nothing. The challenge is PIM's; nil where there is only
// no session.
func (s *Service) submitNeedsSignIn(e store.Effect, r pim.Request, challenge *string, why string) (result, error) {
	return result{apply: func(tx *store.Tx) error {
		fresh, err := tx.Request(r.ID)
		if err != nil || fresh.State != pim.Submitting {
			return err
		}
		if fresh.Sending.Lost {
			// PIM wants a sign-in, so this sending left nothing.
			fresh.Sending.Lost, fresh.Sending.Tries = false, fresh.Sending.Tries-1
		}
		fresh.Why, fresh.Refusal = "", nil // what PIM said before it wanted a sign-in
		if err := s.moveTo(tx, &fresh, pim.WaitingForSignIn, pim.Event{Kind: pim.EventObserved, By: e.As, Text: "a new sign-in is needed: " + why}); err != nil {
			return err
		}
		in := store.Intent{Request: r.ID, Verb: verbSubmit, Clicked: tx.Now(), Reason: why, Challenged: challenge != nil}
		if challenge != nil {
			in.Claims = *challenge
		}
		return s.askToSignIn(tx, e.As, &fresh, in)
	}}, nil
}
