package slack_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
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

var aliceAccount = pim.ChatAccount{Chat: pim.Slack, Workspace: team, User: alice}

func TestCommandIsSaidAndAnsweredInTheResponse(t *testing.T) {
	b := newBench(t, nil)
	b.service.answer = workflow.Reply{Card: &card.Card{Title: "Asked", Lines: []card.Text{card.Plain("Bob was asked.")}, Fallback: "Bob was asked."}}
	w := b.command(nil)
	shows(t, w, "Bob was asked.")
	var answer struct {
		ResponseType string `json:"response_type"`
		Text         string
		Blocks       []any
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || answer.ResponseType != "ephemeral" || answer.Text == "" || len(answer.Blocks) != 2 {
		t.Errorf("answered %s (%v)", w.Body, err)
	}
	from := b.service.senders[0]
	zone := from.Zone.String()
	from.Zone, from.Once = nil, ""
	want := workflow.Sender{Account: aliceAccount, Name: "Alice Example", Place: pim.Conversation{Chat: pim.Slack, Workspace: team, ID: channel}}
	if diff := cmp.Diff(want, from); diff != "" || zone != "Europe/Berlin" {
		t.Errorf("sender in %s: %s", zone, diff)
	}
	if len(b.api.to("response_url")) != 0 {
		t.Error("the response URL was used without need")
	}
}

func TestCommandWithNothingToSayIsAcknowledged(t *testing.T) {
	b := newBench(t, nil)
	if w := b.command(nil); w.Code != http.StatusOK || w.Body.Len() != 0 {
		t.Errorf("answered %d %q", w.Code, w.Body)
	}
}

func TestDirectConversationBelongsToThePerson(t *testing.T) {
	b := newBench(t, nil)
	b.command(url.Values{"channel_id": {"D0BETWEENTWO"}})
	if got := b.service.senders[0].Place; got != pim.DirectTo(aliceAccount) {
		t.Errorf("the place is %v", got)
	}
}

func TestIncompleteCommandsAreRefused(t *testing.T) {
	for _, field := range []string{"command", "team_id", "user_id"} {
		b := newBench(t, nil)
		b.silent(t, b.command(url.Values{field: nil}), http.StatusBadRequest, slack.Malformed)
	}
	b := newBench(t, nil)
	b.silent(t, b.command(url.Values{"user_id": {"not.a.user"}}), http.StatusBadRequest, slack.Malformed)
}

func TestForeignCommandsAreRefusedWithoutDetail(t *testing.T) {
	for name, with := range map[string]url.Values{
		"another workspace":                     {"team_id": {"T0OTHER"}},
		"another app":                           {"api_app_id": {"A0OTHER"}},
		"no app":                                {"api_app_id": nil},
		"our team only as another's enterprise": {"team_id": {"T0OTHER"}, "enterprise_id": {team}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			b.silent(t, b.command(with), http.StatusForbidden, slack.Foreign)
			if len(b.api.to("users.info")) != 0 {
				t.Error("a foreign account was looked up")
			}
		})
	}
}

func TestOrganisationIsServedInAllItsWorkspaces(t *testing.T) {
	wide := func(cfg *slack.Config, _ *slack.HandlerConfig) {
		cfg.TeamID = "E0ORG"
		cfg.Transport.(*api).on("auth.test", ok(object{"team_id": team, "enterprise_id": "E0ORG", "user_id": botUser, "bot_id": botID}))
	}
	b := newBench(t, wide)
	b.api.change(object{"team_id": "T0SECOND", "enterprise_user": object{"id": alice, "enterprise_id": "E0ORG"}})
	b.command(url.Values{"team_id": {"T0SECOND"}, "enterprise_id": {"E0ORG"}, "is_enterprise_install": {"true"}})
	if b.service.told() != 1 || b.service.senders[0].Account.Workspace != "E0ORG" {
		t.Errorf("told %v, counted %v", b.service.senders, b.counts.of)
	}
	b = newBench(t, wide)
	b.silent(t, b.command(url.Values{"enterprise_id": {"E0OTHER"}}), http.StatusForbidden, slack.Foreign)
	b = newBench(t, wide)
	b.api.change(object{"enterprise_user": object{"enterprise_id": "E0OTHER"}})
	shows(t, b.command(url.Values{"enterprise_id": {"E0ORG"}}), "other workspaces")
	if b.service.told() != 0 {
		t.Error("somebody of another organisation was listened to")
	}
}

// notAllowed are the people whom Elevate does not listen to, whatever they press.
var notAllowed = map[string]struct {
	is    object
	words string
}{
	"guest of several channels": {object{"is_restricted": true}, "Guests"},
	"guest of one channel":      {object{"is_ultra_restricted": true}, "Guests"},
	"bot":                       {object{"is_bot": true}, "Bots"},
	"workflow":                  {object{"is_workflow_bot": true}, "Bots"},
	"deactivated person":        {object{"deleted": true}, "deactivated"},
	"stranger":                  {object{"is_stranger": true}, "other workspaces"},
	"person of another team":    {object{"team_id": "T0OTHER"}, "other workspaces"},
	"person who never came":     {object{"is_invited_user": true}, "taken up"},
}

func TestWhoMayNotCommand(t *testing.T) {
	for name, test := range notAllowed {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			b.api.change(test.is)
			shows(t, b.command(nil), test.words)
			if b.service.told() != 0 || b.counts.at(slack.NotAllowed) != 1 {
				t.Errorf("told %d times, counted %v", b.service.told(), b.counts.of)
			}
		})
	}
}

