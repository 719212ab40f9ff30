package simentra

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An authorizeRequest is a checked query of the authorize endpoint.
type authorizeRequest struct {
	app      *app
	redirect string
	state    string
	nonce    string
	mode     string
	prompt   []string
	hint     string
	maxAge   int // -1: not asked for
	scopes   scopeSet
	claims   claimsRequest
	pkce     string
}

// errUntrusted says that the error must not go to the redirect address, because that is not trusted (yet).
var errUntrusted = errors.New("show the error here")

// readAuthorize checks client and redirect address first: only then may errors be sent there.
func (s *Server) readAuthorize(q url.Values) (*authorizeRequest, *loginError, error) {
	req := &authorizeRequest{
		redirect: q.Get("redirect_uri"), state: q.Get("state"), nonce: q.Get("nonce"), mode: q.Get("response_mode"),
		prompt: strings.Fields(q.Get("prompt")), hint: q.Get("login_hint"), maxAge: -1,
	}
	if q.Get("client_id") == "" {
		return nil, errMissing.with("client_id"), errUntrusted
	}
	found, ok := s.apps[q.Get("client_id")]
	if !ok {
		return nil, errUnknownApp.with(q.Get("client_id")), errUntrusted
	}
	req.app = found
	if !found.redirects(req.redirect) {
		return nil, errRedirect.with(req.redirect, found.ClientID), errUntrusted
	}
	return req, s.readWishes(req, q), nil
}

func (s *Server) readWishes(req *authorizeRequest, q url.Values) *loginError {
	if q.Get("response_type") != "code" {
		return errResponseType.with(q.Get("response_type"))
	}
	if q.Get("scope") == "" {
		return errMissing.with("scope")
	}
	if age := q.Get("max_age"); age != "" {
		n, err := strconv.Atoi(age)
		if err != nil || n < 0 {
			return errCodeUnknown.with()
		}
		req.maxAge = n
	}
	if e := req.readChallenge(q); e != nil {
		return e
	}
	var e *loginError
	if req.scopes, e = s.parseScopes(q.Get("scope")); e != nil {
		return e
	}
	req.claims, e = parseClaims(q.Get("claims"))
	return e
}

// readChallenge takes S256 only. Entra takes "plain" too; nothing in this project may rely on that.
func (req *authorizeRequest) readChallenge(q url.Values) *loginError {
	req.pkce = q.Get("code_challenge")
	if req.pkce == "" {
		return nil
	}
	if method := q.Get("code_challenge_method"); method != "S256" {
		return errChallengeMethod.with(method)
	}
	if len(req.pkce) != 43 {
		return errChallenge.with()
	}
	return nil
}

func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		s.writeLoginError(w, r, errCodeUnknown.with())
		return
	}
	now := s.lock()
	defer s.mu.Unlock()
	req, failed, where := s.readAuthorize(r.URL.Query())
	switch {
	case where != nil:
		s.errorPage(w, failed, "")
	case failed != nil:
		s.answerError(w, r, req, failed)
	case r.Method == http.MethodPost && r.PostForm.Get("cancel") != "":
		s.answerError(w, r, req, errCanceled.with())
	case r.Method == http.MethodPost:
		s.signInAs(w, r, req, now)
	default:
		s.useBrowser(w, r, req, now)
	}
}

// useBrowser goes on with who is signed in in this browser, or asks.
func (s *Server) useBrowser(w http.ResponseWriter, r *http.Request, req *authorizeRequest, now time.Time) {
	silent := slices.Contains(req.prompt, "none")
	oid, known, e := s.remembered(r, req, now)
	if e == nil {
		p := s.dir.person(oid)
		if e = s.mayUse(req.app, p, now); e == nil && silent {
			e = req.app.consented(p, req.scopes)
		}
		if e == nil {
			s.consent(w, r, req, p, known, now)
			return
		}
	}
	if silent {
		s.answerError(w, r, req, e)
		return
	}
	if e.code == errLoginRequired.code || e.code == errSelectAccount.code {
		s.signInPage(w, req, r.URL.String())
		return
	}
	s.errorPage(w, e, s.answer(req, e).String())
}

