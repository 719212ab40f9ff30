package workflow

import (
	"context"
	"fmt"
	"slices"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
)

// Command carries out what was typed behind the command's name, and returns
// what the person sees at once. It waits for the disk, never for a network.
func (s *Service) Command(ctx context.Context, from Sender, text string) Reply {
	return s.once(ctx, from, func() Reply { return s.command(ctx, from, text) })
}

// longestText bounds what is read as a command, in bytes: a reason of the longest
// takes less than half of it. Answers are kept, with what was typed.
const longestText = 4 << 10

func (s *Service) command(ctx context.Context, from Sender, text string) Reply {
	if len(text) > longestText {
		return problem(pim.Errorf(pim.Invalid, "That is too long for a command: a reason has at most %d characters. Nothing was done.", pim.MaxReason))
	}
	cmd, err := pim.ParseCommand(text, pim.Reading{Roles: s.cfg.Roles, Now: s.cfg.Now(), Zone: from.Zone})
	if err != nil {
		return problem(err)
	}
	switch cmd.Verb {
	case pim.VerbActivate:
		return s.activate(ctx, from, cmd.Role, cmd.Asked)
	case pim.VerbForm:
		return s.openForm(from, Click{})
	case pim.VerbApprove, pim.VerbDeny:
		return s.rule(from, ruling{request: cmd.Request, approve: cmd.Verb == pim.VerbApprove, reason: cmd.Reason, clicked: s.cfg.Now()})
	case pim.VerbCancel:
		return s.giveBack(from, own{verb: verbCancel, request: cmd.Request, clicked: s.cfg.Now()})
	case pim.VerbRelease:
		return s.releaseRole(from, cmd.Role)
	case pim.VerbHelp:
		return reply(card.Help(from.Account.Chat))
	case pim.VerbSignIn, pim.VerbSignOut, pim.VerbUnlink:
		return s.account(from, cmd.Verb)
	case pim.VerbRoles, pim.VerbStatus, pim.VerbApprovals, pim.VerbWho, pim.VerbHistory:
		return s.list(from, cmd)
	case pim.VerbRevoke:
		return s.revoke(from, revoking{request: cmd.Request, reason: cmd.Reason, clicked: s.cfg.Now()})
	case pim.VerbReview:
		return s.review(from, reviewing{request: cmd.Request, note: cmd.Reason, clicked: s.cfg.Now()})
	}
	return problem(pim.Errorf(pim.Internal, "Elevate does not know this command.")) // unreachable: the switch names every verb
}

// Click carries out a pressed button. What came back with it is untrusted:
// the request is looked up and every rule is run.
func (s *Service) Click(ctx context.Context, from Sender, c Click) Reply {
	if c.Posted {
		return s.click(ctx, from, c) // it is told with the input that it answers, not as that input again
	}
	return s.once(ctx, from, func() Reply { return s.click(ctx, from, c) })
}

func (s *Service) click(ctx context.Context, from Sender, c Click) Reply {
	shown, err := s.shown(from, c.Request, c.Ref)                // before this click makes the message one that is known
	if err == nil && c.Request != "" && c.Act != card.OpenForm { // which stands in messages that are no cards of a request
		err = s.adoptClicked(from, c)
	}
	if err != nil {
		return s.notDone(err)
	}
	switch c.Act {
	case card.Approve:
		return s.rule(from, ruling{
			request: c.Request, approve: true, reason: c.Reason, digest: orNothingShown(c.Digest), clicked: s.cfg.Now(), shown: shown,
		})
	case card.ApproveWithReason, card.Deny:
		return s.reasonForm(from, c, shown)
	case card.Review:
		return s.reviewForm(from, c.Request, shown)
	case card.Cancel:
		return s.giveBack(from, own{verb: verbCancel, request: c.Request, clicked: s.cfg.Now(), clickedOn: shown})
	case card.Release:
		return s.giveBack(from, own{verb: verbRelease, request: c.Request, clicked: s.cfg.Now(), clickedOn: shown})
	case card.OpenForm:
		return s.openForm(from, c)
	case card.AskMost:
		return s.askMost(ctx, from, c, shown)
	case card.BeginSignIn:
		return s.account(from, pim.VerbSignIn)
	case card.Acknowledge:
		return s.acknowledge(from, c.Digest)
	case card.Refresh, card.Open, card.SignIn:
		return Reply{}
	}
	return problem(pim.Errorf(pim.Invalid, "Elevate does not know this button any more. `/elevate status` shows your requests."))
}

// orNothingShown keeps a click without a digest from passing as a typed command.
func orNothingShown(digest string) string {
	if digest == "" {
		return "none"
	}
	return digest
}

