package simslack_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"elevate/internal/sim/cast"
	"elevate/internal/sim/simslack"
)

// world is a fake Slack with an app beside it whose answers the test decides.
type world struct {
	*simslack.Server
	api *slack.Client
	url string

	mu      sync.Mutex
	machine time.Time
	clock   time.Time
	app     http.HandlerFunc
	got     []received
}

// received is a request the app got.
type received struct {
	path   string
	header http.Header
	body   []byte
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldWith(t, func(*simslack.Config) {})
}

// newWorldWith lets a test change what the fake Slack is made of.
func newWorldWith(t *testing.T, change func(*simslack.Config)) *world {
	t.Helper()
	w := &world{machine: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), clock: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	app := httptest.NewServer(http.HandlerFunc(w.serveApp))
	t.Cleanup(app.Close)
	var handler atomic.Pointer[http.Handler] // clients are processes of their own, whose calls order nothing here
	front := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { (*handler.Load()).ServeHTTP(rw, r) }))
	front.Start()
	t.Cleanup(front.Close)
	w.url = front.URL
	model := cast.Model()
	registration := simslack.ModelApp()
	registration.CommandURL, registration.InteractionURL, registration.EventURL = app.URL+"/commands", app.URL+"/interactions", app.URL+"/events"
	registration.RedirectURIs = []string{"https://bot.example.com/auth/slack/callback"}
	config := simslack.Config{
		URL: front.URL, Now: w.now, Clock: w.worldTime, App: registration,
		Workspace: simslack.Workspace{ID: model.Team.ID, Name: model.Team.Name, Domain: model.Team.Domain},
		People:    simslack.ModelPeople(model), Channels: simslack.ModelChannels(model, registration.BotUser),
		Client: &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}},
	}
	change(&config)
	s, err := simslack.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	served := s.Handler()
	w.Server = s
	handler.Store(&served)
	w.api = slack.New(registration.BotToken, slack.OptionAPIURL(front.URL+"/api/"), slack.OptionAppLevelToken(registration.AppToken))
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

// answers decides what the app does with what it gets.
func (w *world) answers(app http.HandlerFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.app = app
}

func (w *world) serveApp(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	w.mu.Lock()
	w.got = append(w.got, received{r.URL.Path, r.Header, body})
	app := w.app
	w.mu.Unlock()
	if app != nil {
		r.Body = io.NopCloser(newReader(body))
		app(rw, r)
	}
}

// last is the newest request the app got.
func (w *world) last(t *testing.T) received {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.got) == 0 {
		t.Fatal("the app got nothing")
	}
	return w.got[len(w.got)-1]
}
