package slack_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"elevate/adapters/slack"
	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/secret"
	"elevate/internal/sim/simslack"
	"elevate/internal/workflow"
)

// listening is a world in Socket Mode with a handler that listens; end stops it
// and returns how it ended.
func listening(t *testing.T) (w *world, end func() error) {
	t.Helper()
	w = newWorld(t, true, machineTime)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.handler.Listen(ctx) }()
	end = func() error {
		cancel()
		return <-ended
	}
	t.Cleanup(cancel)
	w.connected(t)
	return w, end
}

// connected waits for a connection.
func (w *world) connected(t *testing.T) {
	t.Helper()
	for begin := machineTime(); w.Connections() == 0; {
		if machineTime().Sub(begin) > 10*time.Second {
			t.Fatal("no connection came about")
		}
		<-time.After(time.Millisecond) // connecting is no change that the fake Slack tells of
	}
}

func TestSocketModeCarriesTheMainJob(t *testing.T) {
	w, end := listening(t)
	ctx, f := t.Context(), askForm()
	w.answer(workflow.Reply{Card: &card.Card{Fallback: "x", Lines: []card.Text{card.Plain("Bob was asked.")}}})
	if err := w.Slash(ctx, "alice", "general", "/elevate mde-admin isolating"); err != nil {
		t.Fatal(err)
	}
	if s := w.sees(t, "alice", "Bob was asked."); !s.Ephemeral {
		t.Error("everybody sees the answer")
	}
	ref := w.post(t, simslack.Approvals)
	w.answer(workflow.Reply{Card: &card.Card{Fallback: "x", Lines: []card.Text{card.Plain("On its way.")}}})
	if _, err := w.Click(ctx, "bob", simslack.Press{Button: "Approve", In: "approvals"}); err != nil {
		t.Fatal(err)
	}
	w.sees(t, "bob", "On its way.")
	ref.Thread = "" // that is only what a post says
	if got := w.service.clicks[0]; got.Ref != ref {
		t.Errorf("said %+v", got)
	}
	w.answer(workflow.Reply{Form: &f})
	if err := w.Slash(ctx, "alice", "general", "/elevate"); err != nil {
		t.Fatal(err)
	}
	w.sees(t, "alice", "Ask for a role")
	w.answer(workflow.Reply{Errors: map[string]string{card.FieldReason: "Say why."}})
	if err := w.Submit(ctx, "alice", map[string]string{"Why": "x"}); err != nil {
		t.Fatal(err)
	}
	w.sees(t, "alice", "Say why.")
	if err := w.OpenHome(ctx, "bob"); err != nil {
		t.Fatal(err)
	}
	w.sees(t, "bob", "Microsoft Entra PIM")
	names := map[string]bool{}
	for _, from := range w.service.senders {
		names[from.Once] = true
	}
	if len(names) != 4 {
		t.Errorf("four inputs have the names %v", names)
	}
	if err := end(); err != nil {
		t.Errorf("Listen: %v", err)
	}
}

func TestAnswerTooLargeForTheSocketTakesAnotherWay(t *testing.T) {
	w, end := listening(t)
	c := card.Card{Fallback: "x"}
	for range 20 {
		c.Lines = append(c.Lines, card.Plain("A long answer. "+strings.Repeat("word ", 400)))
	}
	w.answer(workflow.Reply{Card: &c})
	if err := w.Slash(t.Context(), "alice", "general", "/elevate history"); err != nil {
		t.Fatal(err)
	}
	if s := w.sees(t, "alice", "A long answer."); !s.Ephemeral {
		t.Error("everybody sees the answer")
	}
	if err := end(); err != nil {
		t.Errorf("Listen: %v", err)
	}
}

func TestSocketIsOpenedAgain(t *testing.T) {
	w, end := listening(t)
	w.Disconnect("refresh_requested")
	for begin := machineTime(); w.Connections() > 0 && machineTime().Sub(begin) < time.Second; {
		<-time.After(time.Millisecond)
	}
	w.connected(t)
	w.answer(workflow.Reply{Card: &card.Card{Fallback: "x", Lines: []card.Text{card.Plain("Here again.")}}})
	if err := w.Slash(t.Context(), "alice", "general", "/elevate status"); err != nil {
		t.Fatal(err)
	}
	w.sees(t, "alice", "Here again.")
	if err := end(); err != nil {
		t.Errorf("Listen: %v", err)
	}
}

func TestForeignEnvelopesChangeNothing(t *testing.T) {
	w, end := listening(t)
	for _, f := range []simslack.Forgery{{Team: "T0OTHER"}, {App: "A0OTHER"}} {
		d := simslack.Delivery{Kind: simslack.SlashCommand, Payload: map[string]any{
			"command": "/elevate", "text": "x", "team_id": w.team, "user_id": "U0ALICE", "api_app_id": w.App().ID, "trigger_id": "1",
		}}
		if ack, err := w.Send(t.Context(), d, f); err != nil || len(ack.Body) != 0 {
			t.Errorf("%+v was answered %q (%v)", f, ack.Body, err)
		}
	}
	if w.service.told() != 0 || w.counts.at(slack.Foreign) != 2 {
		t.Errorf("told %d times, counted %v", w.service.told(), w.counts.of)
	}
	if err := end(); err != nil {
		t.Errorf("Listen: %v", err)
	}
}

func TestUnreadableEnvelopesAreAcknowledged(t *testing.T) {
	w, end := listening(t)
	event := map[string]any{"type": "app_home_opened", "tab": 7, "user": []any{}}
	if err := w.SendEvent(t.Context(), event); err != nil {
		t.Errorf("an event that cannot be read: %v", err)
	}
	if w.counts.at(slack.Malformed) == 0 {
		t.Errorf("counted %v", w.counts.of)
	}
	if err := end(); err != nil {
		t.Errorf("Listen: %v", err)
	}
}

func TestPanicOfOneEnvelopeLeavesTheOthers(t *testing.T) {
	w, end := listening(t)
	w.service.during = func() { panic("boom") }
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	if err := w.Slash(ctx, "alice", "general", "/elevate status"); err == nil {
		t.Error("a command that panicked was answered")
	}
	cancel()
	w.service.mu.Lock()
	w.service.during = nil
	w.service.mu.Unlock()
	w.answer(workflow.Reply{Card: &card.Card{Fallback: "x", Lines: []card.Text{card.Plain("Still here.")}}})
	if err := w.Slash(t.Context(), "alice", "general", "/elevate status"); err != nil {
		t.Fatal(err)
	}
	w.sees(t, "alice", "Still here.")
	if err := end(); err != nil {
		t.Errorf("Listen: %v", err)
	}
}

func TestTokensThatSlackRefusesEndListening(t *testing.T) {
	for name, r := range map[string]reply{
		"invalid":           refused("invalid_auth"),
		"revoked":           refused("token_revoked"),
		"of a bot":          refused("not_allowed_token_type"),
		"switched off":      refused("socket_mode_not_enabled"),
		"without the scope": body(`{"ok":false,"error":"missing_scope","needed":"connections:write"}`),
	} {
		t.Run(name, func(t *testing.T) {
			fake := newAPI()
			fake.on("apps.connections.open", r)
			client := slack.NewClient(slack.Config{AppToken: secret.New("sandbox-app-token"), TeamID: team, Transport: fake, Now: machineTime})
			h := slack.NewHandler(slack.HandlerConfig{Client: client, Now: machineTime})
			defer h.Close()
			if err := h.Listen(t.Context()); !pim.IsKind(err, pim.Administered) {
				t.Errorf("Listen: %v", err)
			}
		})
	}
}
