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

const challengeC1 = `{"access_token":{"acrs":{"essential":true,"value":"c1"}}}`

// challenged is PIM's claims challenge.
func challenged(claims string) workflowtest.Fault {
	return workflowtest.Fault{Err: &pim.Error{Kind: pim.SignIn, Code: "RoleAssignmentRequestAcrsValidationFailed", Message: "PIM refused: this role wants a stronger sign-in.", Claims: claims}}
}

func TestASubmissionThatIsChallengedGoesOnAndNotRound(t *testing.T) {
	for _, row := range []struct {
		name       string
		challenges []string
		state      pim.State
		signIns    int
	}{
		{"met at once", []string{challengeC1}, pim.Pending, 1},
		{"two that differ", []string{challengeC1, `{"access_token":{"nbf":{"value":"7"}}}`}, pim.Pending, 2},
		{"the same again", []string{challengeC1, challengeC1}, pim.Refused, 1},
		{"without claims, and again", []string{"", ""}, pim.Refused, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.signIn(alice)
				for _, c := range row.challenges {
					w.dir.Fail(workflowtest.OpSubmit, challenged(c))
				}
				w.says(alice, "mde-admin isolating WS-042, INC-7")
				id := w.newest(alice).ID
				for n := range row.signIns {
					w.pass(3 * time.Second)
					w.is(id, pim.WaitingForSignIn)
					if got := w.newestLink(alice).Claims; got != row.challenges[n] {
						t.Fatalf("sign-in %d has to meet %q", n, got)
					}
					if _, err := w.resumes(alice); err != nil {
						t.Fatal(err)
					}
				}
				w.pass(3 * time.Second)
				r := w.is(id, row.state)
				if r.Asked.Reason != "isolating WS-042, INC-7" || r.Asked.Ticket != "INC-7" {
					t.Errorf("of what was typed is left %+v", r.Asked)
				}
				if row.state != pim.Refused {
					return
				}
				shown := w.cardOf(id, direct(alice)).Card()
				w.expect(workflowtest.Text(shown), "wants the same once more", "Conditional Access policy")
				if labels(shown) != "Ask again" || len(w.intents(alice)) > 0 {
					t.Errorf("buttons %s, %d intents", labels(shown), len(w.intents(alice)))
				}
			})
		})
	}
}

func TestASignInThatIsNotNewerMeetsNoChallenge(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		w.dir.Fail(workflowtest.OpSubmit, challenged(challengeC1), challenged(challengeC1))
		w.says(alice, "mde-admin isolating WS-042")
		id := w.newest(alice).ID
		w.pass(3 * time.Second)
		w.says(alice, "mde-admin isolating WS-042") // in the same words it goes on with the session that is there
		w.pass(3 * time.Second)
		w.is(id, pim.WaitingForSignIn)
		if _, err := w.resumes(alice); err != nil {
			t.Fatal(err)
		}
		w.pass(3 * time.Second)
		w.is(id, pim.Pending)
	})
}

func TestADecisionThatIsChallengedGoesOnAndNotRound(t *testing.T) {
	for _, row := range []struct {
		name       string
		challenges []string
		state      pim.State
	}{
		{"met at once", []string{challengeC1}, pim.Active},
		{"the same again", []string{challengeC1, challengeC1}, pim.Pending},
	} {
		t.Run(row.name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.signIn(alice, bob)
				id := w.asks(alice)
				for _, c := range row.challenges {
					w.dir.Fail(workflowtest.OpDecide, challenged(c))
				}
				w.clicks(bob, card.Approve, id)
				w.pass(3 * time.Second)
				if got := w.newestLink(bob).Claims; got != challengeC1 {
					t.Fatalf("the sign-in has to meet %q", got)
				}
				if _, err := w.resumes(bob, "c1"); err != nil {
					t.Fatal(err)
				}
				w.pass(10 * time.Second)
				r := w.is(id, row.state)
				if row.state == pim.Active {
					return
				}
				w.expect(w.told(bob), "was not taken", "wants the same once more")
				if r.Claim != nil || len(w.intents(bob)) > 0 {
					t.Errorf("claim %+v, %d intents", r.Claim, len(w.intents(bob)))
				}
			})
		})
	}
}

