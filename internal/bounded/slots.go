package bounded

import (
	"context"
	"sync"
	"time"
)

// Slots bound the work that goes on after a chat has its answer. A goroutine for
// each click would grow the memory for as long as the chat's API is slow.
type Slots struct {
	room    chan struct{}
	running sync.WaitGroup
	survive func() // recovers

	mu     sync.Mutex
	closed bool
}

// NewSlots returns n slots. survive is deferred around the work, to recover.
func NewSlots(n int, survive func()) *Slots {
	return &Slots{room: make(chan struct{}, n), survive: survive}
}

// Slot is room for one piece of work.
type Slot struct {
	of   *Slots
	used bool
}

// Take reserves a slot. Whoever has one defers Free.
func (s *Slots) Take() (*Slot, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, false
	}
	select {
	case s.room <- struct{}{}:
		s.running.Add(1)
		return &Slot{of: s}, true
	default:
		return nil, false
	}
}

// Free gives the slot back if nothing runs in it.
func (p *Slot) Free() {
	if !p.used {
		p.of.give()
	}
}

// Run does the work in the slot and then gives it back. The work outlives the
// request that it belongs to, not the time it is given.
func (p *Slot) Run(ctx context.Context, most time.Duration, work func(context.Context)) {
	p.used = true
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), most)
	go func() {
		defer p.of.give()
		defer cancel()
		defer p.of.survive()
		work(ctx)
	}()
}

func (s *Slots) give() {
	<-s.room
	s.running.Done()
}

// Close takes on nothing more and waits for what was begun.
func (s *Slots) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.running.Wait()
}
