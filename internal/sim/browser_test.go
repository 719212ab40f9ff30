package sim_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"elevate/internal/sim"
)

// site starts a sandbox whose bot is only a few pages.
func site(t *testing.T, pages map[string]http.HandlerFunc) *sim.Sandbox {
	t.Helper()
	s, err := sim.Start(t.Context(), sim.Config{Now: machineNow})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	mux := http.NewServeMux()
	for path, page := range pages {
		mux.HandleFunc(path, page)
	}
	listenAt(t, s.BotListen, mux)
	return s
}

// visit opens a page of the bot as alice.
func visit(t *testing.T, s *sim.Sandbox, path string, more ...string) sim.Result {
	t.Helper()
	return act(t, s, append([]string{"alice", "web", s.PublicURL + path}, more...)...)
}

// shown answers with the names of the cookies that came along.
func shown(w http.ResponseWriter, r *http.Request) {
	var names []string
	for _, c := range r.Cookies() {
		names = append(names, c.Name)
	}
	slices.Sort(names)
	_, _ = fmt.Fprintf(w, "cookies: %s.", strings.Join(names, " "))
}

func TestCookiesAreKeptAsBrowsersKeepThem(t *testing.T) {
	t.Parallel()
	set := func(w http.ResponseWriter, _ *http.Request) {
		for _, line := range []string{
			"__Host-good=1; Path=/; Secure", "__Host-path=1; Path=/auth; Secure", "__Host-domain=1; Path=/; Secure; Domain=127.0.0.1",
			"__Host-plain=1; Path=/", "__Secure-plain=1; Path=/", "none=1; Path=/; SameSite=None", "elsewhere=1; Path=/other", "gone=1; Path=/; Max-Age=60",
		} {
			w.Header().Add("Set-Cookie", line)
		}
		w.Header().Add("Set-Cookie", "gone=; Path=/; Max-Age=-1")
	}
	s := site(t, map[string]http.HandlerFunc{"/set": set, "/show": shown, "/other/page": shown})
	visit(t, s, "/set")
	contains(t, visit(t, s, "/show").Text, "cookies: __Host-good.")
	contains(t, visit(t, s, "/other/page").Text, "cookies: __Host-good elsewhere.")
	contains(t, visit(t, s, "/show", "private").Text, "cookies:.")
	act(t, s, "alice", "web", "forget")
	contains(t, visit(t, s, "/show").Text, "cookies:.")
}

func TestAStrictCookieStaysBehindWhenAnotherSiteSendsTheBrowser(t *testing.T) {
	t.Parallel()
	var s *sim.Sandbox
	s = site(t, map[string]http.HandlerFunc{
		"/set": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Add("Set-Cookie", "lax=1; Path=/; Secure; SameSite=Lax")
			w.Header().Add("Set-Cookie", "strict=1; Path=/; Secure; SameSite=Strict")
			// Slack's page is another site: its button sends the browser back here.
			http.Redirect(w, r, s.SlackURL+"/openid/connect/authorize?response_type=code&scope=openid&client_id="+
				s.Settings().Slack.ClientID+"&redirect_uri="+s.PublicURL+"/auth/slack/callback", http.StatusFound)
		},
		"/auth/slack/callback": shown,
		"/show":                shown,
	})
	contains(t, visit(t, s, "/set").Text, "cookies: lax.")
	contains(t, visit(t, s, "/show").Text, "cookies: lax strict.")
}

