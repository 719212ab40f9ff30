package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"elevate/internal/pim"
	"elevate/internal/sim"
	"elevate/internal/sim/cast"
	"elevate/internal/sim/simslack"
	"elevate/internal/store"
)

// world is a sandbox and a bot in this process, and what a test asks of them.
type world struct {
	*stage
	t *testing.T
}

// newWorld starts both; settings are the bot's environment.
func newWorld(t *testing.T, settings map[string]string) *world {
	t.Helper()
	t.Parallel()
	var log strings.Builder
	env := func(name string) (string, bool) { v, ok := settings[name]; return v, ok }
	s, err := startStage(t.Context(), t.TempDir(), env, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// The test's context has ended, and the bot with it.
		if err := s.close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(log.String())
		}
	})
	return &world{stage: s, t: t}
}

// startStage starts both from settings in a folder, as two processes would. env
// is the bot's environment.
func startStage(ctx context.Context, home string, env func(string) (string, bool), log *slog.Logger) (*stage, error) {
	s, err := openStage(ctx, home, cast.Model())
	if err != nil {
		return nil, err
	}
	if err := s.startBot(ctx, home, env, log); err != nil {
		return nil, errors.Join(err, s.box.Close())
	}
	return s, nil
}

// act carries out a line of the language of acts.
func (w *world) act(line string) sim.Result {
	w.t.Helper()
	r, err := w.box.Do(w.t.Context(), strings.Fields(line))
	if err != nil {
		w.t.Fatalf("%s: %v", line, err)
	}
	return r
}

// says carries out a line after which the words must stand somewhere.
func (w *world) says(line, words string) sim.Result {
	w.t.Helper()
	r := w.act(line)
	if !strings.Contains(r.Text, words) {
		w.t.Fatalf("%s: %q is not in\n%s", line, words, r.Text)
	}
	return r
}

// refuses carries out a line that a person must be refused with these words.
func (w *world) refuses(line, words string) {
	w.t.Helper()
	if r := w.says(line, words); !refusedBy(r) {
		w.t.Errorf("%s: was not refused:\n%s", line, r.Text)
	}
}

// turns waits until a person's newest request is in a state.
func (w *world) turns(person string, to pim.State) pim.Request {
	w.t.Helper()
	r, err := w.await(w.t.Context(), person, to)
	if err != nil || r.State != to {
		w.t.Fatalf("the request of %s is %s, not %s (%v)", person, r.State, to, err)
	}
	return r
}

// until waits for something to become true.
func (w *world) until(isSo func() bool, otherwise string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), sceneWithin)
	defer cancel()
	if err := poll(ctx, func() (bool, error) { return isSo(), nil }); err != nil {
		w.t.Fatalf("%s: %v", otherwise, err)
	}
}

// request reads a request from the state file.
func (w *world) request(id pim.RequestID) pim.Request {
	w.t.Helper()
	var r pim.Request
	err := w.bot.db.View(func(tx *store.Tx) error {
		var err error
		r, err = tx.Request(id)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// asks has somebody ask for a role and sign in for it, up to the approvers.
func (w *world) asks(person, command string) pim.Request {
	w.t.Helper()
	w.act(person + " slack /elevate " + command)
	w.act(person + " web sign-in")
	r := w.turns(person, pim.Pending)
	w.act("carol slack sees #approvals until " + string(r.ID))
	return r
}

// signsIn links somebody's accounts.
func (w *world) signsIn(person string, words ...string) {
	w.t.Helper()
	w.says(person+" slack /elevate sign-in", "Sign in")
	w.says(strings.Join(append([]string{person, "web", "sign-in"}, words...), " "), "You are signed in")
}

// events are all events of a kind.
func (w *world) events(kind pim.EventKind) []pim.Event {
	w.t.Helper()
	var found []pim.Event
	err := w.bot.db.View(func(tx *store.Tx) error {
		found = nil
		all, err := tx.Events(0, 10_000)
		for _, e := range all {
			if e.Kind == kind {
				found = append(found, e)
			}
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return found
}

// nothingWritten fails when a line changes the state file.
func (w *world) nothingWritten(line string) sim.Result {
	w.t.Helper()
	before, err := w.bot.db.Head()
	if err != nil {
		w.t.Fatal(err)
	}
	r := w.act(line)
	after, err := w.bot.db.Head()
	if err != nil {
		w.t.Fatal(err)
	}
	if before != after {
		w.t.Errorf("%s: event %d was written", line, after.Seq)
	}
	return r
}

// undecided fails unless the sandbox's PIM still waits for a decision.
func (w *world) undecided(person string) {
	w.t.Helper()
	for _, r := range w.box.Entra.Portal().Requests(person) {
		if r.Status != "PendingApproval" || r.DecidedBy != "" {
			w.t.Errorf("PIM says %s, decided by %q", r.Status, r.DecidedBy)
		}
	}
}

// cards are the cards of a request that somebody sees, as they stand now.
func (w *world) cards(person string, id pim.RequestID) []simslack.Shown {
	w.t.Helper()
	shown, err := w.box.Slack.Sees(person, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	var found []simslack.Shown
	for _, one := range shown {
		if !one.Ephemeral && strings.Contains(one.Text, "`"+string(id)+"`") {
			found = append(found, one)
		}
	}
	return found
}
