package main

import (
	"context"
	"time"
)

// checkUpEvery is how often a running bot looks at itself as doctor does.
const checkUpEvery = 24 * time.Hour

// checkUps makes doctor's cheap checks at the start and once a day: the
// application's permissions, the clock, addresses, tokens, scopes and channels.
// What is wrong is logged and said on /readyz; nothing stops because of it.
func (b *bot) checkUps(ctx context.Context) error {
	every(ctx, checkUpEvery, func() { b.checkUp(ctx) })
	return nil
}

func (b *bot) checkUp(ctx context.Context) {
	d := &doctor{
		cfg: b.cfg, transport: b.around.transport, log: b.around.log, now: b.around.now,
		entraOwn: b.entra, slackOwn: b.slack, teamsOwn: b.teams,
		tell: func(c checked) {
			if c.Verdict == wrong && ctx.Err() == nil {
				b.around.log.Warn("check_failed", "about", c.About, "what", c.What, "said", c.Said, "mend", c.Mend)
			}
		},
	}
	d.check(ctx, d.entra, d.slack, d.teams, d.pagerDuty)
	if ctx.Err() == nil {
		b.unwell.Store(int64(d.wrongs))
	}
}
