package slack

import (
	"sync"
	"time"
)

// cache keeps what was read for a while, and never more than a number of
// entries: what comes in from outside must not make the process grow.
type cache[V any] struct {
	most int
	life time.Duration

	mu      sync.Mutex
	entries map[string]entryOf[V]
}

type entryOf[V any] struct {
	value V
	until time.Time
}

func newCache[V any](most int, life time.Duration) *cache[V] {
	return &cache[V]{most: most, life: life, entries: map[string]entryOf[V]{}}
}

func (c *cache[V]) get(key string, now time.Time) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[key]
	if !ok || !now.Before(e.until) {
		var none V
		return none, false
	}
	return e.value, true
}

func (c *cache[V]) put(key string, value V, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.store(key, value, now)
}

// first reports whether the key was not there, and puts it.
func (c *cache[V]) first(key string, value V, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries[key]; ok && now.Before(e.until) {
		return false
	}
	c.store(key, value, now)
	return true
}

func (c *cache[V]) drop(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.entries, key)
}

// store puts an entry. The lock is held.
func (c *cache[V]) store(key string, value V, now time.Time) {
	if _, known := c.entries[key]; !known && len(c.entries) >= c.most {
		c.thin(now)
	}
	c.entries[key] = entryOf[V]{value: value, until: now.Add(c.life)}
}

// thin drops what is over, and if that is not enough a tenth of the rest, so
// that a full cache is not walked through for each entry.
func (c *cache[V]) thin(now time.Time) {
	for key, e := range c.entries {
		if !now.Before(e.until) {
			delete(c.entries, key)
		}
	}
	for key := range c.entries {
		if len(c.entries) <= c.most-c.most/10-1 {
			return
		}
		delete(c.entries, key)
	}
}
