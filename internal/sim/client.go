package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"syscall"
	"time"
)

// Client acts in a sandbox that runs as another process.
type Client struct {
	Addr  string // host:port of the control API
	Token string
}

// ErrNotRunning says that no sandbox was started with a directory, or that it has ended since.
var ErrNotRunning = errors.New("no sandbox is running")

// OpenClient finds the sandbox that keeps its addresses in a directory.
func OpenClient(dir string) (Client, error) {
	a, err := home(dir).addresses()
	if err != nil {
		return Client{}, err
	}
	if a.Control == "" {
		return Client{}, ErrNotRunning
	}
	return Client{Addr: a.Control, Token: a.Token}, nil
}

// Do carries out one line of the language of acts.
func (c Client) Do(ctx context.Context, words []string) (Result, error) {
	body, err := json.Marshal(actRequest{Words: words})
	if err != nil {
		return Result{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+c.Addr+"/act", bytes.NewReader(body))
	if err != nil {
		return Result{}, err
	}
	req.Header.Set("Authorization", "Bearer "+c.Token)
	client := &http.Client{Timeout: actWithin + 5*time.Second}
	resp, err := client.Do(req)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return Result{}, ErrNotRunning
	}
	if err != nil {
		return Result{}, fmt.Errorf("the sandbox does not answer: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	return readAnswer(resp)
}

func readAnswer(resp *http.Response) (Result, error) {
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	if err != nil {
		return Result{}, fmt.Errorf("reading the sandbox's answer: %w", err)
	}
	var answer actAnswer
	if err := json.Unmarshal(raw, &answer); err != nil {
		return Result{}, fmt.Errorf("the sandbox answered with status %d: %s", resp.StatusCode, bytes.TrimSpace(raw))
	}
	if answer.Unknown != nil {
		return answer.Result, answer.Unknown
	}
	if answer.Error != "" {
		return answer.Result, errors.New(answer.Error)
	}
	return answer.Result, nil
}
