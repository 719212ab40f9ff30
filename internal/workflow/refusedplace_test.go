package workflow_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/workflow/workflowtest"
)

// counting is a chat that refuses two places, and counts how often it is asked.
type counting struct {
	*workflowtest.Messenger

	mu    sync.Mutex
	shut  map[string]bool
	posts map[string]int
	most  int
}

func (m *counting) Post(ctx context.Context, to pim.Conversation, c card.Card) (pim.MessageRef, error) {
	m.mu.Lock()
	m.posts[to.String()]++
	refuse := m.shut[to.String()] && m.posts[to.String()] <= m.most // else the test would never end
	m.mu.Unlock()
	if refuse {
		return pim.MessageRef{}, pim.Errorf(pim.Forbidden, "Slack does not let Elevate write there (channel_not_found).")
	}
	return m.Messenger.Post(ctx, to, c)
}

// Two places refuse the card of one request: each refusal has the other one tried at once, without end.
func TestTwoPlacesThatRefuseAreNotTriedWithoutEnd(t *testing.T) {
	m := &counting{shut: map[string]bool{approvals.String(): true, direct(alice).String(): true}, posts: map[string]int{}, most: 2000}
	inWorld(t, func(w *world) {
		m.Messenger = w.chat
		w.cfg.Messengers[pim.Slack] = m
	}, func(w *world) {
		w.signIn(alice)
		w.says(alice, "mde-admin isolating WS-042")
		w.pass(10 * time.Second)
		m.mu.Lock()
		defer m.mu.Unlock()
		if n := m.posts[approvals.String()]; n > 5 {
			t.Errorf("a place that refuses was tried %d times within ten seconds", n)
		}
	})
}

// The place takes the card after all: the requester's card goes on saying that nobody could be asked there.
func TestACardSaysNoMoreThatAPlaceRefusesOnceItDoesNot(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.chat.Shut(approvals, pim.Errorf(pim.Forbidden, "Slack does not let Elevate write there."))
		w.signIn(alice)
		id := w.asks(alice)
		w.pass(10 * time.Second)
		w.expect(workflowtest.Text(w.cardOf(id, direct(alice)).Card()), "could not write into 1 of 1")
		w.chat.Shut(approvals, nil)
		w.bot.Reopened(approvals)
		w.pass(30 * time.Minute)
		text := workflowtest.Text(w.cardOf(id, approvals).Card())
		if n := strings.Count(text, "could not write into"); n > 0 {
			t.Errorf("the approvers read on their own card:\n%s", text)
		}
		if text := workflowtest.Text(w.cardOf(id, direct(alice)).Card()); strings.Contains(text, "could not write into") {
			t.Errorf("half an hour after the approvers were asked the requester still reads:\n%s", text)
		}
	})
}

// What was given up goes on where the bot may write again, and shows the present state.
func TestACardThatWasGivenUpIsTakenUpWhereTheBotMayWriteAgain(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.chat.Shut(approvals, pim.Errorf(pim.Invalid, "Slack does not take this there."))
		w.signIn(alice)
		id := w.asks(alice)
		w.pass(time.Minute)
		w.chat.Shut(approvals, nil)
		w.bot.Reopened(approvals)
		w.pass(5 * time.Second)
		w.expect(workflowtest.Text(w.cardOf(id, approvals).Card()), "MDE Administrator")
	})
}

// On-call's place refuses: whoever holds the access and whoever approved it read so, until it takes the card.
func TestACardSaysThatOnCallCouldNotBeTold(t *testing.T) {
	const unheard = "could not tell on-call"
	inWorld(t, nil, func(w *world) {
		w.chat.Shut(oncall, pim.Errorf(pim.Forbidden, "Slack does not let Elevate write there."))
		w.signIn(alice, bob)
		id := w.becomesActive()
		w.pass(10 * time.Second)
		for _, at := range []pim.Conversation{direct(alice), approvals} {
			w.expect(workflowtest.Text(w.cardOf(id, at).Card()), unheard)
		}
		w.chat.Shut(oncall, nil)
		w.bot.Reopened(oncall)
		w.pass(10 * time.Second)
		for _, at := range []pim.Conversation{direct(alice), approvals} {
			if text := workflowtest.Text(w.cardOf(id, at).Card()); strings.Contains(text, unheard) {
				t.Errorf("on-call was told, and the card says:\n%s", text)
			}
		}
	})
}
