package simentra

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const refreshLife = 90 * 24 * time.Hour

func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		s.writeLoginError(w, r, errCodeUnknown.with())
		return
	}
	now := s.lock()
	defer s.mu.Unlock()
	s.counts["POST token "+r.PostForm.Get("grant_type")]++
	body, e := s.redeem(r, r.PostForm, now)
	if e != nil {
		s.writeLoginError(w, r, e)
		return
	}
	writeJSON(w, http.StatusOK, body)
}

func (s *Server) redeem(r *http.Request, form url.Values, now time.Time) (map[string]any, *loginError) {
	a, e := s.client(r, form)
	if e != nil {
		return nil, e
	}
	switch kind := form.Get("grant_type"); kind {
	case "":
		return nil, errMissing.with("grant_type")
	case "client_credentials":
		return s.redeemClient(a, form)
	case "authorization_code":
		return s.redeemCode(a, form, now)
	case "refresh_token":
		return s.redeemRefresh(a, form, now)
	case "device_code", "urn:ietf:params:oauth:grant-type:device_code":
		return s.redeemDevice(a, form, now)
	default:
		return nil, errGrantType.with(kind)
	}
}

// redeemClient issues an app-only token. MSAL adds the OpenID scopes; Entra does not mind.
func (s *Server) redeemClient(a *app, form url.Values) (map[string]any, *loginError) {
	if a.Public {
		return nil, errNoSecret.with()
	}
	wish, e := parseClaims(form.Get("claims"))
	if e != nil {
		return nil, e
	}
	if forConnector(form.Get("scope")) {
		return s.connectorAnswer(a, wish)
	}
	scopes, e := s.parseScopes(form.Get("scope"))
	if e != nil {
		return nil, e
	}
	if !scopes.standard {
		return nil, errDefaultOnly.with(form.Get("scope"))
	}
	return s.appAnswer(a, wish)
}

func (s *Server) redeemCode(a *app, form url.Values, now time.Time) (map[string]any, *loginError) {
	g, ok := s.login.codes[form.Get("code")]
	if !ok {
		return nil, errCodeUnknown.with()
	}
	if e := g.checkCode(a, form, s.machine()); e != nil {
		return nil, e
	}
	g.redeemed = true
	if e := s.stillGood(g, now); e != nil {
		return nil, e
	}
	return s.personAnswer(g, g.scopes, now)
}

func (g *grant) checkCode(a *app, form url.Values, machine time.Time) *loginError {
	switch {
	case g.app != a:
		return errCodeClient.with()
	case g.redeemed:
		return errCodeRedeemed.with()
	case machine.After(g.expires):
		return errCodeExpired.with()
	case form.Get("redirect_uri") != g.redirect:
		return errTokenRedirect.with(form.Get("redirect_uri"), g.redirect)
	}
	return g.checkVerifier(form.Get("code_verifier"))
}

// checkVerifier wants the verifier exactly when there was a challenge (RFC 9700, section 2.1.1).
func (g *grant) checkVerifier(verifier string) *loginError {
	if g.challenge == "" && verifier == "" {
		return nil
	}
	if g.challenge == "" || verifier == "" {
		return errVerifierMissing.with()
	}
	sum := sha256.Sum256([]byte(verifier))
	if base64.RawURLEncoding.EncodeToString(sum[:]) != g.challenge {
		return errVerifier.with()
	}
	return nil
}

// redeemRefresh gives a new refresh token each time. The old one stays good, as Entra's do, until it expires or is revoked.
func (s *Server) redeemRefresh(a *app, form url.Values, now time.Time) (map[string]any, *loginError) {
	g, ok := s.login.refresh[form.Get("refresh_token")]
	if !ok {
		return nil, errCodeUnknown.with()
	}
	if g.app != a {
		return nil, errCodeClient.with()
	}
	if s.machine().After(g.expires) {
		return nil, errCodeExpired.with()
	}
	scopes := g.scopes
	if text := form.Get("scope"); text != "" {
		var e *loginError
		if scopes, e = s.parseScopes(text); e != nil {
			return nil, e
		}
	}
	fresh := *g
	var e *loginError
	if fresh.claims, e = parseClaims(form.Get("claims")); e != nil {
		return nil, e
	}
	fresh.nonce = ""
	if e := s.stillGood(&fresh, now); e != nil {
		return nil, e
	}
	if e := a.consented(fresh.person, scopes); e != nil {
		return nil, e
	}
	return s.personAnswer(&fresh, scopes, now)
}

// stillGood applies, at each token, what may have changed since the sign-in.
func (s *Server) stillGood(g *grant, now time.Time) *loginError {
	switch {
	case !g.person.Enabled:
		return errDisabled.with()
	case g.person.revoked > g.signIn.number:
		return errRevoked.with()
	case !s.allows(g.app, g.person, now):
		return errNotAssigned.with(g.app.ClientID, g.app.Name, g.person.UPN)
	case g.person.mustMFA:
		e := errMFA.with()
		e.claims = `{"access_token":{"capolids":{"essential":true,"values":["` + newGUID() + `"]}}}`
		return e
	case !g.claims.met(g.signIn):
		e := errStepUp.with()
		e.claims = `{"access_token":{"acrs":{"essential":true,"value":"` + strings.Join(g.claims.acrs, ",") + `"}}}`
		return e
	}
	return nil
}

func sameText(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
