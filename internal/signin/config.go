package signin

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"

	"elevate/internal/keyset"
	"elevate/internal/pim"
	"elevate/internal/secret"
	"elevate/internal/store"
)

// The values of Config.Accounts.
const (
	AccountsSame        = "same"          // a chat account acts as the one account it was linked to
	AccountsAnyOfPerson = "any-of-person" // or as another account of the same person, both proved in one browser
)

// SlackOIDC is the app that people prove their Slack account with.
type SlackOIDC struct {
	// Issuer is Slack's address as an OpenID provider, https://slack.com.
	Issuer string
	// ClientID is the app's client id.
	ClientID string
	// Secret belongs to ClientID.
	Secret secret.Text
	// TeamID is the workspace or Enterprise organisation that is served. Accounts of others are not linked.
	TeamID string
}

// Config is what a Service needs.
type Config struct {
	// PublicURL is how browsers reach Handler, without a path.
	PublicURL string
	// TenantID is the only tenant whose accounts are taken.
	TenantID string
	// ClientID is the application that people sign in to.
	ClientID string
	// Authority is where they sign in, without the tenant.
	Authority string
	// ClientSecret, Certificate (PEM, with its key) and Assertion prove the application to Entra; one of them is set.
	ClientSecret secret.Text
	Certificate  secret.Text
	Assertion    func(context.Context) (secret.Text, error)
	// Slack is nil where Slack is not served.
	Slack *SlackOIDC
	// Scopes are the delegated permissions, written in full.
	Scopes []string
	Store  *store.DB
	Keys   *keyset.Set
	// Session is how long a sign-in is kept; 0 leaves its end to EndSession.
	Session time.Duration
	// DecideWithin is how old the sign-in of somebody who decides may be; 0 asks for one after each click.
	DecideWithin time.Duration
	// Accounts is AccountsSame or AccountsAnyOfPerson.
	Accounts string
	// Transport carries the calls to Entra and Slack. Nil means the default one.
	Transport http.RoundTripper
	// Sandbox marks every page, and allows a public address without TLS.
	Sandbox bool
	Now     func() time.Time
	Logger  *slog.Logger
	// Describe says what will happen, to stand behind "Sign in and"; "" where there is nothing (any more).
	Describe func(tx *store.Tx, intentID string) (string, error)
	// Resume carries out what was interrupted, and says what came of it in whole sentences.
	Resume func(ctx context.Context, account pim.ChatAccount, intentID string) (string, error)
	// AccountAlive says whether a chat account may be linked: nil, or a *pim.Error.
	AccountAlive func(ctx context.Context, account pim.ChatAccount) error
	// Unlinked ends, with the transaction, what waits for a chat account whose link ends.
	Unlinked func(tx *store.Tx, account pim.ChatAccount) error
	// Told sends a direct message with the transaction.
	Told func(tx *store.Tx, account pim.ChatAccount, text string) error
	// Reaches returns the chat accounts, beside linked ones, in which a person can be written to. Nil: there are none.
	Reaches func(tx *store.Tx, person pim.PrincipalID) ([]pim.ChatAccount, error)
	// Since says how fresh the sign-in for an intent has to be: not before that time, or zero where any will do. Nil
	// derives it from DecideWithin for the intents that decide.
	Since func(tx *store.Tx, intentID string) (time.Time, error)
	// Count counts what is refused, by "sign_in_" and the kind of the refusal; nil counts nothing.
	Count func(reason string)
}

func (cfg *Config) check() error {
	required := []struct {
		missing bool
		name    string
	}{
		{cfg.TenantID == "", "TenantID"},
		{cfg.ClientID == "", "ClientID"},
		{len(cfg.Scopes) == 0, "Scopes"},
		{cfg.Store == nil, "Store"},
		{cfg.Keys == nil, "Keys"},
		{cfg.Now == nil, "Now"},
		{cfg.Logger == nil, "Logger"},
		{cfg.Describe == nil, "Describe"},
		{cfg.Resume == nil, "Resume"},
		{cfg.AccountAlive == nil, "AccountAlive"},
		{cfg.Unlinked == nil, "Unlinked"},
		{cfg.Told == nil, "Told"},
	}
	for _, r := range required {
		if r.missing {
			return errors.New("signin: " + r.name + " is needed")
		}
	}
	if cfg.Accounts != AccountsSame && cfg.Accounts != AccountsAnyOfPerson {
		return errors.New("signin: Accounts must be " + AccountsSame + " or " + AccountsAnyOfPerson)
	}
	if cfg.Reaches == nil {
		cfg.Reaches = func(*store.Tx, pim.PrincipalID) ([]pim.ChatAccount, error) { return nil, nil }
	}
	if cfg.Count == nil {
		cfg.Count = func(string) {}
	}
	cfg.TenantID = strings.ToLower(cfg.TenantID)
	cfg.Authority = strings.TrimRight(cfg.Authority, "/")
	cfg.PublicURL = strings.TrimRight(cfg.PublicURL, "/")
	if cfg.Slack != nil {
		slack := *cfg.Slack
		slack.Issuer = strings.TrimRight(slack.Issuer, "/")
		cfg.Slack = &slack
	}
	return cfg.checkPublicURL()
}

func (cfg *Config) checkPublicURL() error {
	u, err := url.Parse(cfg.PublicURL)
	if err != nil || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return errors.New("signin: PublicURL must be https://host, without a path")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !cfg.Sandbox) {
		return errors.New("signin: PublicURL must begin with https://")
	}
	return nil
}

// credential is how the application proves itself.
func (cfg *Config) credential() (confidential.Credential, error) {
	switch {
	case !cfg.ClientSecret.IsZero():
		return confidential.NewCredFromSecret(cfg.ClientSecret.Reveal())
	case !cfg.Certificate.IsZero():
		return certificate(cfg.Certificate)
	case cfg.Assertion != nil:
		prove := func(ctx context.Context, _ confidential.AssertionRequestOptions) (string, error) {
			assertion, err := cfg.Assertion(ctx)
			return assertion.Reveal(), err
		}
		return confidential.NewCredFromAssertionCallback(prove), nil
	}
	return confidential.Credential{}, errors.New("signin: ClientSecret, Certificate or Assertion is needed")
}

// certificate leaves out the causes: errors of parsers may quote what they read, which here is a private key.
func certificate(pem secret.Text) (confidential.Credential, error) {
	certs, key, err := confidential.CertFromPEM([]byte(pem.Reveal()), "")
	if err != nil {
		return confidential.Credential{}, errors.New("signin: the certificate and its key cannot be read as PEM")
	}
	credential, err := confidential.NewCredFromCert(certs, key)
	if err != nil {
		return confidential.Credential{}, errors.New("signin: the certificate does not fit its key, which must be RSA")
	}
	return credential, nil
}
