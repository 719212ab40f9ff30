package pim

import (
	"slices"
	"strings"
	"time"
)

// State is where a request stands.
type State string

// The states of a request.
const (
	WaitingForSignIn State = "waiting_for_sign_in"
	Submitting       State = "submitting"
	Pending          State = "pending"
	Scheduled        State = "scheduled"
	Granting         State = "granting"
	Active           State = "active"
	Refused          State = "refused"
	Denied           State = "denied"
	Canceled         State = "canceled"
	TimedOut         State = "timed_out"
	Failed           State = "failed"
	Ended            State = "ended"
)

// Ending says how an active access ended.
type Ending string

// The ways an access ends.
const (
	Expired  Ending = "expired"
	Released Ending = "released"
	Revoked  Ending = "revoked"
	Unknown  Ending = "unknown"
)

// next holds every transition there is. submitting goes back to
// waiting_for_sign_in when the session proved unusable or PIM wants a new
// sign-in: PIM took nothing then.
var next = map[State][]State{
	WaitingForSignIn: {Submitting, Canceled},
	Submitting:       {WaitingForSignIn, Pending, Scheduled, Granting, Refused, Failed, Canceled},
	Pending:          {Granting, Scheduled, Denied, Canceled, TimedOut, Failed},
	Scheduled:        {Granting, Canceled, Failed},
	Granting:         {Active, Failed},
	Active:           {Ended},
}

// CanBecome reports whether a request may go from s to t.
func (s State) CanBecome(t State) bool { return slices.Contains(next[s], t) }

// Open reports whether a request in this state still has something before it.
func (s State) Open() bool { return len(next[s]) > 0 }

// States returns all states, in the order of a life.
func States() []State {
	return []State{
		WaitingForSignIn, Submitting, Pending, Scheduled, Granting, Active,
		Refused, Denied, Canceled, TimedOut, Failed, Ended,
	}
}

// Word is what one of PIM's status words means to a request.
type Word string

// The meanings of PIM's words.
const (
	WordPending     Word = "pending"
	WordGranted     Word = "granted" // scheduled or granting, by the start
	WordGranting    Word = "granting"
	WordProvisioned Word = "provisioned"
	WordDenied      Word = "denied"
	WordCanceled    Word = "canceled"
	WordFailed      Word = "failed"
	WordRevoked     Word = "revoked"
	WordTimedOut    Word = "timed_out"
	WordUnknown     Word = "unknown"
)

// words are PIM's status words in lower case, from
// https://learn.microsoft.com/graph/api/resources/request and those seen in
// public reports.
var words = map[string]Word{
	"pendingapproval": WordPending, "pendingadmindecision": WordPending, "pendingevaluation": WordPending,
	"granted": WordGranted, "schedulecreated": WordGranted, "pendingschedulecreation": WordGranted, "adminapproved": WordGranted,
	"pendingprovisioning": WordGranting, "pendingapprovalprovisioning": WordGranting, "pendingexternalprovisioning": WordGranting,
	"provisioningstarted": WordGranting, "accepted": WordGranting,
	"provisioned": WordProvisioned,
	"denied":      WordDenied, "admindenied": WordDenied,
	"canceled": WordCanceled,
	"failed":   WordFailed, "failedasresourceislocked": WordFailed, "invalid": WordFailed,
	"revoked": WordRevoked, "pendingrevocation": WordRevoked,
	"timedout": WordTimedOut,
}

// ReadStatus returns what PIM's word means, without regard to case.
func ReadStatus(status string) Word {
	if w, ok := words[strings.ToLower(strings.TrimSpace(status))]; ok {
		return w
	}
	return WordUnknown
}

// approvalLife is how long PIM keeps an approval open (24 h, not
// configurable), with ten minutes for lag.
const approvalLife = 24*time.Hour + 10*time.Minute

// StateOf returns the state that PIM's copy puts a request in, at that time,
// for a request that is not active yet. The state is "" when the word changes
// nothing. An activation is at most granting: that it is active is told by the
// membership alone.
func StateOf(c Copy, now time.Time) State {
	switch ReadStatus(c.Status) {
	case WordPending:
		if !c.Created.IsZero() && now.Sub(c.Created) > approvalLife {
			return TimedOut
		}
		return Pending
	case WordGranted:
		if c.Start.Sub(now) > time.Minute {
			return Scheduled
		}
		return Granting
	case WordGranting, WordProvisioned:
		return Granting
	case WordDenied:
		return Denied
	case WordCanceled:
		return Canceled
	case WordFailed:
		return Failed
	case WordTimedOut:
		return TimedOut
	case WordRevoked, WordUnknown:
		return ""
	}
	return ""
}
