package card

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"elevate/internal/pim"
)

// Prefill is what is known before a form is opened.
type Prefill struct {
	// Roles are offered; Role is the name of the one that is chosen already, or "".
	Roles pim.Roles
	Role  string
	Asked pim.Asked
	// Refusal is what was refused of it before, by which rules, and Why says it in a sentence.
	Refusal *pim.Refusal
	Why     string
	// Request is the one that was refused, and Draft what was typed and not asked for.
	Request pim.RequestID
	Draft   string
	// Zone is the person's own, for times that were typed; nil: UTC.
	Zone *time.Location
}

// AskForm is the form for an activation.
func AskForm(in Prefill) Form {
	f := Form{Name: FormAsk, Title: "Ask for a role", Submit: "Ask", Request: in.Request, Digest: in.Draft, Fields: []Field{roleField(in), durationField(in), {
		Name: FieldReason, Label: "Reason", Hint: reasonHint(in), Value: in.Asked.Reason,
		Optional: !slices.ContainsFunc(in.Roles, func(r pim.Role) bool { return r.NeedsReason || r.Emergency }), Long: true, Max: pim.MaxReason,
	}}}
	if in.Why != "" {
		f.Lines = []Text{Typed(in.Why)}
	}
	asksTicket := in.Refusal != nil && slices.Contains(in.Refusal.Wants(), FieldTicket)
	if asksTicket || in.Asked.Ticket != "" || slices.ContainsFunc(in.Roles, func(r pim.Role) bool { return r.Ticket != nil || r.NeedsTicket }) {
		f.Fields = append(f.Fields, Field{
			Name: FieldTicket, Label: "Ticket", Hint: "Not needed if it stands in the reason.", Value: in.Asked.Ticket,
			Optional: true, Max: pim.MaxTicket,
		})
	}
	for i := range f.Fields {
		f.Fields[i] = wanted(f.Fields[i], in.Refusal)
	}
	return f
}

// reasonHint says what a reason is for, and how long that of an emergency is.
func reasonHint(in Prefill) string {
	if role, chosen := in.chosen(); chosen && role.Emergency {
		return fmt.Sprintf("At least %d characters. On-call and the reviewers read it, PIM keeps it.", pim.MinEmergencyReason)
	}
	return "Approvers read it, PIM keeps it."
}

// chosen is the role that the form is for, if that is known.
func (in Prefill) chosen() (pim.Role, bool) {
	role, chosen := in.Roles.Named(in.Role)
	if !chosen && len(in.Roles) == 1 {
		return in.Roles[0], true
	}
	return role, chosen
}

func roleField(in Prefill) Field {
	f := Field{Name: FieldRole, Label: "Role"}
	for _, r := range in.Roles {
		f.Options = append(f.Options, Option{Value: r.Name, Label: r.Title})
	}
	role, _ := in.chosen()
	f.Value = role.Name
	return f
}

// lengths are offered as far as a role allows them.
var lengths = []time.Duration{
	15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

// durationField offers the default, the usual lengths up to the maximum, the
// maximum and what was asked for. Without a chosen role the most generous one
// counts: what is too long for another is refused with a sentence.
func durationField(in Prefill) Field {
	usual, most := "The role's usual time", time.Duration(0)
	for _, r := range in.Roles {
		most = max(most, r.Max)
	}
	if role, chosen := in.chosen(); chosen {
		usual, most = "Usual: "+pim.FormatDuration(role.Default), role.Max
	}
	if in.Refusal != nil && in.Refusal.Most > 0 { // what is longer would be refused again
		most = in.Refusal.Most
		if in.Asked.Until.IsZero() && in.Asked.Duration > most {
			in.Asked.Duration = most
		}
	}
	f := Field{
		Name: FieldDuration, Label: "How long", Value: pim.DefaultDuration,
		Options: []Option{{Value: pim.DefaultDuration, Label: usual}},
	}
	for _, d := range offered(most, in.Asked.Duration) {
		f.Options = append(f.Options, Option{Value: pim.TypedDuration(d), Label: pim.FormatDuration(d)})
	}
	if in.Asked.Duration > 0 {
		f.Value = pim.TypedDuration(in.Asked.Duration)
	}
	if when := in.Asked.When(); when != "" {
		f.Value = when
		f.Options = append(f.Options, Option{Value: when, Label: in.typedWhen()})
	}
	return f
}

// typedWhen says the times that were typed in the person's own zone: an option holds nothing but words.
func (in Prefill) typedWhen() string {
	zone := in.Zone
	if zone == nil {
		zone = time.UTC
	}
	said := func(t time.Time) string { return t.In(zone).Format("2 January 15:04 MST") }
	var words []string
	if !in.Asked.From.IsZero() {
		words = append(words, "from "+said(in.Asked.From))
	}
	if !in.Asked.Until.IsZero() {
		words = append(words, "until "+said(in.Asked.Until))
	} else if in.Asked.Duration > 0 {
		words = append(words, "for "+pim.FormatDuration(in.Asked.Duration))
	}
	return "As typed: " + strings.Join(words, " ")
}

func offered(most, asked time.Duration) []time.Duration {
	all := slices.Clone(lengths)
	if most > 0 {
		all = slices.DeleteFunc(all, func(d time.Duration) bool { return d > most })
		all = append(all, most)
	}
	if asked > 0 {
		all = append(all, asked)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// ReasonForm asks for the reason of a decision: name is FormApprove or FormDeny.
// It shows the facts again that the decision is about.
func ReasonForm(name string, r pim.Request, role pim.Role, requester string, now time.Time) Form {
	d := newDrawing(&r, role, View{Viewer: Approvers, RequesterName: requester, Now: now})
	f := Form{
		Name: name, Title: "Approve with a reason", Submit: "Approve", Lines: []Text{d.waitLine()},
		Request: r.ID, Digest: r.Digest(),
		Fields: []Field{{Name: FieldReason, Label: "Reason", Hint: "The requester reads it, PIM keeps it.", Long: true, Max: pim.MaxReason}},
	}
	if name == FormDeny {
		f.Title, f.Submit = "Deny the request", "Deny"
	}
	return f
}
