package teams

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"elevate/internal/bounded"
	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/workflow"
)

// Service is what the handler says things to. It never waits for a network.
type Service interface {
	Command(ctx context.Context, from workflow.Sender, text string) workflow.Reply
	Click(ctx context.Context, from workflow.Sender, c workflow.Click) workflow.Reply
	Filled(ctx context.Context, from workflow.Sender, f card.Filled) workflow.Reply
	// View draws a request's card as this person may see it.
	View(ctx context.Context, from workflow.Sender, id pim.RequestID, ref pim.MessageRef) workflow.Reply
}

// HandlerConfig is what a Handler needs.
type HandlerConfig struct {
	Client  *Client
	Service Service
	Now     func() time.Time
	Logger  *slog.Logger
	// Count counts what was refused or went wrong, by reason; nil counts nothing.
	Count func(reason string)
}

// The reasons that are counted.
const (
	TooLarge    = "too_large"
	ContentType = "content_type"
	Token       = "token"
	NoKeys      = "no_keys"
	Malformed   = "malformed"
	Foreign     = "foreign"
	NotAllowed  = "not_allowed" // a guest, a bot, a stranger, or somebody who could not be looked up
	Busy        = "busy"
	Undelivered = "undelivered"
	Repeated    = "repeated_activity"
	Unknown     = "unknown_invoke"
	Panicked    = "panicked"
)

const (
	maxBody = 256 << 10
	// lookupWithin bounds what is asked of Teams before it has its answer.
	lookupWithin = 1500 * time.Millisecond
	answerWithin = 2500 * time.Millisecond
	afterwards   = 15 * time.Second
	slotCount    = 64
	// repeats is how long an activity is known again. The channel gives up far earlier.
	repeats = 10 * time.Minute
)

// Handler takes what Teams sends.
type Handler struct {
	cfg    HandlerConfig
	client *Client
	later  *bounded.Slots
	seen   *bounded.Cache[struct{}]
}

