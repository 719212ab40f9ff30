package workflow

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
)

// listMost bounds what a list reads.
const listMost = 50

// How often one account has lists read: each asks PIM, as the application, which
// reads for everybody else by the same allowance of Microsoft's.
const (
	readingsAtOnce = 30
	readingEvery   = 3 * time.Second
)

// list answers what only reads.
func (s *Service) list(from Sender, cmd pim.Command) Reply {
	if cmd.Verb == pim.VerbStatus {
		return s.status(from)
	}
	var out Reply
	signIn := false
	err := s.cfg.Store.View(func(tx *store.Tx) error {
		who, err := s.identify(tx, from.Account, from.Name)
		if err != nil {
			return err
		}
		// PIM tells only the people themselves what waits for them.
		signIn = who.actor.Person == "" || cmd.Verb == pim.VerbApprovals && who.session == nil
		if signIn {
			return nil
		}
		switch cmd.Verb { //nolint:exhaustive // those that only read
		case pim.VerbRoles:
			out = Reply{Later: func(ctx context.Context) card.Card { return s.roles(ctx, who) }}
		case pim.VerbApprovals:
			out = Reply{Later: func(ctx context.Context) card.Card { return s.approvals(ctx, who) }}
		case pim.VerbHistory:
			out = Reply{Later: func(ctx context.Context) card.Card { return s.history(ctx, who, cmd) }}
		case pim.VerbWho:
			out = Reply{Later: func(ctx context.Context) card.Card { return s.who(ctx, who, cmd.Role) }}
		}
		return nil
	})
	switch {
	case err != nil:
		return s.notDone(err)
	case signIn:
		return s.signInFirst(from)
	case !s.readings.Allow(from.Account.String(), s.cfg.Now()):
		return problem(pim.Errorf(pim.Throttled, "You asked for many lists within a short time. Wait a minute and ask again."))
	}
	return out
}

// status lists the person's own requests, newest first, and what else concerns
// them, as their page does.
func (s *Service) status(from Sender) Reply {
	var mine []pim.Request
	var who identity
	var p card.Page
	known := false
	err := s.cfg.Store.View(func(tx *store.Tx) (err error) {
		if who, err = s.identify(tx, from.Account, from.Name); err != nil {
			return err
		}
		known = who.actor.Person != ""
		mine, p, err = s.statusOf(tx, who)
		return err
	})
	switch {
	case err != nil:
		return s.notDone(err)
	case !known && len(mine) == 0:
		return s.signInFirst(from) // whose requests are meant is not known
	}
	links, err := s.waitingLinks(from, mine)
	if err != nil {
		return s.notDone(err)
	}
	if !known {
		return reply(card.StatusList(mine, links, s.cfg.Roles, s.cfg.Now()))
	}
	if !p.Known {
		if err := s.update(func(tx *store.Tx) error { return s.readEligible(tx, who) }); err != nil {
			s.cfg.Logger.Warn("eligibilities_not_read", "error", err)
		}
	}
	drawn := card.Status(mine, links, p)
	return Reply{Card: &drawn, Kept: func(ref pim.MessageRef) { s.keepStatus(from.Account, ref, drawn, links) }}
}

// statusOf reads somebody's own requests, and what else concerns them once they are known.
func (s *Service) statusOf(tx *store.Tx, who identity) (mine []pim.Request, p card.Page, err error) {
	if who.actor.Person != "" {
		if p, err = s.page(tx, who); err != nil {
			return nil, p, err
		}
	}
	mine, err = ownRequests(tx, who)
	return mine, p, err
}

// ownRequests are what somebody asked for in the last thirty days. Those of the
// chat account that somebody signed in for are that person's, who may not be
// linked any more.
func ownRequests(tx *store.Tx, who identity) ([]pim.Request, error) {
	since := tx.Now().Add(-30 * 24 * time.Hour)
	mine, err := tx.OfAccount(who.actor.Account, since, listMost)
	mine = slices.DeleteFunc(mine, func(r pim.Request) bool { return r.Requester.Person != "" })
	for _, id := range who.ids() {
		if id == "" || err != nil {
			continue
		}
		var some []pim.Request
		some, err = tx.OfPerson(id, since, listMost)
		mine = append(mine, some...)
	}
	slices.SortFunc(mine, func(a, b pim.Request) int {
		return cmp.Or(b.Created.Compare(a.Created), strings.Compare(string(a.ID), string(b.ID)))
	})
	return slices.CompactFunc(mine, func(a, b pim.Request) bool { return a.ID == b.ID }), err
}

// waitingLinks makes sign-in links for the requests that wait for one: those
// that were given out are stored only as hashes.
func (s *Service) waitingLinks(from Sender, mine []pim.Request) (map[pim.RequestID]string, error) {
	waits := slices.DeleteFunc(slices.Clone(mine), func(r pim.Request) bool { return r.State != pim.WaitingForSignIn })
	if len(waits) == 0 || s.takeStep(from.Account, s.cfg.Now()) != nil {
		return nil, nil //nolint:nilerr // without links: there is a limit to how many somebody gets
	}
	var links map[pim.RequestID]string
	err := s.update(func(tx *store.Tx) error {
		links = map[pim.RequestID]string{}
		for i := range waits {
			url := ""
			if err := s.linkAgain(tx, from, &waits[i], &url); err != nil {
				return err
			}
			links[waits[i].ID] = url
		}
		return nil
	})
	return links, err
}

