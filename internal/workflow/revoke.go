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

// revoking is somebody's step to end another person's access.
type revoking struct {
	request pim.RequestID
	reason  string
	clicked time.Time
	intent  string // what a sign-in interrupted; it is spent with the step
}

// revoke is the one door for ending somebody else's access. Elevate has no right to
// do that: PIM lets the signed-in person, if they own or administer the group.
func (s *Service) revoke(from Sender, v revoking) Reply {
	v.reason = pim.Tidy(v.reason)
	if err := pim.CheckReason(v.reason); err != nil {
		return problem(err)
	}
	if err := s.takeTrying(from); err != nil {
		return problem(err)
	}
	r, url, again, err := s.beginRevoking(from, v)
	role, _ := s.cfg.Roles.Named(r.Role)
	switch {
	case err != nil:
		return s.notDone(err)
	case r.ID == "":
		return s.signInFirst(from)
	case url != "":
		return reply(card.SignInNeeded(fmt.Sprintf("revoke request %s", r.ID), url))
	case again:
		return s.asItIs(from, r, card.OnCall)
	}
	return reply(card.Revoking(r, role))
}

// beginRevoking checks who says it, and has it sent or the person sign in. A
// request without an id is for somebody who is not known.
func (s *Service) beginRevoking(from Sender, v revoking) (r pim.Request, url string, again bool, err error) {
	err = s.update(func(tx *store.Tx) error {
		r, url, again = pim.Request{}, "", false
		who, err := s.identify(tx, from.Account, from.Name)
		if err != nil || who.actor.Person == "" {
			return err
		}
		if r, err = tx.Request(v.request); err != nil {
			return noRequest(v.request)
		}
		if first, found, err := s.seen(tx, from); err != nil || found && first.ID == r.ID {
			again = found
			return errors.Join(err, s.linkAgain(tx, from, &r, &url))
		}
		if err := s.mayRevoke(tx, &r, who, v.intent != ""); err != nil {
			return err
		}
		if err := remember(tx, from, r.ID); err != nil {
			return err
		}
		if v.intent != "" {
			if err := tx.DeleteIntent(v.intent); err != nil {
				return err
			}
		}
		if who.session == nil {
			url, err = s.intendByLink(tx, from, store.Intent{Request: r.ID, Verb: verbRevoke, Reason: v.reason, Clicked: v.clicked})
			return err
		}
		if err := s.record(tx, &r, pim.Event{Kind: pim.EventRevoking, By: who.actor, Text: v.reason}); err != nil {
			return err
		}
		return s.putPersonEffect(tx, kindRevoke, &r, who.actor, decision{Reason: v.reason, Clicked: v.clicked, Chat: from.Account.Chat})
	})
	return r, url, again, err
}

// mayRevoke says why this person may not end this access, as if there were no such
// request where they may not know of it. Whether they administer the group is known
// to PIM alone. Just after a start nobody knows who owns the group; who began the
// step before that goes on.
func (s *Service) mayRevoke(tx *store.Tx, r *pim.Request, who identity, resumed bool) error {
	owner := slices.ContainsFunc(who.ids(), func(id pim.PrincipalID) bool {
		owns := s.owners.certainly(r.Group, id)
		return owns == pim.Yes || resumed && owns == pim.NotKnown
	})
	if known, err := s.mayHear(tx, r, who); !owner && (err != nil || !known) {
		return noRequest(r.ID)
	}
	if owns(r, who) {
		return pim.Errorf(pim.Conflict, "You hold this access yourself. Release it with `/elevate release %s`.", r.Role)
	}
	return pim.MayRevoke(r, tx.Now())
}

// revokeAs removes the member as the signed-in person. It never expires: whoever
// wants somebody out is not done by a Graph that is away.
func (s *Service) revokeAs(ctx context.Context, e store.Effect) (result, error) {
	d, err := dataOf[decision](e)
	if err != nil {
		return result{}, err
	}
	r, who, err := s.actorOf(e)
	if err != nil {
		return result{}, err
	}
	switch {
	case r.State != pim.Active:
		return s.tooLate(e, r, verbRevoke)
	case r.Leaving != "":
		return s.revokeNotNeeded(e, r)
	case who.session == nil || who.actor.Person != e.As.Person:
		return s.revokeNeedsSignIn(e, d, "")
	}
	before, err := s.noteRevokeSent(e, d)
	if err != nil {
		return result{}, err
	}
	_, err = s.cfg.Directory.Submit(ctx, e.As, pim.Activation{
		Action: pim.AdminRemove, Group: r.Group, Principal: r.Principal, Justification: pim.Mark(d.Reason, r.ID),
	})
	return s.revokeSent(e, r, d, before, err)
}

// revokeNotNeeded ends a removal where PIM took a release or somebody else's removal
// first: that one ends the access.
func (s *Service) revokeNotNeeded(e store.Effect, r pim.Request) (result, error) {
	if err := s.revokeNotDone(e); err != nil {
		return result{}, err
	}
	text := fmt.Sprintf("Nothing more was revoked: PIM is ending the access of request %s already.", r.ID)
	return s.telling(e, r, message{Text: text}, verbRevoke)
}

// revokedBy reports whether the removal that was sent to PIM is this person's.
func revokedBy(r *pim.Request, by pim.Actor) bool {
	return r.Revoking != nil && r.Revoking.By.Person == by.Person
}

