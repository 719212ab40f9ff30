package workflow_test

import (
	"cmp"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
	"elevate/internal/workflow"
	"elevate/internal/workflow/workflowtest"
)

var (
	errDown      = pim.Errorf(pim.Unavailable, "Microsoft Graph does not work at the moment.")
	errLost      = pim.Errorf(pim.AnswerLost, "Microsoft Graph did not say whether it was done.")
	errForbidden = pim.Errorf(pim.Forbidden, "PIM refused: you may not do this.")
	errSignIn    = pim.Errorf(pim.SignIn, "Sign in again.")
)

func throttled(wait time.Duration) *pim.Error {
	return &pim.Error{Kind: pim.Throttled, Message: "Microsoft Graph is asked too much at the moment.", RetryAfter: wait}
}

// decisionHangs makes a decision take so long that others see the claim.
func decisionHangs(w *world) { w.dir.Break(workflowtest.OpDecide, workflowtest.Fault{Err: errDown}) }

func TestASecondClickerIsToldWhoIsDeciding(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob, carol)
		id := w.asks(alice)
		shown := w.cardOf(id, approvals)
		decisionHangs(w)
		w.clicks(bob, card.Approve, id)
		w.pass(5 * time.Second)
		w.expect(workflowtest.Text(w.cardOf(id, approvals).Card()), "Bob is approving")
		if can := w.cardOf(id, approvals).Card().Buttons; len(can) != 1 || can[0].Act != card.Refresh {
			t.Errorf("a claimed card offers %v", can)
		}
		w.expect(w.clicksOn(carol, card.Approve, id, shown), "Bob is deciding")
	})
}

func TestEveryEndOfAClaimIsAnEventAndReopensTheCard(t *testing.T) {
	for _, row := range []struct {
		name   string
		fault  workflowtest.Fault
		after  time.Duration
		told   string
		intent bool
	}{
		{name: "the lease of two minutes ends it", fault: workflowtest.Fault{Err: errDown}, after: 2*time.Minute + 20*time.Second, told: "within two minutes"},
		{name: "a definite refusal ends it", fault: workflowtest.Fault{Err: errForbidden}, after: 5 * time.Second, told: "PIM refused: you may not do this."},
		{name: "a session that proves unusable makes it an intent again", fault: workflowtest.Fault{Err: errSignIn}, after: 5 * time.Second, told: "Sign in to approve", intent: true},
		{name: "a claims challenge makes it an intent again", fault: workflowtest.Fault{Err: &pim.Error{Kind: pim.SignIn, Message: "Stronger.", Claims: `{"access_token":{"acrs":{"value":"c1"}}}`}}, after: 5 * time.Second, told: "Sign in to approve", intent: true},
		{name: "a throttled lane does not hold the lease", fault: workflowtest.Fault{Err: throttled(9 * time.Minute)}, after: 2*time.Minute + 20*time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.signIn(alice, bob)
				id := w.asks(alice)
				w.dir.Break(workflowtest.OpDecide, row.fault)
				w.clicks(bob, card.Approve, id)
				w.pass(row.after)
				r := w.is(id, pim.Pending)
				if n, _ := w.event(id, pim.EventUnclaimed); n != 1 || r.Claim != nil {
					t.Errorf("%d events say that the claim ended; the claim is %+v", n, r.Claim)
				}
				if n := len(w.cardOf(id, approvals).Card().Buttons); n == 0 {
					t.Error("the card has no buttons")
				}
				w.expect(w.told(bob), row.told)
				if got := len(w.intents(bob)) == 1; got != row.intent {
					t.Errorf("Bob has an intent: %t", got)
				}
			})
		})
	}
}

func TestADecisionIsTakenUpAgainAfterAChallenge(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.asks(alice)
		w.dir.Fail(workflowtest.OpDecide, workflowtest.Fault{Err: &pim.Error{Kind: pim.SignIn, Message: "Stronger.", Claims: `{"access_token":{"acrs":{"value":"c1"}}}`}})
		w.clicks(bob, card.Approve, id)
		w.pass(5 * time.Second)
		if link := w.newestLink(bob); link.Claims != `{"access_token":{"acrs":{"value":"c1"}}}` {
			t.Errorf("the link asks for %s", link.Claims)
		}
		text, err := w.resumes(bob)
		if err != nil {
			t.Fatal(err)
		}
		w.expect(text, "on its way")
		w.pass(5 * time.Second)
		w.is(id, pim.Active)
	})
}

