package workflow

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
)

// How often one person may ask.
const (
	perMinute = 5
	perHour   = 20
)

// asked is what came of asking, enough to draw the answer.
type asked struct {
	request pim.Request
	role    pim.Role
	url     string // where to sign in, if that is needed
	again   bool   // the same step arrived before
}

// ask turns words into a request: judged, written, with its event and its first
// effect in one transaction. This write is the request.
func (s *Service) ask(from Sender, role pim.Role, a pim.Asked) (asked, error) {
	now := s.cfg.Now()
	if a.Duration == 0 && a.Until.IsZero() {
		a.Duration = role.Default // what is sent does not change with the settings
	}
	if err := pim.CheckAsked(role, a, now); err != nil {
		return asked{}, err
	}
	var out asked
	err := s.update(func(tx *store.Tx) error {
		out = asked{role: role}
		if r, found, err := s.seen(tx, from); err != nil || found {
			out.request, out.again = r, found
			return errors.Join(err, s.linkAgain(tx, from, &out.request, &out.url))
		}
		who, err := s.identify(tx, from.Account, from.Name)
		if err != nil {
			return err
		}
		if again, err := s.askAgain(tx, from, who, a, &out); again || err != nil {
			return err
		}
		follows, err := s.mayAsk(tx, who, role)
		if err != nil {
			return err
		}
		return s.write(tx, from, who, a, follows, &out)
	})
	return out, err
}

// seen returns the request that the same step led to before.
func (s *Service) seen(tx *store.Tx, from Sender) (pim.Request, bool, error) {
	if from.Once == "" {
		return pim.Request{}, false, nil
	}
	raw, found, err := tx.Seen(onceKey(from))
	if err != nil || !found {
		return pim.Request{}, false, err
	}
	r, err := tx.Request(pim.RequestID(strings.Trim(string(raw), `"`)))
	return r, err == nil, err
}

// linkAgain makes a new sign-in link for an answer that is given again: the
// first one is stored only as a hash.
func (s *Service) linkAgain(tx *store.Tx, from Sender, r *pim.Request, url *string) error {
	intents, err := tx.IntentsOn(r.ID)
	if err != nil {
		return err
	}
	for _, in := range intents {
		if in.Account == from.Account {
			*url, err = s.signInLink(tx, from, in.ID, in.Claims)
			return err
		}
	}
	return nil
}

// remember keeps what a step led to, for when it arrives twice.
func remember(tx *store.Tx, from Sender, id pim.RequestID) error {
	if from.Once == "" {
		return nil
	}
	return tx.PutSeen(onceKey(from), id, tx.Now().Add(seenLife))
}

// mayAsk checks what the state file knows against another request: how often
// the person asked, and whether one for the role is open. It returns the access
// that the new one has to wait for.
func (s *Service) mayAsk(tx *store.Tx, who identity, role pim.Role) (*pim.Follows, error) {
	if err := s.mayAskAgain(tx, who); err != nil {
		return nil, err
	}
	mine, err := tx.OpenOf(role.Group, who.actor.Account, who.ids()...)
	if err != nil {
		return nil, err
	}
	// The account's former person's are not this one's, who could not cancel them.
	mine = slices.DeleteFunc(mine, func(r pim.Request) bool {
		return r.Requester.Person != "" && who.actor.Person != "" && !owns(&r, who)
	})
	follows := endingSoon(mine, tx.Now())
	if len(mine) > 0 && follows == nil {
		first := mine[0]
		for _, r := range mine[1:] {
			if r.Waits() { // which is what can be canceled
				first = r
			}
		}
		return nil, blockedBy(first, role, who)
	}
	return follows, s.somebodyCouldApprove(tx, who, role)
}

// endingSoon is the access that a request made now follows: the only open one, of
// whose end its holder was told, or nil.
func endingSoon(mine []pim.Request, now time.Time) *pim.Follows {
	if len(mine) != 1 || mine[0].State != pim.Active {
		return nil
	}
	at := mine[0].EndingNotice()
	if at.IsZero() || now.Before(at) {
		return nil
	}
	return &pim.Follows{Request: mine[0].ID, Ends: mine[0].Ends}
}

