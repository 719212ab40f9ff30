package workflow_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
	"elevate/internal/workflow"
	"elevate/internal/workflow/workflowtest"
)

func TestLongWordsAreNotKeptWithAnswers(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		heap := func() int64 {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			return int64(m.HeapAlloc)
		}
		before := heap()
		for range 1000 {
			w.bot.Command(context.Background(), w.sender(alice), "history "+strings.Repeat("x", 28_000))
		}
		if grown := heap() - before; grown > 8<<20 {
			t.Errorf("a thousand commands of one person are kept with %d MiB", grown>>20)
		}
	})
}

func TestOnePersonsListsTakeNotAllReadsOfPIM(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		w.pass(time.Minute)
		before := w.dir.Calls(workflowtest.OpLook)
		for range 600 {
			w.says(alice, "roles")
			w.pass(100 * time.Millisecond)
		}
		if n := w.dir.Calls(workflowtest.OpLook) - before; n > 100 {
			t.Errorf("one person had PIM read %d times in a minute", n)
		}
	})
}

func TestTheSameInputIsKnownWhileItsTokenIsGood(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		from := w.sender(alice)
		w.saysFrom(from, "mde-admin isolating WS-042")
		w.pass(2 * time.Second)
		id := w.newest(alice).ID
		w.says(alice, "cancel "+string(id))
		w.pass(20 * time.Minute)
		w.is(id, pim.Canceled)
		w.saysFrom(from, "mde-admin isolating WS-042") // a token of Teams' is good for an hour
		w.pass(2 * time.Second)
		if n := len(w.allRequests()); n != 1 {
			t.Errorf("the same input made %d requests", n)
		}
	})
}

// Somebody who asks for much does not keep the others' requests without a card.
func TestOnePersonsRequestsKeepNobodyElsesWithoutACard(t *testing.T) {
	inWorld(t, func(w *world) {
		for i := range 24 {
			g := pim.GroupID(fmt.Sprintf("group-%03d", i))
			w.dir.Administer(g, func(of *workflowtest.Group) {
				of.Approvers, of.Max, of.Eligible = []pim.PrincipalID{bob, carol}, 8*time.Hour, []pim.PrincipalID{dave}
			})
			w.cfg.Roles = append(w.cfg.Roles, pim.Role{
				Name: "role-" + string(g), Title: "Role", Group: g, Default: time.Hour, Max: 8 * time.Hour, Ask: []pim.Conversation{approvals},
			})
		}
	}, func(w *world) {
		for i := range 24 {
			if _, err := w.dir.Ask(dave, pim.Activation{
				Action: pim.SelfActivate, Group: pim.GroupID(fmt.Sprintf("group-%03d", i)), Principal: dave, Duration: time.Hour, Justification: "why not",
			}); err != nil {
				t.Fatal(err)
			}
		}
		w.pass(5 * time.Minute)
		cards := func() (n int) {
			for _, m := range w.chat.In(approvals) {
				if m.Card().Request != "" {
					n++
				}
			}
			return n
		}
		if n := cards(); n != 10 {
			t.Errorf("%d cards of one person stand there", n)
		}
		w.signIn(alice, bob)
		id := w.asks(alice)
		w.pass(30 * time.Second)
		w.expect(workflowtest.Text(w.cardOf(id, approvals).Card()), "Alice")
		w.restart()
		w.pass(time.Minute)
		if n := cards(); n != 11 {
			t.Errorf("%d cards stand there", n)
		}
		w.signIn(bob)
		for _, m := range w.chat.In(approvals) {
			if of := m.Card().Request; of != "" && of != id {
				w.says(bob, "deny "+string(of)+" no reason for it")
				w.pass(2 * time.Second)
			}
		}
		w.pass(time.Minute)
		if n := cards(); n != 21 {
			t.Errorf("%d cards stand there once ten are decided", n)
		}
	})
}

