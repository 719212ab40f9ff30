// Package simclock is the movable clock of the sandbox tenant and workspace.
//
// It shows the time the sandbox lives in: it can be set forward and can run faster than the machine. It never runs
// backwards, and it never reads the machine's clock itself: that comes in as a function.
package simclock

import (
	"sync"
	"time"
)

// A Clock is safe for use by many goroutines.
type Clock struct {
	base func() time.Time

	mu     sync.Mutex
	shown  time.Time // what the clock showed at anchor
	anchor time.Time // machine time of the last change
	rate   float64
}

// New returns a clock that shows start now and runs with the machine's clock base.
func New(start time.Time, base func() time.Time) *Clock {
	return &Clock{base: base, shown: start, anchor: base(), rate: 1}
}

// Now returns the time in the sandbox.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now(c.base())
}

func (c *Clock) now(machine time.Time) time.Time {
	passed := max(machine.Sub(c.anchor), 0) // where the machine's clock is set back, ours does not follow
	return c.shown.Add(time.Duration(float64(passed) * c.rate))
}

// Advance sets the clock forward by d. A negative d changes nothing.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle()
	if d > 0 {
		c.shown = c.shown.Add(d)
	}
}

// SetRate lets r seconds pass here for each second of the machine; 0 stops the clock, a negative r counts as 0.
func (c *Clock) SetRate(r float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle()
	c.rate = max(r, 0)
}

func (c *Clock) settle() {
	machine := c.base()
	c.shown = c.now(machine)
	c.anchor = machine
}
