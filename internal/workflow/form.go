package workflow

import (
	"cmp"
	"context"
	"slices"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
)

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
	return cmp.Or(said.Field, card.FieldReason)
}

// openForm opens the form, made from what is known: nothing is asked of PIM
// before. Somebody who is not linked signs in first and gets a message with a
// button then. One that was asked before fills it in, for whom it was, and so does
// what somebody typed that could not be asked for.
func (s *Service) openForm(from Sender, c Click) Reply {
	var out Reply
	err := s.update(func(tx *store.Tx) error {
		who, err := s.identify(tx, from.Account, from.Name)
		if err != nil {
			return err
		}
		if who.actor.Person == "" {
			out, err = s.intendForm(tx, from, c)
			return err
		}
		offered, known := s.offered(who, tx.Now())
		if known && len(offered) == 0 {
			out = reply(card.RolesList(nil))
			return nil
		}
		form := card.AskForm(s.prefill(tx, from, who, c, s.byPolicy(offered)))
		out = Reply{Form: &form}
		if known {
			return nil
		}
		return s.readEligible(tx, who)
	})
	if err != nil {
		return s.notDone(err)
	}
	return out
}

// prefill is what is known before the form is opened.
func (s *Service) prefill(tx *store.Tx, from Sender, who identity, c Click, offered pim.Roles) card.Prefill {
	in := card.Prefill{Roles: offered, Role: c.Role, Zone: from.Zone}
	if d, known := s.draft(from.Account, c.Digest, s.cfg.Now()); known && d.role == c.Role {
		in.Asked, in.Why, in.Draft = d.asked, d.why, c.Digest
		return in
	}
	r, err := tx.Request(c.Request)
	if err != nil || !owns(&r, who) || r.Role != c.Role {
		return in
	}
	in.Asked, in.Request = r.Asked, r.ID
	if r.State == pim.Refused && r.Refusal != nil {
		in.Refusal, in.Why = r.Refusal, r.Why
	}
	return in
}

// byPolicy are roles as PIM's own rules have them, where those are known: a form that
// asks for less than PIM would only be refused.
func (s *Service) byPolicy(roles pim.Roles) pim.Roles {
	known := slices.Clone(roles)
	for i, role := range known {
		a, ok := s.policies.get(role.Group, s.cfg.Now(), policyUse)
		if !ok {
			continue
		}
		known[i].NeedsReason = role.NeedsReason || a.policy.Justification
		known[i].NeedsTicket = role.NeedsTicket || a.policy.Ticketing
		if most := a.policy.MaxDuration; most > 0 && (role.Max == 0 || most < role.Max) {
			known[i].Max = most
		}
	}
	return known
}

// valueDraft is what an intent calls the draft that its form is filled in with.
const valueDraft = "draft"

// intendForm interrupts the opening of the form for a sign-in.
func (s *Service) intendForm(tx *store.Tx, from Sender, c Click) (Reply, error) {
	in := store.Intent{Verb: verbForm, Clicked: tx.Now(), Values: map[string]string{card.FieldRole: c.Role}}
	if _, known := s.draft(from.Account, c.Digest, s.cfg.Now()); known {
		in.Values[valueDraft] = c.Digest
	}
	url, err := s.intendByLink(tx, from, in)
	return reply(card.SignInNeeded(describeVerb(verbForm), url)), err
}

// reasonForm opens the form for a decision's reason, if the person may decide.
func (s *Service) reasonForm(from Sender, c Click, shown bool) Reply {
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
		var out ruled
		err = s.mayRule(tx, &r, who, ruling{digest: orNothingShown(c.Digest), shown: shown}, &out)
		if err == nil && out.neutral {
			return noRequest(r.ID) // the form says what it is about
		}
		return err
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
