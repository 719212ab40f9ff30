package workflow_test

import (
	"strings"
	"testing"
	"time"

	"elevate/internal/pim"
	"elevate/internal/workflow/workflowtest"
)

// times is how often a person was told something.
func (w *world) times(p pim.PrincipalID, words string) int { return strings.Count(w.told(p), words) }

func TestTheHolderIsToldOnceBeforeTheEnd(t *testing.T) {
	const words = "Your MDE Administrator ends at "
	for name, row := range map[string]struct {
		asks  string
		quiet time.Duration // after which nothing was said yet
	}{
		"an hour, ten minutes before":           {"for 1h", 49 * time.Minute},
		"twenty minutes, in their last quarter": {"for 20m", 14 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.signIn(alice, bob)
				w.says(alice, "mde-admin "+row.asks+" isolating WS-042")
				w.pass(2 * time.Second)
				id := w.newest(alice).ID
				w.says(bob, "approve "+string(id))
				w.pass(5 * time.Second)
				w.is(id, pim.Active)
				w.pass(row.quiet)
				if n := w.times(alice, words); n != 0 {
					t.Errorf("told %d times already", n)
				}
				w.restart()
				w.pass(2 * time.Minute)
				if n := w.times(alice, words); n != 1 {
					t.Errorf("told %d times", n)
				}
				w.pass(time.Hour)
				w.is(id, pim.Ended)
				if n, _ := w.event(id, pim.EventEnding); n != 1 || w.times(alice, words) != 1 {
					t.Errorf("%d events, told %d times", n, w.times(alice, words))
				}
			})
		})
	}
}

func TestNobodyIsToldOfTheEndOfWhatWasReleased(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.becomesActive()
		w.pass(10 * time.Minute)
		w.says(alice, "release mde-admin")
		w.pass(time.Hour)
		w.is(id, pim.Ended)
		if n := w.times(alice, "ends at"); n != 0 {
			t.Errorf("told %d times", n)
		}
	})
}

// A release is on its way when the notice is due, and PIM refuses it.
func TestTheHolderIsToldOfTheEndAlsoAfterARefusedRelease(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.becomesActive()
		r := w.request(id)
		w.pass(r.EndingNotice().Sub(w.now()) - 20*time.Second)
		w.dir.Break(workflowtest.OpSubmit, workflowtest.Fault{Err: errDown})
		w.says(alice, "release mde-admin")
		w.pass(time.Minute)
		w.dir.Break(workflowtest.OpSubmit, workflowtest.Fault{Err: pim.Errorf(pim.Invalid, "PIM refused.")})
		w.pass(5 * time.Minute)
		w.is(id, pim.Active)
		if n := w.times(alice, "Your MDE Administrator ends at "); n != 1 {
			t.Errorf("Alice was told %d times", n)
		}
	})
}
