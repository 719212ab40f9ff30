package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
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

// way carries one command to the bot and returns what it answered.
type way func(ctx context.Context, body string) (answer []byte, err error)

// overHTTP is the way of Slack.
func overHTTP(address string, parallel int) way {
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: parallel}}
	return func(ctx context.Context, body string) ([]byte, error) {
		req, err := signed(ctx, address+"/slack/commands", body)
		if err != nil {
			return nil, err
		}
		resp, err := client.Do(req)
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		answer, err := io.ReadAll(resp.Body)
		if err == nil && resp.StatusCode != http.StatusOK {
			err = fmt.Errorf("the bot answered %s", resp.Status)
		}
		return answer, err
	}
}

// intoHandler leaves the network out.
func intoHandler(h http.Handler) way {
	return func(ctx context.Context, body string) ([]byte, error) {
		req, err := signed(ctx, "http://127.0.0.1/slack/commands", body)
		if err != nil {
			return nil, err
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		if w.Code != http.StatusOK {
			return nil, fmt.Errorf("the bot answered %d", w.Code)
		}
		return w.Body.Bytes(), nil
	}
}

// signed is a call as Slack makes it.
func signed(ctx context.Context, address, body string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(signingSecret))
	mac.Write([]byte("v0:" + stamp + ":" + body))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("X-Slack-Request-Timestamp", stamp)
	req.Header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
	return req, nil
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
	waited := make([]time.Duration, end-first)
	var next atomic.Int64
	next.Store(int64(first))
	var failed atomic.Pointer[error]
	var all sync.WaitGroup
	began := time.Now()
	for range parallel {
		all.Go(func() {
			for n := int(next.Add(1)) - 1; n < end && failed.Load() == nil; n = int(next.Add(1)) - 1 {
				sent := time.Now()
				answer, err := by(ctx, body(n))
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
