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
	// Default and Max are the settings' durations; PIM's policy decides in the end.
	Default, Max time.Duration
	// NeedsReason, NeedsTicket and NeedsApproval are what the settings say of PIM's rules.
	NeedsReason, NeedsTicket, NeedsApproval bool
	// Ticket finds the ticket in a reason; nil when the role has none.
	Ticket *TicketPattern
	// Ask are the places where approvers are asked, Direct says whether in direct messages too.
	Ask    []Conversation
	Direct bool
	// Notify are the places that are told of every change of membership.
	Notify []Conversation
	// DecideFresh wants a sign-in after the click for each decision.
	DecideFresh bool
	// DecideContext is the authentication context a decision needs, or "".
	DecideContext string
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
