package workflow_test

import (
	"strings"
	"testing"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
	"elevate/internal/workflow"
	"elevate/internal/workflow/workflowtest"
)

func TestAnUnknownWordChangesNothingAndIsAnEvent(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.asks(alice)
		w.dir.Change(w.request(id).Copy.ID, func(c *pim.Copy) { c.Status = "Pondering" })
		w.pass(time.Minute)
		w.is(id, pim.Pending)
		if n, e := w.event(id, pim.EventUnknownWord); n != 1 || e.Text != "Pondering" {
			t.Errorf("%d events, the last %+v", n, e)
		}
		w.view(func(tx *store.Tx) error {
			words, err := workflow.UnknownWords(tx)
			if len(words) != 1 || words["Pondering"] != 1 {
				t.Errorf("counted: %v", words)
			}
			return err
		})
		w.dir.Change(w.request(id).Copy.ID, func(c *pim.Copy) { c.Status = "Denied" })
		w.pass(time.Minute)
		w.is(id, pim.Denied)
	})
}

func TestPIMsWordsTurnARequest(t *testing.T) {
	for _, row := range []struct {
		word  string
		state pim.State
	}{
		{"pendingadmindecision", pim.Pending},
		{"PendingEvaluation", pim.Pending},
		{"AdminApproved", pim.Granting},
		{"PENDINGPROVISIONING", pim.Granting},
		{"Provisioned", pim.Granting}, // until the membership was read
		{"AdminDenied", pim.Denied},
		{"Canceled", pim.Canceled},
		{"FailedAsResourceIsLocked", pim.Failed},
		{"Revoked", pim.Failed},
		{"TimedOut", pim.TimedOut},
	} {
		t.Run(row.word, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.signIn(alice)
				id := w.asks(alice)
				w.dir.Change(w.request(id).Copy.ID, func(c *pim.Copy) { c.Status = row.word })
				w.pass(time.Minute)
				w.is(id, row.state)
			})
		})
	}
}

func TestAnEndWhileItIsGrantedIsAFailure(t *testing.T) {
	for _, word := range []string{"Canceled", "Denied", "Revoked", "Failed"} {
		t.Run(word, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.signIn(alice, bob)
				w.dir.Timing(time.Hour, 0, 0)
				id := w.asks(alice)
				w.clicks(bob, card.Approve, id)
				w.pass(5 * time.Second)
				r := w.is(id, pim.Granting)
				w.dir.Change(r.Copy.ID, func(c *pim.Copy) { c.Status = word })
				w.pass(5 * time.Second)
				if r = w.is(id, pim.Failed); r.Why == "" {
					t.Error("it does not say why")
				}
			})
		})
	}
}

func TestTimedOutIsLookedAtOnceMoreBeforeItIsSaid(t *testing.T) {
	inWorld(t, func(w *world) { w.cfg.Tick = time.Minute }, func(w *world) {
		w.signIn(alice)
		id := w.asks(alice)
		w.pass(24*time.Hour + 9*time.Minute)
		w.is(id, pim.Pending)
		w.pass(2 * time.Minute)
		r := w.is(id, pim.TimedOut)
		_, e := w.event(id, pim.EventObserved)
		if !e.At.After(r.TimedOutSeen) {
			t.Errorf("seen %s, said %s", r.TimedOutSeen, e.At)
		}
	})
}

func TestAWordThatWasTakenBackDoesNotTimeOut(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		id := w.asks(alice)
		pimID := w.request(id).Copy.ID
		for range 3 {
			// PIM is seen to say it once only, each time.
			w.dir.Change(pimID, func(c *pim.Copy) { c.Status = "TimedOut" })
			w.until(func() bool { return !w.request(id).TimedOutSeen.IsZero() })
			w.dir.Change(pimID, func(c *pim.Copy) { c.Status = "PendingApproval" })
			w.until(func() bool { return w.request(id).TimedOutSeen.IsZero() })
		}
		w.is(id, pim.Pending)
	})
}

// until lets time go by until something is so.
func (w *world) until(so func() bool) {
	w.t.Helper()
	for range 3600 {
		if so() {
			return
		}
		w.pass(time.Second)
	}
	w.t.Fatal("it did not happen within an hour")
}

