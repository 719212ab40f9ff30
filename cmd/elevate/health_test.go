package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// readyz asks a world's bot whether it is ready.
func (w *world) readyz() (code int, said string) {
	rec := httptest.NewRecorder()
	w.bot.readyz(rec)
	return rec.Code, rec.Body.String()
}

func TestPIMThatCannotBeReadIsSaidAndMakesNothingUnready(t *testing.T) {
	w := newWorld(t, nil)
	says := func(words string) func() bool {
		return func() bool {
			code, said := w.readyz()
			if code != http.StatusOK {
				t.Fatalf("%d %s", code, said)
			}
			return strings.HasPrefix(said, words)
		}
	}
	w.until(says("ready\n"), "PIM was read and that is not said")
	w.act("break graph 5xx")
	w.act("clock +20m")
	w.until(says("ready; PIM was not read since 20"), "it is not said since when PIM was not read")
	w.act("heal")
	w.act("clock +1m") // the next try
	w.until(says("ready\n"), "PIM is read again and that is not said")
	if err := w.stopBot(); err != nil {
		t.Fatal(err)
	}
	b := mustBot(t, w)
	w.bot = b
	if !says("ready; PIM was not yet read")() {
		t.Error("a bot that has not read PIM yet does not say so")
	}
	w.serveAgain(b)
}

func TestABotThatWaitsAtItsStartSaysForWhat(t *testing.T) {
	w := newWorld(t, nil)
	w.act("break slack auth.test 5xx")
	if err := w.stopBot(); err != nil {
		t.Fatal(err)
	}
	alone := *w.bot.cfg
	alone.Teams = nil // else it serves those who are in Teams meanwhile
	b, err := openBot(t.Context(), &alone, w.bot.around)
	if err != nil {
		t.Fatal(err)
	}
	connected := make(chan error, 1)
	go func() { connected <- b.connect(t.Context()) }()
	h := &health{opened: b}
	w.until(func() bool {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/readyz", http.NoBody))
		return rec.Code == http.StatusServiceUnavailable && strings.HasPrefix(rec.Body.String(), "starting; it waits for Slack: ")
	}, "it is not said that Slack is waited for")
	w.act("heal")
	if err := <-connected; err != nil {
		t.Fatal(err)
	}
	w.serveAgain(b)
}

func TestABotServesTeamsWhileSlackIsNotThereAtTheStart(t *testing.T) {
	w := newWorld(t, nil)
	w.act("break slack auth.test 5xx")
	if err := w.stopBot(); err != nil {
		t.Fatal(err)
	}
	b := mustBot(t, w)
	w.bot = b
	w.serveAgain(b)
	ready := func() string {
		rec := httptest.NewRecorder()
		h := &health{opened: b}
		h.bot.Store(b)
		h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/readyz", http.NoBody))
		return rec.Body.String()
	}
	w.until(func() bool {
		said := ready()
		return strings.HasPrefix(said, "ready") && strings.Contains(said, "; it waits for Slack: ")
	}, "it is not said that Slack is waited for")
	w.act("alice teams say mde-admin isolating WS-042, INC-1234")
	w.act("heal")
	w.until(func() bool { return b.slack.Started() && !strings.Contains(ready(), "waits for Slack") }, "Slack is there again and that is not seen")
}
