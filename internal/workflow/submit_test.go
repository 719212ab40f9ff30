package workflow_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
	"elevate/internal/workflow"
	"elevate/internal/workflow/workflowtest"
)

func exists(code string) *pim.Error {
	return &pim.Error{Kind: pim.Conflict, Code: code, Message: "PIM refused: it exists already."}
}

func TestASubmissionWhoseAnswerGotLostIsLookedForBeforeAnythingElse(t *testing.T) {
	for _, row := range []struct {
		name   string
		faults []workflowtest.Fault
		lag    time.Duration
		calls  int
		state  pim.State
	}{
		{name: "what PIM took is found", faults: []workflowtest.Fault{{Err: errLost, Done: true}}, calls: 1, state: pim.Pending},
		{name: "also where lists lag behind", faults: []workflowtest.Fault{{Err: errLost, Done: true}}, lag: time.Minute, calls: 1, state: pim.Pending},
		{name: "what PIM did not take is sent again after ninety seconds", faults: []workflowtest.Fault{{Err: errLost}}, calls: 2, state: pim.Pending},
		{
			name: "exists as the second answer means look again", lag: 2 * time.Minute, calls: 2, state: pim.Pending,
			faults: []workflowtest.Fault{{Err: errLost, Done: true}},
		},
		{
			name: "a pending one as the second answer means look again", calls: 2, state: pim.Pending, lag: 2 * time.Minute,
			faults: []workflowtest.Fault{{Err: errLost, Done: true}, {Err: exists("PendingRoleAssignmentRequest")}},
		},
		{
			name: "exists as the third answer is somebody else's", calls: 3, state: pim.Refused,
			faults: []workflowtest.Fault{{Err: errLost}, {Err: exists("RoleAssignmentExists")}, {Err: exists("RoleAssignmentExists")}},
		},
		{name: "exists as the first answer is a refusal", faults: []workflowtest.Fault{{Err: exists("RoleAssignmentExists")}}, calls: 1, state: pim.Refused},
		{
			name: "a definite refusal before it does not count as a try", calls: 2, state: pim.Refused,
			faults: []workflowtest.Fault{{Err: throttled(2 * time.Second)}, {Err: exists("RoleAssignmentExists")}},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.signIn(alice)
				w.dir.Timing(0, 0, row.lag)
				w.dir.Fail(workflowtest.OpSubmit, row.faults...)
				w.says(alice, "mde-admin isolating WS-042")
				id := w.newest(alice).ID
				w.pass(80 * time.Second)
				if row.calls > 1 && errors.Is(row.faults[0].Err, errLost) && w.dir.Calls(workflowtest.OpSubmit) != 1 {
					t.Errorf("sent %d times within eighty seconds", w.dir.Calls(workflowtest.OpSubmit))
				}
				w.pass(5 * time.Minute)
				w.is(id, row.state)
				if n := w.dir.Calls(workflowtest.OpSubmit); n != row.calls {
					t.Errorf("sent %d times, not %d", n, row.calls)
				}
				if n := len(w.dir.Copies()); row.state == pim.Pending && n != 1 {
					t.Errorf("PIM holds %d requests", n)
				}
				if n := len(w.allRequests()); n != 1 {
					t.Errorf("there are %d requests", n)
				}
			})
		})
	}
}

func TestAPortalRequestThatOnlyLooksLikeOursIsNotOurs(t *testing.T) {
	for _, row := range []struct {
		name string
		edit func(*pim.Activation)
	}{
		{"eight hours behind a card of one", func(a *pim.Activation) { a.Duration = 8 * time.Hour }},
		{"another reason", func(a *pim.Activation) { a.Justification = "x " + a.Justification }},
		{"a ticket", func(a *pim.Activation) { a.Ticket = "INC-1" }},
		{"an end instead of a length", func(a *pim.Activation) { a.Until, a.Duration = time.Now().Add(time.Hour), 0 }},
	} {
		t.Run(row.name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.signIn(alice, bob)
				// PIM's answer is lost, and at the same moment the portal takes a
				// request with our mark.
				w.dir.Fail(workflowtest.OpSubmit, workflowtest.Fault{Err: errLost, First: func() {
					ours := w.newest(alice)
					a := pim.Activation{
						Action: pim.SelfActivate, Group: mde, Principal: alice, Duration: time.Hour, Justification: pim.Mark("isolating WS-042", ours.ID),
					}
					row.edit(&a)
					if _, err := w.dir.Ask(alice, a); err != nil {
						t.Error(err)
					}
				}})
				w.says(alice, "mde-admin isolating WS-042")
				ours := w.newest(alice).ID
				w.pass(6 * time.Minute)
				w.is(ours, pim.Refused)
				copies, all := w.dir.Copies(), w.allRequests()
				if len(copies) != 1 || len(all) != 2 {
					t.Fatalf("PIM holds %d requests, Elevate %d", len(copies), len(all))
				}
				for _, r := range all {
					if r.ID == ours {
						continue
					}
					if r.Chat != pim.Portal || r.Copy.ID != copies[0].ID || r.Copy.Duration != copies[0].Duration {
						t.Errorf("it got %+v", r)
					}
					w.expect(workflowtest.Text(w.cardOf(r.ID, approvals).Card()), "Asked in the PIM portal")
				}
			})
		})
	}
}