func TestAScheduledRequestIsActiveFromItsStart(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		start := w.now().Add(2 * time.Hour).UTC().Truncate(time.Minute)
		w.says(alice, "mde-admin from "+start.Format("15:04")+" for 1h night shift")
		w.pass(3 * time.Second)
		id := w.newest(alice).ID
		w.clicks(bob, card.Approve, id)
		w.pass(10 * time.Second)
		r := w.is(id, pim.Scheduled)
		if !r.Copy.Start.Equal(start) {
			t.Errorf("it starts %s", r.Copy.Start)
		}
		w.pass(time.Until(start) - time.Minute)
		if r := w.request(id); r.State == pim.Active {
			t.Error("active before its start")
		}
		w.pass(2 * time.Minute)
		w.is(id, pim.Active)
	})
}

func TestAScheduledRequestCanBeCanceled(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		start := w.now().Add(2 * time.Hour).UTC()
		w.says(alice, "mde-admin from "+start.Format("15:04")+" for 1h night shift")
		w.pass(3 * time.Second)
		id := w.newest(alice).ID
		w.clicks(bob, card.Approve, id)
		w.pass(10 * time.Second)
		w.is(id, pim.Scheduled)
		w.says(alice, "cancel "+string(id))
		w.pass(3 * time.Second)
		w.is(id, pim.Canceled)
	})
}

func TestGrantingThatTakesFiveMinutesIsSaidOnceAndWatchedOn(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		w.dir.Timing(20*time.Minute, 0, 0)
		id := w.asks(alice)
		w.clicks(bob, card.Approve, id)
		w.pass(4 * time.Minute)
		if n := len(w.chat.In(oncall)); n != 0 {
			t.Errorf("on-call has %d messages", n)
		}
		w.pass(2 * time.Minute)
		w.expect(workflowtest.Text(w.cardOf(id, oncall).Card()), "longer than five minutes")
		w.expect(workflowtest.Text(w.cardOf(id, direct(alice)).Card()), "longer than five minutes")
		w.pass(15 * time.Minute)
		w.is(id, pim.Active)
		if n, _ := w.event(id, pim.EventLate); n != 1 {
			t.Errorf("said %d times", n)
		}
	})
}

func TestAProvisionedWordWithoutTheMembershipIsNotActive(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.asks(alice)
		w.dir.Hide(workflowtest.PartAccess, errDown)
		w.clicks(bob, card.Approve, id)
		w.pass(time.Minute)
		if r := w.is(id, pim.Granting); r.Copy.Status != "Provisioned" {
			t.Fatalf("PIM says %s", r.Copy.Status)
		}
		w.dir.Hide(workflowtest.PartAccess, nil)
		w.pass(5 * time.Second)
		w.is(id, pim.Active)
	})
}

func TestAnAccessThatWentByUnreadIsNoSuccess(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.asks(alice)
		w.dir.Hide(workflowtest.PartAccess, errDown)
		w.clicks(bob, card.Approve, id)
		w.pass(2 * time.Hour)
		w.is(id, pim.Granting) // an absence that was not read is none
		w.dir.Hide(workflowtest.PartAccess, nil)
		w.pass(time.Minute)
		w.expect(w.is(id, pim.Failed).Why, "never read the membership")
	})
}

func TestDirectCardsComeAsSoonAsTheApproversAreKnown(t *testing.T) {
	unknown := func(w *world) {
		w.cfg.Roles[0].Direct = true
		w.dir.Hide(workflowtest.PartPolicies, errDown)
	}
	inWorld(t, unknown, func(w *world) {
		w.signIn(alice, bob)
		id := w.asks(alice)
		if n := len(w.chat.In(direct(bob))); n != 0 {
			t.Fatalf("Bob has %d messages", n)
		}
		w.dir.Hide(workflowtest.PartPolicies, nil)
		w.pass(2 * time.Minute)
		w.expect(workflowtest.Text(w.cardOf(id, direct(bob)).Card()), "Alice")
		w.clicksOn(bob, card.Approve, id, w.cardOf(id, direct(bob)))
		w.pass(5 * time.Second)
		w.is(id, pim.Active)
		w.expect(workflowtest.Text(w.cardOf(id, direct(bob)).Card()), "member since")
	})
}