// fresh has decisions on mde-admin need a sign-in of their own, with a context.
func fresh(w *world) {
	w.cfg.Roles[0].DecideFresh, w.cfg.Roles[0].DecideContext = true, "c1"
}

// signedIn keeps a sign-in with all its times: by Microsoft's clock, and by ours.
func (w *world) signedIn(p pim.PrincipalID, auth, came time.Time, contexts ...string) {
	w.t.Helper()
	w.update(func(tx *store.Tx) error {
		return tx.PutSession(store.Session{
			Account: account(p), Tenant: tenant, Person: p, Name: names[p], AuthTime: auth, SignedIn: came, Expires: w.now().Add(time.Hour), ACRS: contexts,
		}, []byte("sealed"))
	})
}

func TestAStepUpNeedsASignInOfItsOwn(t *testing.T) {
	type times struct{ auth, came time.Duration } // after the click
	none := time.Duration(-1 << 60)
	for _, row := range []struct {
		name     string
		before   *times // a session that is there at the click
		at       times  // the sign-in that the intent leads to
		contexts []string
		refused  string
	}{
		{name: "after the click", at: times{0, 0}, contexts: []string{"c1"}},
		{name: "with more contexts", at: times{0, 0}, contexts: []string{"c2", "c1"}},
		{name: "a minute before the click", at: times{-time.Minute, time.Minute}, contexts: []string{"c1"}, refused: "not new enough"},
		{name: "a second before the click", at: times{-time.Second, time.Minute}, contexts: []string{"c1"}, refused: "not new enough"},
		{name: "came in the click's own second, before it", before: &times{0, -time.Millisecond}, at: times{0, -time.Millisecond}, contexts: []string{"c1"}, refused: "not new enough"},
		{name: "came before it by a clock that goes ahead", before: &times{2 * time.Minute, -time.Second}, at: times{2 * time.Minute, -time.Second}, contexts: []string{"c1"}, refused: "not new enough"},
		{name: "in an hour", at: times{time.Hour, time.Minute}, contexts: []string{"c1"}, refused: "has not come yet"},
		{name: "at no time", at: times{none, time.Minute}, contexts: []string{"c1"}, refused: "optional claim auth_time"},
		{name: "without a context", at: times{0, 0}, refused: "authentication context c1"},
		{name: "with another context", at: times{0, 0}, contexts: []string{"c10", "C1"}, refused: "authentication context c1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			inWorld(t, fresh, func(w *world) {
				w.signIn(alice)
				id := w.asks(alice)
				w.knows(bob)
				w.pass(500 * time.Millisecond) // a click is hardly ever at a full second
				clicked := w.now()
				signIn := func(at times) {
					auth := clicked.Add(at.auth).Truncate(time.Second)
					if at.auth == none {
						auth = time.Time{}
					}
					w.signedIn(bob, auth, clicked.Add(at.came), row.contexts...)
				}
				if row.before != nil {
					signIn(*row.before)
				}
				w.expect(w.clicks(bob, card.Approve, id), "Sign in")
				w.askedFor(bob, "c1")
				signIn(row.at)
				_, err := w.bot.Resume(t.Context(), account(bob), w.newestLink(bob).Intent)
				w.pass(5 * time.Second)
				if row.refused == "" {
					if err != nil {
						t.Fatal(err)
					}
					w.is(id, pim.Active)
					return
				}
				if err == nil || !strings.Contains(err.Error(), row.refused) {
					t.Errorf("it went on with %v", err)
				}
				w.is(id, pim.Pending)
				w.expect(w.told(bob), row.refused)
				if len(w.intents(bob)) > 0 || w.dir.Decisions() > 0 {
					t.Errorf("%d intents, %d decisions in PIM", len(w.intents(bob)), w.dir.Decisions())
				}
			})
		})
	}
}