// NewHandler returns a Handler for POST /api/messages. Close ends it.
func NewHandler(cfg HandlerConfig) *Handler {
	if cfg.Count == nil {
		cfg.Count = func(string) {}
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	h := &Handler{cfg: cfg, client: cfg.Client, seen: bounded.NewCache[struct{}](20_000, repeats)}
	h.later = bounded.NewSlots(slotCount, h.survive)
	return h
}

// Close takes on nothing more and waits for what was begun; that is bounded.
func (h *Handler) Close() { h.later.Close() }

// survive, deferred, keeps a panic from ending the process.
func (h *Handler) survive() {
	if r := recover(); r != nil {
		h.cfg.Count(Panicked)
		h.cfg.Logger.Error("what Teams sent made a panic", "chat", string(pim.Teams), "panic", fmt.Sprintf("%T", r), "stack", string(debug.Stack()))
	}
}

// ack is the answer to an activity: an HTTP status, and for invokes a body.
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

// ServeHTTP answers one activity.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := h.take(w, r)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if a.payload == nil {
		w.WriteHeader(a.status)
		return
	}
	raw, err := json.Marshal(a.payload)
	if err != nil {
		h.cfg.Logger.Error("an answer could not be written", "chat", string(pim.Teams), "error", err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(a.status)
	_, _ = w.Write(raw) // a sender that has gone is nobody's error
}

// take checks who sends an activity before it looks at it: the token first, then
// the body, up to its limit, then whether both belong together.
func (h *Handler) take(w http.ResponseWriter, r *http.Request) ack {
	if r.Method != http.MethodPost {
		return ack{status: http.StatusMethodNotAllowed}
	}
	header := r.Header.Get("Authorization")
	proof, err := h.client.bearer.token(r.Context(), header)
	switch {
	case errors.Is(err, errNoKeys):
		return h.refuse(http.StatusServiceUnavailable, NoKeys)
	case err != nil:
		return h.refuse(http.StatusUnauthorized, Token)
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return h.refuse(http.StatusUnsupportedMediaType, ContentType)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return h.refuse(http.StatusRequestEntityTooLarge, TooLarge)
	case err != nil:
		return h.refuse(http.StatusBadRequest, Malformed)
	}
	a, err := readActivity(proved(r.Context(), proof), h.client.adapter(&turn{}), header, body)
	switch {
	case errors.Is(err, errMalformed):
		return h.refuse(http.StatusBadRequest, Malformed)
	case err != nil:
		return h.refuse(http.StatusForbidden, Token)
	case a.tenant() != h.client.cfg.TenantID:
		return h.refuse(http.StatusForbidden, Foreign)
	}
	return h.route(r.Context(), &a, a.once(body))
}

// route says an activity to who deals with its kind. Kinds that are not known
// are taken and left alone.
func (h *Handler) route(ctx context.Context, a *received, once string) ack {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	switch string(a.Type) {
	case "message":
		return h.message(ctx, a, once)
	case "invoke":
		return h.invoke(ctx, a, once)
	case "conversationUpdate", "installationUpdate":
		return h.installed(ctx, a)
	}
	return accepted
}

// sender is who an activity is from, as far as its validated members say.
func (h *Handler) account(a *received) (pim.ChatAccount, bool) {
	id := strings.ToLower(a.From.AadObjectID)
	if id == "" || strings.HasPrefix(a.From.ID, "28:") || strings.EqualFold(string(a.From.Role), "bot") {
		return pim.ChatAccount{}, false
	}
	return pim.ChatAccount{Chat: pim.Teams, Workspace: h.client.cfg.TenantID, User: id}, true
}

// sender looks up who it is, in time for the answer.
func (h *Handler) sender(ctx context.Context, a *received, once string) (workflow.Sender, error) {
	who, ok := h.account(a)
	if !ok {
		h.cfg.Count(NotAllowed)
		return workflow.Sender{}, pim.Errorf(pim.Forbidden, "Only people of the tenant can use Elevate.")
	}
	ctx, cancel := context.WithTimeout(ctx, lookupWithin)
	defer cancel()
	m, err := h.client.recently(ctx, a.ServiceURL, withoutThread(a.Activity.Conversation.ID), a.From.ID)
	if err == nil {
		err = h.client.standing(m, who.User)
	}
	if err != nil {
		h.cfg.Count(NotAllowed)
		return workflow.Sender{}, err
	}
	if err := h.client.remember(ctx, a, who); err != nil {
		h.cfg.Logger.Warn("a conversation was not noted", "chat", string(pim.Teams), "error", err)
	}
	return workflow.Sender{Account: who, Name: card.Tidy(orElse(a.From.Name, m.Name), maxTyped), Place: a.place(who), Once: once, Zone: a.zone()}, nil
}

// excuse is what a person is told when nothing was done because of an error.
func excuse(err error) string {
	e := pim.Explain(err)
	if e.Kind == pim.Forbidden {
		return e.Message
	}
	return "Elevate could not check your account in Teams in time, so nothing was asked for and nothing was changed. Try again in a moment."
}

const busySentence = "Elevate has too much to do at this moment. Nothing was asked for and nothing was changed. Try again in a moment."

// installed notes where the bot was added, and where it was removed.
func (h *Handler) installed(ctx context.Context, a *received) ack {
	who, known := h.account(a)
	if !known {
		who = pim.ChatAccount{}
	}
	bot := a.extra.Recipient.ID
	gone := strings.HasPrefix(a.extra.Action, "remove") || named(a.extra.Removed, bot)
	here := strings.HasPrefix(a.extra.Action, "add") || named(a.extra.Added, bot)
	var err error
	switch {
	case gone:
		err = h.client.left(ctx, a, who)
	case here:
		err = h.client.remember(ctx, a, who)
	default:
		return accepted
	}
	if err != nil {
		h.cfg.Logger.Warn("a conversation was not noted", "chat", string(pim.Teams), "error", err)
		return ack{status: http.StatusServiceUnavailable} // it is said again
	}
	if here && a.extra.Action == "add" && a.Activity.Conversation.ConversationType == personal && known {
		h.welcome(ctx, a, who)
	}
	return accepted
}

func named(some []account, id string) bool {
	for _, a := range some {
		if a.ID == id && id != "" {
			return true
		}
	}
	return false
}

// welcome greets whoever added the app, with what they can type.
func (h *Handler) welcome(ctx context.Context, a *received, who pim.ChatAccount) {
	room, ok := h.later.Take()
	if !ok {
		h.cfg.Count(Busy)
		return
	}
	to := answerTo{from: workflow.Sender{Account: who, Place: pim.DirectTo(who), Zone: a.zone()}, activity: a}
	room.Run(ctx, afterwards, func(ctx context.Context) { h.tell(ctx, to, card.Help()) })
}
