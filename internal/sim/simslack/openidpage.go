package simslack

import (
	"html/template"
	"net/http"
	"net/url"
)

const sessionCookie = "sandbox_slack_d"

// page is the one page of Sign in with Slack: it asks who one is, or whether the app may know.
var page = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sign in with Slack</title></head>
<body>
{{if .Refusal}}<h1>Something went wrong</h1><p>Slack cannot do that: {{.Refusal}}</p>
{{else}}<h1>Sign in to {{.App}} with Slack</h1>
{{if .Self}}<p>You are signed in as {{.Self}}. {{.App}} wants to know who you are.</p>{{else}}<p>Choose your account.</p>{{end}}
<form method="post" action="{{.Action}}">
{{range .Accounts}}<button type="submit" name="person" value="{{.ID}}">{{.Label}}</button>
{{end}}</form>{{end}}
</body></html>
`))

// account is one button of the page.
type account struct{ ID, Label string }

type pageData struct {
	Refusal, App, Self, Action string
	Accounts                   []account
}

func (s *Server) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	s.mu.Lock()
	refusal := s.refusal(readAuthorization(q), q.Get("response_type"))
	data := pageData{Refusal: refusal, App: s.cfg.App.Name, Action: r.URL.RequestURI()}
	self := s.signedIn(r)
	if self != nil {
		data.Self = self.RealName
		data.Accounts = append(data.Accounts, account{self.ID, "Allow"})
	}
	for _, p := range s.people {
		if p != self && !p.Deleted && !p.Bot {
			data.Accounts = append(data.Accounts, account{p.ID, "Sign in as " + p.Name + " (" + p.RealName + ", " + s.team(p) + ")"})
		}
	}
	s.mu.Unlock()
	status := http.StatusOK
	if refusal != "" {
		status = http.StatusBadRequest
	}
	showPage(w, status, data)
}

// signedIn is whom the browser's cookie says it belongs to. The lock is held.
func (s *Server) signedIn(r *http.Request) *Person {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return nil
	}
	p, err := s.person(s.sessions[cookie.Value])
	if err != nil || p.Deleted {
		return nil
	}
	return p
}

// serveConsent signs a person in and sends the browser back to the app with a code.
func (s *Server) serveConsent(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	q := r.URL.Query()
	a := readAuthorization(q)
	chosen := r.PostFormValue("person")
	s.mu.Lock()
	defer s.mu.Unlock()
	refusal := s.refusal(a, q.Get("response_type"))
	p, err := s.person(chosen)
	if refusal == "" && (err != nil || p.Deleted || p.Bot) {
		refusal = "no such account"
	}
	if refusal != "" {
		showPage(w, http.StatusBadRequest, pageData{Refusal: refusal})
		return
	}
	if self := s.signedIn(r); self != p {
		session := randomHex(16)
		s.sessions[session] = p.ID
		http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: session, Path: "/", HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode})
	}
	code := shortCode()
	s.codes[code] = &grant{
		person: p.ID, redirect: a.redirect, nonce: a.nonce, scopes: a.scopes, signedIn: s.cfg.Clock(), made: s.cfg.Now(),
	}
	back := url.Values{"code": {code}}
	if a.state != "" {
		back.Set("state", a.state)
	}
	http.Redirect(w, r, a.redirect+"?"+back.Encode(), http.StatusFound)
}

// showPage writes the page. A failed write means that the browser has gone.
func showPage(w http.ResponseWriter, status int, data pageData) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = page.Execute(w, data)
}
