package signin_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"elevate/internal/store"
)

func TestThePageSaysWhoseLinkItIsAndWhatWillHappen(t *testing.T) {
	b := newBench(t, nil)
	w := b.visitor().get(b.newLink(aliceSlack, "intent-1"))
	mustSay(t, w, http.StatusOK, "Sign in and approve Alice's request for MDE Administrator, 1 h")
	mustSay(t, w, http.StatusOK, "Slack account Alice <b>Anders</b> Workspace Contoso")
	mustSay(t, w, http.StatusOK, "If somebody sent you this sign-in link, close this page.")
	if strings.Contains(w.Body.String(), "<b>Anders") {
		t.Error("a name was taken for markup")
	}
}

func TestOnlyWhatWasBegunIsSaidToGoOn(t *testing.T) {
	for intent, goesOn := range map[string]bool{"intent-1": true, "": false} {
		for name, b := range map[string]*bench{"a first sign-in": newBench(t, nil), "a linked account": linked(t, nil)} {
			w := b.visitor().get(b.newLink(aliceSlack, intent))
			if got := strings.Contains(textOf(w), "what you began in Slack goes on by itself."); got != goesOn {
				t.Errorf("%s with intent %q: %q", name, intent, textOf(w))
			}
		}
	}
}

func TestThePageIsCalledAfterWhatASignInDoes(t *testing.T) {
	first, linked := newBench(t, nil), linked(t, nil)
	mustSay(t, first.visitor().get(first.newLink(aliceSlack, "")), http.StatusOK, "Sign in and link your accounts")
	mustSay(t, linked.visitor().get(linked.newLink(aliceSlack, "")), http.StatusOK, "Sign in to Elevate")
}

func TestPagesKeepToThemselves(t *testing.T) {
	b := newBench(t, nil)
	v := b.visitor()
	page := v.get(b.newLink(aliceSlack, ""))
	for name, w := range map[string]*httptest.ResponseRecorder{
		"the page": page, "a refusal": v.get("/auth/start?t=nonsense"), "a redirect": v.post(formOf(page), asBrowser),
		"a callback": v.get("/auth/entra/callback?code=x&state=y"),
	} {
		for header, want := range map[string]string{
			"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
		} {
			if got := w.Header().Get(header); got != want {
				t.Errorf("%s: %s is %q, want %q", name, header, got, want)
			}
		}
		policy := w.Header().Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self' https:", "style-src 'sha256-"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: the policy lacks %q: %s", name, want, policy)
			}
		}
		if body := w.Body.String(); strings.Contains(body, "<script") || strings.Contains(body, "src=") || strings.Contains(body, "http://") {
			t.Errorf("%s holds a script or something from elsewhere", name)
		}
	}
	if c := v.cookie; c.Name != "__Host-elevate-signin" || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" || c.SameSite != http.SameSiteLaxMode {
		t.Errorf("cookie: %+v", v.cookie)
	}
}

func TestOpeningALinkChangesNothing(t *testing.T) {
	b := newBench(t, nil)
	link := b.newLink(aliceSlack, "")
	for range 3 {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			w := b.visitor().send(httptest.NewRequest(method, strings.TrimPrefix(link, public), nil))
			if w.Code != http.StatusOK {
				t.Fatalf("%s: %d", method, w.Code)
			}
		}
	}
	if len(b.idp.asked) != 0 || len(b.events()) != 0 {
		t.Errorf("a scanner caused %d calls and events %q", len(b.idp.asked), b.events())
	}
	if w := b.visitor().signIn(link, person(alice, "Alice")); w.Code != http.StatusSeeOther {
		t.Errorf("after the scanners the link does not work: %d", w.Code)
	}
}

func TestALinkWorksOnce(t *testing.T) {
	b := newBench(t, nil)
	link, v := b.newLink(aliceSlack, ""), b.visitor()
	page := v.get(link)
	v.press(page)
	mustSay(t, v.post(formOf(page), asBrowser), http.StatusNotFound, "This sign-in link was used already")
	mustSay(t, v.get(link), http.StatusNotFound, "This sign-in link was used already")
	mustSay(t, b.visitor().get(link), http.StatusNotFound, "This sign-in link was used already")
}

