package report

import (
	"time"

	"elevate/internal/pim"
)

// Period is the time a report is about: From belongs to it, To does not.
type Period struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// LookBack is how long before a period requests are looked for that were held in it. PIM decides within a day and grants
// for at most a day, which leaves a start that was asked for four weeks ahead; what is still open is found however old.
const LookBack = 31 * 24 * time.Hour

// Has reports whether a time lies in the period.
func (p Period) Has(at time.Time) bool { return !at.Before(p.From) && at.Before(p.To) }

// Holds reports whether a request belongs to the period: it was asked for in it, or the access was held in it.
func (p Period) Holds(r *pim.Request) bool {
	switch {
	case p.Has(r.Created):
		return true
	case r.MemberSince.IsZero() || !r.MemberSince.Before(p.To):
		return false
	}
	return r.EndedAt.IsZero() || r.EndedAt.After(p.From)
}
