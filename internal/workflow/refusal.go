package workflow

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
)

// refused ends a request that PIM did not take, with what its next step needs to know. What could not be read for that
// is left out: the refusal itself is known.
func (s *Service) refused(ctx context.Context, r pim.Request, said *pim.Error) (result, error) {
	s.cfg.Logger.Info("pim_refused", "request", string(r.ID), "role", r.Role, "kind", string(said.Kind), "code", said.Code,
		"rules", strings.Join(said.Rules, " "), "request_id", said.RequestID)
	why := pim.RefusalOf(said)
	var err error
	switch why.Mend() {
	case pim.MendLength:
		why.Most, err = s.longest(ctx, r)
	case pim.MendRole:
		why.Roles, err = s.eligibleInstead(ctx, r)
		why.Known = err == nil
	case pim.MendHeld, pim.MendOpen:
		var c pim.Copy
		if c, why.Until, err = s.standsInTheWay(ctx, r); err == nil && c.SentAs(activation(r), r.Principal, r.Created, s.cfg.Now()) {
			return result{apply: func(tx *store.Tx) error { return s.submitted(tx, r.ID, c) }}, nil // it is this very request
		}
		if err == nil && c.ID != "" {
			why.Other, err = s.requestOf(c, r.Requester)
		}
	case pim.MendForm, pim.MendSignIn, pim.MendAdministrator, pim.MendLater:
	}
	if err != nil {
		s.cfg.Logger.Warn("next_step_not_read", "request", string(r.ID), "error", err)
	}
	r.Refusal = why
	return s.finishUnsent(r, pim.Refused, pim.EventRefused, said.Message)
}

// longest returns the longest activation that PIM's own rules allow, as read within the last five minutes.
func (s *Service) longest(ctx context.Context, r pim.Request) (time.Duration, error) {
	role, _ := s.cfg.Roles.Named(r.Role)
	if a, ok := s.policies.get(r.Group, s.cfg.Now(), policyAge); ok && r.Asked.TooLong(role, a.policy.MaxDuration, r.Created) {
		return a.policy.MaxDuration, nil
	}
	var q pim.Question
	s.policyQuestion(&q, r.Group)
	answer, err := s.cfg.Directory.Look(ctx, q)
	if err != nil {
		return 0, err
	}
	policy, read := answer.Policies[r.Group]
	switch {
	case !read:
		return 0, errors.Join(append(answer.Failed, pim.Errorf(pim.Unavailable, "PIM's rules could not be read."))...)
	case !r.Asked.TooLong(role, policy.MaxDuration, r.Created):
		return 0, nil // it was less than that, and was refused all the same
	}
	return policy.MaxDuration, s.learn(ctx, answer)
}

// eligibleInstead returns the other roles that the person may ask for, by name.
func (s *Service) eligibleInstead(ctx context.Context, r pim.Request) (names []string, err error) {
	groups, err := s.askEligible(ctx, r.Principal)
	if err != nil {
		return nil, err
	}
	for _, role := range s.cfg.Roles {
		if _, ok := groups[role.Group]; ok && role.Group != r.Group {
			names = append(names, role.Name)
		}
	}
	return names, nil
}

// standsInTheWay finds the request in PIM, of the same person's, that keeps it from taking this one, and until when there
// is access by it. The copy is empty where PIM's lists do not show one yet.
func (s *Service) standsInTheWay(ctx context.Context, r pim.Request) (c pim.Copy, until time.Time, err error) {
	recent, member := pim.Recent{Group: r.Group, Principal: r.Principal}, pim.Membership{Group: r.Group, Principal: r.Principal}
	answer, err := s.cfg.Directory.Look(ctx, pim.Question{Recent: []pim.Recent{recent}, Access: []pim.Membership{member}})
	if err != nil {
		return c, until, err
	}
	c, until = blocking(answer.Recent[recent], answer.Access[member].Instances, s.cfg.Now())
	if c.ID == "" {
		err = errors.Join(answer.Failed...)
	}
	return c, until, err
}

