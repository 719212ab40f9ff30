package workflow

import (
	"context"
	"slices"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
)

func boardKept(to pim.Conversation) string { return "board|" + to.String() }

// turnBoards has the boards drawn on which a request stands, or stood.
func (s *Service) turnBoards(tx *store.Tx, r *pim.Request) error {
	if r.State != pim.Active && r.State != pim.Ended {
		return nil
	}
	role, _ := s.cfg.Roles.Named(r.Role)
	return s.turnBoardsOf(tx, role)
}

// turnBoardsOf has the boards drawn in the places that are told of a role.
func (s *Service) turnBoardsOf(tx *store.Tx, role pim.Role) error {
	for _, to := range role.Notify {
		if err := s.putBoard(tx, boardWho, to); err != nil {
			return err
		}
	}
	return nil
}

// toldIn are the roles whose changes a place is told of: it hears of no other.
func (s *Service) toldIn(to pim.Conversation) (roles pim.Roles) {
	for _, role := range s.cfg.Roles {
		if slices.Contains(role.Notify, to) {
			roles = append(roles, role)
		}
	}
	return roles
}

// showWho draws who is elevated now. It is posted when somebody is for the first
// time, and goes on being drawn while somebody is.
func (s *Service) showWho(ctx context.Context, to pim.Conversation) (more bool, err error) {
	var st standing
	var b card.Board
	var begun time.Time
	err = s.cfg.Store.View(func(tx *store.Tx) error {
		if _, err := tx.Meta(boardKept(to), &st); err != nil {
			return err
		}
		var err error
		b, begun, err = s.boardOf(tx, to)
		return err
	})
	if err != nil {
		return false, err
	}
	drawn := card.WhoBoard(b)
	err = s.stand(ctx, kept{
		to: to, was: st, drawn: drawn, first: drawn, begun: begun,
		save: func(tx *store.Tx, st standing) error { return tx.PutMeta(boardKept(to), st) },
	})
	return !begun.IsZero() || b.Alarms > 0, err
}

// boardOf is what a place's board shows, and when the newest membership on it began;
// zero while nobody is elevated.
func (s *Service) boardOf(tx *store.Tx, to pim.Conversation) (b card.Board, begun time.Time, err error) {
	b.Now = tx.Now()
	alarms, err := unnoticed(tx) // which is what /elevate who lists
	if err != nil {
		return b, begun, err
	}
	for _, role := range s.toldIn(to) {
		active, err := tx.OpenInGroup(role.Group, pim.Active)
		if err != nil {
			return b, begun, err
		}
		row := card.WhoRow{Role: role}
		slices.SortFunc(active, func(a, b pim.Request) int { return a.MemberSince.Compare(b.MemberSince) })
		for _, r := range active {
			row.Holders = append(row.Holders, card.Holder{Name: r.Requester.Name, Until: r.Ends})
			if since := s.unchecked(&r, tx.Now()); !since.IsZero() && (b.Unchecked.IsZero() || since.Before(b.Unchecked)) {
				b.Unchecked = since
			}
			if r.MemberSince.After(begun) {
				begun = r.MemberSince
			}
		}
		b.Rows = append(b.Rows, row)
		for _, a := range alarms {
			if a.Group == role.Group {
				b.Alarms++
			}
		}
	}
	return b, begun, nil
}
