package workflow_test

import (
	"strings"
	"testing"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/workflow"
	"elevate/internal/workflow/workflowtest"
)

func onCallIs(people ...workflow.OnCallPerson) func(*world) {
	return func(w *world) { w.cfg.OnCall = func() []workflow.OnCallPerson { return people } }
}

// granted has Alice become a member, and returns what on-call was told of it.
func (w *world) granted() workflowtest.Message {
	w.t.Helper()
	w.signIn(alice)
	w.says(alice, "mde-analyst triage")
	w.pass(10 * time.Second)
	return w.cardOf(w.newest(alice).ID, oncall)
}

func TestWhoIsOnCallIsMentionedOnceForANewMembership(t *testing.T) {
	inWorld(t, onCallIs(workflow.OnCallPerson{Name: "Carol Cruz", Person: carol}, workflow.OnCallPerson{Name: "Zoe"}), func(w *world) {
		w.knows(carol)
		m := w.granted()
		first := m.Cards[0]
		w.expect(workflowtest.Text(first), "On call now: Carol Cruz and Zoe.")
		if len(first.Mention) != 1 || first.Mention[0] != account(carol) || first.MentionNames[0] != "Carol Cruz" {
			t.Errorf("mentioned are %v %v", first.Mention, first.MentionNames)
		}
		if len(m.Cards) != 1 {
			t.Errorf("the card was rewritten %d times although nothing turned", len(m.Cards)-1)
		}
		w.pass(2 * time.Hour)
		m = w.cardOf(w.newest(alice).ID, oncall)
		if len(m.Cards) < 2 {
			t.Fatal("the card did not turn at the end")
		}
		for _, c := range m.Cards[1:] {
			if len(c.Mention) > 0 || strings.Contains(workflowtest.Text(c), "On call now") {
				t.Errorf("a rewriting mentions again: %s", workflowtest.Text(c))
			}
		}
		for _, at := range []pim.Conversation{approvals, direct(alice)} {
			for _, m := range w.chat.In(at) {
				if len(m.Card().Mention) > 0 {
					t.Errorf("somebody is mentioned in %s", at)
				}
			}
		}
	})
}

func TestOnCallIsToldWithoutNamesWhereNobodyIsKnown(t *testing.T) {
	for name, settings := range map[string]func(*world){"no schedule": nil, "no answer": onCallIs()} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, settings, func(w *world) {
				m := w.granted()
				if len(m.Card().Mention) > 0 || strings.Contains(workflowtest.Text(m.Card()), "On call now") {
					t.Errorf("somebody is named: %s", workflowtest.Text(m.Card()))
				}
			})
		})
	}
}

func TestAnAlarmMentionsWhoIsOnCall(t *testing.T) {
	inWorld(t, onCallIs(workflow.OnCallPerson{Name: "Carol", Person: carol}), func(w *world) {
		w.knows(carol)
		w.dir.Break(workflowtest.OpLook, workflowtest.Fault{Err: errDown})
		w.pass(10 * time.Minute)
		w.dir.Mend(workflowtest.OpLook)
		w.pass(5 * time.Minute)
		var told []card.Card
		for _, m := range w.chat.In(oncall) {
			if strings.Contains(workflowtest.Text(m.Card()), "PIM ") {
				told = append(told, m.Card())
			}
		}
		if len(told) != 2 || len(told[0].Mention) != 1 || len(told[1].Mention) != 0 {
			t.Errorf("on-call was told %+v", told)
		}
	})
}

// Whoever PagerDuty names may approve nothing by it, and nothing of the request's
// approvers changes.
func TestWhoIsOnCallIsNoApprover(t *testing.T) {
	inWorld(t, onCallIs(workflow.OnCallPerson{Name: "Dave", Person: dave}), func(w *world) {
		w.signIn(alice, dave)
		w.says(alice, "mde-admin triage INC-1")
		w.pass(5 * time.Second)
		id := w.newest(alice).ID
		w.says(dave, "approve "+string(id))
		w.pass(10 * time.Second)
		if r := w.request(id); r.State != pim.Pending || r.Decided != nil || r.Claim != nil {
			t.Errorf("the request is %s, decided %v", r.State, r.Decided)
		}
	})
}

func TestPeopleWhoCameOrWentCallWhoIsOnCall(t *testing.T) {
	inWorld(t, func(w *world) {
		onCallIs(workflow.OnCallPerson{Name: "Carol", Person: carol})(w)
		watchesPeople(w)
	}, func(w *world) {
		w.knows(carol)
		w.pass(15 * time.Minute)
		w.dir.Administer(mde, func(g *workflowtest.Group) { g.Approvers = append(g.Approvers, erin) })
		w.pass(30 * time.Minute)
		for _, m := range w.chat.In(oncall) {
			if strings.Contains(workflowtest.Text(m.Card()), "people were changed") && len(m.Card().Mention) != 1 {
				t.Errorf("on-call was told %s", workflowtest.Text(m.Card()))
			}
		}
		if said := strings.Join(w.alarms(), ""); !strings.Contains(said, "new: Erin") {
			t.Errorf("on-call was told %q", said)
		}
	})
}
