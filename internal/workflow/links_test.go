package workflow_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
	"elevate/internal/workflow/workflowtest"
)

func (w *world) linkOf(p pim.PrincipalID) (l store.Link, found bool) {
	w.t.Helper()
	w.view(func(tx *store.Tx) error {
		var err error
		l, found, err = tx.Link(account(p))
		return err
	})
	return l, found
}

func (w *world) disable(p pim.PrincipalID) {
	w.dir.Person(p, func(p *pim.Profile) { p.Enabled = false })
}

func TestALinkEndsWithinADayOfItsAccount(t *testing.T) {
	for name, end := range map[string]func(*world){
		"in Microsoft Entra": func(w *world) { w.disable(dave) },
		"in Slack":           func(w *world) { w.chat.Close(account(dave), pim.Errorf(pim.Forbidden, "It is deactivated.")) },
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.signIn(alice, dave)
				w.pass(2 * time.Hour)
				end(w)
				w.pass(25 * time.Hour)
				if _, found := w.linkOf(dave); found || w.hasSession(dave) {
					t.Error("Dave is still linked")
				}
				if !slices.ContainsFunc(w.trail(), func(e pim.Event) bool {
					return e.Kind == pim.EventUnlinked && strings.HasPrefix(e.Text, "the account "+name+" is gone")
				}) {
					t.Error("it is not said why")
				}
				if l, found := w.linkOf(alice); !found || w.now().Sub(l.Checked) > 25*time.Hour {
					t.Errorf("Alice: %+v, %v", l, found)
				}
			})
		})
	}
}

func TestASecondAccountThatIsDisabledGivesNothingAnyMore(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.knows(alice)
		w.update(func(tx *store.Tx) error {
			l, _, err := tx.Link(account(alice))
			if err != nil {
				return err
			}
			l.Also = []pim.PrincipalID{admin}
			return tx.PutLink(l)
		})
		w.session(account(alice), admin, w.now(), 48*time.Hour)
		w.disable(admin)
		w.pass(25 * time.Hour)
		l, found := w.linkOf(alice)
		if !found || len(l.Also) != 0 || l.Person != alice {
			t.Errorf("the link: %+v, %v", l, found)
		}
		if w.hasSession(alice) {
			t.Error("the session of the disabled account is still there")
		}
		w.expect(w.told(alice), "second Microsoft account is gone, disabled")
	})
}

func TestADecisionByADisabledAccountIsRefusedAndEndsItsLink(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.asks(alice)
		w.disable(bob)
		w.clicks(bob, card.Approve, id)
		w.pass(2 * time.Second)
		w.is(id, pim.Pending)
		if _, found := w.linkOf(bob); found {
			t.Error("Bob is still linked")
		}
	})
}

func TestManyLinksAreCheckedSlowlyAndNoneHoldsUpAnother(t *testing.T) {
	const many = 90
	stranger := func(i int) pim.ChatAccount {
		return pim.ChatAccount{Chat: pim.Slack, Workspace: "T0", User: fmt.Sprintf("U%03d", i)}
	}
	inWorld(t, nil, func(w *world) {
		w.settle()
		w.update(func(tx *store.Tx) error {
			for i := range many {
				id := pim.PrincipalID(fmt.Sprintf("00000000-0000-4000-9000-%012d", i))
				w.dir.Person(id, func(p *pim.Profile) { *p = pim.Profile{ID: id, Enabled: true, Found: true} })
				if i < 20 { // the first ones cannot be looked up
					w.chat.Close(stranger(i), pim.Errorf(pim.Unavailable, "Slack does not answer."))
				}
				if err := tx.PutLink(store.Link{Account: stranger(i), Tenant: tenant, Person: id, Since: tx.Now()}); err != nil {
					return err
				}
			}
			return nil
		})
		w.pass(time.Hour + time.Minute) // the first look found nobody yet
		if n := w.chat.Calls(workflowtest.OpAccount); n > 60 {
			t.Errorf("%d questions within a minute", n)
		}
		w.pass(5 * time.Minute)
		var unchecked []string
		w.view(func(tx *store.Tx) error {
			all, err := tx.Links()
			for _, l := range all {
				if l.Checked.IsZero() {
					unchecked = append(unchecked, l.Account.User)
				}
			}
			return err
		})
		slices.Sort(unchecked)
		if len(unchecked) != 20 || unchecked[19] != "U019" {
			t.Errorf("unchecked: %v", unchecked)
		}
		before := w.chat.Calls(workflowtest.OpAccount)
		w.pass(50 * time.Minute)
		if n := w.chat.Calls(workflowtest.OpAccount) - before; n > 20 {
			t.Errorf("%d more questions within the hour", n)
		}
	})
}