// remembered returns the one account of this browser that may be used without a question.
func (s *Server) remembered(r *http.Request, req *authorizeRequest, now time.Time) (string, signIn, *loginError) {
	b := s.browser(r)
	if b == nil || slices.Contains(req.prompt, "login") || slices.Contains(req.prompt, "select_account") {
		return "", signIn{}, errLoginRequired.with()
	}
	candidates := b.accounts
	if req.hint != "" {
		candidates = nil
		if p := s.dir.find(req.hint); p != nil && slices.Contains(b.accounts, p.ObjectID) {
			candidates = []string{p.ObjectID}
		}
	}
	if len(candidates) == 0 {
		return "", signIn{}, errLoginRequired.with()
	}
	if len(candidates) > 1 {
		return "", signIn{}, errSelectAccount.with()
	}
	known, p := b.signIns[candidates[0]], s.dir.person(candidates[0])
	stale := req.maxAge >= 0 && now.Sub(known.at) > time.Duration(req.maxAge)*time.Second
	if stale || p == nil || p.revoked > known.number || !req.claims.met(known) {
		return "", signIn{}, errLoginRequired.with()
	}
	return candidates[0], known, nil
}

// mayUse applies the tenant's rules to a person and an app.
func (s *Server) mayUse(a *app, p *person, now time.Time) *loginError {
	if !p.Enabled {
		return errDisabled.with()
	}
	if !s.allows(a, p, now) {
		return errNotAssigned.with(a.ClientID, a.Name, p.UPN)
	}
	return nil
}

// granted compares scopes as Entra does, without regard to case. Read is not part of ReadWrite here.
func granted(have []string, want string) bool {
	return slices.ContainsFunc(have, func(h string) bool { return strings.EqualFold(h, want) })
}

// signInAs handles the form of the sign-in page.
func (s *Server) signInAs(w http.ResponseWriter, r *http.Request, req *authorizeRequest, now time.Time) {
	account := r.PostForm.Get("account")
	p := s.dir.find(account)
	if p == nil {
		s.errorPage(w, errUnknownUser.with(account), "")
		return
	}
	if e := s.mayUse(req.app, p, now); e != nil {
		s.errorPage(w, e, s.answer(req, e).String())
		return
	}
	done := signIn{at: now, number: s.nextNumber(), mfa: !s.behavior.NoMFA || req.claims.essential, acrs: req.claims.acrs}
	s.remember(w, r, p, done)
	s.consent(w, r, req, p, done, now)
}

// finish sends the browser back with a code.
func (s *Server) finish(w http.ResponseWriter, r *http.Request, req *authorizeRequest, p *person, by signIn) {
	life := s.behavior.CodeLife
	if life == 0 {
		life = 10 * time.Minute
	}
	issued := s.machine()
	code := "1." + random(32)
	s.login.codes[code] = &grant{
		app: req.app, person: p, signIn: by, scopes: req.scopes, redirect: req.redirect, challenge: req.pkce,
		nonce: req.nonce, issued: issued, expires: issued.Add(life), claims: req.claims,
	}
	s.dropOldCodes(issued)
	s.answerBrowser(w, r, req, url.Values{"code": {code}, "session_state": {newGUID()}})
}

// dropOldCodes keeps redeemed and expired codes for a day, to say which of the two they are.
func (s *Server) dropOldCodes(machine time.Time) {
	for code, g := range s.login.codes {
		if machine.Sub(g.expires) > 24*time.Hour {
			delete(s.login.codes, code)
		}
	}
}

// answer is where an error sends the browser, with the words that OAuth has for it.
func (s *Server) answer(req *authorizeRequest, e *loginError) *url.URL {
	body := e.body(s.machine(), newGUID())
	kind := e.kind
	switch e.code {
	case errConsent.code:
		kind = "consent_required"
	case errDisabled.code, errNotAssigned.code, errDeclined.code:
		kind = "access_denied"
	}
	values := url.Values{"error": {kind}, "error_description": {body["error_description"].(string)}}
	if e.code == errConsent.code || e.code == errDeclined.code {
		values.Set("error_subcode", "cancel")
	}
	return req.target(values)
}

func (req *authorizeRequest) target(values url.Values) *url.URL {
	u, err := url.Parse(req.redirect)
	if err != nil { // unreachable: the address is a registered one
		return &url.URL{}
	}
	all := u.Query()
	for name := range values {
		all.Set(name, values.Get(name))
	}
	if req.state != "" {
		all.Set("state", req.state)
	}
	u.RawQuery = all.Encode()
	return u
}

func (s *Server) answerError(w http.ResponseWriter, r *http.Request, req *authorizeRequest, e *loginError) {
	s.answerBrowser(w, r, req, s.answer(req, e).Query())
}

func (s *Server) answerBrowser(w http.ResponseWriter, r *http.Request, req *authorizeRequest, values url.Values) {
	w.Header().Set("Cache-Control", "no-store, no-cache")
	if req.mode == "form_post" {
		s.formPostPage(w, req, values)
		return
	}
	http.Redirect(w, r, req.target(values).String(), http.StatusFound) //nolint:gosec // a registered address, see readAuthorize
}
