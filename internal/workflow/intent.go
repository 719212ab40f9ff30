package workflow

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
)

// The steps that can wait for a sign-in.
const (
	verbSubmit  = "submit"
	verbApprove = "approve"
	verbDeny    = "deny"
	verbCancel  = "cancel"
	verbRelease = "release"
	verbRevoke  = "revoke"
	verbReview  = "review"
	verbForm    = "form"
	verbLink    = "link"
)

// intentLife is how long an interrupted step waits for its sign-in.
const intentLife = 10 * time.Minute

// intentsPerPerson is how many interrupted steps one person may have.
const intentsPerPerson = 3

// intend stores a step that waits for a sign-in: one for a person and request,
// at most three for a person, the oldest giving way.
func (s *Service) intend(tx *store.Tx, from Sender, in store.Intent) (string, error) {
	now := tx.Now()
	if from.Once != "" { // said by somebody, not by work that is under way
		if err := s.takeStep(from.Account, now); err != nil {
			return "", err
		}
	}
	in.ID, in.Account, in.Name, in.Origin, in.Expires = rand.Text(), from.Account, from.Name, from.Place, now.Add(intentLife)
	mine, err := tx.IntentsOf(from.Account)
	if err != nil {
		return "", err
	}
	for _, old := range inTheWay(mine, in.Request, now) {
		why := noSignIn
		if now.Before(old.Expires) {
			why = "You began three other steps that wait for a sign-in, so this one was given up and nothing was asked for. Ask again when you can sign in."
		}
		if err := s.giveUp(tx, old, in.Request, why); err != nil {
			return "", err
		}
	}
	event := pim.Event{
		Kind: pim.EventIntent, Request: in.Request, Chat: from.Account.Chat, Text: in.Verb,
		By: pim.Actor{Account: from.Account, Name: from.Name},
	}
	if _, err := tx.Append(event); err != nil {
		return "", err
	}
	if err := tx.PutIntent(in); err != nil {
		return "", err
	}
	return in.ID, tx.PutEffect(lapseEffect(in))
}

// intendByLink stores a step that waits for a sign-in, and returns the link that goes
// on with it.
func (s *Service) intendByLink(tx *store.Tx, from Sender, in store.Intent) (url string, err error) {
	id, err := s.intend(tx, from, in)
	if err != nil {
		return "", err
	}
	return s.signInLink(tx, from, id, in.Claims)
}

// inTheWay returns the intents that a new one for a request replaces: the one
// for the same request, those that are over, and the oldest beyond the limit.
func inTheWay(mine []store.Intent, request pim.RequestID, now time.Time) []store.Intent {
	slices.SortFunc(mine, func(a, b store.Intent) int { return a.Expires.Compare(b.Expires) })
	var gone, kept []store.Intent
	for _, old := range mine {
		if old.Request == request || !now.Before(old.Expires) {
			gone = append(gone, old)
		} else {
			kept = append(kept, old)
		}
	}
	return append(gone, kept[:max(len(kept)+1-intentsPerPerson, 0)]...)
}

// findIntent returns an intent, if it is still there.
func findIntent(tx *store.Tx, id string) (store.Intent, bool, error) {
	in, err := tx.Intent(id)
	if pim.IsKind(err, pim.NotFound) {
		return in, false, nil
	}
	return in, err == nil, err
}

// lapse gives up an intent whose ten minutes are over.
func (s *Service) lapse(_ context.Context, e store.Effect) (result, error) {
	id, err := dataOf[string](e)
	if err != nil {
		return result{}, err
	}
	return result{apply: func(tx *store.Tx) error {
		in, found, err := findIntent(tx, id)
		switch {
		case err != nil:
			return err
		case found:
			return s.giveUp(tx, in, "", noSignIn)
		case e.Request == "":
			return nil
		}
		return s.expireUnlessIntended(tx, e.Request)
	}}, nil
}

// giveUp drops an intent; a request that only waited for it is canceled, unless
// the new intent is for the same request.
func (s *Service) giveUp(tx *store.Tx, old store.Intent, replacedFor pim.RequestID, why string) error {
	if err := tx.DeleteIntent(old.ID); err != nil {
		return err
	}
	if old.Verb != verbSubmit || old.Request == replacedFor {
		return nil
	}
	return s.expireWaiting(tx, old.Request, why)
}

