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

func TestAStepWithoutASessionIsAnIntentForTenMinutes(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.knows(alice)
		w.expect(w.says(alice, "mde-admin isolating WS-042"), "Nothing was asked of PIM yet", "[Sign in]")
		id := w.newest(alice).ID
		w.is(id, pim.WaitingForSignIn)
		w.pass(9 * time.Minute)
		w.is(id, pim.WaitingForSignIn)
		w.pass(61 * time.Second)
		w.is(id, pim.Canceled)
		if n, _ := w.event(id, pim.EventExpired); n != 1 {
			t.Errorf("%d events say that it expired", n)
		}
		w.expect(w.told(alice), "Nobody signed in for it within ten minutes")
		if w.dir.Calls(workflowtest.OpSubmit) != 0 || len(w.intents(alice)) != 0 {
			t.Error("something is left")
		}
	})
}

func TestWhatWasInterruptedGoesOnAfterTheSignIn(t *testing.T) {
	for _, row := range []struct {
		name, say string
		by        pim.PrincipalID
		become    pim.State
		describe  string
	}{
		{"a decision", "approve %", bob, pim.Active, "approve Alice's request for MDE Administrator, 1 h"},
		{"a denial", "deny % no", bob, pim.Denied, "deny Alice's request for MDE Administrator, 1 h"},
		{"a cancellation", "cancel %", alice, pim.Canceled, "cancel your request for MDE Administrator"},
	} {
		t.Run(row.name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.signIn(alice)
				w.knows(bob)
				id := w.asks(alice)
				w.signOut(alice)
				w.expect(w.says(row.by, strings.ReplaceAll(row.say, "%", string(id))), "Sign in")
				w.is(id, pim.Pending)
				var what string
				w.view(func(tx *store.Tx) error {
					var err error
					what, err = w.bot.Describe(tx, w.newestLink(row.by).Intent)
					return err
				})
				if what != row.describe {
					t.Errorf("the page says %q", what)
				}
				w.pass(5 * time.Minute)
				text, err := w.resumes(row.by)
				if err != nil {
					t.Fatal(err)
				}
				w.expect(text, row.describe, "on its way to PIM")
				w.pass(5 * time.Second)
				w.is(id, row.become)
				// A link that is followed twice does nothing more.
				text, err = w.bot.Resume(t.Context(), account(row.by), w.newestLink(row.by).Intent)
				if err != nil {
					t.Error(err)
				}
				w.expect(text, "go on in the chat")
			})
		})
	}
}

// Two clicks leave two links, and somebody who opens the older one must not believe that the decision was sent.
func TestALinkWhoseStepWasBegunAgainSaysThatNothingWasDone(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		w.knows(bob)
		id := w.asks(alice)
		w.says(bob, "approve "+string(id))
		older := w.newestLink(bob).Intent
		w.pass(2 * time.Second)
		w.says(bob, "approve "+string(id))
		text, err := w.bot.Resume(t.Context(), account(bob), older)
		if err != nil {
			t.Fatal(err)
		}
		w.expect(text, "nothing was done beyond signing you in", "newest sign-in link", "go on in the chat")
		w.pass(5 * time.Second)
		w.is(id, pim.Pending)
	})
}

func TestAReleaseGoesOnAfterTheSignIn(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.becomesActive()
		w.pass(10 * time.Minute)
		w.signOut(alice)
		w.expect(w.says(alice, "release mde-admin"), "Sign in")
		if _, err := w.resumes(alice); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Minute)
		if r := w.is(id, pim.Ended); r.Ending != pim.Released {
			t.Errorf("ended as %s", r.Ending)
		}
	})
}

func TestAnIntentOfFactsThatChangedAsksAgain(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		w.knows(bob)
		id := w.asks(alice)
		w.says(bob, "approve "+string(id))
		w.dir.Change(w.request(id).Copy.ID, func(c *pim.Copy) { c.Duration = 8 * time.Hour })
		w.pass(20 * time.Second)
		_, err := w.resumes(bob)
		if err == nil || !strings.Contains(pim.Explain(err).Message, "has changed since") {
			t.Errorf("resumed with %v", err)
		}
		w.pass(3 * time.Second)
		w.is(id, pim.Pending)
		if len(w.intents(bob)) != 0 {
			t.Error("the intent is still there")
		}
	})
}

