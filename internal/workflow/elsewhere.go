package workflow

import (
	"context"
	"slices"
	"time"

	"elevate/internal/pim"
	"elevate/internal/store"
)

// meetPending gives the requests that were made elsewhere a request of ours.
func (s *Service) meetPending(ctx context.Context, a pim.Answer) error {
	var strangers []pim.Copy
	var people []pim.PrincipalID
	err := s.cfg.Store.View(func(tx *store.Tx) error {
		strangers, people = nil, nil
		for g, copies := range a.Pending {
			for _, c := range copies {
				if known, err := s.isKnown(tx, g, c); err != nil || known {
					if err != nil {
						return err
					}
					continue
				}
				strangers, people = append(strangers, c), append(people, c.Principal)
			}
		}
		return nil
	})
	if err != nil || len(strangers) == 0 {
		return err
	}
	slices.Sort(people)
	answer, err := s.cfg.Directory.Look(ctx, pim.Question{Profiles: slices.Compact(people)})
	if err != nil {
		return err
	}
	for _, c := range strangers {
		if err := s.meet(c, answer.Profiles[c.Principal]); err != nil {
			return err
		}
	}
	return nil
}

// isKnown reports whether a pending request in PIM is one of ours, or may be
// the one whose answer got lost and is being looked for.
func (s *Service) isKnown(tx *store.Tx, g pim.GroupID, c pim.Copy) (bool, error) {
	if c.Group != g || c.Access != pim.Member || c.Action != pim.SelfActivate {
		return true, nil // nothing that Elevate shows
	}
	if _, found, err := tx.ByPIM(c.ID); err != nil || found {
		return found, err
	}
	open, err := tx.OpenOf(g, pim.ChatAccount{}, c.Principal)
	if err != nil {
		return false, err
	}
	for _, r := range open {
		if r.State != pim.Submitting || r.Principal != c.Principal {
			continue
		}
		if c.SentAs(activation(r), r.Principal, r.Created, s.cfg.Now()) {
			return true, nil
		}
	}
	return false, nil
}

// unexplained are the activations of which PIM shows no request, or one that was over
// here without an access, and those whose requests were not read.
type unexplained struct {
	instances, revived []pim.Instance
	unread             map[pim.Recent]bool
}

// strangersMost is how many people's requests one sweep reads; the others' turn comes
// with the next ones. It is waited for, and shares with everything else what Microsoft
// allows.
const strangersMost = 40

func recentOf(i pim.Instance) pim.Recent { return pim.Recent{Group: i.Group, Principal: i.Principal} }

// theirTurn are the strangers whose requests were read longest ago. Only the sweep's
// own lane calls it.
func (s *Service) theirTurn(strangers []pim.Instance) (now, later []pim.Instance) {
	read := map[pim.Recent]time.Time{} // whoever is none any more is forgotten
	for _, i := range strangers {
		read[recentOf(i)] = s.strangersRead[recentOf(i)]
	}
	slices.SortStableFunc(strangers, func(a, b pim.Instance) int { return read[recentOf(a)].Compare(read[recentOf(b)]) })
	most := min(len(strangers), strangersMost)
	for _, i := range strangers[:most] {
		read[recentOf(i)] = s.cfg.Now()
	}
	s.strangersRead = read
	return strangers[:most], strangers[most:]
}

