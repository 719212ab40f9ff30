package simslack_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"elevate/internal/sim/simslack"
)

func TestDeliveriesAreSignedOverTheirBytesAndTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.trigger(t)
	for _, row := range []struct {
		name    string
		forgery simslack.Forgery
		age     time.Duration
		valid   bool
	}{
		{"genuine", simslack.Forgery{}, 0, true},
		{"wrong signature", simslack.Forgery{WrongSignature: true}, 0, false},
		{"stale", simslack.Forgery{Age: 10 * time.Minute}, 10 * time.Minute, true},
		{"another body", simslack.Forgery{Body: []byte("x=1")}, 0, true},
	} {
		if _, err := w.Forge(t.Context(), "alice", row.forgery); err != nil {
			t.Fatal(err)
		}
		got := w.last(t)
		stamp := got.header.Get("X-Slack-Request-Timestamp")
		mac := hmac.New(sha256.New, []byte(w.App().SigningSecret))
		_, _ = fmt.Fprintf(mac, "v0:%s:%s", stamp, got.body)
		valid := got.header.Get("X-Slack-Signature") == "v0="+hex.EncodeToString(mac.Sum(nil))
		if valid != row.valid || stamp != fmt.Sprint(w.now().Add(-row.age).Unix()) {
			t.Errorf("%s: valid %v, timestamp %s", row.name, valid, stamp)
		}
	}
}

func TestADeliveryOfAnotherWorkspaceNamesItEverywhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.call(t, "chat.postMessage", args{"channel": simslack.Approvals, "blocks": []any{actions(button(nil))}})
	if _, err := w.Click(t.Context(), "bob", simslack.Press{Button: "é"}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Forge(t.Context(), "bob", simslack.Forgery{Team: "T0FABRIKAM", App: "A0OTHER"}); err != nil {
		t.Fatal(err)
	}
	p := w.payload(t)
	team, _ := p["team"].(args)
	user, _ := p["user"].(args)
	if team["id"] != "T0FABRIKAM" || user["team_id"] != "T0FABRIKAM" || p["api_app_id"] != "A0OTHER" {
		t.Errorf("got %v", p)
	}
}

func TestAnAppThatDoesNotAnswerIsToldOn(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		app  http.HandlerFunc
		code string
	}{
		{"too slow", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "operation_timeout"},
		{"an error", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusInternalServerError) }, "http_service_error"},
		{"blocks that are too many", says(`{"blocks":[{"type":"banner"}]}`), "invalid_command_response"},
		{"a JSON list", says(`[1]`), "invalid_command_response"},
	} {
		w := newWorldWith(t, func(c *simslack.Config) { c.AckWithin = 50 * time.Millisecond })
		w.answers(row.app)
		err := w.Slash(t.Context(), "alice", simslack.General, "/elevate")
		var failed *simslack.DeliveryError
		if !errors.As(err, &failed) || failed.Code != row.code {
			t.Errorf("%s: %v", row.name, err)
		}
		if text := sees(t, w, "alice"); !strings.Contains(text, `/elevate failed with the error "`+row.code+`"`) {
			t.Errorf("%s: alice sees %q", row.name, text)
		}
	}
}

func says(body string) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, body) }
}

func TestCommandsAreForThoseWhoMayTypeThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, row := range []struct{ name, person, channel, line, want string }{
		{"of another workspace", "sam", simslack.Shared, "/elevate", "not a valid command"},
		{"deactivated", "dora", simslack.General, "/elevate", "deactivated"},
		{"unknown command", "alice", simslack.General, "/promote me", "not a valid command"},
		{"not in the channel", "pat", simslack.OnCall, "/elevate", "not in that channel"},
		{"nobody", "zoe", simslack.General, "/elevate", "nobody in this Slack"},
	} {
		if err := w.Slash(t.Context(), row.person, row.channel, row.line); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
	if len(w.got) != 0 {
		t.Error("the app was told")
	}
}

func TestNamesInACommandBecomeIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.Slash(t.Context(), "alice", "dm", "/elevate who @bob in #on-call, not @nobody"); err != nil {
		t.Fatal(err)
	}
	form, err := url.ParseQuery(string(w.last(t).body))
	if err != nil || form.Get("text") != "who <@U0PERSON02> in <#C0ONCALL>, not @nobody" || form.Get("channel_name") != "directmessage" {
		t.Errorf("got %v, %v", form, err)
	}
}

func TestAResponseURLTakesFivePostsInThirtyMinutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.trigger(t)
	post := func(hook string) error {
		return slack.PostWebhookContext(t.Context(), hook, &slack.WebhookMessage{Text: "more"})
	}
	hook := responseURL(t, w)
	for i := range 6 {
		if err := post(hook); (err == nil) != (i < 5) {
			t.Errorf("post %d: %v", i+1, err)
		}
	}
	if n := strings.Count(sees(t, w, "alice"), "more"); n != 5 {
		t.Errorf("alice sees %d answers", n)
	}
	if sees(t, w, "bob") != "" {
		t.Error("bob sees an ephemeral answer")
	}
	w.trigger(t)
	late := responseURL(t, w)
	w.pass(30*time.Minute + time.Second)
	if err := post(late); err == nil {
		t.Error("a post after 30 minutes was taken")
	}
	if err := post(hook[:len(hook)-1] + "x"); err == nil {
		t.Error("a guessed URL was taken")
	}
}

