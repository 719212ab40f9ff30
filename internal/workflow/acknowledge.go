package workflow

import (
	"cmp"
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
	same, read, err := s.mayBeOne(ctx, who.ids(), about)
	if err != nil {
		return card.Problem(pim.Explain(err))
	}
	for _, id := range []pim.PrincipalID{who.actor.Person, cmp.Or(who.link.Person, who.actor.Person)} { // a link is worth what its own account is
		if err := read[id].MayAct(); err != nil {
			return card.Problem(pim.Explain(err))
		}
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

// concernedBeside reports whether another alarm of the group, of which nobody has taken note, is about somebody, or about
// what they did: what they may look at may come by that.
func concernedBeside(tx *store.Tx, all []notice, n *notice, who identity) (bool, error) {
	for i := range all {
		other := &all[i]
		if other.Group != n.Group || other.ID == n.ID || !other.Open() || other.quiet() {
			continue
		}
		for _, id := range other.concerned() {
			if same, err := isPerson(tx, who, id); err != nil || same {
				return same, err
			}
		}
	}
	return false, nil
}

// mayBeOne are those of some people who are one person with somebody of these object ids, by what was ever seen together
// and by the attribute that says so; and all profiles that were read for it.
func (s *Service) mayBeOne(ctx context.Context, somebody, some []pim.PrincipalID) (same []pim.PrincipalID, read map[pim.PrincipalID]pim.Profile, err error) {
	var mine []pim.PrincipalID
	theirs := map[pim.PrincipalID][]pim.PrincipalID{}
	err = s.cfg.Store.View(func(tx *store.Tx) (err error) {
		if mine, err = allIDs(tx, somebody...); err != nil {
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
		return nil, nil, err
	}
	ids := slices.Clone(mine)
	for _, of := range theirs {
		ids = append(ids, of...)
	}
	answer, err := s.cfg.Directory.Look(ctx, pim.Question{Profiles: ids})
	if err != nil {
		return nil, nil, err
	}
	if !all(answer.Profiles, ids) {
		return nil, nil, pim.Errorf(pim.Unavailable, "Microsoft Entra could not say who is who, so the alarm is not acknowledged. Try again in a minute.")
	}
	return slices.DeleteFunc(slices.Clone(some), func(id pim.PrincipalID) bool {
		shared := slices.ContainsFunc(theirs[id], func(one pim.PrincipalID) bool { return slices.Contains(mine, one) })
		return !shared && !sameAttribute(mine, theirs[id], answer.Profiles)
	}), answer.Profiles, nil
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
	if beside, err := concernedBeside(tx, all, n, who); err != nil {
		return "", err
	} else if beside {
		return "", pim.Errorf(pim.Forbidden, "Another alarm of %s that nobody has acknowledged is about you, or about what you did, so you acknowledge none of it. Somebody else has to.", role.Title)
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

// looked is an acknowledged alarm of which the audit log says who did it: those who did, and which of them are, or may
// be, whoever acknowledged it.
type looked struct{ doers, same []pim.PrincipalID }

// ownDoing looks whether somebody acknowledged what the audit log says only now that they did themselves.
func (s *Service) ownDoing(ctx context.Context, g pim.GroupID, log []pim.AuditEntry) (map[string]looked, error) {
	found := map[string]looked{}
	by := map[string]pim.PrincipalID{}
	err := s.cfg.Store.View(func(tx *store.Tx) error {
		all, err := noticesIn(tx)
		for _, n := range all {
			if n.Group == g && !n.Sought.IsZero() && n.quiet() {
				n.By, by[n.ID] = n.DoneBy(log, tx.Now().Sub(n.Sought) >= auditComplete), n.Acknowledged.By.Person
				found[n.ID] = looked{doers: n.concerned()}
			}
		}
		return err
	})
	for id, one := range found {
		if err != nil {
			return nil, err
		}
		one.same, _, err = s.mayBeOne(ctx, []pim.PrincipalID{by[id]}, one.doers)
		found[id] = one
	}
	return found, err
}

// quiet reports whether somebody has taken note of an alarm that is not over.
func (n *notice) quiet() bool { return n.Open() && n.Acknowledged != nil }

// takeBackNote opens an alarm again that was acknowledged by one of those who did it, and has on-call told: nobody hears
// of a message that is rewritten.
func (s *Service) takeBackNote(tx *store.Tx, n *notice, same []pim.PrincipalID) error {
	if !n.quiet() || len(same) == 0 {
		return nil
	}
	by := n.Acknowledged.By
	n.Acknowledged = nil
	if err := s.sayAlarm(tx, n, pim.EventUnacknowledged, string(n.Kind)+": "+n.ID); err != nil {
		return err
	}
	role, _ := s.cfg.Roles.Named(n.Role)
	text := fmt.Sprintf("%s has acknowledged that %s, in %s, %s, and did it, says Entra's audit log. The alarm counts as not acknowledged: its message is open again.",
		orName(by.Name), n.whom(), role.Title, n.Phrase())
	for _, to := range role.Notify {
		if err := s.putTell(tx, "unacknowledged|"+n.ID, "", to, message{Text: text}); err != nil {
			return err
		}
	}
	return s.turnHomes(tx)
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
