package workflow_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/workflow"
	"elevate/internal/workflow/workflowtest"
)

// seat is somebody in one of the chats.
type seat struct {
	*world
	p       pim.PrincipalID
	account pim.ChatAccount
	chat    *workflowtest.Messenger
}

// inEachChat runs a test with Alice signed in, once in Slack and once in Teams.
func inEachChat(t *testing.T, settings func(*world), test func(seat)) {
	t.Helper()
	for name, sit := range map[string]func(*world, pim.PrincipalID) seat{
		"slack": func(w *world, p pim.PrincipalID) seat { return seat{w, p, account(p), w.chat} },
		"teams": func(w *world, p pim.PrincipalID) seat { return seat{w, p, inTeams(p), w.teams} },
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, settings, func(w *world) {
				w.knows(alice)
				a := sit(w, alice)
				w.session(a.account, alice, w.now(), 8*time.Hour)
				test(a)
			})
		})
	}
}

func (a seat) sender() workflow.Sender {
	from := a.world.sender(a.p)
	from.Account, from.Place = a.account, pim.DirectTo(a.account)
	return from
}

func (a seat) types(text string) workflow.Reply {
	r := a.bot.Command(context.Background(), a.sender(), text)
	a.pass(3 * time.Second)
	return r
}

// card is the newest card of a request in the person's direct messages.
func (a seat) card(id pim.RequestID) workflowtest.Message {
	a.t.Helper()
	for _, m := range slices.Backward(a.chat.In(pim.DirectTo(a.account))) {
		if m.Card().Request == id && m.Card().Title != "" {
			return m
		}
	}
	a.t.Fatalf("no card of %s was sent to %s", id, a.account)
	return workflowtest.Message{}
}

// presses a button by its label.
func (a seat) presses(on card.Card, ref pim.MessageRef, label string) workflow.Reply {
	a.t.Helper()
	at := slices.IndexFunc(on.Buttons, func(b card.Button) bool { return b.Label == label })
	if at < 0 {
		a.t.Fatalf("there is no button %s on %s", label, a.read(workflow.Reply{Card: &on}))
	}
	b := on.Buttons[at]
	r := a.bot.Click(context.Background(), a.sender(), workflow.Click{Act: b.Act, Request: b.Request, Digest: b.Digest, Role: b.Role, Ref: ref})
	a.pass(3 * time.Second)
	return r
}

// last is the newest request that was made here.
func (a seat) last() pim.Request {
	a.t.Helper()
	all := slices.DeleteFunc(a.allRequests(), func(r pim.Request) bool { return r.Chat == pim.Portal })
	if len(all) == 0 {
		a.t.Fatal("there is no request")
	}
	return slices.MaxFunc(all, func(x, y pim.Request) int { return x.Created.Compare(y.Created) })
}

func labels(c card.Card) string {
	var all []string
	for _, b := range c.Buttons {
		all = append(all, b.Label)
	}
	return strings.Join(all, " | ")
}

func valueOf(f card.Form, name string) card.Field {
	for _, field := range f.Fields {
		if field.Name == name {
			return field
		}
	}
	return card.Field{}
}

// broken is PIM's refusal by its rules.
func broken(rules ...string) workflowtest.Fault {
	return workflowtest.Fault{Err: &pim.Error{Kind: pim.Invalid, Code: "RoleAssignmentRequestPolicyValidationFailed", Rules: rules, Message: "PIM refused: it says why."}}
}