func TestALinkWorksForTenMinutes(t *testing.T) {
	b := newBench(t, nil)
	link, v := b.newLink(aliceSlack, ""), b.visitor()
	page := v.get(link)
	b.advance(10 * time.Minute)
	mustSay(t, v.get(link), http.StatusNotFound, "This sign-in link has expired")
	mustSay(t, v.post(formOf(page), asBrowser), http.StatusNotFound, "This sign-in link has expired")
	b.advance(2 * time.Hour)
	mustSay(t, v.get(link), http.StatusNotFound, "This sign-in link does not work")
}

func TestUnknownTokensGetOneAnswer(t *testing.T) {
	b := newBench(t, nil)
	first := ""
	for _, query := range []string{"", "t=", "t=x", "t=" + strings.Repeat("A", 43), "t=" + strings.Repeat("A", 5000), "t=a&t=b", "t=%00"} {
		w := b.visitor().get("/auth/start?" + query)
		if first == "" {
			first = w.Body.String()
		}
		if w.Code != http.StatusNotFound || w.Body.String() != first {
			t.Errorf("%.20s: %d %s", query, w.Code, textOf(w))
		}
	}
}

func TestOnlyTheButtonOfThePageSpendsALink(t *testing.T) {
	for name, change := range map[string]func(v *visitor, form url.Values, header map[string]string){
		"another site":             func(_ *visitor, _ url.Values, h map[string]string) { h["Sec-Fetch-Site"] = "cross-site" },
		"another host of the site": func(_ *visitor, _ url.Values, h map[string]string) { h["Sec-Fetch-Site"] = "same-site" },
		"another origin":           func(_ *visitor, _ url.Values, h map[string]string) { h["Origin"] = "https://evil.example" },
		"an unknown origin": func(_ *visitor, _ url.Values, h map[string]string) {
			h["Origin"] = "null"
			delete(h, "Sec-Fetch-Site")
		},
		"no cookie":        func(v *visitor, _ url.Values, _ map[string]string) { v.cookie = nil },
		"no proof":         func(_ *visitor, f url.Values, _ map[string]string) { f.Del("proof") },
		"a proof too many": func(_ *visitor, f url.Values, _ map[string]string) { f.Add("proof", f.Get("proof")) },
		"a changed proof":  func(_ *visitor, f url.Values, _ map[string]string) { f.Set("proof", swapped(f.Get("proof"))) },
		"a proof of a browser": func(v *visitor, f url.Values, _ map[string]string) {
			f.Set("proof", formOf(v.visitor().get(v.newLink(aliceSlack, ""))).Get("proof"))
		},
		"a proof of another link": func(v *visitor, f url.Values, _ map[string]string) {
			f.Set("proof", formOf(v.get(v.newLink(aliceSlack, ""))).Get("proof"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			link, v := b.newLink(aliceSlack, ""), b.visitor()
			form := formOf(v.get(link))
			header := map[string]string{"Origin": "null", "Sec-Fetch-Site": "same-origin"}
			change(v, form, header)
			mustSay(t, v.post(form, header), http.StatusForbidden, "This sign-in cannot go on here")
			if w := b.visitor().signIn(link, person(alice, "Alice")); w.Code != http.StatusSeeOther {
				t.Errorf("the link was spent: %d", w.Code)
			}
		})
	}
}

func TestALinkIsNotSpentWhileEntraIsDown(t *testing.T) {
	b := newBench(t, nil)
	link, v := b.newLink(aliceSlack, ""), b.visitor()
	page := v.get(link)
	handler := b.idp.Config.Handler
	b.idp.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	mustSay(t, v.post(formOf(page), asBrowser), http.StatusServiceUnavailable, "does not work at the moment")
	b.idp.Config.Handler = handler
	if w := v.post(formOf(page), asBrowser); w.Code != http.StatusSeeOther {
		t.Errorf("afterwards: %d %s", w.Code, textOf(w))
	}
}

func TestWhatEntraIsAsked(t *testing.T) {
	b := newBench(t, nil)
	v := b.visitor()
	const claims = `{"access_token":{"acrs":{"essential":true,"value":"c1"}}}`
	location, err := url.Parse(v.press(v.get(b.newLinkFor(aliceSlack, "", claims))))
	if err != nil {
		t.Fatal(err)
	}
	query := location.Query()
	for name, want := range map[string]string{
		"client_id": entraClient, "response_type": "code", "redirect_uri": public + "/auth/entra/callback", "code_challenge_method": "S256",
		"scope": scope + " openid profile offline_access", "prompt": "",
	} {
		if got := query.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		if len(query.Get(name)) != 43 {
			t.Errorf("%s is %q", name, query.Get(name))
		}
	}
	for _, want := range []string{`"xms_cc":{"values":["CP1"]}`, `"acrs":{"essential":true,"value":"c1"}`} {
		if !strings.Contains(query.Get("claims"), want) {
			t.Errorf("claims lack %s: %s", want, query.Get("claims"))
		}
	}
	if link := b.newLink(aliceSlack, ""); strings.Contains(link, "state") || len(link) > 100 {
		t.Errorf("link: %s", link)
	}
}

func TestTooManyCallsAreTurnedAway(t *testing.T) {
	b := newBench(t, nil)
	v := b.visitor()
	for range 200 {
		v.get("/auth/start")
	}
	w := v.get("/auth/start")
	mustSay(t, w, http.StatusTooManyRequests, "Too many people sign in at once.")
	if w.Header().Get("Retry-After") == "" {
		t.Error("nothing says when to come back")
	}
	b.advance(time.Second)
	mustSay(t, v.get("/auth/start"), http.StatusNotFound, "This sign-in link does not work")
}

func TestDecisionsWantAFreshSignIn(t *testing.T) {
	intent := func(b *bench, verb string) string {
		b.update(func(tx *store.Tx) error {
			return tx.PutIntent(store.Intent{ID: "i", Account: aliceSlack, Verb: verb, Clicked: b.now(), Expires: b.now().Add(10 * time.Minute)})
		})
		return "i"
	}
	signedInAt := func(at time.Time) map[string]any {
		who := person(alice, "Alice")
		who["auth_time"] = at.Unix()
		return who
	}
	t.Run("a young one will do", func(t *testing.T) {
		b := linked(t, nil)
		w := b.visitor().signIn(b.newLink(aliceSlack, intent(b, "approve")), signedInAt(b.now().Add(-59*time.Minute)))
		mustSay(t, w, http.StatusOK, "Approved.")
	})
	t.Run("an old one is asked for once more", func(t *testing.T) {
		b := linked(t, nil)
		v := b.visitor()
		w := v.signIn(b.newLink(aliceSlack, intent(b, "deny")), signedInAt(b.now().Add(-61*time.Minute)))
		location := w.Header().Get("Location")
		if w.Code != http.StatusSeeOther || !strings.Contains(location, "prompt=login") {
			t.Fatalf("%d %s", w.Code, location)
		}
		w = v.get(b.idp.approve(location, signedInAt(b.now())))
		mustSay(t, w, http.StatusOK, "Approved.")
	})
	t.Run("an old one twice is refused", func(t *testing.T) {
		b := linked(t, nil)
		v := b.visitor()
		w := v.signIn(b.newLink(aliceSlack, intent(b, "approve")), signedInAt(b.now().Add(-61*time.Minute)))
		w = v.get(b.idp.approve(w.Header().Get("Location"), signedInAt(b.now().Add(-61*time.Minute))))
		mustSay(t, w, http.StatusForbidden, "Decisions need a new sign-in")
		if len(b.resumed) != 0 {
			t.Errorf("resumed %q", b.resumed)
		}
	})
	t.Run("no auth_time is an administrator's matter", func(t *testing.T) {
		b := linked(t, nil)
		who := person(alice, "Alice")
		who["auth_time"] = 0
		w := b.visitor().signIn(b.newLink(aliceSlack, intent(b, "approve")), who)
		mustSay(t, w, http.StatusInternalServerError, "optional claim auth_time")
	})
	t.Run("one that lies ahead decides nothing", func(t *testing.T) {
		b := linked(t, nil)
		w := b.visitor().signIn(b.newLink(aliceSlack, intent(b, "approve")), signedInAt(b.now().Add(6*time.Minute)))
		mustSay(t, w, http.StatusInternalServerError, "has not come yet")
		if len(b.resumed) != 0 {
			t.Errorf("resumed %q", b.resumed)
		}
	})
	t.Run("asking needs no fresh one", func(t *testing.T) {
		b := linked(t, nil)
		w := b.visitor().signIn(b.newLink(aliceSlack, intent(b, "submit")), signedInAt(b.now().Add(-300*time.Hour)))
		mustSay(t, w, http.StatusOK, "Approved.")
	})
}

// swapped exchanges two neighbours that differ.
func swapped(s string) string {
	for i := len(s) / 2; i+1 < len(s); i++ {
		if s[i] != s[i+1] {
			return s[:i] + s[i+1:i+2] + s[i:i+1] + s[i+2:]
		}
	}
	return ""
}
