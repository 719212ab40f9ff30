package simentra

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// An access is what an access token says, or why it says nothing.
type access struct {
	problem string // shown with 401
	person  *person
	oid     string
	app     bool
	granted []string // scp or roles
	claims  jwt.MapClaims
	number  int // when it was issued, see signIn
}

func (s *Server) readToken(header string) *access {
	raw, ok := strings.CutPrefix(header, "Bearer ")
	if !ok || raw == "" {
		return &access{problem: "Access token is empty."}
	}
	claims, err := s.keys.verify(raw)
	if err != nil {
		return &access{problem: "Access token validation failure. Signature is invalid."}
	}
	audience, err := claims.GetAudience()
	if err != nil || !slices.ContainsFunc(audience, func(a string) bool { return slices.Contains(s.audiences(), a) }) {
		return &access{problem: "Access token validation failure. Invalid audience."}
	}
	expires, err := claims.GetExpirationTime()
	if err != nil || expires == nil || !s.machine().Before(expires.Time) {
		return &access{problem: "Lifetime validation failed, the token is expired."}
	}
	issued, err := claims.GetIssuedAt()
	if err != nil || issued == nil || text(claims, "tid") != s.tenantID {
		return &access{problem: "Access token validation failure. Invalid issuer."}
	}
	return s.readClaims(claims)
}

func (s *Server) readClaims(claims jwt.MapClaims) *access {
	a := &access{oid: text(claims, "oid"), app: text(claims, "idtyp") == "app", claims: claims}
	if a.app {
		a.granted = words(claims["roles"])
		return a
	}
	a.granted = strings.Fields(text(claims, "scp"))
	if a.person = s.dir.person(a.oid); a.person == nil {
		a.problem = "The user account was deleted."
	}
	number, err := strconv.Atoi(text(claims, "aio"))
	if err != nil {
		a.problem = "Access token validation failure."
	}
	a.number = number
	return a
}

func words(claim any) []string {
	list, _ := claim.([]any)
	var out []string
	for _, item := range list {
		if word, ok := item.(string); ok {
			out = append(out, word)
		}
	}
	return out
}

func (a *access) capable() bool { return slices.Contains(lower(words(a.claims["xms_cc"])), "cp1") }

func (a *access) actor() actor {
	return actor{
		oid: a.oid, app: a.app, acrs: words(a.claims["acrs"]), cp1: a.capable(),
		mfa: slices.Contains(words(a.claims["amr"]), "mfa"),
	}
}

// checkToken refuses bad tokens, and by continuous access evaluation those of people who were disabled or signed out
// since: only holders that declared cp1 are told at once, others keep their token until it expires.
func (s *Server) checkToken(a *access) *graphError {
	if a.problem != "" {
		return &graphError{
			status: http.StatusUnauthorized, code: "InvalidAuthenticationToken", message: a.problem,
			challenge: `Bearer realm="", authorization_uri="` + s.loginURL + `/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"`,
		}
	}
	if a.app || !a.capable() {
		return nil
	}
	if a.person.Enabled && a.person.revoked <= a.number {
		return nil
	}
	claims := base64.StdEncoding.EncodeToString([]byte(`{"access_token":{"nbf":{"essential":true,"value":"` + strconv.FormatInt(s.machine().Unix(), 10) + `"}}}`))
	return &graphError{
		status: http.StatusUnauthorized, code: "InvalidAuthenticationToken",
		message: "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp",
		challenge: `Bearer realm="", authorization_uri="` + s.loginURL + `/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000", ` +
			`error="insufficient_claims", claims="` + claims + `"`,
	}
}
