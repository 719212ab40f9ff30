package workflow_test

import (
	"strings"
	"testing"
	"time"

	"elevate/internal/pim"
	"elevate/internal/workflow/workflowtest"
)

// unchecked counts the versions of a card, and those that say that it was not checked.
func (w *world) unchecked(id pim.RequestID, at pim.Conversation) (all, saying int, now bool) {
	w.t.Helper()
	cards := w.cardOf(id, at).Cards
	for _, c := range cards {
		now = strings.Contains(workflowtest.Text(c), "Not checked since ")
		if now {
			saying++
		}
	}
	return len(cards), saying, now
}

func TestOpenCardsSayThatTheyAreNotCheckedWhilePIMCannotBeRead(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, dave)
		w.says(dave, "mde-analyst triage")
		w.says(alice, "mde-admin triage INC-1")
		w.pass(10 * time.Second)
		open, active := w.newest(alice).ID, w.newest(dave).ID
		w.is(active, pim.Active)
		before, _, _ := w.unchecked(open, approvals)
		w.dir.Break(workflowtest.OpLook, workflowtest.Fault{Err: errDown})
		w.pass(4 * time.Minute)
		if _, saying, _ := w.unchecked(open, approvals); saying > 0 {
			t.Error("it is said too early")
		}
		w.pass(16 * time.Minute)
		for id, at := range map[pim.RequestID]pim.Conversation{open: approvals, active: oncall} {
			if _, saying, now := w.unchecked(id, at); saying != 1 || !now {
				t.Errorf("%s says it %d times, now %t", id, saying, now)
			}
		}
		w.expect(workflowtest.Text(w.cardOf(open, direct(alice)).Card()), "Not checked since ")
		w.expect(w.board(oncall), "Not checked since ")
		w.dir.Mend(workflowtest.OpLook)
		w.pass(5 * time.Minute)
		if strings.Contains(w.board(oncall), "Not checked since ") {
			t.Error("the board still says it")
		}
		all, saying, now := w.unchecked(open, approvals)
		if saying != 1 || now || all != before+2 {
			t.Errorf("after the end: %d versions, %d say it, now %t", all-before, saying, now)
		}
		w.pass(time.Hour)
		if last, _, _ := w.unchecked(open, approvals); last != all {
			t.Errorf("the card was turned %d times more", last-all)
		}
	})
}

func TestACardThatSaysItIsNotCheckedIsTurnedAfterARestart(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		w.says(alice, "mde-admin triage INC-1")
		w.pass(10 * time.Second)
		id := w.newest(alice).ID
		w.dir.Break(workflowtest.OpLook, workflowtest.Fault{Err: errDown})
		w.pass(20 * time.Minute)
		w.restart()
		w.pass(10 * time.Minute)
		if _, saying, now := w.unchecked(id, approvals); saying != 1 || !now {
			t.Errorf("it says so %d times, now %t", saying, now)
		}
		if said := w.failing(); len(said) != 1 {
			t.Errorf("the restart had it said again: %v", said)
		}
		w.dir.Mend(workflowtest.OpLook)
		w.pass(5 * time.Minute)
		if _, _, now := w.unchecked(id, approvals); now {
			t.Error("it is still said although PIM was read")
		}
	})
}

func TestWorkThatIsHeldForTooLongIsStuck(t *testing.T) {
	held := func(w *world) {
		w.cfg.SweepFirst = true // nothing is said until PIM was read
		w.dir.Break(workflowtest.OpLook, workflowtest.Fault{Err: errDown})
	}
	inWorld(t, held, func(w *world) {
		w.signIn(alice)
		w.says(alice, "mde-admin triage INC-1")
		w.pass(5 * time.Minute)
		if w.bot.Stuck() {
			t.Error("it is stuck too early")
		}
		w.pass(15 * time.Minute)
		if !w.bot.Stuck() {
			t.Error("what was not said for twenty minutes is not stuck")
		}
		w.dir.Mend(workflowtest.OpLook)
		w.pass(5 * time.Minute)
		if w.bot.Stuck() {
			t.Error("it is stuck although everything was said")
		}
	})
}

func TestCardsOfGroupsThatWereReadStayTrueWhereOnlyARestFails(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		w.says(alice, "mde-admin triage INC-1")
		w.pass(10 * time.Second)
		id := w.newest(alice).ID
		w.dir.Hide(workflowtest.PartPolicies, errDown)
		w.pass(30 * time.Minute)
		if said := w.failing(); len(said) != 1 {
			t.Errorf("on-call was told %v", said)
		}
		if _, saying, _ := w.unchecked(id, approvals); saying > 0 {
			t.Error("a card says that it was not checked, and it was")
		}
	})
}
