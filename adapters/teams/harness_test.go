package teams_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"elevate/adapters/teams"
	"elevate/internal/card"
	"elevate/internal/keyset"
	"elevate/internal/pim"
	"elevate/internal/workflow"
)

const (
	appID     = "11111111-1111-4111-8111-111111111111"
	tenant    = "22222222-2222-4222-8222-222222222222"
	alice     = "33333333-3333-4333-8333-333333333333"
	aliceMRI  = "29:alice"
	bot       = "28:" + appID
	channelID = "19:general@thread.tacv2"
	personal  = "a:alice-and-the-bot"
	service   = "https://smba.trafficmanager.net/teams/"
	metadata  = "https://login.botframework.com/v1/.well-known/openidconfiguration"
	jwks      = "https://login.botframework.com/v1/.well-known/keys"
	botToken  = "the-bots-own-token"
	connector = "smba.trafficmanager.net"
)

// machineTime is the machine's clock, inside a synctest bubble the bubble's.
func machineTime() time.Time { return time.Now() }

type object = map[string]any

// keys are made once: making one takes longer than most tests.
var (
	theKey   = sync.OnceValue(func() *rsa.PrivateKey { return newKey(2048) })
	otherKey = sync.OnceValue(func() *rsa.PrivateKey { return newKey(2048) })
	theCodes = sync.OnceValue(func() *keyset.Set {
		s, err := keyset.New(machineTime())
		if err != nil {
			panic(err)
		}
		return s
	})
)

func newKey(bits int) *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return k
}

// jwk is a public key as the Bot Framework publishes it.
func jwk(id string, k *rsa.PrivateKey, channels ...string) object {
	return object{
		"kty": "RSA", "use": "sig", "kid": id, "endorsements": channels,
		"n": encode(k.N.Bytes()), "e": encode(big.NewInt(int64(k.E)).Bytes()),
	}
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func asJSON(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return raw
}

// sign makes a token apart from the code that is tested.
func sign(header, claims object, k *rsa.PrivateKey) string {
	text := encode(asJSON(header)) + "." + encode(asJSON(claims))
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, k, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return text + "." + encode(signature)
}

// claimsNow are those of a good token, changed by with; nil removes one.
func claimsNow(with object) object {
	now := machineTime().Unix()
	return change(object{"iss": "https://api.botframework.com", "aud": appID, "serviceurl": service, "nbf": now, "iat": now, "exp": now + 3600}, with)
}

func change(o, with object) object {
	o = maps.Clone(o)
	for name, v := range with {
		if v == nil {
			delete(o, name)
			continue
		}
		o[name] = v
	}
	return o
}

// token is a good token with changed claims.
func token(with object) string {
	return sign(object{"alg": "RS256", "typ": "JWT", "kid": "k1"}, claimsNow(with), theKey())
}

// call is one call that left the process.
type call struct {
	method, host, path, query string
	header                    http.Header
	body                      object
	bounded                   bool // it ends by itself, however long the answer takes
}

// network answers what leaves the process.
type network struct {
	mu      sync.Mutex
	calls   []call
	keys    []any
	replies map[string]func(call) *answered // by method and the last part of the path
	open    int                             // answers that were given and not closed
}

func newNetwork() *network {
	n := &network{keys: []any{jwk("k1", theKey(), "msteams", "webchat")}, replies: map[string]func(call) *answered{}}
	n.on("POST activities", answer(201, `{"id":"1"}`))
	n.on("POST conversations", func(c call) *answered {
		if c.body["isGroup"] == true {
			return reply(201, `{"id":"`+channelID+`;messageid=1","activityId":"1"}`)
		}
		return reply(201, `{"id":"`+personal+`"}`)
	})
	n.on("PUT", answer(200, `{"id":"1"}`))
	n.on("DELETE", answer(204, ``))
	n.on("GET members", answer(200, `{"id":"`+aliceMRI+`","aadObjectId":"`+alice+`","name":"Alice Example","tenantId":"`+tenant+`","userRole":"user"}`))
	n.on("GET pagedmembers", answer(200, `{"members":[{"id":"`+aliceMRI+`","aadObjectId":"`+alice+`","tenantId":"`+tenant+`"}]}`))
	return n
}

func answer(status int, body string) func(call) *answered {
	return func(call) *answered { return reply(status, body) }
}

// answered is an answer of the network's.
type answered struct {
	status int
	header http.Header
	body   string
}

// given is an answer's body, which counts as open until it is closed.
type given struct {
	io.Reader
	shut func()
}

func (g given) Close() error {
	g.shut()
	return nil
}

// give is an answer as a client reads it.
func (n *network) give(a *answered, r *http.Request) *http.Response {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.open++
	shut := sync.OnceFunc(func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.open--
	})
	return &http.Response{StatusCode: a.status, Header: a.header, Body: given{strings.NewReader(a.body), shut}, Request: r}
}

// unclosed is how many answers were given and not closed.
func (n *network) unclosed() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.open
}

