package slack

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"elevate/internal/pim"
)

// maxEnvelope bounds what comes over the socket: a little more than over HTTP,
// because a command's form is JSON here.
const maxEnvelope = 2 * maxBody

// Listen takes over Socket Mode what ServeHTTP takes over HTTP, until ctx ends.
// It connects again by itself; tokens that Slack refuses are an error. The
// socket is the authentication: what comes over it is not signed.
func (h *Handler) Listen(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &socket{
		handler: h, free: make(chan struct{}, slotCount),
		client: socketmode.New(h.client.api, socketmode.OptionReadLimit(maxEnvelope), socketmode.OptionLog(silence{})),
	}
	ended := make(chan error, 1)
	go func() { ended <- s.client.RunContext(ctx) }()
	defer s.running.Wait()
	for {
		select {
		case err := <-ended:
			return s.reason(ctx, err)
		case e := <-s.client.Events:
			if err := s.take(ctx, e); err != nil {
				cancel()
				return errors.Join(err, s.reason(ctx, <-ended))
			}
		}
	}
}

// silence takes the place of the library's log, which would repeat addresses
// that are credentials.
type silence struct{}

// Output drops a line.
func (silence) Output(int, string) error { return nil }

// socket is one run of Socket Mode.
type socket struct {
	handler *Handler
	client  *socketmode.Client
	free    chan struct{}
	running sync.WaitGroup
}

// reason is why the connection ended for good: nil when it was asked to.
func (s *socket) reason(ctx context.Context, err error) error {
	if ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		return nil
	}
	return fault("apps.connections.open", err)
}

// take handles one event of the library's. An error ends the run.
func (s *socket) take(ctx context.Context, e socketmode.Event) error {
	switch e.Type {
	case socketmode.EventTypeSlashCommand, socketmode.EventTypeInteractive, socketmode.EventTypeEventsAPI:
		s.begin(ctx, e)
	case socketmode.EventTypeErrorBadMessage:
		s.spoiled(ctx, e)
	case socketmode.EventTypeConnectionError:
		return s.failed(e)
	default:
	}
	return nil
}

// failed says that a connection did not come about. The library tries for ever
// also what only an administrator can mend.
func (s *socket) failed(e socketmode.Event) error {
	info, ok := e.Data.(*slack.ConnectionErrorEvent)
	if !ok {
		return nil
	}
	err := fault("apps.connections.open", info.ErrorObj)
	if pim.IsKind(err, pim.Administered) {
		return err
	}
	s.handler.cfg.Logger.Warn("the connection to Slack did not come about", "chat", string(pim.Slack), "again_in", info.Backoff)
	return nil
}

// begin handles an envelope beside the others, of which there is a limit.
// Without an answer Slack tells the person that it failed, and repeats events.
func (s *socket) begin(ctx context.Context, e socketmode.Event) {
	select {
	case s.free <- struct{}{}:
	default:
		s.handler.cfg.Count(Busy)
		return
	}
	s.running.Go(func() {
		defer func() { <-s.free }()
		defer s.handler.survive()
		s.handle(ctx, e)
	})
}

// handle says an envelope to the same functions as the HTTP endpoints and
// acknowledges it with their answer.
func (s *socket) handle(ctx context.Context, e socketmode.Event) {
	h, id := s.handler, e.Request.EnvelopeID
	name := once("", []byte("envelope "+id))
	switch in := e.Data.(type) {
	case slack.SlashCommand:
		if in.TriggerID != "" {
			name = once(in.TriggerID, nil)
		}
		a := h.command(ctx, in, name)
		s.acknowledge(ctx, id, a, func() { s.late(ctx, in, a) })
	case slack.InteractionCallback:
		if in.TriggerID != "" {
			name = once(in.TriggerID, nil)
		}
		s.acknowledge(ctx, id, h.interaction(ctx, in, name), nil)
	default:
		a := h.event(ctx, e.Request.Payload)
		a.payload = nil
		s.acknowledge(ctx, id, a, nil)
	}
}

// acknowledge answers an envelope. What is busy stays unanswered, so that Slack
// says so or comes again. tooLarge is called after an answer without its payload.
func (s *socket) acknowledge(ctx context.Context, id string, a ack, tooLarge func()) {
	if a.status >= 500 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	err := s.client.AckCtx(ctx, id, a.payload)
	if err == nil || ctx.Err() != nil {
		return
	}
	// The library refuses answers that Slack would drop without a word.
	if err := s.client.AckCtx(ctx, id, nil); err == nil && tooLarge != nil {
		tooLarge()
	}
}

// late gives the answer to a command at its response URL.
func (s *socket) late(ctx context.Context, cmd slack.SlashCommand, a ack) {
	answer, ok := a.payload.(ephemeral)
	if !ok {
		return
	}
	err := s.handler.client.respond(ctx, cmd.ResponseURL, message{text: answer.Text, blocks: answer.Blocks.BlockSet})
	if err != nil {
		s.handler.cfg.Count(Undelivered)
		s.handler.cfg.Logger.Warn("an answer was not delivered", "chat", string(pim.Slack), "error", err)
	}
}

// spoiled acknowledges an envelope that the library could not read: Slack would
// repeat an event with one malformed block again and again.
func (s *socket) spoiled(ctx context.Context, e socketmode.Event) {
	bad, ok := e.Data.(*socketmode.ErrorBadMessage)
	if !ok {
		return
	}
	s.handler.cfg.Count(Malformed)
	var out struct {
		EnvelopeID string `json:"envelope_id"`
	}
	if json.Unmarshal(bad.Message, &out) != nil || out.EnvelopeID == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if err := s.client.AckCtx(ctx, out.EnvelopeID, nil); err != nil {
		s.handler.cfg.Logger.Warn("an envelope was not acknowledged", "chat", string(pim.Slack))
	}
}
