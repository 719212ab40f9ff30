package workflow_test

import (
	"strings"
	"testing"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
	"elevate/internal/workflow/workflowtest"
)

// PIM throttles Bob's approval (definitely not carried out); Bob signs out; Carol approves in the portal.
func TestThrottledApprovalIsNotSaidToBeBobs(t *testing.T) {
	for _, signsOut := range []bool{false, true} {
		inWorld(t, nil, func(w *world) {
			w.signIn(alice, bob)
			id := w.asks(alice)
			w.dir.Fail(workflowtest.OpDecide, workflowtest.Fault{Err: &pim.Error{Kind: pim.Throttled, Message: "slow down", RetryAfter: 30 * time.Second}})
			w.clicks(bob, card.Approve, id)
			w.pass(time.Second)
			if signsOut {
				w.says(bob, "sign-out")
				w.dir.Break(workflowtest.OpAssigned, workflowtest.Fault{Err: pim.Errorf(pim.SignIn, "Sign in.")}) // a real directory has no token then
			}
			if err := w.dir.Review(carol, w.request(id).Copy.ID, true, "ok"); err != nil {
				t.Fatal(err)
			}
			w.pass(5 * time.Second)
			early := workflowtest.Text(w.cardOf(id, approvals).Card())
			w.pass(10 * time.Minute)
			late := workflowtest.Text(w.cardOf(id, approvals).Card())
			if strings.Contains(early, "approved by Bob") {
				t.Errorf("signsOut=%t: for a while the card says approved by Bob:\n%s", signsOut, early)
			}
			if strings.Contains(late, "approved by Bob") {
				t.Errorf("signsOut=%t: FOR EVER the card says approved by Bob:\n%s", signsOut, late)
			}
		})
	}
}

// Bob's approval is taken, the answer is lost, the watch sees PIM turn before the effect looks.
func TestADecisionWhoseAnswerGotLostIsInTheTrail(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.asks(alice)
		w.dir.Fail(workflowtest.OpDecide, workflowtest.Fault{Done: true, Err: errLost})
		w.dir.Fail(workflowtest.OpAssigned, workflowtest.Fault{Err: errDown}, workflowtest.Fault{Err: errDown})
		w.clicks(bob, card.Approve, id)
		w.pass(10 * time.Minute)
		w.expect(workflowtest.Text(w.cardOf(id, approvals).Card()), "approved by Bob")
		if n, _ := w.event(id, pim.EventDecided); n != 1 {
			t.Errorf("%d decided events for Bob's decision", n)
		}
	})
}

// An approver who is not eligible looks back some minutes after the last sweep of the rules.
func TestAnApproverReadsHistoryAtAnyTime(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, carol)
		id := w.asks(alice)
		w.says(alice, "cancel "+string(id))
		w.pass(5 * time.Second)
		blind := 0
		for range 40 {
			w.pass(30 * time.Second)
			if !strings.Contains(w.says(carol, "history mde-admin"), string(id)) {
				blind++
			}
		}
		if blind > 0 {
			t.Errorf("in %d of 40 half minutes the approver is told there is nothing to look at", blind)
		}
	})
}

// Bob in Teams hears of the request through his second account alone; he unlinks it.
func TestUnlinkingASecondAccountInTeamsEndsWhatIsTold(t *testing.T) {
	inWorld(t, func(w *world) {
		w.cfg.Roles[0].Direct = true
		w.cfg.Reaches = func(_ *store.Tx, id pim.PrincipalID) ([]pim.ChatAccount, error) {
			if id == erin {
				return []pim.ChatAccount{inTeams(erin)}, nil
			}
			return nil, nil
		}
	}, func(w *world) {
		w.dir.Administer(mde, func(g *workflowtest.Group) { g.Approvers = []pim.PrincipalID{admin, bob} })
		w.signIn(alice, bob)
		w.update(func(tx *store.Tx) error {
			return tx.PutLink(store.Link{Account: inTeams(erin), Tenant: tenant, Person: erin, Also: []pim.PrincipalID{admin}, Name: "Erin", Since: tx.Now()})
		})
		w.pass(11 * time.Minute)
		id := w.asks(alice)
		mine := pim.DirectTo(inTeams(erin))
		w.expect(workflowtest.Text(w.cardInTeams(id, mine).Card()), "WS-042")
		w.saysFrom(w.senderInTeams(erin, mine), "unlink")
		w.expect(w.viewInTeams(erin, id, mine, pim.MessageRef{}), "There is no request")
		w.clicks(bob, card.Approve, id)
		w.pass(20 * time.Second)
		said := workflowtest.Text(w.cardInTeams(id, mine).Card())
		if strings.Contains(said, "approved by Bob") {
			t.Errorf("the account that may not read it any more is shown\n%s", said)
		}
	})
}

