package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"elevate/internal/config"
	"elevate/internal/pim"
	"elevate/internal/secret"
	"elevate/internal/store"
)

// settingsPath is the file that the bot of a world was started with.
func (w *world) settingsPath() string {
	return filepath.Join(filepath.Dir(filepath.Dir(w.bot.cfg.State)), settingsFile)
}

// orders runs an operator's command as a process of its own would, and returns what it printed.
func (w *world) orders(words ...string) (code int, out, errs string) {
	w.t.Helper()
	var said, complained bytes.Buffer
	p := program{in: strings.NewReader(""), out: &said, errs: &complained, env: func(string) (string, bool) { return "", false }}
	code = run(w.t.Context(), words, p)
	return code, said.String(), complained.String()
}

// parks puts a parked effect into the state file.
func (w *world) parks(key string) {
	w.t.Helper()
	err := w.bot.db.Update(w.t.Context(), func(tx *store.Tx) error {
		return tx.Park(store.Effect{Key: key, Kind: "lapse", Lane: key, Data: []byte(`"gone"`)}, "It was tried for too long.")
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestParkedWorkIsListedRetriedAndDroppedWhileServeRunsAndAfterwards(t *testing.T) {
	w := newWorld(t, nil)
	path := w.settingsPath()
	w.parks("one")
	w.parks("two")
	if code, out, _ := w.orders("queue", "list", "-config", path); code != 0 || strings.Count(out, "parked") != 2 || !strings.Contains(out, "tried for too long") {
		t.Errorf("%d %s", code, out)
	}
	if code, out, _ := w.orders("queue", "retry", "-config", path, "one"); code != 0 || out != "Retrying one\n" {
		t.Errorf("%d %s", code, out)
	}
	// What is retried is taken up by the running bot, without a restart.
	w.until(func() bool {
		there := false
		err := w.bot.db.View(func(tx *store.Tx) error {
			parked, err := tx.Parked()
			there = len(parked) == 1
			return err
		})
		return err == nil && there
	}, "the retried effect is still parked")
	if code, out, _ := w.orders("queue", "drop", "-config", path, "nothing"); code != 1 || out != "" {
		t.Errorf("%d %s", code, out)
	}
	if code, out, _ := w.orders("queue", "drop", "-config", path, "all"); code != 0 || out != "Dropped two\n" {
		t.Errorf("%d %s", code, out)
	}
	if len(w.events(pim.EventRetried)) != 1 || len(w.events(pim.EventDropped)) != 1 {
		t.Errorf("%d retried, %d dropped", len(w.events(pim.EventRetried)), len(w.events(pim.EventDropped)))
	}
	if code, _, errs := w.orders("queue", "retry", "-config", path); code != exitUsage || !strings.Contains(errs, "say which parked effect") {
		t.Errorf("%d %s", code, errs)
	}
}

func TestTheAdminSocketIsItsOwnersOnlyAndHasNoDoorToAskApproveOrRelease(t *testing.T) {
	w := newWorld(t, nil)
	path := w.bot.cfg.AdminSocket
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 || info.Mode().Type() != fs.ModeSocket {
		t.Errorf("the socket: %v, %v", info, err)
	}
	before, err := w.bot.db.Head()
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range [][]string{
		{"elevate", "mde-admin", "x"},
		{"approve", "abc234"},
		{"deny", "abc234", "x"},
		{"release", "mde-admin"},
		{"cancel", "abc234"},
		{"revoke", "abc234"},
		{"links", "add"},
		{"queue", "put"},
		{"audit"},
		{"backup", "/tmp/somewhere"},
		{""},
	} {
		var out bytes.Buffer
		err := overSocket(t.Context(), door{path: path, state: w.bot.cfg.State}, order{Words: words}, strings.NewReader(""), &out)
		if err == nil || !strings.Contains(err.Error(), "there is no order") || out.Len() != 0 {
			t.Errorf("%v: %v %s", words, err, out.String())
		}
	}
	if after, err := w.bot.db.Head(); err != nil || after != before {
		t.Errorf("an event was written: %v, %v", after, err)
	}
}

func TestTheFolderOfTheAdminSocketIsMadeForItsOwnerAndRefusedWhenOthersMayWriteToIt(t *testing.T) {
	t.Parallel()
	log := newLog(io.Discard, config.Log{Level: "info"})
	made := filepath.Join(t.TempDir(), "a", "b")
	if err := closedFolder(made, log); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(made); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	for mode, refused := range map[os.FileMode]bool{0o700: false, 0o755: false, 0o770: true, 0o777: true, 0o702: true} {
		folder := t.TempDir()
		if err := os.Chmod(folder, mode); err != nil {
			t.Fatal(err)
		}
		if err := closedFolder(folder, log); (err != nil) != refused {
			t.Errorf("%v: %v", mode, err)
		}
	}
}

func TestTheAdminSocketTakesNothingButOrders(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{"no JSON": "{", "no words": `{}`, "empty": `{"words":[]}`, "nothing": ""} {
		w := httptest.NewRecorder()
		operator{}.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/order", strings.NewReader(body)))
		if w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
}

func TestInSocketModeNothingOfSlacksComesInOverHTTP(t *testing.T) {
	w := newWorld(t, nil)
	post := func(b *bot) int {
		rec := httptest.NewRecorder()
		b.publicHandler().ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/slack/commands", strings.NewReader("x=1")))
		return rec.Code
	}
	if code := post(w.bot); code == http.StatusNotFound {
		t.Error("in HTTP mode there is no door for Slack")
	}
	other, cfg, slack := *w.bot, *w.bot.cfg, *w.bot.cfg.Slack
	slack.AppToken = secret.New("sandbox-xapp")
	cfg.Slack, other.cfg = &slack, &cfg
	if code := post(&other); code != http.StatusNotFound {
		t.Errorf("in Socket Mode /slack/commands answers %d", code)
	}
}

func TestWhereNothingIsThePublicListenerSaysSo(t *testing.T) {
	w := newWorld(t, nil)
	for _, path := range []string{"/", "/metrics", "/healthz", "/auth/", "/auth/elsewhere", "/slack/", "/slack/elsewhere", "/favicon.ico"} {
		rec := httptest.NewRecorder()
		w.bot.publicHandler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, http.NoBody))
		if rec.Code != http.StatusNotFound || !strings.HasPrefix(rec.Body.String(), "There is nothing here. ") {
			t.Errorf("%s: %d %s", path, rec.Code, rec.Body.String())
		}
	}
	for _, path := range []string{"/auth/entra/callback", "/slack/commands"} {
		rec := httptest.NewRecorder()
		w.bot.publicHandler().ServeHTTP(rec, httptest.NewRequest(http.MethodDelete, path, http.NoBody))
		if rec.Code != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d", path, rec.Code)
		}
	}
}

func TestWhatIsRefusedIsCountedOnTheMetricsPage(t *testing.T) {
	w := newWorld(t, nil)
	h := &health{opened: w.bot}
	page := func(path string) (int, string) {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, http.NoBody))
		return rec.Code, rec.Body.String()
	}
	if code, _ := page("/healthz"); code != http.StatusOK {
		t.Errorf("/healthz %d before it is ready", code)
	}
	if code, said := page("/readyz"); code != http.StatusServiceUnavailable || !strings.HasPrefix(said, "starting; it waits for the first answers") {
		t.Errorf("/readyz %d %s before it is ready", code, said)
	}
	h.bot.Store(w.bot)
	w.act("bob slack /elevate status")
	for _, how := range []string{"signature", "stale", "team", "garbage", "huge"} {
		w.nothingWritten("bob slack forge " + how)
	}
	for _, target := range []string{"/auth/start?t=nonsense", "/auth/entra/callback?state=none&code=none", "/auth/slack/callback?code=" + strings.Repeat("x", 1<<15)} {
		rec := httptest.NewRecorder()
		w.bot.publicHandler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, target, http.NoBody))
		if rec.Code < http.StatusBadRequest {
			t.Errorf("%s came to %d", target[:20], rec.Code)
		}
	}
	_, metrics := page("/metrics")
	for _, line := range []string{
		`elevate_refused_total{reason="sign_in_not_found"} 1`, `elevate_refused_total{reason="sign_in_forbidden"} 1`,
		`elevate_refused_total{reason="sign_in_invalid"} 1`,
		`elevate_refused_total{reason="signature"} 2`, `elevate_refused_total{reason="foreign"} 1`, `elevate_refused_total{reason="malformed"} 1`,
		`elevate_refused_total{reason="too_large"} 1`, `elevate_effects_parked 0`, `elevate_state_unwritten 0`,
	} {
		if !strings.Contains(metrics, line+"\n") {
			t.Errorf("%s is not on the page", line)
		}
	}
	for _, word := range []string{"alice", "bob", "U0PERSON", "WS-042"} {
		if strings.Contains(metrics, word) {
			t.Errorf("the page shows %q", word)
		}
	}
	if code, said := page("/readyz"); code != http.StatusOK {
		t.Errorf("/readyz %d %s", code, said)
	}
}

