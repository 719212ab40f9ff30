package workflow_test

import (
	"strings"
	"testing"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/workflow"
	"elevate/internal/workflow/workflowtest"
)

// endsSoon has Alice hold the role until ten minutes before its end.
func (w *world) endsSoon() pim.RequestID {
	w.t.Helper()
	id := w.becomesActive()
	w.passToNotice(id)
	return id
}

// passToNotice lets time go by until the holder was told of the end.
func (w *world) passToNotice(id pim.RequestID) {
	w.t.Helper()
	r := w.request(id)
	w.pass(r.EndingNotice().Sub(w.now()) + time.Second)
}

// other is the request of Alice's that is not this one.
func (w *world) other(id pim.RequestID) pim.Request {
	w.t.Helper()
	var found []pim.Request
	for _, r := range w.allRequests() {
		if r.ID != id {
			found = append(found, r)
		}
	}
	if len(found) != 1 {
		w.t.Fatalf("there are %d other requests", len(found))
	}
	return found[0]
}

func TestAskAgainWaitsForTheEndThatIsReadBackAndIsSentOnce(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.endsSoon()
		said := w.chat.In(direct(alice))
		notice := said[len(said)-1]
		if b := notice.Card().Buttons; len(b) != 1 || b[0].Label != "Ask again" {
			t.Fatalf("the notice has %+v", b)
		}
		w.signIn(alice)
		form := w.bot.Click(t.Context(), w.sender(alice), workflow.Click{Act: card.OpenForm, Role: "mde-admin", Request: id, Ref: notice.Ref}).Form
		if form == nil {
			t.Fatal("no form")
		}
		for _, f := range form.Fields {
			if f.Name == card.FieldReason && f.Value != "isolating WS-042" {
				t.Errorf("the reason is %q", f.Value)
			}
		}
		w.expect(w.says(alice, "mde-admin still isolating WS-042"), "waits for the end of the access")
		next := w.other(id).ID
		w.expect(workflowtest.Text(w.cardOf(next, direct(alice)).Card()), "waiting for the end of the present access", "waits for the end")
		w.expect(w.says(alice, "mde-admin and once more"), "You have asked for MDE Administrator again already")
		w.restart()
		sent := w.dir.Calls(workflowtest.OpSubmit)
		w.pass(9 * time.Minute)
		if n := w.dir.Calls(workflowtest.OpSubmit); n != sent {
			t.Fatal("sent before the end")
		}
		w.is(id, pim.Active)
		w.pass(3 * time.Minute)
		w.is(id, pim.Ended)
		w.is(next, pim.Pending)
		if n := w.dir.Calls(workflowtest.OpSubmit); n != sent+1 {
			t.Errorf("sent %d times", n-sent)
		}
		w.signIn(bob)
		w.clicks(bob, card.Approve, next)
		w.pass(10 * time.Second)
		w.is(next, pim.Active)
	})
}

func TestWhatWaitsForAnEndCanBeCanceledAndIsTooEarlyBefore(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.becomesActive()
		w.expect(w.says(alice, "mde-admin more of it"), "You already have MDE Administrator")
		w.passToNotice(id)
		w.signIn(alice)
		w.says(alice, "mde-admin more of it")
		next := w.other(id).ID
		w.says(alice, "cancel "+string(next))
		w.is(next, pim.Canceled)
		sent := w.dir.Calls(workflowtest.OpSubmit)
		w.pass(time.Hour)
		if n := w.dir.Calls(workflowtest.OpSubmit); n != sent {
			t.Errorf("sent %d times", n-sent)
		}
	})
}

// The session ends before the access does: the holder signs in, and it goes on.
func TestWhatWaitedForAnEndAsksForASignInThen(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.endsSoon()
		w.signIn(alice)
		w.says(alice, "mde-admin more of it")
		next := w.other(id).ID
		w.signOut(alice)
		w.pass(15 * time.Minute)
		w.is(next, pim.WaitingForSignIn)
		if _, err := w.resumes(alice); err != nil {
			t.Fatal(err)
		}
		w.pass(5 * time.Second)
		w.is(next, pim.Pending)
	})
}

// PIM goes on saying that there is an activation for a while after the end.
func TestWhatFollowsIsSentAgainWhilePIMLags(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.endsSoon()
		w.signIn(alice)
		w.says(alice, "mde-admin more of it")
		next := w.other(id).ID
		exists := workflowtest.Fault{Err: &pim.Error{Kind: pim.Conflict, Code: "RoleAssignmentExists", Message: "PIM refused: this access is already active."}}
		w.dir.Fail(workflowtest.OpSubmit, exists, exists, exists)
		w.pass(15 * time.Minute)
		w.is(next, pim.Pending)
	})
}

