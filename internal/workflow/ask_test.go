package workflow_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
	"elevate/internal/workflow"
	"elevate/internal/workflow/workflowtest"
)

func TestSecondRequestForWhatIsBeingGrantedIsNotToldToCancel(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.dir.Timing(time.Minute, 0, 0)
		w.signIn(alice)
		w.says(alice, "mde-analyst one")
		w.pass(3 * time.Second)
		w.is(w.newest(alice).ID, pim.Granting)
		w.expect(w.says(alice, "mde-analyst two"), "You will have MDE Analyst in a moment")
	})
}

func TestWhatCannotBeAskedForIsOneSentenceAndStoresNothing(t *testing.T) {
	for _, row := range []struct{ name, first, then, say string }{
		{"a second open request for the role", "mde-admin one", "mde-admin two", "You already have an open request for MDE Administrator"},
		{"no reason", "", "mde-admin", "needs a reason"},
		{"too long", "", "mde-admin for 9h checking", "at most 8 hours"},
		{"too short", "", "mde-admin for 2m checking", "5 minutes"},
		{"no such role", "", "mde-amin checking", "Did you mean mde-admin"},
		{"our mark", "", "mde-admin checking [elevate abc234]", "[elevate"},
		{"a reason without end", "", "mde-admin " + strings.Repeat("x", 401), "at most 400"},
	} {
		t.Run(row.name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.signIn(alice)
				if row.first != "" {
					w.says(alice, row.first)
					w.pass(3 * time.Second)
				}
				before := len(w.allRequests())
				w.expect(w.says(alice, row.then), row.say)
				if n := len(w.allRequests()); n != before {
					t.Errorf("%d requests were stored", n-before)
				}
			})
		})
	}
}

func TestSomebodyWhoHoldsTheRoleIsToldHowToReleaseIt(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		w.becomesActive()
		w.expect(w.says(alice, "mde-admin again"), "You already have MDE Administrator", "/elevate release mde-admin")
	})
}

func TestAPersonMayAskFiveTimesAMinuteAndTwentyTimesAnHour(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		ask := func() string {
			said := w.says(alice, "mde-admin again")
			w.pass(2 * time.Second)
			w.says(alice, "cancel "+string(w.newest(alice).ID))
			w.pass(2 * time.Second)
			return said
		}
		for range 5 {
			w.expect(ask(), "on its way")
		}
		w.expect(ask(), "5 times within a minute")
		for range 15 {
			w.pass(time.Minute)
			w.expect(ask(), "on its way")
		}
		w.pass(time.Minute)
		w.expect(ask(), "20 times within an hour")
		w.pass(time.Hour)
		w.expect(ask(), "on its way")
	})
}

func TestTheLimitsHoldOverAllAccountsOfAPerson(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		for range 5 {
			w.says(alice, "mde-admin again")
			w.pass(2 * time.Second)
			w.says(alice, "cancel "+string(w.newest(alice).ID))
			w.pass(2 * time.Second)
		}
		teams := workflow.Sender{
			Account: pim.ChatAccount{Chat: pim.Teams, Workspace: string(tenant), User: string(alice)}, Name: "Alice", Zone: time.UTC,
			Place: pim.Conversation{Chat: pim.Teams, ID: "19:x"},
		}
		w.expect(w.saysFrom(teams, "mde-admin again"), "5 times within a minute")
		teams.Account.Workspace = "another tenant"
		w.expect(w.saysFrom(teams, "roles"), "Sign in with Microsoft")
	})
}

func TestARequestThatNobodyCouldApproveIsRefusedAtOnce(t *testing.T) {
	for _, row := range []struct {
		name      string
		approvers []pim.PrincipalID
		set       func(*world)
		refused   string
	}{
		{name: "the only approver is the requester", approvers: []pim.PrincipalID{alice}, refused: "Nobody but you could approve"},
		{name: "the only approver is the requester's other account", approvers: []pim.PrincipalID{admin}, refused: "takes you and them for one person", set: func(w *world) {
			w.update(func(tx *store.Tx) error { return tx.Join(admin, alice) })
		}},
		{name: "there is another one", approvers: []pim.PrincipalID{alice, bob}},
	} {
		t.Run(row.name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.dir.Administer(mde, func(g *workflowtest.Group) { g.Approvers = row.approvers })
			}, func(w *world) {
				w.signIn(alice)
				if row.set != nil {
					row.set(w)
				}
				w.pass(2 * time.Second)
				said := w.says(alice, "mde-admin isolating WS-042")
				if refused := strings.Contains(said, "nothing was asked for"); refused != (row.refused != "") || !strings.Contains(said, row.refused) {
					t.Errorf("the answer was\n%s", said)
				}
			})
		})
	}
}

