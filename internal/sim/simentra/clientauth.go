package simentra

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// client finds out which registration is calling, and makes confidential ones prove it.
func (s *Server) client(r *http.Request, form url.Values) (*app, *loginError) {
	id, secret, basic := r.BasicAuth()
	if basic { // RFC 6749, section 2.3.1: both halves are form-encoded
		id, secret = unescape(id), unescape(secret)
	} else {
		id, secret = form.Get("client_id"), form.Get("client_secret")
	}
	if id == "" {
		return nil, errMissing.with("client_id")
	}
	a, ok := s.apps[id]
	if !ok {
		return nil, errUnknownApp.with(id)
	}
	assertion := form.Get("client_assertion")
	switch {
	case a.Public && (secret != "" || assertion != ""):
		return nil, errPublicSecret.with()
	case a.Public:
		return a, nil
	case secret != "":
		return a, a.checkSecret(secret, s.clock.Now())
	case assertion != "" && form.Get("client_assertion_type") == assertionType:
		return a, s.checkAssertion(a, assertion)
	}
	return nil, errNoSecret.with()
}

func unescape(text string) string {
	plain, err := url.QueryUnescape(text)
	if err != nil {
		return text
	}
	return plain
}

func (a *app) checkSecret(secret string, now time.Time) *loginError {
	if a.Secret == "" || !sameText(a.Secret, secret) {
		return errSecret.with(a.ClientID)
	}
	if now.After(a.secretEnds) {
		return errSecretEnded.with(a.ClientID)
	}
	return nil
}

// A Federation lets tokens of another issuer stand for the app (workload identity).
type Federation struct {
	Issuer, Subject, Audience string
	Key                       any // public key that verifies the issuer's tokens
}

// AddFederation trusts another issuer's tokens as client assertions of the app.
func (s *Server) AddFederation(clientID string, f Federation) {
	s.changeApp(clientID, func(a *app) { a.federated = append(a.federated, f) })
}

func (s *Server) checkAssertion(a *app, raw string) *loginError {
	claims := jwt.MapClaims{}
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{"RS256", "PS256", "ES256"}), jwt.WithTimeFunc(s.machine),
		jwt.WithExpirationRequired(), jwt.WithLeeway(5*time.Minute))
	_, err := parser.ParseWithClaims(raw, claims, func(t *jwt.Token) (any, error) { return a.assertionKey(t, claims) })
	if err != nil {
		return errAssertion.with()
	}
	if a.ownAssertion(claims) {
		return s.checkOwnAssertion(claims)
	}
	return nil // assertionKey has matched a federation, audience included
}

// checkOwnAssertion is for assertions signed with the app's certificate: meant for this tenant's token endpoint.
func (s *Server) checkOwnAssertion(claims jwt.MapClaims) *loginError {
	audience, err := claims.GetAudience()
	id := text(claims, "jti")
	base := s.loginURL + "/" + s.tenantID
	accepted := []string{base + "/oauth2/v2.0/token", base + "/v2.0", s.loginURL + "/" + s.domain + "/oauth2/v2.0/token"}
	if err != nil || id == "" || !slices.ContainsFunc(audience, func(x string) bool { return slices.Contains(accepted, x) }) {
		return errAssertion.with()
	}
	return nil
}

// assertionKey finds the key that may sign for the app: a certificate's, or a trusted issuer's.
func (a *app) assertionKey(t *jwt.Token, claims jwt.MapClaims) (any, error) {
	if a.ownAssertion(claims) {
		for _, cert := range a.certificates {
			if thumbprints(t, cert) {
				return cert.PublicKey, nil
			}
		}
		return nil, errUnknownKey
	}
	audience, _ := claims.GetAudience()
	for _, f := range a.federated {
		if f.Issuer == text(claims, "iss") && f.Subject == text(claims, "sub") && slices.Contains(audience, f.Audience) {
			return f.Key, nil
		}
	}
	return nil, errUnknownKey
}

func (a *app) ownAssertion(claims jwt.MapClaims) bool {
	return text(claims, "iss") == a.ClientID && text(claims, "sub") == a.ClientID
}

// thumbprints reports whether the header names the certificate; MSAL writes it in standard base64.
func thumbprints(t *jwt.Token, cert *x509.Certificate) bool {
	sum := sha256.Sum256(cert.Raw)
	have, _ := t.Header["x5t#S256"].(string)
	return have == base64.StdEncoding.EncodeToString(sum[:]) || have == base64.RawURLEncoding.EncodeToString(sum[:])
}

func text(claims jwt.MapClaims, name string) string {
	value, _ := claims[name].(string)
	return value
}
