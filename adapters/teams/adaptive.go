package teams

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/infracloudio/msbotbuilder-go/schema"

	"elevate/internal/card"
	"elevate/internal/pim"
)

const (
	cardType    = "application/vnd.microsoft.card.adaptive"
	cardVersion = "1.5"
	// maxCard is what a card's JSON may have; Teams refuses somewhere above 28 KB.
	maxCard = 25 << 10
	// maxViews is how many people may have a view of their own.
	// https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/universal-actions-for-adaptive-cards/user-specific-views
	maxViews = 60
	maxSteps = 30
	maxTitle = 300
)

var styles = map[card.Tone]string{card.Waiting: "warning", card.Good: "good", card.Bad: "attention", card.Alarm: "attention"}

// adaptive draws a card. views are the chat's own ids of those who get a view of
// their own. A card that is too long loses the end of what makes it long, and
// with it the buttons that decide: nobody decides on what they do not see.
func (d drawing) adaptive(c card.Card, views []string) (element, error) {
	undecidable := false
	for {
		shown := c
		if undecidable {
			shown.Lines = append(slices.Clone(c.Lines), tooLongToDecide)
		}
		drawn := d.whole(shown, views)
		raw, err := json.Marshal(drawn)
		if err != nil {
			return nil, fmt.Errorf("drawing a card: %w", err)
		}
		if len(raw) <= maxCard {
			return drawn, nil
		}
		if !shorten(&c) {
			return nil, pim.Errorf(pim.Internal, "A card was too long for Teams.")
		}
		if d.shared {
			continue // its buttons that decide are in people's own views
		}
		left := slices.DeleteFunc(slices.Clone(c.Buttons), func(b card.Button) bool { return b.Act.Decides() })
		undecidable = undecidable || len(left) < len(c.Buttons)
		c.Buttons = left
	}
}

var tooLongToDecide = card.Plain("This card is longer than Teams can show, so it cannot be decided here. Decide it in PIM.")

var notAllListed = card.Text{
	{Plain: "Not everything fits here: "}, {Code: "roles"}, {Plain: ", "}, {Code: "approvals"}, {Plain: " and "}, {Code: "who"}, {Plain: " list it."},
}

// shorten takes a part of a card away, what matters least first, and says
// whether there was any. What it does not touch fits.
func shorten(c *card.Card) bool {
	switch {
	case len(c.Sections) > 0:
		c.Sections = c.Sections[:len(c.Sections)-1] // whole, with the buttons of its rows
		c.Notes = []card.Text{notAllListed}
	case len(c.Lines) > 1:
		c.Lines = append(slices.Clone(c.Lines[:len(c.Lines)/2]), card.Plain(card.Ellipsis))
		if len(c.Lines) == 2 {
			c.Lines = c.Lines[:1]
		}
	case len(c.Steps) > 1:
		c.Steps = c.Steps[len(c.Steps)-len(c.Steps)/2:]
	case len(c.Facts) > 1:
		c.Facts = c.Facts[:len(c.Facts)-len(c.Facts)/4-1]
	case len(c.Notes) > 0:
		c.Notes = nil
	case len(c.Buttons) > 1:
		c.Buttons = c.Buttons[:len(c.Buttons)/2]
	default:
		return false
	}
	return true
}

func (d drawing) whole(c card.Card, views []string) element {
	calls, called := mentions(c)
	body := slices.Concat(d.mark(), d.header(c), calls)
	for _, t := range c.Lines {
		body = append(body, d.texts(t)...)
	}
	body = slices.Concat(body, d.facts(c.Facts), d.steps(c.Steps), d.buttons(c), d.sections(c), d.notes(c.Notes))
	if len(body) == 0 {
		body = append(body, element{"type": "RichTextBlock", "inlines": []element{run(orElse(c.Fallback, card.Ellipsis))}})
	}
	drawn := adaptiveCard(body)
	if len(called) > 0 {
		drawn["msteams"] = element{"entities": called}
	}
	drawn["fallbackText"] = card.Tidy(orElse(c.Fallback, c.Title), maxTitle)
	if d.shared && c.Request != "" && len(views) > 0 {
		drawn["refresh"] = element{
			"action":  execute("Refresh", d.bind(token{Act: card.Refresh, Request: c.Request}), ""),
			"userIds": views[:min(len(views), maxViews)],
		}
	}
	return drawn
}

