package slack_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"elevate/adapters/slack"
	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/workflow"
)

const approveValue = `{"a":"approve","r":"abc234","d":"0123456789abcdef"}`

func with(payload object, changes object) object {
	payload = maps.Clone(payload)
	maps.Copy(payload, changes)
	return payload
}

func TestClickIsSaidWithItsMessage(t *testing.T) {
	b := newBench(t, nil)
	if w := b.interact(clickOn(approveValue)); w.Code != http.StatusOK || w.Body.Len() != 0 {
		t.Errorf("answered %d %q", w.Code, w.Body)
	}
	place := pim.Conversation{Chat: pim.Slack, Workspace: team, ID: channel}
	want := []workflow.Click{{
		Act: card.Approve, Request: "abc234", Digest: "0123456789abcdef",
		Ref: pim.MessageRef{Conversation: place, ID: "1.000001", Channel: channel},
	}}
	if diff := cmp.Diff(want, b.service.clicks); diff != "" {
		t.Error(diff)
	}
	if from := b.service.senders[0]; from.Account != aliceAccount || from.Place != place {
		t.Errorf("said by %v at %v", from.Account, from.Place)
	}
}

func TestOnlyOurOwnMessagesAreAdopted(t *testing.T) {
	ephemeral := object{"type": "message", "message_ts": "1.000001", "channel_id": channel, "is_ephemeral": true}
	for name, changes := range map[string]object{
		"another bot's message":     {"message": object{"ts": "1.000001", "bot_id": "B0OTHER", "user": botUser}},
		"a person's message":        {"message": object{"ts": "1.000001", "user": alice}},
		"an ephemeral message":      {"container": ephemeral},
		"a message without content": {"message": nil},
		"another message than said": {"message": object{"ts": "2.000002", "bot_id": botID}},
		"a view":                    {"container": object{"type": "view", "view_id": "V1"}, "channel": nil, "message": nil},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			b.interact(with(clickOn(approveValue), changes))
			if len(b.service.clicks) != 1 || b.service.clicks[0].Ref != (pim.MessageRef{}) {
				t.Errorf("said %+v", b.service.clicks)
			}
		})
	}
}

func TestValueOfAButtonIsOnlyIds(t *testing.T) {
	for value, want := range map[string]workflow.Click{
		`{"a":"approve","r":"ABC234"}`:                               {Act: card.Approve, Request: "abc234"},
		`{"a":"approve","r":"../../etc"}`:                            {Act: card.Approve},
		`{"a":"form","o":"mde-admin"}`:                               {Act: card.OpenForm, Role: "mde-admin"},
		`{"a":"approve","r":"abc234","state":"active","by":"U0BOB"}`: {Act: card.Approve, Request: "abc234"},
		`{"a":"anything"}`:                                           {Act: "anything"},
	} {
		b := newBench(t, nil)
		b.interact(clickOn(value))
		b.service.clicks[0].Ref = pim.MessageRef{}
		if diff := cmp.Diff(want, b.service.clicks[0]); diff != "" {
			t.Errorf("%s: %s", value, diff)
		}
	}
}

func TestClicksThatSayNothingAreAcknowledged(t *testing.T) {
	for name, payload := range map[string]object{
		"no actions":             with(clickOn(""), object{"actions": []any{}}),
		"null actions":           with(clickOn(""), object{"actions": nil}),
		"no value":               clickOn(""),
		"a value not of ours":    clickOn("approve"),
		"a value that is null":   clickOn("null"),
		"a value too long":       clickOn(`{"a":"approve","r":"` + strings.Repeat("x", 4000) + `"}`),
		"a sign-in link":         clickOn(`{"a":"sign_in"}`),
		"a link":                 clickOn(`{"a":"open"}`),
		"a view that closed":     with(clickOn(""), object{"type": "view_closed"}),
		"a shortcut we have not": with(clickOn(""), object{"type": "shortcut"}),
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			if w := b.interact(payload); w.Code != http.StatusOK || w.Body.Len() != 0 || b.service.told() != 0 {
				t.Errorf("answered %d %q, told %d times", w.Code, w.Body, b.service.told())
			}
		})
	}
}

