package simslack

import (
	"encoding/json"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const (
	maxBody  = 1 << 20
	maxCalls = 10_000 // how many are remembered
)

// tokenKind says which of the app's credentials a method takes.
type tokenKind int

const (
	botToken  tokenKind = iota // xoxb
	appToken                   // xapp
	userToken                  // from Sign in with Slack
	noToken                    // client id and secret
)

// method is one method of the Web API.
type method struct {
	token tokenKind
	scope string // what the token needs; empty: nothing
	run   func(*Server, *call) (object, error)
}

// call is one call of a method, with its arguments read.
type call struct {
	method string
	args   map[string]any
	token  string
	grant  grant // of a user token
	scopes []string
}

// apiError is an answer with ok:false. More holds further fields of the answer.
type apiError struct {
	code string
	more object
}

func (e *apiError) Error() string { return e.code }

func refuse(code string) error { return &apiError{code: code} }

// Call is a call of the Web API as the fake Slack saw it, without its token.
type Call struct {
	Method string
	Args   map[string]any
	Error  string // empty: ok
}

// Calls returns the calls so far, the last ten thousand at most.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

func webMethods() map[string]method {
	return map[string]method{
		"auth.test":               {botToken, "", (*Server).authTest},
		"team.info":               {botToken, "team:read", (*Server).teamInfo},
		"bots.info":               {botToken, "users:read", (*Server).botsInfo},
		"users.info":              {botToken, "users:read", (*Server).usersInfo},
		"chat.postMessage":        {botToken, "chat:write", (*Server).chatPostMessage},
		"chat.update":             {botToken, "chat:write", (*Server).chatUpdate},
		"chat.delete":             {botToken, "chat:write", (*Server).chatDelete},
		"chat.postEphemeral":      {botToken, "chat:write", (*Server).chatPostEphemeral},
		"conversations.open":      {botToken, "im:write", (*Server).conversationsOpen},
		"conversations.info":      {botToken, "channels:read", (*Server).conversationsInfo},
		"conversations.members":   {botToken, "channels:read", (*Server).conversationsMembers},
		"views.open":              {botToken, "", (*Server).viewsOpen},
		"views.push":              {botToken, "", (*Server).viewsPush},
		"views.update":            {botToken, "", (*Server).viewsUpdate},
		"views.publish":           {botToken, "", (*Server).viewsPublish},
		"apps.connections.open":   {appToken, "connections:write", (*Server).connectionsOpen},
		"openid.connect.token":    {noToken, "", (*Server).openidToken},
		"openid.connect.userInfo": {userToken, "openid", (*Server).openidUserInfo},
	}
}

func (s *Server) serveMethod(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	name := r.PathValue("method")
	fault := s.Take(name)
	if fault != nil && before(fault, w, r) {
		return
	}
	answer, scopes := s.answer(name, r)
	if len(scopes) > 0 {
		w.Header().Set("X-OAuth-Scopes", strings.Join(scopes, ",")) // beside each answer to a token
	}
	if fault != nil && fault.After(w) {
		return
	}
	writeJSON(w, answer)
}

// answer runs a method and puts its outcome into Slack's envelope. It says which scopes the token has.
func (s *Server) answer(name string, r *http.Request) (answer object, scopes []string) {
	c, err := readCall(name, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	var result object
	if err == nil {
		result, err = s.run(c, r)
	}
	if err != nil {
		result = failure(err)
	} else {
		result["ok"] = true
	}
	if c != nil {
		s.record(Call{Method: name, Args: c.args, Error: text(result["error"])})
		scopes = c.scopes
	}
	return result, scopes
}

// record keeps a call, and forgets old ones when there are many. The lock is held.
func (s *Server) record(c Call) {
	if len(s.calls) >= maxCalls {
		s.calls = slices.Delete(s.calls, 0, maxCalls/2)
	}
	s.calls = append(s.calls, c)
}

// failure is the envelope of a refused call.
func failure(err error) object {
	result := object{"ok": false, "error": "internal_error"}
	if refused, ok := err.(*apiError); ok { //nolint:errorlint // never wrapped: handlers return it as it is
		result["error"] = refused.code
		maps.Copy(result, refused.more)
	}
	return result
}

func (s *Server) run(c *call, r *http.Request) (object, error) {
	m, known := s.methods[c.method]
	if !known {
		return nil, &apiError{"unknown_method", object{"req_method": c.method}}
	}
	if m.token == noToken {
		if id, secret, ok := r.BasicAuth(); ok {
			c.args["client_id"], c.args["client_secret"] = id, secret
		}
		return m.run(s, c)
	}
	if err := s.authorize(c, m); err != nil {
		return nil, err
	}
	return m.run(s, c)
}

// authorize checks the token of a call and what it may do.
func (s *Server) authorize(c *call, m method) error {
	app := s.cfg.App
	user, isUser := s.userToken[c.token]
	var kind tokenKind
	scopes := app.BotScopes
	switch {
	case c.token == "":
		return refuse("not_authed")
	case s.removed:
		return refuse("account_inactive")
	case c.token == app.BotToken:
		kind = botToken
	case app.AppToken != "" && c.token == app.AppToken:
		kind, scopes = appToken, []string{"connections:write"}
	case isUser:
		kind, scopes, c.grant = userToken, user.scopes, user
	default:
		return refuse("invalid_auth")
	}
	c.scopes = scopes
	if kind != m.token {
		return refuse("not_allowed_token_type")
	}
	if m.scope != "" && !slices.Contains(scopes, m.scope) {
		return &apiError{"missing_scope", object{"needed": m.scope, "provided": strings.Join(scopes, ",")}}
	}
	return nil
}

// readCall reads the arguments and the token of a call. A token counts in the Authorization header, or in the field
// token of a form; never in a JSON body or in the URL.
func readCall(name string, r *http.Request) (*call, error) {
	c := &call{method: name, args: map[string]any{}}
	for key, values := range r.URL.Query() {
		c.args[key] = values[0]
	}
	delete(c.args, "token")
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		c.token = bearer
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return c, refuse("request_too_large")
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case len(body) == 0:
		return c, nil
	case kind == "application/json":
		return c, c.readJSON(body)
	case kind == "application/x-www-form-urlencoded":
		return c, c.readForm(body)
	case kind == "":
		return c, refuse("missing_post_type")
	}
	return c, refuse("invalid_post_type")
}

func (c *call) readJSON(body []byte) error {
	var args any
	if json.Unmarshal(body, &args) != nil {
		return refuse("invalid_json")
	}
	fields, ok := args.(object)
	if !ok {
		return refuse("json_not_object")
	}
	for key, value := range fields {
		if key != "token" {
			c.args[key] = value
		}
	}
	return nil
}

func (c *call) readForm(body []byte) error {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return refuse("invalid_form_data")
	}
	for key, values := range form {
		if key == "token" {
			if c.token == "" {
				c.token = values[0]
			}
			continue
		}
		c.args[key] = values[0]
	}
	return nil
}

// text is an argument that is a string.
func (c *call) text(name string) string { return text(c.args[name]) }

// flag is an argument that is true or false, in either of the two ways of writing it.
func (c *call) flag(name string) bool {
	switch v := c.args[name].(type) {
	case bool:
		return v
	case string:
		return v == "true" || v == "1"
	}
	return false
}

// structure is an argument that is JSON: decoded, or as a string to be decoded. It tells whether the argument was there.
func (c *call) structure(name string) (value any, there bool, err error) {
	value, there = c.args[name]
	s, isString := value.(string)
	if !there || !isString {
		return value, there, nil
	}
	if s == "" {
		return nil, false, nil
	}
	var decoded any
	if err := json.Unmarshal([]byte(s), &decoded); err != nil {
		return nil, true, err
	}
	return decoded, true, nil
}

// writeJSON sends an answer. A failed write means that the caller has gone, which is nobody's error.
func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(v)
}
