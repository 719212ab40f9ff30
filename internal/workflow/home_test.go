package workflow_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/workflow"
	"elevate/internal/workflow/workflowtest"
)

// opensHome has somebody open their page, and returns what it shows at once.
func (w *world) opensHome(p pim.PrincipalID) string {
	w.t.Helper()
	before := len(w.chat.Homes(account(p)))
	if err := w.bot.OpenHome(context.Background(), w.sender(p)); err != nil {
		w.t.Fatal(err)
	}
	shown := w.chat.Homes(account(p))
	if len(shown) <= before {
		w.t.Fatalf("%s has no page", names[p])
	}
	return workflowtest.Text(shown[before]) // the next may stand there already
}

// home is what somebody's page shows.
func (w *world) home(p pim.PrincipalID) string {
	w.t.Helper()
	shown := w.chat.Homes(account(p))
	if len(shown) == 0 {
		w.t.Fatalf("%s has no page", names[p])
	}
	return workflowtest.Text(shown[len(shown)-1])
}

// pressesInHome presses a button of somebody's page, as it stands there.
func (w *world) pressesInHome(p pim.PrincipalID, act card.Act) workflow.Reply {
	w.t.Helper()
	shown := w.chat.Homes(account(p))
	page := shown[len(shown)-1]
	buttons := page.Buttons
	for _, s := range page.Sections {
		for _, row := range s.Rows {
			buttons = append(buttons, row.Buttons...)
		}
	}
	for _, b := range buttons {
		if b.Act == act {
			from := w.sender(p)
			from.Place = direct(p)
			r := w.bot.Click(context.Background(), from, workflow.Click{Act: act, Request: b.Request, Digest: b.Digest, Role: b.Role})
			w.settle()
			return r
		}
	}
	w.t.Fatalf("there is no button %s on\n%s", act, workflowtest.Text(page))
	return workflow.Reply{}
}

func (w *world) lacks(said string, words ...string) {
	w.t.Helper()
	for _, word := range words {
		if strings.Contains(said, word) {
			w.t.Errorf("%q is in\n%s", word, said)
		}
	}
}

func TestHomeShowsAtOnceWhatIsKnownAndThenTheRest(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		first := w.opensHome(alice)
		w.expect(first, "Your access and requests", "asked for none", "Elevate is reading in PIM")
		w.lacks(first, "[Activate…]", "Waiting for you")
		w.pass(10 * time.Second)
		w.expect(w.home(alice), "MDE Administrator", "MDE Hunting", "[Activate…]", "Elevated now", "Nobody")
		if r := w.pressesInHome(alice, card.OpenForm); r.Form == nil || r.Form.Fields[0].Value != "mde-admin" {
			t.Errorf("Activate opened %+v", r.Form)
		}
	})
}

func TestHomeFollowsARequestForEverybodyWhomItConcerns(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob, dave)
		w.knows(erin)
		for _, p := range []pim.PrincipalID{alice, bob, dave, erin} {
			w.opensHome(p)
		}
		w.pass(10 * time.Second)
		w.expect(w.home(bob), "Nothing waits for your decision.")
		id := w.asks(alice)
		w.pass(10 * time.Second)
		w.expect(w.home(alice), string(id), "waiting for approval", "[Cancel]")
		w.expect(w.home(bob), string(id), "isolating WS-042", "[Approve]", "[Approve with reason…]", "[Deny…]")
		w.lacks(w.home(dave), string(id))

		w.pressesInHome(bob, card.Approve)
		w.pass(20 * time.Second)
		w.is(id, pim.Active)
		w.expect(w.home(alice), "active", "[Release]")
		w.expect(w.home(bob), "Nothing waits for your decision.", "Alice")
		w.expect(w.home(dave), "Elevated now", "Alice") // Dave may activate it, too
		w.lacks(w.home(erin), "Alice", "Elevated now")  // and Erin may look at no role

		w.pass(6 * time.Minute)
		w.expect(w.read(w.pressesInHome(alice, card.Release)), "on its way to PIM")
		w.pass(2 * time.Minute)
		w.is(id, pim.Ended)
		w.expect(w.home(alice), "asked for none")
		w.lacks(w.home(dave), "Alice")
	})
}

