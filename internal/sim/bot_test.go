package sim_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/slack-go/slack"
	"golang.org/x/oauth2"

	"elevate/internal/sim"
)

// bot is a little app that links a Slack account as the real one does: both accounts proved in one browser.
type bot struct {
	t        *testing.T
	settings sim.Settings
	client   *http.Client
	api      *slack.Client
	verifier string

	mu     sync.Mutex
	linked string // "U… is oid …"
	origin []string
	oid    string
}

// startSandbox starts a sandbox with a bot that listens where it is expected.
func startSandbox(t *testing.T, cfg sim.Config) (*sim.Sandbox, *bot) {
	t.Helper()
	cfg.Now = machineNow
	s, err := sim.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	b := &bot{t: t, settings: s.Settings(), client: s.Client(10 * time.Second), verifier: oauth2.GenerateVerifier()}
	b.api = slack.New(b.settings.Slack.BotToken, slack.OptionAPIURL(b.settings.Slack.API), slack.OptionHTTPClient(b.client))
	mux := http.NewServeMux()
	mux.HandleFunc("POST /slack/commands", b.command)
	mux.HandleFunc("POST /slack/interactions", b.interaction)
	mux.HandleFunc("GET /auth/start", b.page)
	mux.HandleFunc("POST /auth/start", b.start)
	mux.HandleFunc("GET /auth/entra/callback", b.entraCallback)
	mux.HandleFunc("GET /auth/slack/callback", b.slackCallback)
	listenAt(t, b.settings.Listen, mux)
	return s, b
}

