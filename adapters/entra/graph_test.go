package entra_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"elevate/adapters/entra"
	"elevate/internal/pim"
	"elevate/internal/secret"
)

const (
	alice = pim.PrincipalID("3cce9d87-3986-4f19-8335-7ed075408ca2")
	group = pim.GroupID("2b5ed229-4072-478d-9504-a047ebd4b07d")
)

var aliceActs = pim.Actor{Person: alice}

// wallClock is what the tests' machine believes; graphClock is Graph's Date, ninety seconds ahead.
var (
	wallClock  = time.Date(2023, 2, 7, 7, 0, 0, 0, time.UTC)
	graphClock = wallClock.Add(90 * time.Second)
)

// seen is one call as it arrived.
type seen struct {
	method, path, query, token string
	header                     http.Header
	body                       string
}

// fakeGraph is a server that answers with recorded bodies and remembers what it was asked.
type fakeGraph struct {
	*httptest.Server
	mu    sync.Mutex
	calls []seen
}

func newGraph(t *testing.T, answer func(w http.ResponseWriter, call seen)) *fakeGraph {
	t.Helper()
	g := &fakeGraph{}
	g.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		query, err := url.QueryUnescape(r.URL.RawQuery)
		if err != nil {
			t.Error(err)
		}
		call := seen{r.Method, r.URL.Path, query, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), r.Header, string(body)}
		g.mu.Lock()
		g.calls = append(g.calls, call)
		g.mu.Unlock()
		w.Header().Set("Date", graphClock.Format(http.TimeFormat))
		w.Header().Set("request-id", "93b6f17e-c05d-4f45-ad2a-6665c708d8a0")
		answer(w, call)
	}))
	t.Cleanup(g.Close)
	return g
}

// seenCalls are the calls so far.
func (g *fakeGraph) seenCalls() []seen {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]seen(nil), g.calls...)
}

func (g *fakeGraph) only(t *testing.T) seen {
	t.Helper()
	calls := g.seenCalls()
	if len(calls) != 1 {
		t.Fatalf("%d calls, want 1: %v", len(calls), calls)
	}
	return calls[0]
}

// appToken and personToken stand for the two identities.
type appToken string

func (a appToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(a)}, nil
}

func personToken(_ context.Context, as pim.Actor, claims string) (secret.Text, time.Time, error) {
	if claims != "" {
		return secret.Text{}, time.Time{}, &pim.Error{Kind: pim.SignIn, Message: "Sign in again, please.", Claims: claims}
	}
	return secret.New("person " + string(as.Person)), time.Time{}, nil
}

func config(g *fakeGraph) entra.Config {
	cfg := entra.Config{
		AppCredential: appToken("app"), PersonToken: personToken,
		Now: func() time.Time { return wallClock }, Logger: slog.New(slog.DiscardHandler),
	}
	if g.Server != nil {
		cfg.Graph, cfg.Transport = g.URL, g.Client().Transport
	}
	return cfg
}

// newRecorder answers one batch without a network.
func newRecorder(t *testing.T, request *http.Request, items batched) *http.Response {
	t.Helper()
	body, err := io.ReadAll(request.Body)
	if err != nil {
		t.Error(err)
	}
	w := httptest.NewRecorder()
	w.Header().Set("Date", graphClock.Format(http.TimeFormat))
	items.answer(t, w, seen{body: string(body)})
	return w.Result()
}

func client(t *testing.T, cfg entra.Config) *entra.Client {
	t.Helper()
	c, err := entra.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// recorded is a body of the reference.
func recorded(tb testing.TB, name string) string {
	tb.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", "graph", name))
	if err != nil {
		tb.Fatal(err)
	}
	return string(body)
}

func reply(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// batched answers a batch: each item by the first entry whose key is part of its address.
type batched []item

type item struct {
	part   string
	status int
	header map[string]any
	body   string
}

func (b batched) answer(t *testing.T, w http.ResponseWriter, call seen) {
	t.Helper()
	var request struct {
		Requests []struct {
			ID, Method, URL string
			Body            json.RawMessage
		}
	}
	if err := json.Unmarshal([]byte(call.body), &request); err != nil {
		t.Error(err)
	}
	var responses []map[string]any
	for _, r := range slices.Backward(request.Requests) { // Graph answers in any order
		address, err := url.QueryUnescape(r.URL)
		if err != nil {
			t.Error(err)
		}
		answer := item{status: http.StatusNotFound, body: `{"error":{"code":"unknown address"}}`}
		for _, one := range b {
			if strings.Contains(address, one.part) {
				answer = one
				break
			}
		}
		header := map[string]any{"Content-Type": "application/json"}
		maps.Copy(header, answer.header)
		responses = append(responses, map[string]any{
			"id": r.ID, "status": answer.status, "headers": header, "body": json.RawMessage(answer.body),
		})
	}
	body, err := json.Marshal(map[string]any{"responses": responses})
	if err != nil {
		t.Error(err)
	}
	reply(w, http.StatusOK, string(body))
}

func explain(t *testing.T, err error) *pim.Error {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	return pim.Explain(err)
}
