package config

import (
	"time"

	"elevate/internal/pim"
)

// Role is one group that people can be made members of for a while.
type Role struct {
	// Name is what people type.
	Name string `yaml:"name" check:"required role"`
	// Title is what cards say; by default the name.
	Title string `yaml:"title" check:"title"`
	// Gives says in words what members can do.
	Gives string `yaml:"gives" check:"line"`
	// Defender is what the role of the group is called in the Microsoft Defender portal; empty if it has none there.
	Defender string `yaml:"defender" check:"line"`
	// Group is the governed group, by name or object id.
	Group string `yaml:"group" check:"required group"`
	// Eligible are the groups of people who may ask, by name or object id.
	Eligible []string `yaml:"eligible" check:"required group"`
	// Approvers are who decides: groups by name or object id, people by object id or user principal name.
	Approvers []string `yaml:"approvers" check:"required approver"`
	// Protected has the people's and the approvers' groups made role-assignable, so that few can change who is in them.
	Protected bool `yaml:"protected"`
	// Duration says how long an activation lasts.
	Duration RoleDuration `yaml:"duration"`
	// Require is what PIM asks of a requester.
	Require Require `yaml:"require"`
	// Mail says whether PIM itself mails about activations: MailKeep leaves that as it is.
	Mail Mail `yaml:"mail" check:"required" oneof:"keep all none"`
	// Decide is what is asked of an approver in addition.
	Decide Decide `yaml:"decide"`
	// Ticket matches a ticket's id as a whole. It is nil if there is no pattern.
	Ticket *pim.TicketPattern `yaml:"ticket"`
	// Ask is where approvers are asked.
	Ask Ask `yaml:"ask"`
	// Notify is where every change of membership is told.
	Notify Place `yaml:"notify"`
	// Remind says when approvers are asked again.
	Remind Remind `yaml:"remind"`
	// Emergency marks a role for emergencies: its use is told loudly, and reviewed afterwards.
	Emergency bool `yaml:"emergency"`
	// Reviewers are the groups of people who review the uses of an emergency role, by name or object id.
	Reviewers []string `yaml:"reviewers" check:"required group"`
}

func (r *Role) setDefaults() {
	r.Duration = RoleDuration{Default: time.Hour, Max: 8 * time.Hour}
	r.Require = Require{Justification: true, Approval: true}
	r.Mail = MailKeep
}

// Mail says whom PIM mails about activations: administrators, requesters and approvers, or nobody.
type Mail string

// What PIM's mail can be.
const (
	MailKeep Mail = "keep"
	MailAll  Mail = "all"
	MailNone Mail = "none"
)

// RoleDuration says how long an activation lasts.
type RoleDuration struct {
	// Default is how long if nothing is said.
	Default time.Duration `yaml:"default"`
	// Max is the longest that can be asked for.
	Max time.Duration `yaml:"max"`
}

// Require is what PIM asks of a requester. PIM's own policy decides at run time.
type Require struct {
	// Justification is a reason in words.
	Justification bool `yaml:"justification"`
	// Approval is somebody else's yes.
	Approval bool `yaml:"approval"`
	// Ticket is a ticket's id.
	Ticket bool `yaml:"ticket"`
	// MFA is a sign-in with a second factor.
	MFA bool `yaml:"mfa"`
	// AuthenticationContext is the conditional access context of a step-up, c1 to c99, or empty.
	AuthenticationContext string `yaml:"authentication_context" check:"context"`
}

// Decide is what is asked of an approver in addition to PIM's rules.
type Decide struct {
	// FreshSignIn asks for a new sign-in for each decision.
	FreshSignIn bool `yaml:"fresh_sign_in"`
	// AuthenticationContext is the conditional access context of a step-up, c1 to c99, or empty.
	AuthenticationContext string `yaml:"authentication_context" check:"context"`
}

// Place is a channel in one chat or both. An empty field means not there.
type Place struct {
	// Slack is a channel's id.
	Slack string `yaml:"slack" check:"channel"`
	// Teams is a conversation's id.
	Teams string `yaml:"teams" check:"conversation"`
}

// Ask is where approvers are asked.
type Ask struct {
	Place `yaml:",inline"`
	// Direct also asks each approver in a direct message.
	Direct bool `yaml:"direct"`
}

// Remind says when approvers are asked again.
type Remind struct {
	// After is the time from the request to the first reminder. Zero never reminds.
	After time.Duration `yaml:"after"`
	// Every is the time between reminders. Zero reminds once.
	Every time.Duration `yaml:"every"`
	// Escalate says when somebody else hears of it.
	Escalate Escalate `yaml:"escalate"`
}

// Escalate says when and where a request that waits is told to somebody else.
type Escalate struct {
	// After is the time from the request. Zero never escalates.
	After time.Duration `yaml:"after"`
	Place `yaml:",inline"`
}