// Somebody who knows the id of a request gets nothing of it filled in.
func TestTheFormIsFilledInForWhomeverAskedAlone(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob, dave)
		id := w.becomesActive()
		form := w.bot.Click(t.Context(), w.sender(dave), workflow.Click{Act: card.OpenForm, Role: "mde-admin", Request: id}).Form
		if form == nil {
			t.Fatal("no form")
		}
		for _, f := range form.Fields {
			if strings.Contains(f.Value, "isolating") {
				t.Errorf("Dave reads %q", f.Value)
			}
		}
	})
}

// Whoever was taken out does not come in again by themselves.
func TestWhatFollowsAnAccessThatWasRevokedIsNotSent(t *testing.T) {
	inWorld(t, func(w *world) {
		w.dir.Administer(analyst, func(g *workflowtest.Group) { g.Owners = []pim.PrincipalID{erin} })
	}, func(w *world) {
		w.signIn(alice, erin)
		w.says(alice, "mde-analyst looking at WS-042")
		w.pass(5 * time.Second)
		id := w.newest(alice).ID
		w.is(id, pim.Active)
		w.passToNotice(id)
		w.signIn(alice, erin)
		w.says(alice, "mde-analyst still looking at it")
		next := w.other(id).ID
		sent := w.dir.Calls(workflowtest.OpSubmit)
		w.says(erin, "revoke "+string(id)+leftEarly)
		w.pass(15 * time.Minute)
		if r := w.is(id, pim.Ended); r.Ending != pim.Revoked {
			t.Errorf("ended as %s", r.Ending)
		}
		w.is(next, pim.Canceled)
		w.expect(workflowtest.Text(w.cardOf(next, direct(alice)).Card()), "was revoked, so nothing was asked for")
		if n := w.dir.Calls(workflowtest.OpSubmit); n != sent+1 {
			t.Errorf("PIM was called %d times", n-sent)
		}
	})
}

// Nor where they were taken out in the portal, or past PIM, of which Elevate sees no more than that the access is gone.
func TestWhatFollowsAnAccessThatWasEndedElsewhereIsNotSent(t *testing.T) {
	for name, does := range map[string]func(w *world, r pim.Request){
		"removed in PIM":         func(w *world, r pim.Request) { w.dir.RevokeAs(erin, r.Copy.ID, "left her desk") },
		"taken out of the group": func(w *world, r pim.Request) { w.dir.Gone(r.Copy.ID) },
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.signIn(alice)
				w.says(alice, "mde-analyst looking at WS-042")
				w.pass(5 * time.Second)
				id := w.newest(alice).ID
				w.passToNotice(id)
				w.signIn(alice)
				w.says(alice, "mde-analyst still looking at it")
				next := w.other(id).ID
				sent := w.dir.Calls(workflowtest.OpSubmit)
				does(w, w.request(id))
				w.pass(15 * time.Minute)
				w.is(id, pim.Ended)
				w.is(next, pim.Canceled)
				w.expect(workflowtest.Text(w.cardOf(next, direct(alice)).Card()), "so nothing was asked for")
				if n := w.dir.Calls(workflowtest.OpSubmit); n != sent {
					t.Errorf("PIM was called %d times", n-sent)
				}
			})
		})
	}
}

// The access is released while what follows it waits for a sign-in: then nothing has to be waited for.
func TestWhatFollowsAnAccessThatIsOverIsSentAtOnce(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.becomesActive()
		r := w.request(id)
		w.pass(r.EndingNotice().Sub(w.now()) - 20*time.Second)
		w.says(alice, "release mde-admin")
		w.pass(21 * time.Second)
		w.is(id, pim.Active)
		w.signOut(alice)
		w.says(alice, "mde-admin more of it")
		next := w.other(id).ID
		w.pass(15 * time.Second)
		w.is(id, pim.Ended)
		text, err := w.resumes(alice)
		if err != nil {
			t.Fatal(err)
		}
		w.expect(text, "is on its way to PIM")
		w.pass(5 * time.Second)
		w.is(next, pim.Pending)
	})
}

func TestWhatFollowsSaysWhenTheEndIsThatPIMMoved(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.endsSoon()
		w.signIn(alice)
		w.says(alice, "mde-admin still isolating it")
		next := w.other(id).ID
		sent := w.dir.Calls(workflowtest.OpSubmit)
		shown := len(w.cardOf(next, direct(alice)).Cards)
		w.dir.Change(w.request(id).Copy.ID, func(c *pim.Copy) { c.Duration += 2 * time.Hour })
		w.pass(time.Hour)
		r := w.is(id, pim.Active)
		if f := w.request(next); !f.Waits() || !f.Follows.Ends.Equal(r.Ends) {
			t.Errorf("it waits for %s, and the end is %s", f.Follows.Ends, r.Ends)
		}
		if n := len(w.cardOf(next, direct(alice)).Cards); n != shown+1 {
			t.Errorf("its card was drawn %d times", n-shown)
		}
		w.signIn(alice)
		w.pass(90 * time.Minute)
		w.is(next, pim.Pending)
		if n := w.dir.Calls(workflowtest.OpSubmit); n != sent+1 {
			t.Errorf("sent %d times", n-sent)
		}
	})
}
