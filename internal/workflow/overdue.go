package workflow

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
)

// overdueKept is when overdue reviews were last named.
const overdueKept = "reviews named"

// overdueEvery is how often they are.
const overdueEvery = 24 * time.Hour

// putOverdue has the reviews that stay open named once a day. It is put anew each time:
// a run that found none may be about to end.
func (s *Service) putOverdue(tx *store.Tx) error {
	due, err := nextOverdue(tx)
	if err != nil || due.IsZero() {
		return err
	}
	return tx.PutEffect(store.Effect{Key: kindOverdue, Kind: kindOverdue, Lane: kindOverdue, Due: due})
}

// nextOverdue is when reviews are named next: when the oldest is overdue, and a day
// after the last time. Zero: there are none.
func nextOverdue(tx *store.Tx) (time.Time, error) {
	open, err := OpenReviews(tx)
	if err != nil || len(open) == 0 {
		return time.Time{}, err
	}
	var last time.Time
	if _, err := tx.Meta(overdueKept, &last); err != nil {
		return time.Time{}, err
	}
	due := open[0].Review.Opened.Add(pim.ReviewWithin)
	if again := last.Add(overdueEvery); !last.IsZero() && again.After(due) && !last.After(tx.Now()) { // a clock may have gone back
		due = again
	}
	return due, nil
}

// nameOverdue names the reviews that are open for too long in the places of their
// roles. Days that were missed are made up by one.
func (s *Service) nameOverdue(context.Context, store.Effect) (result, error) {
	var again time.Duration
	err := s.update(func(tx *store.Tx) error {
		again = 0
		due, err := nextOverdue(tx)
		if err != nil || due.IsZero() {
			return err
		}
		if !tx.Now().Before(due) {
			if err := s.sayOverdue(tx); err != nil {
				return err
			}
			if due, err = nextOverdue(tx); err != nil {
				return err
			}
		}
		again = max(min(due.Sub(tx.Now()), overdueEvery), time.Second)
		return nil
	})
	return result{again: again}, err
}

// sayOverdue writes the event and tells the places.
func (s *Service) sayOverdue(tx *store.Tx) error {
	if err := tx.PutMeta(overdueKept, tx.Now()); err != nil {
		return err
	}
	open, err := OpenReviews(tx)
	if err != nil {
		return err
	}
	late := slices.DeleteFunc(open, func(r pim.Request) bool { return !r.ReviewOverdue(tx.Now()) })
	var ids []string
	for _, r := range late[:min(len(late), mostOverdue)] {
		ids = append(ids, string(r.ID))
	}
	text := fmt.Sprintf("%d: %s", len(late), strings.Join(ids, " "))
	seq, err := tx.Append(pim.Event{Kind: pim.EventReviewOverdue, Chat: pim.System, Text: text})
	if err != nil {
		return err
	}
	var roles pim.Roles
	for _, r := range late {
		role, _ := s.cfg.Roles.Named(r.Role)
		roles = append(roles, role)
	}
	return s.tellOnCall(tx, roles, fmt.Sprintf("overdue|%d", seq), message{Overdue: true})
}

// mostOverdue bounds how many of them an event names.
const mostOverdue = 20

// overdueCard lists the reviews that are overdue now for a place; nil where none is.
func (s *Service) overdueCard(at pim.Conversation) (c *card.Card, err error) {
	err = s.cfg.Store.View(func(tx *store.Tx) error {
		c = nil
		open, err := OpenReviews(tx)
		if err != nil {
			return err
		}
		late := slices.DeleteFunc(open, func(r pim.Request) bool {
			role, _ := s.cfg.Roles.Named(r.Role)
			return !r.ReviewOverdue(tx.Now()) || !slices.Contains(role.Notify, at)
		})
		if len(late) > 0 {
			drawn := card.OverdueReviews(late, s.cfg.Roles, tx.Now())
			c = &drawn
		}
		return nil
	})
	return c, err
}

// reviewsFor are the open reviews that somebody may close, oldest first, as far as
// is known here.
func (s *Service) reviewsFor(tx *store.Tx, who identity) ([]pim.Request, error) {
	open, err := OpenReviews(tx)
	if err != nil {
		return nil, err
	}
	var mine []pim.Request
	for _, r := range open {
		if s.reviewer(&r, who) != pim.Yes {
			continue
		}
		same, err := samePerson(tx, &r, who)
		if err != nil {
			return nil, err
		}
		if !same {
			mine = append(mine, r)
		}
	}
	return mine, nil
}
