package simentra_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"elevate/internal/sim/cast"
	"elevate/internal/sim/simclock"
	"elevate/internal/sim/simentra"
)

const (
	callback = "https://elevate.example.com/auth/entra/callback"
	verifier = "a-verifier-of-at-least-forty-three-characters-0123"
	pim      = "/v1.0/identityGovernance/privilegedAccess/group/"
	pasWrite = "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup"
)

// world is a tenant that stands still unless it is moved, reached over TLS.
type world struct {
	t      *testing.T
	server *simentra.Server
	clock  *simclock.Clock
	cast   *cast.Cast
	app    cast.App
	login  string
	graph  string
	client *http.Client

	mu      sync.Mutex
	machine time.Time
	tokens  map[string]string
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.machine
}

// age lets machine time pass; the tenant's clock follows.
func (w *world) age(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.machine = w.machine.Add(d)
}

func newWorld(t *testing.T, behavior simentra.Behavior) *world {
	t.Helper()
	return newWorldOf(t, cast.Model(), behavior)
}

func newWorldOf(t *testing.T, who *cast.Cast, behavior simentra.Behavior) *world {
	t.Helper()
	w := &world{t: t, cast: who, tokens: map[string]string{}, machine: time.Now()}
	w.clock = simclock.New(time.Date(2026, 3, 2, 9, 0, 0, 123456700, time.UTC), w.now)
	login, graph := httptest.NewUnstartedServer(nil), httptest.NewUnstartedServer(nil)
	w.login, w.graph = "https://"+login.Listener.Addr().String(), "https://"+graph.Listener.Addr().String()
	server, err := simentra.New(simentra.Config{
		Clock: w.clock, MachineNow: w.now, Cast: w.cast, LoginURL: w.login, GraphURL: w.graph, Behavior: behavior,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.server = server
	login.Config.Handler, graph.Config.Handler = server.LoginHandler(), server.GraphHandler()
	for _, s := range []*httptest.Server{login, graph} {
		s.StartTLS()
		t.Cleanup(s.Close)
	}
	w.client = login.Client()
	w.client.Timeout = 10 * time.Second
	w.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	w.app, _ = w.cast.App(cast.AppElevate)
	server.SetRedirects(w.app.ClientID, callback)
	return w
}

func (w *world) person(key string) cast.Person {
	w.t.Helper()
	p, ok := w.cast.Person(key)
	if !ok {
		w.t.Fatalf("nobody is called %q", key)
	}
	return p
}

func (w *world) group(name string) string {
	w.t.Helper()
	g, ok := w.cast.Group(name)
	if !ok {
		w.t.Fatalf("no group is called %q", name)
	}
	return g.ID
}

// browser returns a client with cookies of its own that follows no redirects.
func (w *world) browser() *http.Client {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	b := *w.client
	b.Jar = jar
	return &b
}

func challenge() string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// authorizeURL is a good request to sign in, changed by pairs; an empty value takes the parameter out.
func (w *world) authorizeURL(pairs ...string) string {
	q := url.Values{
		"client_id": {w.app.ClientID}, "response_type": {"code"}, "redirect_uri": {callback}, "state": {"the-state"}, "nonce": {"the-nonce"},
		"scope":          {"openid profile offline_access " + w.graph + "/" + pasWrite},
		"code_challenge": {challenge()}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(pairs); i += 2 {
		q.Del(pairs[i])
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return w.login + "/" + w.cast.TenantID + "/oauth2/v2.0/authorize?" + q.Encode()
}

type reply struct {
	status int
	header http.Header
	body   string
}

func (r reply) json(t *testing.T) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal([]byte(r.body), &out); err != nil {
		t.Fatalf("status %d is not JSON: %s", r.status, r.body)
	}
	return out
}

// code is the error's code, taken out of its wrapping.
func (r reply) code(t *testing.T) string {
	t.Helper()
	fault, _ := r.json(t)["error"].(map[string]any)
	code, _ := fault["code"].(string)
	if code != "UnknownError" {
		return code
	}
	var inner map[string]any
	if err := json.Unmarshal([]byte(fault["message"].(string)), &inner); err != nil {
		t.Fatal(err)
	}
	return inner["errorCode"].(string)
}

func (w *world) do(client *http.Client, method, address string, header http.Header, body string) reply {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	maps.Copy(r.Header, header)
	resp, err := client.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(raw)}
}

func (w *world) get(client *http.Client, address string) reply {
	w.t.Helper()
	return w.do(client, http.MethodGet, address, nil, "")
}

func (w *world) postForm(client *http.Client, address string, form url.Values) reply {
	w.t.Helper()
	return w.do(client, http.MethodPost, address, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, form.Encode())
}

// signIn picks an account on the page and returns what the browser was sent back with.
func (w *world) signIn(client *http.Client, account, address string) url.Values {
	w.t.Helper()
	r := w.postForm(client, address, url.Values{"account": {account}})
	if r.status != http.StatusFound {
		w.t.Fatalf("signing in as %s: status %d: %s", account, r.status, r.body)
	}
	return w.sentBack(r)
}

func (w *world) sentBack(r reply) url.Values {
	w.t.Helper()
	u, err := url.Parse(r.header.Get("Location"))
	if err != nil || !strings.HasPrefix(u.String(), callback) {
		w.t.Fatalf("sent to %q, status %d: %s", u, r.status, r.body)
	}
	return u.Query()
}

func (w *world) tokenURL() string { return w.login + "/" + w.cast.TenantID + "/oauth2/v2.0/token" }

func (w *world) token(form url.Values) reply {
	w.t.Helper()
	return w.postForm(w.client, w.tokenURL(), form)
}

// codeForm redeems a code, changed by pairs.
func (w *world) codeForm(code string, pairs ...string) url.Values {
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier},
		"client_id": {w.app.ClientID}, "client_secret": {w.app.Secret},
	}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return form
}