// responseURL is the one of the last command.
func responseURL(t *testing.T, w *world) string {
	t.Helper()
	form, err := url.ParseQuery(string(w.last(t).body))
	if err != nil {
		t.Fatal(err)
	}
	return form.Get("response_url")
}

func TestAClicksResponseURLRewritesOrTakesAwayItsMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answers(says(`{"text":"t","blocks":[{"type":"actions","elements":[{"type":"button","action_id":"go","text":{"type":"plain_text","text":"Go"}}]}]}`))
	w.trigger(t)
	w.answers(nil)
	if _, err := w.Click(t.Context(), "alice", simslack.Press{Button: "go"}); err != nil {
		t.Fatal(err)
	}
	p := w.payload(t)
	container, _ := p["container"].(args)
	if container["is_ephemeral"] != true || p["message"] != nil {
		t.Errorf("an ephemeral message travelled as %v", p)
	}
	hook, _ := p["response_url"].(string)
	if err := slack.PostWebhookContext(t.Context(), hook, &slack.WebhookMessage{Text: "done", ReplaceOriginal: true}); err != nil {
		t.Fatal(err)
	}
	if text := sees(t, w, "alice"); text != "done" {
		t.Errorf("alice sees %q", text)
	}
	if err := slack.PostWebhookContext(t.Context(), hook, &slack.WebhookMessage{DeleteOriginal: true}); err != nil {
		t.Fatal(err)
	}
	if text := sees(t, w, "alice"); text != "" {
		t.Errorf("alice sees %q", text)
	}
}

func TestAStrangerCanClickInASharedChannel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, _, err := w.api.PostMessageContext(t.Context(), simslack.Shared, card("AB12CD")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Click(t.Context(), "sam", simslack.Press{Button: "Deny"}); err != nil {
		t.Fatal(err)
	}
	p := w.payload(t)
	user, _ := p["user"].(args)
	if user["team_id"] != "T0FABRIKAM" {
		t.Errorf("the click came from %v", user)
	}
	info, err := w.api.GetUserInfoContext(t.Context(), "U0FABRIK01")
	if err != nil || !info.IsStranger || info.TeamID != "T0FABRIKAM" {
		t.Errorf("got %+v, %v", info, err)
	}
}

func TestADismissedConfirmDialogTellsNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, _, err := w.api.PostMessageContext(t.Context(), simslack.Approvals, card("AB12CD")); err != nil {
		t.Fatal(err)
	}
	pressed, err := w.Click(t.Context(), "bob", simslack.Press{Button: "Approve", Dismiss: true})
	if err != nil || pressed.Sent || pressed.Confirm == "" || len(w.got) != 0 {
		t.Errorf("got %+v, %v", pressed, err)
	}
	for _, press := range []simslack.Press{{Button: "Postpone"}, {Button: "Deny", On: "ZZ99ZZ"}, {Button: "Deny", In: "#on-call"}} {
		if _, err := w.Click(t.Context(), "bob", press); err == nil {
			t.Errorf("%+v was pressed", press)
		}
	}
}

func TestARepeatedDeliveryIsTheSameToTheLastField(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.Again(t.Context(), "alice"); err == nil {
		t.Error("nothing was repeated")
	}
	w.trigger(t)
	first := w.last(t)
	if err := w.Again(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	if second := w.last(t); string(first.body) != string(second.body) {
		t.Errorf("%s\n%s", first.body, second.body)
	}
}

func TestEventsAreTriedAgainAtOnceAndLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answers(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusInternalServerError) })
	if err := w.OpenHome(t.Context(), "alice"); err == nil {
		t.Error("the app took it")
	}
	for _, row := range []struct {
		passes time.Duration
		tries  int
	}{{0, 2}, {59 * time.Second, 2}, {time.Second, 3}, {5 * time.Minute, 4}, {time.Hour, 4}} {
		w.pass(row.passes)
		_ = w.RetryEvents(t.Context())
		if len(w.got) != row.tries {
			t.Errorf("after %v: %d tries", row.passes, len(w.got))
		}
	}
	if h := w.last(t).header; h.Get("X-Slack-Retry-Num") != "3" || h.Get("X-Slack-Retry-Reason") != "http_error" {
		t.Errorf("the last try came with %v", h)
	}
}

func TestAnAppCanForbidFurtherTries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answers(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("X-Slack-No-Retry", "1")
		rw.WriteHeader(http.StatusInternalServerError)
	})
	if err := w.SendUserChange(t.Context(), "alice"); err == nil || len(w.got) != 1 {
		t.Errorf("%v after %d tries", err, len(w.got))
	}
}

func TestAnEventURLHasToGiveTheChallengeBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.VerifyURL(t.Context()); err == nil {
		t.Error("an empty answer was taken")
	}
	w.answers(func(rw http.ResponseWriter, r *http.Request) { _, _ = io.Copy(rw, r.Body) }) // a JSON object with the challenge
	if err := w.VerifyURL(t.Context()); err != nil {
		t.Error(err)
	}
	if status, err := w.SSLCheck(t.Context()); err != nil || status != http.StatusOK || string(w.last(t).body) != "ssl_check=1&token=" {
		t.Errorf("got %d, %v", status, err)
	}
}
