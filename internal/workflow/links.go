package workflow

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"elevate/internal/pim"
	"elevate/internal/store"
)

// linksEvery is how often each link is checked against both sides.
const linksEvery = 24 * time.Hour

// A look at the links checks at most linksAtOnce, then rests: Slack takes a
// hundred such questions a minute, and people's own come first. A link that
// could not be checked waits for its next turn, so that it holds up no other.
const (
	linksAtOnce = 20
	linksRest   = 30 * time.Second
	linksRetry  = time.Hour
)

// links ends the links of accounts that Slack or Entra reports gone, disabled
// or a guest's. What cannot be read proves nothing: such a link stays.
func (s *Service) links(ctx context.Context, _ store.Effect) (result, error) {
	due, more, err := s.linksDue()
	if err != nil || len(due) == 0 {
		return result{again: linksRetry}, err
	}
	if err := s.checkLinks(ctx, due); err != nil {
		return result{}, err
	}
	if more {
		return result{again: linksRest}, nil
	}
	return result{again: linksRetry}, nil
}

// linksDue returns the links that were checked longest ago, and whether there
// are more whose day is over.
func (s *Service) linksDue() (due []store.Link, more bool, err error) {
	var all []store.Link
	err = s.cfg.Store.View(func(tx *store.Tx) error {
		all, err = tx.Links()
		return err
	})
	if err != nil {
		return nil, false, err
	}
	now := s.cfg.Now()
	s.linksTried.forget(now)
	all = slices.DeleteFunc(all, func(l store.Link) bool {
		return now.Sub(l.Checked) < linksEvery || s.linksTried.has(l.Account)
	})
	slices.SortFunc(all, func(a, b store.Link) int { return a.Checked.Compare(b.Checked) })
	due = all[:min(len(all), linksAtOnce)]
	for _, l := range due {
		s.linksTried[l.Account] = now
	}
	return due, len(all) > len(due), nil
}

// tried remembers when accounts were last tried; the one effect that checks
// links uses it.
type tried map[pim.ChatAccount]time.Time

func (t tried) has(a pim.ChatAccount) bool { _, there := t[a]; return there }

func (t tried) forget(now time.Time) {
	maps.DeleteFunc(t, func(_ pim.ChatAccount, at time.Time) bool { return now.Sub(at) >= linksRetry })
}

func (s *Service) checkLinks(ctx context.Context, some []store.Link) error {
	var q pim.Question
	for _, l := range some {
		q.Profiles = append(append(q.Profiles, l.Person), l.Also...)
	}
	answer, err := s.cfg.Directory.Look(ctx, q)
	if err != nil {
		return err
	}
	for _, l := range some {
		alive, why := s.linkOver(ctx, l, answer)
		err := s.update(func(tx *store.Tx) error {
			fresh, found, err := tx.Link(l.Account)
			switch {
			case err != nil || !found || fresh.Person != l.Person:
				return err
			case why != "":
				return s.endLink(tx, fresh, why)
			}
			return s.checked(tx, fresh, alive, answer)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// checked notes that both accounts of a link are alive, if they were read, and
// drops the second accounts that are not.
func (s *Service) checked(tx *store.Tx, l store.Link, alive bool, answer pim.Answer) error {
	gone := func(id pim.PrincipalID) bool {
		p, read := answer.Profiles[id]
		return read && p.MayAct() != nil
	}
	for _, id := range l.Also {
		if !gone(id) {
			continue
		}
		if err := s.dropSecond(tx, l, id); err != nil {
			return err
		}
	}
	l.Also = slices.DeleteFunc(slices.Clone(l.Also), gone)
	if alive {
		l.Checked = tx.Now()
	}
	return tx.PutLink(l)
}

// dropSecond ends what a second account gives to a link, whose own account is
// alive. That the two are one person stays.
func (s *Service) dropSecond(tx *store.Tx, l store.Link, id pim.PrincipalID) error {
	event := pim.Event{
		Kind: pim.EventUnlinked, Chat: pim.System, By: pim.Actor{Name: "Elevate"}, Person: id,
		Text: fmt.Sprintf("%s is no longer linked to %s as a second account: it is gone, disabled or a guest's in Microsoft Entra", l.Account, id),
	}
	if _, err := tx.Append(event); err != nil {
		return err
	}
	session, found, err := tx.Session(l.Account)
	if err != nil {
		return err
	}
	if found && session.Person == id {
		if err := s.cfg.EndSession(tx, l.Account); err != nil {
			return err
		}
	}
	text := "Your second Microsoft account is gone, disabled or a guest's, so Elevate does not act with it any more. Your first one stays linked."
	return s.putTell(tx, "second|"+string(id), "", pim.DirectTo(l.Account), message{Text: text})
}

// linkOver says whether both accounts of a link were seen alive, or why the
// link has to end.
func (s *Service) linkOver(ctx context.Context, l store.Link, answer pim.Answer) (alive bool, why string) {
	p, read := answer.Profiles[l.Person]
	if read && p.MayAct() != nil {
		return false, "the account in Microsoft Entra is gone, disabled or a guest's"
	}
	m := s.cfg.Messengers[l.Account.Chat]
	if m == nil {
		return read, ""
	}
	err := m.Account(ctx, l.Account)
	if pim.IsKind(err, pim.Forbidden) {
		return false, "the account in " + l.Account.Chat.Title() + " is gone, deactivated or a guest's"
	}
	return read && err == nil, ""
}

func (s *Service) endLink(tx *store.Tx, l store.Link, why string) error {
	event := pim.Event{Kind: pim.EventExpired, Chat: pim.System, Person: l.Person, Text: l.Account.String() + ": " + why}
	if _, err := tx.Append(event); err != nil {
		return err
	}
	// Unlinking is an event of its own, and tells the person.
	return s.cfg.Unlink(tx, l.Account, pim.Actor{Name: "Elevate"}, why)
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