// session signs somebody in in a new browser and returns the token endpoint's answer.
func (w *world) session(key string, pairs ...string) map[string]any {
	w.t.Helper()
	back := w.signIn(w.browser(), w.person(key).UPN, w.authorizeURL(pairs...))
	r := w.token(w.codeForm(back.Get("code")))
	if r.status != http.StatusOK {
		w.t.Fatalf("redeeming %s's code: %s", key, r.body)
	}
	return r.json(w.t)
}

// as returns an access token: of a person, or with the key "app" of the bot itself.
func (w *world) as(key string) string {
	w.t.Helper()
	if held, ok := w.tokens[key]; ok {
		return held
	}
	var answer map[string]any
	if key == "app" {
		answer = w.token(url.Values{
			"grant_type": {"client_credentials"}, "client_id": {w.app.ClientID}, "client_secret": {w.app.Secret}, "scope": {w.graph + "/.default"},
		}).json(w.t)
	} else {
		answer = w.session(key)
	}
	w.tokens[key] = answer["access_token"].(string)
	return w.tokens[key]
}

// call asks Graph; path and query are written plainly, as in the documents.
func (w *world) call(key, method, path string, body any) reply {
	w.t.Helper()
	address, query, _ := strings.Cut(path, "?")
	if query != "" {
		query = "?" + strings.NewReplacer(" ", "%20", "'", "%27").Replace(query)
	}
	var raw []byte
	if body != nil {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			w.t.Fatal(err)
		}
	}
	header := http.Header{"Authorization": {"Bearer " + w.as(key)}, "Content-Type": {"application/json"}}
	return w.do(w.client, method, w.graph+address+query, header, string(bytes.TrimSpace(raw)))
}

// value returns all pages of a list.
func (w *world) value(key, path string) []map[string]any {
	w.t.Helper()
	var out []map[string]any
	for path != "" {
		r := w.call(key, http.MethodGet, path, nil)
		if r.status != http.StatusOK {
			w.t.Fatalf("GET %s: status %d: %s", path, r.status, r.body)
		}
		body := r.json(w.t)
		for _, item := range body["value"].([]any) {
			out = append(out, item.(map[string]any))
		}
		next, _ := body["@odata.nextLink"].(string)
		path = strings.TrimPrefix(next, w.graph)
	}
	return out
}

func claimsOf(t *testing.T, raw any) jwt.MapClaims {
	t.Helper()
	claims := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(raw.(string), claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// activation is a good selfActivate body, changed by pairs of name and value; nil takes a property out.
func (w *world) activation(key, group string, pairs ...any) map[string]any {
	body := map[string]any{
		"accessId": "member", "principalId": w.person(key).ObjectID, "groupId": w.group(group), "action": "selfActivate",
		"justification": "triage of INC-42",
		"scheduleInfo":  lasting("PT1H"),
	}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == nil {
			delete(body, pairs[i].(string))
			continue
		}
		body[pairs[i].(string)] = pairs[i+1]
	}
	return body
}

func lasting(duration string) map[string]any {
	return map[string]any{"expiration": map[string]any{"type": "afterDuration", "duration": duration}}
}

func (w *world) activate(key, group string, pairs ...any) map[string]any {
	w.t.Helper()
	r := w.call(key, http.MethodPost, pim+"assignmentScheduleRequests", w.activation(key, group, pairs...))
	if r.status != http.StatusCreated {
		w.t.Fatalf("activating for %s: status %d: %s", key, r.status, r.body)
	}
	return r.json(w.t)
}

func (w *world) status(id string) string {
	w.t.Helper()
	return w.call("app", http.MethodGet, pim+"assignmentScheduleRequests/"+id, nil).json(w.t)["status"].(string)
}

func (w *world) decide(key, id, result, reason string) reply {
	w.t.Helper()
	return w.call(key, http.MethodPatch, pim+"assignmentApprovals/"+id+"/stages/"+id, map[string]any{"reviewResult": result, "justification": reason})
}

func (w *world) instances(group string) []map[string]any {
	w.t.Helper()
	list := w.value("app", pim+"assignmentScheduleInstances?$filter=groupId eq '"+w.group(group)+"' and accessId eq 'member'")
	return list
}

func (w *world) isMember(key, group string) bool {
	w.t.Helper()
	for _, m := range w.value("app", "/v1.0/groups/"+w.group(group)+"/members?$select=id") {
		if m["id"] == w.person(key).ObjectID {
			return true
		}
	}
	return false
}
