package slack

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/slack-go/slack"

	"elevate/internal/card"
	"elevate/internal/pim"
)

// token is what travels with a button or a form and comes back as untrusted
// input: ids to look up, never anything that is believed.
type token struct {
	Act     card.Act      `json:"a,omitempty"`
	Request pim.RequestID `json:"r,omitempty"`
	Digest  string        `json:"d,omitempty"`
	Role    string        `json:"o,omitempty"`
	// Channel is where a form was asked for, so that the answer can be given there.
	Channel string `json:"c,omitempty"`
}

func (t token) String() string {
	// A struct of strings always marshals.
	raw, _ := json.Marshal(t)
	return string(raw)
}

// readToken reads a token that came back; anything else is an empty one.
func readToken(s string) token {
	var t token
	if len(s) > maxMetadata || json.Unmarshal([]byte(s), &t) != nil {
		return token{}
	}
	return t
}

// buttons draws rows of buttons.
func (d drawing) buttons(buttons []card.Button) []slack.Block {
	var elements []slack.BlockElement
	for i, b := range buttons {
		if e := d.button(b, i); e != nil && len(elements) < maxRow*maxRows {
			elements = append(elements, e)
		}
	}
	var rows []slack.Block
	for row := range slices.Chunk(elements, maxRow) {
		rows = append(rows, slack.NewActionBlock("", row...))
	}
	return rows
}

// button draws one button, or none when what has to travel with it is too
// long: a cut id or address would be another one.
func (d drawing) button(b card.Button, i int) slack.BlockElement {
	t := token{Act: b.Act, Request: b.Request, Digest: b.Digest, Role: b.Role}
	if !fits(t.String(), maxValue) || b.Act.Leads() && !card.Browsable(b.URL) {
		return nil
	}
	e := slack.NewButtonBlockElement(actionID(b.Act, i), t.String(), words(b.Label, maxButton, ellipsis))
	if b.Act.Leads() {
		e.URL = b.URL
	}
	switch b.Style {
	case card.Primary:
		e.Style = slack.StylePrimary
	case card.Danger:
		e.Style = slack.StyleDanger
	case card.Default:
	}
	if b.Confirm != nil {
		e.Confirm = confirmation(*b.Confirm, e.Style)
	}
	return e
}

// actionID is unique in its block.
func actionID(a card.Act, i int) string {
	return card.Cut("elevate."+string(a), maxBlockID-8) + "." + strconv.Itoa(i)
}

func confirmation(c card.Confirm, style slack.Style) *slack.ConfirmationBlockObject {
	o := slack.NewConfirmationBlockObject(
		words(c.Title, maxConfirmTitle, "Are you sure?"), words(c.Text, maxConfirmText, ellipsis),
		words(c.Yes, maxConfirmYesNo, "Yes"), words(c.No, maxConfirmYesNo, "No"),
	)
	o.Style = style
	return o
}
