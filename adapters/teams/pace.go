package teams

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"elevate/internal/pim"
)

// What Teams takes: for a bot and conversation 7 messages in 1 s, 8 in 2 s, 60
// in 30 s and 1,800 in an hour; for an app and tenant 50 requests a second, of
// which an older text says 30. Each of these holds below them.
// https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit
const (
	quickRate, quickBurst = 1.7, 4
	longRate, longBurst   = 0.48, 50
	allRate, allBurst     = 25, 25
	// longFull is how long the longest limit takes to be full again.
	longFull = 105 * time.Second
	// patience is how long a call waits for its turn. Who would wait longer is
	// told how long, so that nobody else's work waits behind.
	patience = 3 * time.Second
	// mostPaces is how many conversations' paces are kept.
	mostPaces = 4096
)

// pace keeps the calls within what Teams takes.
type pace struct {
	all *rate.Limiter

	mu   sync.Mutex
	each map[string]*turns
}

// turns are one conversation's.
type turns struct {
	quick, long *rate.Limiter
	used        time.Time
}

func newPace() *pace {
	return &pace{all: rate.NewLimiter(allRate, allBurst), each: map[string]*turns{}}
}

func (p *pace) of(conversation string) *turns {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.each[conversation]
	if t == nil {
		p.thin()
		t = &turns{quick: rate.NewLimiter(quickRate, quickBurst), long: rate.NewLimiter(longRate, longBurst)}
		p.each[conversation] = t
	}
	t.used = time.Now()
	return t
}

// thin forgets conversations whose limits are full again. The lock is held.
func (p *pace) thin() {
	if len(p.each) < mostPaces {
		return
	}
	for id, t := range p.each {
		if time.Since(t.used) > longFull {
			delete(p.each, id)
		}
	}
	for id := range p.each {
		if len(p.each) < mostPaces {
			return
		}
		delete(p.each, id)
	}
}

// wait waits for a turn in a conversation, or says how long that would take.
func (p *pace) wait(ctx context.Context, conversation string) error {
	now, t := time.Now(), p.of(conversation)
	turns := []*rate.Reservation{t.quick.ReserveN(now, 1), t.long.ReserveN(now, 1), p.all.ReserveN(now, 1)}
	var delay time.Duration
	for _, r := range turns {
		delay = max(delay, r.DelayFrom(now))
	}
	giveBack := func() {
		for _, r := range turns {
			r.CancelAt(now)
		}
	}
	if delay > patience {
		giveBack()
		return &pim.Error{Kind: pim.Throttled, Message: "Too much is said in that conversation in Teams.", RetryAfter: delay}
	}
	if delay == 0 {
		return nil
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		giveBack()
		return &pim.Error{Kind: pim.Unavailable, Message: "There was no time to write to Teams."}
	}
}
