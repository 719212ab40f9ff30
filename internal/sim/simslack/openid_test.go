package simslack_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"elevate/internal/sim/simslack"
)

const callback = "https://bot.example.com/auth/slack/callback"

// authorizeURL is the page with parameters changed; an empty value takes one away.
func (w *world) authorizeURL(change map[string]string) string {
	q := url.Values{
		"response_type": {"code"}, "client_id": {w.App().ClientID}, "redirect_uri": {callback}, "scope": {"openid"}, "state": {"st&te"}, "nonce": {"n1"},
	}
	for key, value := range change {
		q.Set(key, value)
		if value == "" {
			q.Del(key)
		}
	}
	return w.url + "/openid/connect/authorize?" + q.Encode()
}

// consent presses a person's button and returns where the browser is sent, and its cookie.
func (w *world) consent(ctx context.Context, t *testing.T, page, person string) (*url.URL, int, []*http.Cookie) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, page, strings.NewReader(url.Values{"person": {person}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	client := &http.Client{Timeout: 5 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	to, err := resp.Location()
	if err != nil {
		to = &url.URL{}
	}
	return to, resp.StatusCode, resp.Cookies()
}

func (w *world) redeem(t *testing.T, change map[string]string, code string) answer {
	t.Helper()
	form := url.Values{
		"client_id": {w.App().ClientID}, "client_secret": {w.App().ClientSecret}, "grant_type": {"authorization_code"}, "redirect_uri": {callback}, "code": {code},
	}
	for key, value := range change {
		form.Set(key, value)
	}
	a, _ := w.post(t.Context(), t, "openid.connect.token", "application/x-www-form-urlencoded", "", form.Encode())
	return a
}

func TestSignInWithSlackProvesTheAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	to, status, _ := w.consent(ctx, t, w.authorizeURL(nil), "U0PERSON01")
	if status != http.StatusFound || !strings.HasPrefix(to.String(), callback+"?") || to.Query().Get("state") != "st&te" {
		t.Fatalf("%d, sent to %s", status, to)
	}
	code := to.Query().Get("code")
	for name, row := range map[string]struct {
		change map[string]string
		want   string
	}{
		"secret":   {map[string]string{"client_secret": "wrong"}, "bad_client_secret"},
		"client":   {map[string]string{"client_id": "1.2"}, "invalid_client_id"},
		"redirect": {map[string]string{"redirect_uri": callback + "/"}, "bad_redirect_uri"},
		"code":     {map[string]string{"code": "x"}, "invalid_code"},
		"grant":    {map[string]string{"grant_type": "password"}, "invalid_grant_type"},
	} {
		if got := w.redeem(t, row.change, code); got.Error != row.want {
			t.Errorf("wrong %s: %+v", name, got)
		}
	}
	got := w.redeem(t, nil, code)
	if again := w.redeem(t, nil, code); again.Error != "code_already_used" {
		t.Errorf("twice: %+v", again)
	}
	checkIDToken(t, w, got.IDToken)
	if a, _ := w.post(ctx, t, "openid.connect.userInfo", "", got.AccessToken, ""); !a.OK {
		t.Errorf("userInfo: %+v", a)
	}
	if a, _ := w.post(ctx, t, "auth.test", "", got.AccessToken, ""); a.Error != "not_allowed_token_type" {
		t.Errorf("the user's token as a bot's: %+v", a)
	}
}

// checkIDToken verifies an ID token with a library that knows nothing of us.
func checkIDToken(t *testing.T, w *world, raw string) {
	t.Helper()
	provider, err := oidc.NewProvider(t.Context(), w.url)
	if err != nil {
		t.Fatal(err)
	}
	token, err := provider.Verifier(&oidc.Config{ClientID: w.App().ClientID, Now: w.now}).Verify(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := token.Claims(&claims); err != nil {
		t.Fatal(err)
	}
	if token.Nonce != "n1" || claims["https://slack.com/user_id"] != "U0PERSON01" || claims["https://slack.com/team_id"] != "T0CONTOSO1" || claims["email"] != nil {
		t.Errorf("the claims are %v", claims)
	}
}

func TestACodeDiesAfterTenMinutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	to, _, _ := w.consent(t.Context(), t, w.authorizeURL(nil), "U0PERSON01")
	w.pass(10*time.Minute + time.Second)
	if got := w.redeem(t, nil, to.Query().Get("code")); got.Error != "code_expired" {
		t.Errorf("got %+v", got)
	}
}

func TestTheAuthorizePageSendsNobodyToAStranger(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, row := range map[string]struct {
		change map[string]string
		want   string
	}{
		"another redirect":  {map[string]string{"redirect_uri": "https://evil.example.com/"}, "did not match"},
		"a longer redirect": {map[string]string{"redirect_uri": callback + "/x"}, "did not match"},
		"another client":    {map[string]string{"client_id": "1.2"}, "invalid_client_id"},
		"no openid":         {map[string]string{"scope": "profile"}, "invalid_scope"},
		"a bot's scope":     {map[string]string{"scope": "openid chat:write"}, "invalid_scope"},
		"implicit flow":     {map[string]string{"response_type": "token"}, "invalid_response_type"},
	} {
		page := w.authorizeURL(row.change)
		if body := get(t, page, nil); !strings.Contains(body, row.want) || strings.Contains(body, "<form") {
			t.Errorf("%s: %s", name, body)
		}
		if _, status, _ := w.consent(t.Context(), t, page, "U0PERSON01"); status != http.StatusBadRequest {
			t.Errorf("%s: consent was answered with %d", name, status)
		}
	}
	for _, person := range []string{"U0PERSON14", "U0BUILDBOT", "U0NOBODY"} {
		if _, status, _ := w.consent(t.Context(), t, w.authorizeURL(nil), person); status != http.StatusBadRequest {
			t.Errorf("%s signed in", person)
		}
	}
}

func TestTheBrowserRemembersWhoSignedIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	page := w.authorizeURL(nil)
	_, _, cookies := w.consent(t.Context(), t, page, "U0PERSON01")
	if body := get(t, page, cookies); !strings.Contains(body, "signed in as Alice Anders") || !strings.Contains(body, `value="U0PERSON01">Allow<`) {
		t.Errorf("the page says %s", body)
	}
	if body := get(t, page, nil); strings.Contains(body, "Alice Anders.") || strings.Contains(body, "<script") {
		t.Errorf("without the cookie: %s", body)
	}
}

func get(t *testing.T, address string, cookies []*http.Cookie) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cookies {
		req.AddCookie(c)
	}
	resp, err := (&http.Client{Timeout: 5 * time.Second}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestAnOrganisationIsNamedWhereThereIsOne(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(c *simslack.Config) { c.Workspace.Enterprise = "E0CONTOSO" })
	me, err := w.api.AuthTestContext(t.Context())
	if err != nil || me.EnterpriseID != "E0CONTOSO" || w.InstalledIn() != "E0CONTOSO" {
		t.Errorf("got %+v, %v", me, err)
	}
	w.trigger(t)
	if form, err := url.ParseQuery(string(w.last(t).body)); err != nil || form.Get("enterprise_id") != "E0CONTOSO" {
		t.Errorf("got %v, %v", form, err)
	}
}
