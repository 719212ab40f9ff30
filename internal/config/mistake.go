package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Mistake is one thing that is wrong with the settings.
type Mistake struct {
	// Line and Column say where in the file, counted from 1. Both are 0 if the value came from the environment.
	Line, Column int
	// Variable is the environment variable the value came from, if it did.
	Variable string
	// Key is the setting's path, for example "entra.tenant_id".
	Key string
	// Message says in whole sentences what is wrong and what to do.
	Message string
}

// Error lists all mistakes of a file and its environment, those of the file first and in its order.
type Error struct {
	// File is the path of the file.
	File string
	// Mistakes are never empty.
	Mistakes []Mistake
}

// Error gives one line per mistake.
func (e *Error) Error() string {
	lines := make([]string, len(e.Mistakes))
	for i, m := range e.Mistakes {
		if m.Variable != "" {
			lines[i] = fmt.Sprintf("%s: %s", m.Variable, m.Message)
		} else {
			lines[i] = fmt.Sprintf("%s:%d:%d: %s", e.File, m.Line, m.Column, m.Message)
		}
	}
	return strings.Join(lines, "\n")
}

func newError(file string, mistakes []Mistake) error {
	if len(mistakes) == 0 {
		return nil
	}
	slices.SortStableFunc(mistakes, func(a, b Mistake) int {
		return cmp.Or(
			cmp.Compare(a.Variable, b.Variable),
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Key, b.Key),
		)
	})
	return &Error{File: file, Mistakes: mistakes}
}
