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

// takeBack is the one door for cancel and release.
func (s *Service) takeBack(from Sender, o own) (pim.Request, string, error) {
	var r pim.Request
	var url string
	err := s.update(func(tx *store.Tx) error {
		url = ""
		var err error
		if r, err = tx.Request(o.request); err != nil {
			return err
		}
		if first, again, err := s.seen(tx, from); err != nil || (again && first.ID == r.ID) {
			return errors.Join(err, s.linkAgain(tx, from, &r, &url))
		}
		who, err := s.identify(tx, from.Account, from.Name)
		if err != nil {
			return err
		}
		if err := s.mayTakeBack(tx, &r, who, o); err != nil {
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
		url, err = s.takeBackAs(tx, from, who, &r, o)
		return err
	})
	return r, url, err
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
	id, err := s.intend(tx, from, store.Intent{Request: r.ID, Verb: o.verb, Clicked: o.clicked})
	if err != nil {
		return "", err
	}
	return s.signInLink(tx, from, id, "")
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
	kind := kindCancel
	if o.verb == verbRelease {
		kind = kindRelease
		if underWay, err := releasing(tx, r, by); err != nil || underWay {
			return err
		}
		r.Leaving = pim.Released
		if err := s.record(tx, r, pim.Event{Kind: pim.EventReleasing, By: by}); err != nil {
			return err
		}
		if err := s.turn(tx, r); err != nil {
			return err
		}
	}
	return s.putPersonEffect(tx, kind, r, by, nil)
}

// releasing reports whether a release was asked before and is still on its way.
func releasing(tx *store.Tx, r *pim.Request, by pim.Actor) (bool, error) {
	e, err := personEffect(kindRelease, r, by, nil)
	if err != nil || r.Leaving != pim.Released {
		return false, err
	}
	_, there, err := tx.Effect(e.Key)
	return there, err
}

// resumeOwn cancels or releases after the sign-in by the same door.
func (s *Service) resumeOwn(from Sender, in store.Intent) (string, error) {
	r, url, err := s.takeBack(from, own{verb: in.Verb, request: in.Request, clicked: in.Clicked, intent: in.ID})
	if err != nil {
		return "", errors.Join(err, s.update(func(tx *store.Tx) error { return tx.DeleteIntent(in.ID) }))
	}
	if url != "" {
		return "", pim.Errorf(pim.SignIn, "This account does not hold request %s. Sign in with the one that does.", r.ID)
	}
	if r.State == pim.Canceled {
		return fmt.Sprintf("Request %s is canceled. PIM was not asked for anything.", r.ID), nil
	}
	return fmt.Sprintf("Your step to %s is on its way to PIM. You can close this page; the card of request %s shows the rest.", s.describe(in.Verb, r), r.ID), nil
}

func (s *Service) answerOwn(r pim.Request, verb, url string) Reply {
	role, _ := s.cfg.Roles.Named(r.Role)
	switch {
	case url != "":
		return reply(card.SignInNeeded(fmt.Sprintf("%s request %s", verb, r.ID), url))
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

// release gives an active access back as its holder. It never expires. That
// the access ended is told by the read-back alone.
func (s *Service) release(ctx context.Context, e store.Effect) (result, error) {
	r, who, err := s.actorOf(e)
	if err != nil {
		return result{}, err
	}
	switch {
	case r.State != pim.Active:
		return s.tooLate(e, r, verbRelease)
	case who.session == nil || who.actor.Person != e.As.Person:
		return s.ownNeedsSignIn(e, r, verbRelease, "")
	}
	_, err = s.cfg.Directory.Submit(ctx, e.As, pim.Activation{
		Action: pim.SelfDeactivate, Group: r.Group, Principal: r.Principal, Justification: pim.Mark("Released early.", r.ID),
	})
	said := pim.Explain(err)
	switch {
	case err == nil || said.Code == "RoleAssignmentDoesNotExist":
		return result{apply: func(tx *store.Tx) error { return s.confirmSoon(tx, r.ID, e.As) }}, nil
	case said.Code == "ActiveDurationTooShort":
		return s.releaseLater(e, r)
	case said.Kind == pim.SignIn:
		return s.ownNeedsSignIn(e, r, verbRelease, said.Claims)
	case triedAgain(err):
		return result{}, err
	}
	return s.ownRefused(e, r, verbRelease, err)
}

// releaseLater waits for PIM's five minutes to pass and says so once.
func (s *Service) releaseLater(e store.Effect, r pim.Request) (result, error) {
	from := r.MemberSince
	if !r.Copy.Start.IsZero() {
		from = r.Copy.Start
	}
	at := from.Add(pim.MinDuration + 5*time.Second)
	wait := max(at.Sub(s.cfg.Now()), 5*time.Second)
	text := fmt.Sprintf("PIM lets nobody release %s within five minutes. Elevate releases it for you in %s.", r.Role, pim.FormatDuration(wait.Round(time.Second)))
	err := s.update(func(tx *store.Tx) error {
		return s.putTell(tx, "release-later|"+string(r.ID), r.ID, pim.DirectTo(e.As.Account), message{Text: text})
	})
	return result{again: wait}, err
}

func (s *Service) confirmSoon(tx *store.Tx, id pim.RequestID, by pim.Actor) error {
	r, err := tx.Request(id)
	if err != nil {
		return err
	}
	if err := s.sessionUsed(tx, by); err != nil {
		return err
	}
	return tx.PutEffect(confirmEffect(&r, tx.Now()))
}

func (s *Service) tooLate(e store.Effect, r pim.Request, verb string) (result, error) {
	if !r.State.Open() && (r.State == pim.Canceled || r.State == pim.Ended) {
		return result{}, nil
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
		if fresh.Leaving == pim.Released && verb == verbRelease && fresh.State == pim.Active {
			fresh.Leaving = ""
			if err := s.record(tx, &fresh, pim.Event{Kind: pim.EventRefused, By: e.As, Text: m.Text}); err != nil {
				return err
			}
			if err := s.turn(tx, &fresh); err != nil {
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
		return s.askToSignIn(tx, e.As, &r, store.Intent{Request: r.ID, Verb: verb, Clicked: tx.Now(), Claims: claims})
	}}, nil
}
