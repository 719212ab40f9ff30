package main

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"elevate/internal/store"
)

func TestTheHeadOfTheAuditTrailIsAnchoredInTheChatOnceADay(t *testing.T) {
	w := newWorld(t, nil)
	w.signsIn("bob") // an event to anchor
	ctx := t.Context()
	if err := w.bot.anchor(ctx); err != nil {
		t.Fatal(err)
	}
	anchored := func() int {
		return strings.Count(w.act("audrey slack sees #audit").Text, "Audit anchor")
	}
	if n := anchored(); n != 1 {
		t.Fatalf("anchored %d times", n)
	}
	// As it stands in the chat: the trail may have grown since.
	word := regexp.MustCompile(`(\d+):([0-9a-f]{64,})`).FindStringSubmatch(w.act("audrey slack sees #audit").Text)
	if word == nil {
		t.Fatal("the chat does not show the head")
	}
	if shown := w.act("audrey slack sees #audit").Text; !strings.Contains(shown, "elevate audit verify -config FILE -anchor "+word[0]) {
		t.Errorf("the command that takes it is not shown:\n%s", shown)
	}
	seq, err := strconv.ParseUint(word[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	head := store.Anchor{Seq: seq, Head: word[2]}
	if err := w.bot.anchor(ctx); err != nil || anchored() != 1 {
		t.Errorf("twice in a day: %d, %v", anchored(), err)
	}
	w.act("clock +25h")
	if err := w.bot.anchor(ctx); err != nil || anchored() != 2 {
		t.Errorf("the day after: %d, %v", anchored(), err)
	}
	if _, err := w.bot.db.Verify(ctx, head, nil); err != nil {
		t.Errorf("against the anchor: %v", err)
	}
	head.Head = strings.Repeat("0", len(head.Head))
	if _, err := w.bot.db.Verify(ctx, head, nil); err == nil {
		t.Error("any anchor is taken")
	}
}
