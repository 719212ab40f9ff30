package slack

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	callTimeout = 10 * time.Second
	maxAnswer   = 1 << 20
	// waitUnsaid is how long to wait after a 429 that does not say how long,
	// as Slack's own clients do.
	waitUnsaid = 60 * time.Second
)

// wireError says how far a call came that got no usable answer. It carries no
// address: that of a response URL is a credential.
type wireError struct {
	// sent says that Slack may have read the whole call, so it may have been done.
	sent bool
	what string
}

func (e *wireError) Error() string { return e.what }

// wire stands between slack-go and the network and mends three things of
// slack-go: it takes {"ok":false} without an error, and {}, for success; it
// reads answers of any length; and it reads a 429 without a usable Retry-After
// as an ordinary failure.
type wire struct{ next http.RoundTripper }

// RoundTrip sends a call and returns a complete answer of Slack's, or a wireError.
func (w wire) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := exchange(w.next, req)
	if err != nil {
		return nil, err
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests:
		resp.Header.Set("Retry-After", retryAfter(resp.Header))
	case http.StatusOK:
		if err := envelope(resp); err != nil {
			return nil, err
		}
	}
	return resp, nil
}

// exchange carries out a round trip and reads the answer whole.
func exchange(next http.RoundTripper, req *http.Request) (*http.Response, error) {
	var sent atomic.Bool
	trace := &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }}
	resp, err := next.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
	if err != nil {
		return nil, &wireError{sent: sent.Load(), what: reason(err)}
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, &wireError{sent: true, what: "the answer broke off: " + reason(err)}
	case len(body) > maxAnswer:
		return nil, &wireError{sent: true, what: "the answer is too long"}
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	resp.ContentLength = int64(len(body))
	return resp, nil
}

// envelope refuses an answer that says neither yes nor why not.
func envelope(resp *http.Response) error {
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return &wireError{sent: true, what: "the answer could not be read"}
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	var answer struct {
		OK    *bool  `json:"ok"`
		Error string `json:"error"`
	}
	switch err := json.Unmarshal(body, &answer); {
	case err != nil || answer.OK == nil:
		return &wireError{sent: true, what: "the answer is not one of Slack's"}
	case !*answer.OK && strings.TrimSpace(answer.Error) == "":
		return &wireError{what: "Slack refused without saying why"}
	}
	return nil
}

// retryAfter is the number of seconds that a 429 asks for.
func retryAfter(h http.Header) string {
	n, err := strconv.Atoi(strings.TrimSpace(h.Get("Retry-After")))
	switch {
	case err != nil || n < 0 || n > int(time.Hour/time.Second):
		return strconv.Itoa(int(waitUnsaid / time.Second))
	case n == 0:
		return "1"
	}
	return strconv.Itoa(n)
}

// reason says what happened on the network without naming an address.
func reason(err error) string {
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed"
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return fmt.Sprintf("%s failed", op.Op)
	}
	return "the connection failed"
}

// newTransport is the way to Slack when none is given: with a limit on
// everything that can take long.
func newTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: callTimeout, IdleConnTimeout: 90 * time.Second,
		MaxIdleConns: 64, MaxIdleConnsPerHost: 32, MaxResponseHeaderBytes: 64 << 10,
	}
}

// newHTTPClient follows no redirect: Slack's API has none, and the call carries
// a token.
func newHTTPClient(rt http.RoundTripper) *http.Client {
	return &http.Client{
		Transport: rt, Timeout: callTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
