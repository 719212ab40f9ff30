package signin_test

import (
	"crypto/rsa"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"elevate/internal/pim"
)

// atEntra is a browser that was sent to Entra; back is where Entra sends it.
func atEntra(t *testing.T, b *bench) (v *visitor, back string) {
	t.Helper()
	v = b.visitor()
	return v, b.idp.approve(v.press(v.get(b.newLink(aliceSlack, "intent-1"))), person(alice, "Alice"))
}

func with(tb testing.TB, address string, change func(url.Values)) string {
	tb.Helper()
	u, err := url.Parse(address)
	if err != nil {
		tb.Fatal(err)
	}
	query := u.Query()
	change(query)
	u.RawQuery = query.Encode()
	return u.String()
}

// A callback that is not exactly the answer to our question changes nothing, and does not use up the question.
func TestCallbacksThatAreNotOurs(t *testing.T) {
	for name, attack := range map[string]func(v *visitor, back string) *httptest.ResponseRecorder{
		"another browser": func(v *visitor, back string) *httptest.ResponseRecorder {
			other := v.visitor()
			other.get(v.newLink(bobSlack, ""))
			return other.get(back)
		},
		"no cookie": func(v *visitor, back string) *httptest.ResponseRecorder { return v.visitor().get(back) },
		"a made-up cookie": func(v *visitor, back string) *httptest.ResponseRecorder {
			other := v.visitor()
			other.cookie = &http.Cookie{Name: "__Host-elevate-signin", Value: strings.Repeat("A", 43)}
			return other.get(back)
		},
		"the other issuer's callback": func(v *visitor, back string) *httptest.ResponseRecorder {
			return v.get(strings.Replace(back, "/auth/entra/", "/auth/slack/", 1))
		},
		"an unknown state": func(v *visitor, back string) *httptest.ResponseRecorder {
			return v.get(with(v.t, back, func(q url.Values) { q.Set("state", strings.Repeat("A", 43)) }))
		},
		"two states": func(v *visitor, back string) *httptest.ResponseRecorder {
			return v.get(with(v.t, back, func(q url.Values) { q.Add("state", q.Get("state")) }))
		},
		"no state": func(v *visitor, back string) *httptest.ResponseRecorder {
			return v.get(with(v.t, back, func(q url.Values) { q.Del("state") }))
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			v, back := atEntra(t, b)
			mustSay(t, attack(v, back), http.StatusForbidden, "This sign-in cannot go on here")
			if len(b.idp.asked) != 0 {
				t.Error("the code was sent to Entra")
			}
			if w := v.get(back); w.Code != http.StatusSeeOther {
				t.Errorf("afterwards the rightful browser cannot go on: %d %s", w.Code, textOf(w))
			}
		})
	}
}

func TestAStateWorksOnceAndForTenMinutes(t *testing.T) {
	b := newBench(t, nil)
	v, back := atEntra(t, b)
	if w := v.get(back); w.Code != http.StatusSeeOther {
		t.Fatalf("%d %s", w.Code, textOf(w))
	}
	for range 2 {
		mustSay(t, v.get(back), http.StatusConflict, "This sign-in is over")
	}
	if len(b.idp.asked) != 1 {
		t.Errorf("Entra was asked %d times", len(b.idp.asked))
	}
	other := b.visitor()
	other.get(b.newLink(aliceSlack, ""))
	mustSay(t, other.get(back), http.StatusForbidden, "This sign-in cannot go on here")
	b.advance(time.Hour)
	mustSay(t, v.get(back), http.StatusForbidden, "This sign-in cannot go on here")
	v, back = atEntra(t, b)
	b.advance(10 * time.Minute)
	mustSay(t, v.get(back), http.StatusForbidden, "This sign-in cannot go on here")
}

func TestAHeadRequestSpendsNoState(t *testing.T) {
	b := newBench(t, nil)
	v, back := atEntra(t, b)
	if w := v.send(httptest.NewRequest(http.MethodHead, strings.TrimPrefix(back, public), nil)); w.Code != http.StatusBadRequest {
		t.Errorf("HEAD: %d", w.Code)
	}
	if w := v.get(back); w.Code != http.StatusSeeOther {
		t.Errorf("afterwards: %d %s", w.Code, textOf(w))
	}
}

func TestTwoTabsDoNotDisturbEachOther(t *testing.T) {
	b := linked(t, nil)
	v := b.visitor()
	first := v.press(v.get(b.newLink(aliceSlack, "intent-1")))
	second := v.press(v.get(b.newLink(aliceSlack, "intent-2")))
	mustSay(t, v.get(b.idp.approve(second, person(alice, "Alice"))), http.StatusOK, "Approved.")
	mustSay(t, v.get(b.idp.approve(first, person(alice, "Alice"))), http.StatusOK, "Approved.")
	if want := "U0ALICE intent-2, U0ALICE intent-1"; strings.Join(b.resumed, ", ") != want {
		t.Errorf("resumed %q, want %s", b.resumed, want)
	}
}