func TestForeignInteractionsAreRefusedWithoutDetail(t *testing.T) {
	for name, changes := range map[string]object{
		"a person of another workspace, in a shared channel": {"user": object{"id": "U0STRANGER", "team_id": "T0OTHER"}},
		"a person without a workspace":                       {"user": object{"id": alice}},
		"another workspace":                                  {"team": object{"id": "T0OTHER"}},
		"no workspace":                                       {"team": nil},
		"another app":                                        {"api_app_id": "A0OTHER"},
		"an organisation in place of the workspace":          {"team": nil, "enterprise": object{"id": "E0OTHER"}},
	} {
		for _, kind := range []string{"block_actions", "view_submission"} {
			t.Run(name+" "+kind, func(t *testing.T) {
				b := newBench(t, nil)
				payload := with(clickOn(approveValue), changes)
				payload["type"] = kind
				b.silent(t, b.interact(payload), http.StatusForbidden, slack.Foreign)
				if len(b.api.to("users.info")) != 0 {
					t.Error("a foreign account was looked up")
				}
			})
		}
	}
}

func TestTeamMayBeMissingInAnOrganisation(t *testing.T) {
	b := newBench(t, func(cfg *slack.Config, _ *slack.HandlerConfig) {
		cfg.TeamID = "E0ORG"
		cfg.Transport.(*api).on("auth.test", ok(object{"team_id": "E0ORG", "enterprise_id": "E0ORG", "user_id": botUser, "bot_id": botID}))
	})
	b.api.change(object{"enterprise_user": object{"enterprise_id": "E0ORG"}})
	b.interact(with(clickOn(approveValue), object{"team": nil, "enterprise": object{"id": "E0ORG"}, "user": object{"id": alice, "team_id": "T0ANY"}}))
	if b.service.told() != 1 || b.service.senders[0].Account.Workspace != "E0ORG" {
		t.Errorf("told %v, counted %v", b.service.senders, b.counts.of)
	}
}

func TestMalformedInteractionsAreRefused(t *testing.T) {
	for name, form := range map[string]string{
		"no payload": "a=b", "empty payload": "payload=", "no JSON": "payload=%7B", "no object": "payload=%5B%5D", "no user": "payload=%7B%7D",
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			b.silent(t, b.send("/slack/interactions", formType, form), http.StatusBadRequest, slack.Malformed)
		})
	}
}

func TestWhoMayNotClick(t *testing.T) {
	for name, test := range notAllowed {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			b.api.change(test.is)
			if w := b.interact(clickOn(approveValue)); w.Code != http.StatusOK {
				t.Errorf("answered %d", w.Code)
			}
			b.handler.Close()
			if b.service.told() != 0 {
				t.Error("the click was said to the workflow")
			}
			if calls := b.api.to("response_url"); len(calls) != 1 || !strings.Contains(fmt.Sprint(calls[0].json), test.words) {
				t.Errorf("the person was told %v", calls)
			}
		})
	}
}

func TestAnswerToAClickGoesToThePersonAlone(t *testing.T) {
	b := newBench(t, nil)
	b.service.answer = workflow.Reply{Card: &card.Card{Fallback: "Another approver was faster."}}
	b.interact(clickOn(approveValue))
	b.handler.Close()
	calls := b.api.to("response_url")
	if len(calls) != 1 || calls[0].json["response_type"] != "ephemeral" || calls[0].json["replace_original"] != false {
		t.Fatalf("answered %+v", calls)
	}
	if got := calls[0].json["text"]; got != "Another approver was faster." {
		t.Errorf("told %v", got)
	}
	if n := len(b.api.to("chat.postEphemeral")) + len(b.api.to("chat.postMessage")); n != 0 {
		t.Errorf("answered %d more times", n)
	}
}

