package simentra

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// A device is a device code flow that is under way.
type device struct {
	app      *app
	userCode string
	scopes   scopeSet
	claims   claimsRequest
	expires  time.Time // machine time
	person   *person
	signIn   signIn
	refused  *loginError
}

func (s *Server) deviceCode(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		s.writeLoginError(w, r, errCodeUnknown.with())
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	body, e := s.startDevice(r.PostForm)
	if e != nil {
		s.writeLoginError(w, r, e)
		return
	}
	writeJSON(w, http.StatusOK, body)
}

func (s *Server) startDevice(form url.Values) (map[string]any, *loginError) {
	a, ok := s.apps[form.Get("client_id")]
	if !ok {
		return nil, errUnknownApp.with(form.Get("client_id"))
	}
	if !a.Public {
		return nil, errNoSecret.with()
	}
	scopes, e := s.parseScopes(form.Get("scope"))
	if e != nil {
		return nil, e
	}
	claims, e := parseClaims(form.Get("claims"))
	if e != nil {
		return nil, e
	}
	id, user := random(32), strings.ToUpper(random(5))[:9]
	s.login.devices[id] = &device{app: a, userCode: user, scopes: scopes, claims: claims, expires: s.machine().Add(15 * time.Minute)}
	page := s.loginURL + "/" + s.tenantID + "/oauth2/deviceauth"
	return map[string]any{
		"device_code": id, "user_code": user, "verification_uri": page, "expires_in": 900, "interval": 1,
		"message": "To sign in, use a web browser to open the page " + page + " and enter the code " + user + " to authenticate.",
	}, nil
}

func (s *Server) devicePage(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	writePage(w, http.StatusOK, devicePageTemplate, map[string]any{"Code": r.URL.Query().Get("user_code"), "People": s.dir.people})
}

func (s *Server) deviceAnswer(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		s.writeLoginError(w, r, errCodeUnknown.with())
		return
	}
	now := s.lock()
	defer s.mu.Unlock()
	d := s.deviceByUserCode(r.PostForm.Get("user_code"))
	if d == nil {
		s.errorPage(w, errDeviceCode.with(), "")
		return
	}
	s.answerDevice(w, d, r.PostForm, now)
}

func (s *Server) deviceByUserCode(code string) *device {
	for _, d := range s.login.devices {
		if strings.EqualFold(d.userCode, strings.TrimSpace(code)) && s.machine().Before(d.expires) {
			return d
		}
	}
	return nil
}

// answerDevice signs somebody in at the device page, in one step, or in two where consent is asked for.
func (s *Server) answerDevice(w http.ResponseWriter, d *device, form url.Values, now time.Time) {
	if form.Get("cancel") != "" {
		d.refused = loginError{400, "authorization_declined", 70018, "The user declined the sign-in.", "", ""}.with()
		writePage(w, http.StatusOK, deviceDonePage, nil)
		return
	}
	p := s.dir.find(form.Get("account"))
	if p == nil {
		s.errorPage(w, errUnknownUser.with(form.Get("account")), "")
		return
	}
	q := consentQuestion{app: d.app, person: p, scopes: d.scopes, said: form.Get("consent")}
	e := s.mayUse(d.app, p, now)
	done := false
	if e == nil {
		done, e = s.settleConsent(q, now)
	}
	switch {
	case e != nil:
		d.refused = e
		s.errorPage(w, e, "")
	case !done:
		s.consentPage(w, q, "", url.Values{"user_code": {d.userCode}})
	default:
		d.person = p
		d.signIn = signIn{at: now, number: s.nextNumber(), mfa: !s.behavior.NoMFA || d.claims.essential, acrs: d.claims.acrs}
		writePage(w, http.StatusOK, deviceDonePage, nil)
	}
}

func (s *Server) redeemDevice(a *app, form url.Values, now time.Time) (map[string]any, *loginError) {
	id := form.Get("device_code")
	d, ok := s.login.devices[id]
	switch {
	case !ok || d.app != a:
		return nil, errDeviceCode.with()
	case s.machine().After(d.expires):
		return nil, errDeviceExpired.with()
	case d.refused != nil:
		return nil, d.refused
	case d.person == nil:
		return nil, errPending.with()
	}
	delete(s.login.devices, id)
	g := &grant{app: a, person: d.person, signIn: d.signIn, scopes: d.scopes, claims: d.claims, issued: s.machine()}
	if e := s.stillGood(g, now); e != nil {
		return nil, e
	}
	return s.personAnswer(g, d.scopes, now)
}
