package signin

import (
	"context"
	"sync"

	"elevate/internal/pim"
)

// flights lets one call at a time renew a session: a refresh token may be spent once only.
type flights struct {
	mu   sync.Mutex
	open map[pim.ChatAccount]*flight
}

type flight struct {
	turn    chan struct{} // holds one token
	waiting int
}

// enter waits for the account's turn. The caller must call leave.
func (f *flights) enter(ctx context.Context, a pim.ChatAccount) (leave func(), err error) {
	own := f.join(a)
	select {
	case own.turn <- struct{}{}:
		return func() {
			<-own.turn
			f.part(a, own)
		}, nil
	case <-ctx.Done():
		f.part(a, own)
		return nil, ctx.Err()
	}
}

func (f *flights) join(a pim.ChatAccount) *flight {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open == nil {
		f.open = map[pim.ChatAccount]*flight{}
	}
	own := f.open[a]
	if own == nil {
		own = &flight{turn: make(chan struct{}, 1)}
		f.open[a] = own
	}
	own.waiting++
	return own
}

func (f *flights) part(a pim.ChatAccount, own *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if own.waiting--; own.waiting == 0 {
		delete(f.open, a)
	}
}
