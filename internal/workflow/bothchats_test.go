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

// teamsChannel is where approvers are asked in Teams.
var teamsChannel = pim.Conversation{Chat: pim.Teams, Workspace: string(tenant), ID: "19:approvals@thread.tacv2"}

// inTeams is a person's account in Teams: who it is stands in the account itself.
func inTeams(p pim.PrincipalID) pim.ChatAccount {
	return pim.ChatAccount{Chat: pim.Teams, Workspace: string(tenant), User: string(p)}
}

// inBothChats has the approvers of mde-admin asked in Slack and in Teams.
func inBothChats(t *testing.T, test func(*world)) {
	t.Helper()
	inWorld(t, func(w *world) {
		w.cfg.Roles[0].Ask = []pim.Conversation{approvals, teamsChannel}
		w.cfg.Reaches = func(_ *store.Tx, id pim.PrincipalID) ([]pim.ChatAccount, error) {
			if id == bob {
				return []pim.ChatAccount{inTeams(bob)}, nil
			}
			return nil, nil
		}
	}, test)
}

func (w *world) senderInTeams(p pim.PrincipalID, at pim.Conversation) workflow.Sender {
	from := w.sender(p)
	from.Account, from.Place = inTeams(p), at
	return from
}

func (w *world) cardInTeams(id pim.RequestID, at pim.Conversation) workflowtest.Message {
	w.t.Helper()
	for _, m := range slices.Backward(w.teams.In(at)) {
		if m.Card().Request == id {
			return m
		}
	}
	w.t.Fatalf("no card of %s stands in %s", id, at)
	return workflowtest.Message{}
}

// clicksInTeams presses a button as a person sees it there.
func (w *world) clicksInTeams(p pim.PrincipalID, act card.Act, id pim.RequestID) string {
	w.t.Helper()
	from, on := w.senderInTeams(p, teamsChannel), w.cardInTeams(id, teamsChannel)
	r := w.bot.Click(context.Background(), from, workflow.Click{Act: act, Request: id, Digest: w.digest(id), Ref: on.Ref})
	w.settle()
	return w.read(r)
}

func (w *world) viewInTeams(p pim.PrincipalID, id pim.RequestID, at pim.Conversation, ref pim.MessageRef) string {
	w.t.Helper()
	said := w.read(w.bot.View(context.Background(), w.senderInTeams(p, at), id, ref))
	w.settle()
	return said
}

func TestARequestInSlackIsApprovedInTeamsAndAllCardsTurn(t *testing.T) {
	inBothChats(t, func(w *world) {
		w.signIn(alice)
		w.session(inTeams(bob), bob, w.now(), time.Hour)
		id := w.asks(alice)
		w.pass(2 * time.Second)
		w.clicksInTeams(bob, card.Approve, id)
		w.pass(10 * time.Second)
		w.is(id, pim.Active)
		for where, shown := range map[string]workflowtest.Message{
			"Slack": w.cardOf(id, approvals), "Teams": w.cardInTeams(id, teamsChannel),
		} {
			if !strings.Contains(workflowtest.Text(shown.Card()), "approved by Bob") {
				t.Errorf("the card in %s shows\n%s", where, workflowtest.Text(shown.Card()))
			}
		}
	})
}

func TestTheRequesterInSlackMayNotApproveInTeams(t *testing.T) {
	inBothChats(t, func(w *world) {
		w.signIn(bob)
		w.session(inTeams(bob), bob, w.now(), time.Hour)
		w.says(bob, "mde-admin isolating WS-042")
		w.pass(2 * time.Second)
		id := w.newest(bob).ID
		w.expect(w.clicksInTeams(bob, card.Approve, id), "your own request")
		w.pass(5 * time.Second)
		w.is(id, pim.Pending)
	})
}

func TestTheRequesterInTeamsMayNotApproveInSlack(t *testing.T) {
	inBothChats(t, func(w *world) {
		w.signIn(bob)
		w.session(inTeams(bob), bob, w.now(), time.Hour)
		w.saysFrom(w.senderInTeams(bob, pim.DirectTo(inTeams(bob))), "mde-admin isolating WS-042")
		w.pass(2 * time.Second)
		id := w.allRequests()[0].ID
		w.expect(w.clicks(bob, card.Approve, id), "your own request")
		w.pass(5 * time.Second)
		w.is(id, pim.Pending)
	})
}

