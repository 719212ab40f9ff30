package simslack

import (
	"io"
	"net/http"
	"strconv"

	"elevate/internal/sim/simchat"
)

// Fault makes calls fail.
type Fault = simchat.Fault

// FaultKind is one of the ways below.
type FaultKind = simchat.FaultKind

// What can go wrong with a call.
const (
	RateLimited = simchat.RateLimited
	ServerError = simchat.ServerError // with status 503
	NoError     = simchat.NoError     // ok:false without an error
	Reset       = simchat.Reset
	Slow        = simchat.Slow
)

// before applies a fault that keeps the call from being carried out, and tells whether it did.
func before(f *Fault, w http.ResponseWriter, r *http.Request) bool {
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
		f.Wait(r)
		return false
	case Reset:
		return false
	}
	return true
}
