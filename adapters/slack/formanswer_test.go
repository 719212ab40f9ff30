package slack_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"elevate/adapters/slack"
	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/workflow"
)

// askedByForm opens a form by a command, waits, fills it in, and answers with a card.
func (b *bench) askedByForm(t *testing.T, wait time.Duration, answer card.Card) {
	t.Helper()
	f := askForm()
	b.service.answer = workflow.Reply{Form: &f}
	b.command(nil)
	synctest.Wait()
	time.Sleep(wait)
	b.service.answer = workflow.Reply{Card: &answer}
	b.interact(submission(object{"private_metadata": `{}`}))
	synctest.Wait()
}

func TestAnswerToAFormStandsWhereTheFormWasAskedFor(t *testing.T) {
	for name, row := range map[string]struct {
		wait           time.Duration
		hooked, direct int
	}{
		"at once": {time.Minute, 1, 0},
		"after Slack takes no answer there any more": {30 * time.Minute, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, nil)
				b.askedByForm(t, row.wait, card.Card{Fallback: "It waits for a sign-in."})
				b.handler.Close()
				hooked, direct := b.api.to("response_url"), b.api.to("chat.postMessage")
				if len(hooked) != row.hooked || len(direct) != row.direct {
					t.Fatalf("answered %d times there, %d times in a direct message", len(hooked), len(direct))
				}
				if row.hooked > 0 && hooked[0].json["response_type"] != "ephemeral" {
					t.Errorf("everybody sees %v", hooked[0].json)
				}
				if strings.Contains(b.log.String(), "hooks.slack.com") {
					t.Errorf("the address was logged: %s", b.log)
				}
			})
		})
	}
}

func TestDirectAnswerAboutARequestBecomesItsCard(t *testing.T) {
	signIn := []card.Button{{Label: "Sign in", Act: card.SignIn, URL: "https://elevate.example.com/auth/start?t=x"}}
	for name, row := range map[string]struct {
		answer card.Card
		want   []workflow.Click
	}{
		"about a request": {card.Card{Fallback: "x", Request: "abc234"}, []workflow.Click{{
			Act: card.Refresh, Request: "abc234", Ref: pim.MessageRef{Conversation: pim.DirectTo(aliceAccount), ID: "1.000001", Channel: channel},
		}}},
		"about nothing":       {card.Card{Fallback: "x"}, nil},
		"with a sign-in link": {card.Card{Fallback: "x", Request: "abc234", Buttons: signIn}, nil},
	} {
		b := newBench(t, nil)
		b.service.answer = workflow.Reply{Card: &row.answer}
		b.interact(submission(object{"private_metadata": `{}`}))
		b.handler.Close()
		if got := b.service.clicks; fmt.Sprint(got) != fmt.Sprint(row.want) {
			t.Errorf("%s: adopted %+v", name, got)
		}
	}
}

func TestDirectAnswerThatWasNotPostedBecomesNothing(t *testing.T) {
	b := newBench(t, nil)
	b.api.on("chat.postMessage", refused("channel_not_found"))
	b.service.answer = workflow.Reply{Card: &card.Card{Fallback: "x", Request: "abc234"}}
	b.interact(submission(object{"private_metadata": `{}`}))
	b.handler.Close()
	if len(b.service.clicks) != 0 || b.counts.at(slack.Undelivered) != 1 {
		t.Errorf("adopted %v, counted %v", b.service.clicks, b.counts.of)
	}
}
