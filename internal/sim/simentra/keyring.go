package simentra

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // a name, as Entra has it
	"encoding/base64"
	"errors"
	"math/big"

	"github.com/golang-jwt/jwt/v5"
)

// A keyring signs with its newest key and knows the older ones.
type keyring struct {
	kids []string
	keys map[string]*rsa.PrivateKey
}

func newKeyring() (*keyring, error) {
	k := &keyring{keys: map[string]*rsa.PrivateKey{}}
	return k, k.rotate()
}

func (k *keyring) rotate() error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	// Entra names its keys by the certificate's SHA-1 thumbprint, so x5t and kid are the same and 20 bytes long.
	thumbprint := sha1.Sum(key.N.Bytes()) //nolint:gosec // a name
	kid := base64.RawURLEncoding.EncodeToString(thumbprint[:])
	k.kids = append(k.kids, kid)
	k.keys[kid] = key
	return nil
}

func (k *keyring) sign(claims jwt.MapClaims) (string, error) {
	kid := k.kids[len(k.kids)-1]
	t := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	t.Header["kid"] = kid
	return t.SignedString(k.keys[kid])
}

var errUnknownKey = errors.New("the token is signed with an unknown key")

// verify checks the signature only; what the claims must say depends on who asks.
func (k *keyring) verify(raw string) (jwt.MapClaims, error) {
	claims := jwt.MapClaims{}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithoutClaimsValidation())
	_, err := parser.ParseWithClaims(raw, claims, func(t *jwt.Token) (any, error) {
		kid, _ := t.Header["kid"].(string)
		key, ok := k.keys[kid]
		if !ok {
			return nil, errUnknownKey
		}
		return &key.PublicKey, nil
	})
	return claims, err
}

// jwks is the public half, as the keys endpoint publishes it.
func (k *keyring) jwks() map[string]any {
	list := []any{}
	for _, kid := range k.kids {
		pub := k.keys[kid].PublicKey
		list = append(list, map[string]any{
			"kty": "RSA", "use": "sig", "kid": kid, "x5t": kid,
			"n": base64.RawURLEncoding.EncodeToString(pub.N.Bytes()),
			"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(pub.E)).Bytes()),
		})
	}
	return map[string]any{"keys": list}
}

// RotateKeys lets a new key sign from now on. Tokens signed before stay good.
func (s *Server) RotateKeys() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys.rotate()
}
