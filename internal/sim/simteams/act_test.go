package simteams_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"elevate/internal/sim/simteams"
)

func jsonBody(s string) io.Reader { return strings.NewReader(s) }

// refreshing gives a card a view of their own for some people.
func refreshing(c map[string]any, people ...any) map[string]any {
	if people == nil {
		people = []any{}
	}
	c["refresh"] = map[string]any{
		"action":  map[string]any{"type": "Action.Execute", "verb": "refresh", "data": map[string]any{"request": "AB12CD"}},
		"userIds": people,
	}
	return c
}

func TestWhatIsSaidArrivesAsTeamsWritesIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, row := range []struct {
		name, place, words string
		want               []string
	}{
		{"in the personal chat", "dm", "/elevate roles", []string{
			`"text":"/elevate roles"`, `"conversationType":"personal"`, `"aadObjectId":"0be0b1e5-0000-4000-8000-000000000004"`,
			`"timezone":"Europe/Berlin"`, `"localTimezone":"Europe/Berlin"`, `"localTimestamp":"2026-03-02T10:00:00`, `"channelId":"msteams"`,
			`"tenant":{"id":"c0705000-0000-4000-8000-000000000001"}`, `"textFormat":"plain"`, `"contentType":"text/html"`,
		}},
		{"in a channel", "#approvals", "@Elevate roles", []string{
			`"text":"\u003cat\u003eElevate\u003c/at\u003e\u0026nbsp;roles"`, `"type":"mention"`, `"isGroup":true`, `"conversationType":"channel"`,
			`;messageid=`, `"aadGroupId"`, `"teamsChannelId"`,
		}},
		{"in a group chat", "incident", "@Elevate roles", []string{`"conversationType":"groupChat"`, `@thread.v2"`, `\u003c/at\u003e roles\n"`}},
		{"with marks of HTML", "#approvals", "@Elevate a<b & c", []string{`\u0026nbsp;a\u0026lt;b \u0026amp; c"`}},
		{"as a slash command", "#approvals", "/elevate for 2h", []string{`"isTargeted":true`, `"text":"elevate for 2h"`}},
	} {
		if told, err := w.Say(t.Context(), "dan", row.place, row.words); err != nil || !told {
			t.Errorf("%s: %v %v", row.name, told, err)
			continue
		}
		contains(t, string(w.last(t).body), row.want...)
	}
}

func TestTheBotIsNotToldOfWhatIsSaidWithoutItsMention(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, place := range []string{"#approvals", "incident", "#war-room"} {
		if told, err := w.Say(t.Context(), "alice", place, "just talking"); told || err != nil {
			t.Errorf("%s: %v %v", place, told, err)
		}
	}
	if told, err := w.Say(t.Context(), "alice", "#war-room", "@Elevate roles"); told || err != nil {
		t.Errorf("a private channel: %v %v", told, err)
	}
	if w.received() != 0 {
		t.Errorf("the bot got %d activities", w.received())
	}
	contains(t, w.sees(t, "bob"), "#approvals| Alice Anders: just talking")
}

func TestPeopleDoWhatTheyCanOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, err := range map[string]error{
		"without the app":   say(t, w, "erin", "dm", "roles"),
		"a guest's chat":    say(t, w, "gus", "dm", "roles"),
		"not there":         say(t, w, "sam", "#approvals", "hello"),
		"gone":              say(t, w, "dora", "#approvals", "hello"),
		"no such command":   say(t, w, "alice", "#approvals", "/dance"),
		"a private channel": say(t, w, "alice", "#war-room", "/elevate"),
		"nobody":            say(t, w, "nobody", "dm", "x"),
	} {
		if err == nil {
			t.Errorf("%s: it was said", name)
		}
	}
	for _, outsider := range []string{"gus", "sam", "ann"} {
		if err := say(t, w, outsider, "incident", "@Elevate roles"); err != nil {
			t.Errorf("%s: %v", outsider, err)
		}
	}
	lacks(t, string(w.last(t).body), "aadObjectId")
}

func say(t *testing.T, w *world, person, place, words string) error {
	t.Helper()
	_, err := w.Say(t.Context(), person, place, words)
	return err
}