// meetActive gives the activations that were made and granted elsewhere, without
// an approval or between two sweeps, a request of ours, so that on-call hears of
// them.
func (s *Service) meetActive(ctx context.Context, a pim.Answer) (unexplained, error) {
	un := unexplained{unread: map[pim.Recent]bool{}}
	strangers, err := s.strangersIn(a)
	if err != nil || len(strangers) == 0 {
		return un, err
	}
	strangers, later := s.theirTurn(strangers)
	for _, i := range later {
		un.unread[recentOf(i)] = true
	}
	var q pim.Question
	for _, i := range strangers {
		q.Recent = append(q.Recent, recentOf(i))
		q.Profiles = append(q.Profiles, i.Principal)
	}
	answer, err := s.cfg.Directory.Look(ctx, q)
	if err != nil {
		return un, err
	}
	for _, i := range strangers {
		copies, read := answer.Recent[recentOf(i)]
		at := slices.IndexFunc(copies, func(c pim.Copy) bool { return c.LedTo(i) })
		switch {
		case !read: // the next sweep asks again
			un.unread[recentOf(i)] = true
		case at < 0:
			un.instances = append(un.instances, i)
		default:
			over, err := s.gaveNothing(copies[at])
			if err != nil {
				return un, err
			}
			if over {
				un.revived = append(un.revived, i)
				continue
			}
			if err := s.meet(copies[at], answer.Profiles[i.Principal]); err != nil {
				return un, err
			}
		}
	}
	return un, nil
}

// gaveNothing reports whether PIM's request is one that was over here before there was
// an access by it.
func (s *Service) gaveNothing(c pim.Copy) (over bool, err error) {
	err = s.cfg.Store.View(func(tx *store.Tx) error {
		id, found, err := tx.ByPIM(c.ID)
		if err != nil || !found {
			return err
		}
		r, err := tx.Request(id)
		over = err == nil && !r.State.Open() && r.MemberSince.IsZero()
		return err
	})
	return over, err
}

// strangersIn are the activations that apply now of people who have no open request
// for the group here: such a one explains it, or will as soon as PIM is read again.
func (s *Service) strangersIn(a pim.Answer) (strangers []pim.Instance, err error) {
	err = s.cfg.Store.View(func(tx *store.Tx) error {
		strangers = nil
		for g, instances := range a.Active {
			open, err := tx.OpenInGroup(g, pim.Submitting, pim.Pending, pim.Scheduled, pim.Granting, pim.Active)
			if err != nil {
				return err
			}
			ours := map[pim.PrincipalID]bool{}
			for _, r := range open {
				ours[r.Principal] = true
			}
			for _, i := range instances {
				over := !i.End.IsZero() && !i.End.After(tx.Now())
				if i.Activated && i.Access == pim.Member && i.Group == g && !over && !ours[i.Principal] {
					strangers = append(strangers, i)
				}
			}
		}
		return nil
	})
	return strangers, err
}

// meet stores a request that was made elsewhere, undecided or granted already. Whatever its justification
// says, it is not one of ours.
func (s *Service) meet(c pim.Copy, who pim.Profile) error {
	role, ok := s.cfg.Roles.Of(c.Group)
	if !ok {
		return nil
	}
	return s.update(func(tx *store.Tx) error {
		if _, found, err := tx.ByPIM(c.ID); err != nil || found {
			return err
		}
		r := pim.Request{
			ID: tx.NewRequestID(), Role: role.Name, Group: c.Group, Principal: c.Principal, Chat: pim.Portal,
			Requester: pim.Actor{Person: c.Principal, Name: who.Name}, State: pim.StateOf(c, tx.Now()), Copy: c,
			Created: tx.Now(), Submitted: tx.Now(),
		}
		switch r.State {
		case pim.Pending, pim.Scheduled:
		case pim.Granting:
			r.Granting = tx.Now()
			if c.ApprovalID != "" { // PIM names an approval only where one was needed
				r.Decided = &pim.Decided{Approve: true, At: tx.Now(), Chat: pim.Portal}
			}
		default:
			return nil // it turned meanwhile
		}
		links, err := tx.LinksOf(c.Principal)
		if err != nil {
			return err
		}
		if len(links) > 0 {
			r.Requester.Account = links[0].Account
		}
		if err := s.record(tx, &r, pim.Event{Kind: pim.EventFound, Chat: pim.Portal, Person: c.Principal, Text: c.Justification}); err != nil {
			return err
		}
		if err := tx.PutEffect(watchEffect(r.Group)); err != nil {
			return err
		}
		if err := seekEvidence(tx, &r); err != nil {
			return err
		}
		if r.State == pim.Pending {
			if err := s.putRemind(tx, &r); err != nil {
				return err
			}
		}
		return s.turn(tx, &r)
	})
}
