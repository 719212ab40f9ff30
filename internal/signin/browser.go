package signin

import (
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"strings"
	"time"
)

// browserLife is how long a browser is known: a link, the way to Entra and the way to Slack, and some air.
const browserLife = 40 * time.Minute

// cookieName has a prefix that keeps other hosts and unencrypted answers from setting the cookie. Only the sandbox may
// run without TLS, and browsers then take neither the prefix nor Secure.
func (s *Service) cookieName() string {
	if s.plain() {
		return "elevate-signin"
	}
	return "__Host-elevate-signin"
}

func (s *Service) plain() bool { return strings.HasPrefix(s.cfg.PublicURL, "http://") }

// browserOf returns the hash by which a request's browser is known, or "".
func (s *Service) browserOf(r *http.Request) string {
	cookie, err := r.Cookie(s.cookieName())
	if err != nil || !isToken(cookie.Value) {
		return ""
	}
	return hashOf("elevate browser", cookie.Value)
}

// knowBrowser returns the browser's hash and the cookie that it has to keep: the one it sent, so that two tabs do not
// disturb each other, or a new one.
func (s *Service) knowBrowser(r *http.Request) (string, *http.Cookie) {
	value := newToken()
	if sent, err := r.Cookie(s.cookieName()); err == nil && isToken(sent.Value) {
		value = sent.Value
	}
	// Lax, because the issuers send the browser back from their own sites.
	return hashOf("elevate browser", value), &http.Cookie{ //nolint:gosec // Secure is off in a sandbox without TLS only
		Name: s.cookieName(), Value: value, Path: "/", MaxAge: int(browserLife.Seconds()),
		Secure: !s.plain(), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// formProof binds a form to the browser it was drawn for and to the link it spends.
func (s *Service) formProof(browser, link string) string {
	return base64.RawURLEncoding.EncodeToString(s.cfg.Keys.MAC([]byte("elevate sign-in form|" + browser + "|" + link)))
}

func (s *Service) formFits(proof, browser, link string) bool {
	code, err := base64.RawURLEncoding.DecodeString(proof)
	return err == nil && s.cfg.Keys.Verify(code, []byte("elevate sign-in form|"+browser+"|"+link)) == nil
}

// fromOurPage refuses forms that another site sent. Pages without a referrer send Origin "null" with their own forms, so
// that then only Sec-Fetch-Site tells. Programs send neither; the proof in the form stands alone then.
func (s *Service) fromOurPage(r *http.Request) bool {
	site, origin := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
	if site != "" && site != "same-origin" {
		return false
	}
	ours := subtle.ConstantTimeCompare([]byte(origin), []byte(s.cfg.PublicURL)) == 1
	return ours || origin == "" || (origin == "null" && site != "")
}
