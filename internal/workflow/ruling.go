package workflow

import (
	"errors"
	"fmt"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
)

// ruling is a decision as it comes in, by whatever door.
type ruling struct {
	request pim.RequestID
	approve bool
	reason  string
	digest  string // of the facts the person saw, as they say; "" for a typed command
	clicked time.Time
	claims  string
	// since is when the person first said it, before a sign-in interrupted it.
	since time.Time
	// intent is what the sign-in interrupted; it is spent with the decision.
	intent string
	// challenge is what PIM wanted of that sign-in; nil where it wanted none.
	challenge *string
	// shown is set when a card of the request stood in front of the person.
	shown bool
}

// signedInSince is how new the sign-in has to be where each decision needs one.
func (d ruling) signedInSince() time.Time {
	if d.since.IsZero() {
		return d.clicked
	}
	return d.since
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

// ruled is what came of a decision or a review, enough to draw the answer.
type ruled struct {
	request pim.Request
	url     string
	// signIn is set when nothing can be said before the person has signed in.
	signIn bool
	// neutral is set when the person may not be told what the request is about.
	neutral bool
	// again is set when the same step arrived before.
	again bool
}

// ruleOn is the one door for a decision: button, form, command and resumed
// sign-in all come through here. Without a session that is fresh enough it
// becomes an intent, else a claim with its effect.
func (s *Service) ruleOn(from Sender, d ruling) (ruled, error) {
	var out ruled
	err := s.update(func(tx *store.Tx) error {
		out = ruled{}
		who, err := s.identify(tx, from.Account, from.Name)
		if err != nil {
			return err
		}
		if d.typed() && who.actor.Person == "" {
			out.signIn = true // whether there is such a request is not for everybody
			return nil
		}
		if out.request, err = tx.Request(d.request); err != nil {
			return err
		}
		if first, again, err := s.seen(tx, from); err != nil || (again && first.ID == d.request) {
			out.again = again
			return errors.Join(err, s.linkAgain(tx, from, &out.request, &out.url))
		}
		if err := s.mayRule(tx, &out.request, who, d, &out); err != nil {
			return err
		}
		return s.ruleAs(tx, from, who, d, &out)
	})
	return out, err
}

// ruleAs writes the claim, or the intent where the session is not good enough.
func (s *Service) ruleAs(tx *store.Tx, from Sender, who identity, d ruling, out *ruled) error {
	role, err := s.roleOf(&out.request)
	if err != nil {
		return err
	}
	if err := remember(tx, from, d.request); err != nil {
		return err
	}
	if d.intent != "" {
		if err := tx.DeleteIntent(d.intent); err != nil {
			return err
		}
	}
	switch lacks := s.lacks(who.session, role, d.signedInSince(), tx.Now()); {
	case lacks == nil:
		r := out.request
		return s.claim(tx, &r, who, d, out)
	case d.intent != "":
		return lacks // another sign-in would end as this one did
	case out.neutral:
		out.signIn = true // its page would have to say what is agreed to
		return nil
	}
	d.claims = withContext(d.claims, role.DecideContext)
	return s.intendRuling(tx, from, d, out)
}

// roleOf returns the role of a request, to decide by. Of a role that is not in
// the settings any more nobody knows what its decisions need.
func (s *Service) roleOf(r *pim.Request) (pim.Role, error) {
	role, ok := s.cfg.Roles.Named(r.Role)
	if !ok || role.Group != r.Group {
		return role, pim.Errorf(pim.Administered, "The role %s is not in Elevate's settings any more. Decide request %s in PIM itself.", r.Role, r.ID)
	}
	return role, nil
}

// mayRule says why this person may not decide, as far as is known here.
func (s *Service) mayRule(tx *store.Tx, r *pim.Request, who identity, d ruling, out *ruled) error {
	switch {
	case who.actor.Person != "":
		if d.typed() {
			known, err := s.mayHear(tx, r, who)
			if err != nil {
				return err
			}
			out.neutral = !known
		}
		return s.checkRuling(tx, r, who, d)
	case r.Requester.Account == who.actor.Account:
		return pim.Errorf(pim.Forbidden, "You cannot decide your own request. Another approver has to.")
	}
	return pim.Undecided(r) // nobody signs in for what is over; else the sign-in tells who it is
}

// typed reports whether the request was named, and nothing of it was shown: by a
// command, or by what looks like a click and is a client's word alone.
func (d ruling) typed() bool { return !d.shown }

// mayHear refuses, as if there were no such request, somebody who names one
// that they may not read. Where nobody knows who the approvers are, one that
// waits may be decided, since PIM says by whom; known is false then, and nothing
// else is told of it.
func (s *Service) mayHear(tx *store.Tx, r *pim.Request, who identity) (known bool, err error) {
	if owns(r, who) {
		return true, nil
	}
	reader := pim.Reader{
		Actor: who.actor, Auditor: s.reads(who), Eligible: map[string]bool{}, Approves: map[string]bool{},
		Reviews: map[string]bool{r.Role: s.reviewer(r, who) == pim.Yes},
	}
	policy, read := s.policies.get(r.Group, tx.Now(), ever)
	for _, id := range who.ids() {
		_, approves := policy.approvers[id]
		groups, _ := s.eligible.get(id, tx.Now())
		_, eligible := groups[r.Group]
		reader.Approves[r.Role] = reader.Approves[r.Role] || approves
		reader.Eligible[r.Role] = reader.Eligible[r.Role] || eligible
	}
	if pim.MayRead(r, reader) {
		return true, nil
	}
	if !read && r.State == pim.Pending {
		return false, nil
	}
	return false, noRequest(r.ID)
}

// noRequest is what the state file says of a request that is not there.
func noRequest(id pim.RequestID) error {
	if id == "" {
		return pim.Errorf(pim.NotFound, "There is no such request.")
	}
	return pim.Errorf(pim.NotFound, "There is no request %s.", id)
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
		Request: d.request, Verb: d.verb(), Reason: d.reason, Digest: orDigest(d.digest, out.request), Clicked: d.signedInSince(), Claims: d.claims,
	}
	var err error
	out.url, err = s.intendByLink(tx, from, in)
	return err
}

