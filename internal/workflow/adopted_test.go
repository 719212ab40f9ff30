package workflow_test

import (
	"context"
	"fmt"
	"slices"
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

// teamsOnCall is where on-call is told in Teams.
var teamsOnCall = pim.Conversation{Chat: pim.Teams, Workspace: string(tenant), ID: "19:oncall@thread.tacv2"}

// withOnCallInTeams has mde-admin asked and told in Teams.
func withOnCallInTeams(t *testing.T, settings func(*world), test func(*world)) {
	t.Helper()
	inWorld(t, func(w *world) {
		w.cfg.Roles[0].Ask = []pim.Conversation{approvals, teamsChannel}
		w.cfg.Roles[0].Notify = []pim.Conversation{teamsOnCall}
		if settings != nil {
			settings(w)
		}
	}, test)
}

// names has somebody click in Teams with a message that their client names.
func (w *world) names(p pim.PrincipalID, act card.Act, id pim.RequestID, at pim.Conversation, message string) string {
	w.t.Helper()
	ref := pim.MessageRef{Conversation: at, ID: message, Channel: at.ID}
	r := w.bot.Click(context.Background(), w.senderInTeams(p, at), workflow.Click{Act: act, Request: id, Digest: w.digest(id), Ref: ref})
	w.settle()
	return w.read(r)
}

// post has a message of the bot's that is no card stand in Teams.
func (w *world) post(at pim.Conversation) pim.MessageRef {
	w.t.Helper()
	ref, err := w.teams.Post(context.Background(), at, card.Card{Title: "Something else"})
	if err != nil {
		w.t.Fatal(err)
	}
	return ref
}

// refsIn are the stored references of a request in a place.
func (w *world) refsIn(id pim.RequestID, at pim.Conversation) (refs []store.Ref) {
	w.t.Helper()
	w.view(func(tx *store.Tx) error {
		all, err := tx.Refs(id)
		refs = slices.DeleteFunc(all, func(r store.Ref) bool { return r.Conversation != at })
		return err
	})
	return refs
}

func TestAMessageThatAClientNamesKeepsNoCardAway(t *testing.T) {
	withOnCallInTeams(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.asks(alice)
		// One that is there, and one that is not.
		w.names(erin, card.Refresh, id, teamsOnCall, w.post(teamsOnCall).ID)
		w.names(erin, card.Refresh, id, teamsOnCall, "m-made-up")
		w.pass(2 * time.Second)
		w.clicks(bob, card.Approve, id)
		w.pass(10 * time.Second)
		w.is(id, pim.Active)
		shown := 0
		for _, m := range w.teams.In(teamsOnCall) {
			if m.Card().Request != "" && strings.Contains(workflowtest.Text(m.Cards[0]), "MDE Administrator") {
				shown++
			}
		}
		if shown != 1 {
			t.Errorf("%d cards were posted to on-call", shown)
		}
		// The message that was named turns beside it.
		for _, r := range w.refsIn(id, teamsOnCall) {
			if r.Hash != w.refsIn(id, teamsOnCall)[0].Hash {
				t.Errorf("%s was not drawn anew", r.ID)
			}
		}
	})
}

// A message in a chat of their own makes nobody's chat one where a card is posted.
func TestAMessageThatAClientNamesBringsNoCard(t *testing.T) {
	withOnCallInTeams(t, nil, func(w *world) {
		w.signIn(alice, dave)
		w.pass(11 * time.Minute) // who is eligible is known then
		id := w.asks(alice)
		mine := pim.DirectTo(inTeams(dave))
		w.bot.Command(context.Background(), w.senderInTeams(dave, mine), "roles")
		w.pass(10 * time.Second)
		w.names(dave, card.Refresh, id, mine, "m-made-up")
		w.pass(10 * time.Second)
		for _, m := range w.teams.In(mine) {
			if m.Card().Request == id {
				t.Errorf("a card was posted:\n%s", workflowtest.Text(m.Card()))
			}
		}
	})
}

func TestFewMessagesThatClientsNameAreKept(t *testing.T) {
	withOnCallInTeams(t, nil, func(w *world) {
		w.signIn(alice)
		id := w.asks(alice)
		w.pass(2 * time.Second)
		posted := w.cardInTeams(id, teamsChannel).Ref
		for i := range 30 {
			ref := w.post(teamsChannel)
			w.names(alice, card.Refresh, id, teamsChannel, ref.ID)
			w.pass(time.Second / 2)
			refs := w.refsIn(id, teamsChannel)
			if len(refs) > 4 || !slices.ContainsFunc(refs, func(r store.Ref) bool { return r.ID == posted.ID }) {
				t.Fatalf("after %d: %+v", i, refs)
			}
			newest := slices.ContainsFunc(refs, func(r store.Ref) bool { return r.ID == ref.ID })
			if i < 20 != newest {
				t.Errorf("click %d: adopted %t", i, newest)
			}
		}
	})
}

