package simteams

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	issuer    = "https://api.botframework.com"
	tokenLife = time.Hour
)

// Forgery is what is wrong with a delivery on purpose. The zero value is a genuine one.
type Forgery struct {
	NoToken   bool
	Scheme    string        // in place of Bearer
	Alg       string        // none, or HS256 with the public key for a secret
	Key       string        // unknown: nobody published it; foreign: it is endorsed for other channels only
	Tampered  bool          // the signature fits another token
	Issuer    string        // in place of the Bot Framework
	Audience  any           // in place of the bot's id; a list is genuine, too, when the id is in it
	Service   string        // another service in the token than in the activity
	NoService bool          // no service in the token
	NoExpiry  bool          // a token without an end
	Age       time.Duration // how old the token is; negative: from the future

	Tenant     string // in the activity: another tenant
	Channel    string // in the activity: another channel
	Bot        string // in the activity: another bot's application id
	ServiceURL string // in the activity and in the token: another service
	// Data is put into what a clicked button brings along, as a changed client could do.
	Data map[string]any
	Body []byte // sent as it is in place of the activity
}

// audience is who a token is for.
func (f Forgery) audience(app App) any {
	if f.Audience != nil {
		return f.Audience
	}
	return app.ID
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// claims are what a token says.
func (s *Server) claims(app App, service string, f Forgery) jwt.MapClaims {
	begin := s.cfg.Now().Add(-f.Age)
	claims := jwt.MapClaims{
		"serviceurl": orElse(f.Service, service), "iss": orElse(f.Issuer, issuer), "aud": f.audience(app),
		"nbf": begin.Unix(), "exp": begin.Add(tokenLife).Unix(),
	}
	if f.NoService {
		delete(claims, "serviceurl")
	}
	if f.NoExpiry {
		delete(claims, "exp")
	}
	return claims
}

// Token signs a token for an activity that names a service, as the connector does, or as a forger would.
func (s *Server) Token(service string, f Forgery) (string, error) {
	claims := s.claims(s.App(), service, f)
	key := s.keys.newest()
	switch f.Key {
	case "foreign":
		key = s.keys.foreign
	case "unknown":
		var err error
		if key, err = newKey(); err != nil {
			return "", err
		}
	}
	raw, err := key.sign(claims, f.Alg)
	if err != nil || !f.Tampered {
		return raw, err
	}
	return tampered(raw, claims)
}

func (k signingKey) sign(claims jwt.MapClaims, alg string) (string, error) {
	var method jwt.SigningMethod = jwt.SigningMethodRS256
	var secret any = k.key
	switch alg {
	case "none":
		method, secret = jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType
	case "HS256":
		der, err := x509.MarshalPKIXPublicKey(&k.key.PublicKey)
		if err != nil {
			return "", err
		}
		method, secret = jwt.SigningMethodHS256, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	}
	t := jwt.NewWithClaims(method, claims)
	t.Header["kid"], t.Header["x5t"] = k.kid, k.kid
	return t.SignedString(secret)
}

// tampered puts another claim into a signed token.
func tampered(raw string, claims jwt.MapClaims) (string, error) {
	claims["tampered"] = true
	body, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	parts := strings.Split(raw, ".")
	parts[1] = base64.RawURLEncoding.EncodeToString(body)
	return strings.Join(parts, "."), nil
}
