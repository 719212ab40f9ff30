package simteams

import (
	"io"
	"net/http"
	"strconv"
	"time"
)

// FaultKind is a way in which Teams can fail: one of the words below, an HTTP status, or a code of the connector's.
type FaultKind string

// What can go wrong with a call.
const (
	RateLimited FaultKind = "429"   // refused, with Retry-After unless it is zero
	ServerError FaultKind = "5xx"   // an HTML page with status 502, nothing done
	NoError     FaultKind = "no"    // status 500 without a body, nothing done
	Reset       FaultKind = "reset" // the connection breaks after the call was carried out
	Slow        FaultKind = "slow"  // the answer comes late
	Denied      FaultKind = "401"   // the token is not taken
)

// codesOf are the codes that stand for a bare status.
var codesOf = map[FaultKind]string{
	"400": "BadArgument", "403": "BotNotInConversationRoster", "404": "ConversationNotFound", "412": "PreconditionFailed",
	"413": "MessageSizeTooBig", "500": "ServiceError",
}

// Known says whether there is such a fault.
func (k FaultKind) Known() bool {
	switch k {
	case RateLimited, ServerError, NoError, Reset, Slow, Denied:
		return true
	}
	_, status := codesOf[k]
	_, code := restErrors[string(k)]
	return status || code
}

// Fault makes calls fail.
type Fault struct {
	Kind       FaultKind
	Times      int           // how many calls; zero: all, until Heal
	RetryAfter time.Duration // of RateLimited
	Delay      time.Duration // of Slow
}

// Break makes the calls of one name fail, or all when the name is empty: send, reply, update, delete, create, members,
// member, team, channels, metadata or keys.
func (s *Server) Break(name string, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[name] = &f
}

// Heal ends all faults.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.faults)
}

// takeFault returns the fault a call meets, if any, and counts it.
func (s *Server) takeFault(name string) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range []string{name, ""} {
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
		e := refuse("Throttled")
		e.retry = int(f.RetryAfter.Seconds())
		e.write(w)
	case ServerError:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusBadGateway)
		_, _ = io.WriteString(w, "<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>")
	case NoError:
		w.WriteHeader(http.StatusInternalServerError)
	case Denied:
		denied(w)
	case Slow:
		wait(r, f.Delay)
		return false
	case Reset:
		return false
	default:
		return f.code(w)
	}
	return true
}

// code answers with one of the connector's codes, or with a bare status.
func (f *Fault) code(w http.ResponseWriter) bool {
	code := string(f.Kind)
	if said, ok := codesOf[f.Kind]; ok {
		code = said
	}
	if _, known := restErrors[code]; known {
		refuse(code).write(w)
		return true
	}
	if status, err := strconv.Atoi(code); err == nil && status >= 400 && status <= 599 {
		w.WriteHeader(status)
		return true
	}
	return false
}

// after applies a fault that strikes once the call was carried out, and tells whether it did.
func (f *Fault) after(w http.ResponseWriter) bool {
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