func TestWhatPIMRefusesIsSaidInItsWords(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(carol)
		w.says(carol, "mde-admin isolating WS-042")
		w.pass(3 * time.Second)
		w.is(w.newest(carol).ID, pim.Refused)
		w.expect(w.told(carol), "you are not eligible")
	})
}

func TestASubmissionExpiresTenMinutesAfterTheClick(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		w.dir.Break(workflowtest.OpSubmit, workflowtest.Fault{Err: errDown})
		w.says(alice, "mde-admin isolating WS-042")
		id := w.newest(alice).ID
		w.pass(9 * time.Minute)
		w.is(id, pim.Submitting)
		w.pass(2 * time.Minute)
		w.is(id, pim.Failed)
		w.expect(w.told(alice), "nothing was asked for")
		w.dir.Mend(workflowtest.OpSubmit)
		w.pass(10 * time.Minute)
		if n := len(w.dir.Copies()); n != 0 {
			t.Errorf("PIM holds %d requests", n)
		}
	})
}

func TestASessionThatProvesUnusableAsksForASignInAndGoesOn(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		w.dir.Fail(workflowtest.OpSubmit, workflowtest.Fault{Err: &pim.Error{Kind: pim.SignIn, Message: "PIM wants a stronger sign-in.", Claims: `{"a":{"b":{"c":1}}}`}})
		w.says(alice, "mde-admin isolating WS-042")
		id := w.newest(alice).ID
		w.pass(3 * time.Second)
		w.is(id, pim.WaitingForSignIn)
		w.expect(w.told(alice), "PIM wants a stronger sign-in.", "ask for MDE Administrator, 1 h")
		if got := w.newestLink(alice).Claims; got != `{"a":{"b":{"c":1}}}` {
			t.Errorf("the link asks for %q", got)
		}
		if _, err := w.resumes(alice); err != nil {
			t.Fatal(err)
		}
		w.pass(3 * time.Second)
		w.is(id, pim.Pending)
	})
}

func TestOfAPersonsAccountsTheEligibleOneActs(t *testing.T) {
	elevated := func(w *world) {
		w.dir.Administer(mde, func(g *workflowtest.Group) { g.Eligible = []pim.PrincipalID{admin} })
	}
	inWorld(t, elevated, func(w *world) {
		w.update(func(tx *store.Tx) error {
			return tx.PutLink(store.Link{Account: account(alice), Tenant: tenant, Person: alice, Also: []pim.PrincipalID{admin}, Name: "Alice"})
		})
		w.session(account(alice), alice, w.now(), time.Hour)
		w.says(alice, "mde-admin isolating WS-042")
		id := w.newest(alice).ID
		w.pass(3 * time.Second)
		w.is(id, pim.WaitingForSignIn)
		w.expect(w.told(alice), "your other account, Alice (admin), is eligible")
		w.session(account(alice), admin, w.now(), time.Hour)
		if _, err := w.bot.Resume(t.Context(), account(alice), w.newestLink(alice).Intent); err != nil {
			t.Fatal(err)
		}
		w.pass(3 * time.Second)
		if r := w.is(id, pim.Pending); r.Principal != admin || r.Copy.Principal != admin {
			t.Errorf("%s becomes a member, PIM says %s", r.Principal, r.Copy.Principal)
		}
		w.expect(w.says(alice, "approve "+string(id)), "your own request")
	})
}

func TestWhatIsSentDoesNotChangeWithTheSettings(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		w.dir.Timing(0, 0, 30*time.Second)
		w.dir.Fail(workflowtest.OpSubmit, workflowtest.Fault{Err: errLost, Done: true})
		w.says(alice, "mde-admin isolating WS-042")
		id := w.newest(alice).ID
		w.pass(5 * time.Second)
		w.is(id, pim.Submitting)
		w.cfg.Roles = roles()
		w.cfg.Roles[0].Default = 2 * time.Hour
		w.restart()
		w.pass(time.Minute)
		w.is(id, pim.Pending)
		if n := len(w.dir.Copies()); n != 1 {
			t.Errorf("PIM holds %d requests", n)
		}
	})
}

