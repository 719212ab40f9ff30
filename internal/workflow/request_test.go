package workflow_test

import (
	"testing"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/workflow/workflowtest"
)

func TestARequestLivesFromTheWordsToTheEndOfTheAccess(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		w.dir.Timing(3*time.Second, 4*time.Second, 0)
		id := w.asks(alice)
		w.expect(workflowtest.Text(w.cardOf(id, approvals).Card()), "Alice", "isolating WS-042")
		w.expect(w.clicks(bob, card.Approve, id), "on its way")
		w.pass(1500 * time.Millisecond)
		w.is(id, pim.Granting)
		w.pass(3 * time.Second)
		r := w.is(id, pim.Active)
		if r.Decided == nil || r.Decided.By.Person != bob || r.Ends.Sub(r.Copy.Start) != time.Hour {
			t.Errorf("decided %+v, until %s", r.Decided, r.Ends)
		}
		w.expect(w.told(alice), "member since")
		w.expect(workflowtest.Text(w.cardOf(id, oncall).Card()), "member since")
		w.pass(time.Until(r.Ends) + time.Second)
		w.is(id, pim.Active)
		w.pass(40 * time.Second)
		r = w.is(id, pim.Ended)
		if r.Ending != pim.Expired || r.EndedAt.Sub(r.Absent) < 30*time.Second {
			t.Errorf("ended as %s at %s, first absent at %s", r.Ending, r.EndedAt, r.Absent)
		}
		for _, at := range []pim.Conversation{approvals, oncall, direct(alice)} {
			w.expect(workflowtest.Text(w.cardOf(id, at).Card()), "removed (read back)")
		}
	})
}