// Filled carries out a form that came back.
func (s *Service) Filled(ctx context.Context, from Sender, f card.Filled) Reply {
	return s.once(ctx, from, func() Reply { return s.filled(ctx, from, f) })
}

func (s *Service) filled(ctx context.Context, from Sender, f card.Filled) Reply {
	switch f.Name {
	case card.FormAsk:
		return s.askedByForm(ctx, from, f)
	case card.FormApprove, card.FormDeny:
		shown, err := s.shown(from, f.Request, f.Ref)
		if err != nil {
			return s.notDone(err)
		}
		d := ruling{
			request: f.Request, approve: f.Name == card.FormApprove, reason: pim.Tidy(f.Values[card.FieldReason]),
			digest: orNothingShown(f.Digest), clicked: s.cfg.Now(), shown: shown,
		}
		if err := d.checkReason(); err != nil {
			return Reply{Errors: map[string]string{card.FieldReason: pim.Explain(err).Message}}
		}
		return s.rule(from, d)
	case card.FormReview:
		shown, err := s.shown(from, f.Request, f.Ref)
		if err != nil {
			return s.notDone(err)
		}
		return s.reviewFilled(from, f, shown)
	}
	return problem(pim.Errorf(pim.Invalid, "Elevate does not know this form any more. Open it again with `/elevate`."))
}

func (s *Service) rule(from Sender, d ruling) Reply {
	d.reason = pim.Tidy(d.reason)
	if err := d.checkReason(); err != nil {
		return problem(err)
	}
	out, err := s.ruleOn(from, d)
	switch {
	case err != nil:
		return s.notDone(err)
	case out.signIn:
		return s.signInFirst(from)
	}
	return s.answerRuled(from, out, d)
}

func (s *Service) giveBack(from Sender, o own) Reply {
	back, err := s.takeBack(from, o)
	if err != nil {
		return s.notDone(err)
	}
	return s.answerOwn(from, back, o.verb)
}

// releaseRole finds the active request for the role a person named.
func (s *Service) releaseRole(from Sender, roleName string) Reply {
	role, ok := s.cfg.Roles.Named(roleName)
	if !ok {
		return problem(pim.Errorf(pim.Invalid, "Say which role you release: `/elevate release mde-admin`, for example."))
	}
	var id pim.RequestID
	err := s.cfg.Store.View(func(tx *store.Tx) error {
		who, err := s.identify(tx, from.Account, from.Name)
		if err != nil {
			return err
		}
		open, err := tx.OpenOf(role.Group, pim.ChatAccount{}, who.ids()...)
		for _, r := range open {
			if r.State == pim.Active && slices.Contains(who.ids(), r.Principal) {
				id = r.ID
			}
		}
		return err
	})
	if err != nil {
		return s.notDone(err)
	}
	if id == "" {
		return problem(pim.Errorf(pim.NotFound, "You have no active %s, as far as Elevate knows. `/elevate status` shows your requests.", role.Title))
	}
	return s.giveBack(from, own{verb: verbRelease, request: id, clicked: s.cfg.Now()})
}

// account signs in, signs out or unlinks.
func (s *Service) account(from Sender, verb pim.Verb) Reply {
	text, url := "", ""
	err := s.update(func(tx *store.Tx) error {
		text, url = "", ""
		who, err := s.identify(tx, from.Account, from.Name)
		if err != nil {
			return err
		}
		switch {
		case verb == pim.VerbSignIn:
			url, err = s.intendByLink(tx, from, store.Intent{Verb: verbLink, Clicked: tx.Now()})
			return err
		case verb == pim.VerbSignOut:
			text = "You are signed out. What Elevate does for you from now on needs a new sign-in."
			return s.cfg.SignOut(tx, from.Account)
		case who.link.Person == "" && from.Account.Chat == pim.Teams:
			text = "In Teams Elevate knows you by your Microsoft account itself, so there is nothing to unlink. `sign-out` ends your sign-in."
			return nil
		case who.link.Person == "":
			text = "This chat account is not linked to anybody, so there is nothing to unlink."
			return nil
		}
		open, err := s.openOf(tx, who)
		if err != nil {
			return err
		}
		text = "Your chat account is unlinked and you are signed out. Access that you hold stays until its end."
		if from.Account.Chat == pim.Teams {
			text = "Your second Microsoft account is unlinked and you are signed out. Access that you hold stays until its end."
		}
		for _, r := range open {
			text += fmt.Sprintf(" Request %s is %s: to cancel or release it here, sign in again.", r.ID, r.State.Phrase())
		}
		return s.cfg.Unlink(tx, from.Account, who.actor, "")
	})
	switch {
	case err != nil:
		return s.notDone(err)
	case url != "":
		return reply(card.SignInLink(url))
	}
	return reply(card.Answer(text))
}

