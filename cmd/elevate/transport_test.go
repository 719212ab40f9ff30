package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestOperatorIsToldWhyAHostWasNotReached(t *testing.T) {
	t.Parallel()
	untrusted := httptest.NewTLSServer(http.NotFoundHandler())
	defer untrusted.Close()
	var log strings.Builder
	way := telling{newTransport(), slog.New(slog.NewTextHandler(&log, nil)), true}
	defer way.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, untrusted.URL+"/hooks/secret?code=hush", nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := way.RoundTrip(req); err == nil {
		t.Error("an untrusted certificate was taken", resp.Body.Close())
	}
	if said := log.String(); !strings.Contains(said, "certificate signed by unknown authority") || !strings.Contains(said, req.URL.Host) {
		t.Errorf("logged %q", said)
	}
	if said := log.String(); !strings.Contains(said, "SSL_CERT_FILE=DIR/ca.pem") {
		t.Errorf("in a sandbox nobody is told how to trust it: %q", said)
	}
	if said := log.String(); strings.Contains(said, "secret") || strings.Contains(said, "hush") {
		t.Errorf("the path or query is in %q", said)
	}
}