func TestADecisionInThePortalTurnsEveryCard(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		id := w.asks(alice)
		if err := w.dir.Review(carol, w.request(id).Copy.ID, true, "in the portal"); err != nil {
			t.Fatal(err)
		}
		w.pass(20 * time.Second)
		if r := w.is(id, pim.Active); r.Decided == nil || r.Decided.Chat != pim.Portal {
			t.Errorf("decided %+v", r.Decided)
		}
		for _, at := range []pim.Conversation{approvals, direct(alice)} {
			w.expect(workflowtest.Text(w.cardOf(id, at).Card()), "Approved in PIM")
		}
	})
}

func TestARequestFromThePortalGetsACardAndCanBeDecidedHere(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(bob)
		w.knows(alice)
		pimID, err := w.dir.Ask(alice, pim.Activation{Action: pim.SelfActivate, Group: mde, Principal: alice, Duration: time.Hour, Justification: "from the portal"})
		if err != nil {
			t.Fatal(err)
		}
		w.pass(75 * time.Second)
		all := w.allRequests()
		if len(all) != 1 || all[0].Copy.ID != pimID || all[0].Chat != pim.Portal {
			t.Fatalf("there are %+v", all)
		}
		id := all[0].ID
		w.expect(workflowtest.Text(w.cardOf(id, approvals).Card()), "Asked in the PIM portal", "from the portal")
		w.clicks(bob, card.Approve, id)
		w.pass(10 * time.Second)
		w.is(id, pim.Active)
	})
}

func TestASweepThatFailsForFiveMinutesIsAnEventOnceAndSoIsItsEnd(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.pass(time.Minute)
		if w.bot.Swept().IsZero() {
			t.Fatal("no sweep")
		}
		w.dir.Break(workflowtest.OpLook, workflowtest.Fault{Err: errDown})
		w.pass(4 * time.Minute)
		if said := w.failing(); len(said) != 0 {
			t.Errorf("said too early: %v", said)
		}
		w.pass(20 * time.Minute)
		if said := w.failing(); len(said) != 1 || !strings.Contains(said[0], "Microsoft Graph does not work") {
			t.Errorf("said %v", said)
		}
		w.dir.Mend(workflowtest.OpLook)
		w.pass(5 * time.Minute)
		if said := w.failing(); len(said) != 2 {
			t.Errorf("said %v", said)
		}
		told := w.alarms()
		if len(told) != 2 || !strings.Contains(told[0], "PIM could not be read for five minutes") || !strings.Contains(told[1], "PIM is read again") {
			t.Errorf("on-call was told %q", told)
		}
	})
}

func TestOnCallHearsOfAGraphThatWantsALongPauseWhileItLasts(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.pass(time.Minute)
		w.dir.Break(workflowtest.OpLook, workflowtest.Fault{Err: &pim.Error{Kind: pim.Throttled, Message: "Graph is asked too much.", RetryAfter: 30 * time.Minute}})
		w.pass(time.Minute)
		asked := w.dir.Calls(workflowtest.OpLook)
		w.pass(7 * time.Minute)
		if told := w.alarms(); len(told) != 1 || !strings.Contains(told[0], "PIM could not be read for five minutes: Graph is asked too much.") {
			t.Errorf("on-call was told %q", told)
		}
		w.pass(18 * time.Minute)
		if again := w.dir.Calls(workflowtest.OpLook) - asked; again != 0 {
			t.Errorf("Graph was asked %d times in the pause it wants", again)
		}
		w.dir.Mend(workflowtest.OpLook)
		w.pass(6 * time.Minute)
		if told := w.alarms(); len(told) != 2 || !strings.Contains(told[1], "PIM is read again") {
			t.Errorf("on-call was told %q", told)
		}
	})
}

func (w *world) failing() (said []string) {
	w.t.Helper()
	events := w.trail()
	for _, e := range events {
		if e.Kind == pim.EventSweepFailing {
			said = append(said, e.Text)
		}
	}
	return said
}
