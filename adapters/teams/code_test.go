package teams_test

import (
	"encoding/json"
	"testing"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/workflow"
)

// waiting is a card about a request, with a button for everybody.
var waiting = card.Card{
	Title: "MDE Administrator?", Fallback: "Alice asks.", Request: "abc234",
	Buttons: []card.Button{{Label: "Refresh", Act: card.Refresh, Request: "abc234"}, {Label: "Cancel", Act: card.Cancel, Request: "abc234"}},
}

// asks posts that card.
func (b *bench) asks(t *testing.T, to pim.Conversation) pim.MessageRef {
	t.Helper()
	ref, err := b.client.Post(t.Context(), to, waiting)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// dataIn finds what the first button of a kind brings back.
func dataIn(v any, act string) object {
	switch v := v.(type) {
	case map[string]any:
		if data, ok := v["data"].(map[string]any); ok && data["a"] == act {
			return data
		}
		for _, member := range v {
			if data := dataIn(member, act); data != nil {
				return data
			}
		}
	case []any:
		for _, member := range v {
			if data := dataIn(member, act); data != nil {
				return data
			}
		}
	}
	return nil
}

// clicksWith sends a click with such data and returns the message it names.
func (b *bench) clicksWith(t *testing.T, data, with object) pim.MessageRef {
	t.Helper()
	b.service.clicks = nil
	action := object{"data": change(data, object{"a": "cancel"})}
	b.send(clicked(change(object{"id": nil, "value": object{"action": action}}, with)))
	if len(b.service.clicks) != 1 {
		t.Fatalf("told of %d clicks", len(b.service.clicks))
	}
	return b.service.clicks[0].Ref
}

func in(id, kind string) object {
	return object{"conversation": object{"id": id, "conversationType": kind, "tenantId": tenant}}
}

func TestOnlyACardDrawnForAConversationNamesAMessageThere(t *testing.T) {
	b := newBench(t, nil)
	for name, data := range map[string]object{
		"none":             {"k": "card"},
		"junk":             {"k": "card", "m": "AAAA"},
		"no text":          {"k": "card", "m": "%%"},
		"another request":  {"k": "card", "m": code("zzz999", channelID)},
		"another place":    {"k": "card", "m": code("abc234", "19:other@thread.tacv2")},
		"its own chat":     {"k": "card", "m": code("abc234", personal)},
		"a list in it":     {"m": code("abc234", channelID)},
		"nothing to check": {"k": "card", "m": ""},
	} {
		if ref := b.clicksWith(t, change(object{"r": "abc234"}, data), nil); ref != (pim.MessageRef{}) {
			t.Errorf("%s: named %+v", name, ref)
		}
	}
	want := pim.MessageRef{Conversation: general, ID: "1", Channel: channelID + ";messageid=1"}
	if ref := b.clicksWith(t, object{"r": "abc234", "k": "card", "m": code("abc234", channelID)}, nil); ref != want {
		t.Errorf("named %+v", ref)
	}
}

func TestACardIsBoundToTheConversationItWasDrawnFor(t *testing.T) {
	b := newBench(t, nil)
	b.knows(nil)
	thread := b.asks(t, general)
	posted := b.net.written()[0].body
	alone := b.asks(t, pim.DirectTo(aliceAccount))
	written := b.net.written()
	mine := written[len(written)-1].body
	if err := b.client.Update(t.Context(), thread, waiting); err != nil {
		t.Fatal(err)
	}
	written = b.net.written()
	redrawn := written[len(written)-1].body
	b.service.answer = workflow.Reply{Card: &waiting}
	var view object
	if err := json.Unmarshal(b.send(clicked(object{"id": nil})).Body.Bytes(), &view); err != nil {
		t.Fatal(err)
	}
	b.service.answer = workflow.Reply{}
	for name, row := range map[string]struct {
		drawn       any
		act, at, by string
		other       string
		named       string // the conversation of the card: a channel's has one name, whatever thread the client says
	}{
		"posted":         {posted, "refresh", thread.Channel, "channel", personal, thread.Channel},
		"rewritten":      {redrawn, "refresh", thread.Channel, "channel", personal, thread.Channel},
		"in its thread":  {posted, "refresh", channelID + ";messageid=2", "channel", "19:other@thread.tacv2", thread.Channel},
		"of one person":  {view, "cancel", thread.Channel, "channel", personal, thread.Channel},
		"in their chat":  {mine, "cancel", alone.Channel, "personal", channelID, alone.Channel},
		"and the second": {mine, "refresh", alone.Channel, "personal", channelID, alone.Channel},
	} {
		data := dataIn(row.drawn, row.act)
		if data == nil {
			t.Errorf("%s: no button %s", name, row.act)
			continue
		}
		if ref := b.clicksWith(t, data, in(row.at, row.by)); ref.ID != "1" || ref.Channel != row.named {
			t.Errorf("%s: named %+v", name, ref)
		}
		if ref := b.clicksWith(t, data, in(row.other, "channel")); ref != (pim.MessageRef{}) {
			t.Errorf("%s: named %+v elsewhere", name, ref)
		}
	}
}

func TestNobodyIsGivenTheCodeOfARequestTheyName(t *testing.T) {
	b := newBench(t, nil)
	b.service.answer = workflow.Reply{Card: &card.Card{Title: "Sign in", Fallback: "Sign in.", Buttons: []card.Button{{Label: "Roles", Act: card.OpenForm}}}}
	for name, with := range map[string]object{"none": {"m": nil}, "another place's": {"m": code("abc234", personal)}} {
		data := change(object{"a": "cancel", "r": "abc234", "k": "card"}, with)
		w := b.send(clicked(object{"id": nil, "value": object{"action": object{"data": data}}}))
		var drawn object
		if err := json.Unmarshal(w.Body.Bytes(), &drawn); err != nil {
			t.Fatal(err)
		}
		if back := dataIn(drawn, "refresh"); back == nil || back["m"] != nil {
			t.Errorf("%s: given %v", name, back)
		}
	}
}