func TestAnotherIssuersAnswerIsRefused(t *testing.T) {
	b := newBench(t, nil)
	v, back := atEntra(t, b)
	w := v.get(with(t, back, func(q url.Values) { q.Set("iss", "https://evil.example") }))
	mustSay(t, w, http.StatusForbidden, "could not be verified")
	v, back = atEntra(t, b)
	w = v.get(with(t, back, func(q url.Values) { q.Set("iss", b.idp.entra()) }))
	if w.Code != http.StatusSeeOther {
		t.Errorf("its own iss: %d %s", w.Code, textOf(w))
	}
	if len(b.idp.asked) != 1 {
		t.Errorf("%d codes were redeemed, want 1", len(b.idp.asked))
	}
}

// The table of ID tokens that are not what Entra would send to us.
func TestHostileIDTokens(t *testing.T) {
	claim := func(name string, value any) func(*idp) {
		return func(p *idp) { p.lie = func(c jwt.MapClaims) { c[name] = value } }
	}
	unknown := "could not be verified"
	for name, row := range map[string]struct {
		lie  func(*idp)
		says string
	}{
		"another nonce":                     {claim("nonce", "another"), unknown},
		"no nonce":                          {func(p *idp) { p.lie = func(c jwt.MapClaims) { delete(c, "nonce") } }, unknown},
		"another audience":                  {claim("aud", "another"), unknown},
		"another issuer":                    {claim("iss", "https://evil.example"), unknown},
		"no issuer":                         {claim("iss", ""), unknown},
		"the other issuer":                  {func(p *idp) { p.lie = func(c jwt.MapClaims) { c["iss"] = p.slack() } }, unknown},
		"expired":                           {claim("exp", 1), unknown},
		"not valid yet":                     {func(p *idp) { p.lie = func(c jwt.MapClaims) { c["nbf"] = p.now().Add(time.Hour).Unix() } }, unknown},
		"another tenant":                    {claim("tid", otherTenant), "belongs to another organisation"},
		"no tenant":                         {claim("tid", nil), "belongs to another organisation"},
		"no object id":                      {claim("oid", ""), "did not say which account"},
		"an odd object id":                  {claim("oid", "account slack:T0CONTOSO1:U0BOB"), "did not say which account"},
		"a guest":                           {claim("acct", 1), "Guests of the tenant cannot use Elevate"},
		"a guest by idp":                    {claim("idp", "https://sts.windows.net/"+otherTenant+"/"), "Guests of the tenant cannot use Elevate"},
		"a claim of a kind":                 {claim("oid", 7), unknown},
		"another object id than the tokens": {claim("oid", bob), unknown},
		"signed with another key":           {func(p *idp) { p.sign = signWith(strayKey, "one") }, unknown},
		"signed with an unknown key":        {func(p *idp) { p.sign = signWith(strayKey, "two") }, unknown},
		"not signed": {func(p *idp) {
			p.sign = func(token *jwt.Token) (string, error) {
				return jwt.NewWithClaims(jwt.SigningMethodNone, token.Claims).SignedString(jwt.UnsafeAllowNoneSignatureType)
			}
		}, unknown},
		"signed with the client secret": {func(p *idp) {
			p.sign = func(token *jwt.Token) (string, error) {
				return jwt.NewWithClaims(jwt.SigningMethodHS256, token.Claims).SignedString([]byte(clientSecret))
			}
		}, unknown},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			v, back := atEntra(t, b)
			row.lie(b.idp)
			mustSay(t, v.get(back), http.StatusForbidden, row.says)
			if _, found := b.session(aliceSlack); found || len(b.events()) != 0 || len(b.resumed) != 0 {
				t.Errorf("session %v, events %q, resumed %q", found, b.events(), b.resumed)
			}
		})
	}
}

func signWith(key *rsa.PrivateKey, kid string) func(*jwt.Token) (string, error) {
	return func(token *jwt.Token) (string, error) {
		token.Header["kid"] = kid
		return token.SignedString(key)
	}
}

// Slack's ID token gets the same treatment.
func TestHostileSlackIDTokens(t *testing.T) {
	for name, lie := range map[string]func(p *idp, c jwt.MapClaims){
		"another nonce":    func(_ *idp, c jwt.MapClaims) { c["nonce"] = "another" },
		"another audience": func(_ *idp, c jwt.MapClaims) { c["aud"] = entraClient },
		"Entra's issuer":   func(p *idp, c jwt.MapClaims) { c["iss"] = p.entra() },
		"expired":          func(_ *idp, c jwt.MapClaims) { c["exp"] = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			v, back := atEntra(t, b)
			w := v.get(back)
			b.idp.lie = func(c jwt.MapClaims) { lie(b.idp, c) }
			w = v.get(b.idp.approve(w.Header().Get("Location"), slackAccount(team, aliceSlack.User)))
			mustSay(t, w, http.StatusForbidden, "What came back from Slack could not be verified")
			if _, found := b.link(aliceSlack); found {
				t.Error("linked")
			}
		})
	}
}

