package workflow_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
	"elevate/internal/workflow"
	"elevate/internal/workflow/workflowtest"
)

// everybodySignedIn runs a test in a world in which the cast is signed in.
func everybodySignedIn(t *testing.T, test func(*world)) {
	t.Helper()
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob, carol, dave)
		w.pass(2 * time.Second)
		test(w)
	})
}

func TestLifeIsAskedApprovedReadBackAndEndsReadBack(t *testing.T) {
	everybodySignedIn(t, func(w *world) {
		id := w.becomesActive()
		if r := w.request(id); r.Decided == nil || r.Decided.By.Person != bob || r.MemberSince.IsZero() {
			t.Errorf("decided %+v, member since %s", r.Decided, r.MemberSince)
		}
		for _, at := range []pim.Conversation{approvals, oncall, direct(alice)} {
			w.expect(w.cardOf(id, at).Card().Title, "active")
		}
		w.pass(time.Hour + 2*time.Minute)
		r := w.is(id, pim.Ended)
		if r.Ending != pim.Expired || r.EndedAt.Sub(r.Absent) < 30*time.Second {
			t.Errorf("ended %s, first absent %s, said %s", r.Ending, r.Absent, r.EndedAt)
		}
		w.expect(w.cardOf(id, approvals).Card().Title, "ended")
	})
}

func TestLifeTheRequesterHearsEachStepOnceInMessagesOfTheirOwn(t *testing.T) {
	everybodySignedIn(t, func(w *world) {
		id := w.asks(alice)
		heard := func() (steps []string) {
			for _, m := range w.chat.In(direct(alice)) {
				if isStep(m) && m.Card().Request == id {
					steps = append(steps, workflowtest.Text(m.Card()))
				}
			}
			return steps
		}
		if got := heard(); len(got) != 0 {
			t.Fatalf("the card says that it was asked for, and so do %q", got)
		}
		w.says(bob, "approve "+string(id)+" checked by phone")
		w.pass(time.Minute)
		// A first card whose answer got lost is taken up by a click.
		ref, err := w.chat.Post(context.Background(), direct(alice), card.Card{Title: "lost", Request: id})
		if err != nil {
			t.Fatal(err)
		}
		w.update(func(tx *store.Tx) error {
			return tx.PutRef(id, store.Ref{MessageRef: ref, Audience: string(card.Requester)})
		})
		w.restart()
		w.pass(2 * time.Hour)
		w.is(id, pim.Ended)
		all := heard()
		said := strings.Join(all, "\n")
		for _, once := range []string{"was approved by Bob", "checked by phone", "as a member since", "after the approval", "is over: ended at its time"} {
			if n := strings.Count(said, once); n != 1 {
				t.Errorf("%q was said %d times in %q", once, n, all)
			}
		}
	})
}

func TestLifeNobodyIsNamedAsAnApproverOfTheirOwnRequest(t *testing.T) {
	everybodySignedIn(t, func(w *world) {
		w.dir.Administer(live, func(g *workflowtest.Group) { g.Eligible = append(g.Eligible, bob) })
		w.expect(w.says(bob, "mde-live my own request"), "which asks Carol.")
		w.pass(2 * time.Second)
		shown := workflowtest.Text(w.cardOf(w.newest(bob).ID, approvals).Card())
		if !strings.Contains(shown, "Approvers: Carol\n") {
			t.Error(shown)
		}
		if roles := w.says(bob, "roles"); !strings.Contains(roles, "approved by Carol") {
			t.Error(roles)
		}
	})
}

func TestLifeWhoIsNotLinkedAnyMoreHearsNothing(t *testing.T) {
	everybodySignedIn(t, func(w *world) {
		id := w.asks(alice)
		w.says(alice, "unlink")
		w.clicks(bob, card.Approve, id)
		w.pass(time.Minute)
		w.is(id, pim.Active)
		if said := w.told(alice); strings.Contains(said, "approved by") {
			t.Error(said)
		}
	})
}

func TestLifeNothingSaysActiveBeforeTheMembershipWasRead(t *testing.T) {
	everybodySignedIn(t, func(w *world) {
		w.dir.Timing(6*time.Minute, 0, 0)
		w.says(alice, "mde-analyst looking around")
		id := w.newest(alice).ID
		w.pass(4 * time.Minute)
		w.is(id, pim.Granting)
		w.pass(90 * time.Second)
		if n, _ := w.event(id, pim.EventLate); n != 1 || !w.is(id, pim.Granting).Late {
			t.Errorf("five minutes of granting were said %d times", n)
		}
		w.pass(time.Minute)
		w.is(id, pim.Active)
	})
}