func TestAccountThatCannotBeLookedUpIsRefused(t *testing.T) {
	for name, r := range map[string]reply{
		"refused":                 refused("internal_error"),
		"unknown":                 refused("user_not_found"),
		"throttled":               func(*http.Request, call) (*http.Response, error) { return response(429, "text/plain", ""), nil },
		"ok:false without error":  body(`{"ok":false}`),
		"nothing":                 body(`{}`),
		"ok without a user":       body(`{"ok":true}`),
		"somebody else":           ok(object{"user": object{"id": "U0OTHER", "team_id": team}}),
		"a page in place of JSON": body(`<html>`),
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			b.api.on("users.info", r)
			w := b.command(nil)
			if w.Code != http.StatusOK || w.Body.Len() == 0 || b.service.told() != 0 {
				t.Errorf("answered %d %q, told %d times", w.Code, w.Body, b.service.told())
			}
		})
	}
}

func TestAnswerLeavesInTimeWhileSlackHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.api.on("users.info", hangs)
		begin := machineTime()
		shows(t, b.command(nil), "nothing was asked for")
		if took := machineTime().Sub(begin); took > 2*time.Second {
			t.Errorf("took %v", took)
		}
		if b.service.told() != 0 {
			t.Error("somebody who was not looked up was listened to")
		}
	})
}

func hangs(r *http.Request, _ call) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestProfileIsBelievedForFiveMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.command(nil)
		b.command(nil)
		if n := len(b.api.to("users.info")); n != 1 {
			t.Errorf("looked up %d times", n)
		}
		b.api.change(object{"deleted": true})
		time.Sleep(5 * time.Minute)
		shows(t, b.command(nil), "deactivated")
		if b.service.told() != 2 {
			t.Errorf("told %d times", b.service.told())
		}
	})
}

func TestLinksAndDecisionsBelieveNothingOlder(t *testing.T) {
	b := newBench(t, nil)
	b.command(nil) // what was looked up is remembered for commands
	b.api.change(object{"deleted": true})
	if err := b.client.Account(t.Context(), aliceAccount); !pim.IsKind(err, pim.Forbidden) {
		t.Errorf("a moment after it was deactivated: %v", err)
	}
	shows(t, b.command(nil), "deactivated")
}

func TestUnknownZoneFallsBackToItsOffset(t *testing.T) {
	b := newBench(t, nil)
	b.api.change(object{"tz": "Nowhere/At-All", "tz_offset": -3600})
	b.command(nil)
	if _, offset := machineTime().In(b.service.senders[0].Zone).Zone(); offset != -3600 {
		t.Errorf("the offset is %d", offset)
	}
}

func TestTextOfACommandIsWhatWasTyped(t *testing.T) {
	for typed, want := range map[string]string{
		"  mde-admin x ":                    "mde-admin x",
		"a &amp; b &lt; c &gt; d":           "a & b < c > d",
		"ask <@U0BOB|bob> in <#C1|general>": "ask @bob in #general",
		"ask <@U0BOB>":                      "ask @U0BOB",
		"<!channel> <!here|here>":           "@channel @here",
		"see <https://example.com/a|a>":     "see https://example.com/a",
		"&amp;lt;":                          "&lt;",
	} {
		b := newBench(t, nil)
		b.command(url.Values{"text": {typed}})
		if got := b.service.commands[0]; got != want {
			t.Errorf("%q was said as %q, want %q", typed, got, want)
		}
	}
}

func TestNothingIsTakenBeforeTheStart(t *testing.T) {
	b := newBench(t, nil)
	cfg := slack.Config{TeamID: team, Transport: b.api, Now: machineTime}
	hc := slack.HandlerConfig{Client: slack.NewClient(cfg), Service: b.service, Now: machineTime, Count: b.counts.count}
	b.handler = slack.NewHandler(hc)
	b.silent(t, b.command(nil), http.StatusUnauthorized, slack.Signature) // no secret: nothing is verified
	maps.DeleteFunc(b.counts.of, func(string, int) bool { return true })
	c := newBench(t, func(_ *slack.Config, hc *slack.HandlerConfig) { hc.Count = b.counts.count })
	started := c.handler
	idle := slack.NewClient(cfg)
	c.handler = slack.NewHandler(slack.HandlerConfig{Client: idle, Service: c.service, SigningSecret: secretText(), Now: machineTime, Count: c.counts.count})
	c.silent(t, c.command(nil), http.StatusServiceUnavailable, slack.NotStarted)
	started.Close()
}

func TestLogHoldsNoCredentials(t *testing.T) {
	b := newBench(t, nil)
	b.service.answer = workflow.Reply{Form: &card.Form{Name: card.FormAsk}, Card: &card.Card{Fallback: "x"}}
	for _, method := range []string{"views.open", "response_url", "chat.postEphemeral", "conversations.open"} {
		b.api.on(method, func(*http.Request, call) (*http.Response, error) { return response(500, "text/html", "<html>"), nil })
	}
	b.command(nil)
	b.interact(clickOn(`{"a":"approve"}`))
	b.handler.Close()
	if b.log.Len() == 0 {
		t.Fatal("nothing was logged, so the test shows nothing")
	}
	for _, word := range []string{botToken, signingSecret, "hooks.slack.com", "credential", "1.2.trigger", "1.3.trigger"} {
		if strings.Contains(b.log.String(), word) {
			t.Errorf("the log holds %q: %s", word, b.log)
		}
	}
}
