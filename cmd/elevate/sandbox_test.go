package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"elevate/internal/config"
	"elevate/internal/sim"
)

func TestTheSandboxsClockIsFollowedForwardOnly(t *testing.T) {
	t.Parallel()
	machine := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	c := &sandboxClock{}
	for _, step := range []struct {
		told  time.Duration // by the sandbox, from the machine's time
		wants time.Duration
	}{
		{0, 0},
		{time.Hour, time.Hour},
		{time.Hour, time.Hour},
		{time.Minute, time.Hour}, // a sandbox that was started anew
		{2 * time.Hour, 2 * time.Hour},
	} {
		c.set(machine.Add(step.told), machine)
		if got := c.at(machine).Sub(machine); got != step.wants {
			t.Errorf("told %v: the clock shows %v, want %v", step.told, got, step.wants)
		}
	}
	if got := c.at(machine.Add(time.Second)).Sub(machine); got != 2*time.Hour+time.Second {
		t.Errorf("a second later it shows %v", got)
	}
}

func TestASandboxThatDoesNotTellItsTimeMovesNothing(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{"no time": "dance", "nothing": "", "much": strings.Repeat("9", 1<<20)} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) }))
		c := &sandboxClock{url: server.URL, client: server.Client()}
		c.look(t.Context())
		server.Close()
		c.look(t.Context())
		if c.offset != 0 {
			t.Errorf("%s: moved by %v", name, c.offset)
		}
	}
}

func TestTheSettingsOfASandboxLoad(t *testing.T) {
	t.Parallel()
	for name, socketMode := range map[string]bool{"HTTP": false, "Socket Mode": true} {
		// A folder whose name wants quotes in YAML.
		home := filepath.Join(t.TempDir(), `a "b: c`)
		box, err := sim.Start(t.Context(), sim.Config{Now: time.Now, SocketMode: socketMode})
		if err != nil {
			t.Fatal(err)
		}
		defer box.Close()
		settings := box.Settings()
		if err := writeSandboxFiles(home, settings); err != nil {
			t.Fatal(err)
		}
		cfg, err := config.Load(filepath.Join(home, settingsFile), func(string) (string, bool) { return "", false }, os.ReadFile)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !cfg.Sandbox || cfg.Slack.SocketMode() != socketMode || len(cfg.Roles) != len(settings.Roles) || cfg.State != filepath.Join(home, stateFile) ||
			cfg.AdminSocket != filepath.Join(home, socketFile) || cfg.KeysetFile != filepath.Join(home, keysetFile) || cfg.SandboxClock != settings.Clock {
			t.Errorf("%s: loaded %+v", name, cfg)
		}
		admin := cfg.Roles[0]
		if admin.Group != settings.Roles[0].Group || !admin.Require.Approval || admin.Ticket == nil || admin.Ask.Slack != settings.Roles[0].Ask || !admin.Ask.Direct {
			t.Errorf("%s: the first role is %+v", name, admin)
		}
	}
}

func TestASandboxHasTeamsUnlessItIsLeftOut(t *testing.T) {
	t.Parallel()
	for name, without := range map[string]bool{"with Teams": false, "without": true} {
		box, err := sim.Start(t.Context(), sim.Config{Now: time.Now, NoTeams: without})
		if err != nil {
			t.Fatal(err)
		}
		defer box.Close()
		home, settings := t.TempDir(), box.Settings()
		if err := writeSandboxFiles(home, settings); err != nil {
			t.Fatal(err)
		}
		cfg, err := config.Load(filepath.Join(home, settingsFile), func(string) (string, bool) { return "", false }, os.ReadFile)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		admin := cfg.Roles[0]
		if (cfg.Teams == nil) != without || (admin.Ask.Teams == "") != without || (admin.Notify.Teams == "") != without {
			t.Errorf("%s: loaded %+v and %+v", name, cfg.Teams, admin)
		}
		if cfg.Teams != nil && (cfg.Teams.AppID != settings.Teams.AppID || cfg.Teams.ServiceURL != settings.Teams.ServiceURL ||
			cfg.Teams.OpenIDMetadata != settings.Teams.OpenIDMetadata || cfg.Teams.ClientSecret.Reveal() != settings.Teams.ClientSecret) {
			t.Errorf("%s: loaded %+v", name, cfg.Teams)
		}
	}
}

func TestSecretsOfASandboxAreFilesForTheirOwner(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	if err := writeSandboxFiles(home, sim.Settings{Slack: sim.SlackSettings{BotToken: "sandbox-xoxb-hunter2"}}); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(home, settingsFile))
	if err != nil || strings.Contains(string(content), "hunter2") {
		t.Errorf("the settings hold a secret, or cannot be read: %v", err)
	}
	for _, name := range []string{settingsFile, keysetFile, "secrets/slack-bot", "secrets/entra-client"} {
		info, err := os.Stat(filepath.Join(home, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

func TestWordsAreQuotedForTheShell(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"play": "play", "/tmp/a-b_c.d": "/tmp/a-b_c.d", "": "''", "my play": "'my play'", "it's": `'it'\''s'`, "$(rm)": "'$(rm)'", "ä": "'ä'",
	} {
		if got := shellWord(word); got != want {
			t.Errorf("%q: got %s, want %s", word, got, want)
		}
	}
}
