package workflow_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
	"elevate/internal/workflow"
	"elevate/internal/workflow/workflowtest"
)

// Where Graph refuses the policy, a linked stranger without a session is told whose request it is.
func TestAStrangerIsNotToldANameWhereThePolicyCannotBeRead(t *testing.T) {
	inWorld(t, func(w *world) { w.dir.Hide(workflowtest.PartPolicies, errors.New("403")) }, func(w *world) {
		w.signIn(alice)
		w.knows(erin)
		id := w.asks(alice)
		w.pass(time.Minute)
		said := w.says(erin, "approve "+string(id))
		text := ""
		w.view(func(tx *store.Tx) error {
			var err error
			text, err = w.bot.Describe(tx, w.newestLink(erin).Intent)
			return err
		})
		for _, name := range []string{"Alice", "MDE", "1 h"} {
			if strings.Contains(said+text, name) {
				t.Errorf("told %q: %s / %s", name, said, text)
			}
		}
	})
}

// The linked account of an approver is disabled; the second, an approver, is forgotten and still enabled.
func TestALinkWhoseOwnAccountIsDisabledDecidesNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		w.dir.Administer(mde, func(g *workflowtest.Group) { g.Approvers = append(g.Approvers, admin) })
	}, func(w *world) {
		w.signIn(alice)
		w.knows(dave)
		w.also(dave, admin)
		w.session(account(dave), admin, w.now(), 8*time.Hour)
		id := w.asks(alice)
		w.disable(dave)
		w.clicks(dave, card.Approve, id)
		w.pass(5 * time.Second)
		if n := w.dir.Decisions(); n != 0 {
			t.Errorf("decided %d times by a link whose account is disabled", n)
		}
		if _, found := w.linkOf(dave); found {
			t.Error("the link is still there")
		}
	})
}

// The requester acts with an account without the attribute; the link's other account has it, and so has the approver.
func TestTheAttributeOfTheRequestersOtherAccountsCounts(t *testing.T) {
	inWorld(t, func(w *world) {
		for _, p := range []pim.PrincipalID{alice, bob} { // bob is a third account of Alice's, admin has no attribute
			w.dir.Person(p, func(p *pim.Profile) { p.SamePerson = "4711" })
		}
		w.dir.Administer(mde, func(g *workflowtest.Group) { g.Eligible = append(g.Eligible, admin) })
	}, func(w *world) {
		w.signIn(alice, bob)
		w.also(alice, admin)
		w.session(account(alice), admin, w.now(), time.Hour)
		w.pass(2 * time.Second)
		id := w.asks(alice)
		if r := w.request(id); r.Principal != admin {
			t.Fatalf("principal %s", r.Principal)
		}
		w.clicks(bob, card.Approve, id)
		w.pass(30 * time.Second)
		if n := w.dir.Decisions(); n != 0 {
			t.Errorf("decided %d times by the requester's third account", n)
		}
	})
}

// An owner signs in for nothing in particular.
func TestAnOwnersSessionIsNotKeptForNothing(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.knows(erin)
		w.pass(2 * time.Minute) // owners are known
		w.says(erin, "sign-in")
		if _, err := w.resumes(erin); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Hour)
		if w.hasSession(erin) {
			t.Error("an owner's session is kept an hour after a bare sign-in")
		}
	})
}

func TestOwnersThatCannotBeReadAreNotTakenForNone(t *testing.T) {
	inWorld(t, func(w *world) {
		w.dir.Hide(workflowtest.PartOwners, errors.New("403"))
		w.dir.Administer(mde, func(g *workflowtest.Group) { g.Approvers = append(g.Approvers, erin) })
	}, func(w *world) {
		w.signIn(alice, erin)
		id := w.asks(alice)
		w.clicks(erin, card.Approve, id)
		w.pass(time.Minute)
		w.is(id, pim.Active)
		if w.hasSession(erin) {
			t.Error("the session of an owner is kept because the owners could not be read")
		}
	})
}

// Every event names both accounts of a link.
func TestEveryEventNamesBothAccounts(t *testing.T) {
	inWorld(t, func(w *world) {
		w.dir.Administer(mde, func(g *workflowtest.Group) { g.Eligible = append(g.Eligible, admin) })
	}, func(w *world) {
		w.signIn(alice)
		w.also(alice, admin)
		w.session(account(alice), admin, w.now(), time.Hour)
		w.asks(alice)
		if !strings.Contains(w.sink.String(), string(alice)) {
			t.Errorf("no event names %s:\n%s", alice, w.sink.String())
		}
	})
}

// A DM card of somebody who is not linked any more.
func TestAnUnlinkedApproversMessageTellsNothingNew(t *testing.T) {
	inWorld(t, func(w *world) {
		for i := range w.cfg.Roles {
			w.cfg.Roles[i].Direct = true
		}
	}, func(w *world) {
		w.signIn(alice, bob, carol)
		w.pass(2 * time.Minute)
		id := w.asks(alice)
		w.pass(2 * time.Second)
		before := len(w.chat.In(direct(bob)))
		w.says(bob, "unlink")
		w.clicks(carol, card.Approve, id)
		w.pass(10 * time.Second)
		w.is(id, pim.Active)
		if before == 0 {
			t.Fatal("no dm")
		}
		if m := w.cardOf(id, direct(bob)); strings.Contains(workflowtest.Text(m.Card()), "Carol") {
			t.Errorf("an unlinked person's message says\n%s", workflowtest.Text(m.Card()))
		}
	})
}

