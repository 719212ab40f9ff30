package pim

import (
	"fmt"
	"strings"
	"time"
)

// RequestID is Elevate's own id of a request: six letters and digits without
// look-alikes, unique, not secret.
type RequestID string

// idAlphabet has no 0, 1, i, l and o.
const idAlphabet = "abcdefghjkmnpqrstuvwxyz23456789"

const idLength = 6

// NewRequestID draws an id. random fills its argument with random bytes.
func NewRequestID(random func([]byte)) RequestID {
	id := make([]byte, 0, idLength)
	var b [1]byte
	for len(id) < idLength {
		random(b[:])
		// What would favour the alphabet's beginning is drawn again.
		if int(b[0]) < 256-256%len(idAlphabet) {
			id = append(id, idAlphabet[int(b[0])%len(idAlphabet)])
		}
	}
	return RequestID(id)
}

// ParseRequestID returns the id that a person typed, or "" when it cannot be one.
func ParseRequestID(s string) RequestID {
	s = strings.ToLower(strings.TrimPrefix(strings.TrimSpace(s), "#"))
	if len(s) != idLength || strings.Trim(s, idAlphabet) != "" {
		return ""
	}
	return RequestID(s)
}

// Asked is what a person asked for, before PIM had a say.
type Asked struct {
	Duration time.Duration `json:"duration,omitempty"` // for …
	Until    time.Time     `json:"until,omitzero"`     // until …
	From     time.Time     `json:"from,omitzero"`      // from …
	Reason   string        `json:"reason"`
	Ticket   string        `json:"ticket,omitempty"`
}

// Same reports whether both say the same.
func (a Asked) Same(b Asked) bool {
	return a.Duration == b.Duration && a.Reason == b.Reason && a.Ticket == b.Ticket && sameTime(a.Until, b.Until) && sameTime(a.From, b.From)
}

// Claim is a decision on its way to PIM: nobody else decides meanwhile.
type Claim struct {
	By      Actor     `json:"by"`
	Approve bool      `json:"approve"`
	Reason  string    `json:"reason,omitempty"`
	Digest  string    `json:"digest"`  // of the facts that were shown
	Clicked time.Time `json:"clicked"` // when the person decided
	Until   time.Time `json:"until"`   // the lease
	// Sent is set before the decision is sent, so that a lost answer is looked for.
	Sent time.Time `json:"sent,omitzero"`
}

// Decided is a decision that PIM has taken.
type Decided struct {
	By      Actor     `json:"by,omitzero"`
	Approve bool      `json:"approve"`
	Reason  string    `json:"reason,omitempty"`
	At      time.Time `json:"at"`
	Chat    Chat      `json:"chat"` // portal when it was not decided here
}

// Sending is the record of an activation that was sent to PIM, written before
// it is sent.
type Sending struct {
	At    time.Time `json:"at"`    // first sending of this try
	Tries int       `json:"tries"` // how often it was sent
	// Lost is set while it is not known whether PIM took it.
	Lost bool `json:"lost,omitempty"`
}

// Releasing is a release on its way to PIM.
type Releasing struct {
	By Actor     `json:"by"`
	At time.Time `json:"at"` // when it was asked for
	// Due is when it is sent once more, where PIM did not take it yet.
	Due time.Time `json:"due,omitzero"`
	// Sent is set before it is sent and holds until PIM refuses: whoever is no
	// member after that, and before the end, was released.
	Sent time.Time `json:"sent,omitzero"`
}

// Follows names the access that a request waits for the end of: PIM cannot prolong
// an activation and takes no second one while one runs.
type Follows struct {
	Request RequestID `json:"request"`
	Ends    time.Time `json:"ends"` // as it was known when it was asked
}

// Revoking is the removal of a member that somebody else than the holder sent to
// PIM. It goes when PIM refuses: whoever is no member after it, and before the end,
// was removed.
type Revoking struct {
	By     Actor     `json:"by"`
	Reason string    `json:"reason"`
	Sent   time.Time `json:"sent"`
}

