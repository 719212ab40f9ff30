package pim

import (
	"regexp"
	"strings"
	"time"
)

// MaxReason is the longest reason a person may type, in characters.
const MaxReason = 400

var markPattern = regexp.MustCompile(`(?i)\[\s*elevate\b`)

var markAtEnd = regexp.MustCompile(` ?\[elevate ([` + idAlphabet + `]{6})\]$`)

// Mark returns the justification as it is sent: the reason with the request's
// mark at its end. The mark helps to find the request again, it proves nothing.
func Mark(reason string, id RequestID) string {
	return strings.TrimSpace(strings.TrimSpace(reason) + " [elevate " + string(id) + "]")
}

// HasMark reports whether a typed text contains something like a mark.
func HasMark(text string) bool { return markPattern.MatchString(text) }

// Unmark returns a justification without the mark at its end, and the id in it.
func Unmark(justification string) (string, RequestID) {
	m := markAtEnd.FindStringSubmatchIndex(justification)
	if m == nil {
		return justification, ""
	}
	return justification[:m[0]], RequestID(justification[m[2]:m[3]])
}

// clockSkew is how far Graph's creation time may lie from our own record of
// the sending.
const clockSkew = 2 * time.Minute

// SentAs reports whether PIM's copy is what we sent as a, around that time.
// Everything must be the same; a copy with our mark and anything else
// different is a request made elsewhere.
func (c Copy) SentAs(a Activation, by PrincipalID, first, last time.Time) bool {
	return strings.EqualFold(string(c.Action), string(a.Action)) &&
		strings.EqualFold(c.Access, Member) &&
		c.Group == a.Group && c.Principal == a.Principal && c.CreatedBy == by &&
		c.Justification == a.Justification && c.Ticket == a.Ticket &&
		c.Duration == a.Duration && sameTime(c.End, a.Until) && c.startsAs(a) &&
		!c.Created.Before(first.Add(-clockSkew)) && !c.Created.After(last.Add(clockSkew))
}

// startsAs compares the start only where one was asked for: "now" is Graph's.
func (c Copy) startsAs(a Activation) bool {
	return a.Start.IsZero() || sameTime(c.Start, a.Start)
}

// sameTime compares to the second, the precision that is sent.
func sameTime(a, b time.Time) bool {
	if a.IsZero() || b.IsZero() {
		return a.IsZero() && b.IsZero()
	}
	return a.Truncate(time.Second).Equal(b.Truncate(time.Second))
}
