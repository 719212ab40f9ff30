package signin

import (
	"context"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"elevate/internal/pim"
)

const slackCallback = "/auth/slack/callback"

// oauth is the client of Sign in with Slack, and whether Slack says that it takes PKCE.
func (s *Service) oauth(ctx context.Context) (client oauth2.Config, pkce bool, err error) {
	if s.slack == nil {
		return oauth2.Config{}, false, refuse("no Slack", "This chat account cannot be linked here. Tell an administrator.")
	}
	provider, err := s.slack.provider(ctx)
	if err != nil {
		return oauth2.Config{}, false, err
	}
	var discovery struct {
		Methods []string `json:"code_challenge_methods_supported"`
	}
	if provider.Claims(&discovery) != nil {
		return oauth2.Config{}, false, s.slack.distrust("discovery")
	}
	endpoint := provider.Endpoint()
	// Left to itself the library finds out by trying, and the first try spends the code.
	endpoint.AuthStyle = oauth2.AuthStyleInParams
	return oauth2.Config{
		ClientID: s.cfg.Slack.ClientID, ClientSecret: s.cfg.Slack.Secret.Reveal(), Endpoint: endpoint,
		RedirectURL: s.cfg.PublicURL + slackCallback, Scopes: []string{oidc.ScopeOpenID},
	}, slices.Contains(discovery.Methods, "S256"), nil
}

// slackURL makes the address at Slack.
func (s *Service) slackURL(ctx context.Context, f flow, state string) (string, error) {
	client, pkce, err := s.oauth(ctx)
	if err != nil {
		return "", err
	}
	options := []oauth2.AuthCodeOption{oidc.Nonce(f.Nonce)}
	if strings.HasPrefix(f.account.Workspace, "T") {
		options = append(options, oauth2.SetAuthURLParam("team", f.account.Workspace)) // only preselects
	}
	if pkce {
		options = append(options, oauth2.S256ChallengeOption(f.Verifier))
	}
	return client.AuthCodeURL(state, options...), nil
}

// slackClaims is what an ID token of Slack's says about an account.
type slackClaims struct {
	Subject    string `json:"sub"`
	User       string `json:"https://slack.com/user_id"`
	Team       string `json:"https://slack.com/team_id"`
	Enterprise string `json:"https://slack.com/enterprise_id"`
}

// proveSlack exchanges the code and holds the account against the one the link was made for. The access token that
// comes along is dropped.
func (s *Service) proveSlack(ctx context.Context, f flow, code string) error {
	client, pkce, err := s.oauth(ctx)
	if err != nil {
		return err
	}
	var options []oauth2.AuthCodeOption
	if pkce {
		options = append(options, oauth2.VerifierOption(f.Verifier))
	}
	token, err := client.Exchange(oidc.ClientContext(ctx, s.client), code, options...)
	if err != nil {
		// The library's error holds the whole answer.
		return &refusal{why: "Slack: the code was not taken", err: pim.Errorf(pim.Unavailable,
			"Slack did not confirm the sign-in, so nothing was linked. Ask for a new sign-in link; if it stays, tell an administrator.")}
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return s.slack.distrust("missing")
	}
	var said slackClaims
	if err := s.slack.verify(ctx, raw, f.Nonce, &said); err != nil {
		return err
	}
	return s.ownSlackAccount(f, said)
}

// ownSlackAccount is the rule that makes a link that was passed on worthless.
func (s *Service) ownSlackAccount(f flow, said slackClaims) error {
	of := f.account.Workspace
	user := said.User != "" && said.User == f.account.User && (said.Subject == "" || said.Subject == said.User)
	team := of != "" && (said.Team == of || said.Enterprise == of)
	served := s.cfg.Slack.TeamID == "" || said.Team == s.cfg.Slack.TeamID || said.Enterprise == s.cfg.Slack.TeamID
	if user && team && served {
		return nil
	}
	return wrongSlack(f)
}
