package simslack

import (
	"io"
	"net/http"
	"strconv"
	"time"
)

// FaultKind is a way in which Slack can fail.
type FaultKind string

// What can go wrong with a call.
const (
	RateLimited FaultKind = "429"   // refused, with Retry-After unless it is zero
	ServerError FaultKind = "5xx"   // an HTML page with status 503, nothing done
	NoError     FaultKind = "no"    // ok:false without an error, nothing done
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

// Break makes the calls of one method fail, or those of all methods when the name is empty.
func (s *Server) Break(method string, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[method] = &f
}

// Heal ends all faults.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.faults)
}

// takeFault returns the fault a call meets, if any, and counts it.
func (s *Server) takeFault(method string) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range []string{method, ""} {
		f := s.faults[key]
		if f == nil {
			continue
		}
		met := *f
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				delete(s.faults, key)
			}
		}
		return &met
	}
	return nil
}

// before applies a fault that keeps the call from being carried out, and tells whether it did.
func (f *Fault) before(w http.ResponseWriter, r *http.Request) bool {
	switch f.Kind {
	case RateLimited:
		if f.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(f.RetryAfter.Seconds())))
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, `{"ok":false,"error":"ratelimited"}`)
	case ServerError:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, "<html><head><title>Server Error | Slack</title></head><body>Something went wrong.</body></html>")
	case NoError:
		writeJSON(w, object{"ok": false})
	case Slow:
		wait(r, f.Delay)
		return false
	case Reset:
		return false
	}
	return true
}

// after applies a fault that strikes once the call was carried out, and tells whether it did.
func (f *Fault) after(w http.ResponseWriter, _ object) bool {
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

// wait holds a call back, not longer than its caller waits.
func wait(r *http.Request, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	}
}
