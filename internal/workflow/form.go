package workflow

import (
	"cmp"
	"context"

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
// button then. One that was asked before fills it in, for whom it was.
func (s *Service) openForm(from Sender, role string, before pim.RequestID) Reply {
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
		if known && len(offered) == 0 {
			out = reply(card.RolesList(nil))
			return nil
		}
		in := card.Prefill{Roles: offered, Role: role}
		if r, err := tx.Request(before); err == nil && owns(&r, who) && r.Role == role {
			in.Asked = r.Asked
		}
		form := card.AskForm(in)
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
