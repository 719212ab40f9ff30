package signin_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"elevate/internal/pim"
	"elevate/internal/signin"
	"elevate/internal/store"
)

var asAlice = pim.Actor{Person: alice, Account: aliceSlack}

// token asks for a token and returns the kind of the refusal, or "".
func (b *bench) token(as pim.Actor) (string, pim.Kind) {
	b.t.Helper()
	text, expires, err := b.svc.Token(b.t.Context(), as, "")
	if err != nil {
		for _, secretPart := range []string{"https://", "refresh", "access-", clientSecret, "trap"} {
			if strings.Contains(err.Error(), secretPart) {
				b.t.Errorf("the error holds %q: %v", secretPart, err)
			}
		}
		return "", pim.Explain(err).Kind
	}
	if !strings.HasPrefix(text.Reveal(), "access-") || expires.IsZero() {
		b.t.Errorf("token %q until %v", text.Reveal(), expires)
	}
	return text.Reveal(), ""
}

// refreshes counts what the token endpoint was asked to renew.
func (p *idp) refreshes() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, form := range p.asked {
		if form.Get("grant_type") == "refresh_token" {
			n++
		}
	}
	return n
}

// short lets the access tokens of a linked bench die at once, so that each use has to renew.
func short(t *testing.T) *bench {
	t.Helper()
	b := newBench(t, nil)
	b.idp.life = 1 // MSAL takes what lives less than five minutes for dead
	w := b.visitor().signInBoth(b.newLink(aliceSlack, ""), person(alice, "Alice"), slackAccount(team, aliceSlack.User))
	if w.Code != http.StatusOK {
		t.Fatalf("linking: %s", textOf(w))
	}
	return b
}

func TestASessionServesItsPersonAndChatAccountOnly(t *testing.T) {
	b := linked(t, nil)
	first, kind := b.token(asAlice)
	if second, _ := b.token(asAlice); kind != "" || second != first {
		t.Errorf("the cached token was not used again: %s", kind)
	}
	for name, as := range map[string]pim.Actor{
		"another person":       {Person: bob, Account: aliceSlack},
		"nobody":               {Account: aliceSlack},
		"another chat account": {Person: alice, Account: bobSlack},
		"no chat account":      {Person: alice},
		"another workspace":    {Person: alice, Account: pim.ChatAccount{Chat: pim.Slack, Workspace: "T0X", User: aliceSlack.User}},
		"another chat":         {Person: alice, Account: pim.ChatAccount{Chat: pim.Teams, Workspace: team, User: aliceSlack.User}},
	} {
		if _, kind := b.token(as); kind != pim.SignIn {
			t.Errorf("%s: got %q, want %s", name, kind, pim.SignIn)
		}
	}
	if _, kind := b.token(asAlice); kind != "" {
		t.Errorf("afterwards the rightful one is refused: %s", kind)
	}
}

func TestASessionIsOverAfterItsTime(t *testing.T) {
	b := linked(t, nil)
	b.advance(8*time.Hour - time.Second)
	if _, kind := b.token(asAlice); kind != "" {
		t.Errorf("before its end: %s", kind)
	}
	b.advance(time.Second)
	if _, kind := b.token(asAlice); kind != pim.SignIn {
		t.Errorf("after its end: %q", kind)
	}
}

func TestASessionIsRenewedAndStored(t *testing.T) {
	b := short(t)
	before, _ := b.session(aliceSlack)
	first := b.sealed(aliceSlack)
	if _, kind := b.token(asAlice); kind != "" {
		t.Fatal(kind)
	}
	after, _ := b.session(aliceSlack)
	if same := bytes.Equal(first, b.sealed(aliceSlack)); b.idp.refreshes() != 1 || same || !after.Expires.Equal(before.Expires) {
		t.Errorf("%d refreshes, the same cache: %t", b.idp.refreshes(), same)
	}
	b.restart()
	if _, kind := b.token(asAlice); kind != "" {
		t.Errorf("after a restart: %s", kind)
	}
	forms := b.idp.asked
	if one, other := forms[len(forms)-2].Get("refresh_token"), forms[len(forms)-1].Get("refresh_token"); one == other {
		t.Error("the new refresh token was not stored")
	}
	if !strings.Contains(forms[len(forms)-1].Get("claims"), "CP1") {
		t.Error("the renewal did not declare the capability")
	}
}

