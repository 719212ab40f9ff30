package simteams

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf16"
)

const (
	cardType   = "application/vnd.microsoft.card.adaptive"
	maxMessage = 100 << 10 // bytes of a whole message, written as UTF-16
	maxCard    = 28 << 10  // bytes of one card
	maxViews   = 60        // people in refresh.userIds
)

// content is what a message is made of.
type content struct {
	text, format, summary string
	cards                 []object
	entities              []any
	hidden                string
}

// otherCards are attachments that Teams takes, and that are not looked into here.
var otherCards = map[string]bool{
	"application/vnd.microsoft.card.hero": true, "application/vnd.microsoft.card.thumbnail": true, "application/vnd.microsoft.card.oauth": true,
	"application/vnd.microsoft.card.signin": true, "application/vnd.microsoft.card.receipt": true, "text/html": true,
	"application/vnd.microsoft.teams.card.o365connector": true, "application/vnd.microsoft.teams.card.list": true,
	"application/vnd.microsoft.teams.file.download.info": true, "application/vnd.microsoft.teams.card.file.consent": true,
}

// readContent reads and checks the content of a message. The lock is held.
func (s *Server) readContent(a object) (content, *restError) {
	raw, err := json.Marshal(a)
	if err != nil {
		return content{}, bad("Bad format of activity")
	}
	if 2*len(utf16.Encode([]rune(string(raw)))) > maxMessage {
		return content{}, refuse("MessageSizeTooBig")
	}
	m := content{text: text(a["text"]), format: orElse(text(a["textFormat"]), "markdown"), summary: text(a["summary"])}
	m.entities, _ = a["entities"].([]any)
	switch m.format {
	case "plain", "markdown", "xml":
	default:
		return m, bad("Unknown textFormat " + m.format)
	}
	list, ok := a["attachments"].([]any)
	if !ok && a["attachments"] != nil {
		return m, bad("attachments is not a list")
	}
	for _, item := range list {
		if e := m.attach(item); e != nil {
			return m, e
		}
	}
	if strings.TrimSpace(m.text) == "" && len(list) == 0 {
		return m, bad("Activity must include non empty 'text' field or at least 1 attachment")
	}
	s.judge(a, &m)
	return m, nil
}

// attach takes one attachment.
func (m *content) attach(item any) *restError {
	attachment, _ := item.(object)
	kind := text(attachment["contentType"])
	switch {
	case kind == "":
		return bad("Attachment contentType is missing")
	case otherCards[kind] || strings.HasPrefix(kind, "image/"):
		return nil
	case kind != cardType:
		return bad("Unknown attachment type")
	}
	card, ok := attachment["content"].(object)
	if !ok {
		return bad("Invalid card content")
	}
	if e := checkCard(card); e != nil {
		return e
	}
	m.cards = append(m.cards, card)
	return nil
}

// checkCard refuses what the connector refuses of a card; the rest is for clients to make the best of.
func checkCard(card object) *restError {
	raw, err := json.Marshal(card)
	if err != nil {
		return bad("Invalid card content")
	}
	switch {
	case len(raw) > maxCard:
		return refuse("MessageSizeTooBig")
	case text(card["type"]) != "AdaptiveCard":
		return bad("Adaptive card type is missing")
	}
	refresh, ok := card["refresh"].(object)
	if !ok {
		return nil
	}
	people, _ := refresh["userIds"].([]any)
	if len(people) > maxViews {
		return bad(fmt.Sprintf("refresh.userIds has %d entries, more than %d", len(people), maxViews))
	}
	action, _ := refresh["action"].(object)
	if text(action["type"]) != "Action.Execute" {
		return bad("refresh.action is not an Action.Execute")
	}
	return nil
}

// judge notes what clients make of a message that the connector takes. The lock is held.
func (s *Server) judge(a object, m *content) {
	if suggested, there := a["suggestedActions"].(object); there && len(suggested) == 0 {
		m.hidden = "suggestedActions is empty"
		s.note("no client shows a message with empty suggestedActions")
	}
	for _, key := range []string{"timestamp", "localTimestamp", "expiration"} {
		if strings.HasPrefix(text(a[key]), "0001-01-01") {
			s.note(key + " is of the year 1")
		}
	}
	for _, card := range m.cards {
		for _, found := range CheckCard(card) {
			s.note(found)
		}
	}
}
