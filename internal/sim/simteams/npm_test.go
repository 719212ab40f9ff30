package simteams_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"elevate/internal/sim"
	"elevate/internal/sim/simteams"
)

const npmFolder = "testdata/npm"

// npm makes sure that Microsoft's library is installed. It comes from the network, so only those who ask get it.
func npm(t *testing.T) {
	t.Helper()
	if os.Getenv("ELEVATE_NPM") != "1" {
		t.Skip("drives Microsoft's own bot library; set ELEVATE_NPM=1, with node and npm installed, to run it")
	}
	if _, err := os.Stat(filepath.Join(npmFolder, "node_modules")); !errors.Is(err, fs.ErrNotExist) {
		return
	}
	install := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	install.Dir = npmFolder
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
}

// startLibrary starts a whole sandbox, with a bot on Microsoft's library in the place of ours.
func startLibrary(t *testing.T) *sim.Sandbox {
	t.Helper()
	dir := t.TempDir()
	box, err := sim.Start(t.Context(), sim.Config{Dir: dir, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	set := box.Settings()
	_, port, err := net.SplitHostPort(set.Listen)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	bot := exec.CommandContext(ctx, "node", "bot.mjs")
	bot.Dir = npmFolder
	bot.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+filepath.Join(dir, "ca.pem"), "PORT="+port, "APP_ID="+set.Teams.AppID, "APP_SECRET="+set.Teams.ClientSecret,
		"TENANT="+set.Teams.TenantID, "LOGIN="+set.Entra.Authority, "METADATA="+set.Teams.OpenIDMetadata, "CHANNEL="+simteams.ChannelID(simteams.OnCall))
	var complaints bytes.Buffer // the library says on it what it refuses
	bot.Stderr = &complaints
	out, err := bot.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := bot.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	first, err := lines.ReadString('\n')
	said := make(chan string, 1)
	go func() {
		rest, _ := io.ReadAll(lines)
		said <- string(rest)
	}()
	t.Cleanup(func() {
		cancel()
		rest := <-said
		_ = bot.Wait() // it was ended
		if t.Failed() {
			t.Log(rest, complaints.String())
		}
	})
	if strings.TrimSpace(first) != "ready" {
		t.Fatalf("the bot said %q, %v", first, err)
	}
	return box
}

func TestABotOnMicrosoftsLibraryFindsWhatItExpects(t *testing.T) {
	npm(t)
	box := startLibrary(t)
	for _, row := range []struct {
		words string
		want  []string
	}{
		{"alice teams say hello", []string{"— dm\nyou said hello"}},
		{"alice teams say members", []string{"1 members, and Alice Anders is alice@contoso.example"}},
		{"bob teams in #approvals @Elevate hello", []string{"— #approvals (in a thread)\nyou said hello"}},
		{"bob teams in incident @Elevate members", []string{"members, and Bob Berger is bob@contoso.example"}},
		{"alice teams say card", []string{"second\n[Approve]"}},
		{"alice teams click Approve", []string{"Alice Anders: approve AB12CD"}},
		{"bob teams in #approvals @Elevate thread", []string{"— #on-call\na thread of its own"}},
		{"alice teams say gone", []string{"refused: ActivityNotFoundInConversation"}},
		{"erin teams install", []string{"welcome"}},
	} {
		r, err := box.Do(t.Context(), strings.Fields(row.words))
		if err != nil {
			t.Errorf("%s: %v", row.words, err)
		}
		contains(t, r.Text, row.want...)
	}
	if found := box.Teams.Findings(); len(found) > 0 {
		t.Error(found)
	}
}

func TestMicrosoftsLibraryRefusesWhatIsForged(t *testing.T) {
	npm(t)
	box := startLibrary(t)
	if _, err := box.Do(t.Context(), []string{"alice", "teams", "say", "hello"}); err != nil {
		t.Fatal(err)
	}
	for _, how := range []string{"none", "hs256", "tampered", "key", "endorsement", "issuer", "audience", "service", "noservice", "expired", "future", "missing", "scheme"} {
		r, err := box.Do(t.Context(), []string{"alice", "teams", "forge", how})
		if err != nil || r.Status < 400 { // for some of them the library says 500
			t.Errorf("%s: status %d, %v", how, r.Status, err)
		}
	}
	if r, err := box.Do(t.Context(), []string{"alice", "teams", "forge", "replay"}); err != nil || r.Status != 200 {
		t.Errorf("a genuine one: status %d, %v", r.Status, err)
	}
}