func TestAMissingReasonOrTicketLeadsToTheFormFilledIn(t *testing.T) {
	for _, row := range []struct{ rule, typed, field, value string }{
		{"TicketingRule", "mde-admin for 2h isolating WS-042", card.FieldTicket, "2h"},
		{"JustificationRule", "mde-admin for 45m triage", card.FieldReason, "45m"},
		{"TicketingRule", "mde-admin until 18:00 isolating WS-042", card.FieldTicket, "until 2000-01-01T18:00:00Z"},
		{"TicketingRule", "mde-admin from 22:00 for 2h isolating WS-042", card.FieldTicket, "from 2000-01-01T22:00:00Z for 2h"},
	} {
		t.Run(row.typed, func(t *testing.T) {
			inEachChat(t, nil, func(a seat) {
				a.pass(10*time.Hour + 30*time.Minute) // the bubble's clock begins at midnight
				a.session(a.account, alice, a.now(), time.Hour)
				a.dir.Fail(workflowtest.OpSubmit, broken(row.rule))
				a.types(row.typed)
				r := a.last()
				a.is(r.ID, pim.Refused)
				shown := a.card(r.ID)
				a.expect(workflowtest.Text(shown.Card()), "it says why", "what you typed stands in the form")
				out := a.presses(shown.Card(), shown.Ref, "Fill in again")
				if out.Form == nil {
					t.Fatalf("no form: %s", a.read(out))
				}
				f := *out.Form
				if got := valueOf(f, card.FieldDuration).Value; got != row.value {
					t.Errorf("how long is %q, want %q", got, row.value)
				}
				if got := valueOf(f, card.FieldReason).Value; got != r.Asked.Reason || valueOf(f, card.FieldRole).Value != "mde-admin" {
					t.Errorf("the reason is %q", got)
				}
				if field := valueOf(f, row.field); field.Optional || !strings.Contains(field.Hint, "PIM wants") {
					t.Errorf("the field that PIM wants: %+v", field)
				}
				values := map[string]string{
					card.FieldRole: "mde-admin", card.FieldDuration: row.value, card.FieldReason: "isolating WS-042", card.FieldTicket: "INC-77",
				}
				a.bot.Filled(t.Context(), a.sender(), card.Filled{Name: card.FormAsk, Request: f.Request, Digest: f.Digest, Values: values})
				a.pass(3 * time.Second)
				again := a.last()
				if a.is(again.ID, pim.Pending); !again.Asked.Until.Equal(r.Asked.Until) || !again.Asked.From.Equal(r.Asked.From) || again.Asked.Ticket != "INC-77" {
					t.Errorf("asked again for %+v, first for %+v", again.Asked, r.Asked)
				}
			})
		})
	}
}

func TestTooLongForPIMIsItsMaximumInOneClick(t *testing.T) {
	short := func(w *world) {
		w.dir.Administer(mde, func(g *workflowtest.Group) { g.Max = 4 * time.Hour })
	}
	inEachChat(t, short, func(a seat) {
		a.types("mde-admin for 6h isolating WS-042, INC-7")
		first := a.last()
		if why := a.is(first.ID, pim.Refused).Refusal; why == nil || why.Most != 4*time.Hour {
			t.Fatalf("kept %+v", why)
		}
		shown := a.card(first.ID)
		if got := labels(shown.Card()); got != "Ask for 4 h | Fill in again" {
			t.Fatalf("buttons %s", got)
		}
		// Somebody else, and the same person in a workspace where nobody knows them.
		for _, other := range []pim.ChatAccount{inTeams(dave), account(dave), {Chat: pim.Slack, Workspace: "T-other", User: account(alice).User}} {
			from := a.sender()
			from.Account, from.Place = other, approvals
			said := a.read(a.bot.Click(t.Context(), from, workflow.Click{Act: card.AskMost, Request: first.ID, Ref: shown.Ref}))
			if strings.Contains(said, "4 h") || !strings.Contains(said, "no request") && !strings.Contains(said, "Only the person who asked") {
				t.Errorf("%s was told %s", other, said)
			}
		}
		if n := len(a.allRequests()); n != 1 {
			t.Fatalf("%d requests after others pressed it", n)
		}
		a.presses(shown.Card(), shown.Ref, "Ask for 4 h")
		second := a.last()
		if a.is(second.ID, pim.Pending); second.Asked.Duration != 4*time.Hour || second.Asked.Reason != first.Asked.Reason || second.Asked.Ticket != "INC-7" {
			t.Errorf("asked again for %+v", second.Asked)
		}
		said := a.presses(shown.Card(), shown.Ref, "Ask for 4 h") // once more, and late
		a.expect(a.read(said), string(second.ID), "[Cancel "+string(second.ID)+"]")
		if n := len(a.allRequests()); n != 2 {
			t.Errorf("%d requests after pressing twice", n)
		}
	})
}

