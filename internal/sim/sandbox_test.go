package sim_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"elevate/internal/sim"
)

// machineNow is the machine's time: signatures are checked against it by the library under test.
func machineNow() time.Time { return time.Now() }

func listen(ctx context.Context, addr string) (net.Listener, error) {
	var config net.ListenConfig
	return config.Listen(ctx, "tcp", addr)
}

func act(t *testing.T, s *sim.Sandbox, words ...string) sim.Result {
	t.Helper()
	r, err := s.Do(t.Context(), words)
	if err != nil {
		t.Fatalf("%v: %v", words, err)
	}
	return r
}

func TestAPersonSignsInWithBothAccountsFromALinkInSlack(t *testing.T) {
	t.Parallel()
	s, b := startSandbox(t, sim.Config{})
	r := act(t, s, "alice", "slack", "/elevate", "mde-admin", "isolating", "WS-042")
	contains(t, r.Text, "#general (only you)", "Sign in ("+s.PublicURL+"/auth/start?l=1)", "isolating WS-042")
	opened := act(t, s, "alice", "web", "sign-in", "stop")
	contains(t, opened.Text, "# Sign in\nas Alice.", "[Sign in and link]")
	if b.linked != "" {
		t.Fatal("opening the link did something")
	}
	linked := act(t, s, "alice", "web", "press", "Sign in")
	contains(t, linked.Text, "# Linked")
	if !strings.HasPrefix(b.linked, "T0CONTOSO1 U0PERSON01 is 0be0b1e5") {
		t.Errorf("linked %q", b.linked)
	}
	if b.origin[0] != "null" || b.origin[1] != "same-origin" {
		t.Errorf("the form came with Origin %q and Sec-Fetch-Site %q", b.origin[0], b.origin[1])
	}
}

func TestALinkOpenedInAnotherPersonsBrowserSignsInThatPerson(t *testing.T) {
	t.Parallel()
	s, b := startSandbox(t, sim.Config{})
	act(t, s, "alice", "slack", "/elevate", "x")
	act(t, s, "bob", "web", "sign-in", "of", "alice")
	if !strings.HasPrefix(b.linked, "T0CONTOSO1 U0PERSON02") {
		t.Errorf("linked %q", b.linked)
	}
	act(t, s, "frank", "web", s.PublicURL+"/auth/start?l=1", "as", "adm-frank")
	if !strings.HasPrefix(b.linked, "T0CONTOSO1 U0PERSON06 is 0be0b1e5-0000-4000-8000-000000000007") {
		t.Errorf("linked %q", b.linked)
	}
}

func TestAReasonGoesIntoTheFormThatAClickOpens(t *testing.T) {
	t.Parallel()
	s, _ := startSandbox(t, sim.Config{})
	contains(t, act(t, s, "alice", "slack", "/elevate", "card").Text, "#approvals", "[Deny]")
	contains(t, act(t, s, "bob", "slack", "click", "Deny", "in", "#approvals", "reason", "not", "in", "this", "shift").Text, "Denied: not in this shift")
	contains(t, act(t, s, "carol", "slack", "sees", "#approvals", "until", "Denied").Text, "Denied: not in this shift")
}

func TestForgedDeliveriesAreSentAsForged(t *testing.T) {
	t.Parallel()
	s, _ := startSandbox(t, sim.Config{})
	act(t, s, "alice", "slack", "/elevate", "x")
	for how, want := range map[string]int{"signature": 401, "stale": 401, "future": 401, "team": 200, "replay": 200} {
		if r := act(t, s, "alice", "slack", "forge", how); r.Status != want {
			t.Errorf("%s was answered with %d", how, r.Status)
		}
	}
}

func TestThePortalKeepsPIMsRules(t *testing.T) {
	t.Parallel()
	s, _ := startSandbox(t, sim.Config{})
	contains(t, act(t, s, "alice", "portal", "activate", "mde-admin", "1h", "isolating", "WS-042").Text, "PendingApproval")
	if r := act(t, s, "alice", "portal", "approve", "alice", "me"); r.Failed == "" {
		t.Errorf("alice approved herself: %s", r.Text)
	}
	contains(t, act(t, s, "bob", "portal", "approve", "alice", "fine").Text, "bob")
	act(t, s, "clock", "+1m")
	contains(t, act(t, s, "graph", "members", "mde-admin").Text, "Role_MDE Administrator: alice")
	contains(t, act(t, s, "graph", "requests").Text, `"isolating WS-042"`)
	act(t, s, "ada", "portal", "revoke", "alice", "mde-admin", "leaver")
	contains(t, act(t, s, "graph", "members").Text, "Role_MDE Administrator: (nobody)")
}

