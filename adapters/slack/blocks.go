package slack

import (
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"elevate/internal/card"
)

// message is a card as Slack takes it: blocks, and the text that notifications
// and screen readers use.
type message struct {
	text   string
	blocks []slack.Block
}

// message draws a card.
func (d drawing) message(c card.Card) message {
	m := message{text: d.fallback(c), blocks: d.blocks(c, maxBlocks)}
	if len(m.blocks) == 0 {
		m.blocks = []slack.Block{section(words(c.Fallback, maxText, ellipsis))}
	}
	return m
}

// fallback is the text of a message. Slack reads mrkdwn in it.
func (d drawing) fallback(c card.Card) string {
	s := c.Fallback
	if strings.TrimSpace(s) == "" {
		s = c.Title
	}
	l := newLine(maxFallback, true)
	if d.sandbox {
		l.words("SANDBOX: ")
	}
	l.words(tidy(s))
	if l.b.Len() == 0 {
		l.words("Elevate")
	}
	return l.b.String()
}

// blocks draws what stands above, the body, and the buttons. Only the body is
// shortened when there are too many blocks; whoever makes sections bounds them.
func (d drawing) blocks(c card.Card, most int) []slack.Block {
	head := slices.Concat(d.mark(), d.header(c), d.mentions(c))
	body := slices.Concat(d.lines(c.Lines), d.facts(c.Facts), d.steps(c.Steps))
	notes := d.notes(c.Notes)
	tail := d.buttons(c.Buttons)
	lists := d.lists(c.Sections)
	if room := most - len(head) - len(tail) - len(notes) - 1; len(lists) > room {
		lists = lists[:max(room, 0)]
	}
	tail = slices.Concat(tail, lists, notes)
	if room := most - len(head) - len(tail); len(body) > room {
		body = append(body[:room-1:room-1], section(plain(ellipsis)))
	}
	return slices.Concat(head, body, tail)
}

// mark says on everything that the sandbox shows that it is one.
func (d drawing) mark() []slack.Block {
	if !d.sandbox {
		return nil
	}
	return []slack.Block{slack.NewContextBlock("", plain(card.SandboxMark))}
}

func (d drawing) header(c card.Card) []slack.Block {
	if strings.TrimSpace(tidy(c.Title)) == "" {
		return nil
	}
	return []slack.Block{slack.NewHeaderBlock(plain(card.Cut(c.Tone.Sign()+tidy(c.Title), maxHeader)))}
}

// mentions calls people. Those of other chats have nothing here to be called by.
func (d drawing) mentions(c card.Card) []slack.Block {
	l := newLine(maxText, true)
	n := 0
	for _, a := range c.Mention {
		if n == maxMentions || !d.ours(a) {
			continue
		}
		if n++; n > 1 {
			l.token(" ")
		}
		d.account(l, a)
	}
	return sections(l.object())
}

func (d drawing) lines(lines []card.Text) []slack.Block {
	var blocks []slack.Block
	for _, t := range lines {
		blocks = append(blocks, sections(d.text(t, maxText))...)
	}
	return blocks
}

// facts draws labels and values in two columns. What is too long for one has
// the whole width, in its place.
func (d drawing) facts(facts []card.Fact) []slack.Block {
	var blocks []slack.Block
	var fields []*slack.TextBlockObject
	flush := func() {
		for some := range slices.Chunk(fields, maxFields) {
			blocks = append(blocks, slack.NewSectionBlock(nil, some, nil))
		}
		fields = nil
	}
	for _, f := range facts {
		o, wide := d.fact(f)
		switch {
		case o == nil:
		case wide:
			flush()
			blocks = append(blocks, section(o))
		default:
			fields = append(fields, o)
		}
	}
	flush()
	return blocks
}

// fact draws one label with its value, and says whether it is wider than a column.
func (d drawing) fact(f card.Fact) (o *slack.TextBlockObject, wide bool) {
	l := newLine(maxField, true)
	d.wrapped(l, "*", literal(card.Cut(tidy(f.Label), maxOption)))
	l.token("\n")
	before := l.left
	d.add(l, f.Value)
	if l.left == before && !l.full {
		l.words("\u2013")
	}
	seen := 0
	for _, s := range f.Value {
		seen += card.Size(s.Typed + s.Plain + s.Strong + s.Code + s.Link.Label)
	}
	return l.object(), seen > maxColumn
}

// steps draws what happened, a line each.
func (d drawing) steps(steps []card.Step) []slack.Block {
	if len(steps) > maxSteps {
		steps = steps[len(steps)-maxSteps:]
	}
	l := newLine(maxText, true)
	for i, s := range steps {
		if i > 0 {
			l.token("\n")
		}
		l.words("\u2022 ")
		d.add(l, s.What)
		if !s.At.IsZero() {
			l.words(" ")
			l.token(d.date(s.At, "{time_secs}", "15:04:05"))
		}
	}
	return sections(l.object())
}

func (d drawing) notes(notes []card.Text) []slack.Block {
	var elements []slack.MixedElement
	for _, t := range notes {
		if o := d.text(t, maxText); o != nil && len(elements) < maxContext {
			elements = append(elements, o)
		}
	}
	if len(elements) == 0 {
		return nil
	}
	return []slack.Block{slack.NewContextBlock("", elements...)}
}

// lists draws sections. One button stands beside its row, several under it.
func (d drawing) lists(all []card.Section) []slack.Block {
	var blocks []slack.Block
	for _, s := range all {
		blocks = append(blocks, slack.NewHeaderBlock(plain(card.Cut(tidy(s.Title), maxHeader))))
		for _, row := range s.Rows {
			o := d.text(row.Text, maxText)
			switch {
			case o == nil:
			case len(row.Buttons) == 1:
				blocks = append(blocks, d.beside(o, row.Buttons[0]))
			default:
				blocks = append(append(blocks, section(o)), d.buttons(row.Buttons)...)
			}
		}
	}
	return blocks
}

func (d drawing) beside(o *slack.TextBlockObject, b card.Button) slack.Block {
	e, ok := d.button(b, 0).(*slack.ButtonBlockElement)
	if !ok {
		return section(o)
	}
	return slack.NewSectionBlock(o, nil, slack.NewAccessory(e))
}

func section(o *slack.TextBlockObject) slack.Block { return slack.NewSectionBlock(o, nil, nil) }

// sections is a section around a text, or none without one.
func sections(o *slack.TextBlockObject) []slack.Block {
	if o == nil {
		return nil
	}
	return []slack.Block{section(o)}
}
