package teams_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"elevate/adapters/teams"
	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/workflow"
)

// inPublic is what is said where others read it.
func inPublic(b *bench) []string {
	var said []string
	for _, c := range b.net.written() {
		if text, _ := c.body["text"].(string); text != "" {
			said = append(said, text)
		}
	}
	return said
}

// Who cannot be written to alone is told by what became of their words, and of a private command nobody else hears.
func TestWhoCannotBeWrittenToAloneIsToldWhatBecameOfIt(t *testing.T) {
	stored := card.Card{Title: "MDE Administrator", Tone: card.Waiting, Request: "abc234", Fallback: "x"}
	waits := stored
	waits.Buttons = []card.Button{{Label: "Sign in", Act: card.SignIn, URL: "https://elevate.example.com/auth/start?t=x"}}
	for name, row := range map[string]struct {
		card    card.Card
		private bool
		want    string
	}{
		"done":                {card: stored, want: "I did what you asked (request abc234)"},
		"waits for sign-in":   {card: waits, want: "Your request abc234 waits for your sign-in"},
		"refused":             {card: card.Problem(pim.Errorf(pim.Conflict, "No.")), want: "say it again there"},
		"a private command":   {card: stored, private: true},
		"a private sign-in":   {card: waits, private: true},
		"a list of one's own": {card: hello, want: "say it again there"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, nil)
				b.service.answer.Card = &row.card
				b.net.on("POST conversations", answer(403, `{"error":{"code":"BotNotInConversationRoster"}}`))
				if row.private {
					b.net.on("POST activities", answer(403, `{"error":{"code":"BotNotInConversationRoster"}}`))
				}
				b.send(inChannel(object{"recipient": object{"id": bot, "isTargeted": row.private}}))
				b.handler.Close()
				said := inPublic(b)
				switch {
				case row.want == "" && len(said) > 0:
					t.Errorf("everybody reads %q", said)
				case row.want != "" && (len(said) != 1 || !strings.Contains(said[0], row.want)):
					t.Errorf("said %q, want %q", said, row.want)
				}
			})
		})
	}
}

func TestAnAnswerThatMetABadGatewayIsSentAgainTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.service.answer.Card = &hello
		b.net.on("POST activities", answer(502, ``))
		b.send(typed(nil))
		b.handler.Close()
		if n := len(b.net.written()); n != 3 {
			t.Errorf("sent %d times", n)
		}
		if !strings.Contains(b.log.String(), `"account":"teams:`+tenant+`:`+alice) {
			t.Errorf("the log does not name whose answer it was: %s", b.log)
		}
	})
}

// The members of a roster that was just read need no look-up each when they open the card.
func TestViewsOfThoseInTheRosterNeedNoLookUp(t *testing.T) {
	b := newBench(t, nil)
	b.net.on("GET pagedmembers", answer(200, `{"members":[{"id":"`+aliceMRI+`","aadObjectId":"`+alice+`","tenantId":"`+tenant+`","userRole":"user"}]}`))
	b.service.answer = workflow.Reply{Card: &waiting}
	what := waiting
	what.Personal = []pim.ChatAccount{aliceAccount}
	if _, err := b.client.Post(t.Context(), general, what); err != nil {
		t.Fatal(err)
	}
	b.send(clicked(object{"value": object{"action": object{"data": object{"a": "refresh", "r": "abc234", "k": "card", "m": code("abc234", channelID)}}, "trigger": "automatic"}}))
	for _, c := range b.net.to(connector) {
		if strings.Contains(c.path, "/members/") {
			t.Errorf("looked up at %s", c.path)
		}
	}
	if b.service.told() != 1 {
		t.Error("the view was not drawn")
	}
}

// The app was there before Elevate was, so that they never wrote: their personal chat is opened by what the roster says of them.
func TestWhoStandsInARosterCanBeWrittenTo(t *testing.T) {
	member := func(role string) string {
		return `{"members":[{"id":"` + aliceMRI + `","aadObjectId":"` + alice + `","tenantId":"` + tenant + `","userRole":"` + role + `"}]}`
	}
	what := waiting
	what.Personal = []pim.ChatAccount{aliceAccount}
	for role, wants := range map[string]bool{"guest": false, "user": true} {
		b := newBench(t, nil)
		b.net.on("GET pagedmembers", answer(200, member(role)))
		if _, err := b.client.Post(t.Context(), general, what); err != nil {
			t.Fatal(err)
		}
		if kept := b.refs.at(teams.PersonKey(alice)); (kept.MRI == aliceMRI) != wants {
			t.Errorf("of a %s: kept %+v", role, kept)
		}
		if !wants {
			continue
		}
		b.net.on("POST conversations", answer(201, `{"id":"`+personal+`"}`))
		if _, err := b.client.Post(t.Context(), pim.DirectTo(aliceAccount), hello); err != nil {
			t.Errorf("a direct message: %v", err)
		}
	}
}

// What nobody clicked is no occasion for a sentence beside the card; and a roster that is refused is none to hold a card back.
func TestAViewThatFailsLeavesTheCard(t *testing.T) {
	b := newBench(t, nil)
	b.net.on("GET members", answer(429, ``))
	b.net.on("GET pagedmembers", answer(403, `{"error":{"code":"Forbidden"}}`))
	for trigger, want := range map[string]string{"automatic": "application/vnd.microsoft.error", "manual": "application/vnd.microsoft.activity.message"} {
		var got struct {
			Type string `json:"type"`
		}
		w := b.send(clicked(object{"id": trigger, "value": object{"action": object{"data": object{"a": "refresh", "r": "abc234"}}, "trigger": trigger}}))
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Type != want || w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", trigger, w.Code, w.Body)
		}
	}
	what := waiting
	what.Personal = []pim.ChatAccount{aliceAccount}
	if _, err := b.client.Post(t.Context(), general, what); err != nil {
		t.Error(err)
	}
}

func TestNobodyIsRefusedByWhatTeamsSaidBefore(t *testing.T) {
	b := newBench(t, nil)
	member := func(role string) string {
		return `{"id":"` + aliceMRI + `","aadObjectId":"` + alice + `","tenantId":"` + tenant + `","userRole":"` + role + `"}`
	}
	b.net.on("GET members", answer(200, member("guest")))
	b.send(typed(object{"id": "1"}))
	b.net.on("GET members", answer(200, member("user")))
	b.send(typed(object{"id": "2"}))
	b.handler.Close()
	if b.service.told() != 1 {
		t.Errorf("told %d things", b.service.told())
	}
}

func TestThatKeysCannotBeReadIsLoggedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.net.on("GET keys", answer(502, ``))
		for i := range 12 {
			b.send(fresh(i))
			time.Sleep(10 * time.Second)
		}
		if n := strings.Count(b.log.String(), "keys_not_read"); n != 2 && n != 3 {
			t.Errorf("logged %d times in two minutes", n)
		}
		if b.client.Deaf().IsZero() {
			t.Error("it is not said that nobody is understood")
		}
		b.net.on("GET keys", nil)
		b.send(fresh(20))
		synctest.Wait()
		if !strings.Contains(b.log.String(), "keys_read_again") || !b.client.Deaf().IsZero() {
			t.Errorf("%s", b.log)
		}
	})
}
