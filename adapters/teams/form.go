package teams

import (
	"elevate/internal/card"
)

// form draws a form as a card. Values are what was filled in before, and errors
// what was wrong with it, by field.
func (d drawing) form(f card.Form, values, errors map[string]string) element {
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
