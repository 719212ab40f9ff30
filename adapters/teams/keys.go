package teams

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"elevate/internal/exchange"
	"elevate/internal/pim"
)

const (
	// keysLife is how long the keys are used before they are read again, and
	// keysRetry how long after a failure the next attempt is made.
	// https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication
	keysLife  = 24 * time.Hour
	keysRetry = 10 * time.Second
	// unknownEvery is how often a key that is not known leads to a new reading:
	// anybody can send a token with an invented key id.
	unknownEvery = 5 * time.Minute
	keysWithin   = 5 * time.Second
	mostKeys     = 100
	smallestKey  = 2048 / 8
)

// key is one of the keys the channels sign with. Endorsements are the channels
// it may sign for.
type key struct {
	public       *rsa.PublicKey
	endorsements []string
}

// endorses reports whether the key may sign for a channel.
func (k key) endorses(channel string) bool { return slices.Contains(k.endorsements, channel) }

// keySet are the Bot Framework's keys, read where its OpenID metadata says.
// go-oidc's has no place for endorsements and reads again for every token that
// it cannot verify.
type keySet struct {
	metadata string
	trusted  func(*url.URL) bool
	client   *http.Client
	now      func() time.Time
	log      *slog.Logger

	mu     sync.Mutex
	keys   map[string]key
	read   time.Time     // when the keys were read
	tried  time.Time     // when it was last tried
	failed bool          // whether that failed
	since  time.Time     // from when on it failed
	told   time.Time     // when that was logged last
	flight chan struct{} // closed when the reading that runs is over; nil when none does
}

func newKeySet(metadata string, trusted func(*url.URL) bool, rt http.RoundTripper, now func() time.Time, log *slog.Logger) *keySet {
	return &keySet{metadata: metadata, trusted: trusted, client: exchange.NewClient(exchange.Whole{Next: rt}), now: now, log: log}
}

// deaf returns since when nobody is understood, because no keys could be read; zero
// while there are some.
func (s *keySet) deaf() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.keys) > 0 {
		return time.Time{}
	}
	return s.since
}

// key returns the key of that id. An id that is not known is looked for again,
// at a limited rate; keys that could not be read again go on being used.
func (s *keySet) key(ctx context.Context, id string) (key, error) {
	k, known, flight := s.look(ctx, id)
	if known {
		return k, nil
	}
	if flight != nil {
		select {
		case <-flight: // one reading is waited for, whatever it brings
		case <-ctx.Done():
			return key{}, refusal(NoKeys)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if k, known = s.keys[id]; known {
		return k, nil
	}
	if len(s.keys) == 0 {
		return key{}, refusal(NoKeys)
	}
	return key{}, refusal(UnknownKey)
}

// look returns the key of that id. If a reading runs that may bring it, or is
// wanted now, flight ends with it.
func (s *keySet) look(ctx context.Context, id string) (k key, known bool, flight chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, known = s.keys[id]
	if s.flight == nil && s.wanted(known) {
		s.flight, s.tried = make(chan struct{}), s.now()
		go s.readAgain(context.WithoutCancel(ctx), s.flight)
	}
	return k, known, s.flight
}

// wanted reports whether the keys have to be read now. The lock is held.
func (s *keySet) wanted(known bool) bool {
	now := s.now()
	since := now.Sub(s.tried).Abs() // a clock that was set may not stop it
	switch {
	case known && now.Sub(s.read).Abs() < keysLife:
		return false
	case known || s.failed || len(s.keys) == 0:
		return since >= keysRetry
	}
	return since >= unknownEvery
}

func (s *keySet) readAgain(ctx context.Context, flight chan struct{}) {
	ctx, cancel := context.WithTimeout(ctx, keysWithin)
	defer cancel()
	keys := s.fetch(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tried = s.now()
	if s.failed = len(keys) == 0; !s.failed {
		s.keys, s.read = keys, s.now()
	}
	s.tell()
	s.flight = nil
	close(flight)
}

// toldEvery is how often it is logged that the keys cannot be read.
const toldEvery = time.Minute

// tell logs that the keys cannot be read, and when that is over. The lock is held.
func (s *keySet) tell() {
	host := ""
	if u, err := url.Parse(s.metadata); err == nil {
		host = u.Host
	}
	switch {
	case s.failed && s.since.IsZero():
		s.since = s.tried
		fallthrough
	case s.failed && s.tried.Sub(s.told).Abs() >= toldEvery:
		s.told = s.tried
		s.log.Warn("keys_not_read", "chat", string(pim.Teams), "host", host, "since", s.since.UTC().Format(time.RFC3339), "used", len(s.keys))
	case !s.failed && !s.since.IsZero():
		s.log.Info("keys_read_again", "chat", string(pim.Teams), "host", host, "since", s.since.UTC().Format(time.RFC3339))
		s.since, s.told = time.Time{}, time.Time{}
	}
}

// fetch reads the metadata and the keys it names; none if that fails.
func (s *keySet) fetch(ctx context.Context) map[string]key {
	var metadata struct {
		JWKS string `json:"jwks_uri"`
	}
	if err := s.get(ctx, s.metadata, &metadata); err != nil {
		return nil
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := s.get(ctx, metadata.JWKS, &set); err != nil {
		return nil
	}
	keys := map[string]key{}
	for _, raw := range set.Keys[:min(len(set.Keys), mostKeys)] {
		if id, k, ok := readKey(raw); ok {
			keys[id] = k
		}
	}
	return keys
}

// readKey reads one key; a key of a kind that is not used here is passed over.
func readKey(raw json.RawMessage) (string, key, bool) {
	var k jose.JSONWebKey
	var marks struct {
		Endorsements []string `json:"endorsements"`
	}
	if json.Unmarshal(raw, &k) != nil || json.Unmarshal(raw, &marks) != nil || k.KeyID == "" || k.Use != "" && k.Use != "sig" {
		return "", key{}, false
	}
	public, ok := k.Key.(*rsa.PublicKey)
	if !ok || public.Size() < smallestKey {
		return "", key{}, false
	}
	return k.KeyID, key{public: public, endorsements: marks.Endorsements}, true
}

// get reads JSON from a host that is trusted with the keys.
func (s *keySet) get(ctx context.Context, address string, into any) error {
	at, err := url.Parse(address)
	if err != nil || !s.trusted(at) {
		return refusal(NoKeys)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fmt.Errorf("reading keys: %w", err)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return fmt.Errorf("reading keys: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return refusal(NoKeys)
	}
	body, err := io.ReadAll(resp.Body) // complete and within limits: exchange has read it
	if err != nil {
		return fmt.Errorf("reading keys: %w", err)
	}
	return json.Unmarshal(body, into)
}
