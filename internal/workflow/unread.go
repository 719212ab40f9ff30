package workflow

import (
	"sync"
	"time"

	"elevate/internal/pim"
	"elevate/internal/store"
)

// unreadKept is where it stands since when PIM was not read, so that after a
// restart the cards that say so are turned when it is read again.
const unreadKept = "unread"

// unread knows whose cards say that they were not checked, and since when.
type unread struct {
	mu    sync.Mutex
	since time.Time // when PIM was read last, while cards say that it cannot be
	read  map[pim.GroupID]time.Time
}

// saw notes which groups a sweep has read, although it failed for another.
func (u *unread) saw(a pim.Answer, at time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.read == nil {
		u.read = map[pim.GroupID]time.Time{}
	}
	for g := range a.Active {
		if _, both := a.Pending[g]; both {
			u.read[g] = at
		}
	}
}

// set says since when PIM was not read; zero ends it.
func (u *unread) set(since time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.since = since
}

// of is since when a group was not read, where its cards have to say so.
func (u *unread) of(g pim.GroupID, now time.Time) time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	last, known := u.read[g]
	switch {
	case u.since.IsZero(), known && now.Sub(last) < sweepFailing:
		return time.Time{}
	case known:
		return last
	}
	return u.since
}

// unchecked is since when PIM could not be asked of a request; zero where it was,
// and where it knows nothing of it or will say nothing new.
func (s *Service) unchecked(r *pim.Request, now time.Time) time.Time {
	if !r.State.Open() || r.Copy.ID == "" {
		return time.Time{}
	}
	return s.unread.of(r.Group, now)
}

// turnUnread has the open cards say that they are not checked any more, or say it
// no more. The caller has set which.
func (s *Service) turnUnread(tx *store.Tx, since time.Time) error {
	if err := tx.PutMeta(unreadKept, since); err != nil {
		return err
	}
	open, err := tx.OpenRequests()
	if err != nil {
		return err
	}
	if err := s.turnEach(tx, open); err != nil {
		return err
	}
	for i := range open {
		if err := s.turnBoards(tx, &open[i]); err != nil {
			return err
		}
	}
	return nil
}

// takeUpUnread goes on where a previous run could not read PIM.
func (s *Service) takeUpUnread() error {
	return s.cfg.Store.View(func(tx *store.Tx) error {
		var since time.Time
		if _, err := tx.Meta(unreadKept, &since); err != nil || since.IsZero() {
			return err
		}
		s.failing = failing{since: since, said: true}
		s.unread.set(since)
		return nil
	})
}
