package simclock_test

import (
	"testing"
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
