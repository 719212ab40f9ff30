package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"
)

const (
	// pingEvery is how often the dead man's switch is called at most.
	pingEvery = time.Minute
	// pingLook is how often is looked whether there is something to say.
	pingLook = time.Second
	// pingWithin is how long a call may take.
	pingWithin = 5 * time.Second
	// pingRead is how much of an answer is read, so that the connection can be kept.
	pingRead = 4 << 10
)

// pinger says that the bot lives to a switch that gives the alarm when it hears
// nothing. It calls after a sweep that succeeded, and not while work is stuck, so
// that silence means trouble, whatever the trouble is.
type pinger struct {
	url    string // may hold a token, so no error and no log names it
	client *http.Client
	swept  func() time.Time
	stuck  func() bool
	now    func() time.Time
	log    *slog.Logger

	told    time.Time // the sweep that was told of last
	called  time.Time
	failing bool
}

// newPinger follows no redirect: the address is a credential.
func newPinger(b *bot) *pinger {
	return &pinger{
		url: b.cfg.Watch.Ping, log: b.around.log,
		client: &http.Client{
			Transport: b.around.transport, Timeout: pingWithin,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		swept: b.service.Swept,
		stuck: func() bool { return b.db.Unwritten() || b.db.SinkBehind() || b.service.Stuck() },
		now:   time.Now, // whoever waits for a call waits in machine time
	}
}

// run calls until ctx ends.
func (p *pinger) run(ctx context.Context) error {
	every(ctx, pingLook, func() { p.look(ctx) })
	return nil
}

// look calls if there is something to say. A failure is logged when it begins and
// when it ends.
func (p *pinger) look(ctx context.Context) {
	swept, now := p.swept(), p.now()
	soon := !p.called.IsZero() && now.Sub(p.called) < pingEvery
	if swept.IsZero() || swept.Equal(p.told) || soon || p.stuck() {
		return
	}
	p.called = now
	err := p.call(ctx)
	switch {
	case ctx.Err() != nil:
		return
	case err != nil && !p.failing:
		p.log.Warn("watch_not_pinged", "error", err)
	case err == nil && p.failing:
		p.log.Info("watch_pinged")
	}
	if p.failing = err != nil; !p.failing {
		p.told = swept
	}
}

// call sends one call.
func (p *pinger) call(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url, http.NoBody)
	if err != nil {
		return errors.New("watch.ping is no address") // unreachable: the settings were checked
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return errors.New("it was not reached") // the client's error names the address
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, pingRead) // what it says does not matter
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return fmt.Errorf("it answered with %d", resp.StatusCode)
	}
	return nil
}