func TestTooLongByAnEndIsAskedForByItsLength(t *testing.T) {
	inEachChat(t, func(w *world) {
		w.dir.Administer(mde, func(g *workflowtest.Group) { g.Max = time.Hour })
	}, func(a seat) {
		a.types("mde-admin until 05:00 isolating WS-042")
		shown := a.card(a.last().ID)
		a.presses(shown.Card(), shown.Ref, "Ask for 1 h")
		if r := a.last(); r.State != pim.Pending || !r.Asked.Until.IsZero() || r.Copy.Duration != time.Hour {
			t.Errorf("asked for %+v, %s", r.Asked, r.State)
		}
	})
}

func TestAMaximumThatCannotBeReadLeadsToTheForm(t *testing.T) {
	inEachChat(t, func(w *world) { w.dir.Hide(workflowtest.PartPolicies, errDown) }, func(a seat) {
		a.dir.Fail(workflowtest.OpSubmit, broken("ExpirationRule"))
		a.types("mde-admin for 6h isolating WS-042")
		shown := a.card(a.last().ID)
		if got := labels(shown.Card()); got != "Fill in again" {
			t.Fatalf("buttons %s", got)
		}
		a.expect(workflowtest.Text(shown.Card()), "could not be read")
		f := a.presses(shown.Card(), shown.Ref, "Fill in again").Form
		if f == nil || valueOf(*f, card.FieldDuration).Hint == "" || valueOf(*f, card.FieldDuration).Value != "6h" {
			t.Errorf("the form is %+v", f)
		}
	})
}

func TestALengthThatPIMAllowsAndRefusesIsNotOffered(t *testing.T) {
	inEachChat(t, nil, func(a seat) {
		a.dir.Fail(workflowtest.OpSubmit, broken("ExpirationRule")) // by its rules eight hours are allowed
		a.types("mde-admin for 6h isolating WS-042")
		if got := labels(a.card(a.last().ID).Card()); got != "Fill in again" {
			t.Errorf("buttons %s", got)
		}
	})
}

func TestWhatCannotBeAskedForHoldsWhatWasTyped(t *testing.T) {
	inEachChat(t, nil, func(a seat) {
		long := a.types("mde-admin for 10h isolating WS-042, INC-7")
		a.expect(a.read(long), "lasts at most 8 hours", "Nothing was asked for", "[Ask for 8 h][Fill in the form]")
		if n := len(a.allRequests()); n != 0 {
			t.Fatalf("%d requests", n)
		}
		form := a.presses(*long.Card, pim.MessageRef{}, "Fill in the form").Form
		if form == nil || valueOf(*form, card.FieldReason).Value != "isolating WS-042, INC-7" || valueOf(*form, card.FieldTicket).Value != "INC-7" {
			t.Fatalf("the form is %+v", form)
		}
		// Another person's press, and one of a button that nobody remembers.
		b := long.Card.Buttons[0]
		stranger := a.sender()
		stranger.Account = inTeams(dave)
		for from, digest := range map[*workflow.Sender]string{&stranger: b.Digest, new(a.sender()): "unknown"} {
			a.expect(a.read(a.bot.Click(t.Context(), *from, workflow.Click{Act: card.AskMost, Role: "mde-admin", Digest: digest})), "does not remember")
		}
		a.presses(*long.Card, pim.MessageRef{}, "Ask for 8 h")
		r := a.last()
		if a.is(r.ID, pim.Pending); r.Asked.Duration != 8*time.Hour || r.Asked.Reason != "isolating WS-042, INC-7" {
			t.Errorf("asked for %+v", r.Asked)
		}
		a.expect(a.read(a.presses(*long.Card, pim.MessageRef{}, "Ask for 8 h")), string(r.ID), "[Cancel")
		if n := len(a.allRequests()); n != 1 {
			t.Errorf("%d requests after pressing twice", n)
		}
		bare := a.types("mde-analyst for 2h")
		a.expect(a.read(bare), "needs a reason", "[Fill in the form]")
		form = a.presses(*bare.Card, pim.MessageRef{}, "Fill in the form").Form
		if form == nil || valueOf(*form, card.FieldDuration).Value != "2h" || valueOf(*form, card.FieldRole).Value != "mde-analyst" {
			t.Errorf("the form is %+v", form)
		}
	})
}