func TestResponseURLsOfOthersAreNotPostedTo(t *testing.T) {
	for _, address := range []string{
		"", "http://hooks.slack.com/x", "https://hooks.slack.com.evil.example/x", "https://evil.example/hooks.slack.com", "https://slack.com/x",
		"https://hooks.slack.com@evil.example/x", "https://user@hooks.slack.com/x", "https://hooks.slack.com:8443/x", "//hooks.slack.com/x", "https://%zz",
	} {
		b := newBench(t, nil)
		b.service.answer = workflow.Reply{Card: &card.Card{Fallback: "x"}}
		b.interact(with(clickOn(approveValue), object{"response_url": address}))
		b.handler.Close()
		if len(b.api.to("response_url")) != 0 {
			t.Errorf("posted to %q", address)
		}
		calls := b.api.to("chat.postEphemeral")
		if len(calls) != 1 || calls[0].args.Get("user") != alice || calls[0].args.Get("channel") != channel {
			t.Errorf("with %q the person was told %v", address, calls)
		}
	}
}

func TestSandboxAnswersAtItsOwnHostOnly(t *testing.T) {
	for _, sandbox := range []bool{true, false} {
		b := newBench(t, func(cfg *slack.Config, _ *slack.HandlerConfig) {
			cfg.API, cfg.Sandbox = "http://127.0.0.1:9/api/", sandbox
			fake := cfg.Transport.(*api)
			cfg.Transport = rewrite{fake}
		})
		b.service.answer = workflow.Reply{Card: &card.Card{Fallback: "x"}}
		b.interact(with(clickOn(approveValue), object{"response_url": "http://127.0.0.1:9/actions/1"}))
		b.handler.Close()
		if got := len(b.api.to("response_url")); (got == 1) != sandbox {
			t.Errorf("sandbox %v: posted %d times", sandbox, got)
		}
	}
}

// rewrite lets the fake API stand at another address.
type rewrite struct{ to *api }

func (w rewrite) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if strings.HasPrefix(r.URL.Path, "/api/") {
		r.URL.Host = "slack.com"
	}
	return w.to.RoundTrip(r)
}

func TestUsedUpResponseURLFallsBack(t *testing.T) {
	gone := func(*http.Request, call) (*http.Response, error) { return response(404, "text/plain", "used_url"), nil }
	lost := func(*http.Request, call) (*http.Response, error) { return response(502, "text/plain", ""), nil }
	for name, test := range map[string]struct {
		hook, whisper      reply
		whispered, written int
	}{
		"expired":                          {gone, ok(object{"message_ts": "1"}), 1, 0},
		"expired, and not in the channel":  {gone, refused("not_in_channel"), 1, 1},
		"expired, and the answer was lost": {gone, body(`{}`), 1, 0},
		"lost":                             {lost, ok(object{"message_ts": "1"}), 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			b.api.on("response_url", test.hook)
			b.api.on("chat.postEphemeral", test.whisper)
			b.service.answer = workflow.Reply{Card: &card.Card{Fallback: "x"}}
			b.interact(clickOn(approveValue))
			b.handler.Close()
			if w, p := len(b.api.to("chat.postEphemeral")), len(b.api.to("chat.postMessage")); w != test.whispered || p != test.written {
				t.Errorf("whispered %d times, wrote %d times", w, p)
			}
		})
	}
}

func TestAcknowledgementDoesNotWaitForSlack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.api.on("response_url", hangs)
		b.service.answer = workflow.Reply{Card: &card.Card{Fallback: "x"}}
		begin := machineTime()
		if w := b.interact(clickOn(approveValue)); w.Code != http.StatusOK || machineTime() != begin || b.service.told() != 1 {
			t.Errorf("answered %d after %v, told %d times", w.Code, machineTime().Sub(begin), b.service.told())
		}
		b.handler.Close()
		if took := machineTime().Sub(begin); took > 20*time.Second {
			t.Errorf("the work behind the answer ended after %v", took)
		}
	})
}

func TestWorkBehindTheAnswerIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.api.on("response_url", hangs)
		b.service.answer = workflow.Reply{Card: &card.Card{Fallback: "x"}, Form: nil}
		b.fills(t)
		told := b.service.told()
		if w := b.interact(clickOn(approveValue)); w.Code != http.StatusServiceUnavailable || b.service.told() != told {
			t.Errorf("the 65th click: answered %d, told %d times", w.Code, b.service.told()-told)
		}
		shows(t, b.interact(submission(nil)), "too much to do")
		b.service.answer = workflow.Reply{Form: &card.Form{Name: card.FormAsk}}
		shows(t, b.command(nil), "too much to do")
		if b.counts.at(slack.Busy) != 3 {
			t.Errorf("counted %v", b.counts.of)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if w := b.interact(clickOn(approveValue)); w.Code != http.StatusOK {
			t.Errorf("when there is room again: answered %d", w.Code)
		}
	})
}