// Request is one request for an activation and all that is known of it.
type Request struct {
	ID        RequestID    `json:"id"`
	Role      string       `json:"role"`
	Group     GroupID      `json:"group"`
	Requester Actor        `json:"requester"`
	Principal PrincipalID  `json:"principal,omitempty"` // who becomes a member
	Origin    Conversation `json:"origin,omitzero"`     // where it was asked
	Chat      Chat         `json:"chat"`                // portal when it was not asked here
	Asked     Asked        `json:"asked"`
	State     State        `json:"state"`
	// Why is a whole sentence for a request that was refused, failed, canceled,
	// denied or ended by something else than its time.
	Why     string    `json:"why,omitempty"`
	Refusal *Refusal  `json:"refusal,omitempty"` // what PIM refused it by, for the next step
	Ending  Ending    `json:"ending,omitempty"`
	Sending Sending   `json:"sending,omitzero"`
	Follows *Follows  `json:"follows,omitempty"`
	Copy    Copy      `json:"copy,omitzero"`
	Claim   *Claim    `json:"claim,omitempty"`
	Decided *Decided  `json:"decided,omitempty"`
	Created time.Time `json:"created"`
	// Asked of PIM, member since (read back), due end, removed (read back).
	Submitted   time.Time `json:"submitted,omitzero"`
	MemberSince time.Time `json:"member_since,omitzero"`
	Ends        time.Time `json:"ends,omitzero"`
	EndedAt     time.Time `json:"ended,omitzero"`
	// Gone is when PIM's instance was first seen gone.
	Gone time.Time `json:"gone,omitzero"`
	// Absent is the first read after that which did not find the membership; a
	// second one, thirty seconds later, makes it true.
	Absent time.Time `json:"absent,omitzero"`
	// Releasing is a release that was asked for here and that PIM has not taken.
	Releasing *Releasing `json:"releasing,omitempty"`
	// Revoking is the removal that was sent to PIM.
	Revoking *Revoking `json:"revoking,omitempty"`
	// Leaving is set from the moment PIM took a release or a removal.
	Leaving Ending `json:"leaving,omitempty"`
	// Late is set when granting took longer than five minutes and was said.
	Late bool `json:"late,omitempty"`
	// TimedOutSeen is the first look that found the approval over.
	TimedOutSeen time.Time `json:"timed_out_seen,omitzero"`
	// ApprovalOver is when PIM's stage was read as expired. PIM's word of the
	// request itself may stay PendingApproval after that.
	ApprovalOver time.Time `json:"approval_over,omitzero"`
	// StillBy says by what the person remains a member after the end.
	StillBy string `json:"still_by,omitempty"`
	// Reminded is when approvers were last asked again, Escalated when somebody
	// else was told that nobody decides.
	Reminded  time.Time `json:"reminded,omitzero"`
	Escalated time.Time `json:"escalated,omitzero"`
	// Approvers are the names of those who were asked, as far as known.
	Approvers []string `json:"approvers,omitempty"`
	// Granting is when granting began.
	Granting time.Time `json:"granting,omitzero"`
	// Review is that of the use of an emergency role.
	Review *Review `json:"review,omitempty"`
	// Summed are the places in which on-call is told of it in a summary of many.
	Summed []string `json:"summed,omitempty"`
	// Evidence are the rows of Entra's audit log that belong to it, oldest first.
	Evidence []Evidence `json:"evidence,omitempty"`
}

// OpenSince is since when somebody could decide it: one that followed an access was asked
// for long before PIM had it.
func (r *Request) OpenSince() time.Time {
	if r.Submitted.IsZero() {
		return r.Created
	}
	return r.Submitted
}

// Move puts the request into a state, or says that this cannot be.
func (r *Request) Move(to State) error {
	if !r.State.CanBecome(to) {
		return fmt.Errorf("request %s cannot go from %s to %s", r.ID, r.State, to)
	}
	r.State = to
	if to != Pending {
		r.Claim = nil
	}
	return nil
}

// Claimed returns the claim that holds at that time, or nil.
func (r *Request) Claimed(now time.Time) *Claim {
	if r.Claim == nil || !now.Before(r.Claim.Until) {
		return nil
	}
	return r.Claim
}

// Digest names the facts that stand on the request's cards.
func (r *Request) Digest() string { return r.Copy.Digest() }

// Waits reports whether the request waits for the end of an earlier access.
func (r *Request) Waits() bool {
	return r.Follows != nil && r.State == Submitting && r.Sending.At.IsZero()
}

// EndingNotice is when the holder of an active access is told that it ends: ten minutes before, or at the last quarter of
// a short one. Zero is for an access without an end.
func (r *Request) EndingNotice() time.Time {
	if r.Ends.IsZero() || r.MemberSince.IsZero() {
		return time.Time{}
	}
	const most = 10 * time.Minute
	return r.Ends.Add(-min(most, r.Ends.Sub(r.MemberSince)/4))
}