func reply(status int, body string) *answered {
	return &answered{status: status, header: http.Header{"Content-Type": {"application/json"}}, body: body}
}

func (n *network) on(what string, answer func(call) *answered) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.replies[what] = answer
}

func (n *network) publish(keys ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.keys = keys
}

var errDown = errors.New("dial tcp smba.trafficmanager.net: token=the-bots-own-token")

// RoundTrip answers a call; nil is a network that is down.
func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	c := call{method: r.Method, host: r.URL.Host, path: r.URL.EscapedPath(), query: r.URL.RawQuery, header: r.Header.Clone()}
	_, c.bounded = r.Context().Deadline()
	if r.Body != nil {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		_ = json.Unmarshal(raw, &c.body)
	}
	n.mu.Lock()
	n.calls = append(n.calls, c)
	handle, keys := n.reply(c), n.keys
	n.mu.Unlock()
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	switch {
	case r.URL.String() == metadata && handle == nil:
		return n.give(reply(200, string(asJSON(object{"issuer": "https://api.botframework.com", "jwks_uri": jwks}))), r), nil
	case r.URL.String() == jwks && handle == nil:
		return n.give(reply(200, string(asJSON(object{"keys": keys}))), r), nil
	case handle == nil:
		return n.give(reply(404, `{}`), r), nil
	}
	done := make(chan *answered, 1)
	go func() { done <- handle(c) }()
	select {
	case resp := <-done:
		if resp == nil {
			return nil, errDown
		}
		return n.give(resp, r), nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// reply finds what was said about a call: by its method and one part of its
// path, else by the method alone. The lock is held.
func (n *network) reply(c call) func(call) *answered {
	parts := strings.Split(strings.Trim(c.path, "/"), "/")
	for _, part := range slices.Backward(parts) {
		if handle := n.replies[c.method+" "+part]; handle != nil {
			return handle
		}
	}
	if c.host == connector {
		return n.replies[c.method]
	}
	return nil
}

// to lists the calls to a host.
func (n *network) to(host string) []call {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(n.calls), func(c call) bool { return c.host != host })
}

func (n *network) written() []call {
	return slices.DeleteFunc(n.to(connector), func(c call) bool { return c.method == http.MethodGet })
}

// credential is the bot's own identity.
type credential struct {
	mu     sync.Mutex
	asked  int
	scopes []string
	token  string
	err    error
}

func (c *credential) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	c.scopes = o.Scopes
	return azcore.AccessToken{Token: c.token, ExpiresOn: machineTime().Add(time.Hour)}, c.err
}

// references are the state file's.
type references struct {
	mu    sync.Mutex
	of    map[string]teams.Reference
	wrote int
	err   error
}

func (r *references) Reference(_ context.Context, key string) (teams.Reference, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	ref, found := r.of[key]
	return ref, found, r.err
}

func (r *references) KeepReference(_ context.Context, ref teams.Reference) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return r.err
	}
	r.wrote++
	r.of[ref.Key] = ref
	return nil
}

// open takes it back that a conversation was shut.
func (r *references) open(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	ref := r.of[key]
	ref.Shut, ref.ShutAt = "", time.Time{}
	r.of[key] = ref
}

func (r *references) at(key string) teams.Reference {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.of[key]
}

// workflowOf stands for the workflow: it notes what it is told and answers as
// the test says.
type workflowOf struct {
	mu      sync.Mutex
	senders []workflow.Sender
	said    []string
	clicks  []workflow.Click
	filled  []card.Filled
	answer  workflow.Reply
	during  func()
}

func (s *workflowOf) note(from workflow.Sender, then func()) workflow.Reply {
	if s.during != nil {
		s.during()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.senders = append(s.senders, from)
	then()
	return s.answer
}

func (s *workflowOf) Command(_ context.Context, from workflow.Sender, text string) workflow.Reply {
	return s.note(from, func() { s.said = append(s.said, text) })
}

func (s *workflowOf) Click(_ context.Context, from workflow.Sender, c workflow.Click) workflow.Reply {
	return s.note(from, func() { s.clicks = append(s.clicks, c) })
}

func (s *workflowOf) Filled(_ context.Context, from workflow.Sender, f card.Filled) workflow.Reply {
	return s.note(from, func() { s.filled = append(s.filled, f) })
}

func (s *workflowOf) View(_ context.Context, from workflow.Sender, _ pim.RequestID, _ pim.MessageRef) workflow.Reply {
	return s.note(from, func() {})
}

func (s *workflowOf) told() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.senders)
}

// counter counts by reason.
type counter struct {
	mu sync.Mutex
	of map[string]int
}

func (c *counter) count(reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of[reason]++
}

func (c *counter) at(reason string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.of[reason]
}

// bench is a client and a handler with everything around them.
type bench struct {
	net        *network
	credential *credential
	refs       *references
	service    *workflowOf
	counts     *counter
	log        *bytes.Buffer
	client     *teams.Client
	handler    *teams.Handler
}

