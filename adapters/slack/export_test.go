package slack

import (
	"context"
	"time"
)

// NewPace is the pace of new messages, for its test.
func NewPace(now func() time.Time) *pace { return newPace(now) }

// Wait waits for a turn.
func (p *pace) Wait(ctx context.Context, channel string) error { return p.wait(ctx, channel) }
