package simteams

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// maxAck is how much of an answer Teams reads.
const maxAck = 1 << 20

// Ack is the bot's answer to an activity.
type Ack struct {
	Status int
	Header http.Header
	Body   []byte
}

// DeliveryError says that the bot did not take an activity. Code is a word for it.
type DeliveryError struct {
	Code  string
	cause error
}

func (e *DeliveryError) Error() string { return "the bot did not take it: " + e.Code }

// Unwrap returns what lies behind the failure.
func (e *DeliveryError) Unwrap() error { return e.cause }

// Send delivers an activity to the bot.
func (s *Server) Send(ctx context.Context, activity map[string]any, f Forgery) (Ack, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.AckWithin)
	defer cancel()
	req, err := s.request(ctx, s.forged(activity, f), f)
	if err != nil {
		return Ack{}, err
	}
	resp, err := s.cfg.Client.Do(req)
	if err != nil {
		return Ack{}, failedDelivery(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAck))
	if err != nil {
		return Ack{}, failedDelivery(ctx, err)
	}
	ack := Ack{Status: resp.StatusCode, Header: resp.Header, Body: answer}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return ack, &DeliveryError{fmt.Sprintf("status_%d", resp.StatusCode), nil}
	}
	return ack, nil
}

// request is an activity as it is posted to the bot.
func (s *Server) request(ctx context.Context, a object, f Forgery) (*http.Request, error) {
	body := f.Body
	if body == nil {
		var err error
		if body, err = json.Marshal(a); err != nil {
			return nil, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.App().Endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, &DeliveryError{"no_endpoint", err}
	}
	conversation, _ := a["conversation"].(object)
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("User-Agent", "Microsoft-SkypeBotApi (Microsoft-BotFramework/3.0)")
	req.Header.Set("X-Ms-Conversation-Id", text(conversation["id"]))
	req.Header.Set("X-Ms-Tenant-Id", s.cfg.Tenant)
	if f.NoToken {
		return req, nil
	}
	token, err := s.Token(text(a["serviceUrl"]), f)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", orElse(f.Scheme, "Bearer")+" "+token)
	return req, nil
}

func failedDelivery(ctx context.Context, err error) error {
	var timeout interface{ Timeout() bool }
	if ctx.Err() != nil || errors.As(err, &timeout) && timeout.Timeout() {
		return &DeliveryError{"timeout", err}
	}
	return &DeliveryError{"unreachable", err}
}