func TestWhoIsNotEligibleIsToldForWhatTheyAre(t *testing.T) {
	named := func(w *world) { w.cfg.Roles[3].Eligible = []string{"PIM MDE Hunters", string(hunt)} }
	for _, p := range []pim.PrincipalID{dave, carol} { // of whom Dave has other roles
		t.Run(names[p], func(t *testing.T) {
			inEachChat(t, named, func(a seat) {
				a.p = p
				if a.account.Chat == pim.Slack {
					a.account = account(p)
					a.knows(p)
				} else {
					a.account = inTeams(p)
				}
				a.session(a.account, p, a.now(), time.Hour)
				a.types("mde-hunt looking around")
				shown := a.card(a.last().ID).Card()
				text := workflowtest.Text(shown)
				a.expect(text, "not eligible", "Members of PIM MDE Hunters are eligible", "Ask whoever manages that group")
				if strings.Contains(text, string(hunt)) {
					t.Error("an object id tells nobody anything")
				}
				if p == carol {
					a.expect(text, "no role here that you are eligible for")
					if len(shown.Buttons) > 0 {
						t.Errorf("buttons %s", labels(shown))
					}
					return
				}
				a.expect(text, "/elevate mde-admin", "/elevate mde-analyst", "/elevate mde-live")
				if strings.Contains(text, "/elevate mde-hunt") || labels(shown) != "Ask for MDE Administrator | Ask for MDE Analyst | Ask for MDE Live Response" {
					t.Errorf("%s\nbuttons %s", text, labels(shown))
				}
			})
		})
	}
}

// inPortal has Alice ask for the role in PIM itself.
func (a seat) inPortal(g pim.GroupID) {
	a.t.Helper()
	if _, err := a.dir.Ask(alice, pim.Activation{Action: pim.SelfActivate, Group: g, Principal: alice, Duration: 2 * time.Hour, Justification: "in the portal"}); err != nil {
		a.t.Fatal(err)
	}
}

func TestAnAccessFromElsewhereIsMetUntilWhenAndRelease(t *testing.T) {
	inEachChat(t, nil, func(a seat) {
		a.inPortal(analyst)
		end := a.now().Add(2 * time.Hour)
		a.types("mde-analyst triage")
		refused := a.last()
		why := a.is(refused.ID, pim.Refused).Refusal
		if why == nil || why.Other == "" || why.Until.Sub(end).Abs() > time.Minute {
			t.Fatalf("kept %+v", why)
		}
		met := a.request(why.Other)
		if met.Chat != pim.Portal || met.Principal != alice {
			t.Fatalf("it points at %+v", met)
		}
		a.pass(6 * time.Minute)
		a.is(met.ID, pim.Active)
		again := a.types("mde-analyst triage")
		a.expect(a.read(again), "You already have MDE Analyst", string(met.ID), "[Release]")
		a.expect(a.read(a.presses(*again.Card, pim.MessageRef{}, "Release")), "release")
		a.pass(2 * time.Minute)
		a.is(met.ID, pim.Ended)
		a.expect(a.read(a.presses(*again.Card, pim.MessageRef{}, "Release")), "nothing to release")
	})
}

func TestARequestFromElsewhereIsMetWithCancel(t *testing.T) {
	inEachChat(t, nil, func(a seat) {
		a.inPortal(mde)
		a.types("mde-admin isolating WS-042")
		refused := a.last()
		why := a.is(refused.ID, pim.Refused).Refusal
		if why == nil || why.Other == "" {
			t.Fatalf("kept %+v", why)
		}
		shown := a.card(refused.ID)
		a.expect(workflowtest.Text(shown.Card()), string(why.Other), "waiting for approval", "card of its own")
		a.presses(shown.Card(), shown.Ref, "Cancel "+string(why.Other))
		a.is(why.Other, pim.Canceled)
	})
}