// Bob's Slack account is unlinked and linked to Erin, who may not hear of it.
func TestARelinkedAccountIsNotToldOfItsFormerPersonsRequests(t *testing.T) {
	inWorld(t, func(w *world) { w.cfg.Roles[0].Direct = true }, func(w *world) {
		w.signIn(alice, bob, carol)
		w.pass(time.Minute)
		id := w.asks(alice)
		w.expect(workflowtest.Text(w.cardOf(id, direct(bob)).Card()), "WS-042")
		w.says(bob, "unlink")
		w.update(func(tx *store.Tx) error {
			return tx.PutLink(store.Link{Account: account(bob), Tenant: tenant, Person: erin, Name: "Erin", Since: tx.Now()})
		})
		w.expect(w.says(bob, "approve "+string(id)), "There is no request")
		w.clicks(carol, card.Approve, id)
		w.pass(20 * time.Second)
		said := workflowtest.Text(w.cardOf(id, direct(bob)).Card())
		if strings.Contains(said, "approved by Carol") {
			t.Errorf("the account, Erin's by now, is shown\n%s", said)
		}
	})
}

// The step of somebody who may not be told of the request comes twice, around a restart.
func TestARepeatedNeutralStepTellsNothing(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		w.knows(erin)
		id := w.asks(alice)
		w.dir.Hide(workflowtest.PartPolicies, errDown)
		w.restart() // nobody knows who the approvers are
		from := w.sender(erin)
		w.saysFrom(from, "approve "+string(id))
		w.restart()
		again := w.saysFrom(from, "approve "+string(id))
		if strings.Contains(again, "MDE Administrator") || strings.Contains(again, "on its way to PIM") {
			t.Errorf("the repetition says\n%s", again)
		}
	})
}

// Bob's approval hangs at PIM beyond the lease; he then denies; PIM had taken the approval.
func TestApproveThenDenyAfterTheLease(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.asks(alice)
		w.dir.Fail(workflowtest.OpDecide, workflowtest.Fault{Done: true, Err: errLost})
		// PIM takes the approval, then cannot be read for three minutes.
		w.clicks(bob, card.Approve, id)
		w.dir.Break(workflowtest.OpLook, workflowtest.Fault{Err: errDown})
		w.dir.Break(workflowtest.OpAssigned, workflowtest.Fault{Err: errDown})
		w.pass(3 * time.Minute)
		r := w.request(id)
		from := w.sender(bob)
		w.saysFrom(from, "deny "+string(id)+" changed my mind")
		w.dir.Mend(workflowtest.OpLook)
		w.dir.Mend(workflowtest.OpAssigned)
		w.pass(10 * time.Minute)
		shown := workflowtest.Text(w.cardOf(id, approvals).Card())
		if !strings.Contains(shown, "approved by Bob") {
			t.Errorf("PIM says %s approved; the card says\n%s", w.dir.Reviewed(r.Copy.ID).ReviewedName, shown)
		}
	})
}

// Bob decides, unlinks, and the decision still waits: is the unlinked account told what it was about?
func TestAnUnlinkedApproverIsToldNothing(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.asks(alice)
		w.dir.Fail(workflowtest.OpDecide, workflowtest.Fault{Err: &pim.Error{Kind: pim.Throttled, Message: "slow down", RetryAfter: 20 * time.Second}})
		w.clicks(bob, card.Approve, id)
		w.pass(time.Second)
		w.says(bob, "unlink")
		before := w.told(bob)
		w.pass(time.Minute)
		after := strings.TrimPrefix(w.told(bob), before)
		if strings.Contains(after, "Alice") || strings.Contains(after, "MDE") {
			t.Errorf("the unlinked account is told\n%s", after)
		}
	})
}

// Bob's approval is taken, the answer is lost, and PIM cannot be asked any more whose it is.
func TestADecisionThatPIMCannotBeAskedAboutIsNobodys(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.asks(alice)
		w.dir.Fail(workflowtest.OpDecide, workflowtest.Fault{Done: true, Err: errLost})
		w.dir.Break(workflowtest.OpAssigned, workflowtest.Fault{Err: pim.Errorf(pim.SignIn, "Sign in.")})
		w.dir.Break(workflowtest.OpAudit, workflowtest.Fault{Err: pim.Errorf(pim.Unavailable, "down")})
		w.clicks(bob, card.Approve, id)
		w.pass(10 * time.Minute)
		r := w.request(id)
		if r.State != pim.Active || r.Decided == nil || r.Decided.By.Person != "" || r.Decided.At.IsZero() {
			t.Errorf("request is %s, decided %+v", r.State, r.Decided)
		}
		w.dir.Mend(workflowtest.OpAudit)
		w.pass(10 * time.Minute)
		if by := w.request(id).Decided.By.Person; by != bob {
			t.Errorf("the audit log names Bob, and the request %q", by)
		}
	})
}
