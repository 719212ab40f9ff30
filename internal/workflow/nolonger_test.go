package workflow_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
	"elevate/internal/workflow/workflowtest"
)

// As B, without a fault of Assigned: the answer alone gets lost.
func TestADecisionWhoseAnswerAloneGotLost(t *testing.T) {
	missing := 0
	for range 10 {
		inWorld(t, nil, func(w *world) {
			w.signIn(alice, bob)
			id := w.asks(alice)
			w.dir.Fail(workflowtest.OpDecide, workflowtest.Fault{Done: true, Err: errLost})
			w.clicks(bob, card.Approve, id)
			w.pass(10 * time.Minute)
			w.expect(workflowtest.Text(w.cardOf(id, approvals).Card()), "approved by Bob")
			if n, _ := w.event(id, pim.EventDecided); n != 1 {
				missing++
			}
		})
	}
	if missing > 0 {
		t.Errorf("in %d of 10 runs no event says that Bob decided", missing)
	}
}

// A request made in the portal that nobody decides.
func TestARequestFromThePortalIsRemindedOf(t *testing.T) {
	for _, restart := range []bool{false, true} {
		inWorld(t, reminded, func(w *world) {
			w.signIn(bob)
			if _, err := w.dir.Ask(dave, pim.Activation{Action: pim.SelfActivate, Group: mde, Principal: dave, Justification: "by hand", Duration: time.Hour}); err != nil {
				t.Fatal(err)
			}
			w.pass(2 * time.Minute)
			var id pim.RequestID
			for _, r := range w.allRequests() {
				id = r.ID
			}
			w.is(id, pim.Pending)
			if restart {
				w.restart()
			}
			w.pass(90 * time.Minute)
			n, _ := w.event(id, pim.EventReminded)
			m, _ := w.event(id, pim.EventEscalated)
			if n == 0 || m == 0 {
				t.Errorf("restart=%t: %d reminders, %d escalations", restart, n, m)
			}
		})
	}
}

// A second account that is gone in Entra is dropped from the link; what came by it goes on coming in Slack.
func TestADroppedSecondAccountEndsWhatIsTold(t *testing.T) {
	inWorld(t, func(w *world) { w.cfg.Roles[0].Direct = true }, func(w *world) {
		w.dir.Administer(mde, func(g *workflowtest.Group) { g.Approvers = []pim.PrincipalID{admin, bob} })
		w.signIn(alice, bob)
		w.update(func(tx *store.Tx) error {
			return tx.PutLink(store.Link{Account: account(erin), Tenant: tenant, Person: erin, Also: []pim.PrincipalID{admin}, Name: "Erin", Since: tx.Now()})
		})
		w.pass(11 * time.Minute)
		id := w.asks(alice)
		w.expect(workflowtest.Text(w.cardOf(id, direct(erin)).Card()), "WS-042")
		w.dir.Person(admin, func(p *pim.Profile) { p.Enabled = false })
		if err := w.bot.AccountChanged(t.Context(), account(erin)); err != nil {
			t.Fatal(err)
		}
		w.expect(w.says(erin, "approve "+string(id)), "There is no request")
		w.clicks(bob, card.Approve, id)
		w.pass(20 * time.Second)
		if said := workflowtest.Text(w.cardOf(id, direct(erin)).Card()); strings.Contains(said, "approved by Bob") {
			t.Errorf("shown\n%s", said)
		}
	})
}

// A reminder meets an account that was unlinked: is anything new posted to it?
func TestNoReminderForAnUnlinkedAccount(t *testing.T) {
	inWorld(t, func(w *world) { reminded(w); w.cfg.Roles[0].Direct = true }, func(w *world) {
		w.signIn(alice, bob)
		w.pass(time.Minute)
		id := w.asks(alice)
		w.pass(15*time.Minute - 10*time.Second)
		w.chat.Break(workflowtest.OpPost, workflowtest.Fault{Err: errDown})
		w.pass(20 * time.Second)
		w.says(bob, "unlink")
		before := len(w.chat.In(direct(bob)))
		w.chat.Mend(workflowtest.OpPost)
		w.pass(2 * time.Minute)
		for _, m := range w.chat.In(direct(bob))[before:] {
			said := workflowtest.Text(m.Card())
			if m.Card().Request == id {
				t.Errorf("posted to the unlinked account:\n%s", said)
			}
		}
	})
}

// Whom somebody was joined with is looked up at each decision. What grows with the fourth power of it does not end here.
func TestManyBrowsersDoNotHoldADecision(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		w.update(func(tx *store.Tx) error {
			for i := range 300 {
				if err := tx.Join(alice, pim.PrincipalID(fmt.Sprintf("browser %064d", i))); err != nil {
					return err
				}
			}
			return nil
		})
		id := w.asks(alice)
		w.clicks(bob, card.Approve, id)
		w.pass(3 * time.Second)
		w.is(id, pim.Active)
	})
}
