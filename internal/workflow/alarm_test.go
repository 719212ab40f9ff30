package workflow_test

import (
	"strings"
	"testing"
	"time"

	"elevate/internal/pim"
	"elevate/internal/store"
	"elevate/internal/workflow"
	"elevate/internal/workflow/workflowtest"
)

// alarms are what on-call was told that is no card of a request.
func (w *world) alarms() []string {
	var said []string
	for _, m := range w.chat.In(oncall) {
		if m.Card().Request == "" && m.Card().Title != "Who is elevated now" {
			said = append(said, workflowtest.Text(m.Card()))
		}
	}
	return said
}

func TestAMembershipThatNobodyAskedForIsAnAlarmOnceUntilItIsGone(t *testing.T) {
	for name, row := range map[string]struct{ by, want string }{
		"outside PIM":           {"", "is a member outside PIM"},
		"a standing assignment": {"assignment-1", "has a standing assignment in PIM, which nobody activated"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.signIn(alice)
				m := pim.Membership{Group: mde, Principal: carol}
				w.dir.Stand(m, row.by)
				w.pass(15 * time.Minute)
				w.restart()
				w.pass(time.Hour)
				said := w.alarms()
				if len(said) != 1 || !strings.Contains(said[0], "Carol") || !strings.Contains(said[0], row.want) {
					t.Fatalf("on-call was told %q", said)
				}
				w.expect(w.says(alice, "who"), "Carol", row.want)
				w.dir.Fall(m)
				w.pass(time.Hour)
				if said := w.alarms(); len(said) != 1 || !strings.Contains(said[0], "that is over") {
					t.Errorf("on-call was told %q", said)
				}
				if said := w.says(alice, "who"); strings.Contains(said, "Carol") {
					t.Errorf("who says %s", said)
				}
			})
		})
	}
}

func TestAnAccessThatWasAskedForIsNoAlarm(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		w.dir.Timing(5*time.Second, 3*time.Minute, 10*time.Second)
		id := w.becomesActive()
		w.pass(2 * time.Hour)
		w.is(id, pim.Ended)
		if said := w.alarms(); len(said) > 0 {
			t.Errorf("on-call was told %q", said)
		}
	})
}

func TestChangedRulesAreToldToOnCallOnce(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		w.pass(15 * time.Minute)
		w.dir.Administer(mde, func(g *workflowtest.Group) { g.Max, g.Approvers = 24*time.Hour, nil })
		w.pass(time.Hour)
		w.restart()
		w.pass(time.Hour)
		said := w.alarms()
		if len(said) != 1 || !strings.Contains(said[0], "approval: yes, now no") || !strings.Contains(said[0], "longest activation: 8 h, now 24 h") {
			t.Errorf("on-call was told %q", said)
		}
	})
}

// Nobody looks at a group any more that the settings do not name: its alarms would stand, and take the room of others, for ever.
func TestAlarmsOfARoleThatIsNotInTheSettingsAnyMoreAreOver(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.dir.Stand(pim.Membership{Group: hunt, Principal: carol}, "")
		w.pass(15 * time.Minute)
		w.cfg.Roles = w.cfg.Roles[:3]
		w.restart()
		w.pass(5 * time.Minute)
		w.view(func(tx *store.Tx) error {
			open, err := workflow.OpenAlarms(tx)
			if len(open) > 0 {
				t.Errorf("%+v", open)
			}
			return err
		})
		if said := w.alarms(); len(said) != 1 {
			t.Errorf("on-call was told %q", said)
		}
	})
}