func TestAClickIsAnInvokeAndItsAnswerTheClickersView(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	approvals := simteams.ChannelID(simteams.Approvals)
	id := w.posts(t, approvals, message(card(block("MDE Administrator"), set(execute("Approve", "approve", map[string]any{"request": "AB12CD"})))))
	contains(t, w.sees(t, "bob"), "MDE Administrator\n[Approve]")
	w.answersCard(card(block("You approved it")))
	done, err := w.Click(t.Context(), "bob", simteams.Press{Button: "approve", In: "#approvals"})
	if err != nil || !done.Sent {
		t.Fatal(done, err)
	}
	contains(t, string(w.last(t).body), `"name":"adaptiveCard/action"`, `"type":"invoke"`, `"replyToId":"`+id+`"`, `"trigger":"manual"`,
		`"action":{"data":{"request":"AB12CD"},"title":"Approve","type":"Action.Execute","verb":"approve"}`, `;messageid=`+id)
	contains(t, w.sees(t, "bob"), "You approved it")
	contains(t, w.sees(t, "carol"), "MDE Administrator\n[Approve]")
	if a := w.calls(t, http.MethodPut, w.activity(approvals, id), message(card(block("Approved by Bob")))); a.status != http.StatusOK {
		t.Fatal(a.status)
	}
	contains(t, w.sees(t, "bob"), "Approved by Bob")
	contains(t, w.sees(t, "carol"), "Approved by Bob")
}

func TestAnswersOfInvokesAreShownAsClientsShowThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dm := w.dm(t, "alice")
	w.posts(t, dm, message(card(set(execute("Go", "go", nil)))))
	for _, row := range []struct {
		name, body string
		status     int
		want, code string
	}{
		{"a toast", `{"statusCode":200,"type":"application/vnd.microsoft.activity.message","value":"done so far"}`, 200, "done so far", ""},
		{"an error", `{"statusCode":400,"type":"application/vnd.microsoft.error","value":{"code":"x","message":"that went wrong"}}`, 200, "that went wrong", ""},
		{"nothing", ``, 200, "Something went wrong. Please try again.", "invalid_invoke_response"},
		{"another status inside", `{"statusCode":500,"type":"application/vnd.microsoft.activity.message","value":"x"}`, 200, "Something went wrong", "invalid_invoke_response"},
		{"a card that is none", `{"statusCode":200,"type":"application/vnd.microsoft.card.adaptive","value":"x"}`, 200, "Something went wrong", "invalid_card_in_invoke_response"},
		{"a failure", ``, 500, "Unable to reach app. Please try again.", "status_500"},
	} {
		before := w.Revision()
		w.answers(func(rw http.ResponseWriter, _ *http.Request) {
			rw.WriteHeader(row.status)
			_, _ = io.WriteString(rw, row.body)
		})
		_, err := w.Click(t.Context(), "alice", simteams.Press{Button: "Go"})
		if d, ok := errors.AsType[*simteams.DeliveryError](err); row.code == "" && err != nil || row.code != "" && (!ok || d.Code != row.code) {
			t.Errorf("%s: %v", row.name, err)
		}
		shown, err := w.Sees("alice", before)
		if err != nil || len(shown) != 1 || !strings.HasPrefix(shown[0].Text, row.want) || shown[0].Where != "teams" {
			t.Errorf("%s: %+v %v", row.name, shown, err)
		}
	}
}

func TestPeopleWithAViewOfTheirOwnSeeItWhenTheyLook(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	approvals := simteams.ChannelID(simteams.Approvals)
	id := w.posts(t, approvals, message(refreshing(card(block("waits for an approver")), w.mri(t, "bob"))))
	w.answersCard(refreshing(card(block("decide it"), set(execute("Approve", "approve", nil))), w.mri(t, "bob")))
	contains(t, w.sees(t, "carol"), "waits for an approver\n(… Refresh card)")
	if w.received() != 0 {
		t.Error("carol's client asked for a view")
	}
	contains(t, w.sees(t, "bob"), "decide it\n[Approve]")
	contains(t, string(w.last(t).body), `"trigger":"automatic"`, `"request":"AB12CD"`)
	w.sees(t, "bob")
	if w.received() != 1 {
		t.Errorf("bob's client asked %d times within a minute", w.received())
	}
	w.pass(2 * time.Minute)
	w.sees(t, "bob")
	if w.received() != 2 {
		t.Errorf("bob's client asked %d times after it", w.received())
	}
	w.calls(t, http.MethodPut, w.activity(approvals, id), message(card(block("decided"))))
	contains(t, w.sees(t, "bob"), "decided")
	if w.received() != 2 {
		t.Error("a card without a view was asked for")
	}
}