func (b *bot) command(w http.ResponseWriter, r *http.Request) {
	body, err := b.verified(r)
	if err != nil {
		http.Error(w, "no", http.StatusUnauthorized)
		return
	}
	form, _ := url.ParseQuery(string(body))
	if form.Get("text") == "card" {
		_, _, err := b.api.PostMessageContext(r.Context(), "C0APPROVALS", slack.MsgOptionText("Request", false), card())
		if err != nil {
			http.Error(w, "no", http.StatusInternalServerError)
		}
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"text":"<%s/auth/start?l=1|Sign in> to go on with %s"}`, b.settings.PublicURL, form.Get("text"))
}

func card() slack.MsgOption {
	return slack.MsgOptionBlocks(slack.NewActionBlock("b",
		slack.NewButtonBlockElement("deny", "AB12CD", slack.NewTextBlockObject("plain_text", "Deny", false, false))))
}

// interaction opens a form for a reason, and rewrites the card with it.
func (b *bot) interaction(w http.ResponseWriter, r *http.Request) {
	body, err := b.verified(r)
	if err != nil {
		http.Error(w, "no", http.StatusUnauthorized)
		return
	}
	form, _ := url.ParseQuery(string(body))
	var callback slack.InteractionCallback
	if err := callback.UnmarshalJSON([]byte(form.Get("payload"))); err != nil {
		http.Error(w, "no", http.StatusBadRequest)
		return
	}
	if callback.Type == slack.InteractionTypeViewSubmission {
		reason := callback.View.State.Values["reason"]["reason"].Value
		_, _, _, err = b.api.UpdateMessageContext(r.Context(), "C0APPROVALS", callback.View.PrivateMetadata,
			slack.MsgOptionText("Denied: "+reason, false), slack.MsgOptionBlocks())
	} else {
		_, err = b.api.OpenViewContext(r.Context(), callback.TriggerID, reasonForm(callback.Message.Timestamp))
	}
	if err != nil {
		b.t.Errorf("the bot could not answer: %v", err)
	}
}

func reasonForm(ts string) slack.ModalViewRequest {
	text := func(s string) *slack.TextBlockObject { return slack.NewTextBlockObject("plain_text", s, false, false) }
	return slack.ModalViewRequest{
		Type: "modal", Title: text("Deny"), Submit: text("Deny"), PrivateMetadata: ts,
		Blocks: slack.Blocks{BlockSet: []slack.Block{slack.NewInputBlock("reason", text("Reason"), nil, slack.NewPlainTextInputBlockElement(nil, "reason"))}},
	}
}

func (b *bot) verified(r *http.Request) ([]byte, error) {
	v, err := slack.NewSecretsVerifier(r.Header, b.settings.Slack.SigningSecret)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.TeeReader(r.Body, &v))
	return body, errors.Join(err, v.Ensure())
}

func (b *bot) page(w http.ResponseWriter, _ *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: "__Host-link", Value: "1", Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; form-action 'self' "+b.settings.Entra.Authority)
	_, _ = io.WriteString(w, `<!doctype html><title>t</title><h1>Sign in</h1><p>as <b>Alice</b>.</p>
<form method="post"><input type="hidden" name="token" value="x"><button>Sign in and link</button></form>`)
}

func (b *bot) start(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie("__Host-link"); err != nil || c.Value != "1" || r.PostFormValue("token") != "x" {
		http.Error(w, "no cookie", http.StatusForbidden)
		return
	}
	b.mu.Lock()
	b.origin = append(b.origin, r.Header.Get("Origin"), r.Header.Get("Sec-Fetch-Site"))
	b.mu.Unlock()
	config, _, err := b.entra(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	http.Redirect(w, r, config.AuthCodeURL("state1", oidc.Nonce("nonce1"), oauth2.S256ChallengeOption(b.verifier)), http.StatusFound)
}

func (b *bot) entra(ctx context.Context) (*oauth2.Config, *oidc.Provider, error) {
	e := b.settings.Entra
	p, err := oidc.NewProvider(oidc.ClientContext(ctx, b.client), e.Authority+"/"+e.TenantID+"/v2.0")
	if err != nil {
		return nil, nil, err
	}
	return &oauth2.Config{
		ClientID: e.ClientID, ClientSecret: e.ClientSecret, Endpoint: p.Endpoint(),
		RedirectURL: b.settings.PublicURL + "/auth/entra/callback", Scopes: []string{"openid", "profile"},
	}, p, nil
}

func (b *bot) slack(ctx context.Context) (*oauth2.Config, *oidc.Provider, error) {
	p, err := oidc.NewProvider(oidc.ClientContext(ctx, b.client), b.settings.Slack.Issuer)
	if err != nil {
		return nil, nil, err
	}
	endpoint := p.Endpoint()
	endpoint.AuthStyle = oauth2.AuthStyleInParams
	return &oauth2.Config{
		ClientID: b.settings.Slack.ClientID, ClientSecret: b.settings.Slack.ClientSecret, Endpoint: endpoint,
		RedirectURL: b.settings.PublicURL + "/auth/slack/callback", Scopes: []string{"openid"},
	}, p, nil
}

// redeemed is what a callback brought: the verified claims of the ID token.
func (b *bot) redeemed(r *http.Request, nonce string, provider func(context.Context) (*oauth2.Config, *oidc.Provider, error), opts ...oauth2.AuthCodeOption) (map[string]any, error) {
	ctx := oidc.ClientContext(r.Context(), b.client)
	config, issuer, err := provider(ctx)
	if err != nil {
		return nil, err
	}
	token, err := config.Exchange(ctx, r.URL.Query().Get("code"), opts...)
	if err != nil {
		return nil, err
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := issuer.Verifier(&oidc.Config{ClientID: config.ClientID}).Verify(ctx, raw)
	if err != nil {
		return nil, err
	}
	if id.Nonce != nonce {
		return nil, errors.New("wrong nonce")
	}
	claims := map[string]any{}
	return claims, id.Claims(&claims)
}

func (b *bot) entraCallback(w http.ResponseWriter, r *http.Request) {
	claims, err := b.redeemed(r, "nonce1", b.entra, oauth2.VerifierOption(b.verifier))
	if err != nil || r.URL.Query().Get("state") != "state1" {
		http.Error(w, fmt.Sprint("entra: ", err), http.StatusBadRequest)
		return
	}
	b.mu.Lock()
	b.oid, _ = claims["oid"].(string)
	b.mu.Unlock()
	config, _, err := b.slack(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	http.Redirect(w, r, config.AuthCodeURL("state2", oidc.Nonce("nonce2")), http.StatusFound)
}

func (b *bot) slackCallback(w http.ResponseWriter, r *http.Request) {
	claims, err := b.redeemed(r, "nonce2", b.slack)
	if err != nil {
		http.Error(w, fmt.Sprint("slack: ", err), http.StatusBadRequest)
		return
	}
	b.mu.Lock()
	b.linked = fmt.Sprint(claims["https://slack.com/team_id"], " ", claims["https://slack.com/user_id"], " is ", b.oid)
	b.mu.Unlock()
	w.Header().Set("Content-Type", "text/html")
	_, _ = io.WriteString(w, "<h1>Linked</h1><p>You can close this page.</p>")
}

func listenAt(t *testing.T, addr string, h http.Handler) {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	if err := server.Listener.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := listen(t.Context(), addr)
	if err != nil {
		t.Fatal(err)
	}
	server.Listener = l
	server.Start()
	t.Cleanup(server.Close)
}

func contains(t *testing.T, got string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(got, part) {
			t.Errorf("%q is not in:\n%s", part, got)
		}
	}
}
