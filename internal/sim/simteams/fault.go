package simteams

import (
	"io"
	"net/http"
	"strconv"

	"elevate/internal/sim/simchat"
)

// Fault makes calls fail.
type Fault = simchat.Fault

// FaultKind is one of the ways below, an HTTP status, or a code of the connector's.
type FaultKind = simchat.FaultKind

// What can go wrong with a call. Its name is send, reply, update, delete, create, members, member, team, channels,
// metadata or keys.
const (
	RateLimited           = simchat.RateLimited
	ServerError           = simchat.ServerError // with status 502
	NoError               = simchat.NoError     // status 500 without a body
	Reset                 = simchat.Reset
	Slow                  = simchat.Slow
	Denied      FaultKind = "401" // the token is not taken
)

// codesOf are the codes that stand for a bare status.
var codesOf = map[FaultKind]string{
	"400": "BadArgument", "403": "BotNotInConversationRoster", "404": "ConversationNotFound", "412": "PreconditionFailed",
	"413": "MessageSizeTooBig", "500": "ServiceError",
}

// KnownFault says whether there is such a fault.
func KnownFault(k FaultKind) bool {
	switch k {
	case RateLimited, ServerError, NoError, Reset, Slow, Denied:
		return true
	}
	_, status := codesOf[k]
	_, code := restErrors[string(k)]
	return status || code
}

// before applies a fault that keeps the call from being carried out, and tells whether it did.
func before(f *Fault, w http.ResponseWriter, r *http.Request) bool {
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
		f.Wait(r)
		return false
	case Reset:
		return false
	default:
		return answerCode(f.Kind, w)
	}
	return true
}

// answerCode answers with one of the connector's codes, or with a bare status.
func answerCode(kind FaultKind, w http.ResponseWriter) bool {
	code := string(kind)
	if said, ok := codesOf[kind]; ok {
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
