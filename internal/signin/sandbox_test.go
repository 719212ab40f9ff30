package signin_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"elevate/internal/pim"
	"elevate/internal/secret"
	"elevate/internal/signin"
	"elevate/internal/sim"
	"elevate/internal/sim/simentra"
)

// world is a bench whose issuers are the sandbox tenant and workspace, with people in real browsers.
type world struct {
	*bench
	box *sim.Sandbox
}

func newWorld(t *testing.T, change func(*signin.Config)) *world {
	t.Helper()
	box, err := sim.Start(t.Context(), sim.Config{Now: time.Now, Behavior: simentra.DefaultBehavior()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	set := box.Settings()
	b := newBench(t, func(c *signin.Config) {
		c.PublicURL, c.TenantID, c.ClientID = set.PublicURL, set.Entra.TenantID, set.Entra.ClientID
		c.Authority, c.ClientSecret = set.Entra.Authority, secret.New(set.Entra.ClientSecret)
		c.Slack = &signin.SlackOIDC{
			Issuer: set.Slack.Issuer, ClientID: set.Slack.ClientID, Secret: secret.New(set.Slack.ClientSecret), TeamID: set.Slack.TeamID,
		}
		c.Scopes = []string{
			set.Entra.Graph + "/PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup", set.Entra.Graph + "/PrivilegedEligibilitySchedule.Read.AzureADGroup",
		}
		c.Sandbox, c.Now, c.Transport = true, box.Clock.Now, box.Client(10*time.Second).Transport
		if change != nil {
			change(c)
		}
	})
	b.time = box.Clock.Now() // the state file's
	w := &world{bench: b, box: box}
	w.serve(set.Listen)
	t.Cleanup(func() { t.Log(b.log.String()) })
	return w
}

// serve puts the pages behind the sandbox's public address.
func (w *world) serve(address string) {
	w.t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(w.t.Context(), "tcp", address)
	if err != nil {
		w.t.Fatal(err)
	}
	server := &http.Server{Handler: w.svc.Handler(), ReadHeaderTimeout: 5 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // ends with ErrServerClosed
	}()
	w.t.Cleanup(func() {
		if err := server.Shutdown(context.Background()); err != nil {
			w.t.Error(err)
		}
		<-done
	})
}

func (w *world) account(key string) pim.ChatAccount {
	w.t.Helper()
	user := map[string]string{"alice": "U0PERSON01", "bob": "U0PERSON02", "frank": "U0PERSON06", "gus": "U0PERSON12", "nils": "U0PERSON10"}[key]
	return pim.ChatAccount{Chat: pim.Slack, Workspace: w.cfg.Slack.TeamID, User: user}
}

// follow lets somebody follow a link to its end, and returns the last page.
func (w *world) follow(who, link string, words ...string) *sim.Page {
	w.t.Helper()
	return w.act(who, append([]string{link}, words...)...)
}

func (w *world) act(who string, words ...string) *sim.Page {
	w.t.Helper()
	result, err := w.box.Act(w.t.Context(), who, "web", words)
	if err != nil {
		w.t.Fatalf("%s: %v", who, err)
	}
	return result.Page
}

func mustShow(t *testing.T, p *sim.Page, status int, words string) {
	t.Helper()
	if p.Status != status || p.Refusal != "" || !strings.Contains(p.Text, words) {
		t.Errorf("got %d %q (%s), want %d and %q", p.Status, p.Text, p.Refusal, status, words)
	}
}

func TestTheWholeWayInABrowser(t *testing.T) {
	w := newWorld(t, nil)
	p := w.follow("alice", w.newLink(w.account("alice"), "intent-1"))
	mustShow(t, p, http.StatusOK, "Approved. You can close this page")
	mustShow(t, p, http.StatusOK, "Your Slack account is linked to the Microsoft account of Alice Anders.")
	link, _ := w.link(w.account("alice"))
	as := pim.Actor{Person: link.Person, Account: w.account("alice")}
	token, _, err := w.svc.Token(t.Context(), as, "")
	if err != nil {
		t.Fatal(err)
	}
	if code := w.eligibilities(token); code != http.StatusOK {
		t.Errorf("Graph answers %d to the token", code)
	}
	w.box.Clock.Advance(2 * time.Hour)
	mustShow(t, w.follow("alice", w.newLink(w.account("alice"), "")), http.StatusOK, "You are signed in")
}

// eligibilities asks the sandbox's Graph with a token.
func (w *world) eligibilities(token secret.Text) int {
	w.t.Helper()
	address := w.box.GraphURL + "/v1.0/identityGovernance/privilegedAccess/group/eligibilityScheduleInstances/filterByCurrentUser(on='principal')"
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token.Reveal())
	resp, err := w.box.Client(10 * time.Second).Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

func TestAPassedOnLinkInTheSandbox(t *testing.T) {
	w := newWorld(t, nil)
	mustShow(t, w.follow("bob", w.newLink(w.account("alice"), "")), http.StatusForbidden, "is not the one this sign-in link was made for")
	if _, found := w.link(w.account("alice")); found {
		t.Error("linked")
	}
}

func TestWhomEntraDoesNotLetIn(t *testing.T) {
	w := newWorld(t, nil)
	mustShow(t, w.follow("gus", w.newLink(w.account("gus"), "")), http.StatusForbidden, "Guests of the tenant cannot use Elevate")
	// Entra keeps who is not assigned on a page of its own, and sends back who goes on from there.
	if p := w.follow("nils", w.newLink(w.account("nils"), "")); !strings.Contains(p.Text, "AADSTS50105") {
		t.Errorf("got %q", p.Text)
	}
}

func TestSeparateAdministratorAccountsInTheSandbox(t *testing.T) {
	w := newWorld(t, func(c *signin.Config) { c.Accounts = signin.AccountsAnyOfPerson })
	mustShow(t, w.follow("frank", w.newLink(w.account("frank"), "")), http.StatusOK, "is linked")
	first, _ := w.link(w.account("frank"))
	mustShow(t, w.follow("frank", w.newLink(w.account("frank"), ""), "stop"), http.StatusOK, "Sign in to Elevate")
	w.act("frank", "press", "Sign in with Microsoft", "as", "adm-frank", "stop") // Entra's page
	mustShow(t, w.act("frank", "press", "Frank Fischer (Admin)", "stop"), http.StatusOK, "Is this a second account of yours?")
	mustShow(t, w.act("frank", "page"), http.StatusOK, "You signed in as: Frank Fischer (Admin)\nSign-in name: adm-frank@contoso.example")
	mustShow(t, w.act("frank", "press", "Sign in with the linked account", "as", "frank"), http.StatusOK, "may now also act as the Microsoft account of Frank Fischer (Admin)")
	both, _ := w.link(w.account("frank"))
	if both.Person != first.Person || len(both.Also) != 1 || !w.samePerson(both.Person, both.Also[0]) {
		t.Errorf("before %+v, after %+v", first, both)
	}
}

func TestRevokedSessionsAreOver(t *testing.T) {
	w := newWorld(t, nil)
	w.box.Entra.SetBehavior(func(b *simentra.Behavior) { b.AccessTokenLife = time.Second })
	w.follow("alice", w.newLink(w.account("alice"), ""))
	link, _ := w.link(w.account("alice"))
	as := pim.Actor{Person: link.Person, Account: w.account("alice")}
	if _, _, err := w.svc.Token(t.Context(), as, ""); err != nil {
		t.Fatalf("renewing: %v", err)
	}
	if err := w.box.Entra.RevokeSessions("alice"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.svc.Token(t.Context(), as, ""); !pim.IsKind(err, pim.SignIn) {
		t.Errorf("after the revocation: %v", err)
	}
	if _, found := w.session(w.account("alice")); found {
		t.Error("the session is still there")
	}
}

func TestNoConsentIsSaid(t *testing.T) {
	w := newWorld(t, nil)
	w.box.Entra.SetConsents(w.cfg.ClientID, []string{"openid", "profile", "offline_access"}, nil)
	if p := w.follow("alice", w.newLink(w.account("alice"), "")); !strings.Contains(p.Text, "AADSTS90094") && !strings.Contains(p.Text, "grant admin consent") {
		t.Errorf("got %d %q", p.Status, p.Text)
	}
}

func TestACertificateOfThePublicAddressIsNeeded(t *testing.T) {
	b := newBench(t, nil)
	for address, ok := range map[string]bool{
		"https://elevate.example": true, "https://elevate.example/": true, "http://elevate.example": false, "https://elevate.example/x": false,
		"https://u@elevate.example": false, "elevate.example": false, "": false,
	} {
		b.cfg.PublicURL = address
		if _, err := newService(b); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
}