func TestNewKeysOfTheIssuerAreFetched(t *testing.T) {
	b := linked(t, nil)
	b.idp.mu.Lock()
	b.idp.keys["two"] = rollover
	b.idp.sign = signWith(rollover, "two")
	b.idp.mu.Unlock()
	mustSay(t, b.visitor().signIn(b.newLink(aliceSlack, ""), person(alice, "Alice")), http.StatusOK, "You are signed in")
}

// Errors that come back instead of a code: a sentence each, and nothing of what came is repeated.
func TestErrorsOfTheIssuers(t *testing.T) {
	const trap = "trap-" + "description"
	for name, row := range map[string]struct {
		kind, description string
		status            int
		says              string
	}{
		"canceled":           {"access_denied", "AADSTS65004: " + trap, http.StatusConflict, "The sign-in was canceled"},
		"canceled, no code":  {"access_denied", trap, http.StatusConflict, "The sign-in was canceled"},
		"no admin consent":   {"consent_required", "AADSTS65001: " + trap, http.StatusInternalServerError, "grant admin consent"},
		"not assigned":       {"access_denied", "AADSTS50105: " + trap, http.StatusForbidden, "not assigned to Elevate"},
		"disabled":           {"access_denied", "AADSTS50057: " + trap, http.StatusForbidden, "disabled or locked"},
		"conditional access": {"access_denied", "AADSTS53003: " + trap, http.StatusForbidden, "Conditional Access"},
		"another tenant":     {"access_denied", "AADSTS50020: " + trap, http.StatusForbidden, "another organisation"},
		"down":               {"temporarily_unavailable", trap, http.StatusServiceUnavailable, "does not work at the moment"},
		"anything else":      {trap, trap, http.StatusInternalServerError, "Tell an administrator"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			v, back := atEntra(t, b)
			w := v.get(with(t, back, func(q url.Values) {
				q.Del("code")
				q.Set("error", row.kind)
				q.Set("error_description", row.description)
			}))
			mustSay(t, w, row.status, row.says)
			mustSay(t, w, row.status, "Slack account Alice <b>Anders</b>")
			if strings.Contains(w.Body.String()+b.log.String(), trap) {
				t.Error("a foreign description was repeated")
			}
		})
	}
}

func TestARefusalCanBeTriedAgainInThisBrowserOnly(t *testing.T) {
	b := linked(t, nil)
	v := b.visitor()
	page := v.signIn(b.newLink(aliceSlack, "intent-2"), person(bob, "Bob"))
	other := b.visitor()
	other.get(b.newLink(bobSlack, ""))
	mustSay(t, other.post(formOf(page), asBrowser), http.StatusForbidden, "This sign-in cannot go on here")
	mustSay(t, other.get("/auth/start?t="+formOf(page).Get("t")), http.StatusForbidden, "This sign-in cannot go on here")
	for range 2 {
		location := v.press(page)
		if !strings.Contains(location, "prompt=select_account") {
			t.Errorf("no account can be chosen: %s", location)
		}
		page = v.get(b.idp.approve(location, person(bob, "Bob")))
		mustSay(t, page, http.StatusForbidden, "This sign-in link belongs to the Slack account below")
	}
	if form := formOf(page); len(form) != 0 {
		t.Errorf("after three tries there is still a button: %v", form)
	}
}

func TestAStepThatDoesNotGoOnIsSaid(t *testing.T) {
	b := linked(t, nil)
	b.cfg.Resume = nil
	if _, err := newService(b); err == nil {
		t.Error("a service without Resume was made")
	}
	b.cfg.Resume = refusingResume(pim.Errorf(pim.Conflict, "The request has changed. Decide again in the chat."))
	b.restart()
	w := b.visitor().signIn(b.newLink(aliceSlack, "intent-2"), person(alice, "Alice"))
	mustSay(t, w, http.StatusConflict, "You are signed in, but the rest did not work")
	mustSay(t, w, http.StatusConflict, "The request has changed. Decide again in the chat.")
}

// Nothing of a sign-in that could be used again reaches the log.
func TestTheLogHoldsNoSecrets(t *testing.T) {
	b := newBench(t, nil)
	v := b.visitor()
	link := b.newLink(aliceSlack, "intent-1")
	location := v.press(v.get(link))
	back := b.idp.approve(location, person(alice, "Alice"))
	next := v.get(back).Header().Get("Location")
	v.get(b.idp.approve(next, slackAccount(team, "U0BOB")))
	v.get(back)
	v.get(link)
	b.visitor().get(back)
	secrets := []string{clientSecret, v.cookie.Value, "access-", "eyJ"}
	for _, address := range []string{link, location, back, next} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"t", "state", "nonce", "code", "code_challenge"} {
			if value := u.Query().Get(name); value != "" {
				secrets = append(secrets, value)
			}
		}
	}
	if len(secrets) < 10 || b.log.Len() == 0 {
		t.Fatalf("%d secrets, log of %d bytes", len(secrets), b.log.Len())
	}
	for _, value := range secrets {
		if strings.Contains(b.log.String(), value) {
			t.Errorf("the log holds %q:\n%s", value, b.log.String())
		}
	}
}