// noteRevokeSent writes that the removal is about to be sent, and reports whether
// it was before without an answer. Somebody else's without an answer stays: it may be
// what ends the access.
func (s *Service) noteRevokeSent(e store.Effect, d decision) (before bool, err error) {
	err = s.changeActive(e.Request, func(tx *store.Tx, r *pim.Request) error {
		if before = revokedBy(r, e.As); before {
			return nil
		}
		if r.Revoking == nil {
			r.Revoking = &pim.Revoking{By: e.As, Reason: d.Reason, Sent: tx.Now()}
		}
		return s.record(tx, r, pim.Event{Kind: pim.EventSent, By: e.As, Text: verbRevoke})
	})
	return before, err
}

// revokeSent deals with PIM's answer to a removal.
func (s *Service) revokeSent(e store.Effect, r pim.Request, d decision, before bool, err error) (result, error) {
	said := pim.Explain(err)
	lostBefore := before && said.Code == codeNoAssignment
	switch {
	case lostBefore && overByItself(r, s.cfg.Now()):
		return result{apply: func(tx *store.Tx) error { return s.releaseOver(tx, &r, e.As) }}, nil
	case err == nil || lostBefore:
		return result{apply: func(tx *store.Tx) error { return s.noteRevoked(tx, e.Request, e.As, d.Reason) }}, nil
	}
	if !mayBeDone(err) {
		if noted := s.revokeNotDone(e); noted != nil {
			return result{}, noted
		}
	}
	switch {
	case triedAgain(err):
		return result{}, err
	case said.Kind == pim.SignIn:
		return s.revokeNeedsSignIn(e, d, said.Claims)
	case said.Kind == pim.Forbidden:
		err = pim.Errorf(pim.Forbidden, "Only owners of the role's group and administrators of privileged roles can. Ask one of them, or ask the holder to release it.")
	case said.Code == codeNoAssignment:
		err = pim.Errorf(pim.NotFound, "PIM holds no such access any more; the card says so as soon as that was read back.")
	}
	return result{apply: func(tx *store.Tx) error {
		r, read := tx.Request(e.Request)
		if read != nil {
			return read
		}
		refused := pim.Event{Kind: pim.EventRefused, By: e.As, Text: verbRevoke + ": " + pim.Explain(err).Message}
		if err := s.record(tx, &r, refused); err != nil {
			return err
		}
		text := fmt.Sprintf("PIM did not revoke request %s. %s", r.ID, pim.Explain(err).Message)
		if err := s.putTell(tx, verbRevoke+"|"+string(r.ID), r.ID, pim.DirectTo(e.As.Account), message{Text: text, Problem: true}); err != nil {
			return err
		}
		return s.releaseOver(tx, &r, e.As)
	}}, nil
}

// mayBeDone reports whether PIM may have done what it gave no answer to.
func mayBeDone(err error) bool {
	kind := pim.Explain(err).Kind
	return triedAgain(err) && kind != pim.Throttled && kind != pim.Unavailable
}

// revokeNotDone takes the note of a sending back that came to nothing for certain. What PIM took stays.
func (s *Service) revokeNotDone(e store.Effect) error {
	return s.changeActive(e.Request, func(tx *store.Tx, r *pim.Request) error {
		if r.Leaving == pim.Revoked || !revokedBy(r, e.As) {
			return nil
		}
		r.Revoking = nil
		return tx.PutRequest(*r)
	})
}

func (s *Service) revokeNeedsSignIn(e store.Effect, d decision, claims string) (result, error) {
	return result{apply: func(tx *store.Tx) error {
		r, err := tx.Request(e.Request)
		if err != nil {
			return err
		}
		return s.askToSignIn(tx, e.As, &r, store.Intent{Request: r.ID, Verb: verbRevoke, Reason: d.Reason, Clicked: tx.Now(), Claims: claims})
	}}, nil
}

// noteRevoked writes that PIM took the removal, tells the holder, and has the end
// read back.
func (s *Service) noteRevoked(tx *store.Tx, id pim.RequestID, by pim.Actor, why string) error {
	r, err := tx.Request(id)
	if err != nil {
		return err
	}
	if r.State == pim.Active {
		if !revokedBy(&r, by) {
			r.Revoking = &pim.Revoking{By: by, Reason: why, Sent: tx.Now()}
		}
		r.Releasing, r.Leaving = nil, pim.Revoked
		if err := s.record(tx, &r, pim.Event{Kind: pim.EventRevoking, By: by, Text: "PIM took it"}); err != nil {
			return err
		}
		if err := s.turn(tx, &r); err != nil {
			return err
		}
	}
	if r.Revoking != nil {
		if err := s.tellRequester(tx, "revoked|"+string(id), &r, message{Revoked: true}); err != nil {
			return err
		}
	}
	return s.releaseOver(tx, &r, by)
}

// resumeRevoking goes on after the sign-in by the same door.
func (s *Service) resumeRevoking(from Sender, in store.Intent) (string, error) {
	r, url, _, err := s.beginRevoking(from, revoking{request: in.Request, reason: in.Reason, clicked: in.Clicked, intent: in.ID})
	switch {
	case err != nil:
		return "", errors.Join(err, s.update(func(tx *store.Tx) error { return tx.DeleteIntent(in.ID) }))
	case r.ID == "" || url != "":
		return "", pim.Errorf(pim.SignIn, "The sign-in did not last. Type it again in the chat.")
	}
	return fmt.Sprintf("Your step to %s is on its way to PIM. You can close this page; the card of request %s shows the rest.", s.describe(in.Verb, r), r.ID), nil
}
