package simslack_test

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"elevate/internal/sim/simslack"
)

func newReader(b []byte) io.Reader { return bytes.NewReader(b) }

// card is a message with two buttons, the first with a confirm dialog.
func card(id string) slack.MsgOption {
	approve := slack.NewButtonBlockElement("approve", id, slack.NewTextBlockObject("plain_text", "Approve", false, false))
	approve.Confirm = slack.NewConfirmationBlockObject(
		slack.NewTextBlockObject("plain_text", "Approve?", false, false), slack.NewTextBlockObject("plain_text", "Alice gets it.", false, false),
		slack.NewTextBlockObject("plain_text", "Approve", false, false), slack.NewTextBlockObject("plain_text", "Back", false, false))
	deny := slack.NewButtonBlockElement("deny", id, slack.NewTextBlockObject("plain_text", "Deny", false, false))
	return slack.MsgOptionBlocks(
		slack.NewHeaderBlock(slack.NewTextBlockObject("plain_text", "Request "+id, false, false)),
		slack.NewActionBlock("buttons", approve, deny))
}

func TestACommandReachesTheAppSignedAndItsAnswerIsSeenByOnePerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answers(func(rw http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(rw, `{"text":"asked <@U0PERSON02>"}`)
	})
	if err := w.Slash(t.Context(), "alice", simslack.General, "/elevate mde-admin isolating WS-042"); err != nil {
		t.Fatal(err)
	}
	got := w.last(t)
	form, err := url.ParseQuery(string(got.body))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"command": "/elevate", "text": "mde-admin isolating WS-042", "user_id": "U0PERSON01", "team_id": "T0CONTOSO1",
		"channel_id": simslack.General, "api_app_id": "A0ELEVATE0", "is_enterprise_install": "false",
	}
	for key, value := range want {
		if form.Get(key) != value {
			t.Errorf("%s is %q, not %q", key, form.Get(key), value)
		}
	}
	if !strings.HasPrefix(got.header.Get("X-Slack-Signature"), "v0=") {
		t.Error("the command is not signed")
	}
	if text := sees(t, w, "alice"); text != "asked @Bob Berger" {
		t.Errorf("alice sees %q", text)
	}
	if text := sees(t, w, "bob"); text != "" {
		t.Errorf("bob sees %q", text)
	}
}

func TestAClickReachesTheAppAndTheCardTurns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, ts, err := w.api.PostMessageContext(t.Context(), simslack.Approvals, slack.MsgOptionText("Request AB12CD", false), card("AB12CD"))
	if err != nil {
		t.Fatal(err)
	}
	if text := sees(t, w, "bob"); text != "# Request AB12CD\n[Approve] [Deny]" {
		t.Errorf("bob sees %q", text)
	}
	pressed, err := w.Click(t.Context(), "bob", simslack.Press{Button: "Approve", On: "AB12CD"})
	if err != nil || pressed.Confirm != "Approve? \u2014 Alice gets it. [Back] [Approve]" {
		t.Fatalf("got %+v, %v", pressed, err)
	}
	form, err := url.ParseQuery(string(w.last(t).body))
	if err != nil {
		t.Fatal(err)
	}
	var callback slack.InteractionCallback
	if err := callback.UnmarshalJSON([]byte(form.Get("payload"))); err != nil {
		t.Fatal(err)
	}
	action := callback.ActionCallback.BlockActions[0]
	if action.ActionID != "approve" || action.Value != "AB12CD" || callback.User.ID != "U0PERSON02" || callback.Container.MessageTs != ts {
		t.Errorf("the click arrived as %+v", callback)
	}
	if _, _, _, err := w.api.UpdateMessageContext(t.Context(), simslack.Approvals, ts, slack.MsgOptionText("done", false), slack.MsgOptionBlocks()); err != nil {
		t.Fatal(err)
	}
	if text := sees(t, w, "carol"); text != "done" {
		t.Errorf("carol sees %q", text)
	}
}

// sees is the text of everything a person sees.
func sees(t *testing.T, w *world, person string) string {
	t.Helper()
	shown, err := w.Sees(person, 0)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, s := range shown {
		texts = append(texts, s.Text)
	}
	return strings.Join(texts, "\n\n")
}