const noSignIn = "Nobody signed in for it within ten minutes, so nothing was asked for. Ask again when you can sign in."

// expireWaiting cancels a request that waited for a sign-in which never came.
func (s *Service) expireWaiting(tx *store.Tx, id pim.RequestID, why string) error {
	r, err := tx.Request(id)
	if err != nil || r.State != pim.WaitingForSignIn {
		return err
	}
	return s.cancelUnsent(tx, &r, pim.Event{Kind: pim.EventExpired, Chat: pim.System}, why)
}

// expireUnlessIntended expires a waiting request that no intent waits with.
func (s *Service) expireUnlessIntended(tx *store.Tx, id pim.RequestID) error {
	intents, err := tx.IntentsOn(id)
	if err != nil {
		return err
	}
	for _, in := range intents {
		if in.Verb == verbSubmit {
			return nil
		}
	}
	return s.expireWaiting(tx, id, noSignIn)
}

// cancelUnsent ends a request of which PIM knows nothing.
func (s *Service) cancelUnsent(tx *store.Tx, r *pim.Request, e pim.Event, why string) error {
	e.From = r.State
	if err := r.Move(pim.Canceled); err != nil {
		return err
	}
	r.Why = why
	if err := s.record(tx, r, e); err != nil {
		return err
	}
	return s.turn(tx, r)
}

// signInLink makes a link for an intent.
func (s *Service) signInLink(tx *store.Tx, from Sender, intent, claims string) (string, error) {
	return s.cfg.SignInLink(tx, SignInLink{
		Account: from.Account, AccountName: from.Name, Intent: intent, Claims: claims,
	})
}

// Describe says in words what a sign-in goes on with, to stand behind "Sign in
// and"; "" when there is nothing any more.
func (s *Service) Describe(tx *store.Tx, intent string) (string, error) {
	in, found, err := findIntent(tx, intent)
	if err != nil || !found {
		return "", err
	}
	if in.Request == "" {
		return describeVerb(in.Verb), nil
	}
	r, err := tx.Request(in.Request)
	if err != nil {
		return "", err
	}
	return s.describe(in.Verb, r), nil
}

// describe says what a step does to a request, in words that follow "to".
func (s *Service) describe(verb string, r pim.Request) string {
	title := r.Role
	if role, ok := s.cfg.Roles.Named(r.Role); ok {
		title = role.Title
	}
	switch verb {
	case verbSubmit:
		return fmt.Sprintf("ask for %s, %s", title, s.lengthOf(r))
	case verbApprove, verbDeny:
		return fmt.Sprintf("%s %s's request for %s, %s", verb, orName(r.Requester.Name), title, s.lengthOf(r))
	case verbCancel:
		return fmt.Sprintf("cancel your request for %s", title)
	case verbRelease:
		return fmt.Sprintf("release %s", title)
	case verbRevoke:
		return fmt.Sprintf("end %s's access to %s", orName(r.Requester.Name), title)
	case verbReview:
		return fmt.Sprintf("review %s's use of %s", orName(r.Requester.Name), title)
	}
	return describeVerb(verb)
}

// SignInSince says how new the sign-in for an intent has to be: not before that
// time, or zero where any will do.
func (s *Service) SignInSince(tx *store.Tx, intent string) (time.Time, error) {
	in, found, err := findIntent(tx, intent)
	if err != nil || !found || in.Verb != verbApprove && in.Verb != verbDeny && in.Verb != verbReview {
		return time.Time{}, err
	}
	r, err := tx.Request(in.Request)
	if err != nil {
		return time.Time{}, err
	}
	role, _ := s.cfg.Roles.Named(r.Role)
	if role.DecideFresh || s.cfg.DecideWithin == 0 {
		return in.Clicked, nil
	}
	return tx.Now().Add(-s.cfg.DecideWithin), nil
}

// lengthOf says how long the access is to last, by PIM's copy once there is one.
func (s *Service) lengthOf(r pim.Request) string {
	role, _ := s.cfg.Roles.Named(r.Role)
	switch {
	case r.Copy.Duration > 0:
		return pim.FormatDuration(r.Copy.Duration)
	case !r.Copy.End.IsZero():
		return "until " + r.Copy.End.UTC().Format("2 January 15:04 UTC")
	case !r.Asked.Until.IsZero():
		return "until " + r.Asked.Until.UTC().Format("2 January 15:04 UTC")
	case r.Asked.Duration > 0:
		return pim.FormatDuration(r.Asked.Duration)
	}
	return pim.FormatDuration(role.Default)
}

