package simslack

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// drawMessage draws a message as a person sees it. The lock is held.
func (s *Server) drawMessage(p *Person, r *room, m *Message) Shown {
	d := &drawing{server: s, reader: p}
	if len(m.Blocks) > 0 {
		d.blocks(m.Blocks, nil)
	} else {
		d.line(d.marked(m.Text))
	}
	shown := Shown{
		Where: "#" + r.Name, Message: m.TS, Channel: r.ID, Ephemeral: m.ephemeral(), Edited: m.Edited,
		Text: d.String(), Buttons: d.buttons, Links: d.links, Revision: m.Revision, Thread: m.Thread,
	}
	if r.With == p.ID {
		shown.Where = "dm"
	}
	if len(m.Blocks) > 0 {
		shown.Notification = (&drawing{server: s, reader: p}).marked(m.Text)
	}
	return shown
}

// drawView draws a modal or the Home tab, with what is filled in and what the app found wrong.
func (s *Server) drawView(p *Person, where string, v *view) Shown {
	d := &drawing{server: s, reader: p}
	if title := words(v.body["title"]); title != "" {
		d.line("═ " + title + " ═")
	}
	blocks, _ := v.body["blocks"].([]any)
	d.blocks(blocks, v)
	for _, key := range []string{"close", "submit"} {
		if label := words(v.body[key]); label != "" {
			d.buttons = append(d.buttons, label)
			d.line("[" + label + "]")
		}
	}
	return Shown{Where: where, Text: d.String(), Buttons: d.buttons, Links: d.links, Revision: v.revision}
}

// drawing is a card as it grows line by line.
type drawing struct {
	server  *Server
	reader  *Person
	lines   []string
	buttons []string
	links   []string
}

func (d *drawing) line(s string) {
	if s != "" {
		d.lines = append(d.lines, s)
	}
}

// String is the text so far.
func (d *drawing) String() string { return strings.Join(d.lines, "\n") }

func (d *drawing) blocks(blocks []any, v *view) {
	for _, b := range blocks {
		if o, ok := b.(object); ok {
			d.block(o, v)
		}
	}
}

func (d *drawing) block(o object, v *view) {
	switch text(o["type"]) {
	case "header":
		d.line("# " + words(o["text"]))
	case "divider":
		d.line("---")
	case "section":
		d.section(o)
	case "context":
		d.context(o)
	case "actions":
		d.row(elementsOf(o))
	case "input":
		d.input(o, v)
	case "markdown":
		d.line(text(o["text"]))
	case "alert":
		d.line("! " + d.textObject(o["text"]))
	case "image":
		d.line("(image: " + text(o["alt_text"]) + ")")
	default:
		d.line("(" + text(o["type"]) + ")")
	}
}

func (d *drawing) section(o object) {
	d.line(d.textObject(o["text"]))
	list, _ := o["fields"].([]any)
	for _, f := range list {
		d.line("  " + strings.ReplaceAll(d.textObject(f), "\n", " "))
	}
	if e, ok := o["accessory"].(object); ok {
		d.row([]object{e})
	}
}

func (d *drawing) context(o object) {
	var parts []string
	for _, e := range elementsOf(o) {
		parts = append(parts, d.textObject(e))
	}
	d.line("  (" + strings.Join(parts, " · ") + ")")
}

// row draws buttons and selects that stand beside each other.
func (d *drawing) row(elements []object) {
	var parts []string
	for _, e := range elements {
		label := words(e["text"])
		switch {
		case text(e["type"]) == "image":
			label = "image: " + text(e["alt_text"])
		case label == "":
			label = words(e["placeholder"])
		}
		d.buttons = append(d.buttons, label)
		part := "[" + label + "]"
		if url := text(e["url"]); url != "" {
			d.links = append(d.links, url)
			part += "(" + url + ")"
		}
		parts = append(parts, part)
	}
	d.line(strings.Join(parts, " "))
}

func (d *drawing) input(o object, v *view) {
	label := words(o["label"])
	if o["optional"] == true {
		label += " (optional)"
	}
	e, _ := o["element"].(object)
	value := ""
	if v != nil {
		value = showValue(v.value(o))
	}
	if hint := words(e["placeholder"]); value == "" && hint != "" {
		value = "(" + hint + ")"
	}
	d.line(label + ": " + value + d.choices(e))
	d.line(wrapped("  ", words(o["hint"])))
	if v != nil && v.errors[text(o["block_id"])] != "" {
		d.line("  ! " + v.errors[text(o["block_id"])])
	}
}

// choices lists what a select offers.
func (d *drawing) choices(e object) string {
	var labels []string
	for _, option := range optionsOf(e) {
		labels = append(labels, words(option["text"]))
	}
	if len(labels) == 0 {
		return ""
	}
	return " {" + strings.Join(labels, " | ") + "}"
}

func wrapped(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

// textObject is the text of a text object, with the live parts of mrkdwn resolved.
func (d *drawing) textObject(v any) string {
	o, _ := v.(object)
	if text(o["type"]) == "mrkdwn" {
		return d.marked(text(o["text"]))
	}
	if text(o["type"]) == "image" {
		return "image: " + text(o["alt_text"])
	}
	return text(o["text"])
}

// words is the text of a plain_text object.
func words(v any) string {
	o, _ := v.(object)
	return text(o["text"])
}

var live = regexp.MustCompile(`<([^<>]*)>`)

// marked resolves the parts of mrkdwn between angle brackets, as Slack does: mentions, links, dates, broadcasts.
func (d *drawing) marked(s string) string {
	s = live.ReplaceAllStringFunc(s, func(part string) string { return d.live(part[1 : len(part)-1]) })
	return unescape.Replace(s)
}

var unescape = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

func (d *drawing) live(inside string) string {
	target, label, labelled := strings.Cut(inside, "|")
	switch {
	case strings.HasPrefix(target, "@"):
		return "@" + d.server.userLabel(target[1:], label)
	case strings.HasPrefix(target, "#"):
		if r := d.server.room(target[1:]); r != nil {
			return "#" + r.Name
		}
		return "#" + label
	case strings.HasPrefix(target, "!date^"):
		return dateLabel(target, label, d.reader.zone())
	case strings.HasPrefix(target, "!"):
		return "@" + strings.TrimPrefix(target, "!") + " (notifies everybody)"
	}
	d.links = append(d.links, unescape.Replace(target))
	if labelled {
		return label + " (" + target + ")"
	}
	return target
}

// userLabel is how a mention looks.
func (s *Server) userLabel(id, label string) string {
	if id == s.cfg.App.BotUser {
		return s.cfg.App.Name
	}
	for _, p := range s.people {
		if p.ID == id {
			return p.RealName
		}
	}
	return cmp.Or(label, id)
}

func sortShown(seen []Shown) {
	slices.SortStableFunc(seen, func(a, b Shown) int { return a.Revision - b.Revision })
}
