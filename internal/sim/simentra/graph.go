package simentra

import (
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"elevate/internal/sim/simentra/odata"
)

const version, versionBeta = "/v1.0", "/beta"

// A call is one operation asked of Graph: an HTTP request of its own, or one item of a batch.
type call struct {
	method   string
	version  string // /v1.0 or /beta
	path     string // behind it
	query    url.Values
	odata    odata.Query
	body     []byte
	params   map[string]string
	eventual bool // ConsistencyLevel: eventual, without which the directory does not count
	token    *access
	who      actor
	now      time.Time
	id       string // request-id
	clientID string // client-request-id

	operation string   // method and pattern, once they are known
	items     []string // of a batch: the operations in it
}

// An answer is what an operation came to.
type answer struct {
	status int
	body   any // nil: no body
	header http.Header
}

func ok(body any) (answer, *graphError) { return answer{status: http.StatusOK, body: body}, nil }
func created(body any) (answer, *graphError) {
	return answer{status: http.StatusCreated, body: body}, nil
}
func noContent() (answer, *graphError) { return answer{status: http.StatusNoContent}, nil }
func refuse(e *graphError) (answer, *graphError) {
	return answer{}, e
}

// GraphHandler returns Microsoft Graph, as far as PIM for Groups needs it.
func (s *Server) GraphHandler() http.Handler {
	return s.breakable(sideGraph, s.serveGraph)
}

func (s *Server) serveGraph(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		s.writeAnswer(w, &call{id: newGUID(), clientID: newGUID(), now: s.clock.Now()}, answer{status: http.StatusRequestEntityTooLarge})
		return
	}
	now := s.lock()
	c := &call{
		method: r.Method, path: r.URL.Path, query: r.URL.Query(), body: raw, now: now, id: newGUID(),
		clientID: r.Header.Get("Client-Request-Id"), eventual: strings.EqualFold(r.Header.Get("ConsistencyLevel"), "eventual"),
	}
	if c.clientID == "" {
		c.clientID = newGUID()
	}
	a := s.handle(c, r)
	s.noteTrip(c)
	s.mu.Unlock()
	s.writeAnswer(w, c, a)
}

// handle checks what every HTTP request must have, and carries it out.
func (s *Server) handle(c *call, r *http.Request) answer {
	c.token = s.readToken(r.Header.Get("Authorization"))
	c.who = c.token.actor()
	if e := s.checkToken(c.token); e != nil {
		return s.failure(c, e)
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" {
		return s.failure(c, &graphError{status: http.StatusUnsupportedMediaType, code: "UnsupportedMediaType", message: "Content-Encoding " + encoding + " is not supported."})
	}
	if !c.readVersion() {
		return s.failure(c, badRequest("Invalid version: %s", strings.Trim(c.path, "/")))
	}
	if strings.EqualFold(c.path, "/$batch") {
		return s.batch(c)
	}
	return s.operate(c)
}

// readVersion takes the version off the path.
func (c *call) readVersion() bool {
	for _, c.version = range []string{version, versionBeta} {
		if path, ok := strings.CutPrefix(c.path, c.version); ok {
			c.path = path
			return true
		}
	}
	return false
}

// operate finds the operation, checks the permission for it, and runs it.
func (s *Server) operate(c *call) answer {
	route, params, e := find(c.version, c.method, c.path)
	if e != nil {
		c.operation = "unknown"
		s.counts[c.operation]++
		return s.failure(c, e)
	}
	c.operation = route.method + " " + strings.TrimPrefix(c.version, version) + route.pattern
	s.counts[c.operation]++
	c.params = params
	if s.behavior.PolicyNeedsRole && strings.HasPrefix(route.pattern, "/policies/") {
		route.delegated, route.application = roleRead, roleRead
	}
	if e := route.permit(c.token); e != nil {
		return s.failure(c, e)
	}
	if route.changes() {
		if seconds, throttled := s.writeThrottled(); throttled {
			return s.tooMany(c, seconds)
		}
	}
	var err error
	if c.odata, err = odata.Parse(c.query); err != nil {
		return s.failure(c, badRequest("%s", err.Error()))
	}
	if c.odata.Expand != "" && !route.pim && c.path != "/groups" {
		return s.failure(c, badRequest("Parsing OData Select and Expand failed: '%s' is not supported.", c.odata.Expand))
	}
	a, e := route.run(s, c)
	if e != nil && route.pim && s.behavior.WrapErrors {
		e.wrapped = true
	}
	if e != nil {
		return s.failure(c, e)
	}
	return a
}