func TestLifeSurvivesRestartsAndSendsEachStepOnce(t *testing.T) {
	everybodySignedIn(t, func(w *world) {
		w.says(alice, "mde-admin isolating WS-042")
		id := w.newest(alice).ID
		for range 3 {
			w.restart()
			w.pass(time.Second)
		}
		w.is(id, pim.Pending)
		w.clicks(bob, card.Approve, id)
		for range 5 {
			w.restart()
			w.pass(time.Second)
		}
		w.pass(5 * time.Second)
		w.is(id, pim.Active)
		w.pass(time.Hour)
		w.restart()
		w.pass(2 * time.Minute)
		w.is(id, pim.Ended)
		if got := w.dir.Calls(workflowtest.OpSubmit); got != 1 {
			t.Errorf("submitted %d times", got)
		}
		if got := w.dir.Decisions(); got != 1 {
			t.Errorf("%d decisions", got)
		}
	})
}

func TestLifeADenialReachesTheRequesterWithItsReason(t *testing.T) {
	everybodySignedIn(t, func(w *world) {
		id := w.asks(alice)
		w.says(bob, "deny "+string(id)+" not tonight")
		w.pass(5 * time.Second)
		w.is(id, pim.Denied)
		w.expect(w.told(alice), "not tonight")
	})
}

func TestLifeTheRequesterIsRefusedAtEveryDoor(t *testing.T) {
	everybodySignedIn(t, func(w *world) {
		w.says(bob, "mde-admin my own request") // Bob is an approver
		w.pass(2 * time.Second)
		id := w.newest(bob).ID
		for door, said := range map[string]string{
			"button":  w.clicks(bob, card.Approve, id),
			"form":    w.clicks(bob, card.Deny, id),
			"command": w.says(bob, "approve "+string(id)),
		} {
			t.Log(door)
			w.expect(said, "cannot decide your own request")
		}
		w.pass(time.Minute)
		w.is(id, pim.Pending)
		if w.dir.Calls(workflowtest.OpDecide) != 0 {
			t.Error("PIM was asked to decide")
		}
	})
}

func TestLifeALostDecisionIsFoundNotRepeated(t *testing.T) {
	everybodySignedIn(t, func(w *world) {
		id := w.asks(alice)
		w.dir.Fail(workflowtest.OpDecide, workflowtest.Fault{Done: true, Err: pim.Errorf(pim.AnswerLost, "The answer got lost.")})
		w.clicks(bob, card.Approve, id)
		w.pass(time.Minute)
		r := w.is(id, pim.Active)
		if r.Decided == nil || r.Decided.By.Person != bob || w.dir.Decisions() != 1 {
			t.Errorf("decided %+v, %d decisions", r.Decided, w.dir.Decisions())
		}
	})
}

func TestLifeALostSubmissionIsFoundNotRepeated(t *testing.T) {
	everybodySignedIn(t, func(w *world) {
		w.dir.Fail(workflowtest.OpSubmit, workflowtest.Fault{Done: true, Err: pim.Errorf(pim.AnswerLost, "The answer got lost.")})
		w.says(alice, "mde-admin isolating WS-042")
		w.pass(10 * time.Second)
		w.is(w.newest(alice).ID, pim.Pending)
		if got := w.dir.Calls(workflowtest.OpSubmit); got != 1 || len(w.dir.Copies()) != 1 {
			t.Errorf("submitted %d times, PIM holds %d", got, len(w.dir.Copies()))
		}
	})
}

func TestLifeASubmissionThatLeftNothingIsSentAgainAfterNinetySeconds(t *testing.T) {
	everybodySignedIn(t, func(w *world) {
		w.dir.Fail(workflowtest.OpSubmit, workflowtest.Fault{Err: pim.Errorf(pim.AnswerLost, "The answer got lost.")})
		w.says(alice, "mde-admin isolating WS-042")
		id := w.newest(alice).ID
		w.pass(80 * time.Second)
		if got := w.dir.Calls(workflowtest.OpSubmit); got != 1 {
			t.Errorf("sent %d times within 80 seconds", got)
		}
		w.pass(30 * time.Second)
		w.is(id, pim.Pending)
		if got := w.dir.Calls(workflowtest.OpSubmit); got != 2 {
			t.Errorf("sent %d times", got)
		}
	})
}

func TestLifeAPortalRequestWithOurMarkIsNotOurs(t *testing.T) {
	everybodySignedIn(t, func(w *world) {
		id := w.asks(alice)
		stale := w.cardOf(id, approvals)
		w.says(alice, "cancel "+string(id))
		w.pass(5 * time.Second)
		w.is(id, pim.Canceled)
		forged, err := w.dir.Ask(alice, pim.Activation{
			Action: pim.SelfActivate, Group: mde, Principal: alice, Duration: 8 * time.Hour, Justification: pim.Mark("isolating WS-042", id),
		})
		if err != nil {
			t.Fatal(err)
		}
		w.pass(2 * time.Minute)
		var found pim.Request
		for _, other := range w.allRequests() {
			if other.Copy.ID == forged {
				found = other
			}
		}
		if found.ID == "" || found.ID == id || found.Chat != pim.Portal || found.Copy.Duration != 8*time.Hour {
			t.Fatalf("the forged request became %+v", found)
		}
		w.bot.Click(t.Context(), w.sender(bob), workflow.Click{Act: card.Approve, Request: id, Digest: stale.Card().Buttons[0].Digest, Ref: stale.Ref})
		w.pass(30 * time.Second)
		if w.dir.Decisions() != 0 {
			t.Error("a click on the old card decided the forged request")
		}
	})
}

