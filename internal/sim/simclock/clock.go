// Package simclock is the movable clock of the sandbox tenant and workspace.
//
// It shows the time the sandbox lives in: it can be set forward and can run faster than the machine. It never runs
// backwards, and it never reads the machine's clock itself: that comes in as a function.
package simclock

import (
	"context"
	"sync"
	"time"
)

// A Clock is safe for use by many goroutines.
type Clock struct {
	base func() time.Time

	mu      sync.Mutex
	shown   time.Time // what the clock showed at anchor
	anchor  time.Time // machine time of the last change
	rate    float64
	changed chan struct{}
}

// New returns a clock that shows start now and runs with the machine's clock base.
func New(start time.Time, base func() time.Time) *Clock {
	return &Clock{base: base, shown: start, anchor: base(), rate: 1, changed: make(chan struct{})}
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

// Advance sets the clock forward by d and wakes those who wait. A negative d changes nothing.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle()
	if d > 0 {
		c.shown = c.shown.Add(d)
	}
	c.wake()
}

// SetRate lets r seconds pass here for each second of the machine; 0 stops the clock, a negative r counts as 0.
func (c *Clock) SetRate(r float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle()
	c.rate = max(r, 0)
	c.wake()
}

func (c *Clock) settle() {
	machine := c.base()
	c.shown = c.now(machine)
	c.anchor = machine
}

func (c *Clock) wake() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// Changed returns a channel that is closed at the next Advance or SetRate.
func (c *Clock) Changed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed
}

// MachineUntil returns how long the machine's clock takes until this one shows t. It is false while the clock stands.
func (c *Clock) MachineUntil(t time.Time) (time.Duration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	left := t.Sub(c.now(c.base()))
	if left <= 0 {
		return 0, true
	}
	if c.rate == 0 {
		return 0, false
	}
	return time.Duration(float64(left) / c.rate), true
}

// WaitUntil returns when the clock shows t or later, or with the context's error when that ends first.
func (c *Clock) WaitUntil(ctx context.Context, t time.Time) error {
	for {
		changed := c.Changed()
		left, runs := c.MachineUntil(t)
		if runs && left <= 0 {
			return ctx.Err()
		}
		if !runs {
			left = time.Hour // only a change can help; look again now and then
		}
		if err := waitFor(ctx, left, changed); err != nil {
			return err
		}
	}
}

func waitFor(ctx context.Context, d time.Duration, changed <-chan struct{}) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
	case <-changed:
	}
	return nil
}
