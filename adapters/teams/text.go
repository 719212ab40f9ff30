package teams

import (
	"strings"
	"time"

	"elevate/internal/card"
)

// maxTyped keeps one person's words from pushing ours out of a card.
const maxTyped = 1000

// element is a part of an Adaptive Card. A map writes its members in one order.
type element map[string]any

// drawing turns cards and forms into Adaptive Cards.
type drawing struct {
	sandbox bool
	codes   Codes
	now     time.Time
	// at is the conversation a card is drawn for; "" where that is not known yet.
	at string
	// zone is the time zone of the one person who sees the card; nil where many do.
	zone *time.Location
	// stays is set for a message that may be read later, where the person is in another
	// zone: what the client can write in its own, it does.
	stays bool
	// shared is set where others see the card too.
	shared bool
}

// texts draws a text, an element for each of its lines. Runs of a RichTextBlock
// are not looked into by any client, so what people typed stays as it is. Where a
// time stands among our own words alone, a TextBlock has the client write it in
// the viewer's zone.
func (d drawing) texts(t card.Text) []element {
	var drawn []element
	for i, line := range linesOf(t) {
		e := d.line(line)
		if e == nil {
			continue
		}
		if i > 0 && len(drawn) > 0 {
			e["spacing"] = "None"
		}
		drawn = append(drawn, e)
	}
	return drawn
}

// linesOf breaks a text at the line ends of our own words.
func linesOf(t card.Text) []card.Text {
	lines := []card.Text{nil}
	for _, s := range t {
		if s.Plain == "" {
			lines[len(lines)-1] = append(lines[len(lines)-1], s)
			continue
		}
		for i, part := range strings.Split(s.Plain, "\n") {
			if i > 0 {
				lines = append(lines, nil)
			}
			if part != "" {
				lines[len(lines)-1] = append(lines[len(lines)-1], card.Span{Plain: part})
			}
		}
	}
	return lines
}

func (d drawing) line(t card.Text) element {
	if (d.zone == nil || d.stays) && timed(t) {
		return element{"type": "TextBlock", "text": d.functions(t), "wrap": true}
	}
	var runs []element
	for _, s := range t {
		if run := d.run(s); run != nil {
			runs = append(runs, run)
		}
	}
	if len(runs) == 0 {
		return nil
	}
	return element{"type": "RichTextBlock", "inlines": runs}
}

// timed reports a text that holds a time and otherwise only our own words.
func timed(t card.Text) bool {
	has := false
	for _, s := range t {
		if !s.Time.IsZero() {
			has = true
			continue
		}
		if s.Plain == "" {
			return false
		}
	}
	return has
}

// functions is a text in which the client writes the times.
// https://learn.microsoft.com/adaptive-cards/authoring-cards/text-features
func (d drawing) functions(t card.Text) string {
	var b strings.Builder
	for _, s := range t {
		if s.Time.IsZero() {
			b.WriteString(literal(card.Visible(s.Plain)))
			continue
		}
		at := s.Time.UTC().Format("2006-01-02T15:04:05Z")
		if d.far(s.Time) {
			b.WriteString("{{DATE(" + at + ", SHORT)}} ")
		}
		b.WriteString("{{TIME(" + at + ")}}")
	}
	return b.String()
}

// lookalikes stand for the characters that format Markdown: not every client
// knows an escape for them.
var lookalikes = strings.NewReplacer("*", "\u2217", "_", "\u02CD", "`", "\u02CB", "~", "\u223C", "[", "\uFF3B", "]", "\uFF3D", "{{", "{ {")

func literal(s string) string { return lookalikes.Replace(s) }

// far reports a time whose day has to be said.
func (d drawing) far(t time.Time) bool { return t.Sub(d.now).Abs() > 12*time.Hour }

// clock is a time as words: in the person's zone, or in UTC where many read it.
func (d drawing) clock(t time.Time) string {
	zone := d.zone
	if zone == nil {
		zone = time.UTC
	}
	layout := "15:04"
	if d.far(t) {
		layout = "2006-01-02 15:04"
	}
	if zone == time.UTC {
		layout += " UTC"
	}
	return t.In(zone).Format(layout)
}

func (d drawing) run(s card.Span) element {
	switch {
	case s.Typed != "":
		return run(card.Tidy(s.Typed, maxTyped))
	case s.Plain != "":
		return run(card.Visible(s.Plain))
	case s.Strong != "":
		return with(run(card.Tidy(s.Strong, maxTyped)), "weight", "Bolder")
	case s.Code != "":
		return with(run(card.Tidy(s.Code, maxTyped)), "fontType", "Monospace")
	case !s.Time.IsZero():
		return run(d.clock(s.Time))
	case !s.Account.IsZero():
		return run("an account of another chat")
	case s.Link.URL != "":
		return link(s.Link)
	}
	return nil
}

// run is a piece of text. The functions for times are the one thing that some
// clients carry out in it.
func run(s string) element {
	if s == "" {
		return nil
	}
	return element{"type": "TextRun", "text": strings.ReplaceAll(s, "{{", "{\u2060{")}
}

func with(e element, name string, value any) element {
	if e != nil {
		e[name] = value
	}
	return e
}

// link is one of our own addresses, or its label alone when it is none that a
// browser should be sent to.
func link(to card.Link) element {
	label := card.Tidy(to.Label, maxTyped)
	if label == "" {
		label = to.URL
	}
	e := run(label)
	if card.Browsable(to.URL) {
		with(e, "selectAction", element{"type": "Action.OpenUrl", "url": to.URL})
	}
	return e
}