func TestUnknownWordsGetTheNearestLineOfTheHelp(t *testing.T) {
	t.Parallel()
	s, _ := startSandbox(t, sim.Config{})
	for _, row := range []struct{ said, nearest string }{
		{"alice slack klick Approve", "PERSON slack"},
		{"alice web singin", "PERSON web"},
		{"alice portal aktivate x", "PERSON portal activate"},
		{"alice mail hello", "PERSON"},
		{"nobody slack sees", "people"},
		{"clock yesterday", "clock"},
		{"break slack sideways 1 2", "break slack"},
		{"graph owners", "graph"},
		{"event nothing", "event"},
	} {
		_, err := s.Do(t.Context(), strings.Fields(row.said))
		var unknown *sim.UnknownError
		if !errors.As(err, &unknown) || !strings.HasPrefix(unknown.Help, row.nearest) {
			t.Errorf("%s: %v", row.said, err)
		}
	}
	contains(t, sim.Help(), "PERSON slack click")
}

func TestTheControlAPIActsForWhoeverHoldsTheToken(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, _ := startSandbox(t, sim.Config{Dir: dir})
	client, err := sim.OpenClient(dir)
	if err != nil {
		t.Fatal(err)
	}
	r, err := client.Do(t.Context(), []string{"alice", "slack", "/elevate", "x"})
	if err != nil {
		t.Fatal(err)
	}
	contains(t, r.Text, "only you")
	if len(r.Shown) != 1 || len(r.Shown[0].Links) != 1 {
		t.Errorf("got %+v", r.Shown)
	}
	if _, err := client.Do(t.Context(), []string{"alice", "slack", "dance"}); err == nil || !strings.Contains(err.Error(), "Try: ") {
		t.Errorf("got %v", err)
	}
	client.Token = "sandbox-wrong"
	if _, err := client.Do(t.Context(), []string{"clock"}); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("got %v", err)
	}
	info, err := os.Stat(filepath.Join(dir, "sandbox.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file with the token has mode %v, %v", info.Mode(), err)
	}
	_ = s
}

// The bot refuses to have its own address at the public one.
func TestTheBotsTwoAddressesAreNeverTheSame(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := sim.Start(t.Context(), sim.Config{Dir: dir, Now: machineNow})
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := sim.Start(t.Context(), sim.Config{Dir: dir, Now: machineNow, BotListen: first.BotAdmin})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = second.Close() }()
	if second.BotListen != first.BotAdmin || second.BotAdmin == second.BotListen {
		t.Errorf("the bot listens at %s and at %s", second.BotListen, second.BotAdmin)
	}
}

func TestASecondRunIsFoundAtTheSameAddresses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := sim.Start(t.Context(), sim.Config{Dir: dir, Now: machineNow})
	if err != nil {
		t.Fatal(err)
	}
	before := first.Settings()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := sim.Start(t.Context(), sim.Config{Dir: dir, Now: machineNow})
	if err != nil {
		t.Fatal(err)
	}
	after := second.Settings()
	if before.PublicURL != after.PublicURL || before.Listen != after.Listen || before.Slack != after.Slack || before.Teams != after.Teams || before.Entra != after.Entra {
		t.Errorf("first %+v, then %+v", before, after)
	}
	if string(first.CAPEM) != string(second.CAPEM) || first.Token != second.Token {
		t.Error("the second run has another authority or token")
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestTheClockIsMovedAndHurried(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	s, err := sim.Start(t.Context(), sim.Config{Now: func() time.Time { return start }, Start: start})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if r := act(t, s, "clock", "+1h30m"); r.Text != "2026-03-02T10:30:00Z" {
		t.Errorf("the clock shows %s", r.Text)
	}
}

func TestACrowdAsksInThePortal(t *testing.T) {
	t.Parallel()
	s, _ := startSandbox(t, sim.Config{})
	act(t, s, "crowd", "150", "mde-admin", "an", "alert", "for", "everybody")
	if n := strings.Count(act(t, s, "graph", "requests", "mde-admin").Text, `PendingApproval "an alert for everybody"`); n != 150 {
		t.Errorf("%d requests wait", n)
	}
	for _, words := range [][]string{{"crowd", "no", "mde-admin", "why"}, {"crowd", "3", "mde-admin"}, {"crowd", "3", "nothing", "why"}} {
		if _, err := s.Do(t.Context(), words); err == nil {
			t.Errorf("%v was taken", words)
		}
	}
}
