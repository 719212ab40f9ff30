package simentra

import (
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const maxBody = 1 << 20

// LoginHandler returns the sign-in service: login.microsoftonline.com, without passwords.
func (s *Server) LoginHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{tenant}/v2.0/.well-known/openid-configuration", s.tenanted(s.discovery))
	mux.HandleFunc("GET /{tenant}/discovery/v2.0/keys", s.tenanted(s.keysEndpoint))
	mux.HandleFunc("GET /{tenant}/oauth2/v2.0/authorize", s.tenanted(s.authorize))
	mux.HandleFunc("POST /{tenant}/oauth2/v2.0/authorize", s.tenanted(s.authorize))
	mux.HandleFunc("POST /{tenant}/oauth2/v2.0/token", s.tenanted(s.token))
	mux.HandleFunc("POST /{tenant}/oauth2/v2.0/devicecode", s.tenanted(s.deviceCode))
	mux.HandleFunc("GET /{tenant}/oauth2/deviceauth", s.tenanted(s.devicePage))
	mux.HandleFunc("POST /{tenant}/oauth2/deviceauth", s.tenanted(s.deviceAnswer))
	mux.HandleFunc("GET /{tenant}/oauth2/v2.0/logout", s.tenanted(s.logout))
	return s.breakable(sideLogin, func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		mux.ServeHTTP(w, r)
	})
}

// tenanted refuses other tenants. The names shared by all tenants stand for ours.
func (s *Server) tenanted(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		tenant := strings.ToLower(r.PathValue("tenant"))
		switch tenant {
		case s.tenantID, s.domain, "common", "organizations":
			next(w, r)
		case "botframework.com": // where multi-tenant bots are at home; an app of one tenant is not known there
			s.writeLoginError(w, r, errUnknownApp.with(r.PostFormValue("client_id")))
		default:
			s.writeLoginError(w, r, errUnknownTenant.with(tenant))
		}
	}
}

func (s *Server) discovery(w http.ResponseWriter, r *http.Request) {
	tenant := r.PathValue("tenant")
	base := s.loginURL + "/" + tenant
	issuer := s.Issuer()
	if tenant == "common" || tenant == "organizations" {
		issuer = s.loginURL + "/{tenantid}/v2.0"
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer":                                issuer,
		"authorization_endpoint":                base + "/oauth2/v2.0/authorize",
		"token_endpoint":                        base + "/oauth2/v2.0/token",
		"device_authorization_endpoint":         base + "/oauth2/v2.0/devicecode",
		"end_session_endpoint":                  base + "/oauth2/v2.0/logout",
		"jwks_uri":                              base + "/discovery/v2.0/keys",
		"response_modes_supported":              []string{"query", "form_post"},
		"response_types_supported":              []string{"code"},
		"scopes_supported":                      oidcScopes,
		"subject_types_supported":               []string{"pairwise"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "private_key_jwt", "client_secret_basic"},
		"claims_supported": []string{
			"sub", "iss", "aud", "exp", "iat", "auth_time", "acr", "nonce", "preferred_username", "name", "tid", "ver",
		},
		"request_uri_parameter_supported": false,
		"http_logout_supported":           true,
		"tenant_region_scope":             "EU",
		"cloud_instance_name":             "microsoftonline.com",
		"msgraph_host":                    strings.TrimPrefix(s.graphURL, "https://"),
	})
}

func (s *Server) keysEndpoint(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	keys := s.keys.jwks()
	s.mu.Unlock()
	writeJSON(w, http.StatusOK, keys)
}

// loginState is what the sign-in service remembers.
type loginState struct {
	browsers map[string]*browser
	codes    map[string]*grant
	refresh  map[string]*grant
	devices  map[string]*device
	numbers  int
}

func newLoginState() loginState {
	return loginState{
		browsers: map[string]*browser{}, codes: map[string]*grant{}, refresh: map[string]*grant{},
		devices: map[string]*device{},
	}
}

// A grant is what somebody signed in to: the thing behind a code or a refresh token.
type grant struct {
	app       *app
	person    *person
	signIn    signIn
	scopes    scopeSet
	redirect  string
	challenge string
	nonce     string
	issued    time.Time // machine time
	expires   time.Time // machine time
	redeemed  bool
	claims    claimsRequest
}

// A signIn is one proof of identity.
type signIn struct {
	at     time.Time // on the movable clock
	number int       // sign-ins, tokens and revocations are numbered: clocks may stand still
	mfa    bool
	acrs   []string // authentication contexts that were satisfied
}

func (s *Server) nextNumber() int {
	s.login.numbers++
	return s.login.numbers
}

func (s *Server) mint(claims jwt.MapClaims) (string, *loginError) {
	raw, err := s.keys.sign(claims)
	if err != nil {
		return "", errInternal.with()
	}
	return raw, nil
}
