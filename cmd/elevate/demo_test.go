package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"elevate/internal/pim"
	"elevate/internal/sim"
	"elevate/internal/sim/simslack"
)

func TestTheDemoNoticesWhatIsNotAsItMustBe(t *testing.T) {
	w := newWorld(t, nil)
	var last scenePlayed
	for _, sc := range demoScript[:2] {
		var err error
		if last, err = w.playScene(t.Context(), sc); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.check(last); err != nil {
		t.Fatalf("as it is: %v", err)
	}
	for says, change := range map[string]func(*scenePlayed){
		"is pending, not active":                              func(p *scenePlayed) { p.state = pim.Active },
		`PIM says "PendingApproval" of it, not "Provisioned"`: func(p *scenePlayed) { p.inPIM = "Provisioned" },
		`PIM says "" of it, not "PendingApproval"`:            func(p *scenePlayed) { p.request.Copy.ID = "another" },
		"being a member is false in the directory":            func(p *scenePlayed) { p.member = true },
		"being refused is false":                              func(p *scenePlayed) { p.scene.refused = true },
		`"is linked to" is not shown`:                         func(p *scenePlayed) { p.says, p.text = "is linked to", "nothing" },
		`the sandbox has no role "dance"`:                     func(p *scenePlayed) { p.request.Role = "dance" },
	} {
		wrong := last
		change(&wrong)
		if err := w.check(wrong); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want %q", err, says)
		}
	}
}

func TestTheDemoKnowsWhoWasRefused(t *testing.T) {
	t.Parallel()
	shown := func(text string, alone bool) sim.Result {
		return sim.Result{Shown: []simslack.Shown{{Text: text, Ephemeral: alone}}}
	}
	for name, row := range map[string]struct {
		result sim.Result
		want   bool
	}{
		"a card that only they see": {shown("# ⛔ Not allowed", true), true},
		"an answer in Teams":        {shown("⛔ Not allowed\nYou cannot", false), true},
		"a request that was denied": {shown("⛔ MDE Administrator: denied\nRequest k7m2pq", false), false},
		"a request that is open":    {shown("⏳ MDE Administrator", true), false},
		"a chat's own error":        {sim.Result{Failed: "timeout"}, true},
	} {
		if got := refusedBy(row.result); got != row.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestTheDemoStopsAtTheFirstStepThatIsWrong(t *testing.T) {
	w := newWorld(t, nil)
	script := slices.Clone(demoScript[:2])
	script[0].says = "dance"
	var out bytes.Buffer
	err := w.play(t.Context(), script, demoPrinter{out: &out, json: true})
	if err == nil || !strings.Contains(err.Error(), "step 1 (alice: /elevate mde-admin isolating WS-042, INC-1234) is not as it must be") {
		t.Errorf("got %v", err)
	}
	if strings.Count(out.String(), "\n") != 1 {
		t.Errorf("printed %s", out.String())
	}
	script[0].does = "/dance"
	if err := w.play(t.Context(), script, demoPrinter{out: &out, json: true}); err == nil || !strings.Contains(err.Error(), "not a valid command") {
		t.Errorf("got %v", err)
	}
	script[0] = scene{actor: "erin", chat: pim.Teams, does: "say approve " + requestWord, about: "erin"}
	if err := w.play(t.Context(), script, demoPrinter{out: &out, json: true}); err == nil || !strings.Contains(err.Error(), "erin has no request") {
		t.Errorf("got %v", err)
	}
}

// As `elevate demo | head` does it: the folder holds keys.
func TestADemoThatNobodyReadsOnEndsAndLeavesNothingBehind(t *testing.T) {
	short, err := os.MkdirTemp("", "") //nolint:usetesting // a socket's path is not long
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(short) })
	t.Setenv("TMPDIR", short)
	lines := 0
	shut := writes(func(b []byte) (int, error) {
		if lines++; lines > 3 {
			return 0, &fs.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.EPIPE}
		}
		return len(b), nil
	})
	err = program{out: shut, errs: io.Discard, env: os.LookupEnv}.demo(t.Context(), demoFlags{serve: true})
	if !errors.Is(err, errNotRead) {
		t.Errorf("the demo came to %v", err)
	}
	if left, err := os.ReadDir(short); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}

