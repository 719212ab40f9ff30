package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"elevate/internal/pim"
)

// demoPrinter prints scenes as people see them, or one JSON object a line.
type demoPrinter struct {
	out  io.Writer
	json bool
}

// demoLine is a scene for programs.
type demoLine struct {
	Actor   string        `json:"actor"`
	Chat    pim.Chat      `json:"chat"`
	Action  string        `json:"action"`
	Request pim.RequestID `json:"request"`
	State   pim.State     `json:"state"` // the request's after it
	Refused bool          `json:"refused"`
	Text    string        `json:"text"`
	MS      int64         `json:"ms"`
}

func (p demoPrinter) print(number int, s scenePlayed) error {
	if p.json {
		return json.NewEncoder(p.out).Encode(demoLine{
			Actor: s.actor, Chat: s.chat, Action: s.action, Request: s.request.ID, State: s.request.State,
			Refused: s.refused, Text: s.text, MS: s.took.Milliseconds(),
		})
	}
	_, err := fmt.Fprintf(p.out, "\n%d. %s\n\n   %s in %s: %s\n\n%s\n\n   Request %s is %s. %d ms.\n",
		number, s.title, s.actor, s.chat.Title(), s.does, framed(s.text), s.request.ID, s.request.State.Phrase(), s.took.Milliseconds())
	return err
}

// framed draws a line at the left of what somebody sees.
func framed(text string) string {
	var lines []string
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		lines = append(lines, strings.TrimRight("   │ "+line, " "))
	}
	return strings.Join(lines, "\n")
}