func TestWhoSeesWhichButtonsInAChannelOfTeams(t *testing.T) {
	inBothChats(t, func(w *world) {
		w.signIn(alice)
		id := w.asks(alice)
		w.pass(2 * time.Second)
		ref := w.cardInTeams(id, teamsChannel).Ref
		approver := w.viewInTeams(bob, id, teamsChannel, ref)
		w.expect(approver, "[Approve]", "[Deny…]")
		requester := w.viewInTeams(alice, id, teamsChannel, ref)
		w.expect(requester, "[Cancel]")
		bystander := w.viewInTeams(erin, id, teamsChannel, ref)
		w.expect(bystander, "MDE Administrator")
		for who, said := range map[string]string{"the requester": requester, "a bystander": bystander} {
			if strings.Contains(said, "[Approve]") || strings.Contains(said, "[Deny") {
				t.Errorf("%s sees %s", who, said)
			}
		}
		if strings.Contains(bystander, "[Cancel]") {
			t.Errorf("a bystander sees %s", bystander)
		}
		personal := w.cardInTeams(id, teamsChannel).Card().Personal
		for _, p := range []pim.PrincipalID{alice, bob, carol} {
			if !slices.Contains(personal, inTeams(p)) {
				t.Errorf("%s has no view of their own: %v", names[p], personal)
			}
		}
	})
}

// What a click brings back in Teams is the client's to say: it shows nobody a
// request they may not read, and makes no other message its card.
func TestAClickThatNamesAnotherRequestShowsNothingOfIt(t *testing.T) {
	inBothChats(t, func(w *world) {
		w.signIn(alice)
		id := w.asks(alice)
		w.pass(2 * time.Second)
		mine := pim.DirectTo(inTeams(erin))
		ref := pim.MessageRef{Conversation: mine, ID: "m-elsewhere", Channel: "a:erin"}
		for _, row := range []struct {
			at  pim.Conversation
			ref pim.MessageRef
		}{
			{mine, ref},
			{mine, pim.MessageRef{}},
			{mine, pim.MessageRef{Conversation: mine, ID: "x", Channel: w.cardInTeams(id, teamsChannel).Ref.Channel}},
			{pim.Conversation{Chat: pim.Teams, Workspace: string(tenant), ID: "19:elsewhere@thread.tacv2"}, ref},
		} {
			said := w.viewInTeams(erin, id, row.at, row.ref)
			w.expect(said, "There is no request")
			if strings.Contains(said, "Alice") || strings.Contains(said, "WS-042") {
				t.Errorf("in %s: %s", row.at, said)
			}
		}
		w.bot.Click(context.Background(), w.senderInTeams(erin, mine), workflow.Click{Act: card.Refresh, Request: id, Ref: ref})
		w.pass(2 * time.Second)
		w.view(func(tx *store.Tx) error {
			refs, err := tx.Refs(id)
			for _, r := range refs {
				if r.ID == "m-elsewhere" {
					t.Error("a stranger's message became a card of the request")
				}
			}
			return err
		})
	})
}

func TestApproversWhoCannotBeWrittenToAreNamed(t *testing.T) {
	inWorld(t, func(w *world) {
		w.cfg.Roles[0].Direct, w.cfg.Roles[2].Direct = true, true
		w.cfg.Reaches = func(_ *store.Tx, id pim.PrincipalID) ([]pim.ChatAccount, error) {
			if id == bob {
				return []pim.ChatAccount{inTeams(bob)}, nil
			}
			return nil, nil
		}
	}, func(w *world) {
		w.signIn(alice)
		w.pass(2 * time.Minute)
		for role, name := range map[string]string{"mde-admin": "an approver", "mde-live": "Carol"} {
			w.says(alice, role+" isolating WS-042")
			w.pass(2 * time.Second)
			id := w.newest(alice).ID
			w.expect(workflowtest.Text(w.cardInTeams(id, pim.DirectTo(inTeams(bob))).Card()), "No direct message was sent to "+name)
		}
	})
}

// An answer in Teams stays in the chat. While it holds the link it is left
// alone; when the request turns it turns, too.
func TestAnAnswerWithASignInLinkTurnsWithTheRequest(t *testing.T) {
	inBothChats(t, func(w *world) {
		mine := pim.DirectTo(inTeams(alice))
		from := w.senderInTeams(alice, mine)
		r := w.bot.Command(context.Background(), from, "mde-admin isolating WS-042")
		id := r.Card.Request
		ref, err := w.teams.Post(context.Background(), mine, *r.Card)
		if err != nil {
			t.Fatal(err)
		}
		w.bot.Click(context.Background(), from, workflow.Click{Act: card.SignIn, Request: id, Ref: ref, Posted: true})
		w.pass(5 * time.Second)
		w.expect(w.read(workflow.Reply{Card: new(w.cardInTeams(id, mine).Card())}), "[Sign in]")
		w.pass(11 * time.Minute)
		w.is(id, pim.Canceled)
		w.expect(workflowtest.Text(w.cardInTeams(id, mine).Card()), "canceled")
		if n := len(w.teams.In(mine)); n > 2 { // the card, and the sentence that it ran out
			t.Errorf("%d messages", n)
		}
	})
}

