package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"elevate/internal/config"
	"elevate/internal/sim"
	"elevate/internal/sim/simentra"
	"elevate/internal/sim/simslack"
	"elevate/internal/store"
)

// victim is a bot in a process of its own, beside a sandbox in this one.
type victim struct {
	t    *testing.T
	home string
	box  *sim.Sandbox

	process *exec.Cmd
	said    bytes.Buffer
}

func newVictim(t *testing.T) *victim {
	t.Helper()
	home := t.TempDir()
	box, err := sim.Start(t.Context(), sim.Config{Dir: home, Now: time.Now, Rate: demoRate, Behavior: simentra.DefaultBehavior()})
	if err != nil {
		t.Fatal(err)
	}
	v := &victim{t: t, home: home, box: box}
	t.Cleanup(func() {
		v.kill()
		if err := box.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(v.said.String())
		}
	})
	if err := writeSandboxFiles(home, box.Settings()); err != nil {
		t.Fatal(err)
	}
	v.start()
	return v
}

// start runs this test's own binary as elevate and waits until it is ready.
func (v *victim) start() {
	v.t.Helper()
	self, err := os.Executable()
	if err != nil {
		v.t.Fatal(err)
	}
	settings := filepath.Join(v.home, settingsFile)
	v.process = exec.Command(self)
	v.process.Args = []string{"elevate", "serve", "-config", settings}
	v.process.Env = []string{"SSL_CERT_FILE=" + filepath.Join(v.home, "ca.pem")}
	v.process.Stderr = &v.said
	if err := v.process.Start(); err != nil {
		v.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := poll(ctx, func() (bool, error) { return botReady(ctx, settings) }); err != nil {
		v.t.Fatalf("the bot is not ready: %v", err)
	}
}

// kill ends the bot as a power cut does.
func (v *victim) kill() {
	if v.process == nil || v.process.ProcessState != nil {
		return
	}
	_ = v.process.Process.Kill()
	_ = v.process.Wait() // ends with "signal: killed"
}

// does carries out a line. Whether it worked shows in what people see then.
func (v *victim) does(line string) {
	r := v.act(line)
	v.t.Logf("%s\n%s", line, r.Text)
}

func (v *victim) act(line string) sim.Result {
	r, err := v.box.Do(v.t.Context(), strings.Fields(line))
	if _, ok := errors.AsType[*sim.UnknownError](err); ok {
		v.t.Error(err)
	}
	return r
}

// sees waits for words to appear.
func (v *victim) sees(words, within string) bool {
	_, err := v.box.Do(v.t.Context(), strings.Fields(words+" within "+within))
	return err == nil
}

// A killedStep is what somebody does while the bot is killed, and what they do
// when nothing came of it.
type killedStep struct {
	does  string
	goal  string
	again []string
}

var killedSteps = []killedStep{
	{
		does: "alice slack /elevate mde-admin isolating WS-042", goal: "alice slack sees until Nothing was asked of PIM yet",
		again: []string{"alice slack /elevate mde-admin isolating WS-042"},
	},
	{
		does: "alice web sign-in", goal: "bob slack sees #approvals until approval needed",
		again: []string{"alice slack /elevate mde-admin isolating WS-042", "alice web sign-in"},
	},
	{
		does: "bob slack click Approve in #approvals", goal: "bob slack sees until Sign in to approve",
		again: []string{"bob slack click Approve in #approvals"},
	},
	{
		does: "bob web sign-in", goal: "alice slack sees dm until member since",
		again: []string{"bob slack click Approve in #approvals", "bob web sign-in"},
	},
	{
		does: "clock +1h", goal: "alice slack sees dm until removed (read back)",
	},
}

func TestKilledAtAnyMomentTheRequestGoesOn(t *testing.T) {
	t.Parallel()
	for _, after := range []time.Duration{0, 8 * time.Millisecond, 25 * time.Millisecond, 70 * time.Millisecond} {
		t.Run(after.String(), func(t *testing.T) {
			t.Parallel()
			v := newVictim(t)
			for _, step := range killedSteps {
				v.killedIn(step, after)
			}
			v.allIsWell()
		})
	}
}

// killedIn kills the bot that long after a step has begun, and starts it again.
func (v *victim) killedIn(step killedStep, after time.Duration) {
	v.t.Helper()
	var acting sync.WaitGroup
	acting.Go(func() { v.does(step.does) })
	<-time.After(after)
	v.kill()
	acting.Wait()
	v.start()
	if v.sees(step.goal, "1.5s") {
		return
	}
	for _, line := range step.again {
		v.does(line)
	}
	if !v.sees(step.goal, "15s") {
		person, _, _ := strings.Cut(step.does, " ")
		v.t.Fatalf("%q has not come true; %s sees\n%s", step.goal, person, v.act(person+" slack sees").Text)
	}
}

// allIsWell looks at everything once the story is over.
func (v *victim) allIsWell() {
	v.t.Helper()
	if requests := v.box.Entra.Portal().Requests("alice"); len(requests) != 1 {
		v.t.Errorf("PIM was asked %d times: %+v", len(requests), requests)
	}
	for _, person := range []string{"alice", "bob", "carol"} {
		v.everyCardTurns(person)
	}
	v.kill()
	cfg, err := config.Load(filepath.Join(v.home, settingsFile), func(string) (string, bool) { return "", false }, os.ReadFile)
	if err != nil {
		v.t.Fatal(err)
	}
	keys, err := keysOf(cfg)
	if err != nil {
		v.t.Fatal(err)
	}
	db, err := store.Open(store.Config{Path: cfg.State, Keys: keys, Now: time.Now})
	if err != nil {
		v.t.Fatal(err)
	}
	defer db.Close()
	if proof, err := db.Verify(v.t.Context(), store.Anchor{}, nil); err != nil || proof.Events == 0 {
		v.t.Errorf("the audit trail: %+v, %v", proof, err)
	}
	err = db.View(func(tx *store.Tx) error {
		parked, err := tx.Parked()
		if len(parked) > 0 {
			v.t.Errorf("parked: %+v", parked)
		}
		return err
	})
	if err != nil {
		v.t.Error(err)
	}
}

// everyCardTurns clicks the cards that still show an old state: at the latest
// then they are rewritten.
func (v *victim) everyCardTurns(person string) {
	v.t.Helper()
	for _, one := range v.shown(person) {
		if one.Ephemeral || !strings.Contains(one.Text, "isolating WS-042") || strings.Contains(one.Text, "removed (read back)") {
			continue
		}
		if len(one.Buttons) == 0 {
			v.t.Errorf("%s: a card that was left behind has nothing to click:\n%s", person, one.Text)
			continue
		}
		v.t.Logf("%s clicks a card that was left behind in %s", person, one.Where)
		press := simslack.Press{Button: one.Buttons[0], Message: one.Message, In: one.Where}
		if _, err := v.box.Slack.Click(v.t.Context(), person, press); err != nil {
			v.t.Logf("clicking %q: %v", one.Buttons[0], err) // it may have turned this moment
		}
		turned := func() bool {
			for _, now := range v.shown(person) {
				if now.Message == one.Message {
					return strings.Contains(now.Text, "removed (read back)")
				}
			}
			return false
		}
		ctx, cancel := context.WithTimeout(v.t.Context(), 5*time.Second)
		defer cancel()
		if err := v.box.Slack.WaitFor(ctx, turned); err != nil {
			v.t.Errorf("%s: a card does not turn when it is clicked:\n%s", person, one.Text)
		}
	}
}

func (v *victim) shown(person string) []simslack.Shown {
	shown, err := v.box.Slack.Sees(person, 0)
	if err != nil {
		v.t.Error(err)
	}
	return shown
}
