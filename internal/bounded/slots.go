package bounded

import (
	"context"
	"sync"
	"time"
)

// Slots bound the work that goes on after a chat has its answer. A goroutine for
// each click would grow the memory for as long as the chat's API is slow. Nobody
// has more than a few, so that one person does not keep all others waiting.
type Slots struct {
	most    int
	survive func() // recovers
	running sync.WaitGroup

	mu     sync.Mutex
	closed bool
	taken  int
	by     map[string]int
}

// perPerson is how many slots one person has at a time.
const perPerson = 4

// NewSlots returns n slots. survive is deferred around the work, to recover.
func NewSlots(n int, survive func()) *Slots {
	return &Slots{most: n, survive: survive, by: map[string]int{}}
}

// Slot is room for one piece of work.
type Slot struct {
	of   *Slots
	who  string
	used bool
}

// Take reserves a slot for somebody. Whoever has one defers Free.
func (s *Slots) Take(who string) (*Slot, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.taken >= s.most || s.by[who] >= perPerson {
		return nil, false
	}
	s.taken++
	s.by[who]++
	s.running.Add(1)
	return &Slot{of: s, who: who}, true
}

// Free gives the slot back if nothing runs in it.
func (p *Slot) Free() {
	if !p.used {
		p.of.give(p.who)
	}
}

// Run does the work in the slot and then gives it back. The work outlives the
// request that it belongs to, not the time it is given.
func (p *Slot) Run(ctx context.Context, most time.Duration, work func(context.Context)) {
	p.used = true
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), most)
	go func() {
		defer p.of.give(p.who)
		defer cancel()
		defer p.of.survive()
		work(ctx)
	}()
}

func (s *Slots) give(who string) {
	defer s.running.Done()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken--
	if s.by[who]--; s.by[who] == 0 {
		delete(s.by, who)
	}
}

// Close takes on nothing more and waits for what was begun.
func (s *Slots) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.running.Wait()
}