// describeVerb is for steps without a request. A sign-in for its own sake goes
// on with nothing.
func describeVerb(verb string) string {
	if verb == verbForm {
		return "ask for a role"
	}
	return ""
}

// Resume goes on with what a sign-in interrupted, by the same door and with the
// rules run again. The text is for the sign-in page.
func (s *Service) Resume(_ context.Context, account pim.ChatAccount, intent string) (string, error) {
	defer s.homesTurned() // whoever signed in may be known only now
	var in store.Intent
	var found bool
	err := s.cfg.Store.View(func(tx *store.Tx) error {
		var err error
		in, found, err = findIntent(tx, intent)
		return err
	})
	switch {
	case err != nil:
		return "", err
	case intent == "":
		return s.signedInForNothing(account, "")
	case !found || in.Account != account || !s.cfg.Now().Before(in.Expires):
		// The same click made twice leaves two links, and only the newer one has something to go on with.
		text, err := s.signedInForNothing(account, "")
		return nothingLeft + " " + text, err
	}
	text, err := s.resume(in)
	if err != nil {
		return "", errors.Join(err, s.tellNotResumed(in, err))
	}
	return text, nil
}

const nothingLeft = "This sign-in link was made for a step that is over, or that you began again since, so nothing was done beyond signing you in. " +
	"If the step still waits, open its newest sign-in link, or begin it again."

func (s *Service) resume(in store.Intent) (string, error) {
	from := Sender{Account: in.Account, Name: in.Name, Place: in.Origin}
	switch in.Verb {
	case verbSubmit:
		return s.resumeSubmit(in)
	case verbApprove, verbDeny:
		return s.resumeDecision(from, in)
	case verbCancel, verbRelease:
		return s.resumeOwn(from, in)
	case verbRevoke:
		return s.resumeRevoking(from, in)
	case verbReview:
		return s.resumeReview(from, in)
	case verbForm:
		return s.resumeForm(in)
	}
	return s.signedInForNothing(in.Account, in.ID)
}

// tellNotResumed says also in the chat that a step did not go on after its
// sign-in: the page may be closed before anybody reads it.
func (s *Service) tellNotResumed(in store.Intent, why error) error {
	return s.update(func(tx *store.Tx) error {
		step := "Your step"
		if in.Request != "" {
			step = fmt.Sprintf("Your step to %s request %s", in.Verb, in.Request)
		}
		text := fmt.Sprintf("%s did not go on after the sign-in. %s", step, pim.Explain(why).Message)
		tell := s.putTell(tx, "resume|"+in.ID, in.Request, pim.DirectTo(in.Account), message{Text: text, Problem: true})
		return errors.Join(tell, s.sessionUnused(tx, in.Account))
	})
}

// signedInForNothing ends a sign-in that goes on with nothing. A session that is
// not kept is over with it.
func (s *Service) signedInForNothing(account pim.ChatAccount, intent string) (string, error) {
	err := s.update(func(tx *store.Tx) error {
		if intent != "" {
			if err := tx.DeleteIntent(intent); err != nil {
				return err
			}
		}
		return s.sessionUnused(tx, account)
	})
	return "You can close this page and go on in the chat.", err
}

// sessionUnused ends the session of a sign-in that led to no step, where it is not kept.
func (s *Service) sessionUnused(tx *store.Tx, account pim.ChatAccount) error {
	session, found, err := tx.Session(account)
	if err != nil || !found {
		return err
	}
	return s.sessionUsed(tx, pim.Actor{Person: session.Person, Account: account, Name: session.Name})
}

// resumeSubmit sends the request that waited for the sign-in.
func (s *Service) resumeSubmit(in store.Intent) (string, error) {
	text := ""
	err := s.update(func(tx *store.Tx) error {
		if err := tx.DeleteIntent(in.ID); err != nil {
			return err
		}
		r, err := tx.Request(in.Request)
		if err != nil {
			return err
		}
		if text, err = s.goOnSubmitting(tx, &r, in); err != nil || r.State == pim.Submitting {
			return err
		}
		return s.sessionUnused(tx, in.Account)
	})
	return text, err
}