func TestOfTwoApproversAtOnceOneWins(t *testing.T) {
	for range 5 {
		inWorld(t, nil, func(w *world) {
			w.signIn(alice, bob, carol)
			id := w.asks(alice)
			digest := w.digest(id)
			var both sync.WaitGroup
			for p, act := range map[pim.PrincipalID]card.Act{bob: card.Approve, carol: card.Approve} {
				from := w.sender(p)
				both.Go(func() {
					w.bot.Click(t.Context(), from, workflow.Click{Act: act, Request: id, Digest: digest})
				})
			}
			both.Wait()
			w.pass(10 * time.Second)
			r := w.is(id, pim.Active)
			n, _ := w.event(id, pim.EventClaimed)
			if w.dir.Decisions() != 1 || n != 1 || r.Decided.By.Person != w.dir.Reviewed(r.Copy.ID).ReviewedBy {
				t.Errorf("%d decisions, %d claims, decided %+v", w.dir.Decisions(), n, r.Decided)
			}
		})
	}
}

func TestWhoMayNotDecideIsRefusedAtTheDoor(t *testing.T) {
	for _, row := range []struct {
		name string
		by   pim.PrincipalID
		set  func(*world)
		say  string
		// typed is what is said where nothing was shown before; "" is say.
		typed string
	}{
		{name: "the requester", by: alice, say: "You cannot decide your own request"},
		{name: "who is not named by the policy", by: dave, say: "not among the approvers", typed: "There is no request"},
		{name: "who once signed in with the requester's account", by: bob, say: "You cannot decide your own request", set: func(w *world) {
			w.update(func(tx *store.Tx) error { return tx.Join(bob, alice) })
		}},
		{name: "who is the requester's other account by a third one", by: bob, say: "You cannot decide your own request", set: func(w *world) {
			w.update(func(tx *store.Tx) error { return errors.Join(tx.Join(bob, dave), tx.Join(dave, alice)) })
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.signIn(alice, bob, dave)
				id := w.asks(alice)
				if row.set != nil {
					row.set(w)
				}
				w.expect(w.clicks(row.by, card.Approve, id), row.say)
				typed := cmp.Or(row.typed, row.say)
				w.expect(w.says(row.by, "approve "+string(id)), typed)
				w.expect(w.says(row.by, "deny "+string(id)+" no"), typed)
				form := w.read(w.bot.Filled(t.Context(), w.sender(row.by), card.Filled{
					Name: card.FormDeny, Request: id, Digest: w.digest(id), Values: map[string]string{card.FieldReason: "no"},
				}))
				w.expect(form, row.say)
				w.expect(w.clicks(row.by, card.Deny, id), row.say)
				w.pass(5 * time.Second)
				w.is(id, pim.Pending)
				if n := w.dir.Calls(workflowtest.OpDecide); n != 0 {
					t.Errorf("PIM was asked %d times", n)
				}
			})
		})
	}
}

func TestWhoMayNotDecideIsRefusedWhenTheDecisionIsSent(t *testing.T) {
	for _, row := range []struct {
		name string
		set  func(*world, pim.RequestID)
		told string
	}{
		{name: "whose account is disabled", told: "disabled", set: func(w *world, _ pim.RequestID) {
			w.dir.Person(bob, func(p *pim.Profile) { p.Enabled = false })
		}},
		{name: "who is a guest", told: "Guests", set: func(w *world, _ pim.RequestID) { w.dir.Person(bob, func(p *pim.Profile) { p.Guest = true }) }},
		{name: "whose chat account is gone", told: "gone", set: func(w *world, _ pim.RequestID) {
			w.chat.Close(account(bob), pim.Errorf(pim.Forbidden, "Your account in Slack is gone."))
		}},
		{name: "who shares the attribute of one person with the requester", told: "your own request", set: func(w *world, _ pim.RequestID) {
			w.dir.Person(bob, func(p *pim.Profile) { p.SamePerson = "E7" })
			w.dir.Person(alice, func(p *pim.Profile) { p.SamePerson = "E7" })
		}},
		{name: "who left the policy", told: "not among the approvers", set: func(w *world, _ pim.RequestID) {
			w.dir.Administer(mde, func(g *workflowtest.Group) { g.Approvers = []pim.PrincipalID{carol} })
		}},
		{name: "who saw other facts than PIM has now", told: "has changed since", set: func(w *world, id pim.RequestID) {
			w.dir.Change(w.request(id).Copy.ID, func(c *pim.Copy) { c.Duration = 8 * time.Hour })
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.signIn(alice, bob)
				id := w.asks(alice)
				row.set(w, id)
				w.clicks(bob, card.Approve, id)
				w.pass(3 * time.Second)
				w.expect(w.told(bob), "was not taken", row.told)
				if n := w.dir.Decisions(); n != 0 {
					t.Errorf("PIM took %d decisions", n)
				}
			})
		})
	}
}

