package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"elevate/internal/pim"
	"elevate/internal/sim/cast"
	"elevate/internal/sim/simentra"
	"elevate/internal/store"
)

// steppedUp is a world whose PIM wants an authentication context of requesters of mde-admin and multifactor
// authentication of those of mde-analyst, and whose settings want a sign-in of its own for each decision, with a context.
func steppedUp(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	home := t.TempDir()
	s, err := openStage(t.Context(), home, cast.Model())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(home, settingsFile)
	written, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	decide := "- name: \"mde-admin\"\n    decide: {fresh_sign_in: true, authentication_context: c2}\n"
	changed := bytes.Replace(written, []byte("- name: \"mde-admin\"\n"), []byte(decide), 1)
	if bytes.Equal(changed, written) {
		t.Fatalf("mde-admin is not where it was:\n%s", written)
	}
	if err := os.WriteFile(file, changed, 0o600); err != nil {
		t.Fatal(err)
	}
	s.box.Entra.SetBehavior(func(b *simentra.Behavior) { b.NoMFA = true })
	policy := func(role string, change func(*cast.Policy)) {
		p, err := s.box.Entra.Policy(role)
		if err != nil {
			t.Fatal(err)
		}
		change(&p)
		if err := s.box.Entra.SetPolicy(p); err != nil {
			t.Fatal(err)
		}
	}
	policy(cast.RoleAdministrator, func(p *cast.Policy) { p.AuthContext = "c1" })
	policy(cast.RoleAnalyst, func(p *cast.Policy) { p.MFA = true })
	var log strings.Builder
	if err := s.startBot(context.WithoutCancel(t.Context()), home, func(string) (string, bool) { return "", false }, slog.New(slog.NewTextHandler(&log, nil))); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			_, _ = io.WriteString(os.Stderr, log.String())
		}
	})
	return &world{stage: s, t: t}
}

// signedInAt is when the verified ID token says that somebody signed in.
func (w *world) signedInAt(person string) (at time.Time) {
	w.t.Helper()
	accounts, err := w.accounts(person)
	if err != nil {
		w.t.Fatal(err)
	}
	err = w.bot.db.View(func(tx *store.Tx) error {
		session, _, err := tx.Session(accounts[0])
		at = session.AuthTime
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return at
}

// asksThroughStepUps has Alice ask where a plain sign-in does not do, in a chat's own words, and returns what then waits for approval.
func (w *world) asksThroughStepUps(asks, sees string) pim.Request {
	w.t.Helper()
	// A plain sign-in does not do where PIM wants multifactor authentication, for which it sends no challenge.
	w.act("alice " + asks + " mde-analyst triage")
	w.act("alice web sign-in")
	w.act("alice " + sees + " sees dm until multifactor")
	w.says("alice web sign-in", "on its way to PIM")
	w.turns("alice", pim.Active)

	// PIM's challenge leads to another sign-in, and what was typed goes on.
	w.act("alice " + asks + " mde-admin isolating WS-042, INC-1234")
	w.turns("alice", pim.WaitingForSignIn)
	w.act("alice " + sees + " sees dm until wants a stronger sign-in")
	w.says("alice web sign-in", "on its way to PIM")
	asked := w.turns("alice", pim.Pending)
	if !strings.HasPrefix(asked.Copy.Justification, "isolating WS-042, INC-1234") || asked.Sending.Tries != 1 {
		w.t.Errorf("PIM holds %q after %d sendings", asked.Copy.Justification, asked.Sending.Tries)
	}
	return asked
}

func TestStepUpsGoOnByThemselvesAfterTheSignIn(t *testing.T) {
	w := steppedUp(t)
	first := w.asksThroughStepUps("slack /elevate", "slack")

	// Each decision has a sign-in of its own, however new the one before is, with the context in the ID token.
	w.act("carol slack sees #approvals until " + string(first.ID))
	w.says("bob slack click Approve in #approvals", "Sign in to approve")
	w.says("bob web sign-in", "on its way to PIM")
	w.turns("alice", pim.Active)
	decided := w.request(first.ID).Decided
	if decided == nil || !decided.Approve {
		t.Fatalf("decided: %+v", decided)
	}
	w.joins("PIM MDE Administrator", "dan")
	w.act("dan slack /elevate mde-admin looking at WS-043")
	w.act("dan web sign-in")
	w.turns("dan", pim.WaitingForSignIn)
	w.act("dan slack sees dm until wants a stronger sign-in")
	w.says("dan web sign-in", "on its way to PIM")
	second := w.turns("dan", pim.Pending)
	w.act("carol slack sees #approvals until " + string(second.ID))
	clicked := w.box.Clock.Now()
	w.says("bob slack click Approve in #approvals", "Sign in to approve")
	w.says("bob web sign-in", "on its way to PIM")
	w.turns("dan", pim.Active)
	if at := w.signedInAt("bob"); at.Before(clicked.Truncate(time.Second)) {
		t.Errorf("decided by a sign-in of %s, clicked at %s", at, clicked)
	}
}

func TestStepUpsGoOnByThemselvesInTeams(t *testing.T) {
	w := steppedUp(t)
	asked := w.asksThroughStepUps("teams say", "teams")

	w.act("bob teams sees #approvals until " + string(asked.ID))
	w.says("bob teams click Approve in #approvals reason all right", "Sign in to approve")
	w.says("bob web sign-in", "on its way to PIM")
	w.turns("alice", pim.Active)
	if d := w.request(asked.ID).Decided; d == nil || !d.Approve || d.Reason != "all right" {
		t.Errorf("of the decision is left %+v", d)
	}
}
