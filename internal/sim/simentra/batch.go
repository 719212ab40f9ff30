package simentra

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

type batchItem struct {
	ID        string            `json:"id"`
	Method    string            `json:"method"`
	URL       string            `json:"url"`
	Body      json.RawMessage   `json:"body"`
	Headers   map[string]string `json:"headers"`
	DependsOn []string          `json:"dependsOn"`
}

// batch carries out up to twenty calls with one token. Each is judged alone; the answers come in another order.
func (s *Server) batch(c *call) answer {
	c.operation = "POST /$batch"
	s.counts[c.operation]++
	if c.method != http.MethodPost {
		return s.failure(c, &graphError{status: http.StatusMethodNotAllowed, code: "Request_BadRequest", message: "Specified HTTP method is not allowed for the request target."})
	}
	var in struct {
		Requests []batchItem `json:"requests"`
	}
	if err := json.Unmarshal(c.body, &in); err != nil {
		return s.failure(c, badRequest("Invalid batch payload format."))
	}
	if e := checkBatch(in.Requests); e != nil {
		return s.failure(c, e)
	}
	results := []any{}
	status := map[string]int{}
	for _, item := range in.Requests {
		result := s.batchResult(c, item, status)
		status[item.ID] = result["status"].(int)
		results = append(results, result)
	}
	slices.Reverse(results)
	a, _ := ok(map[string]any{"responses": results})
	return a
}

func checkBatch(items []batchItem) *graphError {
	if len(items) == 0 {
		return badRequest("Invalid batch payload format.")
	}
	if len(items) > 20 {
		return badRequest("Number of batch request steps exceeds the maximum value of 20.")
	}
	seen := map[string]bool{}
	for _, item := range items {
		if item.ID == "" || seen[item.ID] || item.Method == "" || item.URL == "" {
			return badRequest("Invalid batch request: id, method and url are required, and the id must be unique.")
		}
		if len(item.Body) > 0 && item.header("Content-Type") == "" {
			return badRequest("Write request id : %s does not contain Content-Type header or body.", item.ID)
		}
		for _, before := range item.DependsOn {
			if !seen[before] {
				return badRequest("Invalid batch request: dependsOn names an unknown or later request.")
			}
		}
		seen[item.ID] = true
	}
	return nil
}

func (i batchItem) header(name string) string {
	for key, value := range i.Headers {
		if strings.EqualFold(key, name) {
			return value
		}
	}
	return ""
}

func (s *Server) batchResult(outer *call, item batchItem, before map[string]int) map[string]any {
	inner := &call{
		method: strings.ToUpper(item.Method), version: outer.version, body: item.Body, token: outer.token, who: outer.who, now: outer.now,
		id: newGUID(), clientID: outer.clientID,
		eventual: strings.EqualFold(item.header("ConsistencyLevel"), "eventual"),
	}
	a := s.batchAnswer(inner, item, before)
	outer.items = append(outer.items, cmp.Or(inner.operation, "not carried out"))
	headers := map[string]string{"Cache-Control": "no-cache", "request-id": inner.id}
	for name := range a.header {
		headers[name] = a.header.Get(name)
	}
	result := map[string]any{"id": item.ID, "status": a.status, "headers": headers}
	if a.body != nil {
		headers["Content-Type"] = "application/json"
		result["body"] = a.body
	}
	return result
}

func (s *Server) batchAnswer(inner *call, item batchItem, before map[string]int) answer {
	for _, id := range item.DependsOn {
		if before[id] >= http.StatusBadRequest {
			return s.failure(inner, &graphError{status: http.StatusFailedDependency, code: "FailedDependency", message: "The request depends on one that failed."})
		}
	}
	address, err := url.Parse("/" + strings.TrimPrefix(item.URL, "/"))
	if err != nil {
		return s.failure(inner, badRequest("Invalid url in batch request %s.", item.ID))
	}
	inner.path, inner.query = address.Path, address.Query()
	if f := s.takeFault(sideGraph, inner.method, inner.version+inner.path, true); f != nil {
		a := s.failure(inner, f.graphError())
		if f.RetryAfter != "" {
			a.header.Set("Retry-After", f.RetryAfter)
		}
		return a
	}
	return s.operate(inner)
}
