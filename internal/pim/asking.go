package pim

import (
	"errors"
	"strings"
	"time"
	"unicode/utf8"
)

// MaxTicket is the longest ticket a person may give, in characters.
const MaxTicket = 64

// The fields of a form that an Error can be about.
const (
	FieldDuration = "duration"
	FieldReason   = "reason"
	FieldTicket   = "ticket"
)

// about says which field of the form an error is about.
func about(field string, err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		e.Field = field
	}
	return err
}

// DefaultDuration is the value of a form's duration that means the role's default.
const DefaultDuration = "default"

// NewAsked returns what a filled form asks for. Duration is "", DefaultDuration,
// a length of time or what When returned; an empty ticket is looked for in the reason.
func NewAsked(role Role, duration, reason, ticket string) (Asked, error) {
	a := Asked{Reason: Tidy(reason), Ticket: Tidy(ticket)}
	if a.Ticket == "" {
		a.Ticket = role.FindTicket(a.Reason)
	}
	if duration = Tidy(duration); duration == "" || strings.EqualFold(duration, DefaultDuration) {
		return a, nil
	}
	if from, until, length, ok := parseWhen(duration); ok {
		a.From, a.Until, a.Duration = from, until, length
		return a, nil
	}
	d, ok := ParseDuration(duration)
	if !ok {
		return a, about(FieldDuration, Errorf(Invalid, "This is not a length of time. Say it like 45m, 2h or 1h30m."))
	}
	a.Duration = d
	return a, about(FieldDuration, tooShort(d, true))
}

// When is the value of a form's duration that stands for times that were typed: "from … until …", with times of RFC 3339.
// It is "" where nothing but a length of time was asked for.
func (a Asked) When() string {
	if a.From.IsZero() && a.Until.IsZero() {
		return ""
	}
	var words []string
	if !a.From.IsZero() {
		words = append(words, "from", a.From.UTC().Format(time.RFC3339))
	}
	if !a.Until.IsZero() {
		words = append(words, "until", a.Until.UTC().Format(time.RFC3339))
	} else if a.Duration > 0 {
		words = append(words, "for", TypedDuration(a.Duration))
	}
	return strings.Join(words, " ")
}

// parseWhen reads what When returned.
func parseWhen(s string) (from, until time.Time, length time.Duration, ok bool) {
	words := strings.Fields(s)
	if len(words) == 0 || len(words)%2 != 0 {
		return from, until, 0, false
	}
	for i := 0; i < len(words); i += 2 {
		at, err := time.Parse(time.RFC3339, words[i+1])
		switch d, isLength := ParseDuration(words[i+1]); {
		case words[i] == "for" && isLength:
			length = d
		case words[i] == "from" && err == nil:
			from = at
		case words[i] == "until" && err == nil:
			until = at
		default:
			return time.Time{}, time.Time{}, 0, false
		}
	}
	return from, until, length, until.IsZero() || length == 0
}

// CheckAsked says why this cannot be asked for, or nil. PIM checks again.
func CheckAsked(role Role, a Asked, now time.Time) error {
	if err := checkWhy(role, a); err != nil {
		return err
	}
	if err := checkTicket(role, a); err != nil {
		return about(FieldTicket, err)
	}
	return about(FieldDuration, checkWhen(role, a, now))
}

func checkWhy(role Role, a Asked) error {
	if err := checkEmergency(role, a.Reason); err != nil {
		return err
	}
	if role.NeedsReason && Tidy(a.Reason) == "" {
		return Errorf(Invalid, "%s needs a reason: write it behind the role, as in /elevate %s isolating WS-042.", role.Title, role.Name)
	}
	return checkText(a.Reason)
}

func checkTicket(role Role, a Asked) error {
	ticket := Tidy(a.Ticket)
	switch {
	case ticket == "" && role.NeedsTicket && role.Ticket == nil:
		return Errorf(Invalid, "%s needs a ticket: type /elevate alone and fill in the form.", role.Title)
	case ticket == "" && role.NeedsTicket:
		return Errorf(Invalid, "%s needs a ticket that looks like %s: write it in the reason.", role.Title, role.Ticket)
	case ticket == "":
		return nil
	case utf8.RuneCountInString(ticket) > MaxTicket:
		return Errorf(Invalid, "The ticket has more than %d characters. Give its number only.", MaxTicket)
	case HasMark(ticket):
		return Errorf(Invalid, "A ticket cannot hold “[elevate …”. Give its number only.")
	case role.Ticket != nil && !role.Ticket.Matches(ticket):
		return Errorf(Invalid, "“%s” is no ticket of %s: its settings want one that matches %s as a whole.", ticket, role.Title, role.Ticket)
	}
	return nil
}

func checkWhen(role Role, a Asked, now time.Time) error {
	start := now
	if !a.From.IsZero() {
		if start = a.From; start.Before(now) {
			return Errorf(Invalid, "The beginning, %s, is over. Give a later one or leave it out.", start.Format("15:04"))
		}
	}
	if !a.Until.IsZero() {
		if a.Until.Before(now) {
			return Errorf(Invalid, "%s is over. Give a later end, or say how long with “for”.", a.Until.Format("15:04"))
		}
		if err := endsAfter(a.Until, start); err != nil {
			return err
		}
	}
	length := a.length(role, start)
	if err := tooShort(length, true); err != nil {
		return err
	}
	if role.Max > 0 && length > role.Max && !a.Until.IsZero() {
		return Errorf(Invalid, "That end is %s ahead, on %s. %s lasts at most %s; ask for %s or less.",
			fullDuration(length.Round(time.Minute)), a.Until.Format("2 January at 15:04"), role.Title, fullDuration(role.Max), TypedDuration(role.Max))
	}
	if role.Max > 0 && length > role.Max {
		return Errorf(Invalid, "%s lasts at most %s; ask for %s or less.", role.Title, fullDuration(role.Max), TypedDuration(role.Max))
	}
	return nil
}

// length is how long the access would last.
func (a Asked) length(role Role, start time.Time) time.Duration {
	switch {
	case !a.Until.IsZero():
		return a.Until.Sub(start)
	case a.Duration != 0:
		return a.Duration
	}
	return role.Default
}

// Activation returns what is sent to PIM for what was asked. It is the same
// each time it is built for the same now, which is when the sending began: a
// beginning that has passed by then means at once.
func (a Asked) Activation(role Role, id RequestID, principal PrincipalID, now time.Time) Activation {
	send := Activation{
		Action: SelfActivate, Group: role.Group, Principal: principal,
		Justification: Mark(Tidy(a.Reason), id), Ticket: Tidy(a.Ticket),
	}
	if a.From.After(now) {
		send.Start = a.From
	}
	switch {
	case !a.Until.IsZero():
		send.Until = a.Until
	case a.Duration != 0:
		send.Duration = a.Duration
	default:
		send.Duration = role.Default
	}
	return send
}

// FindTicket returns the first word of a reason that the role's pattern
// matches whole, without the punctuation around it, or "".
func (r Role) FindTicket(reason string) string {
	if r.Ticket == nil {
		return ""
	}
	for word := range strings.FieldsSeq(reason) {
		for _, w := range []string{word, strings.TrimRight(word, ".,;:!?"), strings.Trim(word, punctuation)} {
			if w != "" && r.Ticket.Matches(w) {
				return w
			}
		}
	}
	return ""
}
