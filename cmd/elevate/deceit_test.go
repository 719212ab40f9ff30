package main

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"elevate/internal/pim"
	"elevate/internal/store"
)

// links are the chat accounts that are linked, by their user ids.
func (w *world) links() map[string]store.Link {
	w.t.Helper()
	links := map[string]store.Link{}
	err := w.bot.db.View(func(tx *store.Tx) error {
		all, err := tx.Links()
		for _, l := range all {
			links[l.Account.User] = l
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return links
}

func TestAPassedOnLinkLinksNobody(t *testing.T) {
	w := newWorld(t, nil)
	w.act("alice slack /elevate mde-admin isolating WS-042")
	page := w.says("bob web sign-in of alice", "is not the one this sign-in link was made for").Page
	if page.Status != http.StatusForbidden || len(w.links()) > 0 {
		t.Errorf("status %d, links %v", page.Status, w.links())
	}
	w.turns("alice", pim.WaitingForSignIn)
	if requests := w.box.Entra.Portal().Requests(""); len(requests) > 0 {
		t.Errorf("PIM was asked: %+v", requests)
	}
	// Bob has used the link up, so the scanner of links that comes next finds nothing either.
	page = w.act("carol web sign-in of alice").Page
	if page.Status < 400 || len(w.links()) > 0 {
		t.Errorf("used twice: status %d, links %v", page.Status, w.links())
	}
}

func TestOpeningALinkSpendsNothing(t *testing.T) {
	w := newWorld(t, nil)
	w.act("alice slack /elevate mde-admin isolating WS-042")
	for range 3 {
		w.nothingWritten("carol web sign-in of alice stop private")
	}
	w.says("alice web sign-in", "is linked to the Microsoft account of Alice Anders")
	w.turns("alice", pim.Pending)
}

func TestAPersonIsNeverSomebodyElseAtEntraAndAtSlack(t *testing.T) {
	w := newWorld(t, nil)
	// The link is bob's own, and alice has left her Slack open in his browser.
	w.act("bob slack /elevate sign-in")
	w.says("bob web sign-in slack-as alice", "is not the one this sign-in link was made for")
	if len(w.links()) > 0 {
		t.Errorf("linked: %v", w.links())
	}
}

func TestGuestsAndStrangersAreRefused(t *testing.T) {
	w := newWorld(t, nil)
	w.asks("alice", "mde-admin isolating WS-042")
	// A guest of the tenant, whose Slack account is an ordinary one.
	w.act("gus slack /elevate mde-analyst triage")
	w.says("gus web sign-in", "Guests of the tenant cannot use Elevate")
	// A guest of the workspace, whose account in the tenant is an ordinary one.
	w.nothingWritten("pat slack /elevate mde-admin isolating WS-042")
	w.nothingWritten("pat slack click Approve in #approvals")
	// Somebody who has become a member of another workspace, or has left.
	for _, how := range []string{"stranger", "restricted", "ultra_restricted", "deleted"} {
		w.act("carol slack account active")
		w.act("carol slack /elevate help")
		w.act("carol slack account " + how)
		w.act("event user_change carol")
		w.nothingWritten("carol slack forge replay")
	}
	if links := w.links(); len(links) != 1 {
		t.Errorf("linked: %v", links)
	}
	w.undecided("alice")
}

func TestWhatSlackDidNotSendIsRefusedWithoutDetail(t *testing.T) {
	w := newWorld(t, nil)
	w.signsIn("bob")
	w.asks("alice", "mde-admin isolating WS-042")
	w.act("bob slack click Approve in #approvals dismiss")
	for _, last := range []string{"bob slack /elevate status", "bob slack click Deny in #approvals"} {
		w.act(last)
		for how, status := range map[string]int{
			"signature": http.StatusUnauthorized, "stale": http.StatusUnauthorized, "future": http.StatusUnauthorized,
			"team": http.StatusForbidden, "app": http.StatusForbidden, "garbage": http.StatusBadRequest, "huge": http.StatusRequestEntityTooLarge,
		} {
			r := w.nothingWritten("bob slack forge " + how)
			if r.Status != status || !strings.HasSuffix(r.Text, ": ") && !strings.HasSuffix(r.Text, ":") {
				t.Errorf("%s after %q: %d %q, want status %d and no body", how, last, r.Status, r.Text, status)
			}
		}
	}
	w.undecided("alice")
}

func TestAReplayedClickDecidesOnce(t *testing.T) {
	w := newWorld(t, nil)
	w.signsIn("bob")
	w.asks("alice", "mde-admin isolating WS-042")
	w.act("bob slack click Approve in #approvals")
	w.act("bob slack again")
	w.turns("alice", pim.Active)
	for range 3 {
		w.act("bob slack forge replay")
	}
	w.turns("alice", pim.Active)
	if n := len(w.events(pim.EventSent)); n != 2 {
		t.Errorf("%d calls were sent, want the request and one decision", n)
	}
}

func TestAReplayedRequestAsksOnce(t *testing.T) {
	w := newWorld(t, nil)
	w.signsIn("alice")
	w.act("alice slack /elevate mde-admin isolating WS-042")
	w.act("alice slack again")
	w.turns("alice", pim.Pending)
	w.act("alice portal cancel alice")
	w.turns("alice", pim.Canceled)
	w.act("alice slack forge replay") // nothing is open any more
	w.turns("alice", pim.Canceled)
	if n := len(w.box.Entra.Portal().Requests("alice")); n != 1 {
		t.Errorf("%d requests in PIM", n)
	}
	if n := len(w.events(pim.EventRequested)); n != 1 {
		t.Errorf("%d requests in Elevate", n)
	}
}

func TestAPortalRequestWithOurMarkDoesNotHideBehindOurCard(t *testing.T) {
	w := newWorld(t, nil)
	w.signsIn("bob")
	// Alice's card says thirty minutes. Before she signs in for it, she asks for
	// eight hours in the portal, with the mark that Elevate would have sent.
	w.act("alice slack /elevate mde-admin for 30m isolating WS-042")
	ours := w.turns("alice", pim.WaitingForSignIn)
	w.act("alice portal activate mde-admin 8h isolating WS-042 [elevate " + string(ours.ID) + "]")
	w.act("alice web sign-in")
	w.turnsOver(ours.ID)
	w.act("clock +2m")
	theirs := w.foundElsewhere(ours.ID)
	for _, c := range w.cards("bob", theirs) {
		if !strings.Contains(c.Text, "8 h") || strings.Contains(c.Text, "30 min") {
			t.Errorf("the card of the portal's request says\n%s", c.Text)
		}
	}
	for _, c := range w.cards("bob", ours.ID) {
		if strings.Contains(c.Text, "[Approve]") {
			t.Errorf("the card of thirty minutes can be approved:\n%s", c.Text)
		}
	}
	w.undecided("alice")
}

func TestAnAnswerThatGotLostIsNotFoundInAForgedRequest(t *testing.T) {
	w := newWorld(t, nil)
	w.signsIn("bob")
	w.signsIn("alice")
	// PIM does not answer; while Elevate tries again, the forged request appears.
	w.act("break graph assignmentScheduleRequests no")
	w.act("alice slack /elevate mde-admin for 30m isolating WS-042")
	ours := w.turns("alice", pim.Submitting)
	w.until(func() bool { return w.request(ours.ID).Sending.Tries > 0 }, "the request was not sent")
	w.act("alice portal activate mde-admin 8h isolating WS-042 [elevate " + string(ours.ID) + "]")
	w.act("heal")
	w.act("clock +11m") // longer than Elevate looks for what it sent
	w.turnsOver(ours.ID)
	w.act("clock +2m")
	theirs := w.foundElsewhere(ours.ID)
	for _, c := range append(w.cards("bob", ours.ID), w.cards("alice", ours.ID)...) {
		if strings.Contains(c.Text, "[Approve]") {
			t.Errorf("the card of thirty minutes can be approved:\n%s", c.Text)
		}
	}
	if cards := w.cards("bob", theirs); len(cards) == 0 || !strings.Contains(cards[0].Text, "8 h") {
		t.Errorf("the portal's request has the cards %+v", cards)
	}
	w.undecided("alice")
}

func TestACardDecidesOnlyTheRequestItWasDrawnFrom(t *testing.T) {
	w := newWorld(t, nil)
	w.signsIn("bob")
	ours := w.asks("alice", "mde-admin for 30m isolating WS-042")
	// The card stands in the channel. Alice takes her request back in the portal and
	// puts another in its place, while Slack does not let Elevate rewrite the card.
	w.act("break slack chat.update 5xx")
	w.act("alice portal cancel alice")
	w.act("alice portal activate mde-admin 8h isolating WS-042 [elevate " + string(ours.ID) + "]")
	w.act("bob slack click Approve on 30 min in #approvals")
	w.turnsOver(ours.ID)
	w.act("heal")
	w.act("clock +2m")
	w.foundElsewhere(ours.ID)
	for _, r := range w.box.Entra.Portal().Requests("alice") {
		if r.DecidedBy != "" {
			t.Errorf("decided: %+v", r)
		}
	}
	if members, err := w.box.Entra.Portal().Members("Role_MDE Administrator"); err != nil || len(members) > 0 {
		t.Errorf("members %v, %v", members, err)
	}
}

// turnsOver waits until nothing can become of a request any more.
func (w *world) turnsOver(id pim.RequestID) {
	w.t.Helper()
	over := []pim.State{pim.Refused, pim.Canceled, pim.Failed}
	w.until(func() bool { return slices.Contains(over, w.request(id).State) }, "request "+string(id)+" is still open")
}

// foundElsewhere waits for the request that was made in the portal, which has a
// card of its own.
func (w *world) foundElsewhere(ours pim.RequestID) pim.RequestID {
	w.t.Helper()
	w.act("bob slack sees #approvals until 8 h")
	found := w.events(pim.EventFound)
	if len(found) != 1 || found[0].Request == ours {
		w.t.Fatalf("found %+v", found)
	}
	return found[0].Request
}

func TestASeparateAdministratorAccountActsForItsPerson(t *testing.T) {
	w := newWorld(t, nil)
	w.signsIn("bob")
	// Frank is eligible for day-to-day access only, his administrator's account for the rest.
	w.signsIn("frank")
	w.provesSecondAccount()
	w.act("frank slack /elevate mde-admin isolating WS-042")
	w.act("frank web sign-in as adm-frank")
	r := w.turns("frank", pim.Pending)
	if r.Principal == w.links()["U0PERSON06"].Person {
		t.Errorf("asked as the everyday account %s", r.Principal)
	}
	w.act("bob slack click Approve in #approvals")
	w.turns("frank", pim.Active)
	w.says("graph members mde-admin", "adm-frank")
}
