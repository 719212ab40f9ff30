package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"elevate/internal/config"
	"elevate/internal/store"
)

func TestAnOperatorNeedsNoSecretButTheKeyset(t *testing.T) {
	w := newWorld(t, nil)
	path := w.settingsPath()
	if err := os.RemoveAll(filepath.Join(filepath.Dir(path), secretsDir)); err != nil {
		t.Fatal(err)
	}
	for _, words := range [][]string{{"audit", "verify"}, {"audit", "export"}, {"queue", "list"}, {"links", "list"}} {
		if code, _, errs := w.orders(append(words, "-config", path)...); code != exitOK {
			t.Errorf("%v: %s", words, errs)
		}
	}
	if code, _, errs := w.orders("serve", "-config", path); code != exitError || !strings.Contains(errs, "slack.bot_token refers to a file that does not exist") {
		t.Errorf("serve without secrets: %d %s", code, errs)
	}
}

// verifies runs audit verify against a stream of these lines.
func (w *world) verifies(lines ...string) (code int, out, errs string) {
	w.t.Helper()
	stream := filepath.Join(w.t.TempDir(), "stream.jsonl")
	if err := os.WriteFile(stream, []byte(strings.Join(lines, "")), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return w.orders("audit", "verify", "-config", w.settingsPath(), "-stream", stream)
}

func TestVerifyingAgainstAStreamSaysWhatWasNotCompared(t *testing.T) {
	w := newWorld(t, nil)
	w.signsIn("alice")
	w.signsIn("bob")
	_, exported, _ := w.orders("audit", "export", "-config", w.settingsPath())
	lines := strings.SplitAfter(strings.TrimSuffix(exported, "\n"), "\n")
	if len(lines) < 4 {
		t.Fatalf("%d events", len(lines))
	}
	for name, stream := range map[string][]string{
		"an empty one": {}, "another program's": {`{"level":"info","msg":"ready"}` + "\n", "no JSON\n"},
	} {
		if code, out, errs := w.verifies(stream...); code != exitError || out != "" || !strings.Contains(errs, "the stream has no event of this chain") {
			t.Errorf("%s: %d %s%s", name, code, out, errs)
		}
	}
	last := len(lines)
	code, out, errs := w.verifies(lines[2 : last-1]...)
	want := fmt.Sprintf("Not compared: events 1 to 2 and event %d, which the stream does not have.\n", last)
	if code != exitOK || !strings.Contains(out, want) {
		t.Errorf("%d %s%s", code, out, errs)
	}
	if code, out, errs := w.verifies(lines...); code != exitOK || strings.Contains(out, "Not compared") {
		t.Errorf("the whole stream: %d %s%s", code, out, errs)
	}
}

// endless is a stream that is longer than anybody would keep in memory, and
// begins with what the trail has.
type endless struct {
	begin io.Reader
	rest  int
}

func (e *endless) Read(p []byte) (int, error) {
	if n, err := e.begin.Read(p); err == nil {
		return n, nil
	}
	if e.rest <= 0 {
		return 0, io.EOF
	}
	n := min(len(p), e.rest)
	for i := range p[:n] {
		p[i] = 'x'
	}
	p[n-1] = '\n'
	e.rest -= n
	return n, nil
}

func TestAStreamIsComparedAsItComesAndNotKept(t *testing.T) {
	w := newWorld(t, nil)
	w.signsIn("alice")
	_, exported, _ := w.orders("audit", "export", "-config", w.settingsPath())
	var out bytes.Buffer
	stream := &endless{begin: strings.NewReader(exported), rest: 64 << 20} // an order alone has at most one
	err := overSocket(t.Context(), door{path: w.bot.cfg.AdminSocket, state: w.bot.cfg.State}, order{Words: []string{"audit", "verify", "stream"}}, stream, &out)
	if err != nil || stream.rest > 0 || !strings.Contains(out.String(), "Against the exported stream") {
		t.Errorf("%v, %d bytes unread, %s", err, stream.rest, out.String())
	}
	// A stream that differs at once is an answer all the same, not a broken connection.
	stream = &endless{begin: strings.NewReader(strings.Replace(exported, `"kind":"`, `"kind":"x`, 1)), rest: 64 << 20}
	err = overSocket(t.Context(), door{path: w.bot.cfg.AdminSocket, state: w.bot.cfg.State}, order{Words: []string{"audit", "verify", "stream"}}, stream, &out)
	if err == nil || !strings.Contains(err.Error(), "event 1 differs between the stream and the chain") {
		t.Errorf("%v", err)
	}
}

func TestAnAnchorIsPastedBackAsItWasPrinted(t *testing.T) {
	w := newWorld(t, nil)
	w.signsIn("alice")
	path := w.settingsPath()
	_, out, _ := w.orders("audit", "verify", "-config", path)
	_, printed, _ := strings.Cut(out, "Head: ")
	printed = strings.TrimSpace(printed)
	if code, out, errs := w.orders("audit", "verify", "-config", path, "-anchor", printed); code != exitOK || !strings.Contains(out, "Against the anchor") {
		t.Errorf("%q: %d %s%s", printed, code, out, errs)
	}
	seq, mac, _ := strings.Cut(printed, ":")
	for _, bad := range []string{seq, seq + ":", seq + ":" + mac[1:], seq + "x:" + mac, " " + printed, seq + " " + mac, "0:" + mac} {
		if code, _, errs := w.orders("audit", "verify", "-config", path, "-anchor", bad); code != exitUsage || !strings.Contains(errs, "-anchor: an anchor is") {
			t.Errorf("%q: %d %s", bad, code, errs)
		}
	}
	code, _, errs := w.orders("audit", "verify", "-config", path, "-anchor", "999999:"+mac)
	if code != exitError || !strings.Contains(errs, "the anchor is event 999999 and the chain ends with event") {
		t.Errorf("an anchor behind the end: %d %s", code, errs)
	}
}

func TestABackupIsAFileOfWhoAskedForIt(t *testing.T) {
	w := newWorld(t, nil)
	path := w.settingsPath()
	folder := t.TempDir()
	to := filepath.Join(folder, "backup.db")
	if code, out, errs := w.orders("backup", "-config", path, to); code != exitOK || !strings.Contains(out, "Wrote a backup without sessions to "+to) {
		t.Fatalf("%d %s%s", code, out, errs)
	}
	info, err := os.Stat(to)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	db, err := store.OpenReadOnly(store.Config{Path: to, Keys: w.bot.keys, Now: w.bot.around.now})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if code, _, errs := w.orders("backup", "-config", path, to); code != exitError || !strings.Contains(errs, "exists already and was not touched") {
		t.Errorf("over another: %d %s", code, errs)
	}
	code, out, errs := w.orders("backup", "-config", path, "-")
	whole, err := os.ReadFile(to)
	if code != exitOK || err != nil || len(out) < len(whole)/2 || !strings.Contains(errs, "Wrote a backup") {
		t.Errorf("to standard output: %d, %d bytes, %s, %v", code, len(out), errs, err)
	}
	// When nobody serves, it is the same.
	if err := w.stopBot(); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := w.orders("backup", "-config", path, filepath.Join(folder, "later.db")); code != exitOK {
		t.Errorf("on the file itself: %d %s", code, errs)
	}
	w.serveAgain(mustBot(t, w))
}

// mustBot is a new bot in the place of a world's that was stopped.
func mustBot(t *testing.T, w *world) *bot {
	t.Helper()
	b, err := newBot(t.Context(), w.bot.cfg, w.bot.around)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestABackupThatFailsLeavesNoFile(t *testing.T) {
	w := newWorld(t, nil)
	path := w.settingsPath()
	folder := t.TempDir()
	to := filepath.Join(folder, "backup.db")
	room := filepath.Dir(w.bot.cfg.State)
	before, err := os.ReadDir(room)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var errs bytes.Buffer
	p := program{out: io.Discard, errs: &errs, env: func(string) (string, bool) { return "", false }}
	if code := run(ctx, []string{"backup", "-config", path, to}, p); code != exitError {
		t.Errorf("%d %s", code, errs.String())
	}
	if code, _, errs := w.orders("backup", "-config", filepath.Join(folder, "nothing.yaml"), to); code != exitError {
		t.Errorf("%d %s", code, errs)
	}
	if code, _, errs := w.orders("backup", "-config", path, filepath.Join(folder, "nowhere", "backup.db")); code != exitError || !strings.Contains(errs, "making the backup's file") {
		t.Errorf("%d %s", code, errs)
	}
	if left, err := os.ReadDir(folder); len(left) > 0 || err != nil {
		t.Errorf("%v, %v", left, err)
	}
	if after, err := os.ReadDir(room); len(after) != len(before) || err != nil {
		t.Errorf("%v, %v", after, err)
	}
}

func TestAnErrorOnTheSocketIsOneShortLine(t *testing.T) {
	t.Parallel()
	long := errors.Join(errors.New("one"), errors.New("two\r\nthree\x00"), errors.New(strings.Repeat("ä", 2000)))
	line := oneLine(long)
	if len(line) > 1024 || strings.ContainsAny(line, "\r\n\x00") || !strings.HasPrefix(line, "one; two ; three ; ä") || !strings.HasSuffix(line, "ä…") || !utf8.ValidString(line) {
		t.Errorf("%d bytes: %q", len(line), line)
	}
	if got := oneLine(errors.New("short")); got != "short" {
		t.Errorf("%q", got)
	}
}

func TestALivingAdminSocketIsNotReplacedAndADeadOneIs(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "admin.sock")
	log := newLog(io.Discard, config.Log{Level: "info"})
	start := func() error {
		s, err := startAdminSocket(t.Context(), path, operator{}, log)
		if err == nil {
			s.stop()
		}
		return err
	}
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	if err := start(); err == nil || !strings.Contains(err.Error(), "another process answers at the admin socket") {
		t.Errorf("beside a living one: %v", err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false) // as if it had been killed
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Fatal(err)
	}
	if err := start(); err != nil {
		t.Errorf("over a dead one: %v", err)
	}
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := start(); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("over a file: %v", err)
	}
	if content, err := os.ReadFile(path); string(content) != "precious" {
		t.Errorf("the file: %q, %v", content, err)
	}
}

func TestOnlyAFileThatIsNotThereIsSaidToBeMissing(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := stateIsThere(filepath.Join(folder, "elevate.db")); err == nil || !strings.Contains(err.Error(), "no state file at") {
		t.Errorf("%v", err)
	}
	if err := stateIsThere(filepath.Join(file, "elevate.db")); !errors.Is(err, syscall.ENOTDIR) || strings.Contains(err.Error(), "yet") {
		t.Errorf("%v", err)
	}
	for path, nobody := range map[string]bool{filepath.Join(folder, "admin.sock"): true, filepath.Join(file, "admin.sock"): false} {
		if _, err := (door{path: path}).dial(t.Context()); errors.Is(err, errNobodyServes) != nobody || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
