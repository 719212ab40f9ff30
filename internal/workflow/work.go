package workflow

import (
	"time"

	"elevate/internal/store"
)

// Work is an effect as the running queue has it: the state file knows what is to
// be done, and neither how often it failed nor when it is tried again.
type Work struct {
	Effect store.Effect
	// State is running, ready (it is due, and something before it in its lane
	// runs) or waiting.
	State string
	// Due is when a waiting one runs.
	Due time.Time
	// Tries is how often it failed since it last worked, Why what the last try
	// came to. It is for the operator: people are told pim.Explain's words.
	Tries int
	Why   string
}

// Work lists the effects that wait or run, in no order.
func (s *Service) Work() []Work { return s.queue.work() }

func (q *queue) work() []Work {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := make([]Work, 0, len(q.items))
	for _, it := range q.items {
		w := Work{Effect: it.Effect, State: "ready", Tries: it.tries, Why: it.why}
		switch {
		case it.running:
			w.State = "running"
		case it.index >= 0:
			w.State, w.Due = "waiting", it.due
		}
		all = append(all, w)
	}
	return all
}
