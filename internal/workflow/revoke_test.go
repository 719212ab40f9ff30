package workflow_test

import (
	"strings"
	"testing"
	"time"

	"elevate/internal/pim"
	"elevate/internal/workflow/workflowtest"
)

const leftEarly = " left her desk *early*"

func TestAnOwnerRevokesAndEverybodyHearsWhoAndWhy(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob, erin)
		id := w.becomesActive()
		w.pass(10 * time.Minute)
		w.expect(w.says(erin, "revoke "+string(id)+leftEarly), "on its way to PIM")
		w.pass(5 * time.Second)
		w.expect(w.told(alice), "Revoked by Erin: left her desk")
		w.pass(2 * time.Minute)
		if r := w.is(id, pim.Ended); r.Ending != pim.Revoked {
			t.Errorf("ended as %s", r.Ending)
		}
		for _, at := range []pim.Conversation{direct(alice), approvals, oncall} {
			w.expect(workflowtest.Text(w.cardOf(id, at).Card()), "Revoked by Erin", "left her desk")
		}
		if n := w.dir.Calls(workflowtest.OpSubmit); n != 2 {
			t.Errorf("PIM was called %d times", n)
		}
		w.expect(w.says(erin, "revoke "+string(id)+leftEarly), "There is nothing to revoke")
	})
}

func TestWhoMayNotRevoke(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob, dave, erin)
		id := w.becomesActive()
		revoke := "revoke " + string(id) + leftEarly
		w.expect(w.says(erin, revoke), "first five minutes", "Type it again in")
		w.pass(10 * time.Minute)
		w.expect(w.says(alice, revoke), "/elevate release mde-admin")
		w.expect(w.says(dave, revoke), "There is no request")
		w.expect(w.says(erin, "revoke "+string(id)), "Say why")
		w.expect(w.says(erin, "revoke abc234 "+leftEarly), "There is no request")
		w.signOut(carol)
		w.expect(w.saysFrom(w.sender(admin), revoke), "Sign in")
		// Bob approves for the role, which gives him no say about who is in the group: PIM says so.
		w.expect(w.says(bob, revoke), "on its way to PIM")
		w.pass(time.Minute)
		w.expect(w.told(bob), "Only owners")
		if r := w.is(id, pim.Active); r.Revoking != nil || r.Leaving != "" {
			t.Errorf("%+v %s", r.Revoking, r.Leaving)
		}
		if card := workflowtest.Text(w.cardOf(id, oncall).Card()); strings.Contains(card, "Revoked") {
			t.Errorf("on-call reads\n%s", card)
		}
		w.pass(2 * time.Hour)
		if r := w.is(id, pim.Ended); r.Ending != pim.Expired {
			t.Errorf("ended as %s", r.Ending)
		}
	})
}

func TestARevocationGoesOnAfterASignInALostAnswerAndAnOutage(t *testing.T) {
	for name, row := range map[string]func(*world){
		"a lost answer":           func(w *world) { w.dir.Fail(workflowtest.OpSubmit, workflowtest.Fault{Err: errLost, Done: true}) },
		"an answer before it was": func(w *world) { w.dir.Fail(workflowtest.OpSubmit, workflowtest.Fault{Err: errLost}) },
		"an outage":               func(w *world) { w.dir.Fail(workflowtest.OpSubmit, workflowtest.Fault{Err: errDown}) },
		"a stop":                  func(w *world) { w.restart() },
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.signIn(alice, bob)
				w.knows(erin)
				id := w.becomesActive()
				w.pass(10 * time.Minute)
				w.expect(w.says(erin, "revoke "+string(id)+leftEarly), "Sign in")
				row(w)
				text, err := w.resumes(erin)
				if err != nil {
					t.Fatal(err)
				}
				w.expect(text, "end Alice's access to MDE Administrator is on its way to PIM")
				w.pass(5 * time.Minute)
				if r := w.is(id, pim.Ended); r.Ending != pim.Revoked {
					t.Errorf("ended as %s", r.Ending)
				}
				if n := strings.Count(w.told(alice), "Save what you can"); n != 1 {
					t.Errorf("Alice was told %d times:\n%s", n, w.told(alice))
				}
			})
		})
	}
}

// The holder gives the access back while the removal waits for PIM: nobody is said to have revoked it.
func TestWhatIsGoneBeforeItWasRevokedIsNotCalledRevoked(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob, erin)
		id := w.becomesActive()
		w.pass(10 * time.Minute)
		w.dir.Fail(workflowtest.OpSubmit, workflowtest.Fault{Err: errDown, First: func() { w.dir.Revoke(w.request(id).Copy.ID) }})
		w.says(erin, "revoke "+string(id)+leftEarly)
		w.pass(5 * time.Minute)
		if r := w.is(id, pim.Ended); r.Revoking != nil {
			t.Errorf("%+v", r.Revoking)
		}
		w.expect(w.told(erin), "PIM holds no such access any more")
	})
}

// Bob approves for the role, and may not take anybody out of the group: he is not the one who did.
func TestWhoeverAlsoTriedToRevokeIsNotTheOneWhoDid(t *testing.T) {
	for name, fault := range map[string]workflowtest.Fault{
		"one answer is slow": {Slow: 5 * time.Second},
		"one answer is lost": {Err: errLost, Done: true, Slow: 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.signIn(alice, bob, erin)
				id := w.becomesActive()
				w.pass(10 * time.Minute)
				w.dir.Fail(workflowtest.OpSubmit, fault)
				w.says(erin, "revoke "+string(id)+leftEarly)
				w.expect(w.says(bob, "revoke "+string(id)+" does not answer me"), "on its way to PIM")
				w.pass(5 * time.Minute)
				if r := w.is(id, pim.Ended); r.Ending != pim.Revoked || r.Revoking == nil || r.Revoking.By.Person != erin {
					t.Errorf("ended as %s by %+v", r.Ending, r.Revoking)
				}
				w.expect(w.told(alice), "Revoked by Erin: left her desk")
				w.lacks(w.told(alice), "Revoked by Bob")
			})
		})
	}
}

// What PIM took is what ended the access, whatever else was sent before and got no answer.
func TestAnAccessIsSaidToBeOverByWhatEndedIt(t *testing.T) {
	for name, row := range map[string]struct {
		before time.Duration // the end
		says   func(*world, pim.RequestID)
		want   pim.Ending
	}{
		"released while a removal was lost": {30 * time.Minute, func(w *world, id pim.RequestID) {
			w.says(erin, "revoke "+string(id)+leftEarly)
			w.says(alice, "release mde-admin")
		}, pim.Released},
		"at its end, a removal before it was lost": {time.Second, func(w *world, id pim.RequestID) { w.says(erin, "revoke "+string(id)+leftEarly) }, pim.Expired},
		"at its end, a release before it was lost": {time.Second, func(w *world, _ pim.RequestID) { w.says(alice, "release mde-admin") }, pim.Expired},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.signIn(alice, bob)
				id := w.becomesActive()
				w.pass(w.request(id).Ends.Sub(w.now()) - row.before)
				w.signIn(alice, erin)
				w.dir.Fail(workflowtest.OpSubmit, workflowtest.Fault{Err: errLost, Slow: 2 * time.Second})
				row.says(w, id)
				w.pass(5 * time.Minute)
				if r := w.is(id, pim.Ended); r.Ending != row.want {
					t.Errorf("ended as %s", r.Ending)
				}
				w.lacks(w.told(alice), "ended by somebody else")
			})
		})
	}
}
