package pim

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what sort of thing went wrong, for counters and for the choice
// between asking again, waiting and giving up.
type Kind string

// The kinds of errors.
const (
	Invalid      Kind = "invalid"       // what was said cannot be asked for
	Forbidden    Kind = "forbidden"     // this person may not do it
	NotFound     Kind = "not_found"     // there is no such thing
	Conflict     Kind = "conflict"      // it is already so, or somebody was faster
	SignIn       Kind = "sign_in"       // a (new) sign-in is needed
	Throttled    Kind = "throttled"     // wait, then again; nothing was done
	Unavailable  Kind = "unavailable"   // the other side is down; nothing was done
	AnswerLost   Kind = "answer_lost"   // it may or may not have been done: look
	Administered Kind = "administrator" // only an administrator can mend it
	Internal     Kind = "internal"      // a fault of Elevate
)

// Error carries a message that is safe to show. The cause wraps it and goes to
// the log only.
type Error struct {
	Kind    Kind
	Message string // a whole sentence for the person who asked
	// Field is the field of the form that the error is about: FieldDuration,
	// FieldTicket, or "" for the reason and the whole.
	Field string
	// Code is PIM's or Graph's own code where it decides what comes next.
	Code string
	// Rules are the names of PIM's rules that refused, as PIM spells them.
	Rules []string
	// Claims is the claims challenge to sign in with, JSON, when Kind is SignIn.
	Claims string
	// RetryAfter is how long the other side asked to wait.
	RetryAfter time.Duration
	// RequestID is Graph's request-id, for a support case.
	RequestID string
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Errorf returns an Error of that kind with that message.
func Errorf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// Explain returns the Error inside err. What carries none is Internal, with a
// text that gives nothing away.
func Explain(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Kind: Internal, Message: "Something went wrong inside Elevate. Nothing was changed by this step; try again, and tell an administrator if it stays."}
}

// IsKind reports whether err carries an Error of that kind.
func IsKind(err error, kind Kind) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Kind == kind
}
