package workflow_test

import (
	"strings"
	"testing"
	"time"

	"elevate/internal/workflow"
	"elevate/internal/workflow/workflowtest"
)

// workOf is the running queue's only effect whose key begins so.
func (w *world) workOf(begin string) workflow.Work {
	w.t.Helper()
	var found []workflow.Work
	for _, one := range w.bot.Work() {
		if strings.HasPrefix(one.Effect.Key, begin) {
			found = append(found, one)
		}
	}
	if len(found) != 1 {
		w.t.Fatalf("%d effects begin with %s", len(found), begin)
	}
	return found[0]
}

func TestTheRunningQueueSaysHowOftenWorkFailedWhyAndWhenItIsTriedAgain(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		w.chat.Shut(approvals, errDown)
		id := w.asks(alice)
		w.pass(20 * time.Second)
		card := "card|" + string(id) + "|approvers|"
		waits := w.workOf(card)
		if waits.State != "waiting" || waits.Tries < 2 || !strings.Contains(waits.Why, errDown.Message) || !waits.Due.After(w.now()) {
			t.Errorf("%+v", waits)
		}
		w.pass(waits.Due.Sub(w.now()))
		if again := w.workOf(card); again.Tries != waits.Tries+1 || !again.Due.After(waits.Due) {
			t.Errorf("it was due at %s: %+v", waits.Due, again)
		}
		// What works again has no past.
		w.dir.Fail(workflowtest.OpLook, workflowtest.Fault{Err: errDown})
		w.pass(10 * time.Minute)
		if sweep := w.workOf("sweep"); sweep.Tries != 0 || sweep.Why != "" || sweep.State != "waiting" {
			t.Errorf("%+v", sweep)
		}
	})
}

func TestTheRunningQueueSaysWhatRuns(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.asks(alice)
		w.dir.Break(workflowtest.OpSubmit, workflowtest.Fault{Slow: 20 * time.Second})
		w.says(bob, "mde-admin isolating WS-043")
		w.pass(time.Second)
		if submit := w.workOf("submit|"); submit.State != "running" || submit.Effect.Request == id {
			t.Errorf("%+v", submit)
		}
	})
}
