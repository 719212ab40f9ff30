package signin

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"golang.org/x/time/rate"

	"elevate/internal/bounded"
	"elevate/internal/pim"
	"elevate/internal/store"
)

const (
	// callTimeout bounds one call to Entra or Slack; maxAnswer is the longest answer that is read.
	callTimeout = 20 * time.Second
	maxAnswer   = 1 << 20
	// finishWithin bounds what happens after a sign-in, also when the browser has gone away.
	finishWithin = 30 * time.Second
	// The pages take this many calls a second together, and bursts of pagesAtOnce: a proxy hides who is behind them.
	pagesPerSecond = 50
	pagesAtOnce    = 200
	// Beyond that, whoever holds a link or comes back from an issuer may go on, so that nobody's calls shut out others:
	// so many calls at once for one chat account, then one each second.
	ownPages     = 20
	ownPageEvery = time.Second
)

// The issuers, as people call them.
const (
	nameMicrosoft = "Microsoft"
	nameSlack     = "Slack"
)

// Service links accounts and keeps sessions. It is safe for concurrent use.
type Service struct {
	cfg        Config
	client     *http.Client
	credential confidential.Credential
	// asker makes the addresses at Entra. It never holds a token.
	asker   confidential.Client
	entra   *issuer
	slack   *issuer // nil where Slack is not served
	pages   *pages
	limit   *rate.Limiter
	own     *bounded.Rates
	flights flights
}

// New makes a Service. It calls nobody.
func New(cfg Config) (*Service, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	credential, err := cfg.credential()
	if err != nil {
		return nil, err
	}
	looks, err := newPages(cfg.Sandbox)
	if err != nil {
		return nil, err
	}
	s := &Service{
		cfg: cfg, client: newClient(cfg.Transport), credential: credential, pages: looks,
		limit: rate.NewLimiter(pagesPerSecond, pagesAtOnce), own: bounded.NewRates(ownPages, ownPageEvery, 10_000),
	}
	if s.asker, err = s.msal(nil); err != nil {
		return nil, errors.New("signin: the authority must be https://host")
	}
	s.entra = s.newIssuer(nameMicrosoft, cfg.Authority+"/"+cfg.TenantID+"/v2.0", cfg.ClientID)
	if cfg.Slack != nil {
		s.slack = s.newIssuer(nameSlack, cfg.Slack.Issuer, cfg.Slack.ClientID)
	}
	return s, nil
}

func (s *Service) newIssuer(name, address, clientID string) *issuer {
	return &issuer{name: name, url: address, clientID: clientID, client: s.client, now: s.cfg.Now}
}

// newClient caps answers and follows no redirects: none of the addresses that are called has any.
func newClient(transport http.RoundTripper) *http.Client {
	if transport == nil {
		transport = &http.Transport{
			Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, TLSHandshakeTimeout: callTimeout, IdleConnTimeout: time.Minute,
			MaxIdleConnsPerHost: 8,
		}
	}
	return &http.Client{
		Timeout: callTimeout, Transport: capped{transport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// capped cuts answers that are longer than any we expect; the libraries read bodies whole.
type capped struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (c capped) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	return resp, nil
}

// Link makes a sign-in link for a chat account inside the caller's transaction. It works once, for ten minutes. What was
// interrupted (intentID) goes on after the sign-in; claims is a claims challenge the sign-in has to meet. Both may be empty.
func (s *Service) Link(tx *store.Tx, account pim.ChatAccount, accountName, workspaceName, intentID, claims string) (string, error) {
	link := ask{Name: cut(accountName), Workspace: cut(workspaceName), Claims: claims}
	link.Choose = s.cfg.Accounts == AccountsAnyOfPerson
	token, err := s.putLink(tx, account, intentID, link)
	if err != nil {
		return "", err
	}
	return s.cfg.PublicURL + "/auth/start?" + url.Values{"t": {token}}.Encode(), nil
}

func (s *Service) putLink(tx *store.Tx, account pim.ChatAccount, intentID string, link ask) (string, error) {
	token := newToken()
	link.Until = tx.Now().Add(ticketLife)
	return token, s.putTicket(tx, store.Ticket{
		Hash: linkHash(token), Kind: kindLink, Account: account, Intent: intentID, Expires: link.Until.Add(linkRemembered),
	}, link)
}

// cut keeps foreign names from filling a page.
func cut(name string) string {
	const most = 80
	if r := []rune(name); len(r) > most {
		return string(r[:most]) + "…"
	}
	return name
}

// since is how fresh the sign-in for an intent has to be; zero where any will do.
func (s *Service) since(tx *store.Tx, intentID string) (time.Time, error) {
	if s.cfg.Since != nil {
		return s.cfg.Since(tx, intentID)
	}
	if intentID == "" {
		return time.Time{}, nil
	}
	intent, err := tx.Intent(intentID)
	switch {
	case pim.IsKind(err, pim.NotFound):
		return time.Time{}, nil
	case err != nil || (intent.Verb != "approve" && intent.Verb != "deny"):
		return time.Time{}, err
	case s.cfg.DecideWithin == 0:
		return intent.Clicked, nil
	}
	return tx.Now().Add(-s.cfg.DecideWithin), nil
}

// resume lets what was interrupted go on, and says so on a page.
func (s *Service) resume(ctx context.Context, f flow, said string) *page {
	done := &page{Status: http.StatusOK, Tone: good, Title: "You are signed in", Facts: accountFacts(f.account, f.Ask)}
	if said != "" {
		done.Lines = append(done.Lines, said)
	}
	if f.intent == "" {
		done.Lines = append(done.Lines, "You can close this page and go on in "+chatName(f.account.Chat)+".")
		return done
	}
	text, err := s.cfg.Resume(ctx, f.account, f.intent)
	if err == nil {
		done.Lines = append(done.Lines, text)
		return done
	}
	why := pim.Explain(err)
	s.cfg.Logger.Warn("the interrupted step did not go on", "account", f.account.String(), "kind", string(why.Kind))
	done.Status, done.Tone, done.Title = statusOf(why.Kind), bad, "You are signed in, but the rest did not work"
	done.Lines = append(done.Lines, why.Message)
	return done
}
