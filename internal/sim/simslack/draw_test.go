package simslack_test

import (
	"testing"

	"elevate/internal/sim/simslack"
)

func TestTextIsDrawnAsItsReaderSeesIt(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, text, want string }{
		{"a mention", "ask <@U0PERSON02>", "ask @Bob Berger"},
		{"a channel", "in <#C0ONCALL>", "in #on-call"},
		{"a link with a label", "<https://x.example/a?b=1&amp;c=2|Sign in>", "Sign in (https://x.example/a?b=1&c=2)"},
		{"a date", "until <!date^1772445600^{date_num} {time}|later>", "until 2026-03-02 10:00"},
		{"a date with an unknown form", "<!date^1772445600^{moon}|later>", "later"},
		{"a live broadcast", "hello <!channel>", "hello @channel (notifies everybody)"},
		{"an escaped broadcast", "hello &lt;!channel&gt; &amp; all", "hello <!channel> & all"},
	} {
		w := newWorld(t)
		w.call(t, "chat.postMessage", args{"channel": simslack.Approvals, "text": row.text})
		if got := sees(t, w, "bob"); got != row.want {
			t.Errorf("%s: %q", row.name, got)
		}
	}
}

func TestDatesAreDrawnInTheReadersZone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.call(t, "chat.postMessage", args{"channel": simslack.Approvals, "text": "<!date^1772445600^{time}|x>"})
	for person, want := range map[string]string{"bob": "10:00", "dan": "11:00", "carol": "05:00"} {
		if got := sees(t, w, person); got != want {
			t.Errorf("%s sees %q", person, got)
		}
	}
}

func TestNotificationIsToldBesideTheBlocks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for blocks, want := range map[string]string{
		`[{"type":"header","text":{"type":"plain_text","text":"Asked"}}]`: "Alice & you: @Bob Berger", "": "",
	} {
		w.call(t, "chat.postMessage", args{"channel": simslack.Approvals, "text": "Alice &amp; you: <@U0PERSON02>", "blocks": blocks})
		shown, err := w.Sees("bob", 0)
		if err != nil || shown[len(shown)-1].Notification != want {
			t.Errorf("%+v, %v", shown[len(shown)-1], err)
		}
	}
}

func TestEmptyInputShowsItsPlaceholder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.call(t, "views.publish", args{"user_id": "U0PERSON02", "view": `{"type":"home","blocks":[{"type":"input","block_id":"why","label":{"type":"plain_text","text":"Why"},
		"element":{"type":"plain_text_input","action_id":"a","placeholder":{"type":"plain_text","text":"What for"}}}]}`})
	if got := sees(t, w, "bob"); got != "Why: (What for)" {
		t.Errorf("%q", got)
	}
}
