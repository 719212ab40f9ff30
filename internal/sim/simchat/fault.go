package simchat

import (
	"net/http"
	"sync"
	"time"
)

// FaultKind is a way in which a chat can fail.
type FaultKind string

// What can go wrong with a call of either chat.
const (
	RateLimited FaultKind = "429"   // refused, with Retry-After unless it is zero
	ServerError FaultKind = "5xx"   // an HTML page as a gateway sends it, nothing done
	NoError     FaultKind = "no"    // a failure that says nothing, nothing done
	Reset       FaultKind = "reset" // the connection breaks after the call was carried out
	Slow        FaultKind = "slow"  // the answer comes late
)

// Fault makes calls fail.
type Fault struct {
	Kind       FaultKind
	Times      int           // how many calls; zero: all, until Heal
	RetryAfter time.Duration // of RateLimited
	Delay      time.Duration // of Slow
}

// Faults are those that stand, by the name of a call. The zero value has none.
type Faults struct {
	mu sync.Mutex
	of map[string]*Fault
}

// Break makes the calls of one name fail, or all calls when the name is empty.
func (f *Faults) Break(name string, with Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of == nil {
		f.of = map[string]*Fault{}
	}
	f.of[name] = &with
}

// Heal ends all faults.
func (f *Faults) Heal() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.of)
}

// Take returns the fault a call meets, if any, and counts it.
func (f *Faults) Take(name string) *Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, key := range []string{name, ""} {
		stands := f.of[key]
		if stands == nil {
			continue
		}
		met := *stands
		if stands.Times > 0 {
			if stands.Times--; stands.Times == 0 {
				delete(f.of, key)
			}
		}
		return &met
	}
	return nil
}

// Wait holds a call back, not longer than its caller waits.
func (f *Fault) Wait(r *http.Request) {
	timer := time.NewTimer(f.Delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	}
}

// After applies a fault that strikes once the call was carried out, and tells whether it did.
func (f *Fault) After(w http.ResponseWriter) bool {
	if f.Kind != Reset {
		return false
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2 has nothing to hijack; this resets the stream
	}
	_ = conn.Close()
	return true
}
