package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"elevate/adapters/pagerduty"
	"elevate/internal/pim"
	"elevate/internal/workflow"
)

func TestWhoIsOnCallIsAskedAheadAndForgottenInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked, looked atomic.Int64
		var down atomic.Pointer[pim.Error]
		var log bytes.Buffer
		r := &roster{
			ask: func(context.Context) ([]pagerduty.Person, error) {
				asked.Add(1)
				if err := down.Load(); err != nil {
					return nil, err
				}
				return []pagerduty.Person{{Name: "Carol", Email: "Carol@contoso.example"}, {Name: "Zoe", Email: "zoe@elsewhere.example"}}, nil
			},
			find: func(_ context.Context, name string) (pim.Profile, error) {
				looked.Add(1)
				if name == "carol@contoso.example" {
					return pim.Profile{ID: "carol-id", Enabled: true, Found: true}, nil
				}
				return pim.Profile{}, nil
			},
			now: time.Now, log: slog.New(slog.NewTextHandler(&log, nil)), found: map[string]foundPerson{},
		}
		if len(r.onCall()) > 0 {
			t.Error("somebody is on call before anybody was asked")
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- r.run(ctx) }()
		synctest.Wait()
		want := []workflow.OnCallPerson{{Name: "Carol", Person: "carol-id"}, {Name: "Zoe"}}
		if got := r.onCall(); !slices.Equal(got, want) {
			t.Errorf("on call are %v", got)
		}
		time.Sleep(30 * time.Minute)
		synctest.Wait()
		if asked.Load() != 16 || looked.Load() != 2 {
			t.Errorf("in half an hour PagerDuty was asked %d times, Entra %d", asked.Load(), looked.Load())
		}
		down.Store(pim.Errorf(pim.Unavailable, "PagerDuty gave no usable answer within 3s."))
		time.Sleep(4 * time.Minute)
		synctest.Wait()
		if got := r.onCall(); !slices.Equal(got, want) {
			t.Errorf("after one missed answer on call are %v", got)
		}
		time.Sleep(4 * time.Minute)
		synctest.Wait()
		if got := r.onCall(); len(got) > 0 {
			t.Errorf("an old shift still counts: %v", got)
		}
		down.Store(nil)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if got := r.onCall(); !slices.Equal(got, want) {
			t.Errorf("after it is back on call are %v", got)
		}
		if n := strings.Count(log.String(), "on_call_not_read"); n != 1 || strings.Count(log.String(), "on_call_read") != 1 {
			t.Errorf("logged:\n%s", log.String())
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// Entra may be down or may not know the address: the name is shown, and nobody is mentioned.
func TestAnAddressThatCannotBeLookedUpIsNobodys(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, row := range map[string]struct {
		who pim.Profile
		err error
	}{
		"no answer": {err: errors.New("down")},
		"unknown":   {},
		"disabled":  {who: pim.Profile{ID: "x", Found: true}},
		"a guest":   {who: pim.Profile{ID: "x", Found: true, Enabled: true, Guest: true}},
	} {
		r := &roster{
			find: func(context.Context, string) (pim.Profile, error) { return row.who, row.err },
			now:  func() time.Time { return now }, found: map[string]foundPerson{},
		}
		if id := r.person(t.Context(), "a@b.example"); id != "" {
			t.Errorf("%s: it is %s", name, id)
		}
		if kept := len(r.found); kept == 1 == (row.err != nil) {
			t.Errorf("%s: %d answers are kept", name, kept)
		}
	}
}

func TestOnCallIsMentionedInBothChatsAndACardNeverWaits(t *testing.T) {
	w := newWorld(t, nil)
	w.signsIn("carol")
	w.act("carol teams say help")
	w.until(func() bool { return len(w.bot.onCall.onCall()) == 1 }, "nobody was read to be on call")
	ask := func() pim.Request {
		w.act("alice slack /elevate mde-analyst triage")
		w.act("alice web sign-in")
		return w.turns("alice", pim.Active)
	}
	r := ask()
	for _, chat := range []string{"slack", "teams"} {
		seen := w.act("dan " + chat + " sees #on-call until On call now: Carol Chen within 20s").Text
		if !strings.Contains(seen, string(r.ID)) || !strings.Contains(seen, "@") {
			t.Errorf("%s: nobody is mentioned in\n%s", chat, seen)
		}
	}
	if found := w.act("teams findings").Text; found != "(none)" {
		t.Errorf("Teams would not show all of it: %s", found)
	}
}
