package signin_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	tenant      = "c0705000-0000-4000-8000-000000000001"
	otherTenant = "fab81ca0-0000-4000-8000-000000000002"
	entraClient = "e1e7a7e0-0000-4000-8000-000000000001"
	slackClient = "123.456"
	alice       = "0be0b1e5-0000-4000-8000-000000000001"
	bob         = "0be0b1e5-0000-4000-8000-000000000002"
	aliceAdmin  = "0be0b1e5-0000-4000-8000-000000000007"
	scope       = "https://graph.example/PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup"
)

var (
	keysOnce  sync.Once
	sharedKey *rsa.PrivateKey // of the issuers
	rollover  *rsa.PrivateKey // their next one
	strayKey  *rsa.PrivateKey // nobody's
)

func makeKeys(tb testing.TB) {
	tb.Helper()
	keysOnce.Do(func() {
		for _, key := range []**rsa.PrivateKey{&sharedKey, &rollover, &strayKey} {
			var err error
			if *key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
				tb.Fatal(err)
			}
		}
	})
}

// idp is Entra and Slack as OpenID providers, with no rule but those of the code flow, so that it can lie.
type idp struct {
	*httptest.Server
	t   testing.TB
	now func() time.Time

	mu      sync.Mutex
	codes   map[string]url.Values // what the authorise address asked for
	people  map[string]map[string]any
	lie     func(claims jwt.MapClaims) // changes the claims of the next ID tokens
	sign    func(token *jwt.Token) (string, error)
	keys    map[string]*rsa.PrivateKey
	asked   []url.Values // of the token endpoint
	fail    func(form url.Values) (status int, body string)
	refresh map[string]map[string]any
	life    int // seconds of an access token
}

func newIDP(tb testing.TB, now func() time.Time) *idp {
	tb.Helper()
	makeKeys(tb)
	p := &idp{
		t: tb, now: now, codes: map[string]url.Values{}, people: map[string]map[string]any{}, life: 3600,
		keys: map[string]*rsa.PrivateKey{"one": sharedKey}, refresh: map[string]map[string]any{},
	}
	p.sign = func(token *jwt.Token) (string, error) {
		token.Header["kid"] = "one"
		return token.SignedString(sharedKey)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{issuer}/v2.0/.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		p.discovery(w, p.URL+"/"+r.PathValue("issuer")+"/v2.0", nil)
	})
	mux.HandleFunc("GET /slack/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		p.discovery(w, p.slack(), []string{"S256"})
	})
	mux.HandleFunc("GET /keys", p.jwks)
	mux.HandleFunc("POST /token", p.token)
	p.Server = httptest.NewTLSServer(mux)
	tb.Cleanup(p.Close)
	return p
}

func (p *idp) slack() string { return p.URL + "/slack" }

func (p *idp) entra() string { return p.URL + "/" + tenant + "/v2.0" }

func (p *idp) discovery(w http.ResponseWriter, issuer string, pkce []string) {
	reply(w, http.StatusOK, map[string]any{
		"issuer": issuer, "authorization_endpoint": issuer + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
		"id_token_signing_alg_values_supported": []string{"RS256"}, "code_challenge_methods_supported": pkce,
	})
}

func (p *idp) jwks(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []any
	for kid, key := range p.keys {
		list = append(list, map[string]any{
			"kty": "RSA", "use": "sig", "kid": kid, "n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()),
			"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes()),
		})
	}
	reply(w, http.StatusOK, map[string]any{"keys": list})
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// person is what an ID token of Entra's says about somebody.
func person(oid, name string) map[string]any {
	return map[string]any{"oid": oid, "tid": tenant, "name": name, "sub": "pairwise-" + oid}
}

// slackAccount is what an ID token of Slack's says.
func slackAccount(team, user string) map[string]any {
	return map[string]any{"sub": user, "https://slack.com/user_id": user, "https://slack.com/team_id": team}
}

// approve lets somebody sign in at the address the browser was sent to, and returns where they are sent back to.
func (p *idp) approve(location string, who map[string]any) string {
	p.t.Helper()
	u, err := url.Parse(location)
	if err != nil || !strings.HasPrefix(location, p.URL+"/") {
		p.t.Fatalf("the browser was sent to %q", location)
	}
	query := u.Query()
	code := rand.Text()
	p.mu.Lock()
	p.codes[code], p.people[code] = query, who
	p.mu.Unlock()
	back := url.Values{"code": {code}, "state": {query.Get("state")}}
	return query.Get("redirect_uri") + "?" + back.Encode()
}

func (p *idp) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := r.ParseForm(); err != nil {
		p.t.Errorf("token endpoint: %v", err)
	}
	p.asked = append(p.asked, r.PostForm)
	if p.fail != nil {
		if status, body := p.fail(r.PostForm); status != 0 {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
			return
		}
	}
	if r.PostForm.Get("grant_type") == "refresh_token" {
		who := p.refresh[r.PostForm.Get("refresh_token")]
		if who == nil {
			reply(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant", "error_codes": []int{70000}})
			return
		}
		p.grant(w, url.Values{"client_id": {entraClient}}, who)
		return
	}
	code := r.PostForm.Get("code")
	asked, who := p.codes[code], p.people[code]
	delete(p.codes, code)
	sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	switch {
	case asked == nil || r.PostForm.Get("redirect_uri") != asked.Get("redirect_uri"):
		reply(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant", "error_codes": []int{54005}})
	case asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]):
		reply(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant", "error_codes": []int{50148}})
	default:
		p.grant(w, asked, who)
	}
}

// grant answers with tokens for somebody.
func (p *idp) grant(w http.ResponseWriter, asked url.Values, who map[string]any) {
	now := p.now()
	claims := jwt.MapClaims{
		"iss": p.entra(), "aud": asked.Get("client_id"), "nonce": asked.Get("nonce"), "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		"auth_time": now.Unix(),
	}
	if asked.Get("client_id") == slackClient {
		claims["iss"] = p.slack()
	}
	maps.Copy(claims, who)
	if p.lie != nil {
		p.lie(claims)
	}
	id, err := p.sign(jwt.NewWithClaims(jwt.SigningMethodRS256, claims))
	if err != nil {
		p.t.Errorf("signing: %v", err)
	}
	refresh, info := rand.Text(), []byte("{}")
	p.refresh[refresh] = who
	if oid, ok := who["oid"].(string); ok {
		info, _ = json.Marshal(map[string]string{"uid": oid, "utid": tenant}) //nolint:errchkjson // two strings
	}
	reply(w, http.StatusOK, map[string]any{
		"token_type": "Bearer", "expires_in": p.life, "access_token": "access-" + rand.Text(), "refresh_token": refresh, "id_token": id,
		"scope": scope, "client_info": base64.RawURLEncoding.EncodeToString(info),
	})
}
