package keyset

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead/aesgcm"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/key"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/mac/hmac"
)

// errKey says no more: a file that holds another kind of key was not written by this program.
var errKey = errors.New("a key is not of the kind that `elevate keyset new` makes")

// sealingKey describes AES-256-GCM. The variant puts the key's id before each sealed value.
func sealingKey() (key.Parameters, error) {
	return aesgcm.NewParameters(aesgcm.ParametersOpts{
		KeySizeInBytes: 32, IVSizeInBytes: 12, TagSizeInBytes: 16, Variant: aesgcm.VariantTink,
	})
}

// signingKey describes HMAC-SHA256 with the whole tag. The variant puts the key's id before each code.
func signingKey() (key.Parameters, error) {
	return hmac.NewParameters(hmac.ParametersOpts{
		KeySizeInBytes: 32, TagSizeInBytes: 32, HashType: hmac.SHA256, Variant: hmac.VariantTink,
	})
}

func withNewPrimary(manager *keyset.Manager, kind func() (key.Parameters, error)) (*keyset.Handle, error) {
	parameters, err := kind()
	if err != nil {
		return nil, fmt.Errorf("describing a key: %w", err)
	}
	id, err := manager.AddNewKeyFromParameters(parameters)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	if err := manager.SetPrimary(id); err != nil {
		return nil, fmt.Errorf("making a key the primary one: %w", err)
	}
	return manager.Handle()
}

// checkKeys refuses keys of another kind: Tink would use a shorter tag or a deterministic cipher as willingly.
func checkKeys(handle *keyset.Handle, kind func() (key.Parameters, error)) error {
	want, err := kind()
	if err != nil {
		return fmt.Errorf("describing a key: %w", err)
	}
	for i := range handle.Len() {
		entry, err := handle.Entry(i)
		if err != nil {
			return errKey
		}
		if !want.Equal(entry.Key().Parameters()) {
			return errKey
		}
	}
	return nil
}

// readKeys takes keys that lie in the file in the clear, which Tink calls insecure where another key could wrap them.
// Here there is none: the file is the root secret of the installation, as a web server's TLS key is, and its mode and
// place keep it.
func readKeys(content []byte) (*keyset.Handle, error) {
	return insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(content)))
}

func encodeKeys(handle *keyset.Handle) ([]byte, error) {
	var content bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&content)); err != nil {
		return nil, fmt.Errorf("encoding the keyset: %w", err)
	}
	return content.Bytes(), nil
}