// fills has many people take all the room there is.
func (b *bench) fills(t *testing.T) {
	t.Helper()
	for i := range 64 {
		click := clickOn(approveValue)
		click["user"] = object{"id": fmt.Sprintf("U0MANY%02d", i), "team_id": team}
		if w := b.interact(click); w.Code != http.StatusOK {
			t.Fatalf("answered %d", w.Code)
		}
	}
}

func TestOnePersonDoesNotKeepTheOthersWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.api.on("response_url", hangs)
		b.service.answer = workflow.Reply{Card: &card.Card{Fallback: "x"}}
		for i := range 6 {
			want := http.StatusOK
			if i >= 4 {
				want = http.StatusServiceUnavailable
			}
			if w := b.interact(clickOn(approveValue)); w.Code != want {
				t.Errorf("click %d: answered %d", i, w.Code)
			}
		}
		click := clickOn(approveValue)
		click["user"] = object{"id": "U0ANOTHER", "team_id": team}
		if w := b.interact(click); w.Code != http.StatusOK {
			t.Errorf("another person is answered %d", w.Code)
		}
		b.handler.Close()
	})
}

func TestNothingIsBegunAfterTheEnd(t *testing.T) {
	b := newBench(t, nil)
	b.handler.Close()
	b.silent(t, b.interact(clickOn(approveValue)), http.StatusServiceUnavailable, slack.Busy)
}

// submission is the payload of a form that was filled in.
func submission(changes object) object {
	input := func(id string) object {
		return object{
			"type": "input", "block_id": id, "label": object{"type": "plain_text", "text": id},
			"element": object{"type": "plain_text_input", "action_id": "value"},
		}
	}
	view := object{
		"id": "V1", "type": "modal", "app_id": app, "callback_id": "ask", "private_metadata": `{"r":"abc234","d":"digest","c":"` + channel + `"}`,
		"blocks": []any{input("role"), input("reason")},
		"state": object{"values": object{
			"role":   object{"value": object{"type": "static_select", "selected_option": object{"value": "mde-admin"}}},
			"reason": object{"value": object{"type": "plain_text_input", "value": "isolating"}},
		}},
	}
	maps.Copy(view, changes)
	return object{
		"type": "view_submission", "team": object{"id": team}, "api_app_id": app, "trigger_id": "1.5.trigger",
		"user": object{"id": alice, "team_id": team}, "view": view,
	}
}

func TestFormIsSaidAndClosed(t *testing.T) {
	b := newBench(t, nil)
	b.service.answer = workflow.Reply{Card: &card.Card{Fallback: "Bob was asked."}}
	w := b.interact(submission(nil))
	b.handler.Close()
	if got := strings.TrimSpace(w.Body.String()); got != `{"response_action":"clear"}` {
		t.Errorf("answered %s", got)
	}
	want := []card.Filled{{Name: "ask", Request: "abc234", Digest: "digest", Values: map[string]string{"role": "mde-admin", "reason": "isolating"}}}
	if diff := cmp.Diff(want, b.service.filled); diff != "" {
		t.Error(diff)
	}
	if calls := b.api.to("chat.postEphemeral"); len(calls) != 1 || calls[0].args.Get("channel") != channel || calls[0].args.Get("text") != "Bob was asked." {
		t.Errorf("the person was told %v", calls)
	}
}

