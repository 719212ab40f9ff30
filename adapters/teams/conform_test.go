package teams_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"elevate/adapters/teams"
	"elevate/internal/pim"
	"elevate/internal/sim/cast"
	"elevate/internal/sim/simclock"
	"elevate/internal/sim/simteams"
	"elevate/internal/workflow"
	"elevate/internal/workflow/workflowtest"
)

func TestConformance(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	workflowtest.Conform(t, openChat)
}

// chat is the adapter before the fake Teams, for the suite of all chats.
type chat struct {
	*simteams.Server
	clock   *simclock.Clock
	model   *cast.Cast
	client  *teams.Client
	handler *teams.Handler
	serve   func(http.Handler)
	log     *slog.Logger

	mu      sync.Mutex
	tokens  []string          // that came with activities
	answers map[string]string // to clicks, by who clicked; "" where something was said since
}

// hurried is how much faster than the machine's the world's clock runs.
const hurried = 20

func openChat(t *testing.T, log *slog.Logger) workflowtest.Chat {
	t.Helper()
	c := &chat{clock: simclock.New(machineTime(), machineTime), model: cast.Model(), log: log, answers: map[string]string{}}
	c.clock.SetRate(hurried)
	var front, app http.Handler
	serve := func(h *http.Handler) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*h).ServeHTTP(w, r) }))
		t.Cleanup(s.Close)
		return s.URL
	}
	at := serve(&front)
	registered := simteams.ModelApp(c.model)
	registered.Endpoint = serve(&app) + "/api/messages"
	var err error
	c.Server, err = simteams.New(simteams.Config{
		URL: at, Now: machineTime, Clock: c.clock.Now, App: registered, Tenant: c.model.TenantID, Team: simteams.ModelTeam(),
		People: simteams.ModelPeople(c.model), Conversations: simteams.ModelConversations(c.model, registered), Client: &http.Client{Timeout: 5 * time.Second},
		Caller: func(token string) (simteams.Caller, error) {
			if token != botToken {
				return simteams.Caller{}, errDown
			}
			return simteams.Caller{AppID: registered.ID, Tenant: c.model.TenantID}, nil
		},
		Unlimited: true, // its limits are those of machine time
	})
	if err != nil {
		t.Fatal(err)
	}
	front = c.Handler()
	c.serve = func(h http.Handler) { app = h }
	c.client, err = teams.NewClient(teams.Config{
		AppID: registered.ID, TenantID: c.model.TenantID, Metadata: c.MetadataURL(), ServiceURL: c.GlobalURL(), Credential: &credential{token: botToken},
		References: &references{of: map[string]teams.Reference{}}, Codes: theCodes(), Now: c.clock.Now, TokenNow: machineTime, Logger: log, Sandbox: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *chat) Serve(s *workflow.Service) {
	c.handler = teams.NewHandler(teams.HandlerConfig{Client: c.client, Service: s, Now: c.clock.Now, Logger: c.log})
	c.serve(http.HandlerFunc(c.noting))
}

// noting keeps what an activity brings along, and what a click is answered with.
func (c *chat) noting(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	kept := &keeping{ResponseWriter: w}
	c.handler.ServeHTTP(kept, r)
	var activity struct {
		Type  string `json:"type"`
		From  struct{ AadObjectID string }
		Value struct{ Trigger string }
	}
	_ = json.Unmarshal(body, &activity)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tokens = append(c.tokens, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	if activity.Value.Trigger != "automatic" {
		c.answers[activity.From.AadObjectID] = wordsOf(kept.body.Bytes())
	}
}

// keeping is an answer that is also kept.
type keeping struct {
	http.ResponseWriter
	body bytes.Buffer
}

func (k *keeping) Write(b []byte) (int, error) {
	k.body.Write(b)
	return k.ResponseWriter.Write(b)
}

// wordsOf are the words of a card or a toast, in one line.
func wordsOf(answer []byte) string {
	var tree any
	_ = json.Unmarshal(answer, &tree)
	return wordsIn(tree)
}

func wordsIn(tree any) (said string) {
	switch v := tree.(type) {
	case []any:
		for _, item := range v {
			said += wordsIn(item)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if text, ok := v[key].(string); ok && (key == "text" || key == "value") {
				said += text
			}
			said += wordsIn(v[key])
		}
	}
	return said
}

func (c *chat) Secrets() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append(slices.Clone(c.tokens), botToken)
}

func (c *chat) Messenger() workflow.Messenger { return c.client }
func (c *chat) Now() time.Time                { return c.clock.Now() }
func (c *chat) Close()                        { c.handler.Close() }
func (c *chat) Tenant() pim.TenantID          { return pim.TenantID(c.model.TenantID) }

func (c *chat) Person(name string) workflowtest.Person {
	p, _ := c.model.Person(name)
	return workflowtest.Person{
		Profile: pim.Profile{ID: pim.NewPrincipalID(p.ObjectID), Name: p.DisplayName, Enabled: true},
		Account: pim.ChatAccount{Chat: pim.Teams, Workspace: c.model.TenantID, User: p.ObjectID},
	}
}

func (c *chat) Place(name string) pim.Conversation {
	return pim.Conversation{Chat: pim.Teams, Workspace: c.model.TenantID, ID: simteams.ChannelID(name)}
}

func (c *chat) Closed() pim.Conversation { return c.Place(simteams.WarRoom) }

func (c *chat) Say(ctx context.Context, person, words string) error {
	_, err := c.Server.Say(ctx, person, "dm", words)
	return err
}

// Press presses what stood before the person when they looked last.
func (c *chat) Press(ctx context.Context, person string, p workflowtest.Press) error {
	return c.press(ctx, person, p, nil)
}

func (c *chat) press(ctx context.Context, person string, p workflowtest.Press, values map[string]string) error {
	_, err := c.Click(ctx, person, simteams.Press{Button: p.Button, On: p.On, Message: p.Message, In: p.In, Values: values})
	return err
}

// Begin has nothing to do: the field for the reason stands behind the button.
func (c *chat) Begin(ctx context.Context, person string, p workflowtest.Press) (func(string) error, error) {
	return func(reason string) error {
		p.Button = strings.TrimSuffix(p.Button, "…")
		return c.press(ctx, person, p, map[string]string{"Reason": reason})
	}, nil
}

func (c *chat) Answer(person string) string {
	c.mu.Lock()
	answered := c.answers[c.Person(person).Account.User]
	c.mu.Unlock()
	if answered != "" {
		return answered
	}
	dm, _ := c.Server.Place(person, workflowtest.Direct)
	heard, _ := c.Heard(person, 0)
	for _, m := range slices.Backward(c.Messages(dm.ID)) { // a card that turned is no answer
		for _, one := range heard {
			if one.Message == m.ID {
				return one.Text
			}
		}
	}
	return ""
}

func (c *chat) Sees(ctx context.Context, person string) ([]workflowtest.Shown, error) {
	if err := c.Look(ctx, person); err != nil {
		return nil, err
	}
	heard, err := c.Heard(person, 0)
	var all []workflowtest.Shown
	for _, one := range heard {
		all = append(all, workflowtest.Shown{
			Place: strings.TrimPrefix(one.Where, "#"), Message: one.Message, Thread: one.Thread, Text: one.Text, Buttons: one.Buttons, Links: one.Links,
		})
	}
	return all, err
}

func (c *chat) Break(op workflowtest.Op, t workflowtest.Trouble) {
	c.Server.Break(map[workflowtest.Op]string{
		workflowtest.OpPost: "create", workflowtest.OpUpdate: "update", workflowtest.OpAccount: "member", workflowtest.OpAnswer: "send",
	}[op], simteams.Fault{Kind: map[workflowtest.TroubleKind]simteams.FaultKind{
		workflowtest.Throttles: simteams.RateLimited, workflowtest.IsDown: simteams.ServerError, workflowtest.LosesIt: simteams.Reset,
	}[t.Kind], Times: t.Times, RetryAfter: t.Wait})
}