func TestWhatArrivesTwiceGetsTheFirstAnswer(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob, carol)
		w.knows(dave)
		twice := func(p pim.PrincipalID, step func(workflow.Sender) workflow.Reply) (first string) {
			t.Helper()
			from := w.sender(p)
			first = w.read(step(from))
			second := w.read(step(from))
			w.pass(3 * time.Second)
			third := w.read(step(from))
			for _, again := range []string{second, third} {
				if again != first || first == "" {
					t.Errorf("first:\n%s\nagain:\n%s", first, again)
				}
			}
			return first
		}
		types := func(text string) func(workflow.Sender) workflow.Reply {
			return func(from workflow.Sender) workflow.Reply { return w.bot.Command(t.Context(), from, text) }
		}
		w.expect(twice(alice, types("mde-admin isolating WS-042")), "on its way")
		id := w.newest(alice).ID
		w.expect(twice(alice, types("mde-admin isolating WS-042")), "already have an open request")
		twice(alice, types("status"))
		twice(alice, types("roles"))
		w.expect(twice(alice, types("cancel "+string(id))), "being canceled")
		w.is(id, pim.Canceled)
		id = w.asks(alice)
		digest := w.digest(id)
		w.expect(twice(bob, func(from workflow.Sender) workflow.Reply {
			return w.bot.Click(t.Context(), from, workflow.Click{Act: card.Approve, Request: id, Digest: digest})
		}), "on its way")
		w.pass(3 * time.Second)
		w.is(id, pim.Active)
		w.expect(twice(dave, types("mde-admin triage")), "[Sign in]")
		w.expect(twice(dave, types("sign-in")), "[Sign in]")
		w.expect(twice(dave, types("unlink")), "is unlinked")
		w.expect(twice(dave, types("no-such-role please")), "no such role")
		if n := len(w.allRequests()); n != 3 || w.dir.Decisions() != 1 || w.dir.Calls(workflowtest.OpCancel) != 1 {
			t.Errorf("%d requests, %d decisions, %d cancellations", n, w.dir.Decisions(), w.dir.Calls(workflowtest.OpCancel))
		}
	})
}

func TestWhatArrivesAgainAfterARestartIsAnsweredWithTheRequestAsItIs(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		asks, approves := w.sender(alice), w.sender(bob)
		w.saysFrom(asks, "mde-admin isolating WS-042")
		w.pass(3 * time.Second)
		id := w.newest(alice).ID
		w.saysFrom(approves, "approve "+string(id))
		w.pass(5 * time.Second)
		w.is(id, pim.Active)
		w.restart()
		for _, said := range []string{w.saysFrom(asks, "mde-admin isolating WS-042"), w.saysFrom(approves, "approve "+string(id))} {
			w.expect(said, "MDE Administrator: active", string(id))
			if strings.Contains(said, "on its way") {
				t.Errorf("an active access is on its way:\n%s", said)
			}
		}
		if n := len(w.allRequests()); n != 1 || w.dir.Decisions() != 1 {
			t.Errorf("%d requests, %d decisions", n, w.dir.Decisions())
		}
	})
}

func TestWhoIsNotLinkedAnyMoreIsNotToldWhatBecameOfARequest(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		asks := w.sender(alice)
		w.saysFrom(asks, "mde-admin isolating WS-042")
		w.pass(3 * time.Second)
		w.is(w.newest(alice).ID, pim.Pending)
		w.says(alice, "unlink")
		w.restart()
		for _, said := range []string{w.saysFrom(asks, "mde-admin isolating WS-042"), w.says(alice, "mde-admin isolating WS-042")} {
			if strings.Contains(said, "waiting for approval") || !strings.Contains(strings.ToLower(said), "sign") {
				t.Errorf("an account without a link is told\n%s", said)
			}
		}
	})
}

func TestWhoIsSignedInIsToldHowAWaitingRequestGoesOn(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.knows(alice)
		w.says(alice, "mde-admin isolating WS-042")
		w.signIn(alice) // by another link
		w.expect(w.says(alice, "mde-admin something else"), "in the same words")
		w.says(alice, "mde-admin isolating WS-042")
		w.pass(3 * time.Second)
		w.is(w.newest(alice).ID, pim.Pending)
	})
}

// TestARepetitionWaitsForTheFirst holds that two deliveries at the same moment are one step.
func TestARepetitionWaitsForTheFirst(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		from := w.sender(alice)
		said := make(chan string, 8)
		for range cap(said) {
			go func() { said <- w.read(w.bot.Command(context.Background(), from, "mde-admin isolating WS-042")) }()
		}
		first := <-said
		for range cap(said) - 1 {
			if again := <-said; again != first {
				t.Errorf("first:\n%s\nagain:\n%s", first, again)
			}
		}
		if n := len(w.allRequests()); n != 1 {
			t.Errorf("%d requests", n)
		}
	})
}

func TestAnInterruptedStepThatArrivesTwiceIsOneIntentWithALinkThatWorks(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		w.knows(bob)
		id := w.asks(alice)
		from := w.sender(bob)
		for range 2 {
			w.expect(w.saysFrom(from, "approve "+string(id)), "[Sign in]")
		}
		if n := len(w.intents(bob)); n != 1 {
			t.Errorf("%d intents", n)
		}
		if _, err := w.resumes(bob); err != nil {
			t.Fatal(err)
		}
		w.pass(5 * time.Second)
		w.is(id, pim.Active)
	})
}

