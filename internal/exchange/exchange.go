// Package exchange sends one HTTP call and reads its whole answer, within
// limits, and says of a failure whether the call may have been carried out. Its
// errors name no address: that of some calls is a credential.
package exchange

import (
	"bytes"
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
	// Timeout is the longest a call may take.
	Timeout   = 10 * time.Second
	maxAnswer = 1 << 20
	// WaitUnsaid is how long to wait after a 429 that does not say how long.
	WaitUnsaid = 60 * time.Second
)

// Error says how far a call came that got no usable answer. It carries no
// address.
type Error struct {
	// Sent says that the other side may have read the whole call, so it may have been done.
	Sent bool
	What string
}

// Error says what went wrong.
func (e *Error) Error() string { return e.What }

// Do carries out a round trip and reads the answer whole.
func Do(next http.RoundTripper, req *http.Request) (*http.Response, error) {
	var sent atomic.Bool
	trace := &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }}
	resp, err := next.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
	if err != nil {
		return nil, &Error{Sent: sent.Load(), What: reason(err)}
	}
	wire := resp.Body
	defer func() { _ = wire.Close() }()
	body, err := io.ReadAll(io.LimitReader(wire, maxAnswer+1))
	switch {
	case err != nil:
		return nil, &Error{Sent: true, What: "the answer broke off: " + reason(err)}
	case len(body) > maxAnswer:
		return nil, &Error{Sent: true, What: "the answer is too long"}
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	resp.ContentLength = int64(len(body))
	return resp, nil
}

// RetryAfter is the number of seconds that a 429 asks for.
func RetryAfter(h http.Header) string {
	n, err := strconv.Atoi(strings.TrimSpace(h.Get("Retry-After")))
	switch {
	case err != nil || n < 0 || n > int(time.Hour/time.Second):
		return strconv.Itoa(int(WaitUnsaid / time.Second))
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

// NewTransport is a way to the network with a limit on everything that can
// take long.
func NewTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: Timeout, IdleConnTimeout: 90 * time.Second,
		MaxIdleConns: 64, MaxIdleConnsPerHost: 32, MaxResponseHeaderBytes: 64 << 10,
	}
}

// NewClient follows no redirect: the call carries a token.
func NewClient(rt http.RoundTripper) *http.Client {
	return &http.Client{
		Transport: rt, Timeout: Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Whole is a round trip that reads each answer to its end.
type Whole struct{ Next http.RoundTripper }

// RoundTrip sends a call and returns its whole answer, or an Error.
func (w Whole) RoundTrip(req *http.Request) (*http.Response, error) { return Do(w.Next, req) }
