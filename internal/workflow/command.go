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

// listMost bounds what a list reads.
const listMost = 50

// Command carries out what was typed behind the command's name, and returns
// what the person sees at once. It waits for the disk, never for a network.
func (s *Service) Command(ctx context.Context, from Sender, text string) Reply {
	cmd, err := pim.ParseCommand(text, pim.Reading{Roles: s.cfg.Roles, Now: s.cfg.Now(), Zone: from.Zone})
	if err != nil {
		return problem(err)
	}
	switch cmd.Verb {
	case pim.VerbActivate:
		return s.activate(ctx, from, cmd.Role, cmd.Asked)
	case pim.VerbForm:
		return s.openForm(from, "")
	case pim.VerbApprove, pim.VerbDeny:
		return s.rule(from, ruling{request: cmd.Request, approve: cmd.Verb == pim.VerbApprove, reason: cmd.Reason, clicked: s.cfg.Now()})
	case pim.VerbCancel:
		return s.giveBack(from, own{verb: verbCancel, request: cmd.Request, clicked: s.cfg.Now()})
	case pim.VerbRelease:
		return s.releaseRole(from, cmd.Role)
	case pim.VerbHelp:
		return reply(card.Help())
	case pim.VerbSignIn, pim.VerbSignOut, pim.VerbUnlink:
		return s.account(from, cmd.Verb)
	case pim.VerbRoles, pim.VerbStatus, pim.VerbApprovals, pim.VerbWho:
		return s.list(from, cmd)
	case pim.VerbRevoke, pim.VerbHistory, pim.VerbReview:
	}
	return problem(pim.Errorf(pim.NotFound, "This Elevate cannot do `%s` yet. `/elevate help` lists what it can.", cmd.Verb))
}

