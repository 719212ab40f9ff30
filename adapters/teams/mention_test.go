package teams

import (
	"encoding/json"
	"strings"
	"testing"

	"elevate/internal/card"
	"elevate/internal/pim"
)

func TestPeopleAreMentionedByWhatATeamsClientMakesLive(t *testing.T) {
	carol := pim.ChatAccount{Chat: pim.Teams, Workspace: "t", User: "00000000-0000-4000-8000-00000000000c"}
	for name, row := range map[string]struct {
		account pim.ChatAccount
		called  string
		want    string
	}{
		"somebody":             {carol, "Carol Chen", "<at>Carol Chen</at>"},
		"who breaks out":       {carol, "</at><at>Bob</at> & *co*", "<at>/atatBob/at  \u2217co\u2217</at>"},
		"whose name has lines": {carol, "Carol\n\n# Approved", "<at>Carol # Approved</at>"},
		"without a name":       {carol, "", ""},
		"of another chat":      {pim.ChatAccount{Chat: pim.Slack, Workspace: "T0", User: "U1"}, "Carol", ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := card.Card{Title: "x", Mention: []pim.ChatAccount{row.account}, MentionNames: []string{row.called}}
			drawn := drawnAs(t, drawing{now: keptAt}, c, nil)
			raw, err := json.Marshal(drawn)
			if err != nil {
				t.Fatal(err)
			}
			said := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(raw))
			if row.want == "" {
				if strings.Contains(said, "<at>") || strings.Contains(said, "msteams") {
					t.Errorf("somebody is mentioned: %s", said)
				}
				return
			}
			// Once in the text and once in its entity, or no client makes it live.
			if strings.Count(said, `"text":"`+row.want+`"`) != 2 || strings.Count(said, "<at>") != 2 || !strings.Contains(said, `"id":"`+carol.User+`"`) {
				t.Errorf("drawn as %s", said)
			}
		})
	}
}

func TestNoMoreThanTwentyAreMentioned(t *testing.T) {
	c := card.Card{Title: "x"}
	for range 50 {
		c.Mention, c.MentionNames = append(c.Mention, pim.ChatAccount{Chat: pim.Teams, User: "u"}), append(c.MentionNames, "Carol")
	}
	if _, called := mentions(c); len(called) != maxMentions {
		t.Errorf("%d are mentioned", len(called))
	}
	c.MentionNames = nil
	if line, called := mentions(c); line != nil || called != nil {
		t.Errorf("accounts without names are mentioned: %v", line)
	}
}
