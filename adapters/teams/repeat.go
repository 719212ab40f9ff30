package teams

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// repeats gives what comes twice the first's answer. Teams sends an activity
// again when the answer was late, and people click twice. It only remembers for
// a while and up to a number: the workflow knows repetitions for longer, by the
// same name.
type repeats struct {
	now func() time.Time

	mu    sync.Mutex
	known map[string]*first
	order []*first // oldest first
	bytes int      // of the answers that are kept
}

// first is an activity that came for the first time.
type first struct {
	name   string
	until  time.Time
	done   chan struct{} // closed when there is an answer
	answer encoded
}

const (
	repeatLife  = 10 * time.Minute
	mostRepeats = 10_000
	mostAnswers = 4 << 20
)

func newRepeats(now func() time.Time) *repeats {
	return &repeats{now: now, known: map[string]*first{}}
}

// do answers with what work returns, or with what it returned when this name
// came first; a repetition waits for it.
func (r *repeats) do(ctx context.Context, name string, work func() encoded) (answer encoded, repeated bool) {
	f, repeated := r.enter(name)
	if repeated {
		select {
		case <-f.done:
			return f.answer, true
		case <-ctx.Done():
			return encoded{status: http.StatusServiceUnavailable}, true
		}
	}
	// Should work panic, the others are not left waiting.
	f.answer = encoded{status: http.StatusInternalServerError}
	defer r.leave(f)
	f.answer = work()
	return f.answer, false
}

// enter returns the first of that name, and whether it was there before.
func (r *repeats) enter(name string) (*first, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	r.thin(now)
	if f, known := r.known[name]; known {
		return f, true
	}
	f := &first{name: name, until: now.Add(repeatLife), done: make(chan struct{})}
	r.known[name], r.order = f, append(r.order, f)
	return f, false
}

// leave lets the repetitions have the answer. One that says that something went
// wrong is not kept: another try is welcome.
func (r *repeats) leave(f *first) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bytes += len(f.answer.body)
	if f.answer.status >= http.StatusInternalServerError {
		r.forget(f)
	}
	close(f.done)
}

// thin forgets what is too old or too much, but not what still runs. The lock
// is held.
func (r *repeats) thin(now time.Time) {
	for len(r.order) > 0 {
		oldest := r.order[0]
		select {
		case <-oldest.done:
		default:
			return
		}
		if now.Before(oldest.until) && len(r.order) < mostRepeats && r.bytes < mostAnswers {
			return
		}
		r.forget(oldest)
		r.order = r.order[1:]
	}
}

// forget drops an answer. The lock is held.
func (r *repeats) forget(f *first) {
	if r.known[f.name] == f {
		delete(r.known, f.name)
		r.bytes -= len(f.answer.body)
	}
}
