// Package secret holds values that must not be printed: tokens, client secrets, keys. A Text can be passed around,
// kept in a struct and handed to fmt, encoding/json, YAML or slog, and none of them shows what it holds. It refuses
// to be read by accident: the one way to the value is Reveal, so that every use can be found by its name.
package secret

import (
	"fmt"
	"io"
	"log/slog"
)

// redacted is what stands in the place of every value, also of the empty one, so that not even its presence shows.
const redacted = "[secret]"

// Text is a value that cannot be printed. Its zero value is the empty secret.
//
// The value lies behind a pointer because fmt calls no methods on unexported fields: in a struct that hides its Text,
// fmt prints the address and follows it no further.
type Text struct {
	value *string
}

// New wraps a value.
func New(value string) Text {
	return Text{value: &value}
}

// Reveal gives the value itself. Call it where the value leaves for the system it is meant for, and nowhere else.
func (t Text) Reveal() string {
	if t.value == nil {
		return ""
	}
	return *t.value
}

// IsZero says whether there is no value, or an empty one.
func (t Text) IsZero() bool { return t.Reveal() == "" }

// String redacts.
func (Text) String() string { return redacted }

// GoString redacts for %#v.
func (Text) GoString() string { return redacted }

// Format redacts for every verb of fmt, the numeric and the unknown ones too.
func (Text) Format(state fmt.State, _ rune) {
	// A failed write is fmt's to report: the interface has no room for an error.
	_, _ = io.WriteString(state, redacted)
}

// LogValue redacts for slog.
func (Text) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON redacts for encoding/json.
func (Text) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText redacts for YAML, XML, flags and map keys.
func (Text) MarshalText() ([]byte, error) { return []byte(redacted), nil }
