package main

import (
	"testing"

	"elevate/internal/pim"
)

func TestRepeatingTheCommandGivesAnotherLinkForTheSameRequest(t *testing.T) {
	w := newWorld(t, nil)
	w.act("alice slack /elevate mde-admin isolating WS-042")
	first := w.turns("alice", pim.WaitingForSignIn)
	w.act("bob web sign-in of alice") // spends the link
	w.says("alice slack /elevate mde-admin isolating WS-042", string(first.ID))
	w.says("alice slack /elevate mde-admin isolating WS-043", "still waits for your sign-in")
	w.act("alice slack /elevate mde-admin isolating WS-042")
	w.says("alice web sign-in", "is linked to the Microsoft account of Alice Anders")
	if r := w.turns("alice", pim.Pending); r.ID != first.ID || len(w.events(pim.EventRequested)) != 1 {
		t.Errorf("request %s instead of %s", r.ID, first.ID)
	}
}

func TestRepeatingTheCommandAfterASignInSendsTheRequest(t *testing.T) {
	w := newWorld(t, nil)
	w.act("alice slack /elevate mde-admin isolating WS-042")
	first := w.turns("alice", pim.WaitingForSignIn)
	w.signsIn("alice")
	w.says("alice slack /elevate mde-admin isolating WS-042", "on its way to PIM")
	if r := w.turns("alice", pim.Pending); r.ID != first.ID {
		t.Errorf("request %s instead of %s", r.ID, first.ID)
	}
}