// moody is a chat in which rewriting some messages fails.
type moody struct {
	*workflowtest.Messenger

	mu    sync.Mutex
	fails map[string]error
	tries map[string]int // by message
}

func (m *moody) Update(ctx context.Context, ref pim.MessageRef, c card.Card) error {
	m.mu.Lock()
	m.tries[ref.ID]++
	err := m.fails[ref.ID]
	m.mu.Unlock()
	if err != nil {
		return err
	}
	return m.Messenger.Update(ctx, ref, c)
}

func TestWhatWasRewrittenStaysSoWhenTheNextMessageFails(t *testing.T) {
	m := &moody{fails: map[string]error{}, tries: map[string]int{}}
	withOnCallInTeams(t, func(w *world) {
		m.Messenger = w.teams
		w.cfg.Messengers[pim.Teams] = m
	}, func(w *world) {
		w.signIn(alice, bob)
		id := w.asks(alice)
		w.pass(2 * time.Second)
		posted := w.cardInTeams(id, teamsChannel).Ref
		var named []string
		for range 3 {
			named = append(named, w.post(teamsChannel).ID)
			w.names(alice, card.Refresh, id, teamsChannel, named[len(named)-1])
			w.pass(time.Second)
		}
		m.mu.Lock()
		m.fails[named[1]] = pim.Errorf(pim.Unavailable, "Teams cannot take it.")
		clear(m.tries)
		m.mu.Unlock()
		w.says(alice, "cancel "+string(id))
		w.pass(10 * time.Minute)
		w.is(id, pim.Canceled)
		w.expect(workflowtest.Text(w.teams.In(teamsChannel)[0].Card()), "anceled")
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.tries[posted.ID] == 0 || m.tries[posted.ID] > 3 || m.tries[named[0]] > 3 || m.tries[named[1]] < 5 {
			t.Errorf("rewritten %v, the posted one is %s, those that were named %v", m.tries, posted.ID, named)
		}
	})
}

func TestAMessageThatClientsNamedIsForgottenWhenItIsGone(t *testing.T) {
	for name, why := range map[string]error{
		"not there": nil, "not the bot's": pim.Errorf(pim.Forbidden, "Not yours."), "not understood": pim.Errorf(pim.Invalid, "What?"),
	} {
		t.Run(name, func(t *testing.T) {
			m := &moody{fails: map[string]error{"m-made-up": why}, tries: map[string]int{}}
			withOnCallInTeams(t, func(w *world) {
				m.Messenger = w.teams
				w.cfg.Messengers[pim.Teams] = m
			}, func(w *world) {
				w.signIn(alice)
				id := w.asks(alice)
				w.pass(2 * time.Second)
				w.names(erin, card.Refresh, id, teamsChannel, "m-made-up")
				w.pass(2 * time.Second)
				if refs := w.refsIn(id, teamsChannel); len(refs) != 1 || !refs[0].Adopted.IsZero() {
					t.Errorf("kept %+v", refs)
				}
				w.view(func(tx *store.Tx) error {
					parked, err := tx.Parked()
					if len(parked) > 0 {
						t.Errorf("parked %+v", parked)
					}
					return err
				})
			})
		})
	}
}

func TestACardThatSomebodyDeletedIsNotPostedAgain(t *testing.T) {
	withOnCallInTeams(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.asks(alice)
		w.pass(2 * time.Second)
		w.teams.Remove(w.cardInTeams(id, teamsChannel).Ref)
		w.clicks(bob, card.Approve, id)
		w.pass(10 * time.Second)
		w.is(id, pim.Active)
		w.names(erin, card.Refresh, id, teamsChannel, "m-made-up")
		w.pass(10 * time.Second)
		if n := len(w.teams.In(teamsChannel)); n != 0 {
			t.Errorf("%d messages", n)
		}
	})
}

