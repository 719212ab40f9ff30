package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"elevate/internal/config"
)

// switchboard is a dead man's switch in memory.
type switchboard struct {
	calls    []time.Time
	status   int
	location string
	err      error
	read     int // of the last body
}

func (s *switchboard) RoundTrip(r *http.Request) (*http.Response, error) {
	s.calls = append(s.calls, time.Now())
	if s.err != nil {
		return nil, s.err
	}
	if r.Method != http.MethodGet || r.URL.String() != secretPing {
		return nil, errors.New("another call")
	}
	return &http.Response{StatusCode: s.status, Header: http.Header{"Location": {s.location}}, Body: s, Request: r}, nil
}

// Read never ends.
func (s *switchboard) Read(p []byte) (int, error) {
	s.read += len(p)
	return len(p), nil
}

func (*switchboard) Close() error { return nil }

const secretPing = "https://watch.example/T0KEN?key=T0KEN"

func TestTheSwitchIsCalledAfterSweepsThatSucceedAndFallsSilentWithThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		board := &switchboard{status: http.StatusOK}
		swept, stuck, sweeps := time.Time{}, false, false
		p := &pinger{
			url: secretPing, log: slog.New(slog.NewTextHandler(&log, nil)), now: time.Now,
			client: newPinger(&bot{cfg: &config.Config{}, around: surroundings{transport: board}}).client,
			swept:  func() time.Time { return swept }, stuck: func() bool { return stuck },
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- p.run(ctx) }()
		// called is how often it was called in ten minutes, with a sweep every twenty seconds where they succeed.
		called := func() int {
			before := len(board.calls)
			for range 30 {
				if sweeps {
					swept = time.Now()
				}
				time.Sleep(20 * time.Second)
			}
			synctest.Wait()
			return len(board.calls) - before
		}
		if n := called(); n != 0 {
			t.Errorf("before the first sweep it was called %d times", n)
		}
		sweeps = true
		if n := called(); n != 10 {
			t.Errorf("in ten good minutes it was called %d times", n)
		}
		for i := 1; i < len(board.calls); i++ {
			if apart := board.calls[i].Sub(board.calls[i-1]); apart < time.Minute {
				t.Errorf("two calls are %s apart", apart)
			}
		}
		if board.read > 64<<10 {
			t.Errorf("%d bytes of an answer without end were read", board.read)
		}
		sweeps = false
		if n := called(); n > 1 {
			t.Errorf("while sweeps failed it was called %d times", n)
		}
		sweeps, stuck = true, true
		if n := called(); n != 0 {
			t.Errorf("while work was stuck it was called %d times", n)
		}
		stuck = false
		board.status, board.location = http.StatusFound, "https://elsewhere.example/"
		if n := called(); n != 10 {
			t.Errorf("a switch that sends elsewhere was called %d times", n)
		}
		board.err = errors.New(`Get "` + secretPing + `": connection refused`)
		called()
		board.err, board.status = nil, http.StatusNoContent
		called()
		if strings.Count(log.String(), "watch_not_pinged") != 1 || strings.Count(log.String(), "watch_pinged") != 1 || !strings.Contains(log.String(), "it answered with 302") {
			t.Errorf("logged:\n%s", log.String())
		}
		if strings.Contains(log.String(), "T0KEN") {
			t.Errorf("the address is logged:\n%s", log.String())
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

var _ io.ReadCloser = (*switchboard)(nil)
