package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"elevate/internal/config"
)

// Who collects the events has gone away: the bot stays, says so, and asks PIM
// for nothing that nobody could read about.
func TestClosedAuditSinkHoldsWorkBack(t *testing.T) {
	t.Parallel()
	v := newVictim(t)
	v.kill()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	v.startInto(writer)
	_ = writer.Close()
	cfg, err := config.Load(filepath.Join(v.home, settingsFile), func(string) (string, bool) { return "", false }, os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	v.answersReady(cfg.ListenAdmin, "ready")
	_ = reader.Close()
	v.act("alice slack /elevate mde-admin isolating WS-042")
	v.act("alice web sign-in")
	v.answersReady(cfg.ListenAdmin, "the audit sink does not take events")
	if asked := v.box.Entra.Portal().Requests(""); len(asked) > 0 {
		t.Errorf("PIM was asked: %+v", asked)
	}
	if err := v.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if err := v.process.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	v.start()
	v.sees("bob slack sees #approvals until approval needed", "20s")
	if asked := v.box.Entra.Portal().Requests(""); len(asked) != 1 {
		t.Errorf("PIM was asked %d times: %+v", len(asked), asked)
	}
}

// startInto runs the bot with a place for its events.
func (v *victim) startInto(events *os.File) {
	v.t.Helper()
	self, err := os.Executable()
	if err != nil {
		v.t.Fatal(err)
	}
	v.process = exec.CommandContext(v.t.Context(), self)
	v.process.Args = []string{"elevate", "serve", "-config", filepath.Join(v.home, settingsFile)}
	v.process.Env = []string{"SSL_CERT_FILE=" + filepath.Join(v.home, "ca.pem")}
	v.process.Stdout, v.process.Stderr = events, &v.said
	if err := v.process.Start(); err != nil {
		v.t.Fatal(err)
	}
}

// answersReady waits until /readyz says these words.
func (v *victim) answersReady(address, words string) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.t.Context(), 20*time.Second)
	defer cancel()
	said := ""
	err := poll(ctx, func() (bool, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", nil)
		if err != nil {
			return false, err
		}
		resp, err := (&http.Client{Timeout: time.Second}).Do(req)
		if err != nil {
			return false, nil
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		said = string(body)
		return strings.HasPrefix(said, words), err
	})
	if err != nil {
		v.t.Fatalf("it says %q, not %q: %v", said, words, err)
	}
}
