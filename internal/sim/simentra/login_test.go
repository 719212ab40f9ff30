package simentra_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"elevate/internal/sim/cast"
	"elevate/internal/sim/simentra"
)

func TestIDTokensAreVerifiableAndOnTheMovableClock(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	w.clock.Advance(48 * time.Hour)
	answer := w.session("alice")
	ctx := oidc.ClientContext(t.Context(), w.client)
	provider, err := oidc.NewProvider(ctx, w.server.Issuer())
	if err != nil {
		t.Fatal(err)
	}
	verify := provider.Verifier(&oidc.Config{ClientID: w.app.ClientID, Now: w.clock.Now})
	token, err := verify.Verify(ctx, answer["id_token"].(string))
	if err != nil {
		t.Fatal(err)
	}
	claims := claimsOf(t, answer["id_token"])
	alice := w.person("alice")
	for name, want := range map[string]any{
		"oid": alice.ObjectID, "tid": w.cast.TenantID, "name": alice.DisplayName, "preferred_username": alice.UPN, "nonce": "the-nonce",
		"auth_time": float64(w.clock.Now().Unix()), "iat": float64(w.clock.Now().Unix()),
	} {
		if claims[name] != want {
			t.Errorf("%s is %v, want %v", name, claims[name], want)
		}
	}
	if token.Subject == alice.ObjectID || claims["acrs"] != nil {
		t.Errorf("got sub %s, acrs %v", token.Subject, claims["acrs"])
	}
	must(t, w.server.RotateKeys())
	if _, err := verify.Verify(ctx, w.session("bob")["id_token"].(string)); err != nil {
		t.Errorf("after the rotation: %v", err)
	}
	if _, err := verify.Verify(ctx, answer["id_token"].(string)); err != nil {
		t.Errorf("a token from before the rotation: %v", err)
	}
}

func TestOptionalClaimsOnlyWhereRegistered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	stepUp := []string{"claims", `{"id_token":{"acrs":{"essential":true,"value":"c1"}},"access_token":{"acrs":{"essential":true,"value":"c1"},"xms_cc":{"values":["CP1"]}}}`}
	answer := w.session("alice", stepUp...)
	if acrs := claimsOf(t, answer["id_token"])["acrs"]; acrs == nil {
		t.Error("acrs is missing although the registration asks for it")
	}
	if access := claimsOf(t, answer["access_token"]); access["acrs"] == nil || access["xms_cc"] == nil {
		t.Errorf("the access token has acrs %v, xms_cc %v", access["acrs"], access["xms_cc"])
	}
	w.server.SetOptionalClaims(w.app.ClientID)
	claims := claimsOf(t, w.session("alice", stepUp...)["id_token"])
	if claims["acrs"] != nil || claims["auth_time"] != nil {
		t.Errorf("got %v", claims)
	}
}

func TestAuthorizeRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	for name, row := range map[string]struct {
		pairs []string
		code  string // shown on the page
		back  string // or sent back to the application
	}{
		"an unknown application":        {[]string{"client_id", "11111111-2222-4333-8444-555555555555"}, "AADSTS700016", ""},
		"no application":                {[]string{"client_id", ""}, "AADSTS900144", ""},
		"an unregistered address":       {[]string{"redirect_uri", callback + "/"}, "AADSTS50011", ""},
		"another response type":         {[]string{"response_type", "token"}, "", "unsupported_response_type"},
		"no scope":                      {[]string{"scope", ""}, "", "invalid_request"},
		"a scope that does not exist":   {[]string{"scope", "openid Everything.All"}, "", "invalid_scope"},
		"another resource":              {[]string{"scope", "https://vault.example.com/.default"}, "", "invalid_resource"},
		"the plain challenge method":    {[]string{"code_challenge_method", "plain"}, "", "invalid_request"},
		"a short challenge":             {[]string{"code_challenge", "short"}, "", "invalid_request"},
		"claims that are not JSON":      {[]string{"claims", "{"}, "", "invalid_request"},
		"silence with nobody signed in": {[]string{"prompt", "none"}, "", "login_required"},
		"default beside other scopes":   {[]string{"scope", ".default User.Read.All"}, "", "invalid_scope"},
	} {
		r := w.get(w.browser(), w.authorizeURL(row.pairs...))
		if row.code != "" {
			if r.status != http.StatusBadRequest || !strings.Contains(r.body, row.code) || r.header.Get("Location") != "" {
				t.Errorf("%s: %d %s", name, r.status, r.body)
			}
			continue
		}
		if back := w.sentBack(r); back.Get("error") != row.back || back.Get("state") != "the-state" || !strings.Contains(back.Get("error_description"), "AADSTS") {
			t.Errorf("%s: sent back %v", name, back)
		}
	}
}

func TestPeopleWhoMayNotSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	must(t, w.server.SetEnabled("lena", false))
	for name, row := range map[string]struct {
		account string
		pairs   []string
		code    string
	}{
		"a disabled account":                 {w.person("lena").UPN, nil, "AADSTS50057"},
		"somebody not assigned":              {w.person("nils").UPN, nil, "AADSTS50105"},
		"an unknown account":                 {"nobody@contoso.example", nil, "AADSTS50034"},
		"a scope without consent":            {w.person("alice").UPN, []string{"scope", "openid User.Read.All"}, "AADSTS90094"},
		"a first-party client asking for it": {w.person("ada").UPN, []string{"client_id", cast.AzureCLIClientID, "redirect_uri", "http://localhost:5000", "scope", pasWrite}, "AADSTS65002"},
	} {
		r := w.postForm(w.browser(), w.authorizeURL(row.pairs...), url.Values{"account": {row.account}})
		if r.status != http.StatusBadRequest || !strings.Contains(r.body, row.code) {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
}

func TestTheBrowserRemembersWhoSignedIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	b := w.browser()
	page := w.get(b, w.authorizeURL())
	if page.status != http.StatusOK || !strings.Contains(page.body, w.person("bob").UPN) || strings.Contains(page.body, "<script") {
		t.Fatalf("got %d %s", page.status, page.body)
	}
	w.signIn(b, "alice", w.authorizeURL())
	silent := func(pairs ...string) bool {
		r := w.get(b, w.authorizeURL(pairs...))
		return r.status == http.StatusFound && w.sentBack(r).Get("code") != ""
	}
	w.clock.Advance(time.Minute)
	for name, row := range map[string]struct {
		pairs []string
		want  bool
	}{
		"the one account is used":           {nil, true},
		"and without any page":              {[]string{"prompt", "none"}, true},
		"for the hinted one":                {[]string{"login_hint", w.person("alice").UPN}, true},
		"not for another hint":              {[]string{"login_hint", w.person("bob").UPN}, false},
		"not when a login is demanded":      {[]string{"prompt", "login"}, false},
		"not when a choice is":              {[]string{"prompt", "select_account"}, false},
		"not when it is too old":            {[]string{"max_age", "30"}, false},
		"but when it is young enough":       {[]string{"max_age", "90"}, true},
		"not when more has to be proved":    {[]string{"claims", `{"id_token":{"acrs":{"essential":true,"value":"c1"}}}`}, false},
		"a capability is nothing to prove":  {[]string{"claims", `{"access_token":{"xms_cc":{"values":["cp1"]}}}`}, true},
		"another browser remembers nothing": {nil, true},
	} {
		if got := silent(row.pairs...); got != row.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
	w.signIn(b, "bob", w.authorizeURL("prompt", "select_account"))
	if silent() {
		t.Error("with two accounts nobody was asked")
	}
	if back := w.sentBack(w.get(b, w.authorizeURL("prompt", "none"))); back.Get("error") != "interaction_required" {
		t.Errorf("got %v", back)
	}
	w.get(b, w.login+"/"+w.cast.TenantID+"/oauth2/v2.0/logout")
	if silent("login_hint", "alice") {
		t.Error("signed in after the logout")
	}
}

func TestCancelAndFormPost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	r := w.postForm(w.browser(), w.authorizeURL(), url.Values{"cancel": {"1"}})
	if back := w.sentBack(r); back.Get("error") != "access_denied" || back.Get("state") != "the-state" {
		t.Errorf("got %v", back)
	}
	r = w.postForm(w.browser(), w.authorizeURL("response_mode", "form_post"), url.Values{"account": {"alice"}})
	if r.status != http.StatusOK || !strings.Contains(r.body, `name="code"`) || !strings.Contains(r.body, `value="the-state"`) {
		t.Errorf("got %d %s", r.status, r.body)
	}
}