// orDigest pins a typed decision to the facts as they are when it was typed.
func orDigest(digest string, r pim.Request) string {
	if digest != "" {
		return digest
	}
	return r.Digest()
}

func (d decision) verb() string { return ruling{approve: d.Approve}.verb() }

// resumeDecision decides after the sign-in by the same door. If the facts have
// changed since, it asks again.
func (s *Service) resumeDecision(from Sender, in store.Intent) (string, error) {
	d := ruling{
		request: in.Request, approve: in.Verb == verbApprove, reason: in.Reason, digest: in.Digest, clicked: s.cfg.Now(), since: in.Clicked, intent: in.ID,
		challenge: challengeOf(in),
		shown:     true, // else there were no such intent
	}
	out, err := s.ruleOn(from, d)
	if err != nil {
		return "", errors.Join(err, s.update(func(tx *store.Tx) error { return tx.DeleteIntent(in.ID) }))
	}
	return fmt.Sprintf("Your decision to %s, is on its way to PIM. You can close this page; the card of request %s shows the rest.", s.describe(in.Verb, out.request), in.Request), nil
}

// answerRuled draws what the person sees at once.
func (s *Service) answerRuled(from Sender, out ruled, d ruling) Reply {
	if out.url != "" {
		what := fmt.Sprintf("%s %s's request %s", d.verb(), orName(out.request.Requester.Name), out.request.ID)
		return reply(card.SignInNeeded(what, out.url))
	}
	if out.neutral {
		return reply(card.Answer(fmt.Sprintf("Your step to %s request %s is on its way to PIM, if PIM names you as an approver.", d.verb(), out.request.ID)))
	}
	if held := out.request.Claim; out.again && (out.request.State != pim.Pending || held == nil || held.By.Account != from.Account) {
		return s.asItIs(from, out.request, card.Approvers)
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
