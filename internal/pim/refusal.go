package pim

import (
	"slices"
	"strings"
	"time"
)

// Refusal is why PIM did not take a request, in the form that its next step follows from.
type Refusal struct {
	Kind  Kind     `json:"kind"`
	Code  string   `json:"code,omitempty"`
	Rules []string `json:"rules,omitempty"`
	// Most is the longest that PIM allows, where the time was too long and that could be read.
	Most time.Duration `json:"most,omitempty"`
	// Other is the same person's request that stands in the way, and Until the end of the access that does.
	Other RequestID `json:"other,omitempty"`
	Until time.Time `json:"until,omitzero"`
	// Roles are what the person is eligible for instead, by name; Known is set when that was read.
	Roles []string `json:"roles,omitempty"`
	Known bool     `json:"known,omitempty"`
}

// RefusalOf returns the refusal in an error.
func RefusalOf(said *Error) *Refusal {
	return &Refusal{Kind: said.Kind, Code: said.Code, Rules: said.Rules}
}

// Mend is the next step after a refusal.
type Mend string

// The next steps.
const (
	MendForm          Mend = "form"          // the form again, filled in, for what PIM wants besides
	MendLength        Mend = "length"        // the longest that PIM allows
	MendRole          Mend = "role"          // another role, or somebody who makes one eligible
	MendHeld          Mend = "held"          // it is there already: use it, or release it
	MendOpen          Mend = "open"          // it was asked for already: wait, or cancel it
	MendSignIn        Mend = "sign_in"       // a sign-in; what was asked for goes on by itself
	MendAdministrator Mend = "administrator" // something in the tenant or in the settings
	MendLater         Mend = "later"         // the same again, after a while
)

// mends are the steps after PIM's codes, in lower case. What is not here follows from the kind.
var mends = map[string]Mend{
	"roleassignmentexists":                  MendHeld,
	"pendingroleassignmentrequest":          MendOpen,
	"roleassignmentrequestexists":           MendOpen,
	"overlapspendingroleassignmentrequests": MendOpen,
	"rolenotfound":                          MendAdministrator,
}

// Mend returns the next step. Of several rules what cannot be mended by asking otherwise comes first.
func (r *Refusal) Mend() Mend {
	switch wants := r.Wants(); {
	case r.broke("EligibilityRule"):
		return MendRole
	case slices.ContainsFunc(r.Rules, func(rule string) bool {
		return fieldOfRule[strings.ToLower(rule)] == "" && !strings.EqualFold(rule, "MfaRule")
	}):
		return MendAdministrator // a rule that nobody knows
	case slices.Equal(wants, []string{FieldDuration}) && r.broke("ExpirationRule"):
		return MendLength
	case len(wants) > 0:
		return MendForm
	}
	if mend, known := mends[strings.ToLower(r.Code)]; known && len(r.Rules) == 0 {
		return mend
	}
	switch r.Kind {
	case SignIn:
		return MendSignIn
	case Forbidden:
		return MendRole
	case Administered:
		return MendAdministrator
	case Invalid:
		return MendForm
	case NotFound, Conflict, Throttled, Unavailable, AnswerLost, Internal:
	}
	return MendLater
}

// fieldOfRule is the field of the form that mends a rule.
var fieldOfRule = map[string]string{"justificationrule": FieldReason, "ticketingrule": FieldTicket, "expirationrule": FieldDuration}

// Wants returns the fields of the form that PIM wants otherwise.
func (r *Refusal) Wants() (fields []string) {
	for _, rule := range r.Rules {
		if field := fieldOfRule[strings.ToLower(rule)]; field != "" && !slices.Contains(fields, field) {
			fields = append(fields, field)
		}
	}
	if strings.EqualFold(r.Code, "ActiveDurationTooShort") {
		fields = append(fields, FieldDuration)
	}
	return fields
}

func (r *Refusal) broke(rule string) bool {
	return slices.ContainsFunc(r.Rules, func(broken string) bool { return strings.EqualFold(broken, rule) })
}

// Lasting returns the same for another length of time. A beginning that has passed means at once.
func (a Asked) Lasting(d time.Duration, now time.Time) Asked {
	a.Duration, a.Until = d, time.Time{}
	if !a.From.After(now) {
		a.From = time.Time{}
	}
	return a
}

// TooLong reports whether what is asked for lasts longer than that.
func (a Asked) TooLong(role Role, most time.Duration, now time.Time) bool {
	start := now
	if a.From.After(now) {
		start = a.From
	}
	return most > 0 && a.length(role, start) > most
}
