package workflow_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/workflow"
	"elevate/internal/workflow/workflowtest"
)

// whispered is what Alice alone was shown in a place, one line for each time.
func (w *world) whispered(at pim.Conversation) (said []string) {
	w.t.Helper()
	for _, one := range w.chat.Whispers() {
		if one.At != at || one.To != account(alice) {
			w.t.Errorf("%s was whispered to in %s: %s", one.To, one.At, workflowtest.Text(one.Card))
		}
		said = append(said, workflowtest.Text(one.Card))
	}
	return said
}

func TestWhisperSaysEachFurtherStepOnceWhereItWasAsked(t *testing.T) {
	everybodySignedIn(t, func(w *world) {
		id := w.asks(alice)
		if got := w.whispered(general); len(got) != 0 {
			t.Fatalf("the answer says that it was asked for, and so do %q", got)
		}
		w.says(bob, "approve "+string(id)+" checked by phone")
		w.pass(time.Minute)
		w.restart()
		w.pass(2 * time.Hour)
		w.is(id, pim.Ended)
		got := w.whispered(general)
		all := strings.Join(got, "\n")
		for _, once := range []string{"was approved by Bob", "checked by phone", "as a member since", "MDE Administrator ends at", "is over: ended at its time"} {
			if n := strings.Count(all, once); n != 1 {
				t.Errorf("%q was whispered %d times in %q", once, n, got)
			}
		}
		if n := len(w.chat.In(general)); n != 0 {
			t.Errorf("everybody there sees %d messages", n)
		}
	})
}

func TestWhisperSaysWhatTheFirstCardSays(t *testing.T) {
	everybodySignedIn(t, func(w *world) {
		w.chat.Break(workflowtest.OpPost, workflowtest.Fault{Err: pim.Errorf(pim.Unavailable, "away")})
		w.says(alice, "mde-analyst looking at an alert")
		w.pass(30 * time.Second)
		w.is(w.newest(alice).ID, pim.Active)
		w.chat.Mend(workflowtest.OpPost)
		w.pass(time.Minute)
		if got := w.whispered(general); len(got) != 1 || !strings.Contains(got[0], "as a member since") {
			t.Errorf("whispered %q", got)
		}
	})
}

func TestWhisperSaysThatSomebodyElseEndedIt(t *testing.T) {
	everybodySignedIn(t, func(w *world) {
		w.signIn(erin)
		id := w.becomesActive()
		w.pass(6 * time.Minute)
		w.says(erin, "revoke "+string(id)+" the laptop was stolen")
		w.pass(time.Minute)
		if got := strings.Join(w.whispered(general), "\n"); strings.Count(got, "the laptop was stolen") != 1 {
			t.Errorf("whispered %q", got)
		}
	})
}

// What a place does not take is in the direct message anyway.
func TestWhisperThatIsNotTakenIsDropped(t *testing.T) {
	for name, test := range map[string]struct {
		err         error
		refused     time.Duration // for how long
		tried, said int           // tried zero: it does not matter how often
	}{
		"the bot is not in the channel":      {pim.Errorf(pim.Forbidden, "not_in_channel"), time.Hour, 1, 0},
		"there is no such channel":           {pim.Errorf(pim.NotFound, "channel_not_found"), time.Hour, 1, 0},
		"an administrator has to mend it":    {pim.Errorf(pim.Administered, "missing_scope"), time.Hour, 1, 0},
		"the chat does not understand it":    {errors.New("odd"), time.Hour, 1, 0},
		"the chat is away for a moment":      {pim.Errorf(pim.Unavailable, "away"), 20 * time.Second, 0, 1},
		"the chat is away for a quarter":     {pim.Errorf(pim.Unavailable, "away"), 15 * time.Minute, 0, 0},
		"the chat wants a pause of a minute": {&pim.Error{Kind: pim.Throttled, RetryAfter: time.Minute}, 10 * time.Second, 2, 1},
		"the chat wants a pause of an hour":  {&pim.Error{Kind: pim.Throttled, RetryAfter: time.Hour}, 10 * time.Second, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			everybodySignedIn(t, func(w *world) {
				id := w.asks(alice)
				w.chat.Break(workflowtest.OpWhisper, workflowtest.Fault{Err: test.err})
				w.says(bob, "deny "+string(id)+" not today")
				w.pass(test.refused)
				w.chat.Mend(workflowtest.OpWhisper)
				w.pass(2 * time.Hour)
				if n := w.chat.Calls(workflowtest.OpWhisper); test.tried > 0 && n != test.tried {
					t.Errorf("tried %d times", n)
				}
				if got := w.whispered(general); len(got) != test.said {
					t.Errorf("whispered %q", got)
				}
				if n, _ := w.event(id, pim.EventParked); n != 0 {
					t.Errorf("%d pieces of work were given up loudly", n)
				}
				w.expect(w.told(alice), "was denied by Bob")
			})
		})
	}
}

func TestWhisperIsForNobodyElse(t *testing.T) {
	for name, test := range map[string]struct {
		from   func(*world, *workflow.Sender)
		before func(*world)
	}{
		"who is not linked any more": {before: func(w *world) { w.says(alice, "unlink") }},
		"who asked in a direct message": {from: func(_ *world, from *workflow.Sender) {
			from.Place = direct(alice)
		}},
		"who asked in a place of another workspace's": {from: func(_ *world, from *workflow.Sender) {
			from.Place.Workspace = "T9"
		}},
	} {
		t.Run(name, func(t *testing.T) {
			everybodySignedIn(t, func(w *world) {
				from := w.sender(alice)
				if test.from != nil {
					test.from(w, &from)
				}
				w.saysFrom(from, "mde-admin isolating WS-042")
				w.pass(2 * time.Second)
				id := w.is(w.newest(alice).ID, pim.Pending).ID
				if test.before != nil {
					test.before(w)
				}
				w.clicks(bob, card.Approve, id)
				w.pass(time.Minute)
				w.is(id, pim.Active)
				if all := w.chat.Whispers(); len(all) != 0 {
					t.Errorf("whispered %+v", all)
				}
			})
		})
	}
}

func TestWhisperThatWaitsIsNotForWhoeverTheAccountIsMeanwhile(t *testing.T) {
	for _, other := range []pim.PrincipalID{"", dave} {
		everybodySignedIn(t, func(w *world) {
			id := w.asks(alice)
			w.chat.Break(workflowtest.OpWhisper, workflowtest.Fault{Err: pim.Errorf(pim.Unavailable, "away")})
			w.says(bob, "deny "+string(id)+" not today")
			w.pass(10 * time.Second)
			w.says(alice, "unlink")
			if other != "" {
				w.Knows(account(alice), profile(other))
			}
			w.chat.Mend(workflowtest.OpWhisper)
			w.pass(time.Hour)
			if all := w.chat.Whispers(); len(all) != 0 || w.chat.Calls(workflowtest.OpWhisper) < 2 {
				t.Errorf("whispered to %q: %+v", other, all)
			}
		})
	}
}

func TestWhisperIsNotForWhatWasAskedInThePortal(t *testing.T) {
	everybodySignedIn(t, func(w *world) {
		w.activates(alice, hunt)
		w.pass(2 * time.Minute)
		if all := w.chat.Whispers(); len(all) != 0 {
			t.Errorf("whispered %+v", all)
		}
	})
}
