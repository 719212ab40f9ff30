package workflow

import (
	"context"
	"time"

	"elevate/internal/pim"
	"elevate/internal/store"
)

// putEnding has the holder told before an access ends.
func putEnding(tx *store.Tx, r *pim.Request) error {
	if at := r.EndingNotice(); !at.IsZero() {
		return tx.PutEffect(endingEffect(r, at))
	}
	return nil
}

// ending tells the holder that an access ends soon, once, unless it ends otherwise before.
func (s *Service) ending(_ context.Context, e store.Effect) (result, error) {
	var r pim.Request
	var now time.Time
	err := s.cfg.Store.View(func(tx *store.Tx) (err error) {
		r, err = tx.Request(e.Request)
		now = tx.Now()
		return err
	})
	at := r.EndingNotice()
	switch {
	case err != nil:
		return result{}, err
	case r.State != pim.Active || at.IsZero() || !now.Before(r.Ends) || r.Leaving != "":
		return result{}, nil
	case r.Releasing != nil: // PIM may refuse it
		return result{again: 10 * time.Second}, nil
	case now.Before(at): // PIM moved the end
		return result{again: at.Sub(now)}, nil
	}
	return result{apply: func(tx *store.Tx) error {
		fresh, err := tx.Request(r.ID)
		if err != nil || fresh.State != pim.Active {
			return err
		}
		if err := s.record(tx, &fresh, pim.Event{Kind: pim.EventEnding, Chat: pim.System, From: fresh.State}); err != nil {
			return err
		}
		return s.tellRequester(tx, "ending|"+string(fresh.ID), &fresh, message{Ending: true})
	}}, nil
}
