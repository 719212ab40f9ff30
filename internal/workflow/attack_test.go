package workflow_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
	"elevate/internal/workflow"
	"elevate/internal/workflow/workflowtest"
)

// unread is a tenant that answers everything but one person's profile, as
// Graph does when one part of a batch is throttled.
type unread struct {
	workflow.Directory
	person pim.PrincipalID
}

func (u unread) Look(ctx context.Context, q pim.Question) (pim.Answer, error) {
	asked := slices.Contains(q.Profiles, u.person)
	a, err := u.Directory.Look(ctx, q)
	if asked && err == nil {
		delete(a.Profiles, u.person)
		a.Failed = append(a.Failed, errors.New("a part was throttled"))
	}
	return a, err
}

func TestAttackADecisionWaitsUntilTheRequestersAttributeWasRead(t *testing.T) {
	inWorld(t, func(w *world) {
		for _, p := range []pim.PrincipalID{alice, admin} {
			w.dir.Person(p, func(p *pim.Profile) { p.SamePerson = "4711" })
		}
		w.dir.Administer(mde, func(g *workflowtest.Group) { g.Approvers = append(g.Approvers, admin) })
		w.cfg.Directory = unread{w.dir, alice}
	}, func(w *world) {
		w.signIn(alice, admin)
		w.pass(2 * time.Second)
		id := w.asks(alice)
		w.clicks(admin, card.Approve, id)
		w.pass(30 * time.Second)
		if n := w.dir.Decisions(); n != 0 {
			t.Errorf("the requester's second account decided %d times", n)
		}
	})
}

func TestAttackNobodyIsApprovedWhoseAccountWasDisabled(t *testing.T) {
	everybodySignedIn(t, func(w *world) {
		id := w.asks(alice)
		w.dir.Person(alice, func(p *pim.Profile) { p.Enabled = false })
		w.clicks(bob, card.Approve, id)
		w.pass(30 * time.Second)
		if n := w.dir.Decisions(); n != 0 {
			t.Errorf("approved %d times for a disabled account", n)
		}
	})
}

func TestAttackAnApproverRemovedAMomentAgoCannotDecide(t *testing.T) {
	everybodySignedIn(t, func(w *world) {
		id := w.asks(alice)
		w.dir.Administer(mde, func(g *workflowtest.Group) { g.Approvers = []pim.PrincipalID{carol} })
		w.clicks(bob, card.Approve, id)
		w.pass(30 * time.Second)
		if n := w.dir.Calls(workflowtest.OpDecide); n != 0 {
			t.Errorf("PIM was asked %d times", n)
		}
		w.expect(w.told(bob), "not among the approvers")
	})
}

func TestAttackAnApproverWhoseChatAccountIsGoneCannotDecide(t *testing.T) {
	everybodySignedIn(t, func(w *world) {
		id := w.asks(alice)
		w.chat.Close(account(bob), pim.Errorf(pim.Forbidden, "That Slack account is deactivated."))
		w.clicks(bob, card.Approve, id)
		w.pass(30 * time.Second)
		if n := w.dir.Calls(workflowtest.OpDecide); n != 0 {
			t.Errorf("PIM was asked %d times", n)
		}
	})
}

// A requester who is linked with a second account whose own attribute is empty.
func TestAttackTheAttributeOfEveryAccountOfThePersonCounts(t *testing.T) {
	inWorld(t, func(w *world) {
		for _, p := range []pim.PrincipalID{alice, dave} { // dave is a third account of Alice's, admin has no attribute
			w.dir.Person(p, func(p *pim.Profile) { p.SamePerson = "4711" })
		}
		w.dir.Administer(mde, func(g *workflowtest.Group) { g.Approvers = append(g.Approvers, admin) })
	}, func(w *world) {
		w.signIn(alice)
		w.pass(2 * time.Second)
		id := w.asks(alice)
		// One chat account, linked to dave and admin, acts as admin.
		w.knows(dave)
		w.also(dave, admin)
		w.session(account(dave), admin, w.now(), time.Hour)
		w.clicks(dave, card.Approve, id)
		w.pass(30 * time.Second)
		if n := w.dir.Decisions(); n != 0 {
			t.Errorf("decided %d times", n)
		}
	})
}

func (w *world) also(p, other pim.PrincipalID) {
	w.t.Helper()
	w.update(func(tx *store.Tx) error {
		link, _, err := tx.Link(account(p))
		if err != nil {
			return err
		}
		link.Also = append(link.Also, other)
		if err := tx.Join(p, other); err != nil {
			return err
		}
		return tx.PutLink(link)
	})
}

func TestARequestThatIsNamedTellsAnUnlinkedPersonNothing(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		id := w.asks(alice)
		w.pass(time.Minute)
		for _, words := range []string{"approve %", "deny % because", "cancel %"} {
			there, not := w.says(bob, strings.ReplaceAll(words, "%", string(id))), w.says(bob, strings.ReplaceAll(words, "%", "zzzzzz"))
			if strings.ReplaceAll(there, string(id), "X") != strings.ReplaceAll(not, "zzzzzz", "X") {
				t.Errorf("%s: where it is there %q, where it is not %q", words, there, not)
			}
		}
		// An approver signs in, is told to look, and decides then: never what was not shown.
		w.expect(w.says(bob, "approve "+string(id)), "Sign in", "type it once more")
		if text, err := w.resumes(bob); err != nil || strings.Contains(text, "on its way") {
			t.Errorf("%q, %v", text, err)
		}
		w.pass(5 * time.Second)
		w.is(id, pim.Pending)
		w.says(bob, "approve "+string(id))
		w.pass(5 * time.Second)
		w.is(id, pim.Active)
	})
}

func TestARequestThatIsNamedIsNotThereForAStranger(t *testing.T) {
	for name, policy := range map[string]func(*world){
		"who is named by no policy": func(*world) {},
		"where it cannot be read":   func(w *world) { w.dir.Hide(workflowtest.PartPolicies, errors.New("403")) },
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, policy, func(w *world) {
				w.signIn(alice, bob, erin)
				id := w.asks(alice)
				w.says(bob, "deny "+string(id)+" not today")
				w.pass(5 * time.Second)
				w.is(id, pim.Denied)
				for _, verb := range []string{"approve %", "cancel %"} {
					want := strings.ReplaceAll(w.says(erin, strings.ReplaceAll(verb, "%", "zzzzzz")), "zzzzzz", string(id))
					for range 10 {
						w.pass(2 * time.Minute)
						if said := w.says(erin, strings.ReplaceAll(verb, "%", string(id))); said != want {
							t.Fatalf("it is %q, and of one that is not there %q", said, want)
						}
					}
				}
			})
		})
	}
}

func TestTheAccountThatActsIsTheOneThatIsNamed(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.knows(admin) // that is how the account was linked first
		w.update(func(tx *store.Tx) error {
			return tx.PutLink(store.Link{Account: account(admin), Tenant: tenant, Person: admin, Also: []pim.PrincipalID{alice}, Name: names[admin], Since: tx.Now()})
		})
		w.session(account(admin), alice, w.now(), 8*time.Hour)
		w.says(admin, "mde-analyst looking")
		w.pass(10 * time.Second)
		r := w.newest(admin)
		w.is(r.ID, pim.Active)
		if r.Principal != alice || r.Requester.Name != names[alice] {
			t.Errorf("%s acts and %q is named", r.Principal, r.Requester.Name)
		}
		for _, e := range w.events(r.ID) {
			if e.By.Person == alice && e.By.Name != names[alice] {
				t.Errorf("event %s names %q", e.Kind, e.By.Name)
			}
		}
	})
}
