package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"time"
)

// newTransport is the way out, with the system's certificates and, where set,
// those of SSL_CERT_FILE, which Go reads itself.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 32, IdleConnTimeout: 90 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: 30 * time.Second,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
	}
}

// telling logs why a host was not reached: a name that is not found, a port
// that is closed, a certificate that is not trusted. People are told no more
// than that it did not work, and who operates the bot has to find out why.
type telling struct {
	next    http.RoundTripper
	log     *slog.Logger
	sandbox bool
}

// RoundTrip passes a call on. The error of a transport names hosts and ports
// and no path, in which a secret could stand.
func (t telling) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil && !errors.Is(req.Context().Err(), context.Canceled) {
		about := []any{"host", req.URL.Host, "error", err}
		if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); unknown && t.sandbox {
			about = append(about, "advice", sandboxCA)
		}
		t.log.Warn("host_not_reached", about...)
	}
	return resp, err
}

// sandboxCA is what to do about a certificate of the sandbox's, which nobody trusts by himself.
const sandboxCA = "start serve with SSL_CERT_FILE=DIR/ca.pem, where DIR is the sandbox's directory"

// CloseIdleConnections lets go of what nobody uses.
func (t telling) CloseIdleConnections() {
	if c, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