// mayAskAgain bounds how often a person asks, from whatever account.
func (s *Service) mayAskAgain(tx *store.Tx, who identity) error {
	since := tx.Now().Add(-time.Hour)
	recent, err := tx.OfAccount(who.actor.Account, since, perHour)
	if err != nil {
		return err
	}
	for _, id := range who.ids() {
		if id == "" {
			continue
		}
		others, err := tx.OfPerson(id, since, perHour)
		if err != nil {
			return err
		}
		recent = append(recent, slices.DeleteFunc(others, func(r pim.Request) bool {
			return r.Chat == pim.Portal || slices.ContainsFunc(recent, func(o pim.Request) bool { return o.ID == r.ID })
		})...)
	}
	return tooMany(recent, tx.Now())
}

func tooMany(recent []pim.Request, now time.Time) error {
	inMinute := 0
	for _, r := range recent {
		if now.Sub(r.Created) < time.Minute {
			inMinute++
		}
	}
	if inMinute >= perMinute {
		return pim.Errorf(pim.Throttled, "You asked %d times within a minute. Wait a minute and ask again; nothing was asked for.", perMinute)
	}
	if len(recent) >= perHour {
		return pim.Errorf(pim.Throttled, "You asked %d times within an hour. Ask again later; nothing was asked for.", perHour)
	}
	return nil
}

func secondRequest(r pim.Request, role pim.Role, who identity) error {
	switch { // the others can be canceled
	case who.actor.Person == "" && r.Requester.Person != "":
		return pim.Errorf(pim.SignIn, "%s was asked for from this chat account before, while it was linked. Type /elevate sign-in first; nothing was asked for.", role.Title)
	case who.session != nil && r.State == pim.WaitingForSignIn:
		return pim.Errorf(pim.Conflict, "Your request %s for %s waits for its own sign-in link. Type it once more in the same words and it goes on, or cancel it with `/elevate cancel %s`.", r.ID, role.Title, r.ID)
	case r.State == pim.WaitingForSignIn:
		return pim.Errorf(pim.Conflict, "Your request %s for %s still waits for your sign-in. Type it once more in the same words for its sign-in link, or cancel it with `/elevate cancel %s` and ask anew.", r.ID, role.Title, r.ID)
	case r.Waits():
		return pim.Errorf(pim.Conflict, "You have asked for %s again already: request %s is sent as soon as the access that you have is over. Cancel it with `/elevate cancel %s` before you ask for something else.", role.Title, r.ID, r.ID)
	case r.State == pim.Active && (r.Leaving != "" || r.Releasing != nil):
		return pim.Errorf(pim.Conflict, "Your %s is being released, by request %s. Ask again as soon as its card says that it is over.", role.Title, r.ID)
	case r.State == pim.Granting:
		return pim.Errorf(pim.Conflict, "You will have %s in a moment: request %s is %s. Nothing more was asked for.", role.Title, r.ID, r.State.Phrase())
	case r.State == pim.Active:
		return pim.Errorf(pim.Conflict, "You already have %s, by request %s. Release it with `/elevate release %s`, or wait until it ends.", role.Title, r.ID, role.Name)
	}
	return pim.Errorf(pim.Conflict, "You already have an open request for %s: %s is %s. Cancel it with `/elevate cancel %s` before you ask again.", role.Title, r.ID, r.State.Phrase(), r.ID)
}

// somebodyCouldApprove refuses a request whose only approvers are the requester.
// Where the policy is not known, PIM finds out.
func (s *Service) somebodyCouldApprove(tx *store.Tx, who identity, role pim.Role) error {
	a, ok := s.policies.get(role.Group, tx.Now(), policyUse)
	if !ok || !a.policy.Approval {
		return nil
	}
	joined := "" // an approver who counts as the requester because both were seen together
	for id, profile := range a.approvers {
		if !profile.Enabled {
			continue
		}
		same, err := isPerson(tx, who, id)
		switch {
		case err != nil:
			return err
		case !same:
			return nil
		case !slices.Contains(who.ids(), id):
			joined = cmp.Or(profile.Name, "An approver")
		}
	}
	if joined != "" {
		return pim.Errorf(pim.Forbidden, "%s could approve %s, but Elevate takes you and them for one person, because both of you signed in from one chat account or in one browser. "+
			"Ask an administrator to name another approver in PIM; nothing was asked for.", joined, role.Title)
	}
	return pim.Errorf(pim.Forbidden, "Nobody but you could approve %s, and nobody can approve their own request. Ask an administrator to name another approver in PIM; nothing was asked for.", role.Title)
}

// isPerson reports whether an object id is one of somebody's, or was seen
// together with one.
func isPerson(tx *store.Tx, who identity, id pim.PrincipalID) (bool, error) {
	for _, mine := range who.ids() {
		if mine == "" {
			continue
		}
		if same, err := tx.SamePerson(mine, id); err != nil || same {
			return same, err
		}
	}
	return false, nil
}

