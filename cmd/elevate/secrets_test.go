package main

import (
	"bytes"
	"encoding/base64"
	"log/slog"
	"os"
	"regexp"
	"sync"
	"testing"

	"elevate/internal/pim"
)

// lockedLog is a log that many write to.
type lockedLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *lockedLog) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

// tokensIn are the JSON Web Tokens in a text. Each begins with the base64 of a
// JSON object; so do, now and then, the random bytes of something sealed, which
// then go on with bytes that are no text.
func tokensIn(text string) (found []string) {
	for _, m := range regexp.MustCompile(`eyJ[A-Za-z0-9_-]{20,}`).FindAllString(text, -1) {
		head, err := base64.RawURLEncoding.DecodeString(m[:20])
		if err == nil && !bytes.ContainsFunc(head, func(r rune) bool { return r < ' ' || r > '~' }) {
			found = append(found, m)
		}
	}
	return found
}

func TestATokenIsToldFromSealedBytes(t *testing.T) {
	t.Parallel()
	token := "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9"
	if got := tokensIn("x " + token + ".eyJhdWQiOiIxMTExMTExMS0xMTExIn0.c2ln eYJnEELW7Us57sqKHQQvNgPPuabIc7 eyJnEELW7Us57sqKHQQvNgPPuabIc7"); len(got) != 2 || got[0] != token {
		t.Errorf("found %q", got)
	}
}

func TestNoSecretIsInTheStateFileOrTheLog(t *testing.T) {
	log := &lockedLog{}
	s, err := startStage(t.Context(), t.TempDir(), func(string) (string, bool) { return "", false }, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{stage: s, t: t}
	w.signsIn("bob")
	w.asks("alice", "mde-admin isolating WS-042")
	w.act("break slack chat.update 5xx")
	w.act("bob slack click Deny in #approvals")
	w.act("heal")
	w.act("bob slack click Approve in #approvals")
	w.turns("alice", pim.Active)
	w.act("carol slack /elevate")
	path := s.bot.cfg.State
	if err := s.close(); err != nil {
		t.Error(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	bad := regexp.MustCompile(`(?i)sandbox-[a-z0-9-]{4,}|response_url|/response/[^\s"]*|auth/start\?t=[^\s"]+|code=[^\s"&]+|trigger[_ ]?id"?[:=][^\s]+|Bearer [^\s]+`)
	for name, text := range map[string]string{"state": string(raw), "log": log.b.String()} {
		seen := map[string]bool{}
		for _, m := range append(bad.FindAllString(text, -1), tokensIn(text)...) {
			if !seen[m] && len(seen) < 15 {
				seen[m] = true
				t.Errorf("%s holds %q", name, m)
			}
		}
	}
}