func TestTokenEndpointRefuses(t *testing.T) {
	t.Parallel()
	secret := func(form url.Values) url.Values { return form }
	for name, row := range map[string]struct {
		change func(*world, url.Values)
		kind   string
		code   int
		status int
	}{
		"an unknown application":    {func(_ *world, f url.Values) { f.Set("client_id", "x") }, "unauthorized_client", 700016, 400},
		"a wrong secret":            {func(_ *world, f url.Values) { f.Set("client_secret", "sandbox-wrong") }, "invalid_client", 7000215, 401},
		"no secret":                 {func(_ *world, f url.Values) { f.Del("client_secret") }, "invalid_client", 7000218, 401},
		"a wrong verifier":          {func(_ *world, f url.Values) { f.Set("code_verifier", verifier+"x") }, "invalid_grant", 501481, 400},
		"no verifier":               {func(_ *world, f url.Values) { f.Del("code_verifier") }, "invalid_grant", 50148, 400},
		"another address":           {func(_ *world, f url.Values) { f.Set("redirect_uri", "https://x.example") }, "invalid_grant", 500112, 400},
		"a redeemed code":           {func(w *world, f url.Values) { w.token(f) }, "invalid_grant", 54005, 400},
		"an expired code":           {func(w *world, _ url.Values) { w.age(11 * time.Minute) }, "invalid_grant", 70008, 400},
		"an invented code":          {func(_ *world, f url.Values) { f.Set("code", "x") }, "invalid_grant", 9002313, 400},
		"another application's":     {func(_ *world, f url.Values) { f.Set("client_id", cast.GraphCLIClientID); f.Del("client_secret") }, "invalid_grant", 700005, 400},
		"a public one with secret":  {func(_ *world, f url.Values) { f.Set("client_id", cast.GraphCLIClientID) }, "invalid_client", 700025, 401},
		"an unknown grant":          {func(_ *world, f url.Values) { f.Set("grant_type", "password") }, "unsupported_grant_type", 70003, 400},
		"no grant":                  {func(_ *world, f url.Values) { f.Del("grant_type") }, "invalid_request", 900144, 400},
		"somebody disabled since":   {func(w *world, _ url.Values) { must(w.t, w.server.SetEnabled("alice", false)) }, "invalid_grant", 50057, 400},
		"somebody signed out since": {func(w *world, _ url.Values) { must(w.t, w.server.RevokeSessions("alice")) }, "invalid_grant", 50173, 400},
		"an app scope not default": {func(_ *world, f url.Values) {
			f.Set("grant_type", "client_credentials")
			f.Set("scope", "User.Read.All")
		}, "invalid_scope", 1002012, 400},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, simentra.Behavior{})
			form := secret(w.codeForm(w.signIn(w.browser(), "alice", w.authorizeURL()).Get("code")))
			row.change(w, form)
			r := w.token(form)
			body := r.json(t)
			codes, _ := body["error_codes"].([]any)
			if r.status != row.status || body["error"] != row.kind || len(codes) != 1 || codes[0] != float64(row.code) {
				t.Fatalf("got %d %s", r.status, r.body)
			}
			if text := body["error_description"].(string); !strings.HasPrefix(text, "AADSTS"+strconv.Itoa(row.code)+":") || strings.Contains(text, w.app.Secret) {
				t.Errorf("got %q", text)
			}
			for _, name := range []string{"timestamp", "trace_id", "correlation_id"} {
				if body[name] == "" {
					t.Errorf("%s is missing", name)
				}
			}
		})
	}
}

func TestSecretInTheHeader(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.tokenURL(),
		strings.NewReader(url.Values{"grant_type": {"client_credentials"}, "scope": {cast.GraphAppID + "/.default"}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(w.app.ClientID, w.app.Secret)
	resp, err := w.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("got %d", resp.StatusCode)
	}
}

func TestOtherTenantsAreUnknown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	r := w.get(w.client, w.login+"/"+w.cast.OtherTenantID+"/v2.0/.well-known/openid-configuration")
	if r.status != http.StatusBadRequest || !strings.Contains(r.body, "AADSTS90002") {
		t.Errorf("got %d %s", r.status, r.body)
	}
}

