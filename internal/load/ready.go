package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// until asks an address every few milliseconds until its answer is good.
func until(ctx context.Context, address string, good func(status int, body string) bool) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		status, body := get(ctx, address)
		if good(status, body) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not become what it should: %w", address, ctx.Err())
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// get returns no status while nobody answers.
func get(ctx context.Context, address string) (status int, body string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, ""
	}
	client := &http.Client{Timeout: 5 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		return 0, ""
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, ""
	}
	return resp.StatusCode, string(text)
}

func isOK(status int, _ string) bool { return status == http.StatusOK }

// counted is the sum of a counter's or a gauge's lines on /metrics that begin so; 0 where there is none.
func counted(metrics, begin string) float64 {
	sum := 0.0
	for line := range strings.Lines(metrics) {
		if !strings.HasPrefix(line, begin) {
			continue
		}
		var value float64
		if _, err := fmt.Sscan(line[strings.LastIndexByte(line, ' ')+1:], &value); err == nil {
			sum += value
		}
	}
	return sum
}

// anonymous is the memory of a process that is not a file's, in MiB.
func (p *process) anonymous() (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	var kib float64
	_, after, _ := strings.Cut(string(status), "RssAnon:")
	_, err = fmt.Sscan(after, &kib)
	return kib / 1024, err
}
