package main

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// health is the admin server: alive at once, ready when the bot is.
type health struct {
	opened *bot                // has its state file, and may wait for the rest
	bot    atomic.Pointer[bot] // the same, once it works
}

// ServeHTTP answers /healthz, /readyz and /metrics.
func (h *health) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b := h.bot.Load()
	switch {
	case r.URL.Path == "/healthz":
		fmt.Fprintln(w, "alive")
	case r.URL.Path == "/readyz" && b == nil:
		http.Error(w, h.opened.starting(), http.StatusServiceUnavailable)
	case r.URL.Path == "/readyz":
		b.readyz(w)
	case r.URL.Path == "/metrics" && b != nil:
		b.meters.handler().ServeHTTP(w, r)
	default:
		http.NotFound(w, r)
	}
}

// starting says what a bot waits for that does not work yet.
func (b *bot) starting() string {
	if why := b.waits.Load(); why != nil {
		return "starting; it waits for " + *why
	}
	return "starting; it waits for the first answers of Entra and the chats"
}

// sweepLate is when a sweep is missed.
const sweepLate = 5 * time.Minute

// readyz is no while nothing can be taken on. While PIM cannot be read people are
// still answered, and told so; a bot that was taken out of service would tell
// them nothing.
func (b *bot) readyz(w http.ResponseWriter) {
	swept := b.service.Swept()
	switch {
	case b.db.Unwritten():
		http.Error(w, "the state file cannot be written; nothing is taken on until it can, so look at its disk", http.StatusServiceUnavailable)
	case b.db.SinkBehind():
		http.Error(w, "the audit sink does not take events; work waits for it", http.StatusServiceUnavailable)
	case swept.IsZero():
		fmt.Fprintln(w, "ready; PIM was not yet read"+b.ails())
	case b.around.now().Sub(swept) > sweepLate:
		fmt.Fprintln(w, "ready; PIM was not read since "+swept.UTC().Format(time.RFC3339)+b.ails())
	default:
		fmt.Fprintln(w, "ready"+b.ails())
	}
}

// ails says what is wrong although people are answered.
func (b *bot) ails() string {
	var said strings.Builder
	if n := b.unwell.Load(); n > 0 {
		fmt.Fprintf(&said, "; %s failed: the log names them, and `elevate doctor` says what to mend", counted(int(n), "check"))
	}
	if why := b.waits.Load(); why != nil {
		fmt.Fprintf(&said, "; it waits for %s", *why)
	}
	if b.teams != nil {
		if since := b.teams.Deaf(); !since.IsZero() {
			fmt.Fprintf(&said, "; nobody is answered in Teams since %s: the keys that its messages are signed with cannot be read", since.UTC().Format("15:04 UTC"))
		}
	}
	if stats, err := b.db.Stats(); err == nil && stats.Parked > 0 {
		fmt.Fprintf(&said, "; %s of work given up: `elevate queue list` names them", counted(stats.Parked, "piece"))
	}
	return said.String()
}