// requestOf returns our request for PIM's, while it is open. One that was made elsewhere gets one, with a card for whoever
// it is of.
func (s *Service) requestOf(c pim.Copy, who pim.Actor) (id pim.RequestID, err error) {
	if err := s.meet(c, pim.Profile{ID: who.Person, Name: who.Name}); err != nil {
		return "", err
	}
	err = s.update(func(tx *store.Tx) error {
		id = ""
		known, found, err := tx.ByPIM(c.ID)
		if err != nil || !found {
			return err
		}
		met, err := tx.Request(known)
		if err != nil || !met.State.Open() {
			return err
		}
		id = known
		return s.giveCard(tx, &met, who)
	})
	return id, err
}

// giveCard sends somebody the card of what they asked for elsewhere, now that they are known by a chat account.
func (s *Service) giveCard(tx *store.Tx, met *pim.Request, to pim.Actor) error {
	if !met.Requester.Account.IsZero() || met.Principal != to.Person {
		return nil
	}
	met.Requester.Account = to.Account
	e := pim.Event{Kind: pim.EventObserved, Chat: pim.System, From: met.State, Text: "whoever asked is known by " + to.Account.String()}
	return errors.Join(s.record(tx, met, e), s.turn(tx, met))
}

// blocking is the request in PIM that keeps it from taking another one: what led to the access that is there, else what
// waits or begins later; an empty one where neither is. Until is the end of that access.
func blocking(copies []pim.Copy, instances []pim.Instance, now time.Time) (c pim.Copy, until time.Time) {
	for _, i := range instances {
		if i.Access != pim.Member || !i.End.IsZero() && !i.End.After(now) {
			continue
		}
		if i.End.After(until) {
			until = i.End
		}
		if at := slices.IndexFunc(copies, func(c pim.Copy) bool { return c.LedTo(i) }); at >= 0 {
			c = copies[at]
		}
	}
	for _, one := range copies {
		opens := slices.Contains([]pim.State{pim.Pending, pim.Scheduled, pim.Granting}, pim.StateOf(one, now)) && pim.ReadStatus(one.Status) != pim.WordProvisioned
		if c.ID == "" && opens && one.Action == pim.SelfActivate && one.Access == pim.Member {
			c = one
		}
	}
	return c, until
}

// viewRefusal shows the requester what stands in the way of theirs, while it does.
func (s *Service) viewRefusal(tx *store.Tx, r *pim.Request, v *card.View) error {
	v.Roles = s.cfg.Roles
	if r.Refusal == nil || r.Refusal.Other == "" {
		return nil
	}
	other, err := tx.Request(r.Refusal.Other)
	if err == nil && other.State.Open() && other.Principal == r.Principal {
		v.Other = &other
	}
	return err
}

// administeredEvery is how often on-call is told of the same thing that only an administrator can mend.
const administeredEvery = 24 * time.Hour

// tellAdministered tells on-call what only an administrator can mend, once a day and not with each request.
func (s *Service) tellAdministered(tx *store.Tx, r *pim.Request) error {
	if r.Refusal == nil || r.Refusal.Mend() != pim.MendAdministrator {
		return nil
	}
	note := "administered|" + strings.Join(append([]string{strings.ToLower(r.Refusal.Code)}, r.Refusal.Rules...), "|")
	var told time.Time
	if _, err := tx.Meta(note, &told); err != nil || tx.Now().Sub(told).Abs() < administeredEvery {
		return err
	}
	if err := tx.PutMeta(note, tx.Now()); err != nil {
		return err
	}
	title := r.Role
	if role, ok := s.cfg.Roles.Named(r.Role); ok {
		title = role.Title
	}
	text := fmt.Sprintf("A request for %s was not taken, and neither will others be until an administrator mends it. %s `elevate doctor` says what it finds.", title, r.Why)
	return s.tellOnCall(tx, s.cfg.Roles, fmt.Sprintf("%s|%d", note, tx.Now().Unix()), message{Text: text, Administered: true})
}

// draft is what somebody typed that could not be asked for: a button has it asked for otherwise. It is kept in memory;
// whoever presses the button after a restart types it once more.
type draft struct {
	name  string
	role  string
	asked pim.Asked
	most  time.Duration // what is offered instead; zero: nothing is
	why   string
}

const (
	draftLife  = time.Hour
	draftsMost = 2000 // accounts, of which each has draftsOwn: nobody pushes out what others typed
	draftsOwn  = 4
)

// keepDraft keeps what was typed, instead of the oldest of the same account's where these are many.
func (s *Service) keepDraft(a pim.ChatAccount, d draft, now time.Time) {
	mine, _ := s.drafts.Get(a.String(), now)
	mine = append(slices.Clone(mine), d)
	s.drafts.Put(a.String(), mine[max(len(mine)-draftsOwn, 0):], now)
}

