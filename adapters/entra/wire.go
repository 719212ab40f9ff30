package entra

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"sync/atomic"
	"time"
)

// maxBody bounds an answer of Graph. A batch of twenty full pages stays well below.
const maxBody = 16 << 20

var errTooBig = errors.New("the answer is bigger than Elevate reads")

// exchange is what one call looked like on the wire. The SDK loses most of it.
type exchange struct {
	sent   atomic.Bool // something may have reached Graph
	status int         // 0 while no answer came
	header http.Header
	body   []byte
	at     time.Time // Graph's clock
}

// wire carries one call: it notes the exchange, reads the answer whole and capped, and repairs it.
type wire struct {
	next  http.RoundTripper
	clock *clock
	seen  *exchange
}

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(request *http.Request) (*http.Response, error) {
	trace := &httptrace.ClientTrace{WroteHeaders: func() { w.seen.sent.Store(true) }}
	request = request.Clone(httptrace.WithClientTrace(request.Context(), trace))
	if err := measureBody(request); err != nil {
		return nil, err
	}
	response, err := w.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	w.seen.sent.Store(true)
	w.seen.at = w.clock.learn(response.Header)
	body, err := readCapped(response.Body)
	if err != nil {
		return nil, err
	}
	w.seen.status, w.seen.header, w.seen.body = response.StatusCode, response.Header.Clone(), body
	if response.StatusCode < 300 {
		body = respell(body)
	}
	soberChallenge(response)
	response.Body = io.NopCloser(bytes.NewReader(body))
	response.ContentLength = int64(len(body))
	response.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return response, nil
}

// measureBody gives a request's body the length that the SDK leaves out.
func measureBody(request *http.Request) error {
	if request.Body == nil || request.Body == http.NoBody {
		return nil
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return err
	}
	request.ContentLength = int64(len(body))
	request.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	request.Body, err = request.GetBody()
	return err
}

func readCapped(r io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, maxBody+1))
	if err == nil && len(body) > maxBody {
		return nil, errTooBig
	}
	return body, err
}

// soberChallenge leaves the SDK a challenge only in the one form that it can read: others make it panic.
func soberChallenge(response *http.Response) {
	claims := headerClaims(response.Header)
	response.Header.Del("WWW-Authenticate")
	if response.StatusCode == http.StatusUnauthorized && claims != "" {
		response.Header.Set("WWW-Authenticate", `Bearer claims="`+base64.StdEncoding.EncodeToString([]byte(claims))+`"`)
	}
}
