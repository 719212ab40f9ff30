package simteams

import (
	"regexp"
	"strings"
	"time"
)

var (
	escapes  = regexp.MustCompile("\\\\([\\\\`*_{}\\[\\]()#+.!|~-])")
	linkMark = regexp.MustCompile(`\[([^\[\]]+)\]\((https?://[^()\s]+|mailto:[^()\s]+)\)`)
	bold     = regexp.MustCompile(`\*\*([^*]+)\*\*|__([^_]+)__`)
	italic   = regexp.MustCompile(`(^|\W)(?:\*([^*\s][^*]*)\*|_([^_\s][^_]*)_)`)
)

// shelter stands for an escaped character while marks are read.
const shelter = 0xE000

// marked reads the Markdown that clients of Teams know: links, bold, italic, and escapes.
func (d *drawing) marked(s string) string {
	s = escapes.ReplaceAllStringFunc(s, func(m string) string { return string(shelter + rune(m[1])) })
	s = linkMark.ReplaceAllStringFunc(s, func(m string) string {
		part := linkMark.FindStringSubmatch(m)
		address := unsheltered(part[2])
		d.links = append(d.links, address)
		return part[1] + " (" + address + ")"
	})
	s = bold.ReplaceAllString(s, "$1$2")
	s = italic.ReplaceAllString(s, "$1$2$3")
	return unsheltered(s)
}

func unsheltered(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= shelter && r < shelter+0x80 {
			return r - shelter
		}
		return r
	}, s)
}

var timeFunction = regexp.MustCompile(`\{\{(DATE|TIME)\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:Z|[+-]\d{2}:\d{2}))(?:, ?(COMPACT|SHORT|LONG))?\)\}\}`)

// times writes the times of a TextBlock in the reader's zone. What is not exactly of the form stays as it is.
// https://learn.microsoft.com/adaptive-cards/authoring-cards/text-features#datetime-example
func (d *drawing) times(s string) string {
	return timeFunction.ReplaceAllStringFunc(s, func(m string) string {
		part := timeFunction.FindStringSubmatch(m)
		at, err := time.Parse(time.RFC3339, part[2])
		if err != nil || part[1] == "TIME" && part[3] != "" {
			return m
		}
		layout := "3:04 PM"
		if part[1] == "DATE" {
			layout = map[string]string{"": "1/2/2006", "COMPACT": "1/2/2006", "SHORT": "Mon, Jan 2, 2006", "LONG": "Monday, January 2, 2006"}[part[3]]
		}
		return at.In(d.reader.zone()).Format(layout)
	})
}