func adaptiveCard(body []element) element {
	return element{
		"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": cardVersion, "body": body,
	}
}

func orElse(s, otherwise string) string {
	if strings.TrimSpace(s) == "" {
		return otherwise
	}
	return s
}

// mark says on everything that the sandbox shows that it is one.
func (d drawing) mark() []element {
	if !d.sandbox {
		return nil
	}
	return []element{{"type": "TextBlock", "text": card.SandboxMark, "isSubtle": true, "size": "Small", "wrap": true}}
}

func (d drawing) header(c card.Card) []element {
	title := card.Tidy(c.Title, maxTitle)
	if title == "" {
		return nil
	}
	e := element{"type": "RichTextBlock", "inlines": []element{
		with(with(run(c.Tone.Sign()+title), "weight", "Bolder"), "size", "Medium"),
	}}
	style, coloured := styles[c.Tone]
	if !coloured {
		return []element{e}
	}
	return []element{{"type": "Container", "style": style, "bleed": true, "items": []element{e}}}
}

// facts draws labels and values beside each other.
func (d drawing) facts(facts []card.Fact) []element {
	var drawn []element
	for i, f := range facts {
		value := d.texts(f.Value)
		if len(value) == 0 {
			value = []element{{"type": "RichTextBlock", "inlines": []element{run("\u2013")}}}
		}
		label := element{"type": "RichTextBlock", "inlines": []element{with(run(card.Tidy(f.Label, maxLabel)), "isSubtle", true)}}
		row := columns(column("1", []element{label}), column("3", value))
		if i > 0 {
			row["spacing"] = "Small"
		}
		drawn = append(drawn, row)
	}
	return drawn
}

func columns(some ...element) element { return element{"type": "ColumnSet", "columns": some} }

func column(width string, items []element) element {
	return element{"type": "Column", "width": width, "items": items}
}

// steps draws what happened, with the time of each in the viewer's zone.
func (d drawing) steps(steps []card.Step) []element {
	if len(steps) > maxSteps {
		steps = steps[len(steps)-maxSteps:]
	}
	var drawn []element
	for i, s := range steps {
		what := d.texts(card.Join(card.Plain("\u2022 "), s.What))
		row := columns(column("stretch", what))
		if !s.At.IsZero() {
			row = columns(column("stretch", what), column("auto", d.texts(card.At(s.At))))
		}
		row["spacing"] = "Small"
		if i == 0 {
			row["spacing"], row["separator"] = "Medium", true
		}
		drawn = append(drawn, row)
	}
	return drawn
}

func (d drawing) notes(notes []card.Text) []element {
	var drawn []element
	for _, t := range notes {
		for _, e := range d.texts(t) {
			small(e)
			drawn = append(drawn, e)
		}
	}
	return drawn
}

// small makes a text small print.
func small(e element) {
	runs, rich := e["inlines"].([]element)
	if !rich {
		e["size"], e["isSubtle"] = "Small", true
		return
	}
	for _, r := range runs {
		r["size"], r["isSubtle"] = "Small", true
	}
}

// sections draws lists, each row with its buttons under it. They are of answers
// to one person: where others see a card, nobody's buttons are on it.
func (d drawing) sections(c card.Card) []element {
	var drawn []element
	nth := len(c.Buttons) // the ids of fields are unique in a card
	for _, s := range c.Sections {
		title := element{"type": "RichTextBlock", "inlines": []element{with(run(card.Tidy(s.Title, maxTitle)), "weight", "Bolder")}}
		title["separator"], title["spacing"] = true, "Medium"
		drawn = append(drawn, title)
		for _, row := range s.Rows {
			drawn = append(drawn, d.texts(row.Text)...)
			var actions []element
			for _, b := range row.Buttons {
				if a := d.action(c, b, nth); a != nil && (!d.shared || !personalAct(b.Act)) {
					actions = append(actions, a)
				}
				nth++
			}
			if len(actions) > 0 {
				drawn = append(drawn, element{"type": "ActionSet", "actions": actions})
			}
		}
	}
	return drawn
}

// attachment is a card as an activity carries it.
func attachment(drawn element) schema.Attachment {
	return schema.Attachment{ContentType: cardType, Content: drawn}
}
