package slack

import (
	"strings"
	"unicode"

	"github.com/slack-go/slack/slackutilsx"

	"elevate/internal/card"
)

// tidy makes a person's words one visible line.
func tidy(s string) string { return card.Tidy(s, maxTyped) }

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