func TestAnybodyRefreshesACardByHand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.posts(t, simteams.ChannelID(simteams.Approvals), message(refreshing(card(block("base")))))
	w.answersCard(card(block("as carol may see it")))
	if _, err := w.Click(t.Context(), "carol", simteams.Press{Button: "Refresh card"}); err != nil {
		t.Fatal(err)
	}
	contains(t, string(w.last(t).body), `"verb":"refresh"`, `"trigger":"manual"`)
	contains(t, w.sees(t, "carol"), "as carol may see it")
	contains(t, w.sees(t, "alice"), "base")
}

func TestFormsAreFilledInAndCheckedByTheClientFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answersCard(card(block("thanks")))
	w.posts(t, w.dm(t, "alice"), message(card(
		map[string]any{"type": "Input.ChoiceSet", "id": "role", "label": "Role", "value": "a", "choices": []any{
			map[string]any{"title": "MDE Analyst", "value": "a"}, map[string]any{"title": "MDE Administrator", "value": "b"},
		}},
		map[string]any{"type": "Input.Text", "id": "reason", "label": "Reason", "isRequired": true, "errorMessage": "Say why.", "maxLength": 10},
		set(execute("Ask", "ask", map[string]any{"form": "ask"})),
	)))
	contains(t, w.sees(t, "alice"), "Role: MDE Analyst {MDE Analyst | MDE Administrator}\nReason *:\n[Ask]")
	if done, err := w.Click(t.Context(), "alice", simteams.Press{Button: "Ask"}); err != nil || done.Sent {
		t.Fatal(done, err)
	}
	contains(t, w.sees(t, "alice"), "teams| Say why.")
	if _, err := w.Click(t.Context(), "alice", simteams.Press{Values: map[string]string{"role": "MDE Admin", "Reas": "isolating WS-042"}}); err != nil {
		t.Fatal(err)
	}
	contains(t, string(w.last(t).body), `"data":{"form":"ask","reason":"isolating ","role":"b"}`)
	if _, err := w.Click(t.Context(), "alice", simteams.Press{Button: "Ask", Values: map[string]string{"role": "Nothing"}}); err == nil {
		t.Error("a choice that is not there was taken")
	}
}

func TestAButtonThatOpensACardPressesWhatIsInside(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answersCard(card(block("denied")))
	inner := card(map[string]any{"type": "Input.Text", "id": "reason", "label": "Reason"}, set(execute("Deny", "deny", nil)))
	w.posts(t, w.dm(t, "alice"), message(card(block("x"), set(map[string]any{"type": "Action.ShowCard", "title": "Deny", "card": inner}))))
	contains(t, w.sees(t, "alice"), "[Deny]\n  Reason:\n  [Deny]")
	if _, err := w.Click(t.Context(), "alice", simteams.Press{Button: "Deny", Values: map[string]string{"reason": "not now"}}); err != nil {
		t.Fatal(err)
	}
	contains(t, string(w.last(t).body), `"verb":"deny"`, `"reason":"not now"`)
}

func TestAnOldClientSubmitsTheFallback(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.ChangePerson("alice", func(p *simteams.Person) { p.OldClient = true }); err != nil {
		t.Fatal(err)
	}
	w.posts(t, w.dm(t, "alice"), message(refreshing(card(set(execute("Go", "go", map[string]any{"a": "b"}))), w.mri(t, "alice"))))
	lacks(t, w.sees(t, "alice"), "Refresh card")
	if _, err := w.Click(t.Context(), "alice", simteams.Press{Button: "Go"}); err != nil {
		t.Fatal(err)
	}
	got := w.last(t).activity
	if _, hasText := got["text"]; got["type"] != "message" || hasText || got["replyToId"] == nil {
		t.Errorf("%v", got)
	}
	contains(t, string(w.last(t).body), `"value":{"a":"b"}`)
}

func TestTheAppIsAddedAndTakenAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.Install(t.Context(), "erin", "dm"); err != nil {
		t.Fatal(err)
	}
	contains(t, string(w.last(t).body), `"type":"installationUpdate"`, `"action":"add"`, `"conversationType":"personal"`)
	if w.received() != 2 {
		t.Errorf("the bot was told %d times", w.received())
	}
	w.posts(t, w.dm(t, "erin"), plain("welcome"))
	if err := w.Uninstall(t.Context(), "erin", "dm"); err != nil {
		t.Fatal(err)
	}
	contains(t, string(w.last(t).body), `"action":"remove"`)
	if a := w.calls(t, http.MethodPost, activities(w.dm(t, "erin")), plain("x")); a.code() != "BotNotInConversationRoster" {
		t.Errorf("%d %v", a.status, a.body)
	}
	if err := w.Uninstall(t.Context(), "ada", "#approvals"); err != nil {
		t.Fatal(err)
	}
	contains(t, string(w.last(t).body), `"action":"remove"`, `"team"`)
	if a := w.calls(t, http.MethodPost, activities(simteams.ChannelID(simteams.OnCall)), plain("x")); a.code() != "BotNotInConversationRoster" {
		t.Errorf("another channel of the team: %d %v", a.status, a.body)
	}
	for _, err := range []error{w.Install(t.Context(), "gus", "dm"), w.Install(t.Context(), "ada", "#war-room"), w.Install(t.Context(), "dora", "dm")} {
		if err == nil {
			t.Error("the app was added where it cannot be")
		}
	}
}

func TestSomebodyJoinsAChannelAndLeavesIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.Join(t.Context(), "sam", "#approvals"); err != nil {
		t.Fatal(err)
	}
	contains(t, string(w.last(t).body), `"membersAdded":[{"aadObjectId":"fab81ca0-`, `"eventType":"teamMemberAdded"`)
	if err := say(t, w, "sam", "#approvals", "hello"); err != nil {
		t.Error(err)
	}
	if err := w.Leave(t.Context(), "sam", simteams.ChannelID(simteams.Approvals)); err != nil {
		t.Fatal(err)
	}
	contains(t, string(w.last(t).body), `"membersRemoved"`)
	if err := say(t, w, "sam", "#approvals", "hello"); err == nil {
		t.Error("somebody who left spoke")
	}
	before := w.received()
	if err := w.Leave(t.Context(), "alice", "war-room"); err != nil || w.received() != before {
		t.Errorf("the bot was told of a private channel, %v", err)
	}
	if err := w.Join(t.Context(), "alice", "nowhere"); err == nil {
		t.Error("somebody joined nothing")
	}
}

func TestOddActivitiesAreSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, kind := range simteams.OddKinds() {
		before := w.received()
		if _, err := w.Odd(t.Context(), "alice", "dm", kind); err != nil || w.received() != before+1 {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if _, err := w.Odd(t.Context(), "alice", "dm", "nothing"); err == nil {
		t.Error("nothing odd was sent")
	}
}

func TestTheLastActivityIsRepeatedUnderItsId(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.Again(t.Context(), "alice"); err == nil {
		t.Error("nothing was repeated")
	}
	if err := say(t, w, "alice", "dm", "roles"); err != nil {
		t.Fatal(err)
	}
	first := w.last(t).activity["id"]
	if err := w.Again(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	if again := w.last(t).activity["id"]; again != first || w.received() != 2 {
		t.Errorf("%v, then %v", first, again)
	}
	if _, err := w.Forge(t.Context(), "alice", simteams.Forgery{Body: []byte("{")}); err != nil {
		t.Fatal(err)
	}
	if string(w.last(t).body) != "{" {
		t.Errorf("%s", w.last(t).body)
	}
}

func TestABotThatAnswersTooLateIsNotReached(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(c *simteams.Config) { c.AckWithin = 20 * time.Millisecond })
	w.posts(t, w.dm(t, "alice"), message(card(set(execute("Go", "go", nil)))))
	w.answers(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	_, err := w.Click(t.Context(), "alice", simteams.Press{Button: "Go"})
	if d, ok := errors.AsType[*simteams.DeliveryError](err); !ok || d.Code != "timeout" {
		t.Errorf("%v", err)
	}
	contains(t, w.sees(t, "alice"), "teams| Unable to reach app.")
}

func TestNobodyIsReachedByButtonsOnceTheAppIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.posts(t, w.dm(t, "alice"), message(card(set(execute("Go", "go", nil)))))
	if err := w.Uninstall(t.Context(), "alice", "dm"); err != nil {
		t.Fatal(err)
	}
	before := w.received()
	if done, err := w.Click(t.Context(), "alice", simteams.Press{Button: "Go"}); err != nil || done.Sent || w.received() != before {
		t.Errorf("%+v %v", done, err)
	}
	contains(t, w.sees(t, "alice"), "teams| Unable to reach app.")
}

func TestAChangedClientBringsBackOtherData(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answersCard(card(block("thanks")))
	w.posts(t, w.dm(t, "alice"), message(card(set(execute("Go", "go", map[string]any{"request": "AB12CD", "act": "approve"})))))
	if _, err := w.Click(t.Context(), "alice", simteams.Press{Button: "Go"}); err != nil {
		t.Fatal(err)
	}
	forged := simteams.Forgery{Data: map[string]any{"request": "ZZ99ZZ"}}
	if _, err := w.Forge(t.Context(), "alice", forged); err != nil {
		t.Fatal(err)
	}
	contains(t, string(w.last(t).body), `"data":{"act":"approve","request":"ZZ99ZZ"}`, `"verb":"go"`)
	forgedID := w.last(t).activity["id"]
	if err := w.Again(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	contains(t, string(w.last(t).body), `"request":"AB12CD"`)
	if w.last(t).activity["id"] == forgedID {
		t.Error("the forged click is a repetition of the genuine one")
	}
	if err := say(t, w, "alice", "dm", "hello"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Forge(t.Context(), "alice", forged); err != nil {
		t.Fatal(err)
	}
	contains(t, string(w.last(t).body), `"value":{"request":"ZZ99ZZ"}`)
}

// What a rewrite brought is newer than the answer of a click that was made before it.
func TestALateAnswerDoesNotHideARewrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dm := w.dm(t, "alice")
	id := w.posts(t, dm, message(card(block("first"), set(execute("Go", "go", nil)))))
	w.answers(func(rw http.ResponseWriter, _ *http.Request) {
		w.calls(t, http.MethodPut, w.activity(dm, id), message(card(block("rewritten")))) //nolint:contextcheck // a call of the test's own
		_, _ = io.WriteString(rw, `{"statusCode":200,"type":"application/vnd.microsoft.card.adaptive","value":{"type":"AdaptiveCard","version":"1.5","body":[]}}`)
	})
	if _, err := w.Click(t.Context(), "alice", simteams.Press{Button: "Go"}); err != nil {
		t.Fatal(err)
	}
	contains(t, w.sees(t, "alice"), "dm| rewritten")
}

func TestManyActAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(c *simteams.Config) { c.Unlimited = true })
	approvals := simteams.ChannelID(simteams.Approvals)
	id := w.posts(t, approvals, message(refreshing(card(block("x"), set(execute("Go", "go", nil))), w.mri(t, "bob"))))
	w.answersCard(card(block("y"), set(execute("Go", "go", nil))))
	var all sync.WaitGroup
	for i, person := range []string{"alice", "bob", "carol", "dan", "frank", "lena"} {
		all.Go(func() {
			for range 5 {
				if _, err := w.Click(t.Context(), person, simteams.Press{Button: "Go"}); err != nil {
					t.Error(err)
				}
				if err := w.Look(t.Context(), person); err != nil {
					t.Error(err)
				}
				if i%2 == 0 {
					w.calls(t, http.MethodPut, w.activity(approvals, id), message(card(block("z"), set(execute("Go", "go", nil)))))
				}
				if _, err := w.Sees(person, 0); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if w.received() < 30 {
		t.Errorf("the bot got %d activities", w.received())
	}
}
