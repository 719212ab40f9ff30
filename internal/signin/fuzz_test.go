package signin_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// Whatever stands in a query, a form or a cookie: a page that refuses, no change, and no call to anybody.
func FuzzWhatBrowsersSend(f *testing.F) {
	b := newBench(f, nil)
	v := b.visitor()
	form := formOf(v.get(b.newLink(aliceSlack, "")))
	known := v.cookie.Value
	f.Add("GET", "/auth/start", "t=x", "", "")
	f.Add("GET", "/auth/entra/callback", "code=1&state="+strings.Repeat("A", 43), "", known)
	f.Add("GET", "/auth/slack/callback", "error=access_denied&error_description=AADSTS65004&state="+strings.Repeat("A", 43), "", known)
	f.Add("POST", "/auth/start", "", "t="+form.Get("t")+"&proof=x", known)
	f.Add("HEAD", "/auth/entra/callback", "state=%zz", "", "")
	f.Fuzz(func(t *testing.T, method, path, query, body, cookie string) {
		if method != http.MethodGet && method != http.MethodPost && method != http.MethodHead {
			method = http.MethodGet
		}
		if path != "/auth/start" && path != "/auth/entra/callback" {
			path = "/auth/slack/callback"
		}
		b.advance(time.Minute / 1000)
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		r.URL.RawQuery = query
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Cookie", "__Host-elevate-signin="+strings.NewReplacer("\n", "", "\r", "", "\x00", "").Replace(cookie))
		w := httptest.NewRecorder()
		b.svc.Handler().ServeHTTP(w, r)
		if w.Code < 400 || w.Code >= http.StatusInternalServerError {
			t.Errorf("%d for %s %s?%q with %q", w.Code, method, path, query, body)
		}
		b.idp.mu.Lock()
		defer b.idp.mu.Unlock()
		if len(b.idp.asked) != 0 {
			t.Error("an issuer was asked")
		}
	})
}