// signInFirst answers a step that nothing can be said about before.
func (s *Service) signInFirst(from Sender) Reply {
	r := s.account(from, pim.VerbSignIn)
	if r.Card != nil {
		r.Card.Lines = append(r.Card.Lines, card.Plain("Then type it once more: nothing was done yet."))
	}
	return r
}

// openOf returns somebody's open requests.
func (s *Service) openOf(tx *store.Tx, who identity) (open []pim.Request, err error) {
	for _, role := range s.cfg.Roles {
		some, err := tx.OpenOf(role.Group, who.actor.Account, who.ids()...)
		if err != nil {
			return nil, err
		}
		open = append(open, some...)
	}
	return open, nil
}

// notDone says why a step was not taken.
func (s *Service) notDone(err error) Reply {
	said := pim.Explain(err)
	if said.Kind == pim.Internal {
		s.cfg.Logger.Error("step_failed", "error", err)
	}
	return problem(said)
}

// vouches reports whether a chat says itself what comes back with a click. Slack
// signs the message and the button's own value; in Teams a client sends both, and
// may make them up.
func vouches(c pim.Chat) bool { return c != pim.Teams }

// shown reports whether a card of the request stood in front of the person, so
// that they may be told of it what the card tells. In Teams that takes a message
// that Elevate posted, in the place that the click came from.
func (s *Service) shown(from Sender, id pim.RequestID, ref pim.MessageRef) (shown bool, err error) {
	if vouches(from.Account.Chat) {
		return true, nil
	}
	err = s.cfg.Store.View(func(tx *store.Tx) error {
		shown, err = postedIn(tx, id, ref, from.Place)
		return err
	})
	return shown, err
}

// postedIn reports whether a message is a card of the request that Elevate posted
// in a place.
func postedIn(tx *store.Tx, id pim.RequestID, ref pim.MessageRef, at pim.Conversation) (bool, error) {
	of, known, found, err := tx.RefByMessage(ref.Channel, ref.ID)
	return found && of == id && known.Adopted.IsZero() && known.Conversation.String() == at.String(), err
}

// longestName bounds what a message is called, with its conversation: it is a key
// of the state file.
const longestName = 2000

// adoptClicked takes a clicked message that is not known as one of its request's.
func (s *Service) adoptClicked(from Sender, c Click) error {
	known := c.Ref.ID == "" || c.Ref.Channel == "" || len(c.Ref.ID)+len(c.Ref.Channel) > longestName
	err := s.cfg.Store.View(func(tx *store.Tx) error {
		if known {
			return nil
		}
		var err error
		_, _, known, err = tx.RefByMessage(c.Ref.Channel, c.Ref.ID)
		return err
	})
	if err != nil || known {
		return err
	}
	sure := c.Posted || vouches(from.Account.Chat)
	if !sure && !s.steps.Allow(from.Account.String(), s.cfg.Now()) {
		return nil // the click counts all the same
	}
	return s.update(func(tx *store.Tx) error {
		r, err := tx.Request(c.Request)
		if err != nil {
			return fmt.Errorf("adopting a card: %w", err)
		}
		may, err := s.mayStand(tx, &r, from, sure)
		if err != nil || !may {
			return err
		}
		ref := store.Ref{MessageRef: c.Ref}
		if ref.Conversation == (pim.Conversation{}) {
			ref.Conversation = from.Place
		}
		if !sure {
			ref.Adopted = tx.Now()
		}
		return s.adopt(tx, &r, ref, c.Act != card.SignIn)
	})
}

// mayStand reports whether a card of the request may stand where it was clicked:
// in the places of its role, and with those who may hear of it. What a button
// brings back may name any request. Where a client alone names the message, that
// has to be somebody who may hear of it in the role's places, too.
func (s *Service) mayStand(tx *store.Tx, r *pim.Request, from Sender, sure bool) (bool, error) {
	role, _ := s.cfg.Roles.Named(r.Role)
	ofRole := slices.Contains(slices.Concat(role.Ask, role.Notify, role.Remind.Escalate), from.Place)
	switch {
	case from.Place.User == "" && (sure || !ofRole):
		return ofRole, nil
	case from.Place.User != "" && from.Place != pim.DirectTo(from.Account):
		return false, nil
	}
	if r.Requester.Account == from.Account {
		return true, nil
	}
	who, err := s.identify(tx, from.Account, from.Name)
	if err != nil {
		return false, err
	}
	_, hears, err := s.viewerFor(tx, r, who)
	return hears, err
}