func TestAnIntentIsForTheAccountItWasMadeFrom(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, carol)
		w.knows(bob)
		id := w.asks(alice)
		w.says(bob, "approve "+string(id))
		if _, err := w.bot.Resume(t.Context(), account(carol), w.newestLink(bob).Intent); err != nil {
			t.Error(err)
		}
		w.pass(3 * time.Second)
		w.is(id, pim.Pending)
	})
}

func TestOneIntentForAPersonAndRequestAndThreeForAPerson(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.knows(alice)
		var ids []pim.RequestID
		ask := func(role string) pim.RequestID {
			w.says(alice, role+" isolating WS-042")
			w.pass(time.Second)
			return w.newest(alice).ID
		}
		for _, role := range []string{"mde-admin", "mde-analyst", "mde-live"} {
			ids = append(ids, ask(role))
		}
		if n := len(w.intents(alice)); n != 3 {
			t.Fatalf("%d intents", n)
		}
		ids = append(ids, ask("mde-hunt"))
		w.is(ids[0], pim.Canceled) // the oldest gave way
		for _, id := range ids[1:] {
			w.is(id, pim.WaitingForSignIn)
		}
		if n := len(w.intents(alice)); n != 3 {
			t.Errorf("%d intents", n)
		}
	})
}

func TestASecondIntentForARequestReplacesTheFirstAndNoOther(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, dave)
		w.knows(bob)
		first := w.asks(alice)
		second := w.asks(dave)
		w.says(bob, "approve "+string(first))
		w.pass(time.Second)
		w.says(bob, "approve "+string(second))
		w.pass(time.Second)
		w.says(bob, "sign-in")
		w.pass(time.Second)
		w.says(bob, "deny "+string(second)+" no")
		intents := w.intents(bob)
		if len(intents) != 3 {
			t.Fatalf("%d intents: %+v", len(intents), intents)
		}
		for _, in := range intents {
			if in.Request == second && in.Verb != "deny" {
				t.Errorf("the older intent %s stands", in.Verb)
			}
		}
	})
}

func TestAnIntentBlocksNobody(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, carol)
		w.knows(bob)
		id := w.asks(alice)
		w.clicks(bob, card.Approve, id)
		w.clicks(carol, card.Approve, id)
		w.pass(5 * time.Second)
		w.is(id, pim.Active)
		_, err := w.resumes(bob)
		if !pim.IsKind(err, pim.Conflict) {
			t.Errorf("resumed with %v", err)
		}
	})
}

func TestWhatTheSignInTellsIsJudgedAgain(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		w.asks(alice)
		// Somebody whom Elevate does not know asks from another account, and
		// turns out to be Alice.
		stranger := w.sender(dave)
		w.expect(w.saysFrom(stranger, "mde-admin once more"), "Sign in")
		w.update(func(tx *store.Tx) error {
			return tx.PutLink(store.Link{Account: stranger.Account, Tenant: tenant, Person: alice, Name: "Alice"})
		})
		w.session(stranger.Account, alice, w.now(), time.Hour)
		text, err := w.bot.Resume(t.Context(), stranger.Account, w.newestLink(dave).Intent)
		if err != nil {
			t.Fatal(err)
		}
		w.expect(text, "already have an open request")
		w.pass(3 * time.Second)
		if n := len(w.dir.Copies()); n != 1 {
			t.Errorf("PIM holds %d requests", n)
		}
	})
}

func TestAFormThatWasInterruptedComesBackAsAMessageWithAButton(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.expect(w.says(alice, ""), "Sign in")
		if _, err := w.resumes(alice); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Second)
		messages := w.chat.In(direct(alice))
		if len(messages) != 1 || len(messages[0].Card().Buttons) != 1 || messages[0].Card().Buttons[0].Act != card.OpenForm {
			t.Fatalf("Alice got %+v", messages)
		}
		w.expect(w.clicksOn(alice, card.OpenForm, "", messages[0]), "form ask")
	})
}
