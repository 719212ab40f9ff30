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
	// Places are those in Teams that the settings name.
	Places []pim.Conversation
	// Reopened is told of a conversation that takes messages again. It may be nil.
	Reopened func(to pim.Conversation)
	// Count counts what was refused or went wrong, by reason; nil counts nothing.
	Count func(reason string)
}

// The reasons that are counted.
const (
	NoToken        = "no_token"        // none, or not one that could be
	BadToken       = "bad_token"       // #nosec G101 -- a word: another algorithm, no key id, or a wrong signature
	BadClaims      = "bad_claims"      // for somebody else, by somebody else, or without an end
	NotNow         = "not_now"         // not yet, or not any more
	UnknownKey     = "unknown_key"     // signed with a key that the Bot Framework does not name
	NoKeys         = "no_keys"         // the Bot Framework's keys cannot be read
	ForeignService = "foreign_service" // another service than the token's, or not Microsoft's
	ForeignChannel = "foreign_channel" // not Teams, or a key that may not sign for it
	ForeignTenant  = "foreign_tenant"
	ForeignBot     = "foreign_bot" // for another bot, or from one
	TooLarge       = "too_large"
	ContentType    = "content_type"
	Malformed      = "malformed"
	NotAllowed     = "not_allowed" // a guest, a stranger, or somebody who could not be looked up
	Busy           = "busy"
	Undelivered    = "undelivered"
	Repeated       = "repeated_activity"
	Unknown        = "unknown_invoke"
	Ignored        = "ignored_activity" // of a type that Elevate has no use for
	Panicked       = "panicked"
)

// statuses are what is answered to what is refused; 401 is for the rest.
var statuses = map[string]int{
	NoKeys: http.StatusServiceUnavailable, Malformed: http.StatusBadRequest, TooLarge: http.StatusRequestEntityTooLarge,
	ContentType: http.StatusUnsupportedMediaType, ForeignService: http.StatusForbidden, ForeignChannel: http.StatusForbidden,
	ForeignTenant: http.StatusForbidden, ForeignBot: http.StatusForbidden,
}

const (
	// lookupWithin bounds what is asked of Teams before it has its answer.
	lookupWithin = 1500 * time.Millisecond
	answerWithin = 2500 * time.Millisecond
	afterwards   = 15 * time.Second
	slotCount    = 64
	// How often the bot says among others whom it answered elsewhere, for one
	// person: the cards of a place share with that what Teams takes there.
	aloudAtOnce = 5
	aloudEvery  = time.Minute
)

// Handler takes what Teams sends.
type Handler struct {
	cfg    HandlerConfig
	client *Client
	later  *bounded.Slots
	first  *bounded.Repeats[encoded]
	aloud  *bounded.Rates
}

