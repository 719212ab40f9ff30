package card

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Ellipsis stands where words were cut.
const Ellipsis = "\u2026"

// maxMarks is how many accents a letter may carry. Written languages need fewer;
// more of them paint over the lines above and below.
const maxMarks = 4

// Tidy makes a person's words one visible line: no line breaks that could look
// like lines of ours, no characters that are not seen, no marks that turn the
// direction of the text, no towers of accents. What is longer than most is cut.
func Tidy(s string, most int) string {
	var b strings.Builder
	gap, marks := false, 0
	for _, r := range s {
		if marks++; !unicode.In(r, unicode.Mn, unicode.Me) {
			marks = 0
		}
		switch {
		case r == utf8.RuneError || hidden(r) || marks > maxMarks:
			continue
		case unicode.IsSpace(r) || unicode.IsControl(r):
			gap = true
			continue
		}
		if gap && b.Len() > 0 {
			b.WriteByte(' ')
		}
		gap = false
		b.WriteRune(r)
	}
	return isolate(Cut(b.String(), most))
}

// Visible drops the characters that are not seen from our own words, which may
// hold a name of the directory's; their lines stay.
func Visible(s string) string {
	return strings.Map(func(r rune) rune {
		if hidden(r) {
			return -1
		}
		return r
	}, s)
}

// hidden reports characters without a shape of their own: format characters
// (zero-width, directional, tags), variation selectors except the two that
// emoji use, and the blanks that are letters by their category.
func hidden(r rune) bool {
	switch r {
	case '\u034F', '\u115F', '\u1160', '\u17B4', '\u17B5', '\u2800', '\u3164', '\uFFA0':
		return true
	case '\uFE0E', '\uFE0F':
		return false
	}
	return unicode.In(r, unicode.Cf, unicode.Variation_Selector)
}

// isolate keeps words that run from right to left from reordering the rest of
// their line.
func isolate(s string) string {
	if !strings.ContainsFunc(s, rightToLeft) {
		return s
	}
	const firstStrongIsolate, popIsolate = "\u2068", "\u2069"
	return firstStrongIsolate + s + popIsolate
}

// rightToLeft reports the areas that Unicode reserves for scripts written from
// right to left.
func rightToLeft(r rune) bool {
	return r >= 0x0590 && r <= 0x08FF || r >= 0xFB1D && r <= 0xFDFF || r >= 0xFE70 && r <= 0xFEFC ||
		r >= 0x10800 && r <= 0x10FFF || r >= 0x1E800 && r <= 0x1EFFF
}

// Size counts as the chats' clients do, in UTF-16 units, which is never less
// than the number of characters.
func Size(s string) int {
	n := 0
	for _, r := range s {
		n += width(r)
	}
	return n
}

func width(r rune) int {
	if r > 0xFFFF {
		return 2
	}
	return 1
}

// Cut shortens a text to a limit at the border of a character, and says so.
func Cut(s string, most int) string {
	if len(s) <= most || Size(s) <= most {
		return s
	}
	used := Size(Ellipsis)
	for i, r := range s {
		if used+width(r) > most {
			return s[:i] + Ellipsis
		}
		used += width(r)
	}
	return s
}