func TestAStepUpIsAskedForAtEveryDoor(t *testing.T) {
	for name, step := range map[string]func(*world, pim.RequestID) workflow.Reply{
		"button": func(w *world, id pim.RequestID) workflow.Reply {
			on := w.cardOf(id, approvals)
			return w.bot.Click(context.Background(), w.sender(bob), workflow.Click{Act: card.Approve, Request: id, Digest: w.digest(id), Ref: on.Ref})
		},
		"form": func(w *world, id pim.RequestID) workflow.Reply {
			return w.bot.Filled(context.Background(), w.sender(bob), card.Filled{
				Name: card.FormApprove, Request: id, Digest: w.digest(id), Values: map[string]string{card.FieldReason: "fine"}, Ref: w.cardOf(id, approvals).Ref,
			})
		},
		"command": func(w *world, id pim.RequestID) workflow.Reply {
			return w.bot.Command(context.Background(), w.sender(bob), "approve "+string(id)+" fine")
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, fresh, func(w *world) {
				w.signIn(alice)
				id := w.asks(alice)
				w.knows(bob)
				w.pass(time.Second)
				w.signedIn(bob, w.now().Truncate(time.Second), w.now(), "c1")
				w.pass(time.Second)
				w.expect(w.read(step(w, id)), "Sign in") // the session is a second older than the click
				first := w.newestLink(bob).Intent
				w.pass(time.Second)
				if _, err := w.resumes(bob, "c1"); err != nil {
					t.Fatal(err)
				}
				w.pass(5 * time.Second)
				w.is(id, pim.Active)
				if text, err := w.bot.Resume(t.Context(), account(bob), first); err != nil || !strings.Contains(text, "nothing was done beyond signing you in") {
					t.Errorf("the link once more: %q, %v", text, err)
				}
			})
		})
	}
}

func TestASignInForTheFirstClickIsNoneForTheSecond(t *testing.T) {
	inWorld(t, fresh, func(w *world) {
		w.signIn(alice, dave)
		one, two := w.asks(alice), w.asks(dave)
		w.knows(bob)
		w.clicks(bob, card.Approve, one)
		first := w.newestLink(bob).Intent
		w.pass(time.Second)
		w.signedIn(bob, w.now().Truncate(time.Second), w.now(), "c1")
		w.pass(time.Second)
		w.expect(w.clicks(bob, card.Approve, one), "Sign in") // once more, after that sign-in
		if text, err := w.bot.Resume(t.Context(), account(bob), first); err != nil || !strings.Contains(text, "begun again") && !strings.Contains(text, "began again") {
			t.Errorf("the first link: %q, %v", text, err)
		}
		w.pass(3 * time.Second)
		w.is(one, pim.Pending)
		w.expect(w.clicks(bob, card.Approve, two), "Sign in") // a decision on another request is another decision
		// Somebody else's sign-in under Bob's account.
		w.session(account(bob), carol, w.now(), time.Hour, "c1")
		if _, err := w.bot.Resume(t.Context(), account(bob), w.newestLink(bob).Intent); err == nil {
			t.Error("went on with somebody else's sign-in")
		}
		w.pass(3 * time.Second)
		w.is(two, pim.Pending)
	})
}

func TestWhatPIMCannotDoForTenMinutesIsSaidInItsWords(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		w.dir.Break(workflowtest.OpSubmit, workflowtest.Fault{Err: &pim.Error{Kind: pim.Unavailable, Code: "SubjectNotFound", Message: "PIM refused: it does not know the person yet."}})
		w.says(alice, "mde-admin isolating WS-042")
		id := w.newest(alice).ID
		w.pass(5 * time.Minute)
		w.is(id, pim.Submitting)
		w.pass(6 * time.Minute)
		w.is(id, pim.Failed)
		shown := w.cardOf(id, direct(alice)).Card()
		w.expect(workflowtest.Text(shown), "tried for ten minutes", "does not know the person yet")
		if labels(shown) != "Ask again" || w.dir.Calls(workflowtest.OpSubmit) < 3 {
			t.Errorf("buttons %s after %d tries", labels(shown), w.dir.Calls(workflowtest.OpSubmit))
		}
		w.dir.Mend(workflowtest.OpSubmit)
		// Another one, of which PIM knows the person at the second try.
		w.dir.Fail(workflowtest.OpSubmit, workflowtest.Fault{Err: &pim.Error{Kind: pim.Unavailable, Code: "ResourceIsLocked", Message: "PIM refused: locked."}})
		w.says(alice, "mde-admin isolating WS-042")
		w.pass(time.Minute)
		if r := w.newest(alice); r.State != pim.Pending || r.Why != "" || r.Refusal != nil {
			t.Errorf("%s, %q, %+v", r.State, r.Why, r.Refusal)
		}
	})
}
