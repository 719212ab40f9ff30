package workflow

import (
	"context"
	"time"

	"elevate/internal/pim"
	"elevate/internal/store"
)

// linksEvery is how often all links are checked against both sides.
const linksEvery = 24 * time.Hour

// linksAtOnce bounds how many links are checked before they are written.
const linksAtOnce = 100

// links ends the links of accounts that Slack or Entra reports gone, disabled
// or a guest's. What cannot be read proves nothing: such a link stays.
func (s *Service) links(ctx context.Context, _ store.Effect) (result, error) {
	var all []store.Link
	err := s.cfg.Store.View(func(tx *store.Tx) error {
		var err error
		all, err = tx.Links()
		return err
	})
	if err != nil {
		return result{}, err
	}
	for len(all) > 0 {
		some := all[:min(len(all), linksAtOnce)]
		all = all[len(some):]
		if err := s.checkLinks(ctx, some); err != nil {
			return result{}, err
		}
	}
	return result{again: linksEvery}, nil
}

func (s *Service) checkLinks(ctx context.Context, some []store.Link) error {
	var q pim.Question
	for _, l := range some {
		q.Profiles = append(q.Profiles, l.Person)
	}
	answer, err := s.cfg.Directory.Look(ctx, q)
	if err != nil {
		return err
	}
	for _, l := range some {
		why := s.linkOver(ctx, l, answer)
		if why == "" {
			continue
		}
		if err := s.update(func(tx *store.Tx) error { return s.endLink(tx, l, why) }); err != nil {
			return err
		}
	}
	return nil
}

// linkOver says why a link has to end, or "".
func (s *Service) linkOver(ctx context.Context, l store.Link, answer pim.Answer) string {
	if p, read := answer.Profiles[l.Person]; read {
		if err := p.MayAct(); err != nil {
			return "the account in Microsoft Entra is gone, disabled or a guest's"
		}
	}
	m := s.cfg.Messengers[l.Account.Chat]
	if m == nil {
		return ""
	}
	if err := m.Account(ctx, l.Account); pim.IsKind(err, pim.Forbidden) {
		return "the account in " + l.Account.Chat.Title() + " is gone, deactivated or a guest's"
	}
	return ""
}

func (s *Service) endLink(tx *store.Tx, l store.Link, why string) error {
	event := pim.Event{Kind: pim.EventExpired, Chat: pim.System, Person: l.Person, Text: l.Account.String() + ": " + why}
	if _, err := tx.Append(event); err != nil {
		return err
	}
	// Unlinking is an event of its own, and tells the person.
	return s.cfg.Unlink(tx, l.Account, pim.Actor{Name: "Elevate"})
}

// AccountChanged checks one account's link at once, when its chat says that
// something about the account changed.
func (s *Service) AccountChanged(ctx context.Context, a pim.ChatAccount) error {
	var link store.Link
	var found bool
	err := s.cfg.Store.View(func(tx *store.Tx) error {
		var err error
		link, found, err = tx.Link(a)
		return err
	})
	if err != nil || !found {
		return err
	}
	return s.checkLinks(ctx, []store.Link{link})
}
