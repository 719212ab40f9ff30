package slack_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"elevate/adapters/slack"
	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/secret"
	"elevate/internal/sim/simslack"
	"elevate/internal/workflow"
)

const (
	team          = "T0TEAM"
	app           = "A0APP"
	botID         = "B0BOT"
	botUser       = "U0BOT"
	alice         = "U0ALICE"
	channel       = "C0GENERAL"
	signingSecret = "sandbox-signing-secret"
	botToken      = "sandbox-bot-token"
	hook          = "https://hooks.slack.com/actions/T0TEAM/1/credential"
)

// machineTime is the clock that slack-go's verifier reads, inside a synctest
// bubble the bubble's.
func machineTime() time.Time {
	return time.Now()
}

type object = map[string]any

// call is one call that reached the fake API.
type call struct {
	method string
	args   url.Values
	json   object
}

// blocks are the blocks that the call carried.
func (c call) blocks(t *testing.T) []any {
	t.Helper()
	if c.json != nil {
		list, _ := c.json["blocks"].([]any)
		return list
	}
	var list []any
	if err := json.Unmarshal([]byte(c.args.Get("blocks")), &list); err != nil {
		t.Fatalf("%s carried no blocks: %v", c.method, err)
	}
	return list
}

// reply answers a call of the fake API.
type reply func(r *http.Request, c call) (*http.Response, error)

// api is Slack's API inside the process: for what a server on a port cannot
// show, such as a fake clock and calls that hang. simslack is the witness for
// the rest.
type api struct {
	mu      sync.Mutex
	calls   []call
	replies map[string]reply
	users   map[string]object
}

func newAPI() *api {
	a := &api{replies: map[string]reply{}, users: map[string]object{}}
	for method, answer := range map[string]object{
		"auth.test":          {"team_id": team, "user_id": botUser, "bot_id": botID},
		"bots.info":          {"bot": object{"id": botID, "app_id": app}},
		"conversations.open": {"channel": object{"id": "D0DIRECT"}},
		"views.open":         {"view": object{"id": "V1"}},
		"views.publish":      {"view": object{"id": "V2"}},
		"chat.postEphemeral": {"message_ts": "1.5"},
		"chat.postMessage":   {"channel": channel, "ts": "1.000001"},
	} {
		a.replies[method] = ok(answer)
	}
	a.replies["chat.update"] = func(r *http.Request, c call) (*http.Response, error) {
		return ok(object{"channel": c.args.Get("channel"), "ts": c.args.Get("ts")})(r, c)
	}
	a.replies["conversations.info"] = func(r *http.Request, c call) (*http.Response, error) {
		return ok(object{"channel": object{"id": c.args.Get("channel"), "is_ext_shared": false}})(r, c)
	}
	a.replies["users.info"] = func(r *http.Request, c call) (*http.Response, error) {
		return ok(object{"user": a.user(c.args.Get("user"))})(r, c)
	}
	a.replies["response_url"] = func(*http.Request, call) (*http.Response, error) { return response(200, "text/plain", "ok"), nil }
	return a
}

// user is somebody of the workspace, with what was changed about them.
func (a *api) user(id string) object {
	u := object{"id": id, "team_id": team, "name": "somebody", "real_name": "Alice Example", "tz": "Europe/Berlin", "tz_offset": 7200}
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.Copy(u, a.users[id])
	return u
}

// change edits what Slack says of Alice.
func (a *api) change(with object) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.users[alice] = with
}

func (a *api) on(method string, r reply) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.replies[method] = r
}

func ok(fields object) reply {
	return func(*http.Request, call) (*http.Response, error) {
		answer := maps.Clone(fields)
		answer["ok"] = true
		raw, err := json.Marshal(answer)
		return response(200, "application/json", string(raw)), err
	}
}

func refused(code string) reply {
	return func(*http.Request, call) (*http.Response, error) {
		return response(200, "application/json", `{"ok":false,"error":"`+code+`"}`), nil
	}
}

func body(text string) reply {
	return func(*http.Request, call) (*http.Response, error) { return response(200, "application/json", text), nil }
}

func response(status int, kind, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Header: http.Header{"Content-Type": {kind}},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

// RoundTrip answers a call.
func (a *api) RoundTrip(r *http.Request) (*http.Response, error) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	c := call{method: strings.TrimPrefix(r.URL.Path, "/api/")}
	if r.URL.Host != "slack.com" {
		c.method = "response_url"
	}
	if json.Unmarshal(raw, &c.json) != nil {
		c.args, _ = url.ParseQuery(string(raw))
	}
	a.mu.Lock()
	a.calls = append(a.calls, c)
	answer := a.replies[c.method]
	a.mu.Unlock()
	if answer == nil {
		answer = refused("unknown_method")
	}
	return answer(r, c)
}

// to lists the calls of a method.
func (a *api) to(method string) []call {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(a.calls), func(c call) bool { return c.method != method })
}

// service stands for the workflow: it notes what it is told and answers as the
// test says.
type service struct {
	mu       sync.Mutex
	senders  []workflow.Sender
	commands []string
	clicks   []workflow.Click
	filled   []card.Filled
	answer   workflow.Reply
	during   func() // happens while the workflow thinks
}

func (s *service) note(from workflow.Sender, then func()) workflow.Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.during != nil {
		s.during()
	}
	s.senders = append(s.senders, from)
	then()
	return s.answer
}

