package simentra

import (
	"maps"
	"slices"
)

// A Trip is one HTTP request that reached Graph, which is what a caller waits for: a batch is one, whatever is in it.
type Trip struct {
	Operation string   // method and pattern, as in Calls; "unknown" where there is no such operation
	By        string   // the person's key, "app", or "nobody" for a token that was refused
	Items     []string // of a batch: the operations in it, in order
}

// mostTrips bounds what a sandbox that runs for days remembers.
const mostTrips = 10_000

// noteTrip remembers a request. Those that a Fault answers never came this far.
func (s *Server) noteTrip(c *call) {
	t := Trip{Operation: c.operation, By: "nobody", Items: c.items}
	switch {
	case c.token.app:
		t.By = "app"
	case c.token.person != nil:
		t.By = c.token.person.Key
	}
	if len(s.trips) >= mostTrips {
		s.trips = slices.Delete(s.trips, 0, mostTrips/2)
	}
	s.trips = append(s.trips, t)
}

// Trips returns the newest requests since the last ResetCalls, oldest first.
func (s *Server) Trips() []Trip {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.trips)
}

// Calls returns how often each operation was carried out since the last ResetCalls, items of batches included. The keys
// are method and pattern, as in "GET /users/{id}"; "POST /$batch" counts batches, "POST token …" the token endpoint.
func (s *Server) Calls() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.counts)
}

// ResetCalls sets all counters to nothing and forgets the trips.
func (s *Server) ResetCalls() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts, s.trips = map[string]int{}, nil
}
