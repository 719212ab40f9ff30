package workflow_test

import (
	"testing"
	"time"

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
