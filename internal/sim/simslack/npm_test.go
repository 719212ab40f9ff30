package simslack_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"elevate/internal/sim/simslack"
)

const npmFolder = "testdata/npm"

// npm makes sure that the official clients are installed. They come from the network, so only those who ask get them.
func npm(t *testing.T) {
	t.Helper()
	if os.Getenv("ELEVATE_NPM") != "1" {
		t.Skip("drives the official npm clients; set ELEVATE_NPM=1, with node and npm installed, to run it")
	}
	if _, err := os.Stat(filepath.Join(npmFolder, "node_modules")); !errors.Is(err, fs.ErrNotExist) {
		return
	}
	install := exec.CommandContext(t.Context(), "npm", "ci", "--no-audit", "--no-fund")
	install.Dir = npmFolder
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
}

func TestTheOfficialClientsFindWhatTheyExpect(t *testing.T) {
	npm(t)
	w := newWorld(t)
	w.SetSocketMode(true)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	drive := exec.CommandContext(ctx, "node", "drive.mjs")
	drive.Dir = npmFolder
	drive.Env = append(os.Environ(), "SLACK_API="+w.url+"/api/", "BOT_TOKEN="+w.App().BotToken, "APP_TOKEN="+w.App().AppToken)
	var out strings.Builder
	drive.Stdout, drive.Stderr = &out, &out
	if err := drive.Start(); err != nil {
		t.Fatal(err)
	}
	if err := actOverSocketMode(ctx, w); err != nil {
		t.Error(err)
	}
	if err := drive.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
}

// actOverSocketMode does as people what drive.mjs answers.
func actOverSocketMode(ctx context.Context, w *world) error {
	connected := func(ctx context.Context) error {
		return w.WaitFor(ctx, func() bool { return w.Connections() > 0 })
	}
	steps := []func(context.Context) error{
		connected,
		func(ctx context.Context) error { return w.Slash(ctx, "alice", simslack.General, "/elevate roles") },
		waitSees(w, "alice", "you said roles"),
		func(ctx context.Context) error {
			_, err := w.Click(ctx, "bob", simslack.Press{Button: "Approve"})
			return err
		},
		waitSees(w, "bob", "═ Ask ═"),
		func(ctx context.Context) error { return w.Submit(ctx, "bob", map[string]string{"Reason": "bad"}) },
		waitSees(w, "bob", "Say more."),
		func(ctx context.Context) error { return w.Submit(ctx, "bob", map[string]string{"Reason": "because"}) },
		func(ctx context.Context) error {
			return w.WaitFor(ctx, func() bool { return !w.FormOpen("bob") })
		},
		func(ctx context.Context) error { return w.OpenHome(ctx, "carol") },
		waitSees(w, "carol", "# Home"),
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func waitSees(w *world, person, words string) func(context.Context) error {
	return func(ctx context.Context) error {
		return w.WaitFor(ctx, func() bool {
			shown, err := w.Sees(person, 0)
			if err != nil {
				return false
			}
			for _, one := range shown {
				if strings.Contains(one.Text, words) {
					return true
				}
			}
			return false
		})
	}
}

func TestTheOfficialTypesAgreeWithOurRefusals(t *testing.T) {
	npm(t)
	for name, want := range map[string]bool{"good": true, "bad": false} {
		check := exec.CommandContext(t.Context(), "node", "check-blocks.mjs", filepath.Join("..", "blocks-"+name+".json"))
		check.Dir = npmFolder
		out, err := check.CombinedOutput()
		if (err == nil) != want {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}
