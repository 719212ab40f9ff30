package simteams

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// odd are activities that a bot has to take and to leave alone, by the words that acts use.
var odd = map[string]func(a object){
	"reaction": func(a object) { a["type"], a["reactionsAdded"] = "messageReaction", []any{object{"type": "like"}} },
	"typing":   func(a object) { a["type"] = "typing" },
	"edit": func(a object) {
		a["type"], a["text"] = "messageUpdate", "edited"
		a["channelData"].(object)["eventType"] = "editMessage" // activity puts an object there
	},
	"delete": func(a object) { a["type"] = "messageDelete" },
	"event":  func(a object) { a["type"], a["name"] = "event", "application/vnd.microsoft.meetingStart" },
	"rename": func(a object) {
		a["type"], a["channelData"].(object)["eventType"] = "conversationUpdate", "channelRenamed"
	},
	"unknown": func(a object) { a["type"] = "somethingNew" },
	"entities": func(a object) {
		entities, _ := a["entities"].([]any)
		a["text"], a["entities"] = "help", append(entities, object{"type": "ClientCapabilities", "supported": []any{1, "two"}}, object{"type": "QuotedReply"}, "text")
	},
	"value":  func(a object) { a["value"] = "a text in place of an object" },
	"number": func(a object) { a["value"] = 42 },
	"zone": func(a object) {
		a["text"], a["localTimestamp"], a["localTimezone"] = "help", "2026-03-02T09:00:00", "Nowhere/At_All"
	},
	"noid": func(a object) { delete(a, "id"); a["text"] = "help" },
	"search": func(a object) {
		a["type"], a["name"], a["value"] = "invoke", "application/search", object{"queryText": "x"}
	},
	"signin": func(a object) {
		a["type"], a["name"], a["value"] = "invoke", "signin/verifyState", object{"state": "123456"}
	},
	"dialog":  func(a object) { a["type"], a["name"], a["value"] = "invoke", "task/fetch", object{"data": object{}} },
	"novalue": func(a object) { a["type"], a["name"] = "invoke", "adaptiveCard/action" },
}

// OddKinds are the words that Odd knows.
func OddKinds() []string {
	var kinds []string
	for kind := range odd {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	return kinds
}

// Odd sends an activity of a kind that bots have no use for, as if a person had caused it.
func (s *Server) Odd(ctx context.Context, person, place, kind string) (Ack, error) {
	change := odd[kind]
	if change == nil {
		return Ack{}, fmt.Errorf("nothing odd is called %q, only %s", kind, strings.Join(OddKinds(), ", "))
	}
	s.mu.Lock()
	p, r, err := s.speaker(person, place)
	if err != nil {
		s.mu.Unlock()
		return Ack{}, err
	}
	a := s.activity("message", p, r, "")
	a["id"] = s.newMessageID()
	change(a)
	s.mu.Unlock()
	return s.Send(ctx, a, Forgery{})
}
