package workflow_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"elevate/internal/pim"
	"elevate/internal/store"
	"elevate/internal/workflow"
	"elevate/internal/workflow/workflowtest"
)

// activates has somebody ask in PIM's own portal.
func (w *world) activates(p pim.PrincipalID, g pim.GroupID) string {
	w.t.Helper()
	id, err := w.dir.Ask(p, pim.Activation{Action: pim.SelfActivate, Group: g, Principal: p, Duration: time.Hour, Justification: "from the portal"})
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// What is granted before a sweep sees it undecided is met once, read back, told, and followed to its end.
func TestAnActivationThatWasGrantedElsewhereIsMetAndToldToOnCall(t *testing.T) {
	for name, row := range map[string]struct {
		group pim.GroupID
		says  []string
	}{
		"without an approval":            {analyst, []string{"Asked in the PIM portal", "from the portal", "member since"}},
		"and approved between two looks": {mde, []string{"Approved in PIM", "from the portal", "member since"}},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.knows(alice)
				pimID := w.activates(alice, row.group)
				if row.group == mde {
					if err := w.dir.Review(bob, pimID, true, "in the portal"); err != nil {
						t.Fatal(err)
					}
				}
				w.pass(90 * time.Second)
				w.restart()
				w.pass(3 * time.Minute)
				all := w.allRequests()
				if len(all) != 1 || all[0].Copy.ID != pimID || all[0].Chat != pim.Portal || all[0].State != pim.Active {
					t.Fatalf("there are %+v", all)
				}
				id := all[0].ID
				w.expect(workflowtest.Text(w.cardOf(id, oncall).Card()), row.says...)
				w.expect(workflowtest.Text(w.cardOf(id, direct(alice)).Card()), "You have this access")
				if n := len(w.chat.In(approvals)); n > 0 {
					t.Errorf("approvers, who have nothing to decide, got %d cards", n)
				}
				w.pass(2 * time.Hour)
				w.is(id, pim.Ended)
				if n := len(w.allRequests()); n != 1 {
					t.Errorf("%d requests", n)
				}
				if said := w.alarms(); len(said) > 0 {
					t.Errorf("alarms: %q", said)
				}
			})
		})
	}
}

// PIM's lists lag: what ended here is in them for a while, and is no activation of somebody else's.
func TestAnAccessThatEndedHereIsNotMetOnceMore(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.becomesActive()
		w.pass(10 * time.Minute)
		w.update(func(tx *store.Tx) error {
			r, err := tx.Request(id)
			if err != nil {
				return err
			}
			if err := r.Move(pim.Ended); err != nil {
				return err
			}
			if _, err := tx.Append(pim.Event{Kind: pim.EventEnded, Request: id, From: pim.Active, To: pim.Ended}); err != nil {
				return err
			}
			return tx.PutRequest(r)
		})
		w.pass(10 * time.Minute)
		if all := w.allRequests(); len(all) != 1 {
			t.Errorf("there are %+v", all)
		}
		if said := w.alarms(); len(said) > 0 {
			t.Errorf("alarms: %q", said)
		}
	})
}

func TestAnActivationOfWhichPIMShowsNoRequestIsAnAlarm(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		pimID := w.activates(alice, analyst)
		w.dir.Change(pimID, func(c *pim.Copy) { c.Action = pim.AdminAssign })
		w.pass(20 * time.Minute)
		said := w.alarms()
		if len(said) != 1 || !strings.Contains(said[0], "has an activation in PIM of which PIM shows no request") {
			t.Errorf("on-call was told %q", said)
		}
		if all := w.allRequests(); len(all) != 0 {
			t.Errorf("there are %+v", all)
		}
	})
}

// What could not be read is no reason for an alarm.
func TestAnActivationWhoseRequestsCannotBeReadIsLookedAtAgain(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.dir.Hide(workflowtest.PartRecent, errDown)
		w.activates(alice, analyst)
		w.pass(20 * time.Minute)
		if said := w.alarms(); len(said) > 0 {
			t.Errorf("on-call was told %q", said)
		}
		w.dir.Hide(workflowtest.PartRecent, nil)
		w.pass(2 * time.Minute)
		if all := w.allRequests(); len(all) != 1 {
			t.Errorf("there are %+v", all)
		}
	})
}

