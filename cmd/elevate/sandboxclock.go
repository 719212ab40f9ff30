package main

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"elevate/internal/tenant"
)

// clockEvery is the pace at which the sandbox's clock is looked at.
const clockEvery = 250 * time.Millisecond

// sandboxClock is the machine's clock moved to the time of the sandbox.
//
// In the sandbox one world has one clock: `act clock +1h` moves the tenant, the
// workspace and the bot together, or the bot would go on waiting for an end
// that has come. Tokens and Slack's signatures stay on machine time on both
// sides, because the libraries that check them read the machine's clock.
type sandboxClock struct {
	url    string
	client *http.Client

	mu     sync.Mutex
	offset time.Duration
	last   time.Time // what was shown last: the clock never runs backwards
}

// newSandboxClock asks the sandbox for its time, now and again until ctx ends.
func newSandboxClock(ctx context.Context, url string, client *http.Client) *sandboxClock {
	c := &sandboxClock{url: url, client: client}
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
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 64))
	if err != nil {
		return
	}
	if told, err := time.Parse(time.RFC3339Nano, string(text)); err == nil {
		c.set(told, time.Now())
	}
}

// set takes over how far the sandbox's clock is from the machine's.
func (c *sandboxClock) set(told, machine time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset = told.Sub(machine)
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

// wait waits until so much time has gone by in the sandbox.
func (c *sandboxClock) wait(ctx context.Context, d time.Duration) error {
	for due := c.Now().Add(d); c.Now().Before(due); {
		if err := tenant.Wait(ctx, min(clockEvery, d)); err != nil {
			return err
		}
	}
	return nil
}
