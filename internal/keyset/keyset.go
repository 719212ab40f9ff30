// Package keyset is the bot's root secret: one JSON file with two Tink keysets, AES-256-GCM to seal sessions and
// HMAC-SHA256 with the full 256-bit tag to key the event chain and the links.
//
// A rotation adds a new key to both and makes it the one that is used; the old ones stay, so that what they sealed and
// signed remains readable. The package refuses a file with other algorithms, with a shortened tag, or without either
// half, and says nothing about a value that does not open except that it does not. Writing the file is the caller's.
package keyset

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/mac"
	"github.com/tink-crypto/tink-go/v2/tink"

	"elevate/internal/secret"
)

// fileVersion is the version of the file's own shape; the keysets inside carry Tink's.
const fileVersion = 1

// ErrSealed is the answer to every value that does not open, and ErrMAC to every code that does not fit. Neither says why.
var (
	ErrSealed = errors.New("the sealed value does not open with this keyset in this place")
	ErrMAC    = errors.New("the authentication code does not fit")
)

// A Set seals and opens values, and computes and checks authentication codes. It can be used by many goroutines.
type Set struct {
	created time.Time
	rotated time.Time

	sealing *keyset.Handle
	signing *keyset.Handle

	aead tink.AEAD
	mac  tink.MAC
}

// file is the JSON file.
type file struct {
	Version int             `json:"version"`
	Created time.Time       `json:"created"`
	Rotated time.Time       `json:"rotated"`
	Sealing json.RawMessage `json:"sealing"`
	Signing json.RawMessage `json:"signing"`
}

// New makes a set with one fresh key of each kind.
func New(now time.Time) (*Set, error) {
	sealing, err := withNewPrimary(keyset.NewManager(), sealingKey)
	if err != nil {
		return nil, err
	}
	signing, err := withNewPrimary(keyset.NewManager(), signingKey)
	if err != nil {
		return nil, err
	}
	return assemble(sealing, signing, now, now)
}

// Rotate gives a set with a new primary key of each kind beside all keys of this one, which stays as it is.
func (s *Set) Rotate(now time.Time) (*Set, error) {
	// A manager changes the keys it was given, so it works on a copy.
	content, err := s.Encode()
	if err != nil {
		return nil, err
	}
	copied, err := Load(content)
	if err != nil {
		return nil, err
	}
	sealing, err := withNewPrimary(keyset.NewManagerFromHandle(copied.sealing), sealingKey)
	if err != nil {
		return nil, err
	}
	signing, err := withNewPrimary(keyset.NewManagerFromHandle(copied.signing), signingKey)
	if err != nil {
		return nil, err
	}
	return assemble(sealing, signing, s.created, now)
}

// Load reads what Encode wrote.
func Load(content secret.Text) (*Set, error) {
	decoder := json.NewDecoder(bytes.NewReader([]byte(content.Reveal())))
	decoder.DisallowUnknownFields()
	var f file
	// The decoder's errors may quote the content, which is nothing but keys: they are not wrapped.
	if decoder.Decode(&f) != nil || decoder.More() {
		return nil, errors.New("the keyset is not the JSON that `elevate keyset new` writes")
	}
	if f.Version != fileVersion {
		return nil, fmt.Errorf("the keyset has version %d, this program reads version %d", f.Version, fileVersion)
	}
	sealing, err := readKeys(f.Sealing)
	if err != nil {
		return nil, errors.New("the keyset's part \"sealing\" cannot be read")
	}
	signing, err := readKeys(f.Signing)
	if err != nil {
		return nil, errors.New("the keyset's part \"signing\" cannot be read")
	}
	return assemble(sealing, signing, f.Created, f.Rotated)
}

// Encode gives the file's content. It holds the keys in the clear.
func (s *Set) Encode() (secret.Text, error) {
	sealing, err := encodeKeys(s.sealing)
	if err != nil {
		return secret.Text{}, err
	}
	signing, err := encodeKeys(s.signing)
	if err != nil {
		return secret.Text{}, err
	}
	f := file{Version: fileVersion, Created: s.created.UTC(), Rotated: s.rotated.UTC(), Sealing: sealing, Signing: signing}
	content, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return secret.Text{}, fmt.Errorf("encoding the keyset: %w", err)
	}
	return secret.New(string(content) + "\n"), nil
}

func assemble(sealing, signing *keyset.Handle, created, rotated time.Time) (*Set, error) {
	if err := checkKeys(sealing, sealingKey); err != nil {
		return nil, fmt.Errorf("the keyset's part \"sealing\": %w", err)
	}
	if err := checkKeys(signing, signingKey); err != nil {
		return nil, fmt.Errorf("the keyset's part \"signing\": %w", err)
	}
	sealer, err := aead.New(sealing)
	if err != nil {
		return nil, fmt.Errorf("preparing the sealing keys: %w", err)
	}
	signer, err := mac.New(signing)
	if err != nil {
		return nil, fmt.Errorf("preparing the signing keys: %w", err)
	}
	return &Set{created: created, rotated: rotated, sealing: sealing, signing: signing, aead: sealer, mac: signer}, nil
}

// Seal encrypts and authenticates plaintext for one place. The result opens only with the same associated data, which
// Place.AssociatedData makes.
func (s *Set) Seal(plaintext, associatedData []byte) ([]byte, error) {
	sealed, err := s.aead.Encrypt(plaintext, associatedData)
	if err != nil {
		return nil, fmt.Errorf("sealing: %w", err)
	}
	return sealed, nil
}

// Open gives back what Seal was given, or ErrSealed.
func (s *Set) Open(sealed, associatedData []byte) ([]byte, error) {
	plaintext, err := s.aead.Decrypt(sealed, associatedData)
	if err != nil {
		return nil, ErrSealed
	}
	return plaintext, nil
}

// MAC gives the authentication code of data: the key's id (5 bytes) and HMAC-SHA256 (32 bytes). One key serves several
// purposes, so data begins with what it is for.
func (s *Set) MAC(data []byte) []byte {
	code, err := s.mac.ComputeMAC(data)
	if err != nil {
		// unreachable: a SHA-256 in memory takes every input, and assemble lets no other keys in.
		panic(fmt.Sprintf("keyset: computing a MAC: %v", err))
	}
	return code
}

// Verify says ErrMAC unless the code is one that MAC gave for data with any key of the set.
func (s *Set) Verify(code, data []byte) error {
	if s.mac.VerifyMAC(code, data) != nil {
		return ErrMAC
	}
	return nil
}
