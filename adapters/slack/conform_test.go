package slack_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"elevate/internal/pim"
	"elevate/internal/sim/cast"
	"elevate/internal/sim/simclock"
	"elevate/internal/sim/simslack"
	"elevate/internal/workflow"
	"elevate/internal/workflow/workflowtest"
)

func TestConformance(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	workflowtest.Conform(t, openChat)
}

// chat is the adapter before the fake Slack, for the suite of all chats.
type chat struct {
	*world
	clock *simclock.Clock

	mu   sync.Mutex
	kept []string // what came with inputs to answer them by
}

// hurried is how much faster than the machine's the world's clock runs.
const hurried = 20

func openChat(t *testing.T, log *slog.Logger) workflowtest.Chat {
	t.Helper()
	c := &chat{clock: simclock.New(machineTime(), machineTime)}
	c.clock.SetRate(hurried)
	c.world = newWorldWith(t, worldSettings{now: machineTime, clock: c.clock.Now, log: log, through: c.noting})
	return c
}

// noting keeps what the inputs that come through bring along.
func (c *chat) noting(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		form, _ := url.ParseQuery(string(body))
		var payload struct {
			ResponseURL string `json:"response_url"`
			TriggerID   string `json:"trigger_id"`
		}
		_ = json.Unmarshal([]byte(form.Get("payload")), &payload)
		c.mu.Lock()
		for _, one := range []string{path.Base(form.Get("response_url")), form.Get("trigger_id"), path.Base(payload.ResponseURL), payload.TriggerID} {
			if len(one) > 1 {
				c.kept = append(c.kept, one)
			}
		}
		c.mu.Unlock()
		next.ServeHTTP(w, r)
	})
}

func (c *chat) Secrets() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	app := c.App()
	return append(slices.Clone(c.kept), app.BotToken, app.SigningSecret, app.ClientSecret, app.AppToken)
}

func (c *chat) Messenger() workflow.Messenger { return c.client }
func (c *chat) Serve(s *workflow.Service)     { c.serve(s) }
func (c *chat) Tenant() pim.TenantID          { return pim.TenantID(cast.Model().TenantID) }
func (c *chat) Findings() []string            { return nil } // Slack refuses what it would not show

func (c *chat) Person(name string) workflowtest.Person {
	p, _ := cast.Model().Person(name)
	return workflowtest.Person{
		Profile: pim.Profile{ID: pim.NewPrincipalID(p.ObjectID), Name: p.DisplayName, Enabled: true},
		Account: pim.ChatAccount{Chat: pim.Slack, Workspace: c.team, User: p.Slack.UserID},
	}
}

func (c *chat) in(channel string) pim.Conversation {
	return pim.Conversation{Chat: pim.Slack, Workspace: c.team, ID: channel}
}

func (c *chat) Place(name string) pim.Conversation {
	return c.in(map[string]string{workflowtest.Approvals: simslack.Approvals, workflowtest.OnCall: simslack.OnCall}[name])
}

func (c *chat) Closed() pim.Conversation { return c.in(simslack.General) }

func (c *chat) Say(ctx context.Context, person, words string) error {
	return c.Slash(ctx, person, simslack.General, "/elevate "+words)
}

func (c *chat) Press(ctx context.Context, person string, p workflowtest.Press) error {
	_, err := c.Click(ctx, person, simslack.Press{Button: p.Button, On: p.On, Message: p.Message, In: p.In})
	return err
}

func (c *chat) Begin(ctx context.Context, person string, p workflowtest.Press) (func(string) error, error) {
	err := c.Press(ctx, person, p)
	if err == nil {
		err = c.WaitFor(ctx, func() bool { return c.FormOpen(person) })
	}
	return func(reason string) error { return c.Submit(ctx, person, map[string]string{"reason": reason}) }, err
}

func (c *chat) Answer(person string) string {
	shown, _ := c.world.Sees(person, 0)
	for _, one := range slices.Backward(shown) {
		if one.Ephemeral || one.Where == "form" {
			return one.Text
		}
	}
	return ""
}

func (c *chat) Sees(_ context.Context, person string) ([]workflowtest.Shown, error) {
	shown, err := c.world.Sees(person, 0)
	var all []workflowtest.Shown
	for _, one := range shown {
		place := strings.TrimPrefix(one.Where, "#")
		if one.Ephemeral {
			place = ""
		}
		all = append(all, workflowtest.Shown{Place: place, Message: one.Message, Thread: one.Thread, Text: one.Text, Buttons: one.Buttons, Links: one.Links})
	}
	return all, err
}

func (c *chat) Break(op workflowtest.Op, t workflowtest.Trouble) {
	c.world.Break(map[workflowtest.Op]string{
		workflowtest.OpPost: "chat.postMessage", workflowtest.OpUpdate: "chat.update", workflowtest.OpAccount: "users.info", workflowtest.OpAnswer: "response_url",
	}[op], simslack.Fault{Kind: map[workflowtest.TroubleKind]simslack.FaultKind{
		workflowtest.Throttles: simslack.RateLimited, workflowtest.IsDown: simslack.ServerError, workflowtest.LosesIt: simslack.Reset,
	}[t.Kind], Times: t.Times, RetryAfter: t.Wait})
}

func (c *chat) Now() time.Time { return c.clock.Now() }

func (c *chat) Close() { c.end() }
