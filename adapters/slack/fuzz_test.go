package slack_test

import (
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"testing"

	"elevate/internal/card"
	"elevate/internal/sim/simslack"
	"elevate/internal/workflow"
)

// mayAnswer are the statuses that Slack may get, whatever came in.
var mayAnswer = map[int]bool{200: true, 400: true, 403: true, 413: true, 503: true}

func FuzzCommand(f *testing.F) {
	f.Add(commandForm(nil).Encode())
	f.Add(commandForm(url.Values{"text": {"<@U0BOB|bob> &amp; <!channel> <https://x|y> <<>>"}}).Encode())
	f.Add("command=%2Felevate&team_id=T0TEAM&user_id=U0ALICE&api_app_id=A0APP&command=%zz;;")
	f.Add("payload=%7B%7D&ssl_check=0")
	f.Fuzz(func(t *testing.T, form string) {
		b := newBench(t, nil)
		c := cards()["hostile"]
		b.service.answer = workflow.Reply{Card: &c}
		w := b.send("/slack/commands", formType, form)
		checkAnswer(t, w)
		for _, from := range b.service.senders {
			if from.Account.Chat != "slack" || from.Account.Workspace != team || from.Once == "" || from.Zone == nil {
				t.Errorf("said by %+v", from)
			}
		}
	})
}

func checkAnswer(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	if !mayAnswer[w.Code] {
		t.Errorf("answered %d", w.Code)
	}
	if w.Code != 200 && w.Body.Len() != 0 {
		t.Errorf("a refusal says %q", w.Body)
	}
	var answer struct{ Blocks []any }
	if w.Body.Len() == 0 {
		return
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Errorf("answered %q: %v", w.Body, err)
	}
	if bad := simslack.CheckBlocks(answer.Blocks); len(bad) > 0 {
		t.Errorf("Slack would refuse it: %q", bad)
	}
}

func FuzzInteraction(f *testing.F) {
	for _, payload := range []object{
		clickOn(approveValue), submission(nil), submission(object{"state": nil}), with(clickOn(""), object{"actions": []any{object{}}}),
		with(submission(nil), object{"type": "view_closed"}), with(clickOn(approveValue), object{"ACTIONS": []any{}, "user": object{"id": alice, "team_id": team, "TEAM_ID": "T0OTHER"}}),
	} {
		raw, err := json.Marshal(payload)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(raw))
	}
	f.Fuzz(func(t *testing.T, payload string) {
		b := newBench(t, nil)
		b.service.answer = workflow.Reply{Errors: map[string]string{card.FieldReason: "Say why.", "nowhere": "x"}}
		w := b.send("/slack/interactions", formType, url.Values{"payload": {payload}}.Encode())
		if len(b.service.filled) == 0 {
			checkAnswer(t, w)
		}
		b.handler.Close()
		for _, c := range b.service.clicks {
			if len(c.Request) != 0 && len(c.Request) != 6 || c.Ref.ID != "" && (c.Ref.Channel == "" || c.Ref.Conversation.Chat != "slack") {
				t.Errorf("said %+v", c)
			}
		}
	})
}

func FuzzEvent(f *testing.F) {
	f.Add(`{"type":"url_verification","challenge":"x"}`)
	f.Add(`{"type":"event_callback","team_id":"T0TEAM","api_app_id":"A0APP","event_id":"Ev1","event":{"type":"user_change","user":{"id":"U0ALICE"}}}`)
	f.Add(`{"type":"event_callback","team_id":"T0TEAM","api_app_id":"A0APP","event_id":"Ev1","event":{"type":"app_home_opened","user":"U0ALICE","tab":"home","view":{"blocks":[{"type":"section","text":1}]}}}`)
	f.Add(`{"type":"event_callback","team_id":"T0TEAM","api_app_id":"A0APP","event_id":"Ev1"}`)
	f.Fuzz(func(t *testing.T, body string) {
		b := newBench(t, nil)
		if w := b.send("/slack/events", "application/json", body); !mayAnswer[w.Code] {
			t.Errorf("answered %d", w.Code)
		}
		b.handler.Close()
		if b.service.told() != 0 {
			t.Error("an event was said to the workflow")
		}
	})
}
