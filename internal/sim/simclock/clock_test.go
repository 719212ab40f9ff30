package simclock_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"elevate/internal/sim/simclock"
)

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func TestClockRunsAdvancesAndRunsFaster(t *testing.T) {
	t.Parallel()
	machine := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	c := simclock.New(start, func() time.Time { return machine })
	steps := []struct {
		name string
		do   func()
		want time.Time
	}{
		{"starts at the given time", func() {}, start},
		{"runs with the machine", func() { machine = machine.Add(time.Second) }, start.Add(time.Second)},
		{"is set forward", func() { c.Advance(time.Hour) }, start.Add(time.Hour + time.Second)},
		{"is never set back", func() { c.Advance(-time.Hour) }, start.Add(time.Hour + time.Second)},
		{"runs sixty times as fast", func() { c.SetRate(60); machine = machine.Add(time.Second) }, start.Add(time.Hour + 61*time.Second)},
		{"does not follow a machine clock that goes back", func() { machine = machine.Add(-time.Hour) }, start.Add(time.Hour + time.Second)},
	}
	for _, s := range steps {
		s.do()
		if got := c.Now(); !got.Equal(s.want) {
			t.Fatalf("%s: got %v, want %v", s.name, got, s.want)
		}
	}
}

func TestWaitersWakeOnAdvance(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := simclock.New(start, time.Now)
		c.SetRate(0)
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := c.WaitUntil(t.Context(), start.Add(time.Hour)); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		c.Advance(time.Hour)
		wg.Wait()
	})
}

func TestWaitTakesTheRateIntoAccount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := simclock.New(start, time.Now)
		c.SetRate(60)
		began := time.Now()
		if err := c.WaitUntil(t.Context(), start.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != time.Minute {
			t.Fatalf("an hour at sixty times the speed took %v", took)
		}
	})
}

func TestWaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := simclock.New(start, func() time.Time { return start })
	if err := c.WaitUntil(ctx, start.Add(time.Hour)); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
}