func TestARequestThatPIMsListDoesNotShowYetIsSaid(t *testing.T) {
	inEachChat(t, nil, func(a seat) {
		a.dir.Timing(0, 0, time.Minute)
		a.inPortal(mde)
		a.types("mde-admin isolating WS-042")
		refused := a.last()
		shown := a.card(refused.ID)
		a.expect(workflowtest.Text(shown.Card()), "does not show yet which one", "/elevate status")
		if len(shown.Card().Buttons) > 0 {
			t.Errorf("buttons %s", labels(shown.Card()))
		}
	})
}

func TestOnesOwnRequestStandsInTheWayWithItsButtons(t *testing.T) {
	inEachChat(t, nil, func(a seat) {
		a.types("mde-admin isolating WS-042")
		id := a.last().ID
		second := a.types("mde-admin something else")
		a.expect(a.read(second), "already have an open request", "[Cancel "+string(id)+"]")
		if second.Card.Request != "" {
			t.Error("the answer is drawn anew as the request's card, and what it says is gone")
		}
		a.presses(*second.Card, pim.MessageRef{}, "Cancel "+string(id))
		a.is(id, pim.Canceled)
	})
}

func TestWhatOnlyAnAdministratorMendsIsToldToOnCallOnce(t *testing.T) {
	inEachChat(t, nil, func(a seat) {
		license := workflowtest.Fault{Err: &pim.Error{Kind: pim.Administered, Code: "AadPremiumLicenseRequired", Message: "PIM refused: the tenant has no license for it. Tell an administrator."}}
		a.dir.Fail(workflowtest.OpSubmit, license, license, license)
		for _, role := range []string{"mde-admin", "mde-analyst"} {
			a.types(role + " isolating WS-042")
			shown := a.card(a.last().ID).Card()
			a.expect(workflowtest.Text(shown), "Tell an administrator")
			if labels(shown) != "Ask again" {
				t.Errorf("buttons %s", labels(shown))
			}
		}
		count := func() (n int) {
			for _, m := range a.world.chat.In(oncall) {
				if text := workflowtest.Text(m.Card()); strings.Contains(text, "until an administrator mends it") && strings.Contains(text, "An administrator is needed") {
					n++
				}
			}
			return n
		}
		if n := count(); n != 1 {
			t.Errorf("on-call was told %d times", n)
		}
		a.pass(25 * time.Hour)
		a.session(a.account, alice, a.now(), time.Hour)
		a.types("mde-admin isolating WS-042")
		if n := count(); n != 2 {
			t.Errorf("on-call was told %d times after a day", n)
		}
	})
}

func TestAButtonToAskAgainNamesWhatWasAskedForAndNoMore(t *testing.T) {
	inEachChat(t, func(w *world) {
		w.dir.Administer(live, func(g *workflowtest.Group) { g.Max = time.Hour })
	}, func(a seat) {
		a.types("mde-admin isolating WS-042")
		pending := a.last().ID
		a.types("mde-live for 2h triage")
		long := a.last()
		a.is(long.ID, pim.Refused)
		for _, row := range []struct {
			name, says string
			click      workflow.Click
		}{
			{"a request that waits", "nothing to ask for again", workflow.Click{Request: pending}},
			{"one that there is not", "no request", workflow.Click{Request: "zzzzzz"}},
			{"a length of one's own", "", workflow.Click{Request: long.ID, Digest: "24h", Reason: "another", Role: "mde-admin"}},
		} {
			row.click.Act = card.AskMost
			said := a.read(a.bot.Click(t.Context(), a.sender(), row.click))
			a.pass(3 * time.Second)
			a.expect(said, row.says)
		}
		if r := a.last(); r.Role != "mde-live" || r.Asked.Duration != time.Hour || r.Asked.Reason != "triage" {
			t.Errorf("asked for %s, %+v", r.Role, r.Asked)
		}
		if n := len(a.allRequests()); n != 3 {
			t.Errorf("%d requests", n)
		}

		// A form is filled in for nobody but who asked.
		other := a.sender()
		other.Account = account(dave)
		a.knows(dave)
		form := a.bot.Click(t.Context(), other, workflow.Click{Act: card.OpenForm, Role: long.Role, Request: long.ID}).Form
		if form == nil || valueOf(*form, card.FieldReason).Value != "" || len(form.Lines) > 0 {
			t.Errorf("somebody else's form is %+v", form)
		}
	})
}

