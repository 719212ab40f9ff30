package pim

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// invisible are the characters that show nothing or turn the text around them:
// zero-width and bidirectional characters, fillers, variation selectors.
var invisible = []*unicode.RangeTable{
	unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector,
}

// brailleBlank is a symbol without ink.
const brailleBlank = '\u2800'

// Tidy returns a typed text as it is judged, stored, shown and sent: invisible
// characters are taken out, and each run of spaces, line ends and control
// characters becomes one space. So approver and PIM read the same.
func Tidy(text string) string {
	visible := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r):
			return ' '
		case r == brailleBlank || unicode.In(r, invisible...):
			return -1
		}
		return r
	}, text)
	return strings.Join(strings.Fields(visible), " ")
}

// CheckReason says what is wrong with a reason that has to be given, for an
// activation or for a decision, or nil.
func CheckReason(reason string) error {
	if Tidy(reason) == "" {
		return Errorf(Invalid, "Give a reason: PIM keeps it with the decision.")
	}
	return checkText(reason)
}

// checkText judges a reason that may also be empty.
func checkText(reason string) error {
	text := Tidy(reason)
	switch n := utf8.RuneCountInString(text); {
	case n > MaxReason:
		return Errorf(Invalid, "The reason has %d characters, at most %d fit. Shorten it.", n, MaxReason)
	case HasMark(text):
		return Errorf(Invalid, "A reason cannot hold “[elevate …”: Elevate marks its own requests with it. Leave it out.")
	}
	return nil
}
