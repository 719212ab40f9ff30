// Package simpagerduty is the part of PagerDuty's REST API that tells who is on call: one schedule, whose people a test
// names. It refuses a wrong key, another schedule and every call that would change something.
//
// https://developer.pagerduty.com/api-reference/
package simpagerduty

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"elevate/internal/sim/simchat"
)

// The schedule, and the key that may read it.
const (
	Schedule = "PELEVATE1"
	Name     = "Security on-call"
	Token    = "sandbox-pagerduty-key" //nolint:gosec // of the sandbox
)

// accept is what version 2 of the API wants of every call.
const accept = "application/vnd.pagerduty+json;version=2"

// Person is a user of PagerDuty.
type Person struct{ ID, Name, Email string }

// Server is one account of PagerDuty.
type Server struct {
	simchat.Faults

	mu     sync.Mutex
	onCall []Person
	calls  int
}

// New returns an account with somebody on call.
func New(onCall ...Person) *Server { return &Server{onCall: onCall} }

// SetOnCall changes who is on call from now on.
func (s *Server) SetOnCall(people ...Person) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onCall = people
}

// Calls is how often the API was called.
func (s *Server) Calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// Handler serves the API.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /schedules/{id}", s.called("schedule", s.schedule))
	mux.HandleFunc("GET /schedules/{id}/users", s.called("users", s.users))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { refuse(w, http.StatusNotFound, 2100, "Not Found") })
	return mux
}

// called counts a call, lets it meet its fault, and looks at its key.
func (s *Server) called(name string, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.calls++
		s.mu.Unlock()
		if f := s.Take(name); f != nil && struck(f, w, r) {
			return
		}
		switch {
		case r.Header.Get("Authorization") != "Token token="+Token:
			refuse(w, http.StatusUnauthorized, 2006, "Invalid credentials")
		case r.Header.Get("Accept") != accept:
			refuse(w, http.StatusNotAcceptable, 2017, "The version that was asked for is not supported")
		case r.PathValue("id") != Schedule:
			refuse(w, http.StatusNotFound, 2100, "Not Found")
		default:
			next(w, r)
		}
	}
}

// struck applies a fault, and tells whether the call ended by it.
func struck(f *simchat.Fault, w http.ResponseWriter, r *http.Request) bool {
	switch f.Kind {
	case simchat.RateLimited:
		refuse(w, http.StatusTooManyRequests, 2020, "Rate Limit Exceeded")
	case simchat.ServerError:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusBadGateway)
		_, _ = io.WriteString(w, "<html><body>Bad Gateway</body></html>")
	case simchat.NoError:
		answer(w, http.StatusOK, map[string]any{})
	case simchat.Reset:
		f.After(w)
	case simchat.Slow:
		f.Wait(r)
		return false
	default:
		return false
	}
	return true
}

func (s *Server) schedule(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{"schedule": map[string]any{
		"id": Schedule, "type": "schedule", "summary": Name, "name": Name, "time_zone": "Europe/Zurich",
	}})
}

// users lists whoever is on call between two times, which PagerDuty wants both or neither.
func (s *Server) users(w http.ResponseWriter, r *http.Request) {
	if err := span(r.FormValue("since"), r.FormValue("until")); err != nil {
		refuse(w, http.StatusBadRequest, 2001, err.Error())
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	users := []any{}
	for _, p := range s.onCall {
		users = append(users, map[string]any{"id": p.ID, "type": "user", "summary": p.Name, "name": p.Name, "email": p.Email, "role": "user"})
	}
	answer(w, http.StatusOK, map[string]any{"users": users})
}

func span(since, until string) error {
	from, err := time.Parse(time.RFC3339, since)
	to, err2 := time.Parse(time.RFC3339, until)
	if strings.Join([]string{since, until}, "") == "" {
		return nil
	}
	if err != nil || err2 != nil || !from.Before(to) {
		return errors.New("since and until are not two times, one after the other")
	}
	return nil
}

func refuse(w http.ResponseWriter, status, code int, message string) {
	answer(w, status, map[string]any{"error": map[string]any{"message": message, "code": code}})
}

// answer writes JSON. A failed write means that the caller has gone.
func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
