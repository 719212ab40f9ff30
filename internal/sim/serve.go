package sim

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"
)

const closeWithin = 3 * time.Second

// serve starts one server a port.
func (s *Sandbox) serve(ctx context.Context, ports listeners) error {
	leaf, err := s.ca.leaf(s.now())
	if err != nil {
		return err
	}
	config := &tls.Config{Certificates: []tls.Certificate{leaf}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
	plain := ports.control
	servers := map[net.Listener]*http.Server{
		tls.NewListener(ports.login, config):     newServer(s.Entra.LoginHandler()),
		tls.NewListener(ports.graph, config):     newServer(s.Entra.GraphHandler()),
		tls.NewListener(ports.slack, config):     newServer(s.Slack.Handler()),
		tls.NewListener(ports.teams, config):     newServer(s.Teams.Handler()),
		tls.NewListener(ports.pagerDuty, config): newServer(s.PagerDuty.Handler()),
		tls.NewListener(ports.door, config):      newServer(s.door()),
		plain:                                    newServer(s.control()),
	}
	var running sync.WaitGroup
	for listener, server := range servers {
		running.Go(func() { _ = server.Serve(listener) }) // ends with ErrServerClosed, by Close
	}
	s.stop = sync.OnceValue(func() error {
		s.Slack.Close()
		err := shutdown(context.WithoutCancel(ctx), servers)
		running.Wait()
		return err
	})
	return nil
}

func newServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
}

// shutdown lets requests finish for a moment, then cuts them.
func shutdown(ctx context.Context, servers map[net.Listener]*http.Server) error {
	ctx, cancel := context.WithTimeout(ctx, closeWithin)
	defer cancel()
	var errs []error
	for _, server := range servers {
		if err := server.Shutdown(ctx); err != nil {
			errs = append(errs, server.Close())
		}
	}
	return errors.Join(errs...)
}

// door forwards to the bot what reaches its public address. A real deployment ends TLS in front of the bot, too, and
// browsers keep __Host- cookies over TLS only.
func (s *Sandbox) door() http.Handler {
	bot := &url.URL{Scheme: "http", Host: s.BotListen}
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(bot)
			r.SetXForwarded()
			r.Out.Host = r.In.Host
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			http.Error(w, "The bot does not answer at "+s.BotListen+".", http.StatusBadGateway)
		},
		Transport: &http.Transport{DialContext: (&net.Dialer{Timeout: 2 * time.Second}).DialContext, ResponseHeaderTimeout: 30 * time.Second},
	}
}

func (s *Sandbox) transport() *http.Transport {
	return &http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: s.ca.pool(), MinVersion: tls.VersionTLS12},
		DialContext:         (&net.Dialer{Timeout: 2 * time.Second}).DialContext,
		MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: 5 * time.Second,
	}
}
