package slack_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"elevate/adapters/slack"
	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/sim/simslack"
	"elevate/internal/workflow"
)

func TestURLVerificationOnlyWhenSigned(t *testing.T) {
	const body = `{"type":"url_verification","challenge":"3eZbrw1a"}`
	b := newBench(t, nil)
	w := b.send("/slack/events", "application/json", body)
	if w.Code != http.StatusOK || w.Body.String() != "3eZbrw1a" || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
		t.Errorf("answered %d %q", w.Code, w.Body)
	}
	r := httptest.NewRequest(http.MethodPost, "/slack/events", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	b.silent(t, b.serve(r), http.StatusUnauthorized, slack.Signature)
}

func TestForeignEventsAreRefusedAndNotRepeated(t *testing.T) {
	for name, changes := range map[string]object{
		"another workspace": {"team_id": "T0OTHER"}, "another app": {"api_app_id": "A0OTHER"}, "no workspace": {"team_id": nil},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			w := b.event(object{"type": "user_change", "user": object{"id": alice}}, changes)
			b.silent(t, w, http.StatusForbidden, slack.Foreign)
			if w.Header().Get("X-Slack-No-Retry") != "1" || len(b.changed) != 0 {
				t.Errorf("headers %v, changed %v", w.Header(), b.changed)
			}
		})
	}
}

func TestEventIsTakenOnce(t *testing.T) {
	b := newBench(t, nil)
	change := object{"type": "user_change", "user": object{"id": alice}}
	for range 3 {
		if w := b.event(change, nil); w.Code != http.StatusOK {
			t.Errorf("answered %d", w.Code)
		}
	}
	b.event(change, object{"event_id": "Ev2"})
	b.event(change, object{"event_id": nil})
	b.handler.Close()
	if len(b.changed) != 2 || b.counts.at(slack.Repeated) != 3 {
		t.Errorf("told of %d changes, counted %v", len(b.changed), b.counts.of)
	}
}

func TestChangedAccountIsLookedUpAgain(t *testing.T) {
	b := newBench(t, nil)
	if err := b.client.Account(t.Context(), aliceAccount); err != nil {
		t.Fatal(err)
	}
	b.api.change(object{"deleted": true})
	// What the event says of the person is not believed: Slack is asked.
	b.event(object{"type": "user_change", "user": object{"id": alice, "deleted": false}}, nil)
	b.handler.Close()
	if err := b.client.Account(t.Context(), aliceAccount); !pim.IsKind(err, pim.Forbidden) {
		t.Errorf("Account: %v", err)
	}
	if !slices.Equal(b.changed, []pim.ChatAccount{aliceAccount}) {
		t.Errorf("told of %v", b.changed)
	}
}

func TestMalformedEventsAreStillAcknowledged(t *testing.T) {
	b := newBench(t, nil)
	for i, event := range []object{
		{"type": "app_home_opened", "user": alice, "tab": "home", "view": object{"blocks": []any{object{"type": "section", "text": 7}}}},
		{"type": "no_such_event"},
		{"type": "user_change", "user": "nobody"},
		{},
	} {
		if w := b.event(event, object{"event_id": fmt.Sprint("Ev", i)}); w.Code != http.StatusOK {
			t.Errorf("%v: answered %d", event, w.Code)
		}
	}
	if w := b.event(nil, object{"type": "app_rate_limited", "event_id": "EvX"}); w.Code != http.StatusOK {
		t.Errorf("a rate limit: answered %d", w.Code)
	}
	if w := b.send("/slack/events", "application/json", "[1]"); w.Code != http.StatusBadRequest || b.service.told() != 0 {
		t.Errorf("no event at all: answered %d", w.Code)
	}
}

func TestHomeTabSaysWhatElevateIs(t *testing.T) {
	b := newBench(t, nil)
	opened := object{"type": "app_home_opened", "user": alice, "tab": "home", "channel": "D0"}
	b.event(opened, nil)
	b.event(object{"type": "app_home_opened", "user": alice, "tab": "messages"}, object{"event_id": "Ev2"})
	b.handler.Close()
	calls := b.api.to("views.publish")
	if len(calls) != 1 || calls[0].json["user_id"] != alice {
		t.Fatalf("published %v", calls)
	}
	view, _ := calls[0].json["view"].(object)
	if bad := simslack.CheckView(view); len(bad) > 0 {
		t.Errorf("Slack would refuse the view: %q", bad)
	}
	golden(t, "home", view)
}

func TestHomeTabMayBeShownByTheWorkflow(t *testing.T) {
	var client *slack.Client
	b := newBench(t, func(_ *slack.Config, hc *slack.HandlerConfig) {
		hc.Home = func(ctx context.Context, from workflow.Sender) error {
			return client.ShowHome(ctx, from.Account, card.Card{Title: "Hello", Lines: []card.Text{card.Typed(from.Name)}, Fallback: "Hello"})
		}
	})
	client = b.client
	b.event(object{"type": "app_home_opened", "user": alice, "tab": "home"}, nil)
	b.handler.Close()
	if calls := b.api.to("views.publish"); len(calls) != 1 || !strings.Contains(fmt.Sprint(calls[0].json), "Alice Example") {
		t.Errorf("published %v", calls)
	}
}

func TestHomeButtonOpensTheForm(t *testing.T) {
	b := newBench(t, nil)
	f := askForm()
	b.service.answer = workflow.Reply{Form: &f}
	b.interact(with(clickOn(`{"a":"form"}`), object{
		"container": object{"type": "view", "view_id": "V2"}, "channel": nil, "message": nil, "response_url": nil, "view": object{"id": "V2", "type": "home"},
	}))
	b.handler.Close()
	if len(b.api.to("views.open")) != 1 || b.service.senders[0].Place != pim.DirectTo(aliceAccount) {
		t.Errorf("opened %d forms at %v", len(b.api.to("views.open")), b.service.senders)
	}
}

func TestUninstallingIsSaidLoudly(t *testing.T) {
	b := newBench(t, nil)
	b.event(object{"type": "tokens_revoked", "tokens": object{"bot": []any{botUser}}}, nil)
	b.event(object{"type": "app_uninstalled"}, object{"event_id": "Ev2"})
	if b.counts.at(slack.Uninstalled) != 2 || !strings.Contains(b.log.String(), `"level":"ERROR"`) {
		t.Errorf("counted %v, logged %s", b.counts.of, b.log)
	}
}

func TestEventsThatFindNoRoomComeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.api.on("response_url", hangs)
		b.service.answer = workflow.Reply{Card: &card.Card{Fallback: "x"}}
		b.fills(t)
		change := object{"type": "user_change", "user": object{"id": alice}}
		if w := b.event(change, nil); w.Code != http.StatusServiceUnavailable {
			t.Errorf("answered %d", w.Code)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if w := b.event(change, nil); w.Code != http.StatusOK {
			t.Errorf("the repetition: answered %d", w.Code)
		}
		b.handler.Close()
		if len(b.changed) != 1 {
			t.Errorf("told of %d changes", len(b.changed))
		}
	})
}
