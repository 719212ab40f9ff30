package sim

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// The files the sandbox keeps in its directory.
const (
	addressFile = "sandbox.json" // addresses and the control token; 0600
	caFile      = "ca.pem"
	caKeyFile   = "ca-key.pem" // 0600
)

// addresses are where everything listens, as host:port. They are kept, so that a bot that was configured for one run
// of the sandbox fits the next.
type addresses struct {
	Login     string `json:"login"`
	Graph     string `json:"graph"`
	Slack     string `json:"slack"`
	Teams     string `json:"teams"`
	PagerDuty string `json:"pagerduty"`
	Door      string `json:"door"`
	Control   string `json:"control"`
	Token     string `json:"token"` // of the control API
	Bot       string `json:"bot"`
	BotAdmin  string `json:"bot_admin"`
	StartedAt string `json:"started_at"`
}

// home is the directory a sandbox keeps between runs; empty: nothing is kept.
type home string

func (h home) read(name string) ([]byte, error) {
	if h == "" {
		return nil, fs.ErrNotExist
	}
	return os.ReadFile(filepath.Join(string(h), name)) //nolint:gosec // the operator's own directory
}

func (h home) write(name string, content []byte, mode fs.FileMode) error {
	if h == "" {
		return nil
	}
	if err := os.MkdirAll(string(h), 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(string(h), name), content, mode)
}

// addresses reads those of the last run; none at the first.
func (h home) addresses() (addresses, error) {
	var a addresses
	raw, err := h.read(addressFile)
	if errors.Is(err, fs.ErrNotExist) {
		return a, nil
	}
	if err != nil {
		return a, err
	}
	if err := json.Unmarshal(raw, &a); err != nil {
		return a, fmt.Errorf("reading %s: %w", addressFile, err)
	}
	return a, nil
}

func (h home) keep(a addresses) error {
	raw, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return err
	}
	return h.write(addressFile, append(raw, '\n'), 0o600)
}

// authority takes up the certificate authority of the last run, or makes one.
func (h home) authority(now time.Time) (*authority, error) {
	cert, certErr := h.read(caFile)
	key, keyErr := h.read(caKeyFile)
	if certErr == nil && keyErr == nil {
		if a, err := readAuthority(cert, key, now); err == nil {
			return a, nil
		}
	}
	a, err := newAuthority(now)
	if err != nil {
		return nil, err
	}
	private, err := a.keyPEM()
	if err != nil {
		return nil, err
	}
	return a, errors.Join(h.write(caFile, a.pem, 0o644), h.write(caKeyFile, private, 0o600))
}

// listen opens a port on loopback: the wished one if it is free, else any.
func listen(ctx context.Context, wished string) (net.Listener, error) {
	var config net.ListenConfig
	if host, _, err := net.SplitHostPort(wished); err == nil && host == "127.0.0.1" {
		if l, err := config.Listen(ctx, "tcp", wished); err == nil {
			return l, nil
		}
	}
	return config.Listen(ctx, "tcp", "127.0.0.1:0")
}

// Ports for somebody else come from below those that systems give out by themselves (from 32768 or 49152 on): until the
// other one listens nobody is to be given the same.
const lowestPort, ports = 20_000, 12_000

// reserve finds a free port for somebody else to listen on, which is not the one that is taken for them already.
func reserve(ctx context.Context, wished, taken string) (string, error) {
	for range 100 {
		if wished == taken {
			wished = ""
		}
		l, err := listen(ctx, wished)
		if err != nil {
			return "", err
		}
		if err := l.Close(); err != nil || l.Addr().String() == wished {
			return wished, err
		}
		n, err := rand.Int(rand.Reader, big.NewInt(ports))
		if err != nil {
			return "", err
		}
		wished = fmt.Sprintf("127.0.0.1:%d", lowestPort+n.Int64())
	}
	return "", errors.New("no port was found free on loopback")
}

// newToken makes the secret of the control API.
func newToken() string {
	raw := make([]byte, 24)
	_, _ = rand.Read(raw) // never fails
	return "sandbox-" + hex.EncodeToString(raw)
}
