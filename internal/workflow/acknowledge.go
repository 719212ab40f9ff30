package workflow

import (
	"context"
	"fmt"
	"slices"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
)

// acknowledge takes note of an alarm for everybody: it is quiet then, as long as it is
// the same. Who may is asked of PIM, so the answer comes after a while; nothing is
// done before.
func (s *Service) acknowledge(from Sender, id string) Reply {
	var who identity
	err := s.cfg.Store.View(func(tx *store.Tx) (err error) {
		who, err = s.identify(tx, from.Account, from.Name)
		return err
	})
	switch {
	case err != nil:
		return s.notDone(err)
	case who.actor.Person == "":
		return s.signInFirst(from)
	case !s.readings.Allow(from.Account.String(), s.cfg.Now()):
		return problem(pim.Errorf(pim.Throttled, "You asked for much within a short time, so the alarm is not acknowledged. Wait a minute and try again."))
	}
	now := card.Answer("Elevate looks whether you may acknowledge this alarm. Its message says so once it is done.")
	return Reply{Card: &now, Later: func(ctx context.Context) card.Card { return s.acknowledged(ctx, from, id) }}
}

// acknowledged carries it out, with everything read at this moment. Any doubt refuses.
func (s *Service) acknowledged(ctx context.Context, from Sender, id string) card.Card {
	var who identity
	var about []pim.PrincipalID
	err := s.cfg.Store.View(func(tx *store.Tx) error {
		all, err := noticesIn(tx)
		if err != nil {
			return err
		}
		if n := findNotice(all, id); n != nil {
			about = n.concerned()
		}
		who, err = s.identify(tx, from.Account, from.Name)
		return err
	})
	if err != nil {
		return card.Problem(pim.Explain(err))
	}
	reader, err := s.readerNow(ctx, who)
	if err != nil {
		return card.Problem(pim.Explain(err))
	}
	same, err := s.mayBeOne(ctx, who, about)
	if err != nil {
		return card.Problem(pim.Explain(err))
	}
	said := ""
	err = s.update(func(tx *store.Tx) error {
		said, err = s.takeNote(tx, from, id, reader, about, same)
		return err
	})
	if err != nil {
		return card.Problem(pim.Explain(err))
	}
	return card.Answer(said)
}

// concerned are those whom an alarm is about, and who did it.
func (n *notice) concerned() []pim.PrincipalID {
	ids := []pim.PrincipalID{n.Person}
	for _, e := range n.By {
		ids = append(ids, e.By)
	}
	return slices.DeleteFunc(ids, func(id pim.PrincipalID) bool { return id == "" })
}

// mayBeOne are those of some people who are one person with somebody, by what was ever
// seen together and by the attribute that says so.
func (s *Service) mayBeOne(ctx context.Context, who identity, some []pim.PrincipalID) ([]pim.PrincipalID, error) {
	var mine []pim.PrincipalID
	theirs := map[pim.PrincipalID][]pim.PrincipalID{}
	err := s.cfg.Store.View(func(tx *store.Tx) (err error) {
		if mine, err = allIDs(tx, who.ids()...); err != nil {
			return err
		}
		for _, id := range some {
			if theirs[id], err = allIDs(tx, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	ids := slices.Clone(mine)
	for _, of := range theirs {
		ids = append(ids, of...)
	}
	answer, err := s.cfg.Directory.Look(ctx, pim.Question{Profiles: ids})
	if err != nil {
		return nil, err
	}
	if !all(answer.Profiles, ids) {
		return nil, pim.Errorf(pim.Unavailable, "Microsoft Entra could not say who is who, so the alarm is not acknowledged. Try again in a minute.")
	}
	if err := answer.Profiles[who.actor.Person].MayAct(); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(some), func(id pim.PrincipalID) bool {
		shared := slices.ContainsFunc(theirs[id], func(one pim.PrincipalID) bool { return slices.Contains(mine, one) })
		return !shared && !sameAttribute(mine, theirs[id], answer.Profiles)
	}), nil
}

// takeNote writes that somebody has taken note of an alarm, and has it said wherever
// it was told. Of the people whom it is about, same are, or may be, that somebody.
func (s *Service) takeNote(tx *store.Tx, from Sender, id string, reader pim.Reader, about, same []pim.PrincipalID) (string, error) {
	who, err := s.identify(tx, from.Account, from.Name)
	if err != nil {
		return "", err
	}
	all, err := noticesIn(tx)
	if err != nil {
		return "", err
	}
	n := findNotice(all, id)
	if n == nil || who.actor.Person == "" || who.actor.Person != reader.Actor.Person || !s.hearsOf(n, reader) {
		return "", pim.Errorf(pim.NotFound, "There is no such alarm. `/elevate who` lists those that are open.")
	}
	role, _ := s.cfg.Roles.Of(n.Group)
	switch by := n.Acknowledged; {
	case !n.Open():
		return fmt.Sprintf("That alarm of %s is over already. Nothing else is needed.", role.Title), nil
	case by != nil:
		return fmt.Sprintf("%s has acknowledged that alarm of %s already. Nothing else is needed.", orName(by.By.Name), role.Title), nil
	}
	if err := mayTakeNote(n, role, reader, about, same); err != nil {
		return "", err
	}
	n.Acknowledged = &pim.Acknowledged{By: who.actor, At: tx.Now()}
	if err := s.sayAlarm(tx, n, pim.EventAcknowledged, string(n.Kind)+": "+n.ID); err != nil {
		return "", err
	}
	if err := keepNotices(tx, all); err != nil {
		return "", err
	}
	return fmt.Sprintf("You have acknowledged that %s, in %s, %s. On-call reads that. It stays as it is in Entra.", n.whom(), role.Title, n.Phrase()), s.turnHomes(tx)
}

// mayTakeNote says why somebody who may look at an alarm may not acknowledge it.
func mayTakeNote(n *notice, role pim.Role, reader pim.Reader, about, same []pim.PrincipalID) error {
	switch {
	case !slices.Equal(n.concerned(), about):
		return pim.Errorf(pim.Conflict, "More is known of that alarm by now. Look at it, and acknowledge it once more.")
	case len(same) > 0:
		return pim.Errorf(pim.Forbidden, "You cannot acknowledge an alarm about yourself, or about what you did. Somebody else who may look at %s has to.", role.Title)
	case n.Kind == pim.AlarmEligible && !reader.Auditor && !reader.Approves[role.Name]:
		return pim.Errorf(pim.Forbidden, "You may look at %s because you are eligible for it, which may come by what this alarm is about. One of its approvers has to acknowledge it.", role.Title)
	}
	return nil
}

// hearsOf reports whether somebody may look at the role that an alarm is about.
func (s *Service) hearsOf(n *notice, reader pim.Reader) bool {
	role, governed := s.cfg.Roles.Of(n.Group)
	return governed && pim.MayReadRole(role.Name, reader)
}

// whom is whom an alarm is about.
func (n *notice) whom() string {
	if n.Name != "" {
		return n.Name
	}
	return string(n.Person)
}
