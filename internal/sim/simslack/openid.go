package simslack

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"maps"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	keyID     = "sandbox-slack-key"
	codeLife  = 10 * time.Minute
	tokenLife = 5 * time.Minute
)

// grant is what a person allowed in Sign in with Slack.
type grant struct {
	person   string
	redirect string
	nonce    string
	scopes   []string
	signedIn time.Time
	made     time.Time // machine time
	used     bool
}

func newKey() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) }

func (s *Server) serveDiscovery(w http.ResponseWriter, _ *http.Request) {
	base := s.cfg.URL
	writeJSON(w, object{
		"issuer": base, "authorization_endpoint": base + "/openid/connect/authorize",
		"token_endpoint": base + "/api/openid.connect.token", "userinfo_endpoint": base + "/api/openid.connect.userInfo",
		"jwks_uri": base + "/openid/connect/keys", "scopes_supported": []string{"openid", "profile", "email"},
		"response_types_supported": []string{"code"}, "response_modes_supported": []string{"form_post"},
		"grant_types_supported": []string{"authorization_code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"claims_supported":                      []string{"sub", "auth_time", "iss"}, "claims_parameter_supported": false,
		"request_parameter_supported": false, "request_uri_parameter_supported": true,
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "client_secret_basic"},
	})
}

func (s *Server) serveKeys(w http.ResponseWriter, _ *http.Request) {
	encode := base64.RawURLEncoding.EncodeToString
	writeJSON(w, object{"keys": []any{object{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": keyID,
		"n": encode(s.key.N.Bytes()), "e": encode(big.NewInt(int64(s.key.E)).Bytes()),
	}}})
}

// openidToken redeems a code.
func (s *Server) openidToken(c *call) (object, error) {
	app := s.cfg.App
	g := s.codes[c.text("code")]
	switch {
	case c.text("client_id") != app.ClientID:
		return nil, refuse("invalid_client_id")
	case c.text("client_secret") != app.ClientSecret:
		return nil, refuse("bad_client_secret")
	case c.text("grant_type") != "" && c.text("grant_type") != "authorization_code":
		return nil, refuse("invalid_grant_type")
	case g == nil:
		return nil, refuse("invalid_code")
	case g.used:
		return nil, refuse("code_already_used")
	case s.cfg.Now().Sub(g.made) > codeLife:
		return nil, refuse("code_expired")
	case c.text("redirect_uri") != g.redirect:
		return nil, refuse("bad_redirect_uri")
	}
	g.used = true
	access := "sandbox-xoxp-" + randomHex(16)
	s.userToken[access] = *g
	id, err := s.idToken(g, access)
	if err != nil {
		return nil, refuse("internal_error")
	}
	return object{"access_token": access, "token_type": "Bearer", "id_token": id}, nil
}

// idToken signs the claims Slack makes about a person.
func (s *Server) idToken(g *grant, access string) (string, error) {
	p, err := s.person(g.person)
	if err != nil {
		return "", err
	}
	now := s.cfg.Clock()
	hash := sha256.Sum256([]byte(access))
	claims := jwt.MapClaims{
		"iss": s.cfg.URL, "aud": s.cfg.App.ClientID, "exp": now.Add(tokenLife).Unix(), "iat": now.Unix(),
		"auth_time": g.signedIn.Unix(), "at_hash": base64.RawURLEncoding.EncodeToString(hash[:16]),
		"jti": randomHex(16), "https://slack.com/auth_time": g.signedIn.Unix(),
	}
	if g.nonce != "" {
		claims["nonce"] = g.nonce
	}
	maps.Copy(claims, s.identity(p, g.scopes))
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["kid"] = keyID
	return token.SignedString(s.key)
}

// identity is what the ID token and userInfo say of a person.
func (s *Server) identity(p *Person, scopes []string) object {
	o := object{"sub": p.ID, "https://slack.com/user_id": p.ID, "https://slack.com/team_id": s.team(p)}
	if id := s.enterprise(p); id != "" {
		o["https://slack.com/enterprise_id"] = id
	}
	if slices.Contains(scopes, "profile") {
		o["name"] = p.RealName
		if p.Team == "" {
			o["https://slack.com/team_name"], o["https://slack.com/team_domain"] = s.cfg.Workspace.Name, s.cfg.Workspace.Domain
		}
	}
	if slices.Contains(scopes, "email") {
		o["email"], o["email_verified"] = p.Email, true
	}
	return o
}

// enterprise is the organisation a person belongs to, if any.
func (s *Server) enterprise(p *Person) string {
	if p.Team == "" {
		return s.cfg.Workspace.Enterprise
	}
	return p.Enterprise
}

func (s *Server) openidUserInfo(c *call) (object, error) {
	p, err := s.person(c.grant.person)
	if err != nil {
		return nil, refuse("user_not_found")
	}
	return s.identity(p, c.grant.scopes), nil
}

// authorization is what the app asks for at the authorize page.
type authorization struct {
	client, redirect, state, nonce, team string
	scopes                               []string
}

func readAuthorization(q url.Values) authorization {
	return authorization{
		client: q.Get("client_id"), redirect: q.Get("redirect_uri"), state: q.Get("state"), nonce: q.Get("nonce"), team: q.Get("team"),
		scopes: strings.FieldsFunc(q.Get("scope"), func(r rune) bool { return r == ' ' || r == ',' }),
	}
}

// refusal is what the page says in place of asking the person; empty when all is well.
func (s *Server) refusal(a authorization, responseType string) string {
	switch {
	case a.client != s.cfg.App.ClientID:
		return "invalid_client_id"
	case !slices.Contains(s.cfg.App.RedirectURIs, a.redirect):
		return "redirect_uri did not match any configured URIs"
	case responseType != "code":
		return "invalid_response_type"
	case !slices.Contains(a.scopes, "openid"):
		return "invalid_scope"
	}
	for _, scope := range a.scopes {
		if scope != "openid" && scope != "profile" && scope != "email" {
			return "invalid_scope"
		}
	}
	return ""
}

// shortCode makes an authorization code of the shape Slack's have.
func shortCode() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return "sandbox-" + randomHex(16) + "." + new(big.Int).SetUint64(binary.BigEndian.Uint64(b[:])).String()
}