func TestAFormGoesNowhereItsPolicyForbids(t *testing.T) {
	t.Parallel()
	policy := ""
	var s *sim.Sandbox
	s = site(t, map[string]http.HandlerFunc{
		"/form": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Security-Policy", policy)
			_, _ = fmt.Fprint(w, `<form method="post" action="/go"><button>Go</button></form>`)
		},
		"/go": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, s.LoginURL+"/"+s.Settings().Entra.TenantID+"/v2.0/.well-known/openid-configuration", http.StatusSeeOther)
		},
	})
	for _, row := range []struct {
		policy string
		passes bool
	}{
		{"", true},
		{"default-src 'none'", true}, // form-action does not fall back to it
		{"form-action 'none'", false},
		{"form-action 'self'", false}, // held over the redirect, too
		{"form-action 'self' https://login.example", false},
		{"form-action 'self' " + s.LoginURL, true},
		{"form-action 'self' https:", true},
	} {
		policy = row.policy
		if r := visit(t, s, "/form"); (r.Failed == "") != row.passes {
			t.Errorf("%s: %q, %s", row.policy, r.Failed, r.Text)
		}
	}
}

func TestAFormNamesItsOriginUnlessThePageHidesIt(t *testing.T) {
	t.Parallel()
	referrer := ""
	s := site(t, map[string]http.HandlerFunc{
		"/form": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Referrer-Policy", referrer)
			_, _ = fmt.Fprint(w, `<form method="post" action="/go"><input name="a" value="1"><button name="b" value="2">Go</button></form>`)
		},
		"/go": func(w http.ResponseWriter, r *http.Request) {
			_, _ = fmt.Fprintf(w, "%s, %s, a=%s b=%s", r.Header.Get("Origin"), r.Header.Get("Sec-Fetch-Site"), r.PostFormValue("a"), r.PostFormValue("b"))
		},
	})
	contains(t, visit(t, s, "/form").Text, s.PublicURL+", same-origin, a=1 b=2")
	referrer = "no-referrer"
	contains(t, visit(t, s, "/form").Text, "null, same-origin, a=1 b=2")
}

func TestAnErrorPageIsTheEndOfTheWay(t *testing.T) {
	t.Parallel()
	s := site(t, map[string]http.HandlerFunc{
		"/error": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = fmt.Fprint(w, `<h1>No</h1><form><button>Again</button></form>`)
		},
		"/circle": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprint(w, `<form><button>Again</button></form>`)
		},
		"/loop": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) },
	})
	if r := visit(t, s, "/error"); r.Page.Status != http.StatusForbidden || r.Text != "# No\n[Again]" {
		t.Errorf("got %d %s", r.Page.Status, r.Text)
	}
	contains(t, visit(t, s, "/circle").Text, "[Again]")
	if _, err := s.Do(t.Context(), []string{"alice", "web", s.PublicURL + "/loop"}); err == nil {
		t.Error("the browser follows redirects for ever")
	}
}

func TestADeadBotIsABadGateway(t *testing.T) {
	t.Parallel()
	s, err := sim.Start(t.Context(), sim.Config{Now: machineNow})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if r := visit(t, s, "/auth/start"); r.Page.Status != http.StatusBadGateway {
		t.Errorf("got %+v", r.Page)
	}
	if r := act(t, s, "alice", "slack", "/elevate", "x"); r.Failed != "http_service_error" {
		t.Errorf("got %+v", r)
	}
}

func TestBrokenServicesAreBrokenUntilTheyAreHealed(t *testing.T) {
	t.Parallel()
	s, b := startSandbox(t, sim.Config{})
	post := func() error { _, err := b.api.AuthTestContext(t.Context()); return err }
	act(t, s, "break", "slack", "auth.test", "429", "after", "3s")
	if err := post(); err == nil || !strings.Contains(err.Error(), "3s") {
		t.Errorf("got %v", err)
	}
	act(t, s, "break", "login", "5xx")
	get := func() int {
		resp, err := s.Client(5 * time.Second).Get(s.LoginURL + "/" + s.Settings().Entra.TenantID + "/v2.0/.well-known/openid-configuration")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	if status := get(); status != http.StatusBadGateway {
		t.Errorf("got %d", status)
	}
	act(t, s, "heal")
	if err := post(); err != nil || get() != http.StatusOK {
		t.Errorf("not healed: %v", err)
	}
}
