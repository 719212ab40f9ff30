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

// An account that is not linked repeats the words of its request: each time a write and a new sign-in link.
func TestRepeatedWordsAreNotUnlimited(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		links := map[string]bool{}
		for range 300 {
			said := w.bot.Command(context.Background(), w.sender(erin), "mde-admin isolating WS-042")
			if said.Card != nil {
				for _, b := range said.Card.Buttons {
					if b.URL != "" {
						links[b.URL] = true
					}
				}
			}
		}
		if len(links) > 30 {
			t.Errorf("%d sign-in links within a moment", len(links))
		}
	})
}

// A step whose sign-in link ran out comes again after the answers were forgotten.
func TestARepeatedStepDoesNotSayThatItIsOnItsWay(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		w.knows(bob)
		w.pass(time.Minute)
		id := w.asks(alice)
		on := w.cardOf(id, approvals)
		from := w.sender(bob)
		click := func() string {
			for _, b := range on.Card().Buttons {
				if b.Act == card.Approve {
					r := w.bot.Click(context.Background(), from, clickOf(id, b.Digest, on.Ref))
					w.settle()
					return w.read(r)
				}
			}
			return ""
		}
		w.expect(click(), "[Sign in]")
		w.pass(11 * time.Minute)
		w.restart()
		if said := click(); strings.Contains(said, "on its way to PIM") {
			t.Errorf("nothing is on its way, and the repetition says\n%s", said)
		}
	})
}

// Alice's Slack account becomes Erin's while Alice's request is open.
func TestARelinkedAccountIsNotKeptFromAsking(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		id := w.asks(alice)
		w.says(alice, "unlink")
		w.update(func(tx *store.Tx) error {
			return tx.PutLink(store.Link{Account: account(alice), Tenant: tenant, Person: dave, Name: "Dave", Since: tx.Now()})
		})
		w.session(account(alice), dave, w.now(), time.Hour)
		said := w.says(alice, "mde-admin something of my own")
		if strings.Contains(said, string(id)) {
			t.Errorf("Dave is told\n%s\nand then: %s", said, w.says(alice, "cancel "+string(id)))
		}
	})
}

// A requester in Teams asked as the second account, and unlinked it.
func TestARequesterInTeamsWhoUnlinkedIsToldNoMore(t *testing.T) {
	inBothChats(t, func(w *world) {
		w.dir.Administer(mde, func(g *workflowtest.Group) { g.Eligible = append(g.Eligible, admin) })
		w.signIn(bob)
		w.update(func(tx *store.Tx) error {
			return tx.PutLink(store.Link{Account: inTeams(alice), Tenant: tenant, Person: alice, Also: []pim.PrincipalID{admin}, Name: "Alice", Since: tx.Now()})
		})
		w.session(inTeams(alice), admin, w.now(), time.Hour)
		mine := pim.DirectTo(inTeams(alice))
		w.saysFrom(w.senderInTeams(alice, mine), "mde-admin isolating WS-042")
		w.pass(3 * time.Second)
		id := w.allRequests()[0].ID
		w.is(id, pim.Pending)
		w.saysFrom(w.senderInTeams(alice, mine), "unlink")
		w.expect(w.saysFrom(w.senderInTeams(alice, mine), "cancel "+string(id)), "There is no request")
		w.clicks(bob, card.Approve, id)
		w.pass(20 * time.Second)
		if said := workflowtest.Text(w.cardInTeams(id, mine).Card()); strings.Contains(said, "approved by Bob") {
			t.Errorf("shown\n%s", said)
		}
	})
}

// Nothing of a request may be decided by the other account of the requester, whatever is unlinked and linked between.
func TestOnePersonInAnyOrder(t *testing.T) {
	type step func(*world, pim.RequestID)
	unlinkTeams := func(w *world, _ pim.RequestID) {
		w.saysFrom(w.senderInTeams(bob, pim.DirectTo(inTeams(bob))), "unlink")
	}
	for name, row := range map[string]struct {
		as      pim.PrincipalID // who asks, in Teams, from Bob's account
		between []step
		by      pim.PrincipalID // who decides
		slack   bool
	}{
		"asked as second, decided as first in Slack":               {admin, nil, bob, true},
		"asked as second, unlinked, decided as first in Slack":     {admin, []step{unlinkTeams}, bob, true},
		"asked as second, unlinked, decided as first in Teams":     {admin, []step{unlinkTeams}, bob, false},
		"asked as first, decided as second in its own Slack":       {bob, nil, admin, true},
		"asked as first, unlinked, decided as second in own Teams": {bob, []step{unlinkTeams}, admin, false},
		"asked as first, unlinked, decided as second in own Slack": {bob, []step{unlinkTeams}, admin, true},
	} {
		t.Run(name, func(t *testing.T) {
			inBothChats(t, func(w *world) {
				w.dir.Administer(mde, func(g *workflowtest.Group) {
					g.Approvers, g.Eligible = []pim.PrincipalID{bob, admin, carol}, []pim.PrincipalID{bob, admin}
				})
				w.joins(bob, admin)
				w.update(func(tx *store.Tx) error {
					return tx.PutLink(store.Link{Account: inTeams(bob), Tenant: tenant, Person: bob, Also: []pim.PrincipalID{admin}, Name: "Bob", Since: tx.Now()})
				})
				w.session(inTeams(bob), row.as, w.now(), time.Hour)
				w.pass(11 * time.Minute)
				w.saysFrom(w.senderInTeams(bob, pim.DirectTo(inTeams(bob))), "mde-admin isolating WS-042")
				w.pass(3 * time.Second)
				id := w.allRequests()[0].ID
				w.is(id, pim.Pending)
				for _, s := range row.between {
					s(w, id)
				}
				if row.slack {
					w.signIn(row.by)
					w.clicks(row.by, card.Approve, id)
					w.says(row.by, "approve "+string(id))
				} else {
					w.session(inTeams(row.by), row.by, w.now(), time.Hour)
					w.clicksInTeams(row.by, card.Approve, id)
					w.saysFrom(w.senderInTeams(row.by, pim.DirectTo(inTeams(row.by))), "approve "+string(id))
				}
				w.pass(30 * time.Second)
				w.is(id, pim.Pending)
				if n := w.dir.Decisions(); n != 0 {
					t.Errorf("decided %d times", n)
				}
			})
		})
	}
}

// The role's name is given to another group: those eligible there do not read of the old one.
func TestARoleThatWasPointedElsewhereTellsNothingOfBefore(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob, erin)
		id := w.becomesActive()
		w.dir.Administer("11111111-0000-4000-8000-000000000005", func(g *workflowtest.Group) { g.Eligible = []pim.PrincipalID{erin} })
		if said := w.says(erin, "history"); strings.Contains(said, string(id)) {
			t.Fatal(said)
		}
		roles := roles()
		roles[0].Group = "11111111-0000-4000-8000-000000000005"
		w.cfg.Roles = roles
		w.restart()
		w.pass(2 * time.Minute)
		if said := w.says(erin, "history"); strings.Contains(said, string(id)) {
			t.Errorf("Erin reads\n%s", said)
		}
		if said := w.says(erin, "history "+string(id)); strings.Contains(said, "decided by") {
			t.Errorf("Erin reads\n%s", said)
		}
	})
}

func clickOf(id pim.RequestID, digest string, ref pim.MessageRef) workflow.Click {
	return workflow.Click{Act: card.Approve, Request: id, Digest: digest, Ref: ref}
}
