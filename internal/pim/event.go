package pim

import "time"

// EventKind says what happened.
type EventKind string

// The kinds of events. A change of a request's state is always one of these.
const (
	EventRequested      EventKind = "requested"
	EventSent           EventKind = "sent" // about to be sent to PIM
	EventSubmitted      EventKind = "submitted"
	EventObserved       EventKind = "observed" // PIM's copy turned
	EventFound          EventKind = "found"    // a request made elsewhere
	EventRefused        EventKind = "refused"
	EventClaimed        EventKind = "claimed"
	EventUnclaimed      EventKind = "unclaimed"
	EventDecided        EventKind = "decided"
	EventConfirmed      EventKind = "confirmed" // membership read back
	EventEnded          EventKind = "ended"     // absence read back
	EventCanceled       EventKind = "canceled"
	EventReleasing      EventKind = "releasing"
	EventRevoking       EventKind = "revoking"  // by somebody else than the holder
	EventReminded       EventKind = "reminded"  // approvers were asked again
	EventEscalated      EventKind = "escalated" // another place was told that nobody decides
	EventEnding         EventKind = "ending"    // the holder is told that the access ends soon
	EventFailed         EventKind = "failed"
	EventLate           EventKind = "late"
	EventIntent         EventKind = "intent" // a step that waits for a sign-in
	EventExpired        EventKind = "expired"
	EventLinked         EventKind = "linked"
	EventUnlinked       EventKind = "unlinked"
	EventJoined         EventKind = "joined" // accounts that count as one person from now on
	EventSignedIn       EventKind = "signed_in"
	EventSignedOut      EventKind = "signed_out"
	EventParked         EventKind = "parked"
	EventRetried        EventKind = "retried"
	EventDropped        EventKind = "dropped"
	EventUnknownWord    EventKind = "unknown_word"
	EventRestored       EventKind = "restored"
	EventSweepFailing   EventKind = "sweep_failing"
	EventAlarm          EventKind = "alarm"          // a governed group is not as it should be
	EventAlarmOver      EventKind = "alarm_over"     // it is again
	EventAcknowledged   EventKind = "acknowledged"   // somebody has taken note of an alarm
	EventUnacknowledged EventKind = "unacknowledged" // whoever did was one who caused it
	EventEvidence       EventKind = "evidence"       // the audit log has something of it, or nothing for hours
	// An emergency role was used; somebody closed the review; reviews that are open for
	// too long were named to on-call.
	EventReviewOpened  EventKind = "review_opened"
	EventReviewed      EventKind = "reviewed"
	EventReviewOverdue EventKind = "review_overdue"
)

// Event is one entry of the audit trail.
type Event struct {
	Seq     uint64    `json:"seq"`
	At      time.Time `json:"at"`
	Kind    EventKind `json:"kind"`
	Request RequestID `json:"request,omitempty"`
	PIM     string    `json:"pim,omitempty"` // PIM's own request id
	Role    string    `json:"role,omitempty"`
	Group   GroupID   `json:"group,omitempty"`
	By      Actor     `json:"by,omitzero"` // who did it
	// Linked is the account that By's chat account is linked to, where another
	// of the same person did it.
	Linked PrincipalID `json:"linked,omitempty"`
	Person PrincipalID `json:"person,omitempty"` // whom it is about
	Chat   Chat        `json:"chat"`             // where it came from
	From   State       `json:"from,omitempty"`
	To     State       `json:"to,omitempty"`
	Text   string      `json:"text,omitempty"` // a reason that was typed, or what went wrong
}
