package workflow

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"elevate/internal/pim"
	"elevate/internal/store"
)

// eligibleAge is how old what we know of a person's eligibilities may be for
// the form. PIM decides in the end; the form only leaves out what is useless.
const eligibleAge = 30 * time.Minute

// eligibles remembers the eligibilities of people, in memory only.
type eligibles struct {
	mu sync.Mutex
	by map[pim.PrincipalID]eligible
}

type eligible struct {
	groups map[pim.GroupID]pim.Eligibility
	at     time.Time
}

// maxEligibles bounds the memory; a person who is forgotten is asked about again.
const maxEligibles = 10_000

func (e *eligibles) get(id pim.PrincipalID, now time.Time) (map[pim.GroupID]pim.Eligibility, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	known, ok := e.by[id]
	return known.groups, ok && now.Sub(known.at) <= eligibleAge
}

// last is get whatever its age.
func (e *eligibles) last(id pim.PrincipalID) (map[pim.GroupID]pim.Eligibility, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	known, ok := e.by[id]
	return known.groups, ok
}

func (e *eligibles) put(id pim.PrincipalID, groups map[pim.GroupID]pim.Eligibility, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.by) >= maxEligibles || e.by == nil {
		e.by = map[pim.PrincipalID]eligible{}
	}
	e.by[id] = eligible{groups: groups, at: now}
}

// eligibleEffect has a person's eligibilities read again.
func eligibleEffect(id pim.PrincipalID) store.Effect {
	return store.Effect{Key: kindEligible + "|" + string(id), Kind: kindEligible, Lane: kindEligible + ":" + string(id), Data: quote(string(id))}
}

// learnEligible reads what a person may activate. It is not worth many tries.
func (s *Service) learnEligible(ctx context.Context, e store.Effect) (result, error) {
	id, err := dataOf[pim.PrincipalID](e)
	if err != nil {
		return result{}, err
	}
	if _, err := s.askEligible(ctx, id); err != nil {
		return result{}, err
	}
	return result{apply: s.turnHomes}, nil
}

// askEligible reads what a person may activate, and remembers it.
func (s *Service) askEligible(ctx context.Context, id pim.PrincipalID) (map[pim.GroupID]pim.Eligibility, error) {
	answer, err := s.cfg.Directory.Look(ctx, pim.Question{Eligible: []pim.PrincipalID{id}, Active: s.groups()})
	if err != nil {
		return nil, err
	}
	found, read := answer.Eligible[id]
	if !read {
		return nil, errors.Join(append(answer.Failed, pim.Errorf(pim.Unavailable, "The eligibilities could not be read from PIM."))...)
	}
	groups := map[pim.GroupID]pim.Eligibility{}
	for _, f := range found {
		if f.Access == pim.Member {
			groups[f.Group] = f
		}
	}
	s.eligible.put(id, groups, s.cfg.Now())
	return groups, nil
}

// readEligible has somebody's eligibilities read, where they are not known or old.
func (s *Service) readEligible(tx *store.Tx, who identity) error {
	for _, id := range who.ids() {
		if _, fresh := s.eligible.get(id, tx.Now()); fresh || id == "" {
			continue
		}
		if err := tx.PutEffect(eligibleEffect(id)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) oldEligible(who identity, now time.Time) bool {
	return slices.ContainsFunc(who.ids(), func(id pim.PrincipalID) bool {
		_, fresh := s.eligible.get(id, now)
		return !fresh && id != ""
	})
}

// eligibleFor is what a person was eligible for when that was last read; known is
// false where it never was.
func (s *Service) eligibleFor(who identity) (found map[pim.GroupID]pim.Eligibility, known bool) {
	found = map[pim.GroupID]pim.Eligibility{}
	for _, id := range who.ids() {
		groups, ok := s.eligible.last(id)
		if !ok {
			return nil, false
		}
		maps.Copy(found, groups)
	}
	return found, true
}

// groups are the governed groups.
func (s *Service) groups() []pim.GroupID {
	groups := make([]pim.GroupID, 0, len(s.cfg.Roles))
	for _, r := range s.cfg.Roles {
		groups = append(groups, r.Group)
	}
	return groups
}

// offered are the roles that a person's form holds: those they are eligible
// for, or all while that is not known.
func (s *Service) offered(who identity, now time.Time) (roles pim.Roles, known bool) {
	known = true
	for _, role := range s.cfg.Roles {
		if slices.ContainsFunc(who.ids(), func(id pim.PrincipalID) bool {
			groups, fresh := s.eligible.get(id, now)
			known = known && fresh
			_, ok := groups[role.Group]
			return ok
		}) {
			roles = append(roles, role)
		}
	}
	if !known {
		return s.cfg.Roles, false
	}
	return roles, true
}
