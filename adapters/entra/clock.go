package entra

import (
	"net/http"
	"sync/atomic"
	"time"
)

// clock keeps how far Graph's clock is from ours, as the last answer's Date header said.
type clock struct {
	now    func() time.Time
	offset atomic.Pointer[time.Duration]
}

// learn takes the time of an answer and returns it, or zero where the answer has none.
func (c *clock) learn(header http.Header) time.Time {
	at, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	offset := at.Sub(c.now())
	c.offset.Store(&offset)
	return at.UTC()
}

// graph is the time by Graph's clock, and whether it is known.
func (c *clock) graph() (time.Time, bool) {
	offset := c.offset.Load()
	if offset == nil {
		return time.Time{}, false
	}
	return c.now().Add(*offset).UTC(), true
}
