package simchat

import (
	"context"
	"sync"
)

// Changes numbers the changes of everything that anybody can see, and wakes those who wait for one.
type Changes struct {
	count func() int // gives the numbers; nil counts here

	mu       sync.Mutex
	revision int
	changed  chan struct{}
}

// NewChanges returns a count of its own, or one whose numbers come from elsewhere.
func NewChanges(count func() int) *Changes {
	return &Changes{count: count, changed: make(chan struct{})}
}

// Revision is the number of the last change.
func (c *Changes) Revision() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.revision
}

// WaitFor returns when ok does, looking again after each change, or with the context's error.
func (c *Changes) WaitFor(ctx context.Context, ok func() bool) error {
	for {
		c.mu.Lock()
		changed := c.changed
		c.mu.Unlock()
		if ok() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Touch records a change and returns its number.
func (c *Changes) Touch() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count != nil {
		c.revision = c.count()
	} else {
		c.revision++
	}
	close(c.changed)
	c.changed = make(chan struct{})
	return c.revision
}
