package bounded

import (
	"sync"
	"time"
)

// Cache keeps what was read for a while, and never more than a number of
// entries. It is safe for concurrent use.
type Cache[V any] struct {
	most int
	life time.Duration

	mu      sync.Mutex
	entries map[string]entryOf[V]
}

type entryOf[V any] struct {
	value V
	until time.Time
}

// NewCache returns a cache for at most so many entries, each for so long.
func NewCache[V any](most int, life time.Duration) *Cache[V] {
	return &Cache[V]{most: most, life: life, entries: map[string]entryOf[V]{}}
}

// Get returns what was put under the key, unless it is too old.
func (c *Cache[V]) Get(key string, now time.Time) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[key]
	if !ok || !now.Before(e.until) {
		var none V
		return none, false
	}
	return e.value, true
}

// Put keeps a value.
func (c *Cache[V]) Put(key string, value V, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.store(key, value, now)
}

// First reports whether the key was not there, and puts it.
func (c *Cache[V]) First(key string, value V, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries[key]; ok && now.Before(e.until) {
		return false
	}
	c.store(key, value, now)
	return true
}

// Drop forgets a key.
func (c *Cache[V]) Drop(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.entries, key)
}

// store puts an entry. The lock is held.
func (c *Cache[V]) store(key string, value V, now time.Time) {
	if _, known := c.entries[key]; !known && len(c.entries) >= c.most {
		c.thin(now)
	}
	c.entries[key] = entryOf[V]{value: value, until: now.Add(c.life)}
}

// thin drops what is over, and if that is not enough a tenth of the rest, so
// that a full cache is not walked through for each entry.
func (c *Cache[V]) thin(now time.Time) {
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
