package simentra

import (
	"net/http"
	"net/url"
	"slices"
	"time"
)

// What the form of the consent page says.
const (
	consentMine   = "accept"
	consentForAll = "organization" // an administrator's, for everybody in the tenant
	consentNot    = "decline"
)

// selfConsented are the permissions that people may grant to an app for themselves; everything else is an administrator's.
var selfConsented = []string{"openid", "profile", "email", "offline_access", "User.Read", "User.ReadBasic.All"}

// delegatedTo is what was consented to for a person: by an administrator for all, and for themselves.
func (a *app) delegatedTo(p *person) []string {
	return slices.Concat(a.Delegated, a.consents[p.ObjectID])
}

// missing are the scopes that were asked for and not consented to.
func (a *app) missing(p *person, scopes scopeSet) []string {
	var out []string
	for _, scope := range scopes.graph {
		if !granted(a.delegatedTo(p), scope) {
			out = append(out, scope)
		}
	}
	return out
}

// consented refuses scopes that nobody consented to, where nobody can be asked.
func (a *app) consented(p *person, scopes scopeSet) *loginError {
	switch missing := a.missing(p, scopes); {
	case len(missing) == 0:
		return nil
	case a.FirstParty:
		return errPreauthorized.with(a.ClientID)
	}
	return errConsent.with(a.ClientID, a.Name)
}

// mayConsent refuses what the person cannot grant. A first-party client cannot ask for consent at all.
func (a *app) mayConsent(p *person, missing []string) *loginError {
	beyond := func(scope string) bool { return !granted(selfConsented, scope) }
	switch {
	case a.FirstParty:
		return errPreauthorized.with(a.ClientID)
	case !p.Admin && slices.ContainsFunc(missing, beyond):
		return errAdminConsent.with(a.Name)
	}
	return nil
}

// A consentQuestion is what stands between a sign-in and its end.
type consentQuestion struct {
	app    *app
	person *person
	scopes scopeSet
	anew   bool   // prompt=consent: asked although it was granted
	said   string // what the form answered
}

// settleConsent returns whether the sign-in may go on; if neither that nor an error, the page has to be shown.
func (s *Server) settleConsent(q consentQuestion, now time.Time) (bool, *loginError) {
	missing := q.app.missing(q.person, q.scopes)
	if len(missing) == 0 && !q.anew {
		return true, nil
	}
	if e := q.app.mayConsent(q.person, missing); e != nil {
		return false, e
	}
	switch q.said {
	case consentMine:
		if q.app.consents == nil {
			q.app.consents = map[string][]string{}
		}
		q.app.consents[q.person.ObjectID] = append(q.app.consents[q.person.ObjectID], missing...)
	case consentForAll:
		if !q.person.Admin {
			return false, errAdminConsent.with(q.app.Name)
		}
		q.app.Delegated = append(slices.Clone(q.app.Delegated), missing...)
	case consentNot:
		return false, errDeclined.with()
	default:
		return false, nil
	}
	if len(missing) > 0 {
		s.auditDirectory(auditConsent, actor{oid: q.person.ObjectID}, now, q.app.ServicePrincipalID)
	}
	return true, nil
}

// consentPage asks. The fields come back with the answer.
func (s *Server) consentPage(w http.ResponseWriter, q consentQuestion, action string, fields url.Values) {
	flat := map[string]string{"account": q.person.UPN}
	for name := range fields {
		flat[name] = fields.Get(name)
	}
	asked := q.app.missing(q.person, q.scopes)
	if len(asked) == 0 {
		asked = q.scopes.graph
	}
	writePage(w, http.StatusOK, consentTemplate, map[string]any{
		"App": q.app.Name, "UPN": q.person.UPN, "Admin": q.person.Admin, "Scopes": asked, "Action": action, "Fields": flat,
	})
}

// consent goes on with a sign-in at the authorize endpoint, or asks for consent first.
func (s *Server) consent(w http.ResponseWriter, r *http.Request, req *authorizeRequest, p *person, by signIn, now time.Time) {
	q := consentQuestion{app: req.app, person: p, scopes: req.scopes, anew: slices.Contains(req.prompt, "consent"), said: r.PostForm.Get("consent")}
	done, e := s.settleConsent(q, now)
	switch {
	case done:
		s.finish(w, r, req, p, by)
	case e == nil:
		s.consentPage(w, q, r.URL.String(), nil)
	case e.code == errDeclined.code:
		s.answerError(w, r, req, e)
	case e.code == errAdminConsent.code: // the way back says that the person did not consent
		s.errorPage(w, e, s.answer(req, errDeclined.with()).String())
	default:
		s.errorPage(w, e, s.answer(req, e).String())
	}
}
