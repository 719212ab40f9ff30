package slack_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"elevate/adapters/slack"
	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/sim/simslack"
	"elevate/internal/workflow"
)

func TestAnOpenedFormWithoutAnIDIsNotOpenedTwice(t *testing.T) {
	// {} and {"ok":true} count as success for slack-go.
	for _, said := range []string{`{}`, `{"ok":true}`, `{"ok":true,"view":{}}`} {
		b := newBench(t, nil)
		b.api.on("views.open", body(said))
		f := askForm()
		b.service.answer = workflow.Reply{Form: &f}
		b.command(nil)
		b.handler.Close()
		if n := len(b.api.to("views.open")); n != 1 || b.counts.at(slack.LateForm) != 1 || len(b.api.to("response_url")) != 0 {
			t.Errorf("%s: opened %d times, counted %v, told %d times", said, n, b.counts.of, len(b.api.to("response_url")))
		}
	}
}

func TestAHomeTabThatWasNotShownIsCounted(t *testing.T) {
	for name, r := range map[string]reply{
		"nothing": body(`{}`), "only ok": body(`{"ok":true}`), "ok:false without an error": body(`{"ok":false}`), "refused": refused("hash_conflict"),
		"a page": func(*http.Request, call) (*http.Response, error) { return response(502, "text/html", "<html>"), nil },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			b.api.on("views.publish", r)
			if w := b.event(object{"type": "app_home_opened", "user": alice, "tab": "home"}, nil); w.Code != http.StatusOK {
				t.Errorf("answered %d", w.Code)
			}
			b.handler.Close()
			if n := len(b.api.to("views.publish")); n != 1 || b.counts.at(slack.Undelivered) != 1 {
				t.Errorf("published %d times, counted %v", n, b.counts.of)
			}
		})
	}
}

func TestWhoMayNotUseElevateIsToldSoOnTheHomeTab(t *testing.T) {
	b := newBench(t, nil)
	b.api.change(object{"is_restricted": true})
	b.event(object{"type": "app_home_opened", "user": alice, "tab": "home"}, nil)
	b.handler.Close()
	calls := b.api.to("views.publish")
	if len(calls) != 1 || !strings.Contains(fmt.Sprint(calls[0].json), "Guests") || strings.Contains(fmt.Sprint(calls[0].json), "Ask for a role") {
		t.Errorf("published %v", calls)
	}
}

func TestAWorkflowStepOrMessageShortcutSaysNothing(t *testing.T) {
	for _, kind := range []string{"message_action", "workflow_step_edit", "block_suggestion", "dialog_submission", ""} {
		b := newBench(t, nil)
		payload := with(clickOn(approveValue), object{"type": kind})
		if w := b.interact(payload); w.Code != http.StatusOK || w.Body.Len() != 0 || b.service.told() != 0 {
			t.Errorf("%q: answered %d %q, told %d times", kind, w.Code, w.Body, b.service.told())
		}
	}
}

// TestNamesOfKeysAreReadWithoutRegardToCaseAndTheLastOfTwoHolds is what encoding/json does. Only Slack can sign such a
// payload, and what is checked is what is used.
func TestWhatIsCheckedOfADoubledKeyIsWhatIsUsed(t *testing.T) {
	raw, err := json.Marshal(clickOn(approveValue))
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		more string
		told int
	}{
		"a stranger at the end":              {`"user":{"id":"U0STRANGER","team_id":"T0OTHER"}`, 0},
		"a stranger in capitals":             {`"USER":{"id":"U0STRANGER","team_id":"T0OTHER"}`, 0},
		"another app in capitals":            {`"API_APP_ID":"A0OTHER"`, 0},
		"another workspace in other letters": {`"Team":{"id":"T0OTHER"}`, 0},
		"the same once more":                 {`"user":{"id":"` + alice + `","team_id":"` + team + `"}`, 1},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			payload := strings.TrimSuffix(string(raw), "}") + "," + row.more + "}"
			b.send("/slack/interactions", formType, url.Values{"payload": {payload}}.Encode())
			if b.service.told() != row.told {
				t.Errorf("told %d times, counted %v", b.service.told(), b.counts.of)
			}
			for _, from := range b.service.senders {
				if from.Account != aliceAccount {
					t.Errorf("said by %v", from.Account)
				}
			}
		})
	}
}

func TestMetadataIsReplacedWithEachRewriting(t *testing.T) {
	// What is not replaced would stay.
	b := newBench(t, nil)
	ref := pim.MessageRef{Conversation: general, ID: "1.000001", Channel: channel}
	if err := b.client.Update(t.Context(), ref, hello); err != nil {
		t.Fatal(err)
	}
	args := b.api.to("chat.update")[0].args
	if got := args.Get("metadata"); got != `{"event_type":"elevate_card","event_payload":{"request":"abc234"}}` {
		t.Errorf("metadata is %s", got)
	}
	if args.Get("text") == "" || args.Get("blocks") == "" {
		t.Errorf("sent %v", args)
	}
}

func TestAWarningOfTheSocketLosesNoCommand(t *testing.T) {
	for _, why := range []string{"warning", "refresh_requested", "link_disabled"} {
		t.Run(why, func(t *testing.T) {
			w, end := listening(t)
			w.Disconnect(why)
			for begin := machineTime(); w.Connections() > 0 && machineTime().Sub(begin) < 300*time.Millisecond; {
				<-time.After(time.Millisecond)
			}
			w.connected(t)
			w.answer(workflow.Reply{Card: &card.Card{Fallback: "x", Lines: []card.Text{card.Plain("Here.")}}})
			if err := w.Slash(t.Context(), "alice", "general", "/elevate status"); err != nil {
				t.Fatal(err)
			}
			w.sees(t, "alice", "Here.")
			if n := w.service.told(); n != 1 {
				t.Errorf("told %d times", n)
			}
			if err := end(); err != nil {
				t.Errorf("Listen: %v", err)
			}
		})
	}
}

func TestAnEnvelopeThatIsTooLargeLeavesTheOthers(t *testing.T) {
	w, end := listening(t)
	d := simslack.Delivery{Kind: simslack.SlashCommand, Payload: map[string]any{
		"command": "/elevate", "text": strings.Repeat("x", 600<<10), "team_id": w.team, "user_id": "U0PERSON01", "api_app_id": w.App().ID, "trigger_id": "1",
	}}
	_, _ = w.Send(t.Context(), d, simslack.Forgery{})
	if n := w.service.told(); n != 0 {
		t.Errorf("told %d times", n)
	}
	w.connected(t)
	w.answer(workflow.Reply{Card: &card.Card{Fallback: "x", Lines: []card.Text{card.Plain("Still here.")}}})
	var err error
	for begin := machineTime(); machineTime().Sub(begin) < 10*time.Second; {
		if err = w.Slash(t.Context(), "alice", "general", "/elevate status"); err == nil {
			break
		}
		w.connected(t)
	}
	if err != nil {
		t.Fatal(err)
	}
	w.sees(t, "alice", "Still here.")
	if err := end(); err != nil {
		t.Errorf("Listen: %v", err)
	}
}
