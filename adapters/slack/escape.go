package slack

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/slack-go/slack/slackutilsx"
)

// maxMarks is how many accents a letter may carry. Written languages need fewer;
// more of them paint over the lines above and below.
const maxMarks = 4

// tidy makes a person's words one visible line: no line breaks that could look
// like lines of ours, no characters that are not seen, no marks that turn the
// direction of the text, no towers of accents.
func tidy(s string) string {
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
	return isolate(cut(b.String(), maxTyped))
}

// visible drops the characters that are not seen from our own words, which may
// hold a name of the directory's; their lines stay.
func visible(s string) string {
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

// lookalikes stand for the characters that format mrkdwn. There is no escape
// for them in Slack's markup.
var lookalikes = map[rune]rune{'*': '\u2217', '~': '\u223C', '`': '\u02CB', '_': '\u02CD', ':': '\u2236', '>': '\u203A'}

// literal makes words show in mrkdwn as they are, without formatting, emoji or
// quotes. What Slack escapes itself (&, <, >) is left to the caller.
func literal(s string) string {
	runes := []rune(s)
	for i, r := range runes {
		if formats(runes, i) {
			runes[i] = lookalikes[r]
		}
	}
	return string(runes)
}

// formats reports whether the character at i could begin or end some
// formatting. It looks at the characters after i only as they were written:
// a replaced character never helps another one to format.
func formats(runes []rune, i int) bool {
	switch runes[i] {
	case '*', '~', '`':
		return true
	case '_':
		return i == 0 || i == len(runes)-1 || !wordly(runes[i-1]) || !wordly(runes[i+1])
	case ':':
		return namesEmoji(runes[i+1:])
	case '>':
		return i == 0 || runes[i-1] == '\n' || runes[i-1] == '\u203A'
	}
	return false
}

func wordly(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// namesEmoji reports whether rest begins with a name and a colon.
func namesEmoji(rest []rune) bool {
	for i, r := range rest {
		if r == ':' {
			return i > 0
		}
		if !wordly(r) && !strings.ContainsRune("_+-'", r) {
			return false
		}
	}
	return false
}

// code makes words fit between two backticks.
func code(s string) string {
	return strings.ReplaceAll(tidy(s), "`", "\u02CB")
}

// escape is Slack's own escaping of &, < and >.
func escape(s string) string { return slackutilsx.EscapeMessage(s) }
