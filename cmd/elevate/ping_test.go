package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"elevate/internal/config"
)

// switchboard is a dead man's switch in memory. Its fields are changed only under the mutex.
type switchboard struct {
	mu       sync.Mutex
	calls    []time.Time
	status   int
	location string
	err      error
	read     int // of the last body
}

func (s *switchboard) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
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
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read += len(p)
	return len(p), nil
}

func (*switchboard) Close() error { return nil }

// count is how often it was called.
func (s *switchboard) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.calls)
}

// set changes it while it is called.
func (s *switchboard) set(change func(*switchboard)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

const secretPing = "https://watch.example/T0KEN?key=T0KEN"

func TestTheSwitchIsCalledAfterSweepsThatSucceedAndFallsSilentWithThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		board := &switchboard{status: http.StatusOK}
		var swept atomic.Pointer[time.Time]
		var stuck atomic.Bool
		swept.Store(&time.Time{})
		sweeps := false
		p := &pinger{
			url: secretPing, log: slog.New(slog.NewTextHandler(&log, nil)), now: time.Now,
			client: newPinger(&bot{cfg: &config.Config{}, around: surroundings{transport: board}}).client,
			swept:  func() time.Time { return *swept.Load() }, stuck: stuck.Load,
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- p.run(ctx) }()
		// called is how often it was called in ten minutes, with a sweep every twenty seconds where they succeed.
		called := func() int {
			before := board.count()
			for range 30 {
				if sweeps {
					now := time.Now()
					swept.Store(&now)
				}
				time.Sleep(20 * time.Second)
			}
			synctest.Wait()
			return board.count() - before
		}
		if n := called(); n != 0 {
			t.Errorf("before the first sweep it was called %d times", n)
		}
		sweeps = true
		if n := called(); n != 10 {
			t.Errorf("in ten good minutes it was called %d times", n)
		}
		board.set(func(s *switchboard) {
			for i := 1; i < len(s.calls); i++ {
				if apart := s.calls[i].Sub(s.calls[i-1]); apart < time.Minute {
					t.Errorf("two calls are %s apart", apart)
				}
			}
			if s.read > 64<<10 {
				t.Errorf("%d bytes of an answer without end were read", s.read)
			}
		})
		sweeps = false
		if n := called(); n > 1 {
			t.Errorf("while sweeps failed it was called %d times", n)
		}
		sweeps = true
		stuck.Store(true)
		if n := called(); n != 0 {
			t.Errorf("while work was stuck it was called %d times", n)
		}
		stuck.Store(false)
		board.set(func(s *switchboard) { s.status, s.location = http.StatusFound, "https://elsewhere.example/" })
		if n := called(); n != 10 {
			t.Errorf("a switch that sends elsewhere was called %d times", n)
		}
		board.set(func(s *switchboard) { s.err = errors.New(`Get "` + secretPing + `": connection refused`) })
		called()
		board.set(func(s *switchboard) { s.err, s.status = nil, http.StatusNoContent })
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