func TestAStateFileThatCannotBeWrittenIsSaidAndNothingIsAskedFor(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		w.end()
		if err := w.db.Close(); err != nil {
			t.Fatal(err)
		}
		w.expect(w.says(alice, "mde-admin isolating WS-042"), "nothing was asked for")
		w.start()
		w.pass(3 * time.Second)
		if n := len(w.dir.Copies()); n != 0 {
			t.Errorf("PIM holds %d requests", n)
		}
	})
}

func TestTheFormOffersWhatThePersonIsEligibleFor(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(dave)
		w.says(dave, "") // what is not known yet is learned behind the answer
		w.pass(3 * time.Second)
		form := w.bot.Command(t.Context(), w.sender(dave), "").Form
		if form == nil {
			t.Fatal("no form")
		}
		offered := fmt.Sprint(form.Fields[0].Options)
		if !strings.Contains(offered, "mde-live") || strings.Contains(offered, "mde-hunt") {
			t.Errorf("Dave is offered %s", offered)
		}
	})
}

func TestAFilledFormSaysWhichFieldIsWrong(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		fill := func(role, duration, reason string) workflow.Reply {
			return w.bot.Filled(t.Context(), w.sender(alice), card.Filled{Name: card.FormAsk, Values: map[string]string{
				card.FieldRole: role, card.FieldDuration: duration, card.FieldReason: reason,
			}})
		}
		if r := fill("", "1h", "checking"); r.Errors[card.FieldRole] == "" {
			t.Errorf("no role: %+v", r)
		}
		if r := fill("mde-admin", "9h", "checking"); len(r.Errors) != 1 {
			t.Errorf("too long: %+v", r)
		}
		if r := fill("mde-admin", "1h", ""); r.Errors[card.FieldReason] == "" {
			t.Errorf("no reason: %+v", r)
		}
		w.expect(w.read(fill("mde-admin", "1h", "checking")), "on its way")
	})
}

func TestWhatWaitsForASignInIsListedWithItsWaysOut(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.says(alice, "mde-admin isolating WS-042")
		waiting := w.newest(alice)
		w.is(waiting.ID, pim.WaitingForSignIn)
		first := w.newestLink(alice)
		w.expect(w.says(alice, "status"), string(waiting.ID), "waiting for a sign-in", "[Sign in for "+string(waiting.ID)+"]", "[Cancel "+string(waiting.ID)+"]")
		if again := w.newestLink(alice); again.Intent != first.Intent {
			t.Errorf("the new link is for %q, not %q", again.Intent, first.Intent)
		}
		if said := w.says(bob, "status"); strings.Contains(said, string(waiting.ID)) {
			t.Errorf("somebody else's status shows it:\n%s", said)
		}
		w.knows(alice) // linked meanwhile, by another sign-in
		w.expect(w.says(alice, "status"), "[Sign in for "+string(waiting.ID)+"]")
		w.expect(w.says(alice, "roles"), "your request "+string(waiting.ID)+" is waiting for a sign-in")
		w.expect(w.says(alice, "cancel "+string(waiting.ID)), "PIM was not asked for anything")
		w.is(waiting.ID, pim.Canceled)
		if said := w.says(alice, "status"); strings.Contains(said, "[Sign in") {
			t.Errorf("a canceled request is offered a sign-in:\n%s", said)
		}
	})
}

func TestTheListOfRolesNamesTheRequestThatWaits(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		id := w.asks(alice)
		w.expect(w.says(alice, "roles"), "your request "+string(id)+" is waiting for approval")
	})
}

func TestListsShowWhatThePersonMaySee(t *testing.T) {
	inWorld(t, func(w *world) { w.cfg.Readers = []pim.GroupID{"group-of-approvers"} }, func(w *world) {
		w.signIn(alice, bob, dave, erin)
		w.says(dave, "mde-hunt isolating WS-042")
		w.pass(3 * time.Second)
		w.is(w.newest(dave).ID, pim.Refused) // Dave is not eligible for it
		id := w.becomesActive()
		w.expect(w.says(alice, "status"), string(id))
		w.expect(w.says(alice, "roles"), "MDE Administrator", "MDE Hunting")
		if said := w.says(dave, "roles"); strings.Contains(said, "MDE Hunting") {
			t.Errorf("Dave has\n%s", said)
		}
		w.expect(w.says(dave, "who"), "MDE Administrator", "Alice")
		w.expect(w.says(bob, "who"), "MDE Hunting", "Alice") // a reader by the group of approvers
		if said := w.says(erin, "who"); strings.Contains(said, "Alice") {
			t.Errorf("somebody who is nothing reads\n%s", said)
		}
		other := w.sender(carol)
		w.expect(w.saysFrom(other, "who"), "Sign in with Microsoft")
		if said := w.says(bob, "status"); strings.Contains(said, string(id)) {
			t.Errorf("Bob's status shows Alice's request:\n%s", said)
		}
		w.says(dave, "mde-live checking")
		w.pass(3 * time.Second)
		w.expect(w.says(bob, "approvals"), string(w.newest(dave).ID))
	})
}
