package pim

import "time"

// MinDuration is the shortest activation that PIM takes.
const MinDuration = 5 * time.Minute

// Role is a role-enabled group that people may activate, as the settings say.
type Role struct {
	Name  string // what people type
	Title string // what cards say
	Gives string // what the group's membership gives
	Group GroupID
	// Eligible are the groups whose members may ask, as the settings name them.
	Eligible []string
	// Default and Max are the settings' durations; PIM's policy decides in the end.
	Default, Max time.Duration
	// NeedsReason, NeedsTicket and NeedsApproval are what the settings say of PIM's rules.
	NeedsReason, NeedsTicket, NeedsApproval bool
	// Ticket finds the ticket in a reason; nil when the role has none.
	Ticket *TicketPattern
	// Ask are the places where approvers are asked, Direct says whether in direct messages too.
	Ask    []Conversation
	Direct bool
	// Remind says when approvers who have not decided are asked again.
	Remind Reminding
	// Notify are the places that are told of every change of membership.
	Notify []Conversation
	// DecideFresh wants a sign-in after the click for each decision.
	DecideFresh bool
	// DecideContext is the authentication context a decision needs, or "".
	DecideContext string
	// Emergency has each use of the role told loudly, and reviewed afterwards by
	// somebody in one of the groups Reviewers.
	Emergency bool
	Reviewers []GroupID
}

// Reminding says when a request that waits is told of once more, counted from
// when it was asked for. A zero time never does.
type Reminding struct {
	After, Every time.Duration // the first reminder, and the time between further ones
	// Escalate is where it is told of after EscalateAfter.
	EscalateAfter time.Duration
	Escalate      []Conversation
}

// NextReminder returns when a request is told of again that was asked for and
// was reminded of last at those times; zero: never.
func (m Reminding) NextReminder(asked, reminded time.Time) time.Time {
	switch {
	case reminded.IsZero() && m.After > 0:
		return asked.Add(m.After)
	case !reminded.IsZero() && m.Every > 0:
		return reminded.Add(m.Every)
	}
	return time.Time{}
}

// Escalation returns when a request that was asked for at that time, and was
// not escalated yet, is; zero: never.
func (m Reminding) Escalation(asked, escalated time.Time) time.Time {
	if !escalated.IsZero() || m.EscalateAfter <= 0 || len(m.Escalate) == 0 {
		return time.Time{}
	}
	return asked.Add(m.EscalateAfter)
}

// Roles are the roles of the settings: an allow-list, no other group is ever touched.
type Roles []Role

// Named returns the role of that name.
func (rs Roles) Named(name string) (Role, bool) {
	for _, r := range rs {
		if r.Name == name {
			return r, true
		}
	}
	return Role{}, false
}

// Of returns the role behind a group.
func (rs Roles) Of(g GroupID) (Role, bool) {
	for _, r := range rs {
		if r.Group == g {
			return r, true
		}
	}
	return Role{}, false
}