func TestACardThatShowsOtherFactsDecidesNothing(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.asks(alice)
		old := w.cardOf(id, approvals)
		w.dir.Change(w.request(id).Copy.ID, func(c *pim.Copy) { c.Duration = 8 * time.Hour })
		w.pass(20 * time.Second)
		w.expect(w.clicksOn(bob, card.Approve, id, old), "has changed since")
		w.expect(workflowtest.Text(w.cardOf(id, approvals).Card()), "8 h")
		without := w.bot.Click(t.Context(), w.sender(bob), workflow.Click{Act: card.Approve, Request: id})
		w.expect(w.read(without), "has changed since")
	})
}

func TestWhereThePolicyCannotBeReadPIMDecidesWhoMay(t *testing.T) {
	for _, row := range []struct {
		name   string
		by     pim.PrincipalID
		part   workflowtest.Part
		role   string
		active bool
	}{
		{"an approver of an unreadable policy", bob, workflowtest.PartPolicies, "mde-admin", true},
		{"nobody else of an unreadable policy", dave, workflowtest.PartPolicies, "mde-admin", false},
		{"an approver of a group that cannot be read", bob, workflowtest.PartMembers, "mde-live", true},
		{"nobody else of a group that cannot be read", dave, workflowtest.PartMembers, "mde-live", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			unreadable := func(w *world) { w.dir.Hide(row.part, errForbidden) }
			inWorld(t, unreadable, func(w *world) {
				w.signIn(alice, row.by)
				w.says(alice, row.role+" isolating WS-042")
				w.pass(3 * time.Second)
				id := w.newest(alice).ID
				w.clicks(row.by, card.Approve, id)
				w.pass(5 * time.Second)
				if row.active {
					w.is(id, pim.Active)
					return
				}
				w.is(id, pim.Pending)
				if n, _ := w.event(id, pim.EventClaimed); n != 0 {
					t.Error("somebody who is no approver had the claim")
				}
				w.expect(w.told(row.by), "does not name you as an approver")
			})
		})
	}
}

func TestADecisionNeedsASignInThatIsNewEnough(t *testing.T) {
	for _, row := range []struct {
		name   string
		within time.Duration
		fresh  bool
		need   string
		auth   time.Duration // how old the sign-in is
		has    []string
		direct bool // decides without another sign-in
	}{
		{name: "within decide_within", within: time.Hour, auth: 50 * time.Minute, direct: true},
		{name: "older than decide_within", within: time.Hour, auth: 70 * time.Minute},
		{name: "decide_within 0 wants one for each decision", within: 0, auth: time.Minute},
		{name: "a role that wants a fresh one", within: time.Hour, fresh: true, auth: time.Minute},
		{name: "a role that wants a context", within: time.Hour, need: "c1", auth: time.Minute},
		{name: "a role whose context was met", within: time.Hour, need: "c1", has: []string{"c1"}, auth: time.Minute, direct: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			settings := func(w *world) {
				w.cfg.DecideWithin = row.within
				w.cfg.Roles[0].DecideFresh, w.cfg.Roles[0].DecideContext = row.fresh, row.need
			}
			inWorld(t, settings, func(w *world) {
				w.signIn(alice)
				w.pass(2 * time.Hour)
				id := w.asks(alice)
				w.knows(bob)
				w.session(account(bob), bob, w.now().Add(-row.auth), 8*time.Hour, row.has...)
				said := w.clicks(bob, card.Approve, id)
				if row.direct {
					w.expect(said, "on its way")
				} else {
					w.expect(said, "Sign in")
					w.is(id, pim.Pending)
					if r := w.request(id); r.Claim != nil {
						t.Error("an intent blocks others")
					}
					w.askedFor(bob, row.need)
					w.pass(9 * time.Minute)
					if _, err := w.resumes(bob, row.need); err != nil {
						t.Fatal(err)
					}
				}
				w.pass(5 * time.Second)
				w.is(id, pim.Active)
			})
		})
	}
}