// Click carries out a pressed button. What came back with it is untrusted:
// the request is looked up and every rule is run.
func (s *Service) Click(_ context.Context, from Sender, c Click) Reply {
	if c.Request != "" {
		if err := s.adoptClicked(from, c); err != nil {
			return s.notDone(err)
		}
	}
	switch c.Act {
	case card.Approve:
		return s.rule(from, ruling{request: c.Request, approve: true, reason: c.Reason, digest: orNothingShown(c.Digest), clicked: s.cfg.Now()})
	case card.ApproveWithReason, card.Deny:
		return s.reasonForm(from, c)
	case card.Cancel:
		return s.giveBack(from, own{verb: verbCancel, request: c.Request, clicked: s.cfg.Now()})
	case card.Release:
		return s.giveBack(from, own{verb: verbRelease, request: c.Request, clicked: s.cfg.Now()})
	case card.OpenForm:
		return s.openForm(from, c.Role)
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
	switch f.Name {
	case card.FormAsk:
		return s.askedByForm(ctx, from, f)
	case card.FormApprove, card.FormDeny:
		d := ruling{
			request: f.Request, approve: f.Name == card.FormApprove, reason: pim.Tidy(f.Values[card.FieldReason]),
			digest: orNothingShown(f.Digest), clicked: s.cfg.Now(),
		}
		if d.reason == "" && !d.approve {
			return Reply{Errors: map[string]string{card.FieldReason: "Say why you deny it: the requester and PIM get the reason."}}
		}
		if err := pim.CheckReason(d.reason); err != nil && d.reason != "" {
			return Reply{Errors: map[string]string{card.FieldReason: pim.Explain(err).Message}}
		}
		return s.rule(from, d)
	}
	return problem(pim.Errorf(pim.Invalid, "Elevate does not know this form any more. Open it again with `/elevate`."))
}

func (s *Service) askedByForm(ctx context.Context, from Sender, f card.Filled) Reply {
	role, ok := s.cfg.Roles.Named(f.Values[card.FieldRole])
	if !ok {
		return Reply{Errors: map[string]string{card.FieldRole: "Choose a role."}}
	}
	a, err := pim.NewAsked(role, f.Values[card.FieldDuration], f.Values[card.FieldReason], f.Values[card.FieldTicket])
	if err == nil {
		err = pim.CheckAsked(role, a, s.cfg.Now())
	}
	if err != nil {
		said := pim.Explain(err)
		return Reply{Errors: map[string]string{fieldOf(said): said.Message}}
	}
	return s.activate(ctx, from, role.Name, a)
}

// fieldOf says which field of the form a rule is about.
func fieldOf(said *pim.Error) string {
	if said.Code != "" {
		return said.Code
	}
	return card.FieldReason
}

// openForm opens the form, made from what is known: nothing is asked of PIM
// before. Somebody who is not linked signs in first and gets a message with a
// button then.
func (s *Service) openForm(from Sender, role string) Reply {
	var out Reply
	err := s.update(func(tx *store.Tx) error {
		who, err := s.identify(tx, from.Account, from.Name)
		if err != nil {
			return err
		}
		if who.actor.Person == "" {
			out, err = s.intendForm(tx, from, role)
			return err
		}
		offered, known := s.offered(who, tx.Now())
		form := card.AskForm(card.Prefill{Roles: offered, Role: role})
		out = Reply{Form: &form}
		if known {
			return nil
		}
		for _, id := range who.ids() {
			if err := tx.PutEffect(eligibleEffect(id)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return s.notDone(err)
	}
	return out
}

// intendForm interrupts the opening of the form for a sign-in.
func (s *Service) intendForm(tx *store.Tx, from Sender, role string) (Reply, error) {
	id, err := s.intend(tx, from, store.Intent{Verb: verbForm, Clicked: tx.Now(), Values: map[string]string{card.FieldRole: role}})
	if err != nil {
		return Reply{}, err
	}
	url, err := s.signInLink(tx, from, id, "")
	return reply(card.SignInNeeded(describeVerb(verbForm), url)), err
}

// reasonForm opens the form for a decision's reason, if the person may decide.
func (s *Service) reasonForm(from Sender, c Click) Reply {
	var r pim.Request
	err := s.cfg.Store.View(func(tx *store.Tx) error {
		var err error
		if r, err = tx.Request(c.Request); err != nil {
			return err
		}
		who, err := s.identify(tx, from.Account, from.Name)
		if err != nil {
			return err
		}
		if who.actor.Person == "" {
			if r.Requester.Account == from.Account {
				return pim.Errorf(pim.Forbidden, "You cannot decide your own request. Another approver has to.")
			}
			return nil // the form's answer asks for the sign-in
		}
		return s.checkRuling(tx, &r, who, ruling{digest: orNothingShown(c.Digest)})
	})
	if err != nil {
		return s.notDone(err)
	}
	name := card.FormDeny
	if c.Act == card.ApproveWithReason {
		name = card.FormApprove
	}
	role, _ := s.cfg.Roles.Named(r.Role)
	form := card.ReasonForm(name, r, role, r.Requester.Name, s.cfg.Now())
	return Reply{Form: &form}
}

func (s *Service) rule(from Sender, d ruling) Reply {
	d.reason = pim.Tidy(d.reason)
	if d.reason != "" { // an approval needs none: PIM gets a sentence of ours then
		if err := pim.CheckReason(d.reason); err != nil {
			return problem(err)
		}
	}
	out, err := s.ruleOn(from, d)
	if err != nil {
		return s.notDone(err)
	}
	return s.answerRuled(out, d)
}

func (s *Service) giveBack(from Sender, o own) Reply {
	r, url, err := s.takeBack(from, o)
	if err != nil {
		return s.notDone(err)
	}
	return s.answerOwn(r, o.verb, url)
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
		open, err := tx.OpenInGroup(role.Group)
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
			id, err := s.intend(tx, from, store.Intent{Verb: verbLink, Clicked: tx.Now()})
			if err != nil {
				return err
			}
			url, err = s.signInLink(tx, from, id, "")
			return err
		case verb == pim.VerbSignOut:
			text = "You are signed out. What Elevate does for you from now on needs a new sign-in."
			return s.cfg.SignOut(tx, from.Account)
		case who.link.Person == "":
			text = "This chat account is not linked to anybody, so there is nothing to unlink."
			return nil
		}
		text = "Your chat account is unlinked and you are signed out. Access that you hold stays until its end."
		return s.cfg.Unlink(tx, from.Account, who.actor)
	})
	switch {
	case err != nil:
		return s.notDone(err)
	case url != "":
		return reply(card.SignInNeeded("go on in the chat as yourself", url))
	}
	return reply(card.Answer(text))
}

// notDone says why a step was not taken.
func (s *Service) notDone(err error) Reply {
	said := pim.Explain(err)
	if said.Kind == pim.Internal {
		s.cfg.Logger.Error("step_failed", "error", err)
	}
	return problem(said)
}

// list answers what only reads.
func (s *Service) list(from Sender, cmd pim.Command) Reply {
	var out Reply
	err := s.cfg.Store.View(func(tx *store.Tx) error {
		who, err := s.identify(tx, from.Account, from.Name)
		if err != nil {
			return err
		}
		if cmd.Verb == pim.VerbStatus {
			out, err = s.status(tx, who)
			return err
		}
		if who.actor.Person == "" {
			return pim.Errorf(pim.SignIn, "Elevate does not know who you are yet. Type `/elevate sign-in` first.")
		}
		switch cmd.Verb { //nolint:exhaustive // the four that only read
		case pim.VerbRoles:
			out = Reply{Later: func(ctx context.Context) card.Card { return s.roles(ctx, who) }}
		case pim.VerbApprovals:
			if who.session == nil {
				return pim.Errorf(pim.SignIn, "PIM tells only you what waits for you. Type `/elevate sign-in` first.")
			}
			out = Reply{Later: func(ctx context.Context) card.Card { return s.approvals(ctx, who) }}
		case pim.VerbWho:
			out = Reply{Later: func(ctx context.Context) card.Card { return s.who(ctx, who) }}
		}
		return nil
	})
	if err != nil {
		return s.notDone(err)
	}
	return out
}

// status lists the person's own requests, newest first.
func (s *Service) status(tx *store.Tx, who identity) (Reply, error) {
	var mine []pim.Request
	var err error
	since := tx.Now().Add(-30 * 24 * time.Hour)
	if who.actor.Person == "" {
		mine, err = tx.OfAccount(who.actor.Account, since, listMost)
	}
	for _, id := range who.ids() {
		if id == "" || err != nil {
			continue
		}
		var some []pim.Request
		some, err = tx.OfPerson(id, since, listMost)
		mine = append(mine, some...)
	}
	slices.SortFunc(mine, func(a, b pim.Request) int { return b.Created.Compare(a.Created) })
	mine = slices.CompactFunc(mine, func(a, b pim.Request) bool { return a.ID == b.ID })
	return reply(card.StatusList(mine, s.cfg.Roles, tx.Now())), err
}

// roles lists what the person is eligible for, from PIM.
func (s *Service) roles(ctx context.Context, who identity) card.Card {
	eligible, answer, err := s.eligibilities(ctx, who)
	if err != nil {
		return card.Problem(pim.Explain(err))
	}
	if err := s.learn(ctx, answer); err != nil {
		return card.Problem(pim.Explain(err))
	}
	holds, err := s.holds(who)
	if err != nil {
		return card.Problem(pim.Explain(err))
	}
	var rows []card.RoleRow
	for _, role := range s.cfg.Roles {
		e, ok := eligible[role.Group]
		if !ok {
			continue
		}
		row := card.RoleRow{Role: role, Eligible: e.End, Holds: holds[role.Name]}
		if known, ok := s.policies.get(role.Group, s.cfg.Now(), policyUse); ok {
			row.Approvers, row.Role.NeedsApproval = known.names(), known.policy.Approval
		}
		rows = append(rows, row)
	}
	return card.RolesList(rows)
}

// eligibilities asks PIM what the person may activate, and for the rules of the
// roles that are not known.
func (s *Service) eligibilities(ctx context.Context, who identity) (map[pim.GroupID]pim.Eligibility, pim.Answer, error) {
	q := pim.Question{Eligible: who.ids()}
	for _, role := range s.cfg.Roles {
		if _, ok := s.policies.get(role.Group, s.cfg.Now(), policyUse); !ok {
			s.policyQuestion(&q, role.Group)
		}
	}
	answer, err := s.cfg.Directory.Look(ctx, q)
	if err == nil {
		err = errors.Join(answer.Failed...)
	}
	found := map[pim.GroupID]pim.Eligibility{}
	for _, list := range answer.Eligible {
		for _, e := range list {
			if e.Access == pim.Member {
				found[e.Group] = e
			}
		}
	}
	return found, answer, err
}

// holds returns when what the person has now ends, by role.
func (s *Service) holds(who identity) (map[string]time.Time, error) {
	held := map[string]time.Time{}
	err := s.cfg.Store.View(func(tx *store.Tx) error {
		for _, role := range s.cfg.Roles {
			open, err := tx.OpenInGroup(role.Group)
			if err != nil {
				return err
			}
			for _, r := range open {
				if r.State == pim.Active && slices.Contains(who.ids(), r.Principal) {
					held[role.Name] = r.Ends
				}
			}
		}
		return nil
	})
	return held, err
}

// approvals lists what waits for the person, from PIM's own list.
func (s *Service) approvals(ctx context.Context, who identity) card.Card {
	copies, err := s.cfg.Directory.Waiting(ctx, who.actor)
	if err != nil {
		return card.Problem(pim.Explain(err))
	}
	var waits []card.Wait
	err = s.cfg.Store.View(func(tx *store.Tx) error {
		waits = nil
		for _, c := range copies {
			id, found, err := tx.ByPIM(c.ID)
			if err != nil {
				return err
			}
			if !found {
				continue
			}
			r, err := tx.Request(id)
			if err != nil {
				return err
			}
			role, _ := s.cfg.Roles.Named(r.Role)
			waits = append(waits, card.Wait{Request: r, Role: role, Requester: r.Requester.Name})
		}
		return nil
	})
	if err != nil {
		return card.Problem(pim.Explain(err))
	}
	return card.ApprovalsList(waits, s.cfg.Now())
}

// who lists who is elevated now, for the roles the person may look at.
func (s *Service) who(ctx context.Context, who identity) card.Card {
	eligible, answer, err := s.eligibilities(ctx, who)
	if err == nil {
		err = s.learn(ctx, answer)
	}
	if err != nil {
		return card.Problem(pim.Explain(err))
	}
	reader := pim.Reader{Actor: who.actor, Eligible: map[string]bool{}, Approves: map[string]bool{}}
	for _, id := range who.ids() {
		reader.Auditor = reader.Auditor || s.readers.has(id)
	}
	var rows []card.WhoRow
	err = s.cfg.Store.View(func(tx *store.Tx) error {
		rows = nil
		for _, role := range s.cfg.Roles {
			_, reader.Eligible[role.Name] = eligible[role.Group]
			reader.Approves[role.Name] = s.policies.approver(role.Group, tx.Now(), who.ids()...) == pim.Yes
			if !pim.MayReadRole(role.Name, reader) {
				continue
			}
			held, err := holders(tx, &pim.Request{Group: role.Group})
			if err != nil {
				return err
			}
			rows = append(rows, card.WhoRow{Role: role, Holders: held})
		}
		return nil
	})
	if err != nil {
		return card.Problem(pim.Explain(err))
	}
	return card.WhoList(rows)
}

// adoptClicked takes a clicked message that is not known as one of its request's.
func (s *Service) adoptClicked(from Sender, c Click) error {
	known := c.Ref.ID == ""
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
	return s.update(func(tx *store.Tx) error {
		r, err := tx.Request(c.Request)
		if err != nil {
			return fmt.Errorf("adopting a card: %w", err)
		}
		return s.adopt(tx, &r, from, c.Ref)
	})
}