// NewHandler returns a Handler for POST /api/messages. Close ends it.
func NewHandler(cfg HandlerConfig) *Handler {
	if cfg.Count == nil {
		cfg.Count = func(string) {}
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	h := &Handler{cfg: cfg, client: cfg.Client, first: newRepeats(cfg.Now), aloud: bounded.NewRates(aloudAtOnce, aloudEvery, 10_000)}
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
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.take(w, r).write(w) }

// encoded is an answer as it is written.
type encoded struct {
	status int
	body   []byte
}

func (e encoded) write(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if e.body != nil {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	w.WriteHeader(e.status)
	_, _ = w.Write(e.body) // a sender that has gone is nobody's error
}

func (h *Handler) encode(a ack) encoded {
	if a.payload == nil {
		return encoded{status: a.status}
	}
	raw, err := json.Marshal(a.payload)
	if err != nil {
		h.cfg.Logger.Error("an answer could not be written", "chat", string(pim.Teams), "error", err)
		return encoded{status: http.StatusInternalServerError}
	}
	return encoded{status: a.status, body: raw}
}

// take checks who sends an activity before it looks at it: the token first, then
// the body, up to its limit, then whether both belong together. Whoever is
// refused learns nothing.
func (h *Handler) take(w http.ResponseWriter, r *http.Request) encoded {
	if r.Method != http.MethodPost {
		return encoded{status: http.StatusMethodNotAllowed}
	}
	p, err := h.client.bearer.token(r.Context(), r.Header)
	if err != nil {
		return h.turnAway(err)
	}
	body, err := bodyOf(w, r)
	if err != nil {
		return h.turnAway(err)
	}
	a, err := readActivity(r.Context(), p, body)
	if err != nil {
		return h.turnAway(err)
	}
	return h.once(r.Context(), &a, a.once(body))
}

// turnAway counts and answers without any detail.
func (h *Handler) turnAway(err error) encoded {
	reason := reasonOf(err)
	status, known := statuses[reason]
	if !known {
		status = http.StatusUnauthorized
	}
	return h.encode(h.refuse(status, reason))
}

// bodyOf reads what was sent, up to a limit.
func bodyOf(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, refusal(ContentType)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, refusal(TooLarge)
	}
	if err != nil {
		return nil, refusal(Malformed)
	}
	return body, nil
}

// once says an activity to who deals with it, or gives its first answer again.
// It goes on when the connection ends: what was said was said. What has no id is
// always new: two clicks on Refresh look the same.
func (h *Handler) once(ctx context.Context, a *received, name string) encoded {
	work := func() encoded { return h.encode(h.safely(context.WithoutCancel(ctx), a, name)) }
	if a.ID == "" {
		return work()
	}
	repeated := true
	answer, err := h.first.Do(ctx, name, func() encoded {
		repeated = false
		return work()
	})
	if repeated {
		h.cfg.Count(Repeated)
	}
	if err != nil {
		return encoded{status: http.StatusServiceUnavailable}
	}
	return answer
}

// safely makes an answer of a panic, so that repetitions get one.
func (h *Handler) safely(ctx context.Context, a *received, name string) (answer ack) {
	done := false
	defer func() {
		if !done {
			answer = ack{status: http.StatusInternalServerError}
		}
	}()
	defer h.survive()
	answer, done = h.route(ctx, a, name), true
	return answer
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
	// The library makes an error of it (core/activity/handler.go:71-81), and a bot
	// that answers with errors is sent less and less.
	h.cfg.Count(Ignored)
	return accepted
}

// account is who an activity is from, as far as its validated members say.
func (h *Handler) account(a *received) (pim.ChatAccount, bool) {
	id := strings.ToLower(a.From.AadObjectID)
	if id == "" || strings.HasPrefix(a.From.ID, botPrefix) || strings.EqualFold(string(a.From.Role), "bot") {
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
	m, err := h.client.may(ctx, a, who)
	if err != nil {
		h.cfg.Count(NotAllowed)
		return workflow.Sender{}, err
	}
	opened, err := h.client.remember(ctx, a, who)
	if err != nil {
		h.cfg.Logger.Warn("a conversation was not noted", "chat", string(pim.Teams), "error", err)
	}
	h.reopened(opened)
	return workflow.Sender{Account: who, Name: card.Tidy(orElse(a.From.Name, m.Name), maxTyped), Place: a.place(who), Once: once, Zone: a.zone()}, nil
}

// excuse is what a person is told when nothing was done because of an error.
func excuse(err error) string { return card.NotChecked(err, "account in Teams") }

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
		err = h.added(ctx, a, who)
	default:
		return accepted
	}
	if err != nil {
		h.cfg.Logger.Warn("a conversation was not noted", "chat", string(pim.Teams), "error", err)
		return ack{status: http.StatusServiceUnavailable} // it is said again
	}
	if here && a.extra.Action == "add" && a.Conversation.ConversationType == personal && known && h.client.met(ctx, who, a.Conversation.ID) {
		h.welcome(ctx, a, who)
	}
	return accepted
}

// added notes where the bot was added. A team's channels hear of it by one of them
// alone, so all places of the settings are tried again.
func (h *Handler) added(ctx context.Context, a *received, who pim.ChatAccount) error {
	if !who.IsZero() {
		// Whoever installed it somewhere is not for that who is there.
		switch _, err := h.client.may(ctx, a, who); {
		case pim.IsKind(err, pim.Forbidden):
			who = pim.ChatAccount{}
		case err != nil:
			return err
		}
	}
	opened, err := h.client.remember(ctx, a, who)
	if err != nil {
		return err
	}
	h.reopened(opened)
	if a.Conversation.ConversationType != channel {
		return nil
	}
	for _, place := range h.cfg.Places {
		if err := h.client.Reopen(ctx, place); err != nil {
			return err
		}
		h.reopened(place)
	}
	return nil
}

// reopened has what waits for a conversation tried at once.
func (h *Handler) reopened(to pim.Conversation) {
	if to != (pim.Conversation{}) && h.cfg.Reopened != nil {
		h.cfg.Reopened(to)
	}
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
	room, ok := h.later.Take(who.User)
	if !ok {
		h.cfg.Count(Busy)
		return
	}
	to := answerTo{from: workflow.Sender{Account: who, Place: pim.DirectTo(who), Zone: a.zone()}, activity: a}
	room.Run(ctx, afterwards, func(ctx context.Context) { h.tell(ctx, to, card.Help(pim.Teams)) })
}
