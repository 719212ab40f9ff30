package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A call is what Slack sends for one command, signed before the clock runs: what the sender costs is not Elevate's.
type call struct{ stamp, signature, body string }

// way carries one command to the bot and returns what it answered.
type way func(ctx context.Context, c call) (answer []byte, err error)

// overHTTP is the way of Slack: as many connections as there are commands at a time, which stay open. The requests are
// written as they are, because Go's client would take as much of the machine as the bot it measures.
func overHTTP(address string, parallel int) way {
	host := strings.TrimPrefix(address, "http://")
	idle := make(chan *wire, parallel)
	for range parallel {
		idle <- &wire{}
	}
	return func(ctx context.Context, c call) ([]byte, error) {
		w := <-idle
		defer func() { idle <- w }()
		if w.conn == nil {
			var err error
			if w.conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", host); err != nil {
				return nil, err
			}
			w.in = bufio.NewReader(w.conn)
		}
		answer, err := w.send(host, c)
		if err != nil {
			err = errors.Join(err, w.conn.Close())
			w.conn = nil
		}
		return answer, err
	}
}

// wire is a connection that stays open.
type wire struct {
	conn net.Conn
	in   *bufio.Reader
}

func (w *wire) send(host string, c call) ([]byte, error) {
	err := w.conn.SetDeadline(time.Now().Add(30 * time.Second))
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(w.conn, "POST /slack/commands HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\n%s: %s\r\n%s: %s\r\nContent-Length: %d\r\n\r\n%s",
		host, formType, stampHeader, c.stamp, signatureHeader, c.signature, len(c.body), c.body); err != nil {
		return nil, err
	}
	resp, err := http.ReadResponse(w.in, nil)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("the bot answered %s", resp.Status)
	}
	return answer, errors.Join(err, resp.Body.Close())
}

// intoHandler leaves the network out.
func intoHandler(h http.Handler) way {
	return func(ctx context.Context, c call) ([]byte, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://127.0.0.1/slack/commands", strings.NewReader(c.body))
		if err != nil {
			return nil, err
		}
		req.Header.Set("Content-Type", formType)
		req.Header.Set(stampHeader, c.stamp)
		req.Header.Set(signatureHeader, c.signature)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		if w.Code != http.StatusOK {
			return nil, fmt.Errorf("the bot answered %d", w.Code)
		}
		return w.Body.Bytes(), nil
	}
}

const (
	formType        = "application/x-www-form-urlencoded"
	stampHeader     = "X-Slack-Request-Timestamp"
	signatureHeader = "X-Slack-Signature"
)

// signed is a call as Slack makes it.
func signed(body string) call {
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(signingSecret))
	mac.Write([]byte("v0:" + stamp + ":" + body))
	return call{stamp: stamp, signature: "v0=" + hex.EncodeToString(mac.Sum(nil)), body: body}
}

// typed is the n-th thing that is sent, typed by somebody.
func typed(n, who int, text string) string {
	return url.Values{
		"token": {"x"}, "team_id": {team}, "team_domain": {"load"}, "channel_id": {approvals}, "channel_name": {"approvals"},
		"user_id": {user(who)}, "user_name": {"person"}, "command": {"/elevate"}, "text": {text}, "api_app_id": {appID},
		"response_url": {"https://hooks.slack.com/commands/T0LOADTEST/1/x"}, "trigger_id": {fmt.Sprintf("%d.%d.8fbdca8d1d9e4ff6ab0b2f7c9e1d3a55", n, scattered(n))},
	}.Encode()
}

// asking is the n-th request: the people take turns, each asks for another role each time.
func asking(n, people int) string {
	return typed(n, n%people, fmt.Sprintf("role-%02d isolating WS-042 after the alert of this morning, INC-%d", n/people, n))
}

// taken is what came of a number of commands.
type taken struct {
	lasted time.Duration
	waited []time.Duration
}

func (t *taken) add(more taken) {
	t.lasted += more.lasted
	t.waited = append(t.waited, more.waited...)
}

func (t *taken) rate() float64 { return float64(len(t.waited)) / t.lasted.Seconds() }

func (t *taken) percentile(p float64) time.Duration {
	slices.Sort(t.waited)
	return t.waited[int(float64(len(t.waited)-1)*p)]
}

// send sends the commands from first up to end, so many at a time. Each answer must say the words.
func send(ctx context.Context, by way, first, end, parallel int, words string, body func(n int) string) (taken, error) {
	waited, calls := make([]time.Duration, end-first), make([]call, end-first)
	for n := range calls {
		calls[n] = signed(body(first + n))
	}
	var next atomic.Int64
	next.Store(int64(first))
	var failed atomic.Pointer[error]
	var all sync.WaitGroup
	began := time.Now()
	for range parallel {
		all.Go(func() {
			for n := int(next.Add(1)) - 1; n < end && failed.Load() == nil; n = int(next.Add(1)) - 1 {
				sent := time.Now()
				answer, err := by(ctx, calls[n-first])
				waited[n-first] = time.Since(sent)
				if err == nil && !bytes.Contains(answer, []byte(words)) {
					err = fmt.Errorf("command %d was answered %s", n, answer)
				}
				if err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	all.Wait()
	if err := failed.Load(); err != nil {
		return taken{}, *err
	}
	return taken{lasted: time.Since(began), waited: waited}, nil
}
