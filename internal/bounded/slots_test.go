package bounded_test

import (
	"context"
	"testing"
	"time"

	"elevate/internal/bounded"
)

func TestNobodyHoldsAllSlots(t *testing.T) {
	slots := bounded.NewSlots(6, func() {})
	takes := func(who string, want bool) *bounded.Slot {
		t.Helper()
		slot, ok := slots.Take(who)
		if ok != want {
			t.Fatalf("%s got one: %t", who, ok)
		}
		return slot
	}
	var held []*bounded.Slot
	for range 4 {
		held = append(held, takes("alice", true))
	}
	takes("alice", false)
	takes("bob", true)
	takes("carol", true)
	takes("dave", false)
	held[0].Free()
	takes("dave", true)
	held[1].Free()
	done := make(chan struct{})
	takes("alice", true).Run(context.Background(), time.Second, func(context.Context) { <-done })
	takes("alice", false)
	close(done)
	for {
		if _, ok := slots.Take("alice"); ok {
			break
		}
		time.Sleep(time.Millisecond)
	}
}