// askedFor checks what the sign-in of somebody's newest link has to meet.
func (w *world) askedFor(p pim.PrincipalID, context string) {
	w.t.Helper()
	want := ""
	if context != "" {
		want = `{"id_token":{"acrs":{"essential":true,"value":"` + context + `"}}}`
	}
	if got := w.newestLink(p).Claims; got != want {
		w.t.Errorf("the sign-in has to meet %q, not %q", got, want)
	}
}

func TestAContextStandsBesideAChallenge(t *testing.T) {
	context := func(w *world) { w.cfg.Roles[0].DecideContext = "c1" }
	inWorld(t, context, func(w *world) {
		w.signIn(alice)
		id := w.asks(alice)
		w.knows(bob)
		w.session(account(bob), bob, w.now(), time.Hour, "c1")
		w.dir.Fail(workflowtest.OpDecide, workflowtest.Fault{Err: &pim.Error{Kind: pim.SignIn, Message: "Again.", Claims: `{"access_token":{"nbf":{"value":"7"}}}`}})
		w.clicks(bob, card.Approve, id)
		w.pass(3 * time.Second)
		want := `{"access_token":{"nbf":{"value":"7"}},"id_token":{"acrs":{"essential":true,"value":"c1"}}}`
		if got := w.newestLink(bob).Claims; got != want {
			t.Errorf("the sign-in has to meet %s", got)
		}
	})
}

func TestASignInThatIsNotNewEnoughDecidesNothing(t *testing.T) {
	each := func(w *world) { w.cfg.DecideWithin = 0 }
	inWorld(t, each, func(w *world) {
		w.signIn(alice)
		id := w.asks(alice)
		w.signIn(bob)
		w.pass(time.Minute)
		w.clicks(bob, card.Approve, id)
		w.session(account(bob), bob, w.now().Add(-time.Hour), time.Hour)
		_, err := w.bot.Resume(t.Context(), account(bob), w.newestLink(bob).Intent)
		if !pim.IsKind(err, pim.SignIn) {
			t.Errorf("resumed with an old sign-in: %v", err)
		}
		w.pass(5 * time.Second)
		w.is(id, pim.Pending)
	})
}

func TestASessionServesOnlyTheAccountItWasOpenedFrom(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		id := w.asks(alice)
		w.knows(bob)
		other := pim.ChatAccount{Chat: pim.Slack, Workspace: "T0", User: "U-other"}
		w.session(other, bob, w.now(), time.Hour)
		w.expect(w.clicks(bob, card.Approve, id), "Sign in")
		// A session of somebody else under one's own account is none either.
		w.session(account(bob), carol, w.now(), time.Hour)
		w.expect(w.clicks(bob, card.Approve, id), "Sign in")
	})
}

func TestADecisionThatCannotBeSentForTenMinutesIsDroppedAndSaid(t *testing.T) {
	inWorld(t, func(w *world) { w.dir.Hide(workflowtest.PartPolicies, errDown) }, func(w *world) {
		w.signIn(alice, bob)
		id := w.asks(alice)
		w.dir.Break(workflowtest.OpLook, workflowtest.Fault{Err: errDown})
		w.says(bob, "approve "+string(id))
		w.pass(9 * time.Minute)
		if strings.Contains(w.told(bob), "dropped") {
			t.Error("dropped too early")
		}
		w.pass(90 * time.Second)
		w.expect(w.told(bob), "within ten minutes and was dropped")
		w.dir.Mend(workflowtest.OpLook)
		w.pass(2 * time.Minute)
		w.is(id, pim.Pending)
	})
}