func TestAnswerToAFormWithoutAChannelIsADirectMessage(t *testing.T) {
	for _, metadata := range []string{`{}`, "", "no JSON", `{"c":"D0BETWEEN"}`, `{"c":"<!channel>"}`} {
		b := newBench(t, nil)
		b.service.answer = workflow.Reply{Card: &card.Card{Fallback: "x"}}
		b.interact(submission(object{"private_metadata": metadata}))
		b.handler.Close()
		if calls := b.api.to("chat.postMessage"); len(calls) != 1 || calls[0].args.Get("channel") != "D0DIRECT" {
			t.Errorf("%q: the person was told %v", metadata, calls)
		}
		if got := b.service.senders[0].Place; got != pim.DirectTo(aliceAccount) {
			t.Errorf("%q: said at %v", metadata, got)
		}
	}
}

func TestFormsThatAreNotWhole(t *testing.T) {
	reason := object{"value": object{"type": "plain_text_input", "value": "isolating"}}
	for name, test := range map[string]struct {
		state any
		want  map[string]string
	}{
		"no state":         {nil, map[string]string{}},
		"no values":        {object{}, map[string]string{}},
		"null values":      {object{"values": nil}, map[string]string{}},
		"a missing block":  {object{"values": object{"reason": reason}}, map[string]string{"reason": "isolating"}},
		"an extra action":  {object{"values": object{"reason": object{"other": object{"value": "x"}}}}, map[string]string{}},
		"nothing typed":    {object{"values": object{"reason": object{"value": object{"value": nil}}}}, map[string]string{"reason": ""}},
		"an extra block":   {object{"values": object{"reason": reason, "more": reason}}, map[string]string{"reason": "isolating", "more": "isolating"}},
		"nothing selected": {object{"values": object{"role": object{"value": object{"selected_option": nil}}}}, map[string]string{"role": ""}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			w := b.interact(submission(object{"state": test.state}))
			if w.Code != http.StatusOK || len(b.service.filled) != 1 {
				t.Fatalf("answered %d, counted %v", w.Code, b.counts.of)
			}
			if diff := cmp.Diff(test.want, b.service.filled[0].Values); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestErrorsStandAtInputsOnly(t *testing.T) {
	for name, test := range map[string]struct {
		errors map[string]string
		blocks any
		want   object
	}{
		"at their fields":       {map[string]string{"role": "R", "reason": "S"}, nil, object{"role": "R", "reason": "S"}},
		"of an unknown field":   {map[string]string{"nowhere": "N"}, nil, object{"role": "N"}},
		"a view without inputs": {map[string]string{"role": "R"}, []any{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			b.service.answer = workflow.Reply{Errors: test.errors}
			changes := object{}
			if test.blocks != nil {
				changes["blocks"] = test.blocks
			}
			var answer struct {
				Action string `json:"response_action"`
				Errors object
			}
			w := b.interact(submission(changes))
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
				t.Fatal(err)
			}
			if test.want == nil && answer.Action != "clear" || test.want != nil && answer.Action != "errors" {
				t.Errorf("answered %s", w.Body)
			}
			if diff := cmp.Diff(test.want, answer.Errors); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhoMayNotFillIn(t *testing.T) {
	b := newBench(t, nil)
	b.api.change(object{"is_restricted": true})
	shows(t, b.interact(submission(nil)), "Guests")
	if b.service.told() != 0 {
		t.Error("the form was said to the workflow")
	}
}

func TestFormMayBeFollowedByAnother(t *testing.T) {
	b := newBench(t, nil)
	b.service.answer = workflow.Reply{Form: &card.Form{Name: card.FormDeny, Title: "Deny", Fields: []card.Field{{Name: "reason", Label: "Why"}}}}
	w := b.interact(submission(nil))
	shows(t, w, `"response_action":"update"`)
	shows(t, w, `"callback_id":"deny"`)
}

func TestPanicBehindTheAnswerEndsNothing(t *testing.T) {
	b := newBench(t, nil)
	b.api.on("response_url", func(*http.Request, call) (*http.Response, error) { panic("boom") })
	b.service.answer = workflow.Reply{Card: &card.Card{Fallback: "x"}}
	for range 65 {
		b.interact(clickOn(approveValue))
	}
	b.handler.Close()
	if n := b.counts.at(slack.Panicked); n == 0 || n+b.counts.at(slack.Busy) != 65 {
		t.Errorf("counted %v", b.counts.of)
	}
}