func TestOneRenewalAtATime(t *testing.T) {
	b := short(t)
	b.idp.life = 3600
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if _, kind := b.token(asAlice); kind != "" {
				t.Error(kind)
			}
		})
	}
	wait.Wait()
	if n := b.idp.refreshes(); n != 1 {
		t.Errorf("%d renewals for eight calls, want 1", n)
	}
}

func TestAClaimsChallengeTakesABrowser(t *testing.T) {
	const claims = `{"access_token":{"acrs":{"essential":true,"value":"c1"}}}`
	b := linked(t, nil)
	asked := len(b.idp.asked)
	_, _, err := b.svc.Token(t.Context(), asAlice, claims)
	var said *pim.Error
	if !errors.As(err, &said) || said.Kind != pim.SignIn || said.Claims != claims {
		t.Errorf("got %v, want a sign-in with these claims", err)
	}
	if _, found := b.session(aliceSlack); !found || len(b.idp.asked) != asked {
		t.Error("the session ended, or Entra was asked")
	}
}

// The table of what a token endpoint may answer to a renewal.
func TestFailingRenewals(t *testing.T) {
	for name, row := range map[string]struct {
		status int
		body   string
		kind   pim.Kind
		ends   bool
	}{
		"revoked":              {400, `{"error":"invalid_grant","error_codes":[50173],"error_description":"trap https://x"}`, pim.SignIn, true},
		"expired":              {400, `{"error":"invalid_grant","error_codes":[700082]}`, pim.SignIn, true},
		"any invalid_grant":    {400, `{"error":"invalid_grant"}`, pim.SignIn, true},
		"interaction required": {400, `{"error":"interaction_required","error_codes":[50076],"claims":"{\"access_token\":{}}"}`, pim.SignIn, true},
		"disabled":             {400, `{"error":"invalid_grant","error_codes":[50057]}`, pim.Forbidden, true},
		"secret expired":       {401, `{"error":"invalid_client","error_codes":[7000222]}`, pim.Administered, false},
		"any client error":     {401, `{"error":"invalid_client"}`, pim.Administered, false},
		"throttled":            {429, `trap`, pim.Throttled, false},
		"down":                 {503, `trap`, pim.Unavailable, false},
		"temporarily":          {400, `{"error":"temporarily_unavailable"}`, pim.Unavailable, false},
		"garbled":              {200, `trap`, pim.Forbidden, false},
		"endless":              {200, strings.Repeat(" ", 2<<20) + `{"expires_in":3600,"access_token":"x"}`, pim.Forbidden, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := short(t)
			b.idp.fail = func(url.Values) (int, string) { return row.status, row.body }
			if _, kind := b.token(asAlice); kind != row.kind {
				t.Errorf("got %q, want %q", kind, row.kind)
			}
			if _, found := b.session(aliceSlack); found == row.ends {
				t.Errorf("the session is there: %t", found)
			}
			if strings.Contains(b.log.String(), "trap") {
				t.Errorf("the log repeats the answer: %s", b.log.String())
			}
		})
	}
}

func TestTheWaitAndTheClaimsOfARenewalAreHandedOn(t *testing.T) {
	b := short(t)
	b.idp.fail = func(url.Values) (int, string) {
		return 400, `{"error":"interaction_required","error_codes":[50076],"claims":"{\"access_token\":{\"x\":1}}"}`
	}
	_, _, err := b.svc.Token(t.Context(), asAlice, "")
	if said := pim.Explain(err); said.Claims != `{"access_token":{"x":1}}` {
		t.Errorf("claims %q", said.Claims)
	}
}

func TestARenewalForAnotherAccountIsRefused(t *testing.T) {
	b := short(t)
	b.idp.mu.Lock()
	for token := range b.idp.refresh {
		b.idp.refresh[token] = person(bob, "Bob")
	}
	b.idp.mu.Unlock()
	if _, kind := b.token(asAlice); kind != pim.SignIn {
		t.Errorf("got %q", kind)
	}
	if _, found := b.session(aliceSlack); found {
		t.Error("the session is still there")
	}
}

