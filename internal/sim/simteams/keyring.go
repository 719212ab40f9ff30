package simteams

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // a name, as the Bot Framework has it
	"encoding/base64"
	"math/big"
	"net/http"
	"slices"
	"sync"
)

// signingKey is one of the Bot Framework's keys and the channels whose activities it may sign.
type signingKey struct {
	kid          string
	key          *rsa.PrivateKey
	endorsements []string
}

// keyring signs with the newest key that is endorsed for Teams. It has one that is endorsed for other channels only.
type keyring struct {
	mu        sync.Mutex
	published []signingKey
	foreign   signingKey
}

func newKeyring() (*keyring, error) {
	k := &keyring{}
	var err error
	if k.foreign, err = newKey("webchat", "directline"); err != nil {
		return nil, err
	}
	return k, k.rotate()
}

func newKey(endorsements ...string) (signingKey, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return signingKey{}, err
	}
	thumbprint := sha1.Sum(key.N.Bytes()) //nolint:gosec // a name
	return signingKey{kid: base64.RawURLEncoding.EncodeToString(thumbprint[:]), key: key, endorsements: endorsements}, nil
}

func (k *keyring) rotate() error {
	key, err := newKey("msteams", "skype", "webchat", "directline")
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.published = append(k.published, key)
	return nil
}

// retire takes all keys but the newest away.
func (k *keyring) retire() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.published = k.published[len(k.published)-1:]
}

func (k *keyring) newest() signingKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.published[len(k.published)-1]
}

func (k *keyring) all() []signingKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append(slices.Clone(k.published), k.foreign)
}

// RotateKeys lets a new key sign from now on. The older ones stay published until RetireKeys.
func (s *Server) RotateKeys() error { return s.keys.rotate() }

// RetireKeys takes the older keys out of what is published.
func (s *Server) RetireKeys() { s.keys.retire() }

func (s *Server) serveMetadata(w http.ResponseWriter, r *http.Request) {
	s.public(w, r, "metadata", object{
		"issuer": issuer, "authorization_endpoint": "https://invalid.botframework.com", "jwks_uri": s.cfg.URL + "/v1/.well-known/keys",
		"id_token_signing_alg_values_supported": []string{"RS256"}, "token_endpoint_auth_methods_supported": []string{"private_key_jwt"},
	})
}

func (s *Server) serveKeys(w http.ResponseWriter, r *http.Request) {
	list := []any{}
	for _, k := range s.keys.all() {
		list = append(list, object{
			"kty": "RSA", "use": "sig", "kid": k.kid, "x5t": k.kid, "endorsements": k.endorsements,
			"n": base64.RawURLEncoding.EncodeToString(k.key.N.Bytes()),
			"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(k.key.E)).Bytes()),
		})
	}
	s.public(w, r, "keys", object{"keys": list})
}

// public answers what everybody may read.
func (s *Server) public(w http.ResponseWriter, r *http.Request, name string, body object) {
	fault := s.Take(name)
	if fault != nil && before(fault, w, r) {
		s.record(Call{Name: name})
		return
	}
	s.record(Call{Name: name, Status: http.StatusOK})
	if fault != nil && fault.After(w) {
		return
	}
	writeJSON(w, http.StatusOK, body)
}
