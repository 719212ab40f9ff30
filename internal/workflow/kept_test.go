package workflow

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
)

// What the workflow keeps itself, in notes and with effects, is read by later versions: a
// name that stands here is never changed.
func TestWhatIsKeptKeepsItsNames(t *testing.T) {
	at := time.Date(2026, 3, 2, 14, 0, 0, 0, time.UTC)
	challenge := "c"
	people := map[pim.PrincipalID]string{"p": "P"}
	stands := standing{Ref: pim.MessageRef{ID: "m"}, Shows: "h", At: at, Posting: 1}
	const standsAs = `{"ref":{"conversation":{"chat":"","id":""},"id":"m","channel":""},"shows":"h","at":"2026-03-02T14:00:00Z","posting":1}`
	for want, kept := range map[string]any{
		standsAs: stands,
		`{"newest":["2026-03-02T14:00:00Z"],"summaries":[{"began":"2026-03-02T14:00:00Z","joined":"2026-03-02T14:00:00Z","requests":["r"],"stands":` + standsAs + `}]}`: many{
			Newest: []time.Time{at}, Summaries: []summary{{Began: at, Joined: at, Requests: []pim.RequestID{"r"}, Stands: stands}},
		},
		`{"open":["r"],"more":[{"id":"s","asked":"2026-03-02T14:00:00Z"}],"joined":"2026-03-02T14:00:00Z","reminded":"2026-03-02T14:00:00Z","stands":` + standsAs + `}`: crowd{
			Open: []pim.RequestID{"r"}, More: []queued{{"s", at}}, Joined: at, Reminded: at, Stands: stands,
		},
		`{"kind":"rules","group":"g","person":"","since":"2026-03-02T14:00:00Z","role":"r","refs":[{"conversation":{"chat":"","id":""},"id":"","channel":"","hash":"h"}]}`: notice{
			Alarm: pim.Alarm{Kind: pim.AlarmRules, Group: "g", Since: at}, Role: "r", Refs: []store.Ref{{Hash: "h"}},
		},
		`{"kind":"rules","group":"g","person":"p","name":"N","since":"2026-03-02T14:00:00Z","id":"i","what":"w","people":["p"],"by":[{"id":"e","at":"2026-03-02T14:00:00Z","activity":"a"}],"sought":"2026-03-02T14:00:00Z","unread":true,"acknowledged":{"by":{"person":"","name":"B"},"at":"2026-03-02T14:00:00Z"},"over":"2026-03-02T14:00:00Z"}`: pim.Alarm{
			Kind: pim.AlarmRules, Group: "g", Person: "p", Name: "N", Since: at, ID: "i", What: "w", People: []pim.PrincipalID{"p"},
			By: []pim.Evidence{{ID: "e", At: at, Activity: "a"}}, Sought: at, Unread: true, Acknowledged: &pim.Acknowledged{By: pim.Actor{Name: "B"}, At: at}, Over: at,
		},
		`{"approvers":{"p":"P"},"reviewers":{"p":"P"},"deciders":{"p":"P"}}`: declaredPeople{people, people, people},
		`{"since":"2026-03-02T14:00:00Z"}`:                                   sought{at},
		`{"approve":true,"reason":"r","digest":"d","clicked":"2026-03-02T14:00:00Z","chat":"slack","since":"2026-03-02T14:00:00Z","challenge":"c","leased":true}`: decision{
			Approve: true, Reason: "r", Digest: "d", Clicked: at, Chat: pim.Slack, Since: at, Challenge: &challenge, Leased: true,
		},
		`{"note":"n","clicked":"2026-03-02T14:00:00Z"}`: reviewNote{"n", at},
		`{"audience":"oncall","again":true}`:            place{card.OnCall, true},
		`{"text":"t","problem":true,"intent":"i","administered":true,"ending":true,"revoked":true,"step":"s","reviewed":true,"overdue":true,"form":true,"role":"r","draft":"d"}`: message{
			Text: "t", Problem: true, Intent: "i", Administered: true, Ending: true, Revoked: true, Step: "s", Reviewed: true, Overdue: true, Form: true, Role: "r", Draft: "d",
		},
	} {
		if got, err := json.Marshal(kept); err != nil || string(got) != want {
			t.Errorf("%s, %v\nwant\n%s", got, err, want)
		}
		for field, value := range reflect.ValueOf(kept).Fields() {
			if value.IsZero() {
				t.Errorf("of %T, %s is not held by this test", kept, field.Name)
			}
		}
	}
}

func TestACrowdIsOrderedByWhenItWasAskedFor(t *testing.T) {
	at := time.Date(2026, 3, 2, 14, 0, 0, 0, time.UTC)
	var c crowd
	for _, r := range []pim.Request{{ID: "c", Created: at.Add(time.Second)}, {ID: "b", Created: at}, {ID: "a", Created: at}, {ID: "b", Created: at}} {
		c.join(&r, at)
	}
	if got := [3]pim.RequestID{c.More[0].ID, c.More[1].ID, c.More[2].ID}; len(c.More) != 3 || got != [3]pim.RequestID{"a", "b", "c"} {
		t.Errorf("%v", c.More)
	}
}
