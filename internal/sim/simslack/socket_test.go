package simslack_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"elevate/internal/sim/simslack"
)

func TestSlackGoIsServedOverSocketMode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.SetSocketMode(true)
	client := socketmode.New(w.api)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- client.RunContext(ctx) }()
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		answerSocket(ctx, client)
	}()
	waitConnected(t, w, 1)
	if err := w.Slash(t.Context(), "alice", simslack.General, "/elevate roles"); err != nil {
		t.Fatal(err)
	}
	if text := sees(t, w, "alice"); text != "you said roles" {
		t.Errorf("alice sees %q", text)
	}
	w.Disconnect("refresh_requested")
	waitConnected(t, w, 2)
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	<-answered
}

// answerSocket answers commands until the context ends.
func answerSocket(ctx context.Context, client *socketmode.Client) {
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-client.Events:
			if command, ok := e.Data.(slack.SlashCommand); ok {
				_ = client.Ack(*e.Request, map[string]any{"text": "you said " + command.Text})
			}
		}
	}
}

// waitConnected waits until the app is connected for the n-th time.
func waitConnected(t *testing.T, w *world, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := w.WaitFor(ctx, func() bool { return w.Connections() == 1 && len(w.Calls()) == n }); err != nil {
		t.Fatal(err)
	}
}

// dial opens a Socket Mode connection by hand and reads its hello.
func dial(t *testing.T, w *world) *websocket.Conn {
	t.Helper()
	conn := connect(t, w.link(t))
	if hello := read(t, conn); hello["type"] != "hello" {
		t.Fatalf("got %v", hello)
	}
	return conn
}

func connect(t *testing.T, link string) *websocket.Conn {
	t.Helper()
	conn, resp, err := websocket.DefaultDialer.DialContext(t.Context(), link, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close(); _ = conn.Close() })
	return conn
}

// link asks for a connection.
func (w *world) link(t *testing.T) string {
	t.Helper()
	_, link, err := w.api.StartSocketModeContext(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return link
}

func read(t *testing.T, conn *websocket.Conn) args {
	t.Helper()
	_, raw, err := conn.ReadMessage()
	if err != nil {
		t.Fatal(err)
	}
	var got args
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestASocketLinkOpensOneConnection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, _, err := w.api.StartSocketModeContext(t.Context()); err == nil {
		t.Error("Socket Mode is off, but gave a link")
	}
	w.SetSocketMode(true)
	link := w.link(t)
	connect(t, link)
	if _, resp, err := websocket.DefaultDialer.DialContext(t.Context(), link, nil); err == nil || resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("the second use: %v", err)
	} else {
		_ = resp.Body.Close()
	}
}

func TestAnAckThatIsTooLargeIsDropped(t *testing.T) {
	t.Parallel()
	for size, want := range map[int]bool{15_000: true, 21_000: false} {
		w := newWorldWith(t, func(c *simslack.Config) { c.AckWithin = 200 * time.Millisecond })
		w.SetSocketMode(true)
		conn := dial(t, w)
		done := make(chan error, 1)
		go func() { done <- w.Slash(t.Context(), "alice", simslack.General, "/elevate") }()
		envelope := read(t, conn)
		if envelope["type"] != "slash_commands" || envelope["accepts_response_payload"] != true {
			t.Errorf("got %v", envelope)
		}
		ack := args{"envelope_id": envelope["envelope_id"], "payload": args{"text": strings.Repeat("x", size)}}
		if err := conn.WriteJSON(ack); err != nil {
			t.Fatal(err)
		}
		if err := <-done; (err == nil) != want {
			t.Errorf("%d characters: %v", size, err)
		}
	}
}

func TestWithoutAConnectionTheDeliveryFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.SetSocketMode(true)
	err := w.Slash(t.Context(), "alice", simslack.General, "/elevate")
	var failed *simslack.DeliveryError
	if !errors.As(err, &failed) || failed.Code != "dispatch_failed" {
		t.Errorf("got %v", err)
	}
}

func TestAWarningComesBeforeTheConnectionEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.SetSocketMode(true)
	conn := dial(t, w)
	w.Disconnect("warning")
	if got := read(t, conn); got["type"] != "disconnect" || got["reason"] != "warning" {
		t.Errorf("got %v", got)
	}
	w.Disconnect("link_disabled")
	if got := read(t, conn); got["reason"] != "link_disabled" {
		t.Errorf("got %v", got)
	}
	if _, _, err := conn.ReadMessage(); err == nil {
		t.Error("the connection stayed open")
	}
}