// joins makes two accounts one person, as sign-ins for one chat account do.
func (w *world) joins(a, b pim.PrincipalID) {
	w.t.Helper()
	w.update(func(tx *store.Tx) error {
		node := pim.PrincipalID("account slack:T0:U-" + names[a])
		return errors.Join(tx.Join(a, node), tx.Join(b, node))
	})
}

// Dave asks in Slack. Admin shares an attribute with him and was seen together with Bob, who approves in Teams, where no
// link says so.
func TestTheAttributeOfAnAccountThatWasSeenTogetherCountsInBothChats(t *testing.T) {
	for _, row := range []struct {
		name             string
		asks, approves   pim.PrincipalID
		together, shares [2]pim.PrincipalID
	}{
		{"of the approver", dave, bob, [2]pim.PrincipalID{bob, admin}, [2]pim.PrincipalID{dave, admin}},
		{"of the requester", dave, bob, [2]pim.PrincipalID{dave, admin}, [2]pim.PrincipalID{admin, bob}},
	} {
		t.Run(row.name, func(t *testing.T) {
			inBothChats(t, func(w *world) {
				for _, p := range row.shares {
					w.dir.Person(p, func(p *pim.Profile) { p.SamePerson = "4711" })
				}
				w.joins(row.together[0], row.together[1])
				w.session(inTeams(row.approves), row.approves, w.now(), time.Hour)
				w.session(inTeams(row.asks), row.asks, w.now(), time.Hour)
				w.saysFrom(w.senderInTeams(row.asks, pim.DirectTo(inTeams(row.asks))), "mde-admin isolating WS-042")
				w.pass(3 * time.Second)
				id := w.allRequests()[0].ID
				w.is(id, pim.Pending)
				w.clicksInTeams(row.approves, card.Approve, id)
				w.pass(30 * time.Second)
				w.is(id, pim.Pending)
				if n := w.dir.Decisions(); n != 0 {
					t.Errorf("decided %d times", n)
				}
			})
		})
	}
}

// Who was tricked into signing in by somebody's link is refused as their approver, and not read by them.
func TestHavingBeenSeenTogetherLetsNobodyRead(t *testing.T) {
	inBothChats(t, func(w *world) {
		w.signIn(dave)
		w.joins(dave, erin)
		w.says(dave, "mde-analyst triage of WS-042")
		w.pass(3 * time.Second)
		id := w.newest(dave).ID
		at := pim.DirectTo(inTeams(erin))
		w.expect(w.viewInTeams(erin, id, at, pim.MessageRef{}), "There is no request")
		w.session(inTeams(erin), erin, w.now(), time.Hour)
		w.expect(w.saysFrom(w.senderInTeams(erin, at), "approve "+string(id)), "There is no request")
		w.expect(w.saysFrom(w.senderInTeams(erin, at), "status"), "no requests")
	})
}

// Bob speaks in Teams with his everyday account; his second one, proved in one browser, is the approver.
func TestASecondAccountDecidesInTeamsAndEventsNameBoth(t *testing.T) {
	inBothChats(t, func(w *world) {
		w.dir.Administer(mde, func(g *workflowtest.Group) { g.Approvers = []pim.PrincipalID{admin} })
		w.pass(10 * time.Minute) // so that the sweep has read it
		w.signIn(alice)
		w.update(func(tx *store.Tx) error {
			return tx.PutLink(store.Link{Account: inTeams(bob), Tenant: tenant, Person: bob, Also: []pim.PrincipalID{admin}, Name: names[bob], Since: tx.Now()})
		})
		w.session(inTeams(bob), admin, w.now(), time.Hour)
		w.pass(2 * time.Second)
		id := w.asks(alice)
		w.clicksInTeams(bob, card.Approve, id)
		w.pass(10 * time.Second)
		w.is(id, pim.Active)
		if _, last := w.event(id, pim.EventDecided); last.By.Person != admin || last.Linked != bob {
			t.Errorf("decided by %s, linked to %s", last.By.Person, last.Linked)
		}
	})
}

// Where approvers cannot be asked somewhere, the requester and the other approvers read it.
func TestAPlaceThatCannotBeWrittenToIsSaidOnTheOtherCards(t *testing.T) {
	inBothChats(t, func(w *world) {
		w.signIn(alice)
		w.teams.Shut(teamsChannel, pim.Errorf(pim.Forbidden, "The app is not installed there."))
		w.asks(alice)
		w.pass(5 * time.Second)
		const want = "could not write into 1 of 2 places where approvers are asked"
		w.expect(workflowtest.Text(w.chat.In(approvals)[0].Card()), want)
		w.teams.Shut(teamsChannel, nil)
		w.bot.Reopened(teamsChannel)
		w.pass(5 * time.Second)
		if len(w.teams.In(teamsChannel)) != 1 {
			t.Error("no card there, where Elevate may write again")
		}
	})
}