// roles lists what the person is eligible for, from PIM.
func (s *Service) roles(ctx context.Context, who identity) card.Card {
	eligible, answer, err := s.eligibilities(ctx, who)
	if err != nil {
		return card.Problem(pim.Explain(err))
	}
	if err := s.learn(ctx, answer); err != nil {
		return card.Problem(pim.Explain(err))
	}
	holds, waits, err := s.holds(who)
	if err != nil {
		return card.Problem(pim.Explain(err))
	}
	var rows []card.RoleRow
	for _, role := range s.cfg.Roles {
		e, ok := eligible[role.Group]
		if !ok {
			continue
		}
		row := card.RoleRow{Role: role, Eligible: e.End, Holds: holds[role.Name], Waits: waits[role.Name]}
		if known, ok := s.policies.get(role.Group, s.cfg.Now(), policyUse); ok {
			row.Approvers, row.Role.NeedsApproval = known.names(who.ids()...), known.policy.Approval
		}
		rows = append(rows, row)
	}
	return card.RolesList(rows)
}

// eligibilities asks PIM what the person may activate, and for the rules of the
// roles that are not known.
func (s *Service) eligibilities(ctx context.Context, who identity) (map[pim.GroupID]pim.Eligibility, pim.Answer, error) {
	q := pim.Question{Eligible: who.ids(), Active: s.groups()}
	for _, role := range s.cfg.Roles {
		if _, ok := s.policies.get(role.Group, s.cfg.Now(), policyUse); !ok {
			s.policyQuestion(&q, role.Group)
		}
	}
	answer, err := s.cfg.Directory.Look(ctx, q)
	if err == nil {
		err = errors.Join(answer.Failed...)
	}
	found := map[pim.GroupID]pim.Eligibility{}
	for _, list := range answer.Eligible {
		for _, e := range list {
			if e.Access == pim.Member {
				found[e.Group] = e
			}
		}
	}
	return found, answer, err
}

// holds returns, by role, when what the person has now ends, and the request
// that gives them nothing yet.
func (s *Service) holds(who identity) (held map[string]time.Time, waits map[string]*pim.Request, err error) {
	held, waits = map[string]time.Time{}, map[string]*pim.Request{}
	err = s.cfg.Store.View(func(tx *store.Tx) error {
		for _, role := range s.cfg.Roles {
			_, row, err := s.ofRole(tx, who, role)
			if err != nil {
				return err
			}
			if !row.Holds.IsZero() {
				held[role.Name] = row.Holds
			}
			waits[role.Name] = row.Waits
		}
		return nil
	})
	return held, waits, err
}

// approvals lists what waits for the person, from PIM's own list.
func (s *Service) approvals(ctx context.Context, who identity) card.Card {
	copies, err := s.cfg.Directory.Waiting(ctx, who.actor)
	if err != nil {
		return card.Problem(pim.Explain(err))
	}
	var waits []card.Wait
	var reviews []pim.Request
	err = s.cfg.Store.View(func(tx *store.Tx) error {
		waits = nil
		if reviews, err = s.reviewsFor(tx, who); err != nil {
			return err
		}
		for _, c := range copies {
			id, found, err := tx.ByPIM(c.ID)
			if err != nil {
				return err
			}
			if !found {
				continue
			}
			r, err := tx.Request(id)
			if err != nil {
				return err
			}
			role, _ := s.cfg.Roles.Named(r.Role)
			waits = append(waits, card.Wait{Request: r, Role: role, Requester: r.Requester.Name})
		}
		return nil
	})
	if err != nil {
		return card.Problem(pim.Explain(err))
	}
	slices.SortStableFunc(waits, func(a, b card.Wait) int { return a.Request.Created.Compare(b.Request.Created) })
	return card.ApprovalsList(waits, reviews, s.cfg.Roles, s.cfg.Now())
}

// who lists who is elevated now, for the roles the person may look at.
func (s *Service) who(ctx context.Context, who identity, only string) card.Card {
	reader, err := s.readerNow(ctx, who)
	if err != nil {
		return card.Problem(pim.Explain(err))
	}
	var rows []card.WhoRow
	err = s.cfg.Store.View(func(tx *store.Tx) error {
		rows = nil
		open, err := unnoticed(tx)
		if err != nil {
			return err
		}
		for _, role := range s.cfg.Roles {
			if only != "" && role.Name != only || !pim.MayReadRole(role.Name, reader) {
				continue
			}
			row, err := whoHas(tx, role, open)
			if err != nil {
				return err
			}
			rows = append(rows, row)
		}
		return nil
	})
	if err != nil {
		return card.Problem(pim.Explain(err))
	}
	return card.WhoList(rows)
}

// reads reports whether somebody belongs to a group that may read everything.
func (s *Service) reads(who identity) bool {
	return slices.ContainsFunc(s.cfg.Readers, func(g pim.GroupID) bool {
		return slices.ContainsFunc(who.ids(), func(id pim.PrincipalID) bool { return s.readers.has(g, id) })
	})
}
