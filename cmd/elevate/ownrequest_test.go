package main

import (
	"testing"

	"elevate/internal/pim"
)

const ownRequest = "You cannot decide your own request"

func TestRequesterCannotDecideOwnRequestAtAnyDoor(t *testing.T) {
	w := newWorld(t, nil)
	// Bob is an approver, and eligible himself.
	r := w.asks("bob", "mde-admin isolating WS-042")
	id := string(r.ID)
	for name, line := range map[string]string{
		"the button":              "bob slack click Approve in #approvals",
		"the button with reason":  "bob slack click Approve with reason… in #approvals",
		"the button to deny":      "bob slack click Deny in #approvals",
		"the command":             "bob slack /elevate approve " + id,
		"the command with reason": "bob slack /elevate approve " + id + " fine with me",
		"the command to deny":     "bob slack /elevate deny " + id + " on second thoughts",
	} {
		t.Log(name)
		w.refuses(line, ownRequest)
	}
	w.undecided("bob")
	if claimed := w.events(pim.EventClaimed); len(claimed) > 0 {
		t.Errorf("claimed: %+v", claimed)
	}
}

func TestRequesterCannotDecideOwnRequestByAResumedSignIn(t *testing.T) {
	w := newWorld(t, nil)
	// Bob asked in the portal, so that no chat account is his yet. Carol lends
	// him hers: he clicks there and signs in as himself.
	w.act("bob portal activate mde-admin 1h isolating WS-042")
	w.act("clock +2m")
	w.act("carol slack sees #approvals until isolating WS-042")
	w.says("carol slack click Approve in #approvals", "Sign in to approve")
	w.says("carol web sign-in as bob slack-as carol", ownRequest)
	w.undecided("bob")
	if claimed := w.events(pim.EventClaimed); len(claimed) > 0 {
		t.Errorf("claimed: %+v", claimed)
	}
}

func TestAnotherChatAccountCannotBeLinkedToTheRequester(t *testing.T) {
	w := newWorld(t, nil)
	r := w.asks("bob", "mde-admin isolating WS-042")
	w.says("carol slack click Approve in #approvals", "Sign in to approve")
	w.says("carol web sign-in as bob slack-as carol", "already linked to another Slack account")
	w.undecided("bob")
	if got := w.turns("bob", pim.Pending); got.Decided != nil || got.ID != r.ID {
		t.Errorf("decided: %+v", got.Decided)
	}
}

func TestRequesterCannotDecideAsSecondAccountWithTheSameEmployeeID(t *testing.T) {
	w := newWorld(t, nil)
	w.joins("PIM MDE Approvers", "frank")
	// The administrator's account asks in the portal, the everyday one decides in Slack.
	w.act("adm-frank portal activate mde-admin 1h isolating WS-042")
	w.signsIn("frank")
	w.act("clock +11m") // the sweep finds it
	w.act("frank slack sees #approvals until isolating WS-042")
	w.act("frank slack click Approve in #approvals")
	w.act("frank slack sees until " + ownRequest)
	w.undecided("adm-frank")
}

// provesSecondAccount lets Frank prove in one browser that the administrator's
// account is his, too.
func (w *world) provesSecondAccount() {
	w.t.Helper()
	w.says("frank slack /elevate sign-in", "Sign in")
	w.act("frank web sign-in stop")
	w.act("frank web press Sign in with Microsoft as adm-frank stop")
	w.act("frank web press Frank Fischer (Admin) stop")
	w.says("frank web press Sign in with the linked account as frank", "may now also act as")
}

func TestRequesterCannotDecideAsSecondAccountOfTheSameChatAccount(t *testing.T) {
	// Nothing but the browser in which both were proved says that they are one.
	w := newWorld(t, map[string]string{"ELEVATE_PEOPLE_SAME_PERSON": "none"})
	w.joins("PIM MDE Approvers", "adm-frank")
	w.joins("PIM MDE Live Response", "frank")
	r := w.asks("frank", "mde-liveresponse looking around")
	w.provesSecondAccount()
	w.refuses("frank slack click Approve in #approvals", ownRequest)
	w.refuses("frank slack /elevate approve "+string(r.ID), ownRequest)
	w.undecided("frank")
}

func TestAccountsThatWereSeenTogetherStayOnePerson(t *testing.T) {
	w := newWorld(t, map[string]string{"ELEVATE_PEOPLE_SAME_PERSON": "none"})
	w.joins("PIM MDE Approvers", "frank")
	w.signsIn("frank")
	w.provesSecondAccount()
	w.act("frank slack /elevate unlink")
	w.until(func() bool { return len(w.links()) == 0 }, "the link is still there")
	w.signsIn("frank")
	// Now the link names one account only, and the other one asks in the portal.
	w.act("adm-frank portal activate mde-admin 1h isolating WS-042")
	w.act("clock +2m")
	w.act("frank slack sees #approvals until isolating WS-042")
	w.refuses("frank slack click Approve in #approvals", ownRequest)
	w.undecided("adm-frank")
}

// joins makes somebody a member of a group in the sandbox's directory.
func (w *world) joins(group, person string) {
	w.t.Helper()
	if err := w.box.Entra.AddMember(group, person); err != nil {
		w.t.Fatal(err)
	}
}