func (s *service) Command(_ context.Context, from workflow.Sender, text string) workflow.Reply {
	return s.note(from, func() { s.commands = append(s.commands, text) })
}

func (s *service) Click(_ context.Context, from workflow.Sender, c workflow.Click) workflow.Reply {
	return s.note(from, func() { s.clicks = append(s.clicks, c) })
}

func (s *service) Filled(_ context.Context, from workflow.Sender, f card.Filled) workflow.Reply {
	return s.note(from, func() { s.filled = append(s.filled, f) })
}

// told is how often anything was said to the workflow.
func (s *service) told() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.senders)
}

// counter counts by reason.
type counter struct {
	mu sync.Mutex
	of map[string]int
}

func (c *counter) count(reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of[reason]++
}

func (c *counter) at(reason string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.of[reason]
}

// bench is a handler with everything around it.
type bench struct {
	api     *api
	service *service
	counts  *counter
	client  *slack.Client
	handler *slack.Handler
	log     *bytes.Buffer
	mu      sync.Mutex
	changed []pim.ChatAccount
}

// tester is what tests and benchmarks share.
type tester interface {
	Helper()
	Fatal(...any)
	Cleanup(func())
	Context() context.Context
}

func newBench(t tester, edit func(*slack.Config, *slack.HandlerConfig)) *bench {
	t.Helper()
	b := &bench{api: newAPI(), service: &service{}, counts: &counter{of: map[string]int{}}, log: &bytes.Buffer{}}
	logger := slog.New(slog.NewJSONHandler(b.log, nil))
	cfg := slack.Config{BotToken: secret.New(botToken), API: "https://slack.com/api/", TeamID: team, Transport: b.api, Now: machineTime, Logger: logger}
	hc := slack.HandlerConfig{
		Service: b.service, SigningSecret: secret.New(signingSecret), Now: machineTime, Count: b.counts.count, Logger: logger,
		AccountChanged: func(_ context.Context, a pim.ChatAccount) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.changed = append(b.changed, a)
		},
	}
	if edit != nil {
		edit(&cfg, &hc)
	}
	b.client = slack.NewClient(cfg)
	if err := b.client.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	hc.Client = b.client
	b.handler = slack.NewHandler(hc)
	t.Cleanup(b.handler.Close)
	return b
}

const formType = "application/x-www-form-urlencoded"

// send signs a body and gives it to the handler.
func (b *bench) send(path, kind, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	simslack.Sign(r.Header, signingSecret, machineTime(), []byte(body))
	return b.serve(r)
}

func (b *bench) serve(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	return w
}

func commandForm(with url.Values) url.Values {
	form := url.Values{
		"command": {"/elevate"}, "text": {"mde-admin isolating WS-042"}, "team_id": {team}, "user_id": {alice}, "channel_id": {channel},
		"api_app_id": {app}, "trigger_id": {"1.2.trigger"}, "response_url": {hook}, "user_name": {"not.an.identity"},
	}
	maps.Copy(form, with)
	return form
}

func (b *bench) command(with url.Values) *httptest.ResponseRecorder {
	return b.send("/slack/commands", formType, commandForm(with).Encode())
}

// clickOn is the payload of a click on a button with that value.
func clickOn(value string) object {
	return object{
		"type": "block_actions", "team": object{"id": team}, "enterprise": nil, "api_app_id": app, "trigger_id": "1.3.trigger", "response_url": hook,
		"user": object{"id": alice, "team_id": team}, "channel": object{"id": channel},
		"container": object{"type": "message", "message_ts": "1.000001", "channel_id": channel, "is_ephemeral": false},
		"message":   object{"ts": "1.000001", "bot_id": botID, "user": botUser},
		"actions":   []any{object{"type": "button", "action_id": "elevate.approve.0", "block_id": "b1", "value": value}},
	}
}

func (b *bench) interact(payload object) *httptest.ResponseRecorder {
	raw, _ := json.Marshal(payload)
	return b.send("/slack/interactions", formType, url.Values{"payload": {string(raw)}}.Encode())
}

func (b *bench) event(event object, with object) *httptest.ResponseRecorder {
	out := object{"type": "event_callback", "team_id": team, "api_app_id": app, "event_id": "Ev1", "event": event}
	maps.Copy(out, with)
	raw, _ := json.Marshal(out)
	return b.send("/slack/events", "application/json", string(raw))
}

// shows checks that an answer to the person says something.
func shows(t *testing.T, w *httptest.ResponseRecorder, words string) {
	t.Helper()
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), words) {
		t.Errorf("answered %d %s, want %q in it", w.Code, w.Body, words)
	}
}

// silent checks that nothing is said to whoever sent it, and that it was counted.
func (b *bench) silent(t *testing.T, w *httptest.ResponseRecorder, status int, reason string) {
	t.Helper()
	if w.Code != status || w.Body.Len() != 0 {
		t.Errorf("answered %d %q, want %d and nothing else", w.Code, w.Body, status)
	}
	if b.counts.at(reason) != 1 {
		t.Errorf("counted %v, want one %s", b.counts.of, reason)
	}
	if n := b.service.told(); n != 0 {
		t.Errorf("the workflow was told %d times", n)
	}
}

func secretText() secret.Text { return secret.New(signingSecret) }

func withService(s slack.Service) func(*slack.Config, *slack.HandlerConfig) {
	return func(_ *slack.Config, hc *slack.HandlerConfig) { hc.Service = s }
}
