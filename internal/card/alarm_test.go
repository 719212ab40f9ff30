package card_test

import (
	"strings"
	"testing"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
)

// said is all that a card says, without its times.
func said(c card.Card) string {
	var b strings.Builder
	b.WriteString(c.Title + "|" + string(c.Tone) + "|")
	for _, l := range c.Lines {
		for _, s := range l {
			b.WriteString(s.Plain + s.Typed + s.Code)
		}
		b.WriteString("|")
	}
	for _, button := range c.Buttons {
		b.WriteString("[" + button.Label + " " + button.Digest + "]")
	}
	return b.String()
}

func TestAnAlarmsMessageSaysWhatIsKnownByNow(t *testing.T) {
	t.Parallel()
	seen := time.Date(2026, 11, 24, 14, 0, 0, 0, time.UTC)
	raised := pim.Alarm{ID: "abc234", Kind: pim.AlarmOutside, Person: "p", Name: "Erin", Since: seen, Sought: seen}
	with := func(change func(*pim.Alarm)) pim.Alarm {
		a := raised
		change(&a)
		return a
	}
	by := []pim.Evidence{{By: "a", Name: "Ada *bold*", Activity: "Add member to group", At: seen, Reason: "on holiday"}}
	acknowledged := &pim.Acknowledged{By: pim.Actor{Name: "Carol"}, At: seen}
	for name, row := range map[string]struct {
		alarm     pim.Alarm
		says, not []string
	}{
		"raised":         {raised, []string{"MDE Administrator: alarm|alarm|", "Erin is a member outside PIM", "some minutes later", "[Acknowledge abc234]"}, []string{"Done by"}},
		"who did it":     {with(func(a *pim.Alarm) { a.By, a.Sought = by, time.Time{} }), []string{"Done by Ada *bold*, : Add member to group (on holiday), says", "[Acknowledge abc234]"}, []string{"later", "does not say"}},
		"an application": {with(func(a *pim.Alarm) { a.By = []pim.Evidence{{Name: "Ada", At: seen, Activity: "Add owner to group"}} }), []string{"Done by the application Ada"}, nil},
		"nobody knows":   {with(func(a *pim.Alarm) { a.Sought = time.Time{} }), []string{"audit log does not say who did it"}, []string{"later"}},
		"acknowledged":   {with(func(a *pim.Alarm) { a.Acknowledged = acknowledged }), []string{"alarm, acknowledged|neutral", "Acknowledged by Carol", "It is quiet now"}, []string{"[Acknowledge"}},
		"over":           {with(func(a *pim.Alarm) { a.Over, a.By, a.Acknowledged = seen, by, acknowledged }), []string{"alarm over|neutral", "that is over", "Done by Ada", "Acknowledged by Carol"}, []string{"[Acknowledge"}},
		"changed rules":  {pim.Alarm{Kind: pim.AlarmRules, What: "MFA: yes, now no", By: by}, []string{"PIM's rules were changed|alarm", "MFA: yes, now no", "Done by Ada", "tenant apply"}, []string{"[Acknowledge"}},
		"changed people": {pim.Alarm{Kind: pim.AlarmPeople, What: "among its approvers, new: Dan", Sought: seen}, []string{"people were changed|alarm", "new: Dan", "some minutes later"}, []string{"[Acknowledge"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := card.AlarmFor(adminRole(), row.alarm)
			got := said(c)
			for _, want := range row.says {
				if !strings.Contains(got, want) {
					t.Errorf("%q is not in %s", want, got)
				}
			}
			for _, not := range row.not {
				if strings.Contains(got, not) {
					t.Errorf("%q is in %s", not, got)
				}
			}
			for _, l := range c.Lines {
				for _, s := range l {
					if strings.Contains(s.Plain+s.Strong, "Ada") || strings.Contains(s.Plain+s.Strong, "Erin") {
						t.Errorf("a name is drawn as our own words: %+v", s)
					}
				}
			}
		})
	}
}