type writes func([]byte) (int, error)

func (w writes) Write(b []byte) (int, error) { return w(b) }

func TestTheDemoGoesOnWhenAskedTo(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := program{out: io.Discard, errs: writer}.demo(ctx, demoFlags{json: true, serve: true})
		ended <- errors.Join(err, writer.Close())
	}()
	home := actsIn(t, reader)
	client, err := sim.OpenClient(home)
	if err != nil {
		t.Fatal(err)
	}
	r, err := client.Do(t.Context(), strings.Fields("alice slack /elevate status"))
	if err != nil || !strings.Contains(r.Text, "ended") {
		t.Errorf("alice sees %q, %v", r.Text, err)
	}
	interrupt()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(home); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is left behind: %v", home, err)
	}
}

var actDir = regexp.MustCompile(` act -dir (\S+) help$`)

// actsIn reads up to the line that says how to act, and returns the directory
// it names.
func actsIn(t *testing.T, said io.Reader) string {
	t.Helper()
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		if found := actDir.FindStringSubmatch(lines.Text()); found != nil {
			go func() { _, _ = io.Copy(io.Discard, said) }() // ends when the demo closes it
			return found[1]
		}
	}
	t.Fatal("the demo did not say how to act on it")
	return ""
}

func TestTheDemoPrintsScenes(t *testing.T) {
	t.Parallel()
	played := scenePlayed{
		scene:   scene{title: "Alice asks.", actor: "alice", chat: pim.Slack, action: "elevate", does: "/elevate x"},
		request: pim.Request{ID: "k7m2pq", State: pim.Pending}, text: "— dm\n\n# Card", refused: true, took: 1_500_000,
	}
	var asText, asJSON bytes.Buffer
	if err := errors.Join(demoPrinter{out: &asText}.print(3, played), demoPrinter{out: &asJSON, json: true}.print(3, played)); err != nil {
		t.Fatal(err)
	}
	if want := "\n3. Alice asks.\n\n   alice in Slack: /elevate x\n\n   │ — dm\n   │\n   │ # Card\n\n   Request k7m2pq is waiting for approval. 1 ms.\n"; asText.String() != want {
		t.Errorf("got %q, want %q", asText.String(), want)
	}
	var got map[string]any
	if err := json.Unmarshal(asJSON.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"actor": "alice", "chat": "slack", "action": "elevate", "request": "k7m2pq", "state": "pending", "refused": true, "text": "— dm\n\n# Card", "ms": 1.0,
	} {
		if got[key] != want {
			t.Errorf("%s is %v, want %v", key, got[key], want)
		}
	}
	if strings.Count(asJSON.String(), "\n") != 1 || len(got) != 8 {
		t.Errorf("got %s", asJSON.String())
	}
}

func TestRealCredentialsAreFoundByName(t *testing.T) {
	t.Parallel()
	got := credentials([]string{
		"SLACK_BOT_TOKEN=xoxb-1", "ENTRA_CLIENT_SECRET=s", "AZURE_CLIENT_CERTIFICATE_PATH=/x", "ELEVATE_KEYSET={}", "AZURE_FEDERATED_TOKEN_FILE=/x", "TEAMS_PASSWORD=x",
		"ELEVATE_SLACK_SIGNING_SECRET=sandbox-1", "SLACK_CLIENT_SECRET=", "AZURE_CONFIG_DIR=/x", "ELEVATE_SANDBOX_DIR=play", "HOME=/root", "GITHUB_TOKEN=x", "AZURE_TENANT_ID=1",
	})
	want := []string{"AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_FEDERATED_TOKEN_FILE", "ELEVATE_KEYSET", "ENTRA_CLIENT_SECRET", "SLACK_BOT_TOKEN", "TEAMS_PASSWORD"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
