package main

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// The pace at which the sandbox's clock is looked at, and the jump that counts
// as one: the Date header knows whole seconds only.
const (
	clockEvery = 250 * time.Millisecond
	clockJump  = 2 * time.Second
)

// sandboxClock is the machine's clock moved to the time of the sandbox.
//
// In the sandbox one world has one clock: `act clock +1h` moves the tenant, the
// workspace and the bot together, or the bot would go on waiting for an end
// that has come. Tokens and Slack's signatures stay on machine time on both
// sides, because the libraries that check them read the machine's clock.
type sandboxClock struct {
	graph  string
	client *http.Client

	mu     sync.Mutex
	offset time.Duration
	last   time.Time // what was shown last: the clock never runs backwards
}

// newSandboxClock takes the time from the Date header of the sandbox's Graph,
// now and again until ctx ends.
func newSandboxClock(ctx context.Context, graphURL string, client *http.Client) *sandboxClock {
	c := &sandboxClock{graph: graphURL, client: client}
	c.look(ctx)
	go c.follow(ctx)
	return c
}

func (c *sandboxClock) follow(ctx context.Context) {
	tick := time.NewTicker(clockEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			c.look(ctx)
		}
	}
}

// look asks once. A sandbox that does not answer moves nothing.
func (c *sandboxClock) look(ctx context.Context) {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, c.graph+"/v1.0/", nil)
	if err != nil {
		return
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return
	}
	_ = resp.Body.Close()
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		c.set(date, time.Now())
	}
}

// set takes a jump of the sandbox's clock and leaves what is only rounding.
func (c *sandboxClock) set(sandbox, machine time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	offset := sandbox.Sub(machine)
	if (offset - c.offset).Abs() > clockJump {
		c.offset = offset
	}
}

// Now returns the sandbox's time.
func (c *sandboxClock) Now() time.Time { return c.at(time.Now()) }

func (c *sandboxClock) at(machine time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := machine.Add(c.offset); t.After(c.last) {
		c.last = t
	}
	return c.last
}
