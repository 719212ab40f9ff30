package teams

import (
	"encoding/json"
	"slices"

	"elevate/internal/card"
)

// form draws a form as a card. Values are what was filled in before, and errors
// what was wrong with it, by field. Where it would be too long, roles are offered
// by the names that commands have for them. False when it is too long even so.
func (d drawing) form(f card.Form, values, errors map[string]string) (element, bool) {
	for _, f := range []card.Form{f, byName(f)} {
		drawn := d.wholeForm(f, values, errors)
		if raw, err := json.Marshal(drawn); err == nil && len(raw) <= maxCard {
			return drawn, true
		}
	}
	return nil, false
}

// byName is a form whose roles have no titles.
func byName(f card.Form) card.Form {
	f.Fields = slices.Clone(f.Fields)
	for i := range f.Fields {
		if f.Fields[i].Name != card.FieldRole {
			continue
		}
		f.Fields[i].Options = slices.Clone(f.Fields[i].Options)
		for n, o := range f.Fields[i].Options {
			f.Fields[i].Options[n].Label = o.Value
		}
	}
	return f
}

// insteadOf is what is said in the place of a form that Teams would not take.
func insteadOf(f card.Form) string {
	command := "`/elevate ROLE REASON`; `/elevate roles` lists your roles"
	switch f.Name {
	case card.FormApprove:
		command = "`/elevate approve " + string(f.Request) + " REASON`"
	case card.FormDeny:
		command = "`/elevate deny " + string(f.Request) + " REASON`"
	case card.FormReview:
		command = "`/elevate review " + string(f.Request) + " NOTE`"
	}
	return "That form is too long for Teams. Type " + command + "."
}

func (d drawing) wholeForm(f card.Form, values, errors map[string]string) element {
	body := d.mark()
	body = append(body, d.header(card.Card{Title: f.Title})...)
	for _, t := range f.Lines {
		body = append(body, d.texts(t)...)
	}
	if said := errors[""]; said != "" {
		body = append(body, wrong(said))
	}
	for _, field := range f.Fields {
		if value, typed := values[field.Name]; typed {
			field.Value = value
		}
		body = append(body, input(field)...)
		if said := errors[field.Name]; said != "" {
			body = append(body, wrong(said))
		}
	}
	t := token{Form: f.Name, Request: f.Request, Digest: f.Digest}
	body = append(body, element{"type": "ActionSet", "actions": []element{execute(f.Submit, t, card.Primary)}})
	drawn := adaptiveCard(body)
	drawn["fallbackText"] = f.Title
	return drawn
}

// wrong says what is wrong with the field above.
func wrong(said string) element {
	return element{"type": "RichTextBlock", "spacing": "Small", "inlines": []element{with(run(card.Tidy(said, maxTyped)), "color", "Attention")}}
}

// maxInput is the most a field takes where its own limit is not said.
const maxInput = 3000

// input draws one field. Its id is the field's name. The hint stands under a
// field with choices, which has no room for it inside.
func input(f card.Field) []element {
	e := element{"id": f.Name, "label": f.Label, "isRequired": !f.Optional}
	if !f.Optional {
		e["errorMessage"] = "Fill in: " + f.Label + "."
	}
	if len(f.Options) == 0 {
		e["type"], e["isMultiline"], e["maxLength"] = "Input.Text", f.Long, maxInput
		if f.Max > 0 {
			e["maxLength"] = f.Max
		}
		if f.Value != "" {
			e["value"] = f.Value
		}
		if f.Hint != "" {
			e["placeholder"] = f.Hint
		}
		return []element{e}
	}
	e["type"], e["style"] = "Input.ChoiceSet", "compact"
	var choices []element
	for _, o := range f.Options {
		choices = append(choices, element{"title": card.Tidy(o.Label, maxTyped), "value": o.Value})
		if o.Value == f.Value {
			e["value"] = f.Value
		}
	}
	e["choices"] = choices
	if f.Hint == "" {
		return []element{e}
	}
	hint := element{"type": "TextBlock", "text": literal(f.Hint), "wrap": true, "spacing": "None"}
	small(hint)
	return []element{e, hint}
}