func TestRefreshTokens(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		change func(*world)
		extra  []string
		code   float64 // 0: renewed
		claims bool
	}{
		"are renewed":                 {func(*world) {}, nil, 0, false},
		"live ninety days":            {func(w *world) { w.age(91 * 24 * time.Hour) }, nil, 70008, false},
		"end with the account":        {func(w *world) { must(w.t, w.server.SetEnabled("alice", false)) }, nil, 50057, false},
		"end with the sessions":       {func(w *world) { must(w.t, w.server.RevokeSessions("alice")) }, nil, 50173, false},
		"end with the assignment":     {func(w *world) { w.leaveAll("alice") }, nil, 50105, false},
		"may want a second factor":    {func(w *world) { must(w.t, w.server.RequireMFA("alice", true)) }, nil, 50076, true},
		"prove no context":            {func(*world) {}, []string{"claims", `{"access_token":{"acrs":{"essential":true,"value":"c1"}}}`}, 50076, true},
		"give no more than granted":   {func(*world) {}, []string{"scope", "User.Read.All"}, 65001, false},
		"belong to their app":         {func(*world) {}, []string{"client_id", cast.GraphCLIClientID, "client_secret", ""}, 700005, false},
		"cannot be invented":          {func(*world) {}, []string{"refresh_token", "x"}, 9002313, false},
		"are good on the moved clock": {func(w *world) { w.clock.Advance(365 * 24 * time.Hour) }, nil, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, simentra.Behavior{})
			held := w.session("alice")["refresh_token"].(string)
			row.change(w)
			form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {held}, "client_id": {w.app.ClientID}, "client_secret": {w.app.Secret}}
			for i := 0; i < len(row.extra); i += 2 {
				form.Set(row.extra[i], row.extra[i+1])
			}
			r := w.token(form)
			body := r.json(t)
			if row.code == 0 {
				if next, _ := body["refresh_token"].(string); r.status != http.StatusOK || next == "" || next == held {
					t.Fatalf("got %d %s", r.status, r.body)
				}
				return
			}
			if codes := body["error_codes"].([]any); codes[0] != row.code || (body["claims"] != nil) != row.claims {
				t.Errorf("got %d %s", r.status, r.body)
			}
		})
	}
}

func (w *world) leaveAll(key string) {
	w.t.Helper()
	for _, g := range w.cast.Groups {
		for _, m := range g.Members {
			if m == key {
				must(w.t, w.server.RemoveMember(g.Name, key))
			}
		}
	}
}

func TestGuestsSignInFromTheirTenant(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	claims := claimsOf(t, w.session("gus")["id_token"])
	if claims["tid"] != w.cast.TenantID || claims["preferred_username"] != "gus@fabrikam.example" || !strings.Contains(claims["idp"].(string), w.cast.OtherTenantID) {
		t.Errorf("got %v", claims)
	}
}

func TestDeviceCode(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	base := w.login + "/" + w.cast.TenantID
	start := func() map[string]any {
		r := w.postForm(w.client, base+"/oauth2/v2.0/devicecode", url.Values{"client_id": {cast.GraphCLIClientID}, "scope": {"openid profile offline_access Group.ReadWrite.All"}})
		return r.json(t)
	}
	poll := func(d map[string]any) reply {
		return w.token(url.Values{"grant_type": {"device_code"}, "client_id": {cast.GraphCLIClientID}, "device_code": {d["device_code"].(string)}})
	}
	answer := func(d map[string]any, field, value string) {
		w.postForm(w.client, base+"/oauth2/deviceauth", url.Values{"user_code": {d["user_code"].(string)}, field: {value}})
	}
	d := start()
	if r := poll(d); r.json(t)["error"] != "authorization_pending" {
		t.Fatalf("got %s", r.body)
	}
	answer(d, "account", "ada")
	if r := poll(d); r.status != http.StatusOK || claimsOf(t, r.json(t)["access_token"])["oid"] != w.person("ada").ObjectID {
		t.Errorf("got %s", r.body)
	}
	if r := poll(d); r.status != http.StatusBadRequest {
		t.Errorf("a code was good twice: %s", r.body)
	}
	declined := start()
	answer(declined, "cancel", "1")
	if r := poll(declined); r.json(t)["error"] != "authorization_declined" {
		t.Errorf("got %s", r.body)
	}
	expired := start()
	w.age(16 * time.Minute)
	if r := poll(expired); r.json(t)["error"] != "expired_token" {
		t.Errorf("got %s", r.body)
	}
}
