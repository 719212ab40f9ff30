package simslack_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"elevate/internal/sim/simslack"
)

// decoded is a value as it looks after travelling as JSON.
func decoded(t *testing.T, v args) args {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var back args
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	return back
}

// form is a modal with one input.
func form(title string) args {
	return args{
		"type": "modal", "title": args{"type": "plain_text", "text": title}, "submit": plain(4), "callback_id": "ask", "private_metadata": "AB12CD",
		"blocks": []any{args{
			"type": "input", "block_id": "why", "label": args{"type": "plain_text", "text": "Reason"},
			"element": args{"type": "plain_text_input", "action_id": "text", "min_length": 3, "max_length": 10},
		}},
	}
}

// trigger makes alice run a command and returns the trigger id the app got with it.
func (w *world) trigger(t *testing.T) string {
	t.Helper()
	if err := w.Slash(t.Context(), "alice", simslack.General, "/elevate"); err != nil {
		t.Fatal(err)
	}
	values, err := url.ParseQuery(string(w.last(t).body))
	if err != nil {
		t.Fatal(err)
	}
	return values.Get("trigger_id")
}

// payload is the interaction the app got last.
func (w *world) payload(t *testing.T) args {
	t.Helper()
	values, err := url.ParseQuery(string(w.last(t).body))
	if err != nil {
		t.Fatal(err)
	}
	var p args
	if err := json.Unmarshal([]byte(values.Get("payload")), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// open lets alice have a form open.
func (w *world) open(t *testing.T, view args) {
	t.Helper()
	if got := w.call(t, "views.open", args{"trigger_id": w.trigger(t), "view": view}); !got.OK {
		t.Fatalf("got %+v", got)
	}
}

// says makes the app answer everything with one body.
func (w *world) says(body string) {
	w.answers(func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, body) })
}

func TestATriggerOpensOneViewWithinThreeSeconds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.trigger(t)
	if got := w.call(t, "views.open", args{"trigger_id": id, "view": args{"type": "modal"}}); got.Error != "invalid_arguments" {
		t.Errorf("a broken view: %+v", got)
	}
	w.pass(3 * time.Second)
	if got := w.call(t, "views.open", args{"trigger_id": id, "view": form("Ask")}); !got.OK {
		t.Errorf("in time, and not spent by the broken view: %+v", got)
	}
	if got := w.call(t, "views.open", args{"trigger_id": id, "view": form("Ask")}); got.Error != "exchanged_trigger_id" {
		t.Errorf("twice: %+v", got)
	}
	late := w.trigger(t)
	w.pass(3*time.Second + time.Millisecond)
	if got := w.call(t, "views.open", args{"trigger_id": late, "view": form("Ask")}); got.Error != "expired_trigger_id" {
		t.Errorf("late: %+v", got)
	}
}

func TestViewsStackThreeHighAndHashesGuardThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if got := w.call(t, "views.push", args{"trigger_id": w.trigger(t), "view": form("1")}); got.Error != "invalid_trigger_id" {
		t.Errorf("push upon nothing: %+v", got)
	}
	w.open(t, form("1"))
	for _, title := range []string{"2", "3", "4"} {
		next, err := json.Marshal(args{"response_action": "push", "view": form(title)})
		if err != nil {
			t.Fatal(err)
		}
		w.says(string(next))
		err = w.Submit(t.Context(), "alice", map[string]string{"Reason": "because"})
		if (err == nil) != (title != "4") {
			t.Errorf("push of %s: %v", title, err)
		}
	}
	opened := w.call(t, "views.publish", args{"user_id": "U0PERSON01", "view": args{"type": "home", "blocks": []any{}}})
	again := args{"user_id": "U0PERSON01", "hash": opened.View.Hash, "view": args{"type": "home", "blocks": []any{}}}
	if got := w.call(t, "views.publish", again); !got.OK {
		t.Errorf("with the right hash: %+v", got)
	}
	if got := w.call(t, "views.publish", again); got.Error != "hash_conflict" {
		t.Errorf("with the old hash: %+v", got)
	}
	w.SetHome(false)
	delete(again, "hash")
	if got := w.call(t, "views.publish", again); got.Error != "not_enabled" {
		t.Errorf("a Home tab that is switched off: %+v", got)
	}
	if err := w.OpenHome(t.Context(), "alice"); err == nil {
		t.Error("it was opened")
	}
}

func TestASubmissionCarriesWhatWasFilledIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open(t, form("Ask"))
	if err := w.Submit(t.Context(), "alice", map[string]string{"reason": "because"}); err != nil {
		t.Fatal(err)
	}
	p := w.payload(t)
	view, _ := p["view"].(args)
	state, err := json.Marshal(view["state"])
	if err != nil || string(state) != `{"values":{"why":{"text":{"type":"plain_text_input","value":"because"}}}}` {
		t.Errorf("state is %s, %v", state, err)
	}
	if p["type"] != "view_submission" || view["callback_id"] != "ask" || view["private_metadata"] != "AB12CD" || p["api_app_id"] != "A0ELEVATE0" {
		t.Errorf("got %v", p)
	}
	if w.FormOpen("alice") {
		t.Error("the form stayed open")
	}
}

func TestSlacksOwnClientStopsWhatCannotBeRight(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open(t, form("Ask"))
	before := len(w.got)
	for typed, want := range map[string]string{
		"": "complete this required field", "ab": "at least 3 characters", "much too long": "no more than 10 characters",
	} {
		if err := w.Submit(t.Context(), "alice", map[string]string{"why": typed}); err != nil {
			t.Fatal(err)
		}
		if text := sees(t, w, "alice"); !strings.Contains(text, want) {
			t.Errorf("%q: alice sees %q", typed, text)
		}
	}
	if len(w.got) != before {
		t.Error("the app was told")
	}
	if err := w.Submit(t.Context(), "alice", map[string]string{"nothing": "x"}); err == nil {
		t.Error("a field that is not there was filled in")
	}
}

func TestTheAnswerToASubmissionDecidesWhatIsSeen(t *testing.T) {
	t.Parallel()
	update, err := json.Marshal(args{"response_action": "update", "view": args{"type": "modal", "title": plain(1), "blocks": []any{args{"type": "header", "text": args{"type": "plain_text", "text": "Thanks"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name, answer, sees string
		open, fails        bool
	}{
		{"nothing closes", "", "", false, false},
		{"an empty object closes", "{}", "", false, false},
		{"clear closes", `{"response_action":"clear"}`, "", false, false},
		{"errors stay on the form", `{"response_action":"errors","errors":{"why":"Say more."}}`, "! Say more.", true, false},
		{"errors for another block fail", `{"response_action":"errors","errors":{"text":"Say more."}}`, "trouble connecting", true, true},
		{"update shows the next view", string(update), "# Thanks", true, false},
		{"a broken view fails", `{"response_action":"update","view":{"type":"modal"}}`, "trouble connecting", true, true},
		{"an unknown action fails", `{"response_action":"dance"}`, "trouble connecting", true, true},
		{"no JSON fails", "ok", "trouble connecting", true, true},
	} {
		w := newWorld(t)
		w.open(t, form("Ask"))
		w.says(row.answer)
		err := w.Submit(t.Context(), "alice", map[string]string{"why": "because"})
		if (err != nil) != row.fails || w.FormOpen("alice") != row.open || !strings.Contains(sees(t, w, "alice"), row.sees) {
			t.Errorf("%s: %v, open %v, sees %q", row.name, err, w.FormOpen("alice"), sees(t, w, "alice"))
		}
	}
}

func TestClosingAFormIsToldToThoseWhoAsk(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	view := form("Ask")
	view["notify_on_close"] = true
	w.open(t, view)
	if err := w.CloseForm(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	if p := w.payload(t); p["type"] != "view_closed" || p["is_cleared"] != false {
		t.Errorf("got %v", p)
	}
	if err := w.CloseForm(t.Context(), "alice"); err == nil {
		t.Error("nothing was closed")
	}
}
