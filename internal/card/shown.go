package card

import (
	"strings"
	"time"

	"elevate/internal/pim"
)

// shown are the facts of a request that somebody decides on, from the one
// source that counts: PIM's copy, or before there is one, what was asked.
type shown struct {
	inPIM    bool
	duration time.Duration
	end      time.Time
	start    time.Time // only when it lies ahead
	endless  bool
	reason   string
	ticket   string
	// imitated says that the justification carries a mark that is not this request's.
	imitated bool
}

func factsOf(r *pim.Request, role pim.Role) shown {
	if r.Copy.ID == "" {
		return factsAsked(r.Asked, role)
	}
	c := r.Copy
	s := shown{
		inPIM: true, duration: c.Duration, end: c.End, ticket: c.Ticket,
		endless: strings.EqualFold(c.Expiration, "noExpiration"),
	}
	if c.Start.Sub(c.Created) > time.Minute && (r.State == pim.Pending || r.State == pim.Scheduled) {
		s.start = c.Start
	}
	reason, id := pim.Unmark(c.Justification)
	if id != r.ID {
		// A foreign mark is shown: it is not ours to hide.
		reason = c.Justification
	}
	s.reason, s.imitated = reason, pim.HasMark(reason)
	return s
}

func factsAsked(a pim.Asked, role pim.Role) shown {
	s := shown{duration: a.Duration, end: a.Until, start: a.From, reason: a.Reason, ticket: a.Ticket}
	if s.duration == 0 && s.end.IsZero() {
		s.duration = role.Default
	}
	return s
}

// length says how long, as text.
func (s shown) length() Text {
	switch {
	case s.duration > 0 && !s.end.IsZero():
		return Join(Plain(pim.FormatDuration(s.duration)+", until "), At(s.end))
	case s.duration > 0:
		return Plain(pim.FormatDuration(s.duration))
	case !s.end.IsZero():
		return Join(Plain("until "), At(s.end))
	case s.endless:
		return Plain("without an end")
	}
	return Plain("PIM does not say")
}

// phrase says how long inside a sentence of plain words.
func (s shown) phrase() string {
	switch {
	case s.duration > 0:
		return "for " + pim.FormatDuration(s.duration)
	case !s.end.IsZero():
		return "until " + s.end.UTC().Format("2006-01-02 15:04 UTC")
	case s.endless:
		return "without an end"
	}
	return "for a time that PIM does not say"
}