// A flood of one alarm hides no other: neither in another group, nor of another kind, nor for good. It calls whoever is
// on call a few times, and not with each.
func TestAFloodOfAlarmsHidesNoOther(t *testing.T) {
	inWorld(t, onCallIs(workflow.OnCallPerson{Name: "Carol Cruz", Person: carol}), func(w *world) {
		w.knows(alice, carol)
		for i := range 220 {
			id := pim.PrincipalID(fmt.Sprintf("00000000-0000-4000-8000-0000000f%04d", i))
			w.dir.Person(id, func(p *pim.Profile) { *p = pim.Profile{ID: id, Name: fmt.Sprintf("Puppet %03d", i), Enabled: true} })
			w.dir.Stand(pim.Membership{Group: analyst, Principal: id}, "")
		}
		w.pass(20 * time.Minute)
		w.dir.Stand(pim.Membership{Group: mde, Principal: dave}, "")
		w.dir.Administer(analyst, func(g *workflowtest.Group) { g.Owners = append(g.Owners, erin) })
		w.pass(20 * time.Minute)
		puppets, others, told, called := 0, "", 0, 0
		for _, m := range w.chat.In(oncall) {
			said := workflowtest.Text(m.Card())
			called += len(m.Cards[0].Mention)
			switch {
			case strings.Contains(said, "there are 20 more"):
				told++
			case strings.Contains(said, "Puppet"):
				puppets++
			default:
				others += said
			}
		}
		if puppets != 200 || told != 1 || called != 5+1+2 {
			t.Errorf("on-call was told of %d puppets, %d times of more, and called %d times", puppets, told, called)
		}
		w.expect(others, "Dave is a member outside PIM", "Erin was made an owner")
		var open []pim.Alarm
		w.view(func(tx *store.Tx) (err error) {
			open, err = workflow.OpenAlarms(tx)
			return err
		})
		i := slices.IndexFunc(open, func(a pim.Alarm) bool { return a.Kind == pim.AlarmOutside && a.Group == analyst })
		w.expect(w.read(w.bot.Click(t.Context(), w.sender(alice), workflow.Click{Act: card.Acknowledge, Digest: open[i].ID})), "You have acknowledged")
		before := len(w.alarms())
		w.pass(15 * time.Minute)
		if n := len(w.alarms()) - before; n != 1 {
			t.Errorf("there is room for one more, and %d were raised", n)
		}
	})
}

// Whoever may look at an access and not end it fills neither the trail nor PIM's allowance with trying.
func TestTryingToRevokeAgainAndAgainFillsNoTrail(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.becomesActive()
		w.pass(10 * time.Minute)
		before := w.dir.Calls(workflowtest.OpSubmit)
		for range 300 {
			w.says(bob, "revoke "+string(id)+leftEarly)
			w.pass(200 * time.Millisecond)
		}
		n, _ := w.event(id, pim.EventRevoking)
		if calls := w.dir.Calls(workflowtest.OpSubmit) - before; n == 0 || n > 60 || calls > 60 {
			t.Errorf("%d events, %d calls of PIM", n, calls)
		}
		w.is(id, pim.Active)
	})
}

// What somebody types that cannot be asked for pushes out nothing of what others typed.
func TestOnePersonsDraftsPushOutNobodyElses(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, dave)
		w.knows(alice, dave)
		drafts := func(p pim.PrincipalID, words string) (names []string) {
			r := w.bot.Command(t.Context(), w.sender(p), words)
			for _, b := range r.Card.Buttons {
				names = append(names, b.Digest)
			}
			return names
		}
		mine := drafts(alice, "mde-admin for 9h isolating WS-042")
		if len(mine) != 2 {
			t.Fatalf("%d buttons", len(mine))
		}
		for range 3000 {
			drafts(dave, "mde-analyst for 30h triage")
		}
		w.expect(w.read(w.bot.Click(t.Context(), w.sender(dave), workflow.Click{Act: card.AskMost, Role: "mde-admin", Digest: mine[0]})), "somebody else typed it")
		w.expect(w.read(w.bot.Click(t.Context(), w.sender(alice), workflow.Click{Act: card.AskMost, Role: "mde-admin", Digest: mine[0]})), "on its way to PIM")
	})
}
