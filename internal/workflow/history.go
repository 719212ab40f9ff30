package workflow

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
)

// historyMost is how many requests of a role history looks at.
const historyMost = 200

// history tells what was asked for and what became of it: of one request, one
// role, one person by name, or of all that somebody may look at.
func (s *Service) history(ctx context.Context, who identity, cmd pim.Command) card.Card {
	reader, err := s.readerNow(ctx, who)
	if err != nil {
		return card.Problem(pim.Explain(err))
	}
	var out card.Card
	err = s.cfg.Store.View(func(tx *store.Tx) error {
		if cmd.Request != "" {
			told, found, err := s.story(tx, cmd.Request, reader)
			if out = told; err != nil || found {
				return err
			}
		}
		found, err := s.looksBack(tx, who, reader, cmd)
		out = card.HistoryList(found, s.cfg.Roles, tx.Now())
		return err
	})
	if err != nil {
		return card.Problem(pim.Explain(err))
	}
	return out
}

// readerNow is somebody with what PIM says of them at this moment.
func (s *Service) readerNow(ctx context.Context, who identity) (pim.Reader, error) {
	reader := pim.Reader{Actor: who.actor, Auditor: s.reads(who), Eligible: map[string]bool{}, Approves: map[string]bool{}, Reviews: s.reviewsRoles(who)}
	eligible, answer, err := s.eligibilities(ctx, who)
	if err == nil {
		err = s.learn(ctx, answer)
	}
	for _, role := range s.cfg.Roles {
		_, reader.Eligible[role.Name] = eligible[role.Group]
		reader.Approves[role.Name] = s.policies.names(role.Group, s.cfg.Now(), policyUse, who.ids()...) == pim.Yes
	}
	return reader, err
}

// story tells one request; found is false where the person may not know of it,
// or the word was no request's id.
func (s *Service) story(tx *store.Tx, id pim.RequestID, reader pim.Reader) (told card.Card, found bool, err error) {
	r, err := tx.Request(id)
	switch {
	case pim.IsKind(err, pim.NotFound):
		return told, false, nil
	case err != nil || !s.mayRead(&r, reader):
		return told, false, err
	}
	events, err := tx.EventsOf(id)
	role, _ := s.cfg.Roles.Named(r.Role)
	return card.Story(r, role, events, tx.Now()), true, err
}

// mayRead reports whether a person may look at a request. Who may read a role
// reads of the group that it gives now, and not of one that its name stood for.
func (s *Service) mayRead(r *pim.Request, reader pim.Reader) bool {
	if role, ok := s.cfg.Roles.Named(r.Role); !ok || role.Group != r.Group {
		reader.Eligible, reader.Approves, reader.Reviews = nil, nil, nil
	}
	return pim.MayRead(r, reader)
}

// looksBack finds the newest requests that a person may look at: their own, and
// those of the roles they may read, of one role or one name where that was said.
func (s *Service) looksBack(tx *store.Tx, who identity, reader pim.Reader, cmd pim.Command) ([]pim.Request, error) {
	found, err := ownRequests(tx, who)
	if err != nil {
		return nil, err
	}
	for _, role := range s.cfg.Roles {
		if !pim.MayReadRole(role.Name, reader) {
			continue
		}
		some, err := tx.Recent(role.Name, historyMost)
		if err != nil {
			return nil, err
		}
		for _, r := range some {
			if s.mayRead(&r, reader) {
				found = append(found, r)
			}
		}
	}
	found = slices.DeleteFunc(found, func(r pim.Request) bool { return !meant(r, cmd) })
	slices.SortFunc(found, func(a, b pim.Request) int {
		return cmp.Or(b.Created.Compare(a.Created), strings.Compare(string(a.ID), string(b.ID)))
	})
	return slices.CompactFunc(found, func(a, b pim.Request) bool { return a.ID == b.ID }), nil
}

// meant reports whether a request is of what was named: nothing, a role, or
// somebody by a part of the name, which is for display alone.
func meant(r pim.Request, cmd pim.Command) bool {
	switch {
	case cmd.Role != "":
		return r.Role == cmd.Role
	case cmd.Name != "":
		return strings.Contains(strings.ToLower(r.Requester.Name), strings.ToLower(cmd.Name))
	}
	return true
}
