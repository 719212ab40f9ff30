package simentra

import (
	"crypto/x509"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"elevate/internal/sim/cast"
)

// An app is a registration together with its service principal.
type app struct {
	cast.App
	assigned     []string // object ids
	certificates []*x509.Certificate
	federated    []Federation
	secretEnds   time.Time
	consents     map[string][]string // what people granted for themselves, by object id
}

func (s *Server) loadApps(c *cast.Cast) {
	for _, a := range c.Apps {
		added := &app{App: a, secretEnds: s.clock.Now().AddDate(2, 0, 0)}
		for _, name := range a.Assigned {
			if id, there := c.Principal(name); there {
				added.assigned = append(added.assigned, id)
			}
		}
		s.apps[a.ClientID] = added
	}
}

// allows reports whether somebody may sign in to the app; being in an assigned group suffices, directly.
func (s *Server) allows(a *app, p *person, now time.Time) bool {
	if !a.AssignmentRequired || slices.Contains(a.assigned, p.ObjectID) {
		return true
	}
	for _, id := range a.assigned {
		if g := s.dir.group(id); g != nil && slices.Contains(s.members(g, now), p.ObjectID) {
			return true
		}
	}
	return false
}

// redirects reports whether the address is registered: to the letter, except that a public client's
// http://localhost stands for every port (RFC 8252, section 7.3).
func (a *app) redirects(address string) bool {
	if slices.Contains(a.Redirects, address) {
		return true
	}
	u, err := url.Parse(address)
	if err != nil || !a.Public || u.Scheme != "http" || !slices.Contains(a.Redirects, "http://localhost") {
		return false
	}
	host := u.Hostname()
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// SetRedirects registers the redirect addresses of an app.
func (s *Server) SetRedirects(clientID string, addresses ...string) {
	s.changeApp(clientID, func(a *app) { a.Redirects = addresses })
}

// SetSecret replaces the client secret.
func (s *Server) SetSecret(clientID, secret string) {
	s.changeApp(clientID, func(a *app) { a.Secret = secret })
}

// SetSecretEnd says when, on the movable clock, the client secret ends; without it that is two years after the beginning.
func (s *Server) SetSecretEnd(clientID string, end time.Time) {
	s.changeApp(clientID, func(a *app) { a.secretEnds = end })
}

// SetAssignmentRequired says whether only those who are assigned may sign in to the app.
func (s *Server) SetAssignmentRequired(clientID string, required bool) {
	s.changeApp(clientID, func(a *app) { a.AssignmentRequired = required })
}

// SetConsents replaces what was consented to: delegated and application permissions.
func (s *Server) SetConsents(clientID string, delegated, application []string) {
	s.changeApp(clientID, func(a *app) { a.Delegated, a.Application, a.consents = delegated, application, nil })
}

// SetOptionalClaims says which optional claims the app's tokens carry.
func (s *Server) SetOptionalClaims(clientID string, claims ...string) {
	s.changeApp(clientID, func(a *app) { a.OptionalClaims = claims })
}

// AddCertificate lets the app prove itself by client assertions signed with the certificate's key.
func (s *Server) AddCertificate(clientID string, cert *x509.Certificate) {
	s.changeApp(clientID, func(a *app) { a.certificates = append(a.certificates, cert) })
}

func (s *Server) changeApp(clientID string, change func(*app)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a, ok := s.apps[clientID]; ok {
		change(a)
	}
}

// A scopeSet is a parsed scope parameter: what is asked of Graph and of the sign-in service itself.
type scopeSet struct {
	graph    []string // short names
	oidc     []string
	standard bool              // .default
	spelled  map[string]string // how the caller wrote each short name
}

var oidcScopes = []string{"openid", "profile", "email", "offline_access"}

// parseScopes splits a scope parameter. Names without a resource are Graph's, as at Entra.
func (s *Server) parseScopes(text string) (scopeSet, *loginError) {
	set := scopeSet{spelled: map[string]string{}}
	for scope := range strings.FieldsSeq(text) {
		if slices.Contains(oidcScopes, scope) {
			set.oidc = append(set.oidc, scope)
			continue
		}
		short, ok := s.graphScope(scope)
		if !ok {
			return set, errResource.with(scope)
		}
		set.spelled[strings.ToLower(short)] = scope
		if short == ".default" {
			set.standard = true
			continue
		}
		if !knownScope(short) {
			return set, errScope.with(short)
		}
		set.graph = append(set.graph, short)
	}
	if set.standard && len(set.graph) > 0 {
		return set, errMixedDefault.with()
	}
	return set, nil
}

func (s *Server) graphScope(scope string) (string, bool) {
	for _, resource := range s.audiences() {
		if short, ok := strings.CutPrefix(scope, resource+"/"); ok {
			return strings.TrimPrefix(short, "/"), true // a resource may end in a slash of its own
		}
	}
	return scope, !strings.Contains(scope, "/")
}

// audiences are the names by which Graph is asked for, and the values of aud that it takes.
func (s *Server) audiences() []string {
	return []string{s.graphURL, "https://graph.microsoft.com", cast.GraphAppID}
}
