package workflow_test

import (
	"testing"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/workflow/workflowtest"
)

// An owner's sign-in could change who is in the group: it is over also where its step came too late for anything.
func TestAnOwnersSessionEndsWithAStepThatLedToNothing(t *testing.T) {
	for name, row := range map[string]func(*world, pim.RequestID){
		"the access ended before the sign-in": func(w *world, id pim.RequestID) {
			w.says(erin, "revoke "+string(id)+leftEarly)
			w.says(alice, "release mde-admin")
			w.pass(3 * time.Minute)
			w.is(id, pim.Ended)
			if _, err := w.resumes(erin); !pim.IsKind(err, pim.Conflict) {
				w.t.Errorf("got %v", err)
			}
		},
		"the access ended before it was sent": func(w *world, id pim.RequestID) {
			w.dir.Break(workflowtest.OpSubmit, workflowtest.Fault{Err: errDown})
			w.signIn(erin)
			w.says(erin, "revoke "+string(id)+leftEarly)
			w.pass(30 * time.Second)
			w.dir.Revoke(w.request(id).Copy.ID)
			w.pass(5 * time.Minute)
			w.is(id, pim.Ended)
		},
		"the request was canceled before it was sent": func(w *world, _ pim.RequestID) {
			w.dir.Administer(mde, func(g *workflowtest.Group) { g.Eligible = append(g.Eligible, erin) })
			w.dir.Break(workflowtest.OpSubmit, workflowtest.Fault{Err: errDown})
			w.signIn(erin)
			w.says(erin, "mde-admin isolating WS-043")
			w.pass(3 * time.Second)
			w.says(erin, "cancel "+string(w.newest(erin).ID))
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.signIn(alice, bob)
				w.knows(erin)
				id := w.becomesActive()
				w.pass(10 * time.Minute)
				row(w, id)
				w.pass(time.Minute)
				if w.hasSession(erin) {
					t.Error("the session is kept")
				}
			})
		})
	}
}

// A step waits for PIM, and its account is unlinked: whoever has that account now is told nothing of anybody else.
func TestAStepOfAnUnlinkedAccountIsDroppedAndNamesNobody(t *testing.T) {
	for name, row := range map[string]struct {
		who  pim.PrincipalID
		says func(*world, pim.RequestID)
	}{
		"revoke": {erin, func(w *world, id pim.RequestID) {
			w.clicks(bob, card.Approve, id)
			w.pass(10 * time.Minute)
			w.is(id, pim.Active)
			w.dir.Break(workflowtest.OpSubmit, workflowtest.Fault{Err: errDown})
			w.expect(w.says(erin, "revoke "+string(id)+leftEarly), "on its way")
		}},
		"approve": {carol, func(w *world, id pim.RequestID) {
			w.dir.Break(workflowtest.OpDecide, workflowtest.Fault{Err: errDown})
			w.clicks(carol, card.Approve, id)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.signIn(alice, bob, carol, erin)
				id := w.asks(alice)
				row.says(w, id)
				w.pass(5 * time.Second)
				w.says(row.who, "unlink")
				before := w.request(id).State
				w.dir.Mend(workflowtest.OpSubmit)
				w.dir.Mend(workflowtest.OpDecide)
				w.pass(4 * time.Minute)
				w.is(id, before)
				w.lacks(w.told(row.who), "Alice's")
				if waiting := w.intents(row.who); len(waiting) > 0 {
					t.Errorf("%+v wait", waiting)
				}
			})
		})
	}
}
