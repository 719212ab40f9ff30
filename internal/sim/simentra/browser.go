package simentra

import (
	"net/http"
	"slices"
)

const ssoCookie = "ESTSAUTH"

// A browser is a single-sign-on session: who signed in here, and how.
type browser struct {
	accounts []string
	signIns  map[string]signIn
}

func (s *Server) browser(r *http.Request) *browser {
	c, err := r.Cookie(ssoCookie)
	if err != nil {
		return nil
	}
	return s.login.browsers[c.Value]
}

// remember notes a sign-in. The session's id is new after each sign-in, so that one that was planted gains nothing.
func (s *Server) remember(w http.ResponseWriter, r *http.Request, p *person, done signIn) {
	b := &browser{signIns: map[string]signIn{}}
	if c, err := r.Cookie(ssoCookie); err == nil && s.login.browsers[c.Value] != nil {
		b = s.login.browsers[c.Value]
		delete(s.login.browsers, c.Value)
	}
	if !slices.Contains(b.accounts, p.ObjectID) {
		b.accounts = append(b.accounts, p.ObjectID)
	}
	b.signIns[p.ObjectID] = done
	id := random(24)
	s.login.browsers[id] = b
	http.SetCookie(w, &http.Cookie{
		Name: ssoCookie, Value: id, Path: "/", HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode,
	})
}

func (s *Server) logout(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, err := r.Cookie(ssoCookie); err == nil {
		delete(s.login.browsers, c.Value)
	}
	http.SetCookie(w, &http.Cookie{
		Name: ssoCookie, Path: "/", MaxAge: -1, HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode,
	})
	writePage(w, http.StatusOK, signedOutPage, nil)
}