func TestABackupThatIsRestoredActsAsNobodyAndGoesOnFromPIM(t *testing.T) {
	w := newWorld(t, nil)
	w.signsIn("bob")
	r := w.asks("alice", "mde-admin isolating WS-042")
	to := filepath.Join(t.TempDir(), "backup.db")
	if code, out, errs := w.orders("backup", "-config", w.settingsPath(), to); code != 0 || !strings.Contains(out, "without sessions") {
		t.Fatalf("%d %s %s", code, out, errs)
	}
	// What happens after the backup is seen again by the restored bot.
	w.act("bob portal approve alice fine")
	if err := w.stopBot(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(w.bot.cfg.State, content, 0o600); err != nil {
		t.Fatal(err)
	}
	around := w.bot.around
	around.restored = true
	b, err := newBot(t.Context(), w.bot.cfg, around)
	if err != nil {
		t.Fatal(err)
	}
	w.serveAgain(b)
	w.turns("alice", pim.Active)
	if sessions := w.sessions(); sessions != 0 {
		t.Errorf("%d sessions", sessions)
	}
	w.says("alice slack /elevate release mde-admin", "Sign in")
	if got := w.request(r.ID); got.State != pim.Active {
		t.Errorf("%s", got.State)
	}
	if n := len(w.events(pim.EventRestored)); n != 1 {
		t.Errorf("%d events say that it was restored", n)
	}
}

func (w *world) sessions() (n int) {
	w.t.Helper()
	err := w.bot.db.View(func(tx *store.Tx) error {
		sessions, err := tx.Sessions()
		n = len(sessions)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// serveAgain runs another bot in the place of the one that was stopped.
func (w *world) serveAgain(b *bot) {
	w.t.Helper()
	w.bot = b
	ctx, stop := context.WithCancel(w.t.Context())
	w.stop = stop
	go func() { w.ended <- b.run(ctx) }()
	if err := w.ready(w.t.Context(), b.cfg.Listen); err != nil {
		w.t.Fatal(err)
	}
}

func TestASecondProcessOnTheStateFileIsRefusedWithASentence(t *testing.T) {
	w := newWorld(t, nil)
	begin := time.Now()
	_, err := openBot(t.Context(), w.bot.cfg, w.bot.around)
	if err == nil || !strings.Contains(err.Error(), "another elevate process has the state file") {
		t.Errorf("%v after %v", err, time.Since(begin))
	}
	if errors.Is(err, errNobodyServes) {
		t.Error("the wrong sentence")
	}
}

func TestTheAuditTrailIsVerifiedAgainstAnAnchorAndExportedByTheCommands(t *testing.T) {
	w := newWorld(t, nil)
	path := w.settingsPath()
	w.signsIn("alice")
	head, err := w.bot.db.Head()
	if err != nil {
		t.Fatal(err)
	}
	anchor := fmt.Sprintf("%d:%s", head.Seq, head.Head)
	code, out, errs := w.orders("audit", "verify", "-config", path, "-anchor", anchor)
	if code != 0 || !strings.Contains(out, "The chain alone: ") || !strings.Contains(out, "Against the anchor: ") {
		t.Errorf("%d %s%s", code, out, errs)
	}
	code, _, errs = w.orders("audit", "verify", "-config", path, "-anchor", fmt.Sprintf("%d:%s", head.Seq, strings.Repeat("0", len(head.Head))))
	if code != exitError || !strings.Contains(errs, "anchor") {
		t.Errorf("another anchor: %d %s", code, errs)
	}
	if code, _, errs = w.orders("audit", "verify", "-config", path, "-anchor", "yesterday"); code != exitUsage || !strings.Contains(errs, "an anchor is") {
		t.Errorf("no anchor: %d %s", code, errs)
	}
	code, exported, _ := w.orders("audit", "export", "-config", path)
	stream := filepath.Join(t.TempDir(), "stream.jsonl")
	if err := os.WriteFile(stream, []byte(exported), 0o600); err != nil {
		t.Fatal(err)
	}
	if code != 0 || strings.Count(exported, "\n") < int(head.Seq) {
		t.Errorf("%d, exported %s", code, exported)
	}
	if code, out, errs = w.orders("audit", "verify", "-config", path, "-stream", stream); code != 0 || !strings.Contains(out, "Against the exported stream") {
		t.Errorf("%d %s%s", code, out, errs)
	}
	changed := strings.Replace(exported, `"kind":"signed_in"`, `"kind":"signed_ix"`, 1)
	if err := os.WriteFile(stream, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs = w.orders("audit", "verify", "-config", path, "-stream", stream); code != exitError || errs == "" {
		t.Errorf("a changed stream: %d %s", code, errs)
	}
}

func TestTheFormForTheCommandAloneAsksForARole(t *testing.T) {
	w := newWorld(t, nil)
	w.signsIn("alice")
	w.act("alice slack /elevate")
	w.says("alice slack sees form", "Role")
	w.says("alice slack fill Role=MDE Administrator", "complete this required field") // Slack's own client says so
	w.act("alice slack fill Reason=isolating WS-042, INC-1234")
	r := w.turns("alice", pim.Pending)
	if r.Role != "mde-admin" || !strings.Contains(r.Copy.Justification, "isolating WS-042, INC-1234") {
		t.Errorf("asked for %s: %s", r.Role, r.Copy.Justification)
	}
}

func TestAFormThatASignInInterruptedComesBackWithAButton(t *testing.T) {
	w := newWorld(t, nil)
	w.says("alice slack /elevate", "Sign in")
	w.act("alice web sign-in")
	w.act("alice slack sees dm until Open the form")
	w.act("alice slack click Open the form in dm")
	w.says("alice slack sees form", "Approvers read it, PIM keeps it.")
}

func TestTheHeadOfTheAuditTrailGoesIntoTheLog(t *testing.T) {
	w := newWorld(t, nil)
	w.signsIn("alice")
	var log bytes.Buffer
	other := *w.bot
	other.around.log = newLog(&log, config.Log{Level: "info", Format: "json"})
	head, err := w.bot.db.Head()
	if err != nil {
		t.Fatal(err)
	}
	w.until(func() bool { return !w.bot.service.Swept().IsZero() }, "PIM was not read")
	other.sayAlive()
	var line struct {
		Msg, Head string
		Verify    string
		Seq       uint64
		PIMRead   time.Time `json:"pim_read"`
		Open      *int      `json:"open_requests"`
	}
	if err := json.Unmarshal(log.Bytes(), &line); err != nil || line.Msg != "alive" || line.Open == nil || *line.Open != 0 || line.PIMRead.IsZero() || line.Seq < head.Seq || line.Head == "" || line.Verify != fmt.Sprintf("elevate audit verify -config FILE -anchor %d:%s", line.Seq, line.Head) {
		t.Errorf("logged %s, %v", log.String(), err)
	}
}
