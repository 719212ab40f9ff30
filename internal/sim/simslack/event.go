package simslack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// retryAfter is when Slack tries an event again that the app did not take: at once, a minute later, five minutes later.
var retryAfter = []time.Duration{0, time.Minute, 5 * time.Minute}

// lateEvent is an event that waits for its next try.
type lateEvent struct {
	delivery Delivery
	due      time.Time
}

// SendEvent sends an event of the Events API. What the app does not take is tried again at once; later tries wait for
// RetryEvents.
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
	again, err := s.tryEvent(ctx, Delivery{Kind: EventsAPI, Payload: payload})
	if again {
		return s.RetryEvents(ctx)
	}
	return err
}

// tryEvent sends an event once, and plans the next try if the app does not take it and does not forbid another.
func (s *Server) tryEvent(ctx context.Context, d Delivery) (again bool, err error) {
	ack, err := s.Send(ctx, d, Forgery{})
	if err == nil || ack.Header.Get("X-Slack-No-Retry") == "1" || d.Retry == len(retryAfter) {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	due := s.cfg.Clock().Add(retryAfter[d.Retry])
	d.Retry, d.Reason = d.Retry+1, retryReason(err)
	s.late = append(s.late, lateEvent{d, due})
	return true, err
}

// RetryEvents tries the events again whose time has come by the world's clock, and returns what went wrong.
func (s *Server) RetryEvents(ctx context.Context) error {
	s.mu.Lock()
	now := s.cfg.Clock()
	var due []Delivery
	s.late = slices.DeleteFunc(s.late, func(e lateEvent) bool {
		if e.due.After(now) {
			return false
		}
		due = append(due, e.delivery)
		return true
	})
	s.mu.Unlock()
	var errs []error
	for _, d := range due {
		_, err := s.tryEvent(ctx, d)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
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
	if s.homeOff {
		s.mu.Unlock()
		return fmt.Errorf("%s sees no Home tab: it is switched off in the app's settings", p.Name)
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

// SSLCheck asks the command URL whether its certificate is good, as Slack does now and then; nothing is signed.
func (s *Server) SSLCheck(ctx context.Context) (int, error) {
	body := strings.NewReader(url.Values{"ssl_check": {"1"}, "token": {""}}.Encode())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.App().CommandURL, body)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := s.cfg.Client.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}
