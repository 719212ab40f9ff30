package simteams

import (
	"math"
	"time"
)

// limit is how many calls may be made within a time.
type limit struct {
	within time.Duration
	calls  int
}

// The limits of one bot in one conversation, for each of sending, creating and reading, and those of one bot in one tenant.
// https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit
var (
	writing   = []limit{{time.Second, 7}, {2 * time.Second, 8}, {30 * time.Second, 60}, {time.Hour, 1800}}
	reading   = []limit{{time.Second, 14}, {2 * time.Second, 16}, {30 * time.Second, 120}, {time.Hour, 3600}}
	perTenant = []limit{{time.Second, 50}}
)

// rates remember when calls were made, in machine time.
type rates map[string][]time.Time

func newRates() rates { return rates{} }

// take counts a call that is within the limits, and else says for how long to wait.
func (r rates) take(key string, limits []limit, now time.Time) time.Duration {
	made := r[key]
	longest := limits[len(limits)-1].within
	for len(made) > 0 && now.Sub(made[0]) >= longest {
		made = made[1:]
	}
	for _, l := range limits {
		if len(made) < l.calls {
			continue
		}
		if passed := now.Sub(made[len(made)-l.calls]); passed < l.within {
			r[key] = made
			return l.within - passed
		}
	}
	r[key] = append(made, now)
	return 0
}

// throttle refuses a call that is too many. The lock is held.
func (s *Server) throttle(o operation, conversation string) *restError {
	if s.cfg.Unlimited {
		return nil
	}
	now := s.cfg.Now()
	limits, key := writing, "send "+conversation
	switch {
	case o.reads:
		limits, key = reading, "read "+conversation
	case o.name == opCreate:
		key = "create " + conversation
	}
	left := s.rates.take(key, limits, now)
	if left == 0 {
		left = s.rates.take("tenant", perTenant, now)
	}
	if left == 0 {
		return nil
	}
	e := refuse("Throttled")
	e.retry = max(int(math.Ceil(left.Seconds())), 1)
	return e
}
