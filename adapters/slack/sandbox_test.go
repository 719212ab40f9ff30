package slack_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"elevate/adapters/slack"
	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/secret"
	"elevate/internal/sim/cast"
	"elevate/internal/sim/simslack"
	"elevate/internal/workflow"
)

// world is a handler before the fake Slack of the sandbox, over real HTTP.
type world struct {
	*simslack.Server
	service *service
	counts  *counter
	client  *slack.Client
	handler *slack.Handler
	team    string
	serve   func(slack.Service)
	end     func()
}

// worldSettings are what a world may have of its own.
type worldSettings struct {
	socketMode bool
	now        func() time.Time // Slack's own clock, for trigger ids
	clock      func() time.Time // the world's
	log        *slog.Logger
	through    func(http.Handler) http.Handler // what Slack's deliveries pass on their way
}

// newWorld starts a fake Slack and a handler that it delivers to. now is
// Slack's own clock, for trigger ids.
func newWorld(t *testing.T, socketMode bool, now func() time.Time) *world {
	t.Helper()
	w := newWorldWith(t, worldSettings{
		socketMode: socketMode, now: now, clock: machineTime, through: func(h http.Handler) http.Handler { return h },
	})
	w.serve(w.service)
	t.Cleanup(w.end)
	return w
}

// newWorldWith starts a fake Slack and a client; serve makes the handler.
func newWorldWith(t *testing.T, with worldSettings) *world {
	t.Helper()
	model, w := cast.Model(), &world{service: &service{}, counts: &counter{of: map[string]int{}}}
	var slackSide, appSide http.Handler
	front := serveLater(t, &slackSide)
	bot := serveLater(t, &appSide)
	app := simslack.ModelApp()
	app.CommandURL, app.InteractionURL, app.EventURL = bot+"/slack/commands", bot+"/slack/interactions", bot+"/slack/events"
	app.SocketMode = with.socketMode
	s, err := simslack.New(simslack.Config{
		URL: front, Now: with.now, Clock: with.clock, App: app, People: simslack.ModelPeople(model), Channels: simslack.ModelChannels(model, app.BotUser),
		Workspace: simslack.Workspace{ID: model.Team.ID, Name: model.Team.Name, Domain: model.Team.Domain}, Client: &http.Client{Timeout: 5 * time.Second},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Server, slackSide, w.team = s, s.Handler(), model.Team.ID
	w.client = slack.NewClient(slack.Config{
		BotToken: secret.New(app.BotToken), AppToken: secret.New(app.AppToken), API: front + "/api/", TeamID: model.Team.ID, Now: with.clock,
		Logger: with.log, Sandbox: true,
	})
	if err := w.client.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.serve = func(to slack.Service) {
		w.handler = slack.NewHandler(slack.HandlerConfig{
			Client: w.client, Service: to, SigningSecret: secret.New(app.SigningSecret), Now: with.clock, Count: w.counts.count, Logger: with.log,
		})
		appSide = with.through(w.handler)
	}
	w.end = func() { w.handler.Close(); s.Close() }
	return w
}

// serveLater serves a handler that is made only after its address is known.
func serveLater(t *testing.T, h *http.Handler) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { (*h).ServeHTTP(rw, r) }))
	t.Cleanup(server.Close)
	return server.URL
}

// sees waits until a person sees some words somewhere, and returns what shows them.
func (w *world) sees(t *testing.T, person, words string) simslack.Shown {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	var found simslack.Shown
	err := w.WaitFor(ctx, func() bool {
		all, err := w.Sees(person, 0)
		if err != nil {
			t.Error(err)
			return true
		}
		for _, s := range all {
			if strings.Contains(s.Text, words) {
				found = s
				return true
			}
		}
		return false
	})
	if err != nil {
		all, _ := w.Sees(person, 0)
		t.Fatalf("%s does not see %q, but %+v", person, words, all)
	}
	return found
}

func (w *world) answer(r workflow.Reply) {
	w.service.mu.Lock()
	defer w.service.mu.Unlock()
	w.service.answer = r
}

