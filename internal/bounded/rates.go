package bounded

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Rates bound how often each of many does something, so that one takes nothing
// from the others. It is safe for concurrent use.
type Rates struct {
	every time.Duration
	burst int
	most  int

	mu sync.Mutex
	by map[string]*rate.Limiter
}

// NewRates lets each do it burst times at once, then once every while. It remembers
// at most so many of them: all are forgotten when there is one more.
func NewRates(burst int, every time.Duration, most int) *Rates {
	return &Rates{every: every, burst: burst, most: most, by: map[string]*rate.Limiter{}}
}

// Allow reports whether somebody may do it now, and counts that they do.
func (r *Rates) Allow(who string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	of := r.by[who]
	if of == nil {
		if len(r.by) >= r.most {
			clear(r.by)
		}
		of = rate.NewLimiter(rate.Every(r.every), r.burst)
		r.by[who] = of
	}
	return of.AllowN(now, 1)
}
