package workflow

import (
	"encoding/json"
	"testing"
	"time"

	"elevate/internal/pim"
)

// What is kept of a place's messages is read by later versions: a name that stands
// here is never changed.
func TestWhatIsKeptOfAPlaceKeepsItsNames(t *testing.T) {
	at := time.Date(2026, 3, 2, 14, 0, 0, 0, time.UTC)
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
	} {
		if got, err := json.Marshal(kept); err != nil || string(got) != want {
			t.Errorf("%s, %v\nwant\n%s", got, err, want)
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
