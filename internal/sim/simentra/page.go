package simentra

import (
	"bytes"
	"html/template"
	"net/http"
	"net/url"
)

// The pages have no scripts. form-action is not restricted: the answer to the form is a redirect to the application.
const pageHead = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sandbox sign-in</title>
<style>body{font-family:system-ui,sans-serif;max-width:30rem;margin:3rem auto;padding:0 1rem}
button{display:block;width:100%;text-align:left;margin:.3rem 0;padding:.6rem}small{color:#555}</style></head><body>`

var (
	signInTemplate = template.Must(template.New("sign-in").Parse(pageHead + `<h1>Pick an account</h1>
<p>to continue to <strong>{{.App}}</strong> <small>(sandbox tenant, no passwords)</small></p>
<form method="post" action="{{.Action}}">{{range .People}}
<button type="submit" name="account" value="{{.UPN}}">{{.DisplayName}}<br><small>{{.UPN}}</small></button>{{end}}
<button type="submit" name="cancel" value="1">Cancel</button></form></body></html>`))

	errorTemplate = template.Must(template.New("error").Parse(pageHead + `<h1>Sorry, but we're having trouble signing you in.</h1>
<p>{{.Text}}</p>{{if .Back}}<p><a href="{{.Back}}">Return to the application</a></p>{{end}}</body></html>`))

	formPostTemplate = template.Must(template.New("form-post").Parse(pageHead + `<h1>Signed in</h1>
<form method="post" action="{{.Action}}">{{range $name, $value := .Values}}
<input type="hidden" name="{{$name}}" value="{{$value}}">{{end}}
<button type="submit">Continue</button></form></body></html>`))

	devicePageTemplate = template.Must(template.New("device").Parse(pageHead + `<h1>Enter code</h1>
<form method="post"><label>Code <input name="user_code" value="{{.Code}}"></label>{{range .People}}
<button type="submit" name="account" value="{{.UPN}}">{{.DisplayName}}<br><small>{{.UPN}}</small></button>{{end}}
<button type="submit" name="cancel" value="1">Cancel</button></form></body></html>`))

	consentTemplate = template.Must(template.New("consent").Parse(pageHead + `<h1>Permissions requested</h1>
<p><strong>{{.App}}</strong> asks {{.UPN}} for:</p><ul>{{range .Scopes}}<li>{{.}}</li>{{end}}</ul>
<form method="post" action="{{.Action}}">{{range $name, $value := .Fields}}
<input type="hidden" name="{{$name}}" value="{{$value}}">{{end}}
<button type="submit" name="consent" value="accept">Accept</button>{{if .Admin}}
<button type="submit" name="consent" value="organization">Consent on behalf of your organization</button>{{end}}
<button type="submit" name="consent" value="decline">Cancel</button></form></body></html>`))

	deviceDonePage = template.Must(template.New("device-done").Parse(pageHead + `<h1>You may close this window.</h1></body></html>`))
	signedOutPage  = template.Must(template.New("signed-out").Parse(pageHead + `<h1>You signed out of your account.</h1></body></html>`))
)

func writePage(w http.ResponseWriter, status int, t *template.Template, data any) {
	var page bytes.Buffer
	if err := t.Execute(&page, data); err != nil { // unreachable: the templates fit their data
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store, no-cache")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w) // the browser may have gone
}

func (s *Server) signInPage(w http.ResponseWriter, req *authorizeRequest, action string) {
	writePage(w, http.StatusOK, signInTemplate, map[string]any{"App": req.app.Name, "Action": action, "People": s.dir.people})
}

// errorPage shows an error at the sign-in service itself; back leads to the application, if it may be told.
func (s *Server) errorPage(w http.ResponseWriter, e *loginError, back string) {
	text := e.body(s.machine(), newGUID())["error_description"]
	writePage(w, http.StatusBadRequest, errorTemplate, map[string]any{"Text": text, "Back": back})
}

func (s *Server) formPostPage(w http.ResponseWriter, req *authorizeRequest, values url.Values) {
	flat := map[string]string{}
	for name := range values {
		flat[name] = values.Get(name)
	}
	if req.state != "" {
		flat["state"] = req.state
	}
	writePage(w, http.StatusOK, formPostTemplate, map[string]any{"Action": req.redirect, "Values": flat})
}
