package slack

import (
	"unicode/utf8"

	"elevate/internal/card"
)

// The limits of Block Kit, from https://docs.slack.dev/reference/block-kit and
// https://docs.slack.dev/reference/views. slack-go checks none of those that
// are used here, and Slack refuses a whole message for one character too many.
const (
	maxBlocks       = 50
	maxText         = 3000
	maxHeader       = 150
	maxFields       = 10
	maxField        = 2000
	maxContext      = 10
	maxRow          = 4 // 25 would be allowed, but no more fit a line, and pairs stay together
	maxRows         = 5
	maxButton       = 75
	maxValue        = 2000
	maxConfirmTitle = 100
	maxConfirmText  = 300
	maxConfirmYesNo = 30
	maxViewTitle    = 24
	maxViewBlocks   = 100
	maxMetadata     = 3000
	maxLabel        = 2000
	maxOptions      = 100
	maxOption       = 75
	maxInput        = 3000
	maxBlockID      = 255
	maxColumn       = 120 // what is longer reads badly in a column
	maxMentions     = 20
	maxSteps        = 30
	// maxTyped keeps one person's words from pushing ours out of a text.
	maxTyped = 1000
	// maxFallback stays well below the 4,000 at which chat.update refuses.
	maxFallback = 2900
)

const ellipsis = card.Ellipsis

// fits says whether an opaque value may be used as it is; it is never cut.
func fits(s string, most int) bool {
	return s != "" && utf8.ValidString(s) && card.Size(s) <= most
}