// write stores the request, its event, what comes next, and the answer to a
// repetition.
func (s *Service) write(tx *store.Tx, from Sender, who identity, a pim.Asked, follows *pim.Follows, out *asked) error {
	now := tx.Now()
	r := pim.Request{
		ID: tx.NewRequestID(), Role: out.role.Name, Group: out.role.Group, Requester: who.actor, Origin: from.Place,
		Chat: from.Account.Chat, Asked: a, State: pim.WaitingForSignIn, Created: now, Follows: follows,
	}
	if known, ok := s.policies.get(out.role.Group, now, policyUse); ok && known.policy.Approval {
		r.Approvers = known.names(who.ids()...)
	}
	if who.session != nil {
		r.State, r.Principal = pim.Submitting, who.actor.Person
	}
	if err := s.record(tx, &r, pim.Event{Kind: pim.EventRequested, By: who.actor, Text: a.Reason}); err != nil {
		return err
	}
	if err := remember(tx, from, r.ID); err != nil {
		return err
	}
	out.request = r
	if who.session != nil {
		if err := s.putSubmit(tx, &r, decision{Chat: from.Account.Chat}); err != nil || follows == nil {
			return err
		}
		return s.turn(tx, &r) // what waits is shown, so that it can be canceled
	}
	var err error
	out.url, err = s.intendByLink(tx, from, store.Intent{Request: r.ID, Verb: verbSubmit, Clicked: now})
	return err
}

// putSubmit has a request sent: at once, or after the access that it follows.
func (s *Service) putSubmit(tx *store.Tx, r *pim.Request, d decision) error {
	d.Clicked = tx.Now()
	e, err := personEffect(kindSubmit, r, r.Requester, d)
	if err != nil {
		return err
	}
	waits, err := waitsForEnd(tx, r)
	if err != nil {
		return err
	}
	if waits {
		e.Due = r.Follows.Ends.Add(absenceApart)
	}
	return tx.PutEffect(e)
}

func onceKey(from Sender) string { return from.Account.String() + "|" + from.Once }

// record writes a request with the event of what changed about it.
func (s *Service) record(tx *store.Tx, r *pim.Request, e pim.Event) error {
	e.Request, e.PIM, e.Role, e.Group, e.To = r.ID, r.Copy.ID, r.Role, r.Group, r.State
	if e.Person == "" {
		e.Person = r.Principal
	}
	if e.Chat == "" {
		e.Chat = chatOf(e.By)
	}
	if _, err := tx.Append(e); err != nil {
		return err
	}
	return errors.Join(tx.PutRequest(*r), s.turnHomes(tx), s.turnBoards(tx, r))
}

func chatOf(by pim.Actor) pim.Chat {
	if by.Account.Chat == "" {
		return pim.System
	}
	return by.Account.Chat
}

func (s *Service) putPersonEffect(tx *store.Tx, kind string, r *pim.Request, as pim.Actor, data any) error {
	e, err := personEffect(kind, r, as, data)
	if err != nil {
		return err
	}
	return tx.PutEffect(e)
}

// answerAsked draws what the person sees at once.
func (s *Service) answerAsked(from Sender, out asked) Reply {
	if out.again && out.url == "" && out.request.State != pim.Submitting {
		return s.asItIs(from, out.request, card.Requester)
	}
	return reply(card.Asked(out.request, out.role, out.request.Approvers, out.url))
}

// activate is the door for a command and for the form alike.
func (s *Service) activate(_ context.Context, from Sender, roleName string, a pim.Asked) Reply {
	role, ok := s.cfg.Roles.Named(roleName)
	if !ok {
		return problem(pim.Errorf(pim.NotFound, "There is no role called %q. `/elevate roles` lists those there are.", roleName))
	}
	out, err := s.ask(from, role, a)
	if err != nil {
		return s.notAsked(from, role, a, err)
	}
	return s.answerAsked(from, out)
}

// notStored says what went wrong before anything was written.
func (s *Service) notStored(err error) Reply {
	said := pim.Explain(err)
	if said.Kind == pim.Internal || said.Kind == pim.Unavailable {
		s.cfg.Logger.Error("not_stored", "error", err)
		said = pim.Errorf(said.Kind, "Elevate could not store this, so nothing was asked for. Try again, and tell an administrator if it stays.")
	}
	return problem(said)
}

func reply(c card.Card) Reply { return Reply{Card: &c} }

func problem(err error) Reply { return reply(card.Problem(pim.Explain(err))) }
