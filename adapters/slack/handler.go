package slack

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"elevate/internal/bounded"
	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/secret"
	"elevate/internal/workflow"
)

// Service is what the handler says things to. It never waits for a network.
type Service interface {
	Command(ctx context.Context, from workflow.Sender, text string) workflow.Reply
	Click(ctx context.Context, from workflow.Sender, c workflow.Click) workflow.Reply
	Filled(ctx context.Context, from workflow.Sender, f card.Filled) workflow.Reply
}

// HandlerConfig is what a Handler needs.
type HandlerConfig struct {
	Client        *Client
	Service       Service
	SigningSecret secret.Text
	Now           func() time.Time
	Logger        *slog.Logger
	// Count counts what was refused or went wrong, by reason; nil counts nothing.
	Count func(reason string)
	// Home shows a person's Home tab; nil shows what Elevate is.
	Home func(ctx context.Context, from workflow.Sender) error
	// AccountChanged is told of accounts that Slack says have changed; nil tells nobody.
	AccountChanged func(ctx context.Context, a pim.ChatAccount)
}

// The reasons that are counted.
const (
	TooLarge    = "too_large"
	ContentType = "content_type"
	Signature   = "signature"
	Malformed   = "malformed"
	Foreign     = "foreign"
	NotStarted  = "not_started"
	NotAllowed  = "not_allowed" // a guest, a bot, a stranger, or somebody who could not be looked up
	Busy        = "busy"
	LateForm    = "late_form"
	Undelivered = "undelivered"
	Repeated    = "repeated_event"
	Uninstalled = "uninstalled"
	Panicked    = "panicked"
)

const (
	maxBody = 256 << 10
	// lookupWithin bounds what is asked of Slack before a person has an answer,
	// which is to come within a second.
	lookupWithin = 800 * time.Millisecond
	answerWithin = 2500 * time.Millisecond
	afterwards   = 15 * time.Second
	slotCount    = 64
	// formAnswer is how long a form's response URL is used; Slack takes it for half an hour.
	formAnswer = 29 * time.Minute
)

// Handler takes what Slack sends, over HTTP as an http.Handler or over Socket
// Mode with Listen.
type Handler struct {
	cfg    HandlerConfig
	client *Client
	mux    *http.ServeMux
	later  *bounded.Slots
	events *bounded.Cache[struct{}]
	forms  *bounded.Cache[string] // the response URLs of forms, by view
}

// NewHandler returns a Handler for POST /slack/commands, /slack/interactions
// and /slack/events. Close ends it.
func NewHandler(cfg HandlerConfig) *Handler {
	if cfg.Count == nil {
		cfg.Count = func(string) {}
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	h := &Handler{
		cfg: cfg, client: cfg.Client, mux: http.NewServeMux(),
		// Slack repeats an event for up to a day when delayed events are on.
		events: bounded.NewCache[struct{}](20_000, 25*time.Hour),
		forms:  bounded.NewCache[string](10_000, formAnswer),
	}
	h.later = bounded.NewSlots(slotCount, h.survive)
	h.mux.HandleFunc("POST /slack/commands", h.serveCommand)
	h.mux.HandleFunc("POST /slack/interactions", h.serveInteraction)
	h.mux.HandleFunc("POST /slack/events", h.serveEvent)
	return h
}

// ServeHTTP answers one request of Slack's.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.mux.ServeHTTP(w, r) }

// Close takes on nothing more and waits for what was begun; that is bounded.
func (h *Handler) Close() { h.later.Close() }

// survive, deferred, keeps a panic from ending the process, as the HTTP server
// does for a request.
func (h *Handler) survive() {
	if r := recover(); r != nil {
		h.cfg.Count(Panicked)
		h.cfg.Logger.Error("what Slack sent made a panic", "chat", string(pim.Slack), "panic", fmt.Sprintf("%T", r), "stack", string(debug.Stack()))
	}
}

// ack is the answer to what Slack sent: an HTTP status, and what the answer
// carries. Over Socket Mode only the payload travels.
type ack struct {
	status  int
	payload any
}

var accepted = ack{status: http.StatusOK}

// refuse counts and answers without any detail: whoever sent it learns nothing.
func (h *Handler) refuse(status int, reason string) ack {
	h.cfg.Count(reason)
	return ack{status: status}
}

// ours checks that what came in is for our app in our workspace.
func (h *Handler) ours(team, enterprise, app string) (ack, bool) {
	self := h.client.self.Load()
	switch {
	case self == nil:
		return h.refuse(http.StatusServiceUnavailable, NotStarted), false
	case app != self.app || !h.client.home(team, enterprise):
		return h.refuse(http.StatusForbidden, Foreign), false
	}
	return ack{}, true
}

// sender looks up who it is, in time for the answer.
func (h *Handler) sender(ctx context.Context, user string, at pim.Conversation, once string) (workflow.Sender, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupWithin)
	defer cancel()
	account := h.client.account(user)
	profile, err := h.client.Profile(ctx, account)
	if err != nil {
		h.cfg.Count(NotAllowed)
		return workflow.Sender{}, err
	}
	return workflow.Sender{Account: account, Name: profile.Name, Place: at, Once: once, Zone: profile.Zone}, nil
}

// excuse is what a person is told when nothing was done because of an error.
func excuse(err error) string { return card.NotChecked(err, "Slack account") }

// where is the place a command or click came from. What is said in a direct
// conversation belongs to the person: the bot is not in those between others.
func (h *Handler) where(channel, user string) pim.Conversation {
	if publicChannel(channel) == "" {
		return pim.DirectTo(h.client.account(user))
	}
	return h.client.place(channel)
}

// once names an input so that a repetition is recognised. A trigger id is a
// credential for three seconds, so what is kept is its digest.
func once(trigger string, raw []byte) string {
	if trigger != "" {
		raw = []byte("trigger " + trigger)
	}
	sum := sha256.Sum256(raw)
	return "slack:" + hex.EncodeToString(sum[:16])
}

// answer writes an ack as an HTTP response.
func (h *Handler) answer(w http.ResponseWriter, a ack) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if a.status == http.StatusForbidden {
		// What is not for us does not become so by being repeated.
		w.Header().Set("X-Slack-No-Retry", "1")
	}
	switch payload := a.payload.(type) {
	case nil:
		w.WriteHeader(a.status)
	case string:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(a.status)
		_, _ = io.WriteString(w, payload) // a sender that has gone is nobody's error
	default:
		h.answerJSON(w, payload)
	}
}

func (h *Handler) answerJSON(w http.ResponseWriter, payload any) {
	raw, err := json.Marshal(payload)
	if err != nil {
		h.cfg.Logger.Error("an answer could not be written", "chat", string(pim.Slack), "error", err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(raw)
}