func TestACanceledCallEndsNothing(t *testing.T) {
	b := short(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := b.svc.Token(ctx, asAlice, ""); !pim.IsKind(err, pim.Unavailable) {
		t.Errorf("got %v", err)
	}
	if _, found := b.session(aliceSlack); !found {
		t.Error("the session ended")
	}
}

// Whoever can write the state file gains nothing by moving sessions about.
func TestASealedCacheOpensInItsOwnPlaceOnly(t *testing.T) {
	for name, move := range map[string]func(s *store.Session, sealed []byte) []byte{
		"to another person":       func(s *store.Session, sealed []byte) []byte { s.Person = bob; return sealed },
		"to another chat account": func(s *store.Session, sealed []byte) []byte { s.Account = bobSlack; return sealed },
		"changed":                 func(_ *store.Session, sealed []byte) []byte { sealed[len(sealed)-1] ^= 1; return sealed },
		"cut":                     func(_ *store.Session, sealed []byte) []byte { return sealed[:10] },
		"emptied":                 func(*store.Session, []byte) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			b := linked(t, nil)
			session, _ := b.session(aliceSlack)
			moved := move(&session, b.sealed(aliceSlack))
			b.update(func(tx *store.Tx) error { return tx.PutSession(session, moved) })
			if _, kind := b.token(pim.Actor{Person: session.Person, Account: session.Account}); kind != pim.SignIn {
				t.Errorf("got %q, want %s", kind, pim.SignIn)
			}
			if _, found := b.session(session.Account); found {
				t.Error("the moved session is still there")
			}
		})
	}
}

func TestACacheOfAnotherAccountIsRefused(t *testing.T) {
	// Both caches are sealed for Alice's place, the second one by somebody with the keyset: it holds Bob's account.
	b := linked(t, nil)
	other := linked(t, func(c *signin.Config) { c.Keys = b.cfg.Keys })
	if other.cfg.Keys != b.cfg.Keys {
		t.Fatal("two keysets")
	}
	w := other.visitor().signInBoth(other.newLink(bobSlack, ""), person(bob, "Bob"), slackAccount(team, bobSlack.User))
	mustSay(t, w, http.StatusOK, "is linked")
	plain, err := b.cfg.Keys.Open(other.sealed(bobSlack), placeOf(bob, bobSlack))
	if err != nil {
		t.Fatal(err)
	}
	mine, _ := b.session(aliceSlack)
	sealed, err := b.cfg.Keys.Seal(plain, placeOf(alice, aliceSlack))
	if err != nil {
		t.Fatal(err)
	}
	b.update(func(tx *store.Tx) error { return tx.PutSession(mine, sealed) })
	if _, kind := b.token(asAlice); kind != pim.SignIn {
		t.Errorf("got %q, want %s", kind, pim.SignIn)
	}
}

func TestSigningOutEndsTheSession(t *testing.T) {
	for name, end := range map[string]func(*signin.Service, *store.Tx) error{
		"sign-out":   func(s *signin.Service, tx *store.Tx) error { return s.SignOut(tx, aliceSlack) },
		"the effect": func(s *signin.Service, tx *store.Tx) error { return s.EndSession(tx, aliceSlack) },
	} {
		t.Run(name, func(t *testing.T) {
			b := linked(t, nil)
			for range 2 { // the second one finds nothing
				b.update(func(tx *store.Tx) error { return end(b.svc, tx) })
			}
			if _, kind := b.token(asAlice); kind != pim.SignIn {
				t.Errorf("got %q", kind)
			}
			events := b.events()
			if len(events) != 3 || events[2] != "signed_out "+alice {
				t.Errorf("events: %q", events)
			}
			if _, found := b.link(aliceSlack); !found {
				t.Error("the link ended too")
			}
		})
	}
}

func TestASignOutDuringARenewalStands(t *testing.T) {
	b := short(t)
	b.idp.fail = func(url.Values) (int, string) {
		b.update(func(tx *store.Tx) error { return b.svc.SignOut(tx, aliceSlack) })
		return 0, ""
	}
	if _, kind := b.token(asAlice); kind != pim.SignIn {
		t.Errorf("got %q", kind)
	}
	if _, found := b.session(aliceSlack); found {
		t.Error("the renewal brought the session back")
	}
}

func TestSessionsOfOneEffectHaveAnOuterEnd(t *testing.T) {
	b := linked(t, func(c *signin.Config) { c.Session = 0 })
	session, _ := b.session(aliceSlack)
	if got := session.Expires.Sub(b.now()); got != time.Hour {
		t.Errorf("it is kept for %s", strconv.FormatFloat(got.Minutes(), 'f', 0, 64))
	}
}
