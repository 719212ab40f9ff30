package workflow

import (
	"context"
	"slices"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
)

// View draws a request's card as one person may see it: an approver with
// Approve and Deny, the requester with Cancel, everybody else without either.
// A bystander sees no more than what stands in the place already: ref is the
// message that is looked at, and has to be a card of the request's that Elevate
// posted there.
func (s *Service) View(_ context.Context, from Sender, id pim.RequestID, ref pim.MessageRef) Reply {
	var sc scene
	var bystander bool
	err := s.cfg.Store.View(func(tx *store.Tx) error {
		r, err := tx.Request(id)
		if err != nil {
			return err
		}
		who, err := s.identify(tx, from.Account, from.Name)
		if err != nil {
			return err
		}
		viewer, hears, err := s.viewerFor(tx, &r, who)
		if err != nil {
			return err
		}
		if !hears {
			posted, err := postedIn(tx, id, ref, from.Place)
			if err != nil {
				return err
			}
			if !posted {
				return noRequest(id)
			}
			viewer, bystander = s.viewerIn(&r, from.Place), true
		}
		sc, err = s.scene(tx, store.Effect{Request: id, To: from.Place}, viewer)
		return err
	})
	if err != nil {
		return s.notDone(err)
	}
	if !bystander {
		if err := s.adoptClicked(from, Click{Request: id, Ref: ref}); err != nil {
			return s.notDone(err)
		}
	}
	drawn := s.draw(sc)
	if bystander {
		drawn.Buttons = slices.DeleteFunc(slices.Clone(drawn.Buttons), func(b card.Button) bool {
			return b.Act != card.Refresh && b.Act != card.Open && b.Act != card.Review
		})
	}
	return reply(drawn)
}

// viewerFor says as whom somebody sees a request, and whether they may hear of it
// wherever they ask.
func (s *Service) viewerFor(tx *store.Tx, r *pim.Request, who identity) (viewer card.Viewer, hears bool, err error) {
	if owns(r, who) {
		return card.Requester, true, nil
	}
	if who.actor.Person == "" {
		return "", false, nil
	}
	if s.policies.approver(r.Group, tx.Now(), who.ids()...) == pim.Yes {
		return card.Approvers, true, nil
	}
	hears, err = s.mayHear(tx, r, who)
	if pim.IsKind(err, pim.NotFound) {
		return "", false, nil
	}
	return card.OnCall, hears, err
}