func TestADecisionWhoseAnswerGotLostIsStillWhoseItWas(t *testing.T) {
	for _, row := range []struct {
		name string
		down time.Duration // how long PIM is away afterwards
	}{
		{"found at once", 0}, {"found after the lease", 3 * time.Minute}, {"found after the ten minutes", 12 * time.Minute},
	} {
		t.Run(row.name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.signIn(alice, bob)
				id := w.asks(alice)
				away := func() {
					if row.down > 0 {
						w.dir.Break(workflowtest.OpAssigned, workflowtest.Fault{Err: errDown})
						w.dir.Break(workflowtest.OpDecide, workflowtest.Fault{Err: errDown})
						w.dir.Hide(workflowtest.PartRequests, errDown)
					}
				}
				w.dir.Fail(workflowtest.OpDecide, workflowtest.Fault{Err: errLost, Done: true, First: away})
				w.clicks(bob, card.Approve, id)
				w.pass(row.down)
				w.dir.Mend(workflowtest.OpAssigned)
				w.dir.Mend(workflowtest.OpDecide)
				w.dir.Hide(workflowtest.PartRequests, nil)
				w.pass(time.Minute)
				r := w.is(id, pim.Active)
				if r.Decided == nil || r.Decided.By.Person != bob || r.Decided.Chat != pim.Slack || w.dir.Decisions() != 1 {
					t.Errorf("decided %+v, %d decisions", r.Decided, w.dir.Decisions())
				}
				if strings.Contains(w.told(bob), "was not taken") {
					t.Errorf("Bob was told\n%s", w.told(bob))
				}
			})
		})
	}
}

func TestADecisionOfSomebodyElseAtTheSameMomentIsTheirs(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.asks(alice)
		pimID := w.request(id).Copy.ID
		w.dir.Fail(workflowtest.OpDecide, workflowtest.Fault{Err: errLost, First: func() {
			if err := w.dir.Review(carol, pimID, true, "in the portal"); err != nil {
				t.Error(err)
			}
		}})
		w.clicks(bob, card.Approve, id)
		w.pass(time.Minute)
		if r := w.is(id, pim.Active); r.Decided == nil || r.Decided.By.Person == bob || r.Decided.Chat != pim.Portal {
			t.Errorf("decided %+v", r.Decided)
		}
	})
}

func TestPIMAlwaysGetsAReason(t *testing.T) {
	for _, row := range []struct{ say, want string }{
		{"approve %", "Approved in Slack by Bob"}, {"approve % looks right", "looks right"}, {"deny % not tonight", "not tonight"},
	} {
		t.Run(row.say, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.signIn(alice, bob)
				id := w.asks(alice)
				w.says(bob, strings.ReplaceAll(row.say, "%", string(id)))
				w.pass(3 * time.Second)
				if got := w.dir.Reviewed(w.request(id).Copy.ID).Reason; got != row.want {
					t.Errorf("PIM got %q", got)
				}
			})
		})
	}
}

func TestAnOwnersSessionEndsWithItsStepAndTheyAreToldOnce(t *testing.T) {
	owner := func(w *world) {
		w.dir.Administer(mde, func(g *workflowtest.Group) { g.Approvers = append(g.Approvers, erin) })
	}
	inWorld(t, owner, func(w *world) {
		w.signIn(alice, erin)
		for range 2 {
			id := w.asks(alice)
			w.signIn(erin)
			w.clicks(erin, card.Deny, id)
			w.says(erin, "deny "+string(id)+" no")
			w.pass(3 * time.Second)
			w.is(id, pim.Denied)
			if w.hasSession(erin) {
				t.Error("the owner's session goes on")
			}
			if !w.hasSession(alice) {
				t.Error("the session of somebody else ended")
			}
		}
		if n := strings.Count(w.told(erin), "You own the group"); n == 0 {
			t.Error("the owner was not told")
		}
		if n := len(w.chat.In(direct(erin))); n != 1 {
			t.Errorf("the owner was told %d times", n)
		}
	})
}

func TestWithoutKeptSessionsEachEndsWithItsStep(t *testing.T) {
	inWorld(t, func(w *world) { w.cfg.KeepSessions = false }, func(w *world) {
		w.signIn(alice, bob)
		id := w.asks(alice)
		if w.hasSession(alice) {
			t.Error("the requester's session goes on")
		}
		w.dir.Fail(workflowtest.OpDecide, workflowtest.Fault{Err: errForbidden})
		w.clicks(bob, card.Approve, id)
		w.pass(3 * time.Second)
		if w.hasSession(bob) {
			t.Error("the session of a refused decision goes on")
		}
	})
}
