package slack

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"elevate/internal/bounded"
	"elevate/internal/pim"
)

// What Slack takes of new messages: about one a second in a channel, and short
// bursts. Of the rest its answers say how long to wait.
// https://docs.slack.dev/apis/web-api/rate-limits
const (
	postEvery = time.Second
	postBurst = 5
	// patience is how long a message waits for its turn. One that would wait longer is
	// told how long, so that nobody else's work waits behind it.
	patience = 3 * time.Second
)

// pace keeps new messages within what Slack takes, in each channel by itself.
type pace struct {
	now func() time.Time

	mu   sync.Mutex
	each *bounded.Cache[*rate.Limiter]
}

func newPace(now func() time.Time) *pace {
	return &pace{now: now, each: bounded.NewCache[*rate.Limiter](10_000, time.Hour)}
}

// turn returns after what time it is a message's turn, or how long that would take
// where it is too long to wait for.
func (p *pace) turn(channel string) (time.Duration, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	turns, known := p.each.Get(channel, now)
	if !known {
		turns = rate.NewLimiter(rate.Every(postEvery), postBurst)
		p.each.Put(channel, turns, now)
	}
	mine := turns.ReserveN(now, 1)
	delay := mine.DelayFrom(now)
	if delay > patience {
		mine.CancelAt(now)
		return 0, &pim.Error{Kind: pim.Throttled, Message: "Too much is said in that channel in Slack.", RetryAfter: delay}
	}
	return delay, nil
}

// wait waits for a turn in a channel.
func (p *pace) wait(ctx context.Context, channel string) error {
	delay, err := p.turn(channel)
	if err != nil || delay <= 0 {
		return err
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return &pim.Error{Kind: pim.Unavailable, Message: "There was no time to write to Slack."}
	}
}
