package main

import (
	"regexp"
	"strings"
	"testing"
)

func TestTheQueueIsListedWithItsTriesAndTheirErrors(t *testing.T) {
	w := newWorld(t, nil)
	w.signsIn("alice")
	w.act("break slack chat.postMessage 5xx")
	w.act("alice slack /elevate mde-admin isolating WS-042")
	listed := func(pattern string) func() bool {
		line := regexp.MustCompile(pattern)
		return func() bool {
			_, out, _ := w.orders("queue", "list", "-config", w.settingsPath())
			return line.MatchString(out)
		}
	}
	w.until(listed(`(?m)^waiting +20\S+Z +[1-9]\d* +20\S+Z +card\|\S+ +.*Slack.*$`), "a card that Slack does not take is not listed with its tries, its next one and the error")
	// A card sends the administrator to doctor, who asks the chat itself only whether the bot is there.
	w.until(func() bool {
		var out strings.Builder
		if err := (operator{db: w.bot.db, serving: w.bot.serving}).lookAt(nil, &out); err != nil {
			t.Fatal(err)
		}
		return strings.Contains(out.String(), `"untaken":{"slack:`)
	}, "doctor does not hear of a conversation that takes no card")
	w.until(listed(`(?m)^waiting +20\S+Z +0 +20\S+Z +sweep +-$`), "the sweep is not listed as waiting for its time")
	w.act("heal")
	if err := w.stopBot(); err != nil {
		t.Fatal(err)
	}
	if !listed("(?m)^No `elevate serve` works on these at the moment: ")() {
		t.Error("without serve, nothing says that the tries are not known")
	}
	w.serveAgain(mustBot(t, w))
}
