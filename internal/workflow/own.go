package workflow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
)

// own is a step that people take on their own request: cancel or release.
type own struct {
	verb    string
	request pim.RequestID
	clicked time.Time
	intent  string // what a sign-in interrupted; it is spent with the step
	// clickedOn is set when a card of the request stood in front of the person.
	clickedOn bool
}

// takenBack is what came of it, enough to draw the answer.
type takenBack struct {
	request pim.Request
	url     string // where to sign in, if that is needed
	again   bool   // the same step arrived before
}

// takeBack is the one door for cancel and release.
func (s *Service) takeBack(from Sender, o own) (takenBack, error) {
	var out takenBack
	err := s.update(func(tx *store.Tx) error {
		out = takenBack{}
		var err error
		if out.request, err = tx.Request(o.request); err != nil {
			return err
		}
		r := &out.request
		if first, again, err := s.seen(tx, from); err != nil || (again && first.ID == r.ID) {
			out.again = again
			return errors.Join(err, s.linkAgain(tx, from, r, &out.url))
		}
		who, err := s.identify(tx, from.Account, from.Name)
		if err != nil {
			return err
		}
		if err := s.mayTakeBack(tx, r, who, o); err != nil {
			return err
		}
		if err := remember(tx, from, r.ID); err != nil {
			return err
		}
		if o.intent != "" {
			if err := tx.DeleteIntent(o.intent); err != nil {
				return err
			}
		}
		out.url, err = s.takeBackAs(tx, from, who, r, o)
		return err
	})
	return out, err
}

// takeBackAs cancels at once what PIM does not know, has the person sign in
// where that is needed, or puts the effect.
func (s *Service) takeBackAs(tx *store.Tx, from Sender, who identity, r *pim.Request, o own) (string, error) {
	if done, err := s.cancelHere(tx, r, who, o.verb); done || err != nil {
		return "", err
	}
	if who.session != nil && slices.Contains([]pim.PrincipalID{r.Principal, r.Requester.Person}, who.actor.Person) {
		return "", s.putTakeBack(tx, r, who.actor, o)
	}
	return s.intendByLink(tx, from, store.Intent{Request: r.ID, Verb: o.verb, Clicked: o.clicked})
}

// mayTakeBack says why this person may not cancel or release, as if there were
// no such request where they may not know of it.
func (s *Service) mayTakeBack(tx *store.Tx, r *pim.Request, who identity, o own) error {
	err := ownRule(r, who, o.verb)
	if !pim.IsKind(err, pim.Forbidden) || o.clickedOn {
		return err
	}
	if known, unread := s.mayHear(tx, r, who); unread != nil || !known {
		return noRequest(r.ID)
	}
	return err
}

func ownRule(r *pim.Request, who identity, verb string) error {
	by := who.actor
	for _, id := range who.ids() {
		if id == r.Principal || id == r.Requester.Person {
			by.Person = id
		}
	}
	if verb == verbCancel {
		return pim.MayCancel(r, by)
	}
	return pim.MayRelease(r, by)
}

// cancelHere cancels what PIM does not know yet, without asking PIM.
func (s *Service) cancelHere(tx *store.Tx, r *pim.Request, who identity, verb string) (bool, error) {
	unsent := r.State == pim.WaitingForSignIn || (r.State == pim.Submitting && !r.Sending.Lost && r.Copy.ID == "")
	if verb != verbCancel || !unsent {
		return false, nil
	}
	return true, s.cancelUnsent(tx, r, pim.Event{Kind: pim.EventCanceled, By: who.actor}, "")
}

func (s *Service) putTakeBack(tx *store.Tx, r *pim.Request, by pim.Actor, o own) error {
	if o.verb == verbRelease {
		return s.putRelease(tx, r, by)
	}
	return s.putPersonEffect(tx, kindCancel, r, by, nil)
}

// resumeOwn cancels or releases after the sign-in by the same door.
func (s *Service) resumeOwn(from Sender, in store.Intent) (string, error) {
	out, err := s.takeBack(from, own{verb: in.Verb, request: in.Request, clicked: in.Clicked, intent: in.ID})
	if err != nil {
		return "", errors.Join(err, s.update(func(tx *store.Tx) error { return tx.DeleteIntent(in.ID) }))
	}
	r := out.request
	if out.url != "" {
		return "", pim.Errorf(pim.SignIn, "This account does not hold request %s. Sign in with the one that does.", r.ID)
	}
	if r.State == pim.Canceled {
		return fmt.Sprintf("Request %s is canceled. PIM was not asked for anything.", r.ID), nil
	}
	return fmt.Sprintf("Your step to %s is on its way to PIM. You can close this page; the card of request %s shows the rest.", s.describe(in.Verb, r), r.ID), nil
}

