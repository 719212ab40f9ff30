package workflow_test

import (
	"strings"
	"testing"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/workflow/workflowtest"
)

func TestAMessageWithAnOddNameIsNoFaultOfElevate(t *testing.T) {
	withOnCallInTeams(t, nil, func(w *world) {
		w.signIn(alice)
		id := w.asks(alice)
		w.pass(2 * time.Second)
		for _, m := range []string{strings.Repeat("x", 40_000), "a\x00\x01b", "\x00", strings.Repeat("y", 30_000), "\xff\xfe"} {
			said := w.names(alice, card.Refresh, id, teamsChannel, m)
			w.pass(2 * time.Second)
			t.Logf("%.10q: %.200s; refs %d", m, said, len(w.refsIn(id, teamsChannel)))
		}
		if strings.Contains(w.Log.String(), "step_failed") {
			t.Error("a click whose message has a long name is an internal error in the log")
		}
	})
}

// Teams answers 403 with the code Unknown (microsoft/BotFramework-Services#269) to the rewriting of a card that somebody
// deleted. The other cards of the place have to turn all the same.
func TestADeletedCardKeepsNoOtherFromTurning(t *testing.T) {
	m := &moody{fails: map[string]error{}, tries: map[string]int{}}
	withOnCallInTeams(t, func(w *world) {
		m.Messenger = w.teams
		w.cfg.Messengers[pim.Teams] = m
		w.cfg.Roles[0].Remind = pim.Reminding{After: 15 * time.Minute, Every: time.Hour}
	}, func(w *world) {
		w.signIn(alice, bob)
		id := w.asks(alice)
		w.pass(16 * time.Minute)
		cards := w.teams.In(teamsChannel)
		if len(cards) != 2 {
			t.Fatalf("%d cards", len(cards))
		}
		m.mu.Lock()
		m.fails[cards[0].Ref.ID] = &pim.Error{Kind: pim.Forbidden, Code: "Unknown", Message: "Teams does not let Elevate write there (Unknown)."}
		m.mu.Unlock()
		w.clicks(bob, card.Approve, id)
		w.pass(10 * time.Minute)
		w.is(id, pim.Active)
		second := w.teams.In(teamsChannel)[1].Card()
		if strings.Contains(workflowtest.Text(second), "Still waiting") {
			t.Errorf("the reminder says of an active access:\n%s", workflowtest.Text(second))
		}
	})
}
