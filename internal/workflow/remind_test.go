package workflow_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/workflow/workflowtest"
)

var leads = place("C0LEADS")

// reminded has the approvers of mde-admin asked again, and the leads told.
func reminded(w *world) {
	w.cfg.Roles[0].Remind = pim.Reminding{After: 15 * time.Minute, Every: time.Hour, EscalateAfter: time.Hour, Escalate: []pim.Conversation{leads}}
}

// cardsOf counts a request's cards in a place, and those that still offer a decision.
func (w *world) cardsOf(id pim.RequestID, at pim.Conversation) (all, open int) {
	w.t.Helper()
	for _, m := range w.chat.In(at) {
		if m.Card().Request != id {
			continue
		}
		all++
		if slices.ContainsFunc(m.Card().Buttons, func(b card.Button) bool { return b.Act == card.Approve }) {
			open++
		}
	}
	return all, open
}

func TestApproversAreAskedAgainAndThenAnotherPlaceIs(t *testing.T) {
	inWorld(t, reminded, func(w *world) {
		w.signIn(alice, bob)
		id := w.asks(alice)
		w.pass(14 * time.Minute)
		if all, _ := w.cardsOf(id, approvals); all != 1 {
			t.Errorf("%d cards before the time", all)
		}
		w.pass(2 * time.Minute)
		if all, open := w.cardsOf(id, approvals); all != 2 || open != 2 {
			t.Errorf("%d cards, %d open after the first reminder", all, open)
		}
		w.expect(workflowtest.Text(w.cardOf(id, approvals).Card()), "Still waiting since")
		if all, _ := w.cardsOf(id, leads); all != 0 {
			t.Errorf("the leads have %d cards too early", all)
		}
		w.pass(45 * time.Minute)
		if all, open := w.cardsOf(id, leads); all != 1 || open != 1 {
			t.Errorf("the leads have %d cards, %d open", all, open)
		}
		w.expect(workflowtest.Text(w.cardOf(id, leads).Card()), "another place was asked, too")
		w.pass(time.Hour)
		if all, _ := w.cardsOf(id, approvals); all != 3 {
			t.Errorf("%d cards after the second reminder", all)
		}
		w.session(account(bob), bob, w.now(), time.Hour)
		w.clicksOn(bob, card.Approve, id, w.cardOf(id, leads))
		w.pass(10 * time.Second)
		w.is(id, pim.Active)
		for _, at := range []pim.Conversation{approvals, leads} {
			if all, open := w.cardsOf(id, at); open != 0 {
				t.Errorf("%d of %d cards in %s still offer a decision", open, all, at)
			}
			for _, m := range w.chat.In(at) {
				if text := workflowtest.Text(m.Card()); !strings.Contains(text, "approved by Bob") || strings.Contains(text, "Still waiting") {
					t.Errorf("a card in %s says\n%s", at, text)
				}
			}
		}
		w.pass(3 * time.Hour)
		if all, _ := w.cardsOf(id, approvals); all != 3 {
			t.Errorf("%d cards after the end", all)
		}
		n, _ := w.event(id, pim.EventReminded)
		m, _ := w.event(id, pim.EventEscalated)
		if n != 2 || m != 1 {
			t.Errorf("%d reminders and %d escalations in the trail", n, m)
		}
	})
}

func TestNobodyIsRemindedOfADecisionThatIsOnItsWay(t *testing.T) {
	inWorld(t, reminded, func(w *world) {
		w.signIn(alice, bob)
		id := w.asks(alice)
		w.pass(15*time.Minute - 3*time.Second)
		w.dir.Break(workflowtest.OpDecide, workflowtest.Fault{Err: errDown})
		w.clicks(bob, card.Approve, id)
		w.pass(30 * time.Second)
		if all, _ := w.cardsOf(id, approvals); all != 1 {
			t.Errorf("%d cards while Bob decides", all)
		}
		w.dir.Mend(workflowtest.OpDecide)
		w.pass(time.Minute)
		w.is(id, pim.Active)
		w.pass(time.Hour)
		if all, _ := w.cardsOf(id, approvals); all != 1 {
			t.Errorf("%d cards after the decision", all)
		}
	})
}

func TestRemindersOutliveARestartAndARestore(t *testing.T) {
	inWorld(t, reminded, func(w *world) {
		w.signIn(alice)
		id := w.asks(alice)
		w.restart()
		w.pass(16 * time.Minute)
		if all, _ := w.cardsOf(id, approvals); all != 2 {
			t.Errorf("%d cards after a restart", all)
		}
		if n, _ := w.event(id, pim.EventReminded); n != 1 {
			t.Errorf("%d reminders in the trail", n)
		}
	})
}

func TestARoleWithoutRemindersHasNone(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		id := w.asks(alice)
		w.pass(20 * time.Hour)
		if all, _ := w.cardsOf(id, approvals); all != 1 {
			t.Errorf("%d cards", all)
		}
	})
}