func TestWhatWasTypedIsForgottenByARestart(t *testing.T) {
	inEachChat(t, nil, func(a seat) {
		long := a.types("mde-admin for 10h isolating WS-042")
		a.restart()
		a.expect(a.read(a.presses(*long.Card, pim.MessageRef{}, "Ask for 8 h")), "does not remember", "nothing was asked for")
		if form := a.presses(*long.Card, pim.MessageRef{}, "Fill in the form").Form; form == nil || valueOf(*form, card.FieldRole).Value != "mde-admin" {
			t.Errorf("the form is %+v", form)
		}
		if n := len(a.allRequests()); n != 0 {
			t.Errorf("%d requests", n)
		}
	})
}

func TestARequestMadeElsewhereWhileASignInWasMissingIsMet(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.knows(alice)
		a := seat{w, alice, account(alice), w.chat}
		a.types("mde-admin isolating WS-042")
		waits := a.last()
		a.is(waits.ID, pim.WaitingForSignIn)
		a.inPortal(mde)
		a.pass(2 * time.Minute) // the sweep finds it
		if _, err := w.resumes(alice); err != nil {
			t.Fatal(err)
		}
		a.pass(3 * time.Second)
		why := a.is(waits.ID, pim.Canceled).Refusal
		if why == nil || a.request(why.Other).Chat != pim.Portal {
			t.Fatalf("kept %+v", why)
		}
		shown := a.card(waits.ID)
		a.presses(shown.Card(), shown.Ref, "Cancel "+string(why.Other))
		a.is(why.Other, pim.Canceled)
	})
}

func TestWhatWasTypedSurvivesTheSignInThatTheFormNeeds(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		a := seat{w, alice, account(alice), w.chat}
		bare := a.types("mde-admin for 2h")
		a.expect(a.read(a.presses(*bare.Card, pim.MessageRef{}, "Fill in the form")), "Sign in")
		if _, err := w.resumes(alice); err != nil {
			t.Fatal(err)
		}
		a.pass(3 * time.Second)
		ready := a.chat.In(direct(alice))
		form := a.presses(ready[len(ready)-1].Card(), pim.MessageRef{}, "Open the form").Form
		if form == nil || valueOf(*form, card.FieldDuration).Value != "2h" || len(form.Lines) == 0 {
			t.Errorf("the form is %+v", form)
		}
	})
}

func TestAnAccountThatIsNotLinkedAnyMoreIsShownNothingOfWhatStandsInItsWay(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		id := w.asks(alice)
		w.says(alice, "unlink")
		said := w.says(alice, "mde-admin something else")
		w.expect(said, "was asked for from this chat account before")
		if strings.Contains(said, "[") || strings.Contains(said, string(id)) {
			t.Errorf("it was told %s", said)
		}
	})
}

func TestTheVeryRequestIsNotItsOwnObstacle(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		exists := &pim.Error{Kind: pim.Conflict, Code: "PendingRoleAssignmentRequest", Message: "PIM refused: a request is already open."}
		w.dir.Fail(workflowtest.OpSubmit, workflowtest.Fault{Err: exists, Done: true})
		w.says(alice, "mde-admin isolating WS-042")
		w.pass(3 * time.Second)
		if r := w.is(w.newest(alice).ID, pim.Pending); len(w.allRequests()) != 1 || r.Copy.ID == "" || r.Refusal != nil {
			t.Errorf("%d requests, %+v", len(w.allRequests()), r.Refusal)
		}
	})
}
