package teams_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"elevate/internal/pim"
)

// limits are what Teams takes of a bot in one conversation.
var limits = []struct {
	in   time.Duration
	most int
}{{time.Second, 7}, {2 * time.Second, 8}, {30 * time.Second, 60}, {time.Hour, 1800}}

// within returns the most of the times that lie in one window.
func within(times []time.Time, window time.Duration) int {
	most, first := 0, 0
	for last := range times {
		for times[last].Sub(times[first]) >= window {
			first++
		}
		most = max(most, last-first+1)
	}
	return most
}

func TestAConversationIsWrittenToWithinWhatTeamsTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		var mu sync.Mutex
		var sent []time.Time
		b.net.on("PUT", func(call) *answered {
			mu.Lock()
			defer mu.Unlock()
			sent = append(sent, machineTime())
			return reply(200, `{"id":"1"}`)
		})
		ref := pim.MessageRef{Conversation: general, ID: "1", Channel: channelID + ";messageid=1"}
		begin := machineTime()
		var all sync.WaitGroup
		for range 3 { // as many as could have a hand in one conversation
			all.Go(func() {
				for machineTime().Sub(begin) < 2*time.Hour {
					err := b.client.Update(t.Context(), ref, hello)
					if e := pim.Explain(err); err != nil {
						if e.Kind != pim.Throttled || e.RetryAfter <= 0 {
							t.Errorf("%v", err)
							return
						}
						time.Sleep(e.RetryAfter)
					}
				}
			})
		}
		all.Wait()
		for _, l := range limits {
			if got := within(sent, l.in); got > l.most {
				t.Errorf("%d within %s, Teams takes %d", got, l.in, l.most)
			}
		}
		if len(sent) < 2*1500 {
			t.Errorf("only %d in two hours", len(sent))
		}
	})
}

func TestABusyConversationHoldsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		busy := pim.MessageRef{Conversation: general, ID: "1", Channel: channelID}
		var all sync.WaitGroup
		for range 60 {
			all.Go(func() { _ = b.client.Update(t.Context(), busy, hello) })
		}
		synctest.Wait()
		time.Sleep(time.Second) // the bot's own limit is for all
		for i := range 8 {
			begin := machineTime()
			other := pim.MessageRef{Conversation: pim.Conversation{Chat: pim.Teams, Workspace: tenant, ID: fmt.Sprint("19:", i, "@thread.tacv2")}, ID: "1", Channel: "x"}
			other.Channel = other.Conversation.ID
			if err := b.client.Update(t.Context(), other, hello); err != nil || machineTime().Sub(begin) > time.Second {
				t.Errorf("%v after %s", err, machineTime().Sub(begin))
			}
		}
		all.Wait()
	})
}

func TestTeamsAsksToWaitWithOneConversation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		ref := func(conversation string) pim.MessageRef {
			return pim.MessageRef{Conversation: pim.Conversation{Chat: pim.Teams, Workspace: tenant, ID: conversation}, ID: "1", Channel: conversation}
		}
		b.net.on("PUT "+channelID, func(call) *answered {
			resp := reply(429, "")
			resp.header.Set("Retry-After", "20")
			return resp
		})
		for range 5 {
			if err := b.client.Update(t.Context(), ref(channelID), hello); !pim.IsKind(err, pim.Throttled) {
				t.Errorf("%v", err)
			}
		}
		if n := len(b.net.written()); n != 1 {
			t.Errorf("sent %d times into a conversation that waits", n)
		}
		if err := b.client.Update(t.Context(), ref("19:other@thread.tacv2"), hello); err != nil {
			t.Errorf("another conversation: %v", err)
		}
		time.Sleep(20 * time.Second)
		b.net.on("PUT "+channelID, nil)
		if err := b.client.Update(t.Context(), ref(channelID), hello); err != nil {
			t.Errorf("after the time: %v", err)
		}
	})
}

func TestTheBotAsAWholeStaysBelowItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		var mu sync.Mutex
		var sent []time.Time
		b.net.on("PUT", func(call) *answered {
			mu.Lock()
			defer mu.Unlock()
			sent = append(sent, machineTime())
			return reply(200, `{"id":"1"}`)
		})
		var all sync.WaitGroup
		for i := range 300 {
			all.Go(func() {
				conversation := fmt.Sprint("19:", i, "@thread.tacv2")
				ref := pim.MessageRef{Conversation: pim.Conversation{Chat: pim.Teams, Workspace: tenant, ID: conversation}, ID: "1", Channel: conversation}
				for {
					err := b.client.Update(t.Context(), ref, hello)
					if err == nil {
						return
					}
					time.Sleep(pim.Explain(err).RetryAfter)
				}
			})
		}
		all.Wait()
		if got := within(sent, time.Second); got > 30 || len(sent) != 300 {
			t.Errorf("%d of %d within a second", got, len(sent))
		}
	})
}