func TestLifeACardOfOtherFactsDecidesNothing(t *testing.T) {
	everybodySignedIn(t, func(w *world) {
		id := w.asks(alice)
		w.dir.Change(w.request(id).Copy.ID, func(c *pim.Copy) { c.Duration = 8 * time.Hour })
		w.clicks(bob, card.Approve, id)
		w.pass(30 * time.Second)
		w.is(id, pim.Pending)
		if w.dir.Decisions() != 0 {
			t.Error("facts were approved that nobody was shown")
		}
		w.expect(w.told(bob), "changed")
	})
}

func TestLifeAPortalDecisionTurnsEveryCard(t *testing.T) {
	everybodySignedIn(t, func(w *world) {
		id := w.asks(alice)
		if err := w.dir.Review(carol, w.request(id).Copy.ID, true, "fine"); err != nil {
			t.Fatal(err)
		}
		w.pass(20 * time.Second)
		if r := w.is(id, pim.Active); r.Decided == nil || r.Decided.Chat != pim.Portal {
			t.Errorf("decided %+v", r.Decided)
		}
		w.expect(workflowtest.Text(w.cardOf(id, approvals).Card()), "Approved in PIM")
	})
}

func TestLifeAReleaseWithinFiveMinutesIsDoneWhenPIMAllowsIt(t *testing.T) {
	everybodySignedIn(t, func(w *world) {
		id := w.becomesActive()
		w.says(alice, "release mde-admin")
		w.pass(20 * time.Second)
		w.is(id, pim.Active)
		w.expect(w.told(alice), "five minutes")
		w.pass(7 * time.Minute)
		if r := w.is(id, pim.Ended); r.Ending != pim.Released {
			t.Errorf("ended %s", r.Ending)
		}
	})
}

func TestLifeWhoIsAMemberByAnotherAssignmentHasEnded(t *testing.T) {
	everybodySignedIn(t, func(w *world) {
		id := w.becomesActive()
		w.dir.Stand(pim.Membership{Group: mde, Principal: alice}, "permanent")
		w.pass(time.Hour + 2*time.Minute)
		if r := w.is(id, pim.Ended); r.StillBy == "" {
			t.Error("nothing says by what Alice still has access")
		}
	})
}

func TestLifeAnApprovalThatTimedOutIsLookedAtTwice(t *testing.T) {
	everybodySignedIn(t, func(w *world) {
		id := w.asks(alice)
		w.pass(24 * time.Hour)
		w.pass(15 * time.Minute)
		if r := w.is(id, pim.TimedOut); r.TimedOutSeen.IsZero() {
			t.Error("it was said at the first look")
		}
	})
}

func TestLifeAThrottledPlaceHoldsNobodyElse(t *testing.T) {
	everybodySignedIn(t, func(w *world) {
		wait := pim.Errorf(pim.Throttled, "Wait.")
		wait.RetryAfter = time.Minute
		w.chat.Shut(approvals, wait)
		id := w.asks(alice)
		w.expect(w.told(alice), "waiting for approval")
		w.chat.Shut(approvals, nil)
		w.pass(2 * time.Minute)
		w.cardOf(id, approvals)
	})
}

func TestLifeASignInThatNeverComesCancelsAfterTenMinutes(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.expect(w.says(alice, "mde-admin isolating WS-042"), "Sign in")
		id := w.newest(alice).ID
		w.pass(9 * time.Minute)
		w.is(id, pim.WaitingForSignIn)
		w.pass(2 * time.Minute)
		w.is(id, pim.Canceled)
		if w.dir.Calls(workflowtest.OpSubmit) != 0 {
			t.Error("something was asked of PIM")
		}
	})
}

func TestLifeWhatWasInterruptedGoesOnAfterTheSignIn(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.says(alice, "mde-admin isolating WS-042")
		id := w.newest(alice).ID
		if _, err := w.resumes(alice); err != nil {
			t.Fatal(err)
		}
		w.pass(3 * time.Second)
		w.is(id, pim.Pending)
		w.expect(w.clicks(bob, card.Approve, id), "Sign in")
		if _, err := w.resumes(bob); err != nil {
			t.Fatal(err)
		}
		w.pass(10 * time.Second)
		w.is(id, pim.Active)
	})
}