func (s *Service) answerOwn(from Sender, out takenBack, verb string) Reply {
	r := out.request
	role, _ := s.cfg.Roles.Named(r.Role)
	switch {
	case out.url != "":
		return reply(card.SignInNeeded(fmt.Sprintf("%s request %s", verb, r.ID), out.url))
	case out.again:
		return s.asItIs(from, r, card.Requester)
	case r.State == pim.Canceled:
		return reply(card.Answer(fmt.Sprintf("Request %s is canceled. PIM was not asked for anything.", r.ID)))
	case verb == verbRelease:
		return reply(card.Releasing(r, role))
	}
	return reply(card.Canceling(r, role))
}

// cancel takes a request back in PIM as the requester. It never expires.
func (s *Service) cancel(ctx context.Context, e store.Effect) (result, error) {
	r, who, err := s.actorOf(e)
	if err != nil {
		return result{}, err
	}
	switch {
	case r.State == pim.Submitting:
		return result{again: time.Second}, nil // it is being sent or looked for
	case r.State != pim.Pending && r.State != pim.Scheduled:
		return s.tooLate(e, r, verbCancel)
	case who.session == nil || who.actor.Person != e.As.Person:
		return s.ownNeedsSignIn(e, r, verbCancel, "")
	}
	err = s.cfg.Directory.Cancel(ctx, e.As, r.Copy.ID)
	switch kind := pim.Explain(err).Kind; {
	case err == nil:
		return result{apply: func(tx *store.Tx) error { return s.noteCanceled(tx, r.ID, e.As) }}, nil
	case kind == pim.SignIn:
		return s.ownNeedsSignIn(e, r, verbCancel, pim.Explain(err).Claims)
	case triedAgain(err):
		return result{}, err
	}
	return s.cancelRefused(ctx, e, r, err)
}

// cancelRefused looks whether PIM refuses because an earlier call, whose answer
// got lost, canceled it already.
func (s *Service) cancelRefused(ctx context.Context, e store.Effect, r pim.Request, why error) (result, error) {
	answer, err := s.cfg.Directory.Look(ctx, pim.Question{Requests: []string{r.Copy.ID}})
	if err != nil {
		return result{}, err
	}
	c, read := answer.Requests[r.Copy.ID]
	switch {
	case !read && !answer.Gone[r.Copy.ID]:
		return result{again: 5 * time.Second}, nil
	case pim.ReadStatus(c.Status) == pim.WordCanceled:
		return result{apply: func(tx *store.Tx) error { return s.noteCanceled(tx, r.ID, e.As) }}, nil
	}
	return s.ownRefused(e, r, verbCancel, why)
}

func (s *Service) noteCanceled(tx *store.Tx, id pim.RequestID, by pim.Actor) error {
	r, err := tx.Request(id)
	if err != nil || !r.State.CanBecome(pim.Canceled) {
		return err
	}
	if err := s.moveTo(tx, &r, pim.Canceled, pim.Event{Kind: pim.EventCanceled, By: by}); err != nil {
		return err
	}
	return s.sessionUsed(tx, by)
}

func (s *Service) tooLate(e store.Effect, r pim.Request, verb string) (result, error) {
	if !r.State.Open() && (r.State == pim.Canceled || r.State == pim.Ended) {
		return result{apply: func(tx *store.Tx) error { return s.sessionUsed(tx, e.As) }}, nil
	}
	text := fmt.Sprintf("It was too late to %s request %s: it is %s.", verb, r.ID, r.State.Phrase())
	return s.telling(e, r, message{Text: text, Problem: true}, verb)
}

func (s *Service) ownRefused(e store.Effect, r pim.Request, verb string, err error) (result, error) {
	text := fmt.Sprintf("PIM did not %s request %s. %s", verb, r.ID, pim.Explain(err).Message)
	return s.telling(e, r, message{Text: text, Problem: true}, verb)
}

func (s *Service) telling(e store.Effect, r pim.Request, m message, verb string) (result, error) {
	return result{apply: func(tx *store.Tx) error {
		fresh, err := tx.Request(r.ID)
		if err != nil {
			return err
		}
		if verb == verbRelease {
			if err := s.dropRelease(tx, &fresh, pim.Event{Kind: pim.EventRefused, By: e.As, Text: m.Text}); err != nil {
				return err
			}
		}
		if err := s.sessionUsed(tx, e.As); err != nil {
			return err
		}
		return s.putTell(tx, verb+"|"+string(r.ID), r.ID, pim.DirectTo(e.As.Account), m)
	}}, nil
}

func (s *Service) ownNeedsSignIn(e store.Effect, r pim.Request, verb, claims string) (result, error) {
	return result{apply: func(tx *store.Tx) error {
		fresh, err := tx.Request(r.ID)
		if err != nil {
			return err
		}
		if verb == verbRelease {
			waits := pim.Event{Kind: pim.EventRefused, By: e.As, Text: "a new sign-in is needed"}
			if err := s.dropRelease(tx, &fresh, waits); err != nil {
				return err
			}
		}
		return s.askToSignIn(tx, e.As, &fresh, store.Intent{Request: r.ID, Verb: verb, Clicked: tx.Now(), Claims: claims})
	}}, nil
}
