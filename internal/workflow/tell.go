package workflow

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
)

// putTell has a person told something.
func (s *Service) putTell(tx *store.Tx, key string, id pim.RequestID, to pim.Conversation, m message) error {
	if s.cfg.Messengers[to.Chat] == nil {
		return nil
	}
	e, err := tellEffect(key, id, to, m)
	if err != nil {
		return err
	}
	return tx.PutEffect(e)
}

// PutTold has a person told a sentence in a direct message; for the sign-in
// pages and the operator's commands.
func PutTold(tx *store.Tx, a pim.ChatAccount, text string) error {
	e, err := tellEffect("told|"+rand.Text(), "", pim.DirectTo(a), message{Text: text})
	if err != nil {
		return err
	}
	return tx.PutEffect(e)
}

// tell says something to one person or place. A sign-in link is made at this moment, so
// that none is ever stored.
func (s *Service) tell(ctx context.Context, e store.Effect) (result, error) {
	m, err := dataOf[message](e)
	if err != nil {
		return result{}, err
	}
	messenger := s.cfg.Messengers[e.To.Chat]
	if messenger == nil {
		return result{park: "This chat is not set up any more."}, nil
	}
	former, err := dataOf[formerlyTold](e)
	if err != nil {
		return result{}, err
	}
	if a, is := s.alarmOf(former, e); is {
		return result{apply: func(tx *store.Tx) error { return s.tellFormer(tx, e.To, a) }}, nil
	}
	c, err := s.cardFor(e, m)
	if err != nil || c == nil {
		return result{}, err
	}
	if m.Problem || m.Administered {
		if err := s.callOnCall(e.To, c); err != nil {
			return result{}, err
		}
	}
	_, err = messenger.Post(ctx, e.To, *c)
	if e.To.Thread != "" && pim.IsKind(err, pim.NotFound) {
		return result{}, nil // whoever deleted the card wants no more of it
	}
	if err != nil {
		return givenUp(err)
	}
	return result{}, nil
}

// cardFor draws a message; nil when there is nothing to say any more.
func (s *Service) cardFor(e store.Effect, m message) (*card.Card, error) {
	var c card.Card
	switch {
	case m.Intent != "":
		return s.signInCard(m)
	case m.Ending:
		return s.stillTrue(e.Request, endsSoon)
	case m.Step != "":
		return s.stillTrue(e.Request, steps(m.Step, e.To))
	case m.Revoked:
		return s.stillTrue(e.Request, revoked)
	case m.Reviewed:
		return s.stillTrue(e.Request, reviewedBy)
	case m.Overdue:
		return s.overdueCard(e.To)
	case m.Administered:
		c = card.Problem(pim.Errorf(pim.Administered, "%s", m.Text))
	case m.Form:
		c = card.FormReady(m.Role, m.Draft)
	case m.Problem && e.To.User == "":
		c = card.PIMUnread(m.Text)
	case m.Problem:
		c = card.NotDone(m.Text)
	default:
		c = card.Answer(m.Text)
	}
	c.Request = e.Request
	return &c, nil
}

// stillTrue draws a message of a request's as it is now; nil where it is true no
// more.
func (s *Service) stillTrue(id pim.RequestID, draw func(pim.Request, pim.Role, time.Time) *card.Card) (c *card.Card, err error) {
	err = s.cfg.Store.View(func(tx *store.Tx) error {
		r, err := tx.Request(id)
		if err != nil {
			return err
		}
		role, _ := s.cfg.Roles.Named(r.Role)
		c = draw(r, role, tx.Now())
		return nil
	})
	return c, err
}

// revoked tells the holder who ended the access, and why.
func revoked(r pim.Request, role pim.Role, _ time.Time) *card.Card {
	if r.Revoking == nil {
		return nil
	}
	c := card.Revoked(r, role)
	return &c
}

// reviewedBy tells the holder who reviewed the use of an emergency role.
func reviewedBy(r pim.Request, role pim.Role, _ time.Time) *card.Card {
	if r.Review == nil || r.Unreviewed() {
		return nil
	}
	c := card.Reviewed(r, role)
	return &c
}

// endsSoon says that an access ends soon.
func endsSoon(r pim.Request, role pim.Role, now time.Time) *card.Card {
	if r.State != pim.Active || !now.Before(r.Ends) {
		return nil
	}
	c := card.EndsSoon(r, role)
	return &c
}

func (s *Service) signInCard(m message) (*card.Card, error) {
	var c *card.Card
	err := s.update(func(tx *store.Tx) error {
		c = nil
		in, found, err := findIntent(tx, m.Intent)
		if err != nil || !found {
			return err
		}
		what, err := s.Describe(tx, in.ID)
		if err != nil {
			return err
		}
		url, err := s.signInLink(tx, Sender{Account: in.Account, Name: in.Name}, in.ID, in.Claims)
		if err != nil {
			return err
		}
		drawn := card.SignInNeeded(what, url)
		if in.Reason != "" && in.Verb == verbSubmit {
			drawn.Lines = append([]card.Text{card.Plain(in.Reason)}, drawn.Lines...)
		}
		c = &drawn
		return nil
	})
	return c, err
}

// personParked tells a person that a step of theirs was given up, and opens the
// request that they had claimed or were about to release.
func (s *Service) personParked(tx *store.Tx, e store.Effect, why string) error {
	if !personal(e.Kind) {
		return nil
	}
	r, err := tx.Request(e.Request)
	if err != nil {
		return err
	}
	switch e.Kind {
	case kindDecide:
		err = s.dropClaim(tx, &r, e.As, why)
	case kindRelease:
		err = s.dropRelease(tx, &r, pim.Event{Kind: pim.EventRefused, By: e.As, Text: why})
	case kindRevoke:
		if r.State == pim.Active && r.Leaving == "" && revokedBy(&r, e.As) {
			r.Revoking = nil
		}
		err = s.record(tx, &r, pim.Event{Kind: pim.EventRefused, By: e.As, Text: why})
	}
	if err != nil {
		return err
	}
	text := fmt.Sprintf("Elevate gave up your step (%s, request %s). %s Tell an administrator: `elevate queue list` names it.", e.Kind, e.Request, why)
	return s.putTell(tx, "parked|"+e.Key, e.Request, pim.DirectTo(e.As.Account), message{Text: text, Problem: true})
}
