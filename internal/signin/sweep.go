package signin

import (
	"context"
	"time"

	"elevate/internal/pim"
	"elevate/internal/store"
)

// sweepAtOnce bounds how much one transaction of a sweep does.
const sweepAtOnce = 100

// Sweep ends links that nobody has signed in with for 90 days.
func (s *Service) Sweep(ctx context.Context) error {
	return s.sweep(ctx, s.staleLinks)
}

// sweep repeats a step until it finds less than it may do at once.
func (s *Service) sweep(ctx context.Context, step func(*store.Tx) (int, error)) error {
	for done := sweepAtOnce; done == sweepAtOnce; {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := s.cfg.Store.Update(ctx, func(tx *store.Tx) error {
			var err error
			done, err = step(tx)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) staleLinks(tx *store.Tx) (int, error) {
	links, err := tx.Links()
	if err != nil {
		return 0, err
	}
	done := 0
	for _, link := range links {
		if done == sweepAtOnce {
			break
		}
		if tx.Now().Sub(latest(link.Since, link.LastSignIn)) < linkLife {
			continue
		}
		event := pim.Event{By: pim.Actor{Name: "Elevate"}, Chat: pim.System}
		if err := s.unlink(tx, link.Account, event, ", because nobody signed in with it for 90 days", linkAgain); err != nil {
			return done, err
		}
		done++
	}
	return done, nil
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
