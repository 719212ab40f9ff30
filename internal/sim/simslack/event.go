package simslack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// SendEvent sends an event of the Events API, with its first retry at once if the app does not take it.
func (s *Server) SendEvent(ctx context.Context, event map[string]any) error {
	s.mu.Lock()
	w, app := s.cfg.Workspace, s.cfg.App
	event["event_ts"] = s.newTS()
	payload := object{
		"token": "", "team_id": w.ID, "api_app_id": app.ID, "type": "event_callback", "event": event,
		"event_id": s.newID("Ev"), "event_time": s.cfg.Clock().Unix(), "is_ext_shared_channel": false,
		"authorizations": []any{object{
			"enterprise_id": nilWhenEmpty(w.Enterprise), "team_id": w.ID, "user_id": app.BotUser, "is_bot": true, "is_enterprise_install": false,
		}},
	}
	s.mu.Unlock()
	d := Delivery{Kind: EventsAPI, Payload: payload}
	ack, err := s.Send(ctx, d, Forgery{})
	if err == nil || ack.Header.Get("X-Slack-No-Retry") == "1" {
		return err
	}
	d.Retry, d.Reason = 1, retryReason(err)
	_, err = s.Send(ctx, d, Forgery{})
	return err
}

func retryReason(err error) string {
	var d *DeliveryError
	if errors.As(err, &d) && d.Code == "operation_timeout" {
		return "http_timeout"
	}
	return "http_error"
}

func nilWhenEmpty(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// OpenHome opens the Home tab as a person, which the app is told about.
func (s *Server) OpenHome(ctx context.Context, person string) error {
	s.mu.Lock()
	p, err := s.person(person)
	if err != nil {
		s.mu.Unlock()
		return err
	}
	event := object{"type": "app_home_opened", "user": p.ID, "tab": "home", "channel": s.direct(p).ID}
	if home := s.screen(p.ID).home; home != nil {
		event["view"] = s.viewObject(home)
	}
	s.mu.Unlock()
	return s.SendEvent(ctx, event)
}

// Uninstall removes the app from the workspace: its tokens end, and it is told so.
func (s *Server) Uninstall(ctx context.Context) error {
	s.mu.Lock()
	s.removed = true
	bot := s.cfg.App.BotUser
	s.mu.Unlock()
	revoked := object{"type": "tokens_revoked", "tokens": object{"oauth": []any{}, "bot": []any{bot}}}
	return errors.Join(s.SendEvent(ctx, revoked), s.SendEvent(ctx, object{"type": "app_uninstalled"}))
}

// SendUserChange tells the app how a person stands now.
func (s *Server) SendUserChange(ctx context.Context, person string) error {
	s.mu.Lock()
	p, err := s.person(person)
	if err != nil {
		s.mu.Unlock()
		return err
	}
	user := s.userObject(p)
	s.mu.Unlock()
	return s.SendEvent(ctx, object{"type": "user_change", "user": user, "cache_ts": s.cfg.Clock().Unix()})
}

// VerifyURL asks the app to prove that it listens at its event URL, as saving the manifest does.
func (s *Server) VerifyURL(ctx context.Context) error {
	challenge := randomHex(20)
	ack, err := s.Send(ctx, Delivery{Kind: EventsAPI, Payload: object{"type": "url_verification", "token": "", "challenge": challenge}}, Forgery{})
	if err != nil {
		return err
	}
	var answer struct{ Challenge string }
	if json.Unmarshal(ack.Body, &answer) == nil && answer.Challenge == challenge || strings.TrimSpace(string(ack.Body)) == challenge {
		return nil
	}
	return fmt.Errorf("your URL didn't respond with the value of the challenge parameter (%d bytes)", len(ack.Body))
}