func TestAClickInHomeIsJudgedLikeAnyOther(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob, carol, dave)
		w.opensHome(bob)
		id := w.asks(alice)
		w.pass(10 * time.Second)
		own := workflow.Click{Act: card.Approve, Request: id, Digest: w.digest(id)}
		w.expect(w.read(w.bot.Click(context.Background(), w.sender(alice), own)), "your own request")
		w.expect(w.read(w.bot.Click(context.Background(), w.sender(bob), workflow.Click{Act: card.Approve, Request: id, Digest: "other"})), "has changed since")
		stale := workflow.Click{Act: card.Approve, Request: id, Digest: w.digest(id)} // as Bob's page has it
		w.expect(w.home(bob), "[Approve]")
		w.clicks(carol, card.Deny, id)
		w.bot.Filled(context.Background(), w.sender(carol), card.Filled{
			Name: card.FormDeny, Request: id, Digest: w.digest(id), Values: map[string]string{card.FieldReason: "not in this shift"},
		})
		w.expect(w.read(w.bot.Click(context.Background(), w.sender(bob), stale)), "Carol") // it is older than her decision
		w.pass(10 * time.Second)
		w.is(id, pim.Denied)
		w.lacks(w.home(bob), "[Approve]")
	})
}

func TestHomeOfSomebodyWhoIsNotKnownOffersASignInAlone(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(dave)
		w.says(alice, "mde-admin isolating WS-042") // waits for her sign-in
		w.opensHome(alice)
		shown := w.chat.Homes(account(alice))
		if page := shown[len(shown)-1]; len(page.Sections) != 0 || len(page.Buttons) != 1 || page.Buttons[0].URL != "" {
			t.Errorf("the page is %+v", page)
		}
		before := w.newestLink(alice)
		r := w.pressesInHome(alice, card.BeginSignIn)
		w.expect(w.read(r), "[Sign in]", "works once")
		if link := w.newestLink(alice); link == before || r.Card.Buttons[0].URL == "" {
			t.Errorf("the click made no link of its own: %+v", link)
		}
		if _, err := w.resumes(alice); err != nil {
			t.Fatal(err)
		}
		w.pass(20 * time.Second)
		w.expect(w.home(alice), "Your roles", "MDE Hunting")

		w.says(alice, "unlink")
		w.pass(10 * time.Second)
		w.expect(w.home(alice), "Sign in with Microsoft")
		w.lacks(w.home(alice), "MDE")
	})
}

// A page that a chat refuses is forgotten until it is opened again; one that
// could not be shown is tried again. Cards wait for neither.
func TestHomeThatCannotBeShownHoldsNothingBack(t *testing.T) {
	for name, row := range map[string]struct {
		err   error
		again bool
	}{
		"Home is switched off": {pim.Errorf(pim.Forbidden, "Slack does not let Elevate write there (not_enabled)."), false},
		"not understood":       {pim.Errorf(pim.Internal, "Slack did not understand Elevate."), false},
		"away":                 {pim.Errorf(pim.Unavailable, "Slack cannot be reached at the moment."), true},
		"answer lost":          {pim.Errorf(pim.AnswerLost, "No answer."), true},
		"too fast":             {&pim.Error{Kind: pim.Throttled, Message: "Wait.", RetryAfter: 30 * time.Second}, true},
		"token revoked":        {pim.Errorf(pim.Administered, "An administrator has to mend it."), true},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.signIn(alice, bob)
				w.opensHome(bob)
				w.pass(10 * time.Second)
				w.chat.Break(workflowtest.OpHome, workflowtest.Fault{Err: row.err, Slow: time.Second})
				before := w.chat.Calls(workflowtest.OpHome)
				id := w.asks(alice) // its card comes within two seconds all the same
				w.cardOf(id, approvals)
				w.pass(3 * time.Hour)
				if tries := w.chat.Calls(workflowtest.OpHome) - before; !row.again && tries != 1 || row.again && (tries < 3 || tries > 400) {
					t.Errorf("%d tries in three hours", tries)
				}
				w.chat.Mend(workflowtest.OpHome)
				w.pass(2 * time.Hour)
				if got := strings.Contains(w.home(bob), string(id)); got != row.again {
					t.Errorf("the page shows the request: %t\n%s", got, w.home(bob))
				}
				w.expect(w.opensHome(bob), string(id))
			})
		})
	}
}

func TestOpeningAHomeThatCannotBeShownSaysWhy(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(bob)
		w.chat.Fail(workflowtest.OpHome, workflowtest.Fault{Err: errDown})
		if err := w.bot.OpenHome(context.Background(), w.sender(bob)); !errors.Is(err, errDown) {
			t.Errorf("got %v", err)
		}
		w.pass(10 * time.Second) // it is tried again by itself
		w.expect(w.home(bob), "Waiting for you")
		elsewhere := w.sender(bob)
		elsewhere.Account.Chat = "irc"
		if err := w.bot.OpenHome(context.Background(), elsewhere); err == nil {
			t.Error("a chat without pages showed one")
		}
	})
}

