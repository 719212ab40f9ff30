package pim

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// Action is what a schedule request in PIM asks for.
type Action string

// The actions that Elevate sends or meets.
const (
	SelfActivate   Action = "selfActivate"
	SelfDeactivate Action = "selfDeactivate"
	AdminAssign    Action = "adminAssign"
	AdminRemove    Action = "adminRemove"
)

// Member is the only access Elevate ever asks for: an ownership does not end
// at its end time.
const Member = "member"

// Activation is what is sent to PIM as a person: an activation, a release
// (SelfDeactivate) or a removal by an administrator (AdminRemove).
type Activation struct {
	Action        Action
	Group         GroupID
	Principal     PrincipalID
	Justification string // with the mark, when it is ours
	Ticket        string
	// Start is the wanted start. Zero means now, by Graph's own clock.
	Start time.Time
	// Exactly one of Duration and Until is set for an activation, none for a release.
	Duration time.Duration
	Until    time.Time
}

// Copy is PIM's own copy of a schedule request: what every card is drawn from.
type Copy struct {
	ID            string      `json:"id"` // PIM's request id, also the approval's id
	Status        string      `json:"status"`
	Action        Action      `json:"action"`
	Access        string      `json:"access"` // member or owner
	Group         GroupID     `json:"group"`
	Principal     PrincipalID `json:"principal"`
	CreatedBy     PrincipalID `json:"created_by"`
	Created       time.Time   `json:"created,omitzero"`
	Completed     time.Time   `json:"completed,omitzero"`
	Justification string      `json:"justification"`
	Ticket        string      `json:"ticket,omitempty"`
	TicketSystem  string      `json:"ticket_system,omitempty"`
	Start         time.Time   `json:"start,omitzero"`
	// Expiration is PIM's expiration type: noExpiration, afterDateTime,
	// afterDuration or notSpecified.
	Expiration string        `json:"expiration,omitempty"`
	Duration   time.Duration `json:"duration,omitempty"`
	End        time.Time     `json:"end,omitzero"`
	ApprovalID string        `json:"approval_id,omitempty"`
	ScheduleID string        `json:"schedule_id,omitempty"` // targetScheduleId
}

// EndTime is when the access that the copy asks for is over, by PIM, or zero
// when it never is or when PIM does not say.
func (c Copy) EndTime() time.Time {
	switch {
	case !c.End.IsZero():
		return c.End
	case c.Duration > 0 && !c.Start.IsZero():
		return c.Start.Add(c.Duration)
	}
	return time.Time{}
}

// LedTo reports whether an assignment that applies is what this activation asked
// for: PIM names the schedule in both; where it does not, the end has to agree.
func (c Copy) LedTo(i Instance) bool {
	switch {
	case c.Action != SelfActivate || c.Access != Member || c.Group != i.Group || c.Principal != i.Principal, !i.Activated:
		return false
	case c.ScheduleID != "" && i.ScheduleID != "":
		return c.ScheduleID == i.ScheduleID
	}
	return ReadStatus(c.Status) == WordProvisioned && c.EndTime().Sub(i.End).Abs() < time.Minute
}

// Digest names the facts that an approver decides on. It changes when any of
// them does. Status and completion are left out, because a decision changes
// them; so is the start of what begins at once, because PIM sets it anew when
// it grants. A start that was scheduled ahead counts.
func (c Copy) Digest() string {
	h := sha256.New()
	field := func(s string) { fmt.Fprintf(h, "%d:%s|", len(s), s) }
	for _, s := range []string{
		c.ID, strings.ToLower(string(c.Action)), strings.ToLower(c.Access), string(c.Group), string(c.Principal),
		string(c.CreatedBy), c.Justification, c.Ticket, c.TicketSystem, strings.ToLower(c.Expiration),
		c.Duration.String(), stamp(c.End), stamp(c.scheduledStart()), stamp(c.Created),
	} {
		field(s)
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// scheduledStart is the start when it lies more than a minute after the
// creation, else zero.
func (c Copy) scheduledStart() time.Time {
	if c.Start.Sub(c.Created) > time.Minute {
		return c.Start
	}
	return time.Time{}
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// Ruling is a decision on an approval as it is sent to PIM.
type Ruling struct {
	ApprovalID    string
	Approve       bool
	Justification string
}

// Stage is a stage of an approval as PIM shows it to the signed-in person.
type Stage struct {
	ID           string
	AssignedToMe bool
	Status       string // InProgress, Initializing, Completed, Expired
	ReviewResult string // NotReviewed, Approve(d), Deny/Denied
	ReviewedBy   PrincipalID
	ReviewedName string
	Reviewed     time.Time
	Reason       string
}
