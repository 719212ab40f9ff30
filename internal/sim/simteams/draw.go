package simteams

import (
	"regexp"
	"slices"
	"strings"
)

// drawMessage draws a message as a person sees it. The lock is held.
func (s *Server) drawMessage(p *Person, r *room, m *Message) Shown {
	d := &drawing{reader: p, names: mentionsOf(m.Entities)}
	author := s.byID(m.Author)
	switch {
	case author != nil:
		d.line(author.Name + ": " + m.Text)
	case m.Format == "plain":
		d.line(m.Text)
	case m.Format == "xml":
		d.line(unescapeHTML.Replace(tags.ReplaceAllString(d.named(m.Text), "")))
	default:
		d.line(d.marked(d.named(m.Text)))
	}
	cards := m.cardsFor(p)
	for _, card := range cards {
		d.card(card)
	}
	if action, _, _ := refreshOf(cards); action != nil && !p.OldClient {
		d.line("(… " + refreshLabel + ")")
		d.buttons = append(d.buttons, refreshLabel)
	}
	shown := Shown{
		Where: r.where(), Message: m.ID, Channel: r.ID, Ephemeral: m.targeted(), Edited: m.Edited,
		Text: strings.Join(d.lines, "\n"), Buttons: d.buttons, Links: d.links, Revision: m.revisionFor(p),
	}
	if m.Thread != m.ID {
		shown.Thread = m.Thread
	}
	if len(m.Cards) > 0 {
		shown.Notification = m.Summary
	}
	return shown
}

var (
	tags         = regexp.MustCompile(`<[^<>]*>`)
	unescapeHTML = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&nbsp;", " ", "&quot;", `"`, "&amp;", "&")
)

// mentionsOf lists the texts that name somebody, as entities say.
func mentionsOf(entities []any) []string {
	var names []string
	for _, item := range entities {
		entity, _ := item.(object)
		if text(entity["type"]) == "mention" && text(entity["text"]) != "" {
			names = append(names, text(entity["text"]))
		}
	}
	return names
}

// drawing is a message as it grows line by line.
type drawing struct {
	reader  *Person
	names   []string // mentions that are live
	lines   []string
	buttons []string
	links   []string
	indent  string
}

func (d *drawing) line(s string) {
	if s != "" {
		d.lines = append(d.lines, d.indent+strings.ReplaceAll(s, "\n", "\n"+d.indent))
	}
}

// named draws mentions that an entity stands behind; others stay as they are.
func (d *drawing) named(s string) string {
	for _, name := range d.names {
		s = strings.ReplaceAll(s, name, "@"+tags.ReplaceAllString(name, ""))
	}
	return s
}

// card draws a card, or what clients show in its place.
func (d *drawing) card(card object) {
	if newer(text(card["version"])) {
		d.line("(fallback) " + orElse(text(card["fallbackText"]), "We're sorry, this card couldn't be displayed"))
		return
	}
	d.inner(card)
}

// inner draws a card that a client can show; those that a button opens say no version.
func (d *drawing) inner(card object) {
	teams, _ := card["msteams"].(object)
	entities, _ := teams["entities"].([]any)
	before := d.names
	d.names = append(slices.Clone(before), mentionsOf(entities)...)
	d.elements(objects(card["body"]))
	d.row(actionsOf(d.reader, card))
	d.names = before
}

func (d *drawing) elements(list []object) {
	for _, e := range list {
		if !hidden(e) {
			d.element(e)
		}
	}
}

func (d *drawing) element(e object) {
	switch kind := text(e["type"]); {
	case kind == "TextBlock":
		d.textBlock(e)
	case kind == "RichTextBlock":
		d.richText(e)
	case kind == "FactSet":
		for _, f := range objects(e["facts"]) {
			d.line("  " + d.marked(d.named(text(f["title"]))) + ": " + d.marked(d.named(text(f["value"]))))
		}
	case kind == "Image":
		d.line("(image: " + text(e["altText"]) + ")")
	case kind == "ActionSet":
		d.row(actionsOf(d.reader, e))
	case kind == "ColumnSet" || kind == "TableRow":
		d.columns(e)
	case len(inside(e)) > 0:
		d.elements(inside(e))
	case strings.HasPrefix(kind, "Input."):
		d.input(e)
	case kind != "Container" && kind != "Column" && kind != "TableCell":
		d.unknown(e)
	}
}

// unknown draws what an element says is to be drawn in its place.
func (d *drawing) unknown(e object) {
	if fallback, ok := e["fallback"].(object); ok {
		d.element(fallback)
	}
}

func (d *drawing) textBlock(e object) {
	said := d.marked(d.named(d.times(text(e["text"]))))
	if text(e["style"]) == "heading" {
		said = "# " + said
	}
	d.line(said)
}

// richText draws runs, into which no client looks.
func (d *drawing) richText(e object) {
	var b strings.Builder
	list, _ := e["inlines"].([]any)
	for _, item := range list {
		run, ok := item.(object)
		if !ok {
			b.WriteString(text(item))
			continue
		}
		b.WriteString(text(run["text"]))
		action, _ := run["selectAction"].(object)
		if link := text(action["url"]); text(action["type"]) == "Action.OpenUrl" && link != "" {
			d.links = append(d.links, link)
			b.WriteString(" (" + link + ")")
		}
	}
	d.line(b.String())
}

// columns draws what stands beside each other in one line, where each is a line.
func (d *drawing) columns(e object) {
	var parts []string
	whole := true
	for _, column := range inside(e) {
		inner := &drawing{reader: d.reader, names: d.names}
		inner.elements(inside(column))
		whole = whole && len(inner.lines) <= 1
		parts = append(parts, inner.lines...)
		d.buttons, d.links = append(d.buttons, inner.buttons...), append(d.links, inner.links...)
	}
	if whole {
		d.line(strings.Join(parts, " | "))
		return
	}
	for _, part := range parts {
		d.line(part)
	}
}

// row draws buttons that stand beside each other, and below them the cards that they open.
func (d *drawing) row(actions []object) {
	var parts []string
	for _, a := range actions {
		title := text(a["title"])
		d.buttons = append(d.buttons, title)
		part := "[" + title + "]"
		if link := text(a["url"]); link != "" {
			d.links = append(d.links, link)
			part += "(" + link + ")"
		}
		parts = append(parts, part)
	}
	d.line(strings.Join(parts, " "))
	for _, a := range actions {
		if inner, ok := a["card"].(object); ok && text(a["type"]) == "Action.ShowCard" {
			d.indent += "  "
			d.inner(inner)
			d.indent = d.indent[2:]
		}
	}
}

func (d *drawing) input(e object) {
	label := orElse(text(e["label"]), text(e["title"]))
	if e["isRequired"] == true {
		label += " *"
	}
	value := text(e["value"])
	if hint := text(e["placeholder"]); value == "" && hint != "" {
		value = "(" + hint + ")"
	}
	var titles []string
	for _, c := range objects(e["choices"]) {
		titles = append(titles, text(c["title"]))
		if text(c["value"]) == text(e["value"]) {
			value = text(c["title"])
		}
	}
	if len(titles) > 0 {
		value += " {" + strings.Join(titles, " | ") + "}"
	}
	d.line(strings.TrimSpace(label + ": " + value))
}