// Many pages that change together are shown within what Slack takes, and a page
// that shows nothing new is not shown again.
func TestHomesAreShownNoFasterThanSlackTakesThem(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		const many = 210
		for i := range many {
			a := pim.ChatAccount{Chat: pim.Slack, Workspace: "T0", User: fmt.Sprintf("U-%03d", i)}
			w.Knows(a, profile(bob))
			from := w.sender(bob)
			from.Account = a
			if err := w.bot.OpenHome(context.Background(), from); err != nil {
				t.Fatal(err)
			}
		}
		w.pass(10 * time.Minute)
		quiet := w.chat.Calls(workflowtest.OpHome)
		w.pass(time.Hour)
		if n := w.chat.Calls(workflowtest.OpHome); n != quiet {
			t.Errorf("%d pages were shown while nothing happened", n-quiet)
		}
		w.asks(alice)
		for range 5 {
			before := w.chat.Calls(workflowtest.OpHome)
			w.pass(time.Minute)
			if n := w.chat.Calls(workflowtest.OpHome) - before; n > 90 {
				t.Errorf("%d pages in a minute", n)
			}
		}
		told := 0
		for i := range many {
			shown := w.chat.Homes(pim.ChatAccount{Chat: pim.Slack, Workspace: "T0", User: fmt.Sprintf("U-%03d", i)})
			if strings.Contains(workflowtest.Text(shown[len(shown)-1]), "isolating WS-042") {
				told++
			}
		}
		if told != 200 { // the others were pushed out
			t.Errorf("%d of %d pages are current, want the 200 that were opened last", told, many)
		}
		w.mu.Lock()
		w.skew += 25 * time.Hour
		w.mu.Unlock()
		w.pass(20 * time.Minute)
		if n := w.bot.Waiting(); n > 10 {
			t.Errorf("%d effects wait a day later", n)
		}
	})
}

func TestStatusSaysWhatThePageDoes(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob, dave)
		id := w.asks(alice)
		first := w.says(bob, "status")
		w.expect(first, "You have no requests", "Waiting for you", string(id), "[Approve]", "Elevate is reading in PIM")
		w.pass(5 * time.Second)
		w.expect(w.says(bob, "status"), "MDE Administrator", "[Activate…]")
		w.clicks(bob, card.Approve, id)
		w.pass(5 * time.Second)
		said := w.says(alice, "status")
		w.expect(said, string(id), "active", "[Release "+string(id)+"]", "Your roles")
		w.lacks(said, "Waiting for you")
	})
}

// An answer to status that stays in a chat without Home tabs follows what happens.
func TestTheNewestAnswerToStatusIsKeptCurrent(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		at := pim.DirectTo(inTeams(alice))
		status := func() pim.MessageRef {
			r := w.bot.Command(context.Background(), w.senderInTeams(alice, at), "status")
			if r.Kept == nil {
				t.Fatal("the answer is not kept current")
			}
			ref, err := w.teams.Post(context.Background(), at, *r.Card)
			if err != nil {
				t.Fatal(err)
			}
			r.Kept(ref)
			return ref
		}
		shows := func(ref pim.MessageRef) string {
			for _, m := range w.teams.In(at) {
				if m.Ref.ID == ref.ID {
					return w.read(workflow.Reply{Card: new(m.Card())})
				}
			}
			return ""
		}
		older := status()
		w.pass(10 * time.Second)
		w.expect(shows(older), "You have no requests", "[Activate…]")
		w.lacks(shows(older), "Elevate is reading in PIM")
		newest := status()
		id := w.asks(alice)
		w.pass(10 * time.Second)
		w.expect(shows(newest), string(id), "waiting for approval", "[Cancel")
		w.lacks(shows(older), string(id))
		w.clicks(bob, card.Approve, id)
		w.pass(30 * time.Second)
		w.expect(shows(newest), "active", "[Release")
	})
}

// A sign-in link is made once, so the answer that has it keeps it.
func TestAnAnswerToStatusKeepsItsSignInLinks(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		from := w.senderInTeams(alice, pim.DirectTo(inTeams(alice)))
		w.saysFrom(from, "mde-admin isolating WS-042")
		r := w.bot.Command(context.Background(), w.senderInTeams(alice, from.Place), "status")
		ref, err := w.teams.Post(context.Background(), from.Place, *r.Card)
		if err != nil {
			t.Fatal(err)
		}
		r.Kept(ref)
		w.pass(10 * time.Second)
		for _, m := range w.teams.In(from.Place) {
			if m.Ref.ID == ref.ID {
				w.expect(w.read(workflow.Reply{Card: new(m.Card())}), "[Sign in for ")
			}
		}
	})
}
