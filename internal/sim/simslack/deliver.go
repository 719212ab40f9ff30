package simslack

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// maxAck is how much of an answer Slack reads.
const maxAck = 1 << 20

// DeliveryKind says what a delivery carries.
type DeliveryKind string

// What Slack sends, named as Socket Mode does.
const (
	SlashCommand DeliveryKind = "slash_commands"
	Interaction  DeliveryKind = "interactive"
	EventsAPI    DeliveryKind = "events_api"
)

// Delivery is something Slack sends to the app, kept so that it can be sent again.
type Delivery struct {
	Kind    DeliveryKind
	Payload map[string]any // the fields of a command's form, the JSON of everything else
	Retry   int            // events: which repetition this is
	Reason  string
}

// Ack is the app's answer to a delivery.
type Ack struct {
	Status int // 0 in Socket Mode
	Header http.Header
	Body   []byte
}

// DeliveryError is what Slack says when the app did not take a delivery. Code is Slack's word for it.
type DeliveryError struct {
	Code  string
	cause error
}

func (e *DeliveryError) Error() string { return "the app did not take it: " + e.Code }

// Unwrap returns what lies behind the failure.
func (e *DeliveryError) Unwrap() error { return e.cause }

// Forgery is what is wrong with a delivery on purpose. The zero value is a genuine one.
type Forgery struct {
	WrongSignature bool
	Age            time.Duration // how old the timestamp says it is; negative: from the future
	Team           string        // another workspace's id in place of ours
	App            string        // another app's id in place of ours
	Body           []byte        // sent as it is in place of the delivery's own body, correctly signed
}

// Send delivers something to the app, by the way the app is configured for.
func (s *Server) Send(ctx context.Context, d Delivery, f Forgery) (Ack, error) {
	d.Payload = forged(d.Payload, f)
	s.mu.Lock()
	app := s.cfg.App
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, s.cfg.AckWithin)
	defer cancel()
	if app.SocketMode {
		return s.sockets.send(ctx, d)
	}
	return s.post(ctx, app, d, f)
}

// forged puts other ids into a copy of a payload.
func forged(payload object, f Forgery) object {
	if f.Team == "" && f.App == "" {
		return payload
	}
	raw, err := json.Marshal(payload)
	if err != nil {
		return payload
	}
	changed, _ := decode(raw)
	if f.App != "" {
		changed["api_app_id"] = f.App
	}
	if f.Team != "" {
		changed["team_id"] = f.Team
		if team, ok := changed["team"].(object); ok {
			delete(changed, "team_id")
			team["id"] = f.Team
		}
		if user, ok := changed["user"].(object); ok {
			user["team_id"] = f.Team
		}
	}
	return changed
}

// post delivers over HTTP.
func (s *Server) post(ctx context.Context, app App, d Delivery, f Forgery) (Ack, error) {
	target, kind, body, err := d.encode(app)
	if err != nil {
		return Ack{}, err
	}
	if f.Body != nil {
		body = f.Body
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return Ack{}, &DeliveryError{"dispatch_failed", err}
	}
	secret := app.SigningSecret
	if f.WrongSignature {
		secret = "not " + secret
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("User-Agent", "Slackbot 1.0 (+https://api.slack.com/robots)")
	Sign(req.Header, secret, s.cfg.Now().Add(-f.Age), body)
	if d.Retry > 0 {
		req.Header.Set("X-Slack-Retry-Num", strconv.Itoa(d.Retry))
		req.Header.Set("X-Slack-Retry-Reason", d.Reason)
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
		return ack, &DeliveryError{"http_service_error", fmt.Errorf("status %d", resp.StatusCode)}
	}
	return ack, nil
}

func failedDelivery(ctx context.Context, err error) error {
	var timeout interface{ Timeout() bool }
	if ctx.Err() != nil || errors.As(err, &timeout) && timeout.Timeout() {
		return &DeliveryError{"operation_timeout", err}
	}
	return &DeliveryError{"dispatch_failed", err}
}

// encode says where a delivery goes and how it is written over HTTP.
func (d Delivery) encode(app App) (target, kind string, body []byte, err error) {
	const form = "application/x-www-form-urlencoded"
	if d.Kind == SlashCommand {
		values := url.Values{}
		for key, value := range d.Payload {
			values.Set(key, fmt.Sprint(value))
		}
		return app.CommandURL, form, []byte(values.Encode()), nil
	}
	raw, err := json.Marshal(d.Payload)
	if d.Kind == Interaction {
		return app.InteractionURL, form, []byte(url.Values{"payload": {string(raw)}}.Encode()), err
	}
	return app.EventURL, "application/json", raw, err
}

// Sign puts Slack's signature of a body into a header.
func Sign(header http.Header, secret string, at time.Time, body []byte) {
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("v0:" + stamp + ":"))
	mac.Write(body)
	header.Set("X-Slack-Request-Timestamp", stamp)
	header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
}

// randomHex makes n random bytes, written in hex.
func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