func TestARoleThatLeftTheSettingsIsFollowedToItsEnd(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.asks(alice)
		w.cfg.Roles = roles()[1:]
		w.restart()
		w.pass(time.Minute)
		w.expect(w.says(bob, "approve "+string(id)), "not in Elevate's settings")
		pimID := w.request(id).Copy.ID
		w.dir.Change(pimID, func(c *pim.Copy) { c.Ticket = "INC-7" })
		w.pass(20 * time.Second)
		shown := w.cardOf(id, approvals).Card()
		w.expect(workflowtest.Text(shown), "not in Elevate's settings")
		for _, b := range shown.Buttons {
			if b.Act == card.Approve || b.Act == card.Deny {
				t.Errorf("the card offers %s", b.Label)
			}
		}
		if err := w.dir.Review(bob, pimID, true, "in the portal"); err != nil {
			t.Fatal(err)
		}
		w.pass(20 * time.Second)
		w.is(id, pim.Active)
		w.pass(time.Hour + time.Minute)
		w.is(id, pim.Ended)
	})
}

func TestALostSubmissionForARoleThatLeftTheSettingsIsStillFound(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		w.dir.Timing(0, 0, 20*time.Second)
		w.dir.Fail(workflowtest.OpSubmit, workflowtest.Fault{Err: errLost, Done: true})
		w.says(alice, "mde-admin isolating WS-042")
		id := w.newest(alice).ID
		w.pass(3 * time.Second)
		w.cfg.Roles = roles()[1:]
		w.restart()
		w.pass(time.Minute)
		w.is(id, pim.Pending)
	})
}

func TestNoLinkIsEverStored(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.says(alice, "mde-admin isolating WS-042")
		w.pass(time.Second)
		file, err := os.ReadFile(w.path)
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{"log": w.log.String(), "sink": w.sink.String(), "state file": string(file)} {
			if strings.Contains(text, "/auth/start") {
				t.Errorf("a sign-in link stands in the %s", name)
			}
		}
	})
}

func TestWhilePIMIsStillAnsweringNoCardSaysThatTheAnswerGotLost(t *testing.T) {
	everybodySignedIn(t, func(w *world) {
		w.dir.Fail(workflowtest.OpSubmit, workflowtest.Fault{Slow: 20 * time.Second})
		w.says(alice, "mde-admin isolating WS-042")
		id := w.newest(alice).ID
		w.pass(10 * time.Second)
		meanwhile := w.says(alice, "history "+string(id))
		w.expect(meanwhile, "sent to PIM, whose answer has not come yet")
		if strings.Contains(meanwhile, "lost") {
			t.Errorf("the answer is under way, and the card says\n%s", meanwhile)
		}
		w.pass(20 * time.Second)
		w.is(id, pim.Pending)
	})
}

func TestACardSaysWhyPIMDoesNotTakeTheRequestYet(t *testing.T) {
	everybodySignedIn(t, func(w *world) {
		busy := &pim.Error{Kind: pim.Throttled, Message: "Microsoft Graph is asked too much at the moment.", RetryAfter: 5 * time.Minute}
		w.dir.Fail(workflowtest.OpSubmit, workflowtest.Fault{Slow: 5 * time.Second, Err: busy})
		w.says(alice, "mde-admin isolating WS-042")
		id := w.newest(alice).ID
		ref, err := w.chat.Post(t.Context(), direct(alice), card.Card{Request: id, Title: "the answer to the command"})
		if err != nil {
			t.Fatal(err)
		}
		from := w.sender(alice)
		from.Place = direct(alice)
		w.bot.Click(t.Context(), from, workflow.Click{Act: card.Refresh, Request: id, Ref: ref})
		w.pass(3 * time.Second)
		shown := func() string { return workflowtest.Text(w.cardOf(id, direct(alice)).Card()) }
		w.expect(shown(), "whose answer has not come yet")
		w.pass(time.Minute)
		w.expect(shown(), "Not asked of PIM yet", "asked too much")
		w.pass(6 * time.Minute)
		if r := w.is(id, pim.Pending); r.Why != "" {
			t.Errorf("PIM has taken it, and it says %q", r.Why)
		}
	})
}

func TestWhatIsGivenUpPromisesNoOtherTry(t *testing.T) {
	everybodySignedIn(t, func(w *world) {
		busy := &pim.Error{Kind: pim.Throttled, Code: "TooManyRequests", Message: "Graph is asked too much. It is tried again after a while.", RetryAfter: 10 * time.Minute}
		w.dir.Break(workflowtest.OpSubmit, workflowtest.Fault{Err: busy})
		w.says(alice, "mde-admin isolating WS-042")
		id := w.newest(alice).ID
		w.pass(12 * time.Minute)
		if r := w.is(id, pim.Failed); strings.Contains(r.Why, "tried again") || !strings.Contains(r.Why, "Ask again") {
			t.Errorf("it says %q", r.Why)
		}
	})
}