// tester is what tests and benchmarks have in common.
type tester interface {
	Helper()
	Fatal(...any)
	Cleanup(func())
}

func config(b *bench) teams.Config {
	return teams.Config{
		AppID: appID, TenantID: tenant, Metadata: metadata, ServiceURL: service, Credential: b.credential,
		Hosts: []string{connector}, MetadataHosts: []string{"login.botframework.com", "login.botframework.azure.us"},
		References: b.refs, Codes: theCodes(), Transport: b.net, Now: machineTime, Logger: slog.New(slog.NewJSONHandler(b.log, nil)),
	}
}

func newBench(t tester, edit func(*teams.Config)) *bench {
	t.Helper()
	b := &bench{
		net: newNetwork(), credential: &credential{token: botToken}, refs: &references{of: map[string]teams.Reference{}},
		service: &workflowOf{}, counts: &counter{of: map[string]int{}}, log: &bytes.Buffer{},
	}
	cfg := config(b)
	if edit != nil {
		edit(&cfg)
	}
	var err error
	if b.client, err = teams.NewClient(cfg); err != nil {
		t.Fatal(err)
	}
	b.handler = teams.NewHandler(teams.HandlerConfig{
		Client: b.client, Service: b.service, Now: cfg.Now, Logger: cfg.Logger, Count: b.counts.count,
	})
	t.Cleanup(b.handler.Close)
	return b
}

// typed is a message of Alice's in the personal chat, changed by with.
func typed(with object) object {
	return change(object{
		"type": "message", "id": "1", "timestamp": "2026-11-27T02:00:00.000Z", "serviceUrl": service, "channelId": "msteams",
		"from":         object{"id": aliceMRI, "name": "Alice Example", "aadObjectId": alice},
		"recipient":    object{"id": bot, "name": "Elevate"},
		"conversation": object{"id": personal, "conversationType": "personal", "tenantId": tenant},
		"channelData":  object{"tenant": object{"id": tenant}},
		"text":         "mde-admin isolating WS-042",
	}, with)
}

// saidBy is the n-th message of somebody whom everybody knows.
func saidBy(who string, n int) object {
	return typed(object{"id": fmt.Sprint(who, n), "from": object{"id": "29:" + who, "aadObjectId": who}})
}

// everybody answers that whoever is asked for is a member.
func everybody(c call) *answered {
	_, who, _ := strings.Cut(c.path, "/members/29:")
	return reply(200, string(asJSON(object{"id": "29:" + who, "aadObjectId": who, "tenantId": tenant, "userRole": "user"})))
}

// clicked is a click of Alice's on a card in the channel, changed by with.
func clicked(with object) object {
	return change(typed(object{
		"type": "invoke", "name": "adaptiveCard/action", "id": "f:1", "text": nil, "replyToId": "1",
		"conversation": object{"id": channelID + ";messageid=1", "conversationType": "channel", "tenantId": tenant},
		"value":        object{"action": object{"type": "Action.Execute", "verb": "approve", "data": object{"a": "approve", "r": "abc234", "d": "digest", "k": "card", "m": code("abc234", channelID)}}, "trigger": "manual"},
	}), with)
}

// code is what a request's card for a conversation brings back.
func code(request pim.RequestID, conversation string) string {
	return encode(theCodes().MAC(teams.Covered(request, conversation)))
}

// send gives an activity to the handler with a good token.
func (b *bench) send(activity object) *httptest.ResponseRecorder {
	return b.sendAs(activity, "Bearer "+token(nil))
}

func (b *bench) sendAs(activity object, authorization string) *httptest.ResponseRecorder {
	return b.sendRaw(string(asJSON(activity)), authorization)
}

func (b *bench) sendRaw(body, authorization string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/api/messages", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	return b.serve(r)
}

func (b *bench) serve(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	return w
}

// silent checks that whoever sent it is told nothing, that nobody was told of
// it, that nothing was written or called, and that it was counted.
func (b *bench) silent(t *testing.T, w *httptest.ResponseRecorder, status int, reason string) {
	t.Helper()
	if w.Code != status || w.Body.Len() != 0 {
		t.Errorf("answered %d %q, want %d and nothing else", w.Code, w.Body, status)
	}
	if b.counts.at(reason) != 1 || len(b.counts.of) != 1 {
		t.Errorf("counted %v, want one %s", b.counts.of, reason)
	}
	if b.service.told() != 0 || b.refs.wrote != 0 || b.credential.asked != 0 || len(b.net.to(connector)) != 0 {
		t.Errorf("told %d, wrote %d, asked for %d tokens, called %v", b.service.told(), b.refs.wrote, b.credential.asked, b.net.to(connector))
	}
}

var (
	aliceAccount = pim.ChatAccount{Chat: pim.Teams, Workspace: tenant, User: alice}
	general      = pim.Conversation{Chat: pim.Teams, Workspace: tenant, ID: channelID}
	hello        = card.Card{Title: "Hello", Fallback: "Hello.", Lines: []card.Text{card.Plain("Hello.")}}
)
