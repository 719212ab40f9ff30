package bounded

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Repeats gives what comes twice the first's answer. It remembers for a while,
// and up to a number and a weight. It is safe for concurrent use.
type Repeats[V any] struct {
	cfg RepeatsConfig[V]

	mu     sync.Mutex
	known  map[string]*first[V]
	order  []*first[V] // oldest first
	weight int         // of the answers that are kept
}

// RepeatsConfig says what a Repeats keeps.
type RepeatsConfig[V any] struct {
	Life time.Duration
	Most int // answers
	// Weigh is what an answer counts towards Heaviest; nil weighs nothing.
	Weigh    func(V) int
	Heaviest int
	// Again reports that an answer is not kept, so that another try is one; nil
	// keeps all.
	Again func(V) bool
	Now   func() time.Time
}

// first is what came for the first time.
type first[V any] struct {
	name   string
	until  time.Time
	done   chan struct{} // closed when there is an answer
	answer V
	failed bool
}

// ErrFirstFailed is returned to repetitions of what ended in a panic.
var ErrFirstFailed = errors.New("the first of its name did not come to an answer")

// NewRepeats returns an empty Repeats.
func NewRepeats[V any](cfg RepeatsConfig[V]) *Repeats[V] {
	return &Repeats[V]{cfg: cfg, known: map[string]*first[V]{}}
}

// Do answers with what work returns, or with what it returned when this name
// came first; a repetition waits for that until ctx ends. The error is
// ctx's or ErrFirstFailed.
func (r *Repeats[V]) Do(ctx context.Context, name string, work func() V) (answer V, err error) {
	f, repeated := r.enter(name)
	if !repeated {
		f.failed = true // should work panic, the others are not left waiting
		defer r.leave(f)
		f.answer = work()
		f.failed = false
		return f.answer, nil
	}
	if err := f.wait(ctx); err != nil {
		return answer, err
	}
	return f.answer, nil
}

func (f *first[V]) wait(ctx context.Context) error {
	if !f.over() {
		select {
		case <-f.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if f.failed {
		return ErrFirstFailed
	}
	return nil
}

// over reports whether there is an answer, or will be none.
func (f *first[V]) over() bool {
	select {
	case <-f.done:
		return true
	default:
		return false
	}
}

// Len is how much is remembered.
func (r *Repeats[V]) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return max(len(r.known), len(r.order))
}

// enter returns the first of that name, and whether it was there before.
func (r *Repeats[V]) enter(name string) (*first[V], bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.cfg.Now()
	if f, known := r.known[name]; known && now.Before(f.until) {
		return f, true
	}
	r.thin(now)
	f := &first[V]{name: name, until: now.Add(r.cfg.Life), done: make(chan struct{})}
	r.known[name], r.order = f, append(r.order, f)
	return f, false
}

// leave lets the repetitions have the answer.
func (r *Repeats[V]) leave(f *first[V]) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.weight += r.weigh(f)
	if f.failed || r.cfg.Again != nil && r.cfg.Again(f.answer) {
		r.forget(f)
	}
	close(f.done)
}

// thin forgets what is too old or too much, but not what still runs. The lock
// is held.
func (r *Repeats[V]) thin(now time.Time) {
	for len(r.order) > 0 {
		oldest := r.order[0]
		if !oldest.over() {
			return
		}
		if now.Before(oldest.until) && len(r.order) < r.cfg.Most && (r.cfg.Weigh == nil || r.weight < r.cfg.Heaviest) {
			return
		}
		r.forget(oldest)
		r.order[0] = nil
		r.order = r.order[1:]
	}
}

// forget drops an answer. The lock is held.
func (r *Repeats[V]) forget(f *first[V]) {
	if r.known[f.name] == f {
		delete(r.known, f.name)
		r.weight -= r.weigh(f)
	}
}

func (r *Repeats[V]) weigh(f *first[V]) int {
	if r.cfg.Weigh == nil || f.failed {
		return 0
	}
	return r.cfg.Weigh(f.answer)
}
