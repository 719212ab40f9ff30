package sim

import (
	"context"
	"sync"
	"time"
)

// followedLately is how long ago a bot looked at the world's clock that still follows it, and how long it is waited for.
const followedLately = time.Second

// follower is the bot that reads the world's clock now and again.
type follower struct {
	mu     sync.Mutex
	looked time.Time
	next   chan struct{} // closed by its next look
}

// looks notes that it read the clock.
func (f *follower) looks(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looked = now
	if f.next != nil {
		close(f.next)
		f.next = nil
	}
}

// catchesUp waits until it has read the clock once more: whoever moved the clock acts in the new time next, and the bot
// would still live in the old one.
func (f *follower) catchesUp(ctx context.Context, now time.Time) {
	f.mu.Lock()
	if now.Sub(f.looked) > followedLately {
		f.mu.Unlock()
		return
	}
	if f.next == nil {
		f.next = make(chan struct{})
	}
	next := f.next
	f.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, followedLately)
	defer cancel()
	select {
	case <-next:
	case <-ctx.Done():
	}
}