func TestAMessageThatAClientNamesShowsNobodyARequest(t *testing.T) {
	withOnCallInTeams(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.asks(alice)
		w.clicks(bob, card.Approve, id)
		w.pass(10 * time.Second)
		w.is(id, pim.Active)
		onCard := w.cardInTeams(id, teamsOnCall).Ref
		for _, at := range []pim.Conversation{teamsChannel, teamsOnCall} {
			named := w.post(at)
			for range 2 { // the first could make it known
				w.expect(w.viewInTeams(erin, id, at, named), "There is no request")
			}
			w.names(erin, card.Refresh, id, at, named.ID)
			w.pass(time.Second)
			w.expect(w.viewInTeams(erin, id, at, named), "There is no request")
		}
		// The card of one place, looked at from another.
		w.expect(w.viewInTeams(erin, id, teamsChannel, onCard), "There is no request")
		w.expect(w.viewInTeams(erin, id, teamsOnCall, onCard), "MDE Administrator")
	})
}

func TestAMadeUpClickInTeamsIsAnsweredAsIfThereWereNoRequest(t *testing.T) {
	withOnCallInTeams(t, nil, func(w *world) {
		w.signIn(alice)
		id := w.asks(alice)
		w.pass(2 * time.Second)
		onCard := w.cardInTeams(id, teamsChannel).Ref
		mine := pim.DirectTo(inTeams(erin))
		say := func(act card.Act, id pim.RequestID, digest string, ref pim.MessageRef) string {
			from := w.senderInTeams(erin, mine)
			if act == "" {
				return w.read(w.bot.Filled(context.Background(), from, card.Filled{
					Name: card.FormDeny, Request: id, Digest: digest, Values: map[string]string{card.FieldReason: "because"}, Ref: ref,
				}))
			}
			return w.read(w.bot.Click(context.Background(), from, workflow.Click{Act: act, Request: id, Digest: digest, Ref: ref}))
		}
		elsewhere := pim.MessageRef{Conversation: mine, ID: onCard.ID, Channel: onCard.Channel}
		for _, act := range []card.Act{card.Approve, card.ApproveWithReason, card.Deny, card.Cancel, card.Release, ""} {
			for name, ref := range map[string]pim.MessageRef{"no message": {}, "another place's": elsewhere, "a made-up one": {Conversation: mine, ID: "m-x", Channel: "a:x"}} {
				for _, digest := range []string{"", "made up", w.digest(id)} {
					there, not := say(act, id, digest, ref), say(act, "zzzzzz", digest, pim.MessageRef{})
					if strings.ReplaceAll(there, string(id), "X") != strings.ReplaceAll(not, "zzzzzz", "X") {
						t.Errorf("%q with %s: where it is there %q, where it is not %q", act, name, there, not)
					}
				}
			}
		}
		// On the card itself it is said why.
		w.expect(w.clickAs(erin, card.Approve, id), "approver")
		w.expect(w.clickAs(erin, card.Cancel, id), "Only")
		w.pass(5 * time.Second)
		w.is(id, pim.Pending)
	})
}

func (w *world) clickAs(p pim.PrincipalID, act card.Act, id pim.RequestID) string {
	w.t.Helper()
	said := w.clicksInTeams(p, act, id)
	if strings.Contains(said, "There is no request") {
		w.t.Error(fmt.Sprint(p, " on the real card is told: ", said))
	}
	return said
}

// Slack says itself which message was clicked: one whose reference got lost is
// the place's card from its first click on.
func TestAMessageThatSlackNamesIsThePlacesCard(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		lost := workflowtest.Fault{Done: true, Err: pim.Errorf(pim.AnswerLost, "The answer got lost.")}
		w.chat.Fail(workflowtest.OpPost, lost, lost) // to the approvers and to Alice
		w.says(alice, "mde-admin isolating WS-042")
		for len(w.chat.In(approvals)) == 0 {
			w.pass(10 * time.Millisecond)
		}
		id := w.newest(alice).ID
		if refs := w.refsIn(id, approvals); len(refs) != 0 {
			t.Fatalf("the card is known: %+v", refs)
		}
		from, ref := w.sender(bob), w.chat.In(approvals)[0].Ref
		from.Place = approvals
		w.bot.Click(context.Background(), from, workflow.Click{Act: card.Refresh, Request: id, Ref: ref})
		w.pass(time.Minute)
		if n := len(w.chat.In(approvals)); n != 1 {
			t.Errorf("%d messages", n)
		}
		if refs := w.refsIn(id, approvals); len(refs) != 1 || !refs[0].Adopted.IsZero() {
			t.Errorf("kept %+v", refs)
		}
	})
}
