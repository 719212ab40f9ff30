package simteams_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"elevate/internal/sim/cast"
	"elevate/internal/sim/simteams"
)

const connectorToken = "sandbox-connector-token"

// world is a fake Teams with a bot beside it whose answers the test decides.
type world struct {
	*simteams.Server

	url    string
	model  *cast.Cast
	client *http.Client

	mu      sync.Mutex
	machine time.Time
	clock   time.Time
	bot     http.HandlerFunc
	got     []received
}

// received is an activity the bot got.
type received struct {
	header   http.Header
	body     []byte
	activity map[string]any
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldWith(t, func(*simteams.Config) {})
}

// newWorldWith lets a test change what the fake Teams is made of.
func newWorldWith(t *testing.T, change func(*simteams.Config)) *world {
	t.Helper()
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	w := &world{machine: at, clock: at, model: cast.Model(), client: &http.Client{Timeout: 5 * time.Second}}
	bot := httptest.NewServer(http.HandlerFunc(w.serveBot))
	t.Cleanup(bot.Close)
	var handler atomic.Pointer[http.Handler]
	front := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { (*handler.Load()).ServeHTTP(rw, r) }))
	t.Cleanup(front.Close)
	w.url = front.URL
	app := simteams.ModelApp(w.model)
	app.Endpoint = bot.URL + "/api/messages"
	config := simteams.Config{
		URL: front.URL, Now: w.now, Clock: w.worldTime, App: app, Tenant: w.model.TenantID, Client: w.client,
		Team: simteams.ModelTeam(), People: simteams.ModelPeople(w.model), Conversations: simteams.ModelConversations(w.model, app),
		Caller: func(token string) (simteams.Caller, error) {
			switch token {
			case connectorToken:
				return simteams.Caller{AppID: app.ID, Tenant: w.model.TenantID}, nil
			case "other-app":
				return simteams.Caller{AppID: "00000000-0000-4000-8000-0000000000aa", Tenant: w.model.TenantID}, nil
			}
			return simteams.Caller{}, errors.New("not a token of ours")
		},
	}
	change(&config)
	s, err := simteams.New(config)
	if err != nil {
		t.Fatal(err)
	}
	w.Server = s
	served := s.Handler()
	handler.Store(&served)
	return w
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.machine
}

func (w *world) worldTime() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.clock
}

// pass lets time pass, both for the machine and in the world.
func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.machine, w.clock = w.machine.Add(d), w.clock.Add(d)
}

// answers decides what the bot does with what it gets.
func (w *world) answers(bot http.HandlerFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bot = bot
}

// answersCard lets the bot answer every invoke with a card.
func (w *world) answersCard(card map[string]any) {
	w.answers(func(rw http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(rw).Encode(map[string]any{"statusCode": 200, "type": "application/vnd.microsoft.card.adaptive", "value": card})
	})
}

func (w *world) serveBot(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	got := received{header: r.Header, body: body}
	_ = json.Unmarshal(body, &got.activity)
	w.mu.Lock()
	w.got = append(w.got, got)
	bot := w.bot
	w.mu.Unlock()
	if bot != nil {
		r.Body = io.NopCloser(bytes.NewReader(body))
		bot(rw, r)
	}
}

// last is the newest activity the bot got.
func (w *world) last(t *testing.T) received {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.got) == 0 {
		t.Fatal("the bot got nothing")
	}
	return w.got[len(w.got)-1]
}

func (w *world) received() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.got)
}

// answer is what the connector said.
type answer struct {
	status int
	header http.Header
	body   map[string]any
}

func (a answer) code() string {
	e, _ := a.body["error"].(map[string]any)
	code, _ := e["code"].(string)
	return code
}

func (a answer) id() string {
	id, _ := a.body["id"].(string)
	return id
}

// calls makes a call of the connector's, by its address as activities name it.
func (w *world) calls(t *testing.T, method, path string, body any) answer {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, w.ServiceURL()+"v3/"+path, bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+connectorToken)
	req.Header.Set("Content-Type", "application/json")
	return w.does(t, req)
}

func (w *world) does(t *testing.T, req *http.Request) answer {
	t.Helper()
	resp, err := w.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	a := answer{status: resp.StatusCode, header: resp.Header}
	raw, _ := io.ReadAll(resp.Body)
	_ = json.Unmarshal(raw, &a.body)
	return a
}

// posts sends a message into a conversation and wants it taken.
func (w *world) posts(t *testing.T, conversation string, message map[string]any) string {
	t.Helper()
	a := w.calls(t, http.MethodPost, activities(conversation), message)
	if a.status != http.StatusCreated || a.id() == "" {
		t.Fatalf("posting: %d %v", a.status, a.body)
	}
	return a.id()
}

func activities(conversation string) string {
	return "conversations/" + url.PathEscape(conversation) + "/activities"
}

func (w *world) activity(conversation, id string) string {
	return activities(conversation) + "/" + url.PathEscape(id)
}

func message(cards ...map[string]any) map[string]any {
	var attachments []any
	for _, card := range cards {
		attachments = append(attachments, map[string]any{"contentType": "application/vnd.microsoft.card.adaptive", "content": card})
	}
	return map[string]any{"type": "message", "summary": "a card", "attachments": attachments}
}

func plain(text string) map[string]any { return map[string]any{"type": "message", "text": text} }

func card(body ...any) map[string]any {
	return map[string]any{"type": "AdaptiveCard", "version": "1.5", "body": body}
}

func block(text string) map[string]any {
	return map[string]any{"type": "TextBlock", "text": text, "wrap": true}
}

func execute(title, verb string, data map[string]any) map[string]any {
	return map[string]any{
		"type": "Action.Execute", "title": title, "verb": verb, "data": data,
		"fallback": map[string]any{"type": "Action.Submit", "title": title, "data": data},
	}
}

func set(actions ...any) map[string]any {
	return map[string]any{"type": "ActionSet", "actions": actions}
}

// sees is all that a person sees, as text.
func (w *world) sees(t *testing.T, person string) string {
	t.Helper()
	if err := w.Look(t.Context(), person); err != nil {
		t.Fatal(err)
	}
	shown, err := w.Sees(person, 0)
	if err != nil {
		t.Fatal(err)
	}
	var parts []string
	for _, one := range shown {
		parts = append(parts, one.Where+"| "+one.Text)
	}
	return strings.Join(parts, "\n")
}

func contains(t *testing.T, got string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(got, part) {
			t.Errorf("%q is not in:\n%s", part, got)
		}
	}
}

func lacks(t *testing.T, got string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if strings.Contains(got, part) {
			t.Errorf("%q is in:\n%s", part, got)
		}
	}
}

// dm is a person's chat with the bot.
func (w *world) dm(t *testing.T, person string) string {
	t.Helper()
	c, err := w.Place(person, "dm")
	if err != nil {
		t.Fatal(err)
	}
	return c.ID
}

func (w *world) mri(t *testing.T, person string) string {
	t.Helper()
	id, err := w.MRI(person)
	if err != nil {
		t.Fatal(err)
	}
	return id
}