// post posts the card of a pending request.
func (w *world) post(t *testing.T, channel string) pim.MessageRef {
	t.Helper()
	c := cards()["pending"]
	c.Mention = nil
	ref, err := w.client.Post(t.Context(), pim.Conversation{Chat: pim.Slack, Workspace: w.team, ID: channel}, c)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func TestFormOverTheWire(t *testing.T) {
	w := newWorld(t, false, machineTime)
	ctx, f := t.Context(), askForm()
	w.answer(workflow.Reply{Form: &f})
	if err := w.Slash(ctx, "alice", "approvals", "/elevate"); err != nil {
		t.Fatal(err)
	}
	w.sees(t, "alice", "Ask for a role")
	w.answer(workflow.Reply{Errors: map[string]string{card.FieldReason: "Say why."}})
	values := map[string]string{"Role": "MDE Analyst", "Why": "looking"}
	if err := w.Submit(ctx, "alice", values); err != nil {
		t.Fatal(err)
	}
	w.sees(t, "alice", "Say why.")
	w.answer(workflow.Reply{Card: &card.Card{Fallback: "x", Lines: []card.Text{card.Plain("It was asked for.")}}})
	if err := w.Submit(ctx, "alice", values); err != nil {
		t.Fatal(err)
	}
	if s := w.sees(t, "alice", "It was asked for."); !s.Ephemeral || s.Where != "#approvals" || w.FormOpen("alice") {
		t.Errorf("the answer is %+v; form open: %v", s, w.FormOpen("alice"))
	}
	got := w.service.filled[1].Values
	if got["role"] != "mde-analyst" || got["duration"] != "1h" || got["reason"] != "looking" || got["ticket"] != "" {
		t.Errorf("said %v", got)
	}
}

func TestLateFormOverTheWire(t *testing.T) {
	var mu sync.Mutex
	ahead := time.Duration(0)
	now := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return machineTime().Add(ahead)
	}
	w := newWorld(t, false, now)
	f := askForm()
	w.answer(workflow.Reply{Form: &f})
	// Slack's clock is past the three seconds when the form is to be opened.
	late := func() { mu.Lock(); ahead = 4 * time.Second; mu.Unlock() }
	w.service.during = late
	if err := w.Slash(t.Context(), "alice", "general", "/elevate"); err != nil {
		t.Fatal(err)
	}
	w.service.during = nil
	if s := w.sees(t, "alice", "did not open in time"); len(s.Buttons) != 1 {
		t.Fatalf("the buttons are %q", s.Buttons)
	}
	mu.Lock()
	ahead = 0
	mu.Unlock()
	if _, err := w.Click(t.Context(), "alice", simslack.Press{Button: "Open the form"}); err != nil {
		t.Fatal(err)
	}
	w.sees(t, "alice", "Ask for a role")
	if c := w.service.clicks[0]; c.Act != card.OpenForm || c.Role != "mde-admin" || c.Ref != (pim.MessageRef{}) {
		t.Errorf("said %+v", c)
	}
}

func TestRefusedOverTheWire(t *testing.T) {
	w := newWorld(t, false, machineTime)
	w.post(t, simslack.Approvals)
	shared := pim.Conversation{Chat: pim.Slack, Workspace: w.team, ID: simslack.Shared}
	if _, err := w.client.Post(t.Context(), shared, hello); !pim.IsKind(err, pim.Forbidden) {
		t.Errorf("a channel of two organisations: %v", err)
	}
	for _, f := range []simslack.Forgery{{WrongSignature: true}, {Age: 301 * time.Second}, {Age: -302 * time.Second}, {Team: "T0OTHER"}, {App: "A0OTHER"}} {
		d := simslack.Delivery{Kind: simslack.SlashCommand, Payload: map[string]any{
			"command": "/elevate", "text": "x", "team_id": w.team, "user_id": "U0ALICE", "api_app_id": w.App().ID, "trigger_id": "1",
		}}
		if ack, err := w.Send(t.Context(), d, f); err == nil || len(ack.Body) != 0 {
			t.Errorf("%+v was answered %d %q", f, ack.Status, ack.Body)
		}
	}
	if n := w.service.told(); n != 0 {
		t.Errorf("the workflow was told %d times", n)
	}
}

func TestHomeTabOverTheWire(t *testing.T) {
	w := newWorld(t, false, machineTime)
	if err := w.VerifyURL(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.OpenHome(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	if s := w.sees(t, "alice", "Microsoft Entra PIM"); s.Where != "home" || len(s.Buttons) != 1 {
		t.Errorf("sees %+v", s)
	}
	if err := w.ChangePerson("alice", func(p *simslack.Person) { p.Deleted = true }); err != nil {
		t.Fatal(err)
	}
	if err := w.SendUserChange(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	w.handler.Close()
	p, err := w.Person("alice")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.client.Account(t.Context(), pim.ChatAccount{Chat: pim.Slack, Workspace: w.team, User: p.ID}); !pim.IsKind(err, pim.Forbidden) {
		t.Errorf("Account: %v", err)
	}
}
