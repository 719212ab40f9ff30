package slack

import (
	"context"
	"sync"
)

// slots bound the work that goes on after Slack has its answer. A goroutine for
// each click would grow the memory for as long as Slack's API is slow.
type slots struct {
	free    chan struct{}
	running sync.WaitGroup
	survive func() // recovers

	mu     sync.Mutex
	closed bool
}

func newSlots(n int, survive func()) *slots {
	return &slots{free: make(chan struct{}, n), survive: survive}
}

// slot is room for one piece of work.
type slot struct {
	of   *slots
	used bool
}

// take reserves a slot. Whoever has one defers free.
func (s *slots) take() (*slot, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, false
	}
	select {
	case s.free <- struct{}{}:
		s.running.Add(1)
		return &slot{of: s}, true
	default:
		return nil, false
	}
}

// free gives the slot back if nothing runs in it.
func (p *slot) free() {
	if !p.used {
		p.of.give()
	}
}

// run does the work in the slot and then gives it back. The work outlives the
// request that it belongs to, not its own time limit.
func (p *slot) run(ctx context.Context, work func(context.Context)) {
	p.used = true
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), afterwards)
	go func() {
		defer p.of.give()
		defer cancel()
		defer p.of.survive()
		work(ctx)
	}()
}

func (s *slots) give() {
	<-s.free
	s.running.Done()
}

func (s *slots) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.running.Wait()
}
