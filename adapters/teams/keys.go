package teams

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"elevate/internal/exchange"
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
)

// errNoKeys says that the keys could not be read, so nobody can be believed.
var errNoKeys = errors.New("the keys of the Bot Framework could not be read")

// key is one of the keys the channels sign with. Endorsements are the channels
// it may sign for.
type key struct {
	jose.JSONWebKey
	Endorsements []string
}

// keySet are the Bot Framework's keys, read where its OpenID metadata says.
type keySet struct {
	metadata string
	trusted  func(host string) bool
	client   *http.Client
	now      func() time.Time

	mu     sync.Mutex
	keys   map[string]key
	read   time.Time     // when the keys were read
	tried  time.Time     // when it was last tried
	flight chan struct{} // closed when the reading that runs is over; nil when none does
}

func newKeySet(metadata string, trusted func(string) bool, rt http.RoundTripper, now func() time.Time) *keySet {
	return &keySet{metadata: metadata, trusted: trusted, client: exchange.NewClient(exchange.Whole{Next: rt}), now: now}
}

// key returns the key of that id. An id that is not known is looked for again,
// at a limited rate; keys that could not be read again go on being used.
func (s *keySet) key(ctx context.Context, id string) (key, error) {
	for {
		s.mu.Lock()
		k, known := s.keys[id]
		now := s.now()
		if flight := s.flight; flight != nil && !known {
			s.mu.Unlock()
			select {
			case <-flight:
				continue
			case <-ctx.Done():
				return key{}, errNoKeys
			}
		}
		if !s.wanted(known, now) {
			empty := len(s.keys) == 0
			s.mu.Unlock()
			switch {
			case known:
				return k, nil
			case empty:
				return key{}, errNoKeys
			}
			return key{}, errors.New("the token is signed with an unknown key")
		}
		flight := make(chan struct{})
		s.flight, s.tried = flight, now
		s.mu.Unlock()
		if known {
			go s.readAgain(context.WithoutCancel(ctx), flight) // the old keys serve meanwhile
			return k, nil
		}
		s.readAgain(context.WithoutCancel(ctx), flight)
	}
}

// wanted reports whether the keys have to be read now. The lock is held.
func (s *keySet) wanted(known bool, now time.Time) bool {
	since := now.Sub(s.tried).Abs() // a clock that was set may not stop it
	switch {
	case s.flight != nil:
		return false
	case len(s.keys) == 0, known && now.Sub(s.read).Abs() >= keysLife:
		return since >= keysRetry
	case !known:
		return since >= unknownEvery
	}
	return false
}

func (s *keySet) readAgain(ctx context.Context, flight chan struct{}) {
	ctx, cancel := context.WithTimeout(ctx, keysWithin)
	defer cancel()
	keys, err := s.fetch(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.keys, s.read = keys, s.now()
	}
	s.flight = nil
	close(flight)
}

// fetch reads the metadata and the keys it names.
func (s *keySet) fetch(ctx context.Context) (map[string]key, error) {
	var metadata struct {
		JWKS       string   `json:"jwks_uri"`
		Algorithms []string `json:"id_token_signing_alg_values_supported"`
	}
	if err := s.get(ctx, s.metadata, &metadata); err != nil {
		return nil, err
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := s.get(ctx, metadata.JWKS, &set); err != nil {
		return nil, err
	}
	keys := map[string]key{}
	for _, raw := range set.Keys[:min(len(set.Keys), mostKeys)] {
		var k key
		var marks struct {
			Endorsements []string `json:"endorsements"`
		}
		if json.Unmarshal(raw, &k.JSONWebKey) != nil || json.Unmarshal(raw, &marks) != nil || !k.Valid() || !k.IsPublic() || k.KeyID == "" {
			continue // a key of a kind that is not known here
		}
		k.Endorsements = marks.Endorsements
		keys[k.KeyID] = k
	}
	if len(keys) == 0 {
		return nil, errNoKeys
	}
	return keys, nil
}

// get reads JSON from a host that is trusted with the keys.
func (s *keySet) get(ctx context.Context, address string, into any) error {
	u, err := url.Parse(address)
	if err != nil || !s.trusted(u.Host) || u.Scheme != "https" && !isLoopback(u.Hostname()) {
		return errNoKeys
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return errNoKeys
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return errNoKeys
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return errNoKeys
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return errNoKeys
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("%w: they are not JSON", errNoKeys)
	}
	return nil
}

// endorses reports whether the key may sign for a channel.
func (k key) endorses(channel string) bool { return slices.Contains(k.Endorsements, channel) }
