package pim

import (
	"fmt"
	"regexp"
)

// A TicketPattern says what a role's tickets look like. It matches a ticket
// from end to end, with or without anchors of its own.
type TicketPattern struct {
	written string
	whole   *regexp.Regexp
}

// NewTicketPattern reads a regular expression in the syntax of package regexp.
func NewTicketPattern(written string) (*TicketPattern, error) {
	// The error names what is written, so that is read first.
	if _, err := regexp.Compile(written); err != nil {
		return nil, fmt.Errorf("a ticket's pattern: %w", err)
	}
	whole, err := regexp.Compile(`\A(?:` + written + `)\z`)
	if err != nil { // only a pattern at the limit of nesting
		return nil, fmt.Errorf("a ticket's pattern: %w", err)
	}
	return &TicketPattern{written: written, whole: whole}, nil
}

// Matches reports whether a word is such a ticket.
func (p *TicketPattern) Matches(word string) bool { return p.whole.MatchString(word) }

// String returns the pattern as it was written; "" where there is none.
func (p *TicketPattern) String() string {
	if p == nil {
		return ""
	}
	return p.written
}

// MustTicketPattern is NewTicketPattern for patterns that stand in code.
func MustTicketPattern(written string) *TicketPattern {
	p, err := NewTicketPattern(written)
	if err != nil {
		panic(err)
	}
	return p
}
