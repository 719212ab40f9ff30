package main

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"elevate/internal/config"
	"elevate/internal/keyset"
	"elevate/internal/pim"
	"elevate/internal/secret"
)

// With a real tenant's addresses Teams is wired as it is in the sandbox, and calls nobody for it.
func TestTeamsIsWiredForARealTenant(t *testing.T) {
	t.Parallel()
	called := transport(func(r *http.Request) (*http.Response, error) {
		t.Errorf("called %s", r.URL.Host)
		return nil, http.ErrServerClosed
	})
	keys, err := keyset.New(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	b := &bot{
		cfg: &config.Config{
			Entra: config.Entra{TenantID: "11111111-1111-4111-8111-111111111111", Authority: "https://login.microsoftonline.com"},
			Teams: &config.Teams{
				AppID: "33333333-3333-4333-8333-333333333333", TenantID: "11111111-1111-4111-8111-111111111111",
				Credential:     config.Credential{ClientSecret: secret.New("x")},
				OpenIDMetadata: "https://login.botframework.com/v1/.well-known/openidconfiguration", ServiceURL: "https://smba.trafficmanager.net/teams/",
			},
		},
		around: surroundings{now: time.Now, transport: called, log: slog.New(slog.DiscardHandler)},
		keys:   keys,
	}
	if err := b.wireTeams(); err != nil || b.teams == nil {
		t.Errorf("not wired: %v", err)
	}
}

// Entra's and the bot's credentials are read alike, so an error has to say whose is wrong, and doctor says the same sentence.
func TestAnUnusableCredentialOfTheBotsIsNamed(t *testing.T) {
	t.Parallel()
	cfg := &config.Config{
		Entra: config.Entra{TenantID: "11111111-1111-4111-8111-111111111111", Authority: "https://login.microsoftonline.com"},
		Teams: &config.Teams{
			AppID: "33333333-3333-4333-8333-333333333333", TenantID: "11111111-1111-4111-8111-111111111111",
			Credential: config.Credential{Certificate: secret.New("no certificate")},
		},
	}
	_, err := newTeams(cfg, surroundings{now: time.Now}, references{}, nil)
	if err == nil || !strings.Contains(err.Error(), "under teams in the settings") {
		t.Errorf("the error is %v", err)
	}
	if said := pim.Explain(err).Message; !strings.HasPrefix(said, "The certificate cannot be read.") {
		t.Errorf("doctor would say %q", said)
	}
}

type transport func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