// Someone unlinked names a request; after the sign-in it is decided although nobody ever showed it to them.
func TestNothingIsDecidedThatWasNeverShown(t *testing.T) {
	inWorld(t, func(w *world) {
		for i := range w.cfg.Roles {
			w.cfg.Roles[i].DecideFresh = true
		}
	}, func(w *world) {
		w.signIn(alice, bob)
		id := w.asks(alice)
		// Who holds the signing secret speaks as Bob: the page would name the request, so Bob is unlinked first.
		w.says(bob, "unlink")
		w.says(bob, "approve "+string(id))
		page := ""
		w.view(func(tx *store.Tx) error {
			var err error
			page, err = w.bot.Describe(tx, w.newestLink(bob).Intent)
			return err
		})
		w.pass(2 * time.Second)
		text, err := w.resumes(bob)
		w.pass(10 * time.Second)
		if n := w.dir.Decisions(); n != 0 && !strings.Contains(page, "Alice") {
			t.Errorf("decided %d times, and the page said only %q (%q, %v)", n, page, text, err)
		}
	})
}

// session: 0, and a step that is parked.
func TestWithoutKeptSessionsABareSignInLeavesNone(t *testing.T) {
	inWorld(t, func(w *world) { w.cfg.KeepSessions = false }, func(w *world) {
		w.signIn(alice)
		w.says(alice, "sign-in")
		if _, err := w.resumes(alice); err != nil {
			t.Fatal(err)
		}
		w.pass(30 * time.Minute)
		if w.hasSession(alice) {
			t.Error("session 0: a bare sign-in is kept for half an hour")
		}
	})
}

// An interrupted decision outlives the link it was made under.
func TestUnlinkingEndsWhatWaitsForASignIn(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		w.knows(bob)
		id := w.asks(alice)
		w.says(bob, "approve "+string(id))
		w.says(bob, "unlink")
		if n := len(w.intents(bob)); n != 0 {
			text := ""
			w.view(func(tx *store.Tx) error {
				var err error
				text, err = w.bot.Describe(tx, w.newestLink(bob).Intent)
				return err
			})
			t.Errorf("%d steps wait on; the page for an unlinked account says %q", n, text)
		}
	})
}

func TestStepsThatAreNoRequestsAreBoundedToo(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.settle()
		before := strings.Count(w.sink.String(), "\n")
		for range 300 {
			w.says(dave, "sign-in")
		}
		if n := strings.Count(w.sink.String(), "\n") - before; n > 100 {
			t.Errorf("%d events by one unlinked account in no time", n)
		}
	})
}

// The requester's own second chat account, unlinked, types approve: it may not become anything.
func TestAnUnlinkMidwayDecidesNothing(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob, carol)
		id := w.asks(alice)
		w.pass(time.Minute)

		w.dir.Break(workflowtest.OpLook, workflowtest.Fault{Err: pim.Errorf(pim.Unavailable, "down")})
		w.clicks(bob, card.Approve, id)
		w.says(bob, "unlink")
		w.dir.Mend(workflowtest.OpLook)
		w.pass(30 * time.Second)
		if n := w.dir.Decisions(); n != 0 {
			t.Errorf("decided %d times after unlink", n)
		}
	})
}

func TestStatusOffersASignInToWhoIsNotKnown(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.expect(w.says(alice, "status"), "[Sign in]", "Then type it once more")
		w.knows(alice)
		w.expect(w.says(alice, "status"), "You have no requests")
	})
}

func TestAStaleCardOfADecidedRequestIsSaidToBeSoBeforeAnybodySignsIn(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.asks(alice)
		stale := w.cardOf(id, approvals)
		w.clicksOn(bob, card.Approve, id, stale)
		w.pass(5 * time.Second)
		w.is(id, pim.Active)
		r := w.bot.Click(t.Context(), w.sender(carol), workflow.Click{Act: card.Approve, Request: id, Digest: w.digest(id), Ref: stale.Ref})
		w.expect(w.read(r), "not waiting for a decision: it is active")
		if n := len(w.intents(carol)); n != 0 {
			t.Errorf("%d steps wait for Carol's sign-in", n)
		}
	})
}

// The page may be closed before anybody reads it.
func TestAStepThatDoesNotGoOnAfterItsSignInIsToldInTheChat(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		w.knows(carol)
		id := w.asks(alice)
		w.expect(w.clicks(carol, card.Approve, id), "[Sign in]")
		w.clicks(bob, card.Approve, id)
		w.pass(5 * time.Second)
		w.is(id, pim.Active)
		if text, err := w.resumes(carol); err == nil {
			t.Errorf("the page says %q", text)
		}
		w.pass(2 * time.Second)
		w.expect(w.told(carol), "Your step to approve request "+string(id)+" did not go on after the sign-in", "not waiting for a decision: it is active")
	})
}