func (s *Service) goOnSubmitting(tx *store.Tx, r *pim.Request, in store.Intent) (string, error) {
	if r.State != pim.WaitingForSignIn {
		return fmt.Sprintf("Request %s is %s. Nothing else had to be done.", r.ID, r.State.Phrase()), nil
	}
	who, err := s.identify(tx, in.Account, in.Name)
	if err != nil {
		return "", err
	}
	role, ok := s.cfg.Roles.Named(r.Role)
	if who.session == nil || !ok {
		return "", pim.Errorf(pim.SignIn, "The sign-in did not last. Ask again in the chat.")
	}
	if err := s.mayGoOn(tx, r, who, role); err != nil {
		why := pim.Explain(err).Message
		if other, ok := errors.AsType[*blocked](err); ok {
			r.Requester, r.Principal = who.actor, who.actor.Person // else what is theirs is not shown to them
			r.Refusal = &pim.Refusal{Kind: pim.Conflict, Code: codeOf(other.request), Other: other.request.ID}
		}
		return why, s.cancelUnsent(tx, r, pim.Event{Kind: pim.EventCanceled, By: who.actor}, why)
	}
	r.Requester, r.Principal = who.actor, who.actor.Person
	if err := r.Move(pim.Submitting); err != nil {
		return "", err
	}
	event := pim.Event{Kind: pim.EventObserved, By: who.actor, From: pim.WaitingForSignIn, Text: "signed in"}
	if err := s.record(tx, r, event); err != nil {
		return "", err
	}
	d := decision{Chat: pim.Web}
	if made := in.Expires.Add(-intentLife); who.session.SignedIn.After(made) {
		d.Challenge = challengeOf(in)
	}
	if err := s.putSubmit(tx, r, d); err != nil {
		return "", err
	}
	text := fmt.Sprintf("Your request %s for %s is on its way to PIM. You can close this page; the chat shows the rest.", r.ID, role.Title)
	if waits, err := waitsForEnd(tx, r); err != nil {
		return "", err
	} else if waits {
		text = fmt.Sprintf("Your request %s for %s is sent to PIM as soon as the access that you have now is over. You can close this page; the chat shows the rest.", r.ID, role.Title)
	}
	return text, s.turn(tx, r)
}

// mayGoOn repeats the rules that the sign-in could have changed: it may have
// told who the person is.
func (s *Service) mayGoOn(tx *store.Tx, r *pim.Request, who identity, role pim.Role) error {
	open, err := tx.OpenOf(role.Group, pim.ChatAccount{}, who.ids()...)
	if err != nil {
		return err
	}
	for _, other := range open {
		followed := r.Follows != nil && r.Follows.Request == other.ID
		if other.ID != r.ID && !followed && slices.Contains(who.ids(), other.Principal) && other.Principal != "" {
			return blockedBy(other, role, who)
		}
	}
	if err := pim.CheckAsked(role, r.Asked, tx.Now()); err != nil {
		return err
	}
	return s.somebodyCouldApprove(tx, who, role)
}

// resumeForm offers the form that was interrupted, as a message with a button.
func (s *Service) resumeForm(in store.Intent) (string, error) {
	err := s.update(func(tx *store.Tx) error {
		if err := tx.DeleteIntent(in.ID); err != nil {
			return err
		}
		who, err := s.identify(tx, in.Account, in.Name)
		if err != nil {
			return err
		}
		if who.actor.Person != "" {
			if err := tx.PutEffect(eligibleEffect(who.actor.Person)); err != nil {
				return err
			}
		}
		return s.putTell(tx, "form", "", pim.DirectTo(in.Account), message{
			Form: true, Role: in.Values[card.FieldRole], Draft: in.Values[valueDraft],
		})
	})
	return "You can close this page. In the chat, a message has a button that opens the form.", err
}

// GiveUpIntents drops what waits for a chat account's sign-in, as when its link
// ends: the page would go on telling what it was about.
func GiveUpIntents(tx *store.Tx, a pim.ChatAccount) error {
	waiting, err := tx.IntentsOf(a)
	if err != nil {
		return err
	}
	for _, in := range waiting {
		if in.Verb == verbSubmit {
			continue // the request's own end does that, and nobody else learns of it
		}
		if err := tx.DeleteIntent(in.ID); err != nil {
			return err
		}
	}
	return nil
}