// What cannot be read ends no alarm, either.
func TestAnUnexplainedActivationStandsWhileItsRequestsCannotBeRead(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		pimID := w.activates(alice, analyst)
		w.dir.Change(pimID, func(c *pim.Copy) { c.Action = pim.AdminAssign })
		w.pass(20 * time.Minute)
		w.dir.Hide(workflowtest.PartRecent, errDown)
		w.pass(20 * time.Minute)
		if said := strings.Join(w.alarms(), "\n"); strings.Contains(said, "that is over") || strings.Count(said, ": alarm\n") != 1 {
			t.Errorf("on-call was told %q", said)
		}
		w.dir.Hide(workflowtest.PartRecent, nil)
		w.pass(time.Hour)
		if said := strings.Join(w.alarms(), "\n"); strings.Count(said, "that is over") != 1 {
			t.Errorf("on-call was told %q", said)
		}
	})
}

// PIM ends a request, and gives the access all the same: nobody has an access that nothing shows.
func TestAnAccessByARequestThatWasOverIsAnAlarm(t *testing.T) {
	for _, word := range []string{"FailedAsResourceIsLocked", "Denied", "TimedOut"} {
		t.Run(word, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.signIn(alice, bob)
				id := w.asks(alice)
				pimID := w.request(id).Copy.ID
				w.dir.Change(pimID, func(c *pim.Copy) { c.Status = word })
				w.pass(2 * time.Minute)
				if r := w.request(id); r.State.Open() {
					t.Fatalf("the request is %s", r.State)
				}
				w.dir.Change(pimID, func(c *pim.Copy) { c.Status = "PendingApproval" })
				if err := w.dir.Review(bob, pimID, true, "in the portal"); err != nil {
					t.Fatal(err)
				}
				w.dir.Change(pimID, func(c *pim.Copy) { c.Status = "Provisioned" })
				w.pass(20 * time.Minute)
				if said := strings.Join(w.alarms(), "\n"); strings.Count(said, "by a request that was over") != 2 { // title and text
					t.Errorf("on-call was told %q", said)
				}
				w.expect(w.says(bob, "who"), "Alice has an activation in PIM by a request that was over")
				w.pass(2 * time.Hour)
				if said := strings.Join(w.alarms(), "\n"); strings.Count(said, "that is over. It was seen") != 1 {
					t.Errorf("on-call was told %q", said)
				}
			})
		})
	}
}

// However many activations nothing explains: a sweep costs about as much, and each is raised, and over once it ends.
func TestManyUnexplainedActivationsAreReadByTurns(t *testing.T) {
	const many = 150
	var most atomic.Int64
	inWorld(t, func(w *world) {
		w.dir.Asked = func(q pim.Question) { most.Store(max(most.Load(), int64(len(q.Recent)))) }
	}, func(w *world) {
		for i := range many {
			p := pim.PrincipalID(fmt.Sprintf("00000000-0000-4000-8000-1000000%05d", i))
			w.dir.Administer(analyst, func(g *workflowtest.Group) { g.Eligible = append(g.Eligible, p) })
			id := w.activates(p, analyst)
			w.dir.Change(id, func(c *pim.Copy) { c.Action = pim.AdminAssign })
		}
		open := func() (n int) {
			w.view(func(tx *store.Tx) error {
				alarms, err := workflow.OpenAlarms(tx)
				n = len(alarms)
				return err
			})
			return n
		}
		w.pass(30 * time.Minute)
		if n := open(); n != many || most.Load() > 50 {
			t.Errorf("%d alarms, at most %d people's requests at once", n, most.Load())
		}
		w.pass(time.Hour)
		if n := open(); n != 0 {
			t.Errorf("%d alarms stand", n)
		}
	})
}