// draft returns what somebody typed.
func (s *Service) draft(a pim.ChatAccount, name string, now time.Time) (d draft, known bool) {
	mine, _ := s.drafts.Get(a.String(), now)
	i := slices.IndexFunc(mine, func(d draft) bool { return d.name == name })
	if name == "" || i < 0 {
		return d, false
	}
	return mine[i], true
}

// unasked answers words that cannot be asked for like this: with the form that holds them and, where they ask for too
// long, with the longest that is allowed in one click.
func (s *Service) unasked(from Sender, role pim.Role, a pim.Asked, said *pim.Error) Reply {
	now := s.cfg.Now()
	most := role.Max
	if known, ok := s.policies.get(role.Group, now, policyAge); ok && known.policy.MaxDuration > 0 && most > 0 {
		most = min(most, known.policy.MaxDuration)
	}
	if said.Field != card.FieldDuration || !a.TooLong(role, role.Max, now) || pim.CheckAsked(role, a.Lasting(most, now), now) != nil {
		most = 0 // this alone does not mend it
	}
	name := rand.Text()
	s.keepDraft(from.Account, draft{name, role.Name, a, most, said.Message}, now)
	return reply(card.Unasked(said, role, name, most))
}

// notAsked answers what was not stored, with what helps.
func (s *Service) notAsked(from Sender, role pim.Role, a pim.Asked, err error) Reply {
	if other, ok := errors.AsType[*blocked](err); ok {
		return reply(card.InTheWay(other.said, other.request, role))
	}
	if said := pim.Explain(err); said.Kind == pim.Invalid {
		return s.unasked(from, role, a, said)
	}
	return s.notStored(err)
}

// blocked is the error of asking for what one's own open request keeps one from.
type blocked struct {
	said    *pim.Error
	request pim.Request
}

// blockedBy says why somebody may not ask beside a request. What was another person's, while the account was theirs, is
// not shown.
func blockedBy(r pim.Request, role pim.Role, who identity) error {
	err := secondRequest(r, role, who)
	if !pim.IsKind(err, pim.Conflict) {
		return err
	}
	return &blocked{pim.Explain(err), r}
}

func (e *blocked) Error() string { return e.said.Error() }

// Unwrap returns what is said to the person.
func (e *blocked) Unwrap() error { return e.said }

// askMost asks once more for what was too long, for the longest that was offered. The click names what was asked for, and
// nothing else that it brings counts.
func (s *Service) askMost(ctx context.Context, from Sender, c Click, shown bool) Reply {
	now := s.cfg.Now()
	if c.Request == "" {
		d, known := s.draft(from.Account, c.Digest, now)
		if !known || d.most <= 0 {
			return problem(pim.Errorf(pim.NotFound, "Elevate does not remember what you typed there, or somebody else typed it. Type it again; nothing was asked for."))
		}
		return s.activate(ctx, from, d.role, d.asked.Lasting(d.most, now))
	}
	r, err := s.ownRequest(from, c.Request, shown)
	switch {
	case err != nil:
		return s.notDone(err)
	case r.State != pim.Refused || r.Refusal == nil || r.Refusal.Most <= 0:
		return problem(pim.Errorf(pim.Conflict, "Request %s is %s, so there is nothing to ask for again. `/elevate status` shows your requests.", r.ID, r.State.Phrase()))
	}
	return s.activate(ctx, from, r.Role, r.Asked.Lasting(r.Refusal.Most, now))
}

// ownRequest returns somebody's own request. Of others they hear no more than they may.
func (s *Service) ownRequest(from Sender, id pim.RequestID, shown bool) (r pim.Request, err error) {
	err = s.cfg.Store.View(func(tx *store.Tx) error {
		var err error
		if r, err = tx.Request(id); err != nil {
			return err
		}
		who, err := s.identify(tx, from.Account, from.Name)
		switch {
		case err != nil || owns(&r, who):
			return err
		case !shown:
			if known, unread := s.mayHear(tx, &r, who); unread != nil || !known {
				return noRequest(id)
			}
		}
		return pim.Errorf(pim.Forbidden, "Only the person who asked can ask for this again. `/elevate` opens a form of your own.")
	})
	return r, err
}
