package main

import (
	"slices"
	"strings"
	"testing"

	"elevate/internal/pim"
	"elevate/internal/sim/simslack"
)

func TestACardWhoseReferenceGotLostTurnsAtItsFirstClick(t *testing.T) {
	w := newWorld(t, nil)
	w.signsIn("bob")
	w.signsIn("alice")
	// Slack posts the first cards, and Elevate does not hear of it.
	w.act("break slack chat.postMessage reset")
	w.act("alice slack /elevate mde-admin isolating WS-042")
	r := w.turns("alice", pim.Pending)
	w.until(func() bool { return len(w.cards("bob", r.ID)) >= 4 }, "the cards were not posted twice")
	w.act("heal")
	// A lost card decides as well as any other …
	w.press("bob", w.cards("bob", r.ID)[0])
	w.turns("alice", pim.Active)
	w.act("alice slack sees dm until member since")
	// … and those that were left behind turn when they are touched.
	left := 0
	for _, c := range w.cards("bob", r.ID) {
		if w.turned("bob", r.ID, c.Message) {
			continue
		}
		left++
		w.press("bob", c)
		w.until(func() bool { return w.turned("bob", r.ID, c.Message) }, "a card does not turn when it is clicked:\n"+c.Text)
	}
	if left == 0 {
		t.Error("no card was left behind, so nothing was tried")
	}
}

func TestALostCardOfOnCallTurnsAtItsFirstClickAndStaysOnCalls(t *testing.T) {
	w := newWorld(t, nil)
	w.signsIn("alice")
	w.act("break slack chat.postMessage reset")
	w.act("alice slack /elevate mde-analyst looking at the alert")
	r := w.turns("alice", pim.Active)
	w.until(func() bool { return len(w.cardsIn("carol", "#on-call", r.ID)) >= 2 }, "the card for on-call was not posted twice")
	w.act("heal")
	w.act("clock +6m")
	w.act("alice slack /elevate release mde-analyst")
	w.turns("alice", pim.Ended)
	// The card that Elevate knows turns by itself; who reads them before would press a button that is about to go.
	w.until(func() bool {
		return slices.ContainsFunc(w.cardsIn("carol", "#on-call", r.ID), func(c simslack.Shown) bool { return strings.Contains(c.Text, "removed (read back)") })
	}, "no card for on-call turns by itself")
	for _, c := range w.cardsIn("carol", "#on-call", r.ID) {
		if strings.Contains(c.Text, "removed (read back)") {
			continue
		}
		w.press("carol", c)
		w.until(func() bool {
			for _, now := range w.cardsIn("carol", "#on-call", r.ID) {
				if now.Message == c.Message {
					return strings.Contains(now.Text, "removed (read back)")
				}
			}
			return false
		}, "a card does not turn when it is clicked:\n"+c.Text)
	}
}

// cardsIn are a request's cards in one place, as a person sees them.
func (w *world) cardsIn(person, where string, id pim.RequestID) (found []simslack.Shown) {
	w.t.Helper()
	for _, c := range w.cards(person, id) {
		if c.Where == where {
			found = append(found, c)
		}
	}
	return found
}

// press presses the first button of a card.
func (w *world) press(person string, c simslack.Shown) {
	w.t.Helper()
	if _, err := w.box.Slack.Click(w.t.Context(), person, simslack.Press{Button: c.Buttons[0], Message: c.Message, In: c.Where}); err != nil {
		w.t.Fatal(err)
	}
}

// turned reports whether a card says that the membership was read back.
func (w *world) turned(person string, id pim.RequestID, message string) bool {
	for _, c := range w.cards(person, id) {
		if c.Message == message {
			return strings.Contains(c.Text, "member since (read back")
		}
	}
	return false
}
