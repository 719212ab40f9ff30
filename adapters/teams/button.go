package teams

import (
	"encoding/json"
	"slices"
	"strconv"

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
	// Form is the name of the form that was filled in.
	Form string `json:"f,omitempty"`
	// Input is the id of the field beside a button; ids are unique in a card.
	Input string `json:"i,omitempty"`
	// Of is "card" on a card that is about this one request.
	Of string `json:"k,omitempty"`
	// Code says that the bot drew such a card for the conversation.
	Code string `json:"m,omitempty"`
}

// data are a token's members as they lie beside the inputs.
func (t token) data() element {
	raw, err := json.Marshal(t)
	var members element
	if err != nil || json.Unmarshal(raw, &members) != nil {
		return nil // unreachable: a struct of strings
	}
	return members
}

const ofCard = "card"

// filled is what came back: a token, and the fields' values by their ids.
type filled struct {
	token
	// OfCard is set when it came from a card that is about this one request.
	OfCard bool
	values map[string]string
}

// readFilled reads what came back; values that are no text are left out.
func readFilled(raw json.RawMessage) filled {
	f := filled{values: map[string]string{}}
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return f
	}
	for name, value := range members {
		var text string
		if json.Unmarshal(value, &text) == nil {
			f.values[name] = text
		}
	}
	f.token = token{
		Act: card.Act(f.values["a"]), Request: pim.ParseRequestID(f.values["r"]), Digest: f.values["d"], Role: f.values["o"],
		Form: f.values["f"], Input: f.values["i"], Of: f.values["k"], Code: f.values["m"],
	}
	f.OfCard = f.Of == ofCard && f.Request != ""
	return f
}

// reason is what stands in the field beside the button.
func (f filled) reason() string {
	if f.Input == "" {
		return ""
	}
	return f.values[f.Input]
}

// personalAct reports whether a button is only for some of those who see a shared card.
func personalAct(a card.Act) bool {
	return a.Decides() || a == card.Cancel || a == card.Release
}

// buttons draws a row of buttons. On a card that others see too, those that are
// for some of them only are in their own views, which Refresh shows.
func (d drawing) buttons(c card.Card) []element {
	var actions []element
	hidden, refresh := false, false
	for i, b := range c.Buttons {
		if d.shared && personalAct(b.Act) {
			hidden = true
			continue
		}
		refresh = refresh || b.Act == card.Refresh
		if a := d.action(c, b, i); a != nil {
			actions = append(actions, a)
		}
	}
	if hidden && !refresh {
		actions = append(actions, execute("Refresh", d.bind(token{Act: card.Refresh, Request: c.Request}), ""))
	}
	var rows []element
	for row := range slices.Chunk(actions, maxRow) {
		rows = append(rows, element{"type": "ActionSet", "actions": row})
	}
	return rows
}

// maxRow is how many buttons stand in a row: six are shown, but no more fit, and
// pairs stay together.
const maxRow = 4

// action draws one button, or none when its address is none for a browser.
func (d drawing) action(c card.Card, b card.Button, i int) element {
	t := token{Act: b.Act, Request: b.Request, Digest: b.Digest, Role: b.Role}
	if c.Request != "" && b.Request == c.Request {
		t = d.bind(t)
	}
	label := card.Tidy(b.Label, maxLabel)
	switch {
	case b.Act.Leads():
		if !card.Browsable(b.URL) {
			return nil
		}
		return styled(element{"type": "Action.OpenUrl", "title": label, "url": b.URL}, b.Style)
	case b.Act == card.ApproveWithReason:
		return nil // Approve asks for it beside its confirmation
	case b.Act == card.Approve || b.Act == card.Deny || b.Act == card.Review || b.Confirm != nil:
		return d.unfolding(b, t, label, i)
	}
	return execute(label, t, b.Style)
}

// unfolding is a button that shows what it will do, with a field for the reason
// where one can be given, and does it at the second click.
func (d drawing) unfolding(b card.Button, t token, label string, i int) element {
	var body []element
	yes := label
	if b.Confirm != nil {
		body = append(body, d.texts(card.Typed(card.Cut(b.Confirm.Text, maxTitle)))...)
		yes = card.Tidy(b.Confirm.Yes, maxLabel)
	}
	if b.Act == card.Approve || b.Act == card.Deny || b.Act == card.Review {
		t.Input = "reason." + strconv.Itoa(i)
		field := card.Field{Name: t.Input, Label: "Reason", Optional: b.Act == card.Approve, Long: true, Max: pim.MaxReason}
		field.Hint = "The requester reads it, PIM keeps it."
		switch b.Act { //nolint:exhaustive // those with a field
		case card.Deny:
			yes = "Deny"
		case card.Review:
			yes, field.Label, field.Hint = "Close the review", "Note", card.NoteHint
		}
		body = append(body, input(field)...)
	}
	inner := adaptiveCard(append(body, element{"type": "ActionSet", "actions": []element{execute(yes, t, b.Style)}}))
	delete(inner, "$schema")
	return styled(element{"type": "Action.ShowCard", "title": label, "card": inner}, b.Style)
}

const maxLabel = 60

// execute is a button whose click comes back, with the older kind of button for
// clients that do not know it.
func execute(title string, t token, style card.Style) element {
	verb := string(t.Act)
	if t.Form != "" {
		verb = "form"
	}
	submit := styled(element{"type": "Action.Submit", "title": title, "data": t.data()}, style)
	return styled(element{"type": "Action.Execute", "title": title, "verb": verb, "data": t.data(), "fallback": submit}, style)
}

func styled(e element, style card.Style) element {
	switch style {
	case card.Primary:
		e["style"] = "positive"
	case card.Danger:
		e["style"] = "destructive"
	case card.Default:
	}
	return e
}