func (s *Server) failure(c *call, e *graphError) answer {
	a := answer{status: e.status, body: e.body(c.id, c.clientID, c.now), header: http.Header{}}
	if e.challenge != "" {
		a.header.Set("WWW-Authenticate", e.challenge)
	}
	return a
}

func (s *Server) writeAnswer(w http.ResponseWriter, c *call, a answer) {
	h := w.Header()
	maps.Copy(h, a.header)
	h.Set("request-id", c.id)
	h.Set("client-request-id", c.clientID)
	h.Set("Date", c.now.UTC().Format(http.TimeFormat))
	h.Set("x-ms-ags-diagnostic", `{"ServerInfo":{"DataCenter":"Sandbox","Slice":"E","Ring":"1","ScaleUnit":"000","RoleInstance":"SIM"}}`)
	if a.body == nil {
		w.WriteHeader(a.status)
		return
	}
	if text, plain := a.body.(string); plain {
		h.Set("Content-Type", "text/plain")
		w.WriteHeader(a.status)
		_, _ = io.WriteString(w, text) // the caller may have gone
		return
	}
	writeJSON(w, a.status, a.body)
}

// list answers with a page of entities.
func (s *Server) list(c *call, context string, entities []map[string]any) (answer, *graphError) {
	size := s.behavior.PageSize
	if size <= 0 {
		size = 3
	}
	return s.listBy(c, context, entities, size)
}

// listBy answers with a list in pages of that size.
func (s *Server) listBy(c *call, context string, entities []map[string]any, size int) (answer, *graphError) {
	page, err := c.odata.Page(entities, size)
	if err != nil {
		return refuse(badRequest("%s", err.Error()))
	}
	for _, item := range page.Items {
		if e := s.expand(c, item); e != nil {
			return refuse(e)
		}
	}
	body := map[string]any{"@odata.context": s.graphURL + c.version + "/$metadata#" + context, "value": page.Items}
	if c.odata.Count && (c.eventual || !c.inDirectory()) {
		body["@odata.count"] = page.Total
	}
	if page.Next != "" {
		next := url.Values{}
		maps.Copy(next, c.query)
		next.Set("$skiptoken", page.Next)
		body["@odata.nextLink"] = s.graphURL + c.version + (&url.URL{Path: c.path}).EscapedPath() + "?" + next.Encode()
	}
	return ok(body)
}

// inDirectory reports whether a call is for the directory, which leaves $count=true out unless eventual consistency will do.
func (c *call) inDirectory() bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(c.path, "/"), "/")
	return slices.Contains([]string{"groups", "users", "directoryObjects", "applications", "servicePrincipals"}, first)
}

// single answers with one entity.
func (s *Server) single(c *call, context string, entity map[string]any) (answer, *graphError) {
	projected, err := c.odata.Project(entity)
	if err != nil {
		return refuse(badRequest("%s", err.Error()))
	}
	body := map[string]any{"@odata.context": s.graphURL + c.version + "/$metadata#" + context + "/$entity"}
	maps.Copy(body, projected)
	if e := s.expand(c, body); e != nil {
		return refuse(e)
	}
	return ok(body)
}

// expand adds the group and the principal to PIM's schedules, instances and requests. Other things expand themselves.
func (s *Server) expand(c *call, view map[string]any) *graphError {
	if c.odata.Expand != "" && c.path == "/groups" {
		return s.expandGroup(c, view)
	}
	if c.odata.Expand == "" || !strings.Contains(c.path, "chedule") {
		return nil
	}
	for name := range strings.SplitSeq(c.odata.Expand, ",") {
		switch name {
		case "group", "principal":
			id, _ := view[name+"Id"].(string)
			view[name] = s.objectView(id)
		default:
			return badRequest("Parsing OData Select and Expand failed: could not find a property named '%s'.", name)
		}
	}
	return nil
}

func (s *Server) context(what string) string { return s.graphURL + version + "/$metadata#" + what }
