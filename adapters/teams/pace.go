package teams

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"elevate/internal/pim"
)

// What Teams takes: for a bot and conversation 7 messages in 1 s, 8 in 2 s, 60
// in 30 s and 1,800 in an hour, and twice that for reading; for an app and
// tenant 50 requests a second, of which an older text says 30. Each of these
// holds below them.
// https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit
const (
	quickRate, quickBurst = 1.7, 4
	longRate, longBurst   = 0.48, 50
	allRate, allBurst     = 20, 10
	// patience is how long a call waits for its turn. Who would wait longer is
	// told how long, so that nobody else's work waits behind.
	patience = 3 * time.Second
	// mostPaces is how many conversations' paces are kept.
	mostPaces = 4096
)

// pace keeps the calls within what Teams takes. Each conversation has a queue of
// its own: one that is full, or told to wait, holds no other.
type pace struct {
	now func() time.Time
	all *rate.Limiter

	mu   sync.Mutex
	each map[string]*turns
}

// turns are one conversation's.
type turns struct {
	quick, long *rate.Limiter
	until       time.Time // Teams asked to wait so long
}

func newPace(now func() time.Time) *pace {
	return &pace{now: now, all: rate.NewLimiter(allRate, allBurst), each: map[string]*turns{}}
}

func (p *pace) of(lane string, now time.Time) *turns {
	t := p.each[lane]
	if t == nil {
		p.thin(now)
		times := 1
		if isReading(lane) {
			times = 2
		}
		t = &turns{quick: rate.NewLimiter(quickRate*rate.Limit(times), quickBurst*times), long: rate.NewLimiter(longRate*rate.Limit(times), longBurst*times)}
		p.each[lane] = t
	}
	return t
}

// thin forgets conversations whose limits are full again, and if that is not
// enough some others. The lock is held.
func (p *pace) thin(now time.Time) {
	if len(p.each) < mostPaces {
		return
	}
	for lane, t := range p.each {
		if t.long.TokensAt(now) >= float64(t.long.Burst()) && now.After(t.until) {
			delete(p.each, lane)
		}
	}
	for lane := range p.each {
		if len(p.each) < mostPaces-mostPaces/10 {
			return
		}
		delete(p.each, lane)
	}
}

// hold notes that Teams asked to wait with a conversation.
func (p *pace) hold(lane string, d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	t := p.of(lane, now)
	if until := now.Add(d); until.After(t.until) { // of two calls the one that was told to wait longer counts
		t.until = until
	}
}

// turn returns after what time it is a call's turn, or how long that would take
// where it is too long to wait for.
func (p *pace) turn(lane string) (delay time.Duration, giveBack func(), err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	t := p.of(lane, now)
	if delay = t.until.Sub(now); delay > patience {
		return 0, nil, waitFor(delay)
	}
	taken := []*rate.Reservation{t.quick.ReserveN(now, 1), t.long.ReserveN(now, 1), p.all.ReserveN(now, 1)}
	giveBack = func() {
		for _, r := range taken {
			r.CancelAt(now)
		}
	}
	for _, r := range taken {
		delay = max(delay, r.DelayFrom(now))
	}
	if delay > patience {
		giveBack()
		return 0, nil, waitFor(delay)
	}
	return max(delay, 0), giveBack, nil
}

func waitFor(d time.Duration) error {
	return &pim.Error{Kind: pim.Throttled, Message: "Too much is said in that conversation in Teams.", RetryAfter: d}
}

// wait waits for a turn in a conversation. Its errors are Throttled, with how
// long it would take, and Unavailable, when there was no time left.
func (p *pace) wait(ctx context.Context, lane string) error {
	delay, giveBack, err := p.turn(lane)
	if err != nil || delay == 0 {
		return err
	}
	if err := pause(ctx, delay); err != nil {
		giveBack()
		return err
	}
	return nil
}

// pause waits, unless there is no time.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return &pim.Error{Kind: pim.Unavailable, Message: "There was no time to write to Teams."}
	}
}
