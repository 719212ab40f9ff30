package simentra

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// The two services a fault can strike.
const (
	sideLogin = "login"
	sideGraph = "graph"
)

// Bodies of a Fault.
const (
	BodyError     = ""          // Graph's own error envelope
	BodyHTML      = "html"      // a page, as a gateway sends it
	BodyTruncated = "truncated" // JSON that breaks off
	BodyEmpty     = "empty"
	BodyObject    = "object"   // {}
	BodyNullError = "null"     // {"error":null}
	BodyNoMessage = "codeonly" // {"error":{"code":"x"}}
)

// A Fault breaks calls. Which ones: those to Side whose method is Method (or any) and whose path contains Path, after
// Skip of them went well, Count times (0: until Mend). How: first Delay passes; with Drop the connection is closed
// without an answer, otherwise Status is answered. With AfterWork the operation is carried out all the same.
type Fault struct {
	Side       string        `json:"side"` // "graph" or "login"
	Method     string        `json:"method,omitempty"`
	Path       string        `json:"path,omitempty"`
	Skip       int           `json:"skip,omitempty"`
	Count      int           `json:"count,omitempty"`
	Delay      time.Duration `json:"delay,omitempty"` // machine time
	Drop       bool          `json:"drop,omitempty"`
	AfterWork  bool          `json:"after_work,omitempty"`
	Status     int           `json:"status,omitempty"` // 0 with neither Drop: only the delay
	RetryAfter string        `json:"retry_after,omitempty"`
	Body       string        `json:"body,omitempty"`
	ItemsOnly  bool          `json:"items_only,omitempty"` // strikes items of batches, not whole calls
}

// Break adds a fault.
func (s *Server) Break(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.Side == "" {
		f.Side = sideGraph
	}
	s.faults = append(s.faults, &f)
}

// Mend takes away all faults.
func (s *Server) Mend() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// takeFault returns the fault that strikes a call, and counts it.
func (s *Server) takeFault(side, method, path string, item bool) *Fault {
	for _, f := range s.faults {
		if f.Side != side || f.ItemsOnly != item || !f.strikes(method, path) {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			return nil
		}
		hit := *f
		if f.Count == 1 {
			s.faults = slices.DeleteFunc(s.faults, func(x *Fault) bool { return x == f })
		} else if f.Count > 1 {
			f.Count--
		}
		return &hit
	}
	return nil
}

func (f *Fault) strikes(method, path string) bool {
	return (f.Method == "" || strings.EqualFold(f.Method, method)) && strings.Contains(strings.ToLower(path), strings.ToLower(f.Path))
}

func (f *Fault) graphError() *graphError {
	code, message := "UnknownError", http.StatusText(f.Status)
	switch f.Status {
	case http.StatusTooManyRequests:
		code, message = "TooManyRequests", "Too many requests"
	case http.StatusServiceUnavailable:
		code = "ServiceNotAvailable"
	}
	return &graphError{status: f.Status, code: code, message: message}
}

// breakable puts the faults before a service.
func (s *Server) breakable(side string, next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		f := s.takeFault(side, r.Method, r.URL.Path, false)
		s.mu.Unlock()
		if f == nil {
			next(w, r)
			return
		}
		if !f.wait(r) {
			return
		}
		if f.Status == 0 && !f.Drop {
			next(w, r)
			return
		}
		if f.AfterWork {
			next(&discard{header: http.Header{}}, r)
		}
		if f.Drop {
			panic(http.ErrAbortHandler) // the server closes the connection without an answer
		}
		s.writeFault(w, f)
	})
}

func (f *Fault) wait(r *http.Request) bool {
	if f.Delay <= 0 {
		return true
	}
	timer := time.NewTimer(f.Delay)
	defer timer.Stop()
	select {
	case <-r.Context().Done():
		return false
	case <-timer.C:
		return true
	}
}

func (s *Server) writeFault(w http.ResponseWriter, f *Fault) {
	h := w.Header()
	now := s.clock.Now()
	id := newGUID()
	h.Set("request-id", id)
	h.Set("client-request-id", newGUID())
	h.Set("Date", now.UTC().Format(http.TimeFormat))
	if f.RetryAfter != "" {
		h.Set("Retry-After", f.RetryAfter)
	}
	if f.Body == BodyError && f.Side == sideGraph {
		writeJSON(w, f.Status, f.graphError().body(id, h.Get("client-request-id"), now))
		return
	}
	kind, text := f.text()
	if kind != "" {
		h.Set("Content-Type", kind)
	}
	w.WriteHeader(f.Status)
	_, _ = w.Write([]byte(text)) // the caller may have gone
}

func (f *Fault) text() (kind, text string) {
	switch f.Body {
	case BodyHTML:
		return "text/html", "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
	case BodyTruncated:
		return "application/json", `{"error":{"code":"Unknown`
	case BodyEmpty:
		return "", ""
	case BodyObject:
		return "application/json", `{}`
	case BodyNullError:
		return "application/json", `{"error":null}`
	case BodyNoMessage:
		return "application/json", `{"error":{"code":"x"}}`
	}
	return "application/json", `{"error":"temporarily_unavailable","error_description":"AADSTS90033: A transient error has occurred. Please try again.","error_codes":[90033]}`
}

// discard takes an answer that nobody gets.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}
