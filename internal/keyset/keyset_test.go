package keyset_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"elevate/internal/keyset"
	"elevate/internal/secret"
)

var (
	now  = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	home = keyset.Place{Bucket: "sessions", Tenant: "t", Object: "o", Account: "slack/T1/U1", Version: 1}
)

func newSet(t *testing.T) *keyset.Set {
	t.Helper()
	set, err := keyset.New(now)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return set
}

func content(t *testing.T, set *keyset.Set) string {
	t.Helper()
	text, err := set.Encode()
	if err != nil {
		t.Fatalf("Encode: %v", err)
	}
	return text.Reveal()
}

func reload(t *testing.T, set *keyset.Set) *keyset.Set {
	t.Helper()
	loaded, err := keyset.Load(secret.New(content(t, set)))
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return loaded
}

func seal(t *testing.T, set *keyset.Set, plaintext string, place keyset.Place) []byte {
	t.Helper()
	sealed, err := set.Seal([]byte(plaintext), place.AssociatedData())
	if err != nil {
		t.Fatalf("Seal: %v", err)
	}
	return sealed
}

func opens(set *keyset.Set, sealed []byte, place keyset.Place, want string) error {
	got, err := set.Open(sealed, place.AssociatedData())
	if err != nil {
		return err
	}
	if string(got) != want {
		return fmt.Errorf("opened %q, want %q", got, want)
	}
	return nil
}

func TestSealedValueOpensNowhereElse(t *testing.T) {
	set := newSet(t)
	sealed := seal(t, set, "token cache", home)
	if bytes.Contains(sealed, []byte("token cache")) {
		t.Error("the sealed value holds the plaintext")
	}
	if err := opens(reload(t, set), sealed, home, "token cache"); err != nil {
		t.Errorf("at home, after loading: %v", err)
	}
	elsewhere := map[string]func(*keyset.Place){
		"another bucket":  func(p *keyset.Place) { p.Bucket = "links" },
		"another tenant":  func(p *keyset.Place) { p.Tenant = "t2" },
		"another person":  func(p *keyset.Place) { p.Object = "o2" },
		"another account": func(p *keyset.Place) { p.Account = "slack/T1/U2" },
		"another version": func(p *keyset.Place) { p.Version = 2 },
		"parts moved":     func(p *keyset.Place) { p.Tenant, p.Object = "to", "" },
	}
	for name, move := range elsewhere {
		place := home
		move(&place)
		if _, err := set.Open(sealed, place.AssociatedData()); !errors.Is(err, keyset.ErrSealed) {
			t.Errorf("%s: got %v, want ErrSealed", name, err)
		}
	}
	if _, err := newSet(t).Open(sealed, home.AssociatedData()); !errors.Is(err, keyset.ErrSealed) {
		t.Errorf("another keyset: got %v, want ErrSealed", err)
	}
}

func TestTwoPlacesNeverShareAssociatedData(t *testing.T) {
	// Few characters, so that the parts often are prefixes of one another.
	part := rapid.StringMatching(`[a|\x00\x01]{0,4}`)
	place := rapid.Custom(func(t *rapid.T) keyset.Place {
		return keyset.Place{
			Bucket: part.Draw(t, "bucket"), Tenant: part.Draw(t, "tenant"), Object: part.Draw(t, "object"),
			Account: part.Draw(t, "account"), Version: rapid.Uint64Range(0, 2).Draw(t, "version"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := place.Draw(t, "a"), place.Draw(t, "b")
		if bytes.Equal(a.AssociatedData(), b.AssociatedData()) != (a == b) {
			t.Fatalf("%+v and %+v", a, b)
		}
	})
}

func TestTamperingIsRefused(t *testing.T) {
	set := newSet(t)
	sealed, code := seal(t, set, "token cache", home), set.MAC([]byte("link"))
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := set.Open(changed, home.AssociatedData()); !errors.Is(err, keyset.ErrSealed) {
			t.Errorf("sealed value with byte %d changed: got %v, want ErrSealed", i, err)
		}
	}
	for i := range code {
		changed := bytes.Clone(code)
		changed[i] ^= 1
		if err := set.Verify(changed, []byte("link")); !errors.Is(err, keyset.ErrMAC) {
			t.Errorf("code with byte %d changed: got %v, want ErrMAC", i, err)
		}
	}
	for _, short := range [][]byte{nil, sealed[:4], sealed[:len(sealed)-1], code[:5], code[:len(code)-1]} {
		if _, err := set.Open(short, home.AssociatedData()); !errors.Is(err, keyset.ErrSealed) {
			t.Errorf("value cut to %d bytes: got %v, want ErrSealed", len(short), err)
		}
		if err := set.Verify(short, []byte("link")); !errors.Is(err, keyset.ErrMAC) {
			t.Errorf("code cut to %d bytes: got %v, want ErrMAC", len(short), err)
		}
	}
}

func TestMACFitsItsDataAndKeysetOnly(t *testing.T) {
	set := newSet(t)
	code := set.MAC([]byte("event 1"))
	if want := 5 + 32; len(code) != want {
		t.Errorf("the code has %d bytes, want the key's id and the whole SHA-256: %d", len(code), want)
	}
	if err := reload(t, set).Verify(code, []byte("event 1")); err != nil {
		t.Errorf("its own data: %v", err)
	}
	if err := set.Verify(code, []byte("event 2")); !errors.Is(err, keyset.ErrMAC) {
		t.Errorf("other data: got %v, want ErrMAC", err)
	}
	if err := newSet(t).Verify(code, []byte("event 1")); !errors.Is(err, keyset.ErrMAC) {
		t.Errorf("another keyset: got %v, want ErrMAC", err)
	}
}

func TestRotationKeepsOldValuesReadable(t *testing.T) {
	first := newSet(t)
	sealed, code := seal(t, first, "old", home), first.MAC([]byte("old"))
	set := first
	for round := range 3 {
		next, err := set.Rotate(now.Add(time.Duration(round) * time.Hour))
		if err != nil {
			t.Fatalf("Rotate: %v", err)
		}
		set = reload(t, next)
		if err := opens(set, sealed, home, "old"); err != nil {
			t.Errorf("round %d: the old value: %v", round, err)
		}
		if err := set.Verify(code, []byte("old")); err != nil {
			t.Errorf("round %d: the old code: %v", round, err)
		}
	}
	if _, err := first.Open(seal(t, set, "new", home), home.AssociatedData()); !errors.Is(err, keyset.ErrSealed) {
		t.Errorf("the set before the rotation opened a value sealed after it: %v", err)
	}
	if err := first.Verify(set.MAC([]byte("new")), []byte("new")); !errors.Is(err, keyset.ErrMAC) {
		t.Errorf("the set before the rotation took a code made after it: %v", err)
	}
}

func TestLoadRefuses(t *testing.T) {
	good := content(t, newSet(t))
	for name, bad := range map[string]string{
		"nothing":           "",
		"another file":      `{"hello": "world"}`,
		"two values":        good + good,
		"a cut file":        good[:len(good)/2],
		"another version":   strings.Replace(good, `"version": 1`, `"version": 2`, 1),
		"halves exchanged":  strings.NewReplacer(`"sealing"`, `"signing"`, `"signing"`, `"sealing"`).Replace(good),
		"a half missing":    strings.Replace(good, `"sealing"`, `"signing"`, 1),
		"an unknown prefix": strings.ReplaceAll(good, `"TINK"`, `"RAW"`),
		"another algorithm": strings.ReplaceAll(good, "tink.AesGcmKey", "tink.AesGcmSivKey"),
		"another primary":   strings.Replace(good, `"primaryKeyId": `, `"primaryKeyId": 1`, 1),
	} {
		set, err := keyset.Load(secret.New(bad))
		if err == nil || set != nil {
			t.Errorf("%s: loaded", name)
			continue
		}
		mustHideKeys(t, good, err.Error())
	}
}

func TestNothingPrintsTheKeys(t *testing.T) {
	set := newSet(t)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x"} {
		mustHideKeys(t, content(t, set), fmt.Sprintf(verb, set)+fmt.Sprintf(verb, *set)+fmt.Sprintf(verb, []any{set}))
	}
}

// mustHideKeys looks for the values of the file's key material in an output.
func mustHideKeys(t *testing.T, file, output string) {
	t.Helper()
	values := strings.Split(file, `"value"`)[1:]
	if len(values) != 2 {
		t.Fatalf("the file has %d values, want 2", len(values))
	}
	for _, value := range values {
		if key := strings.Split(value, `"`)[1]; strings.Contains(output, key[:16]) {
			t.Errorf("printed a key: %s", output)
		}
	}
}

func TestCheckMode(t *testing.T) {
	dir := t.TempDir()
	for mode, ok := range map[os.FileMode]bool{
		0o600: true, 0o400: true, 0o640: false, 0o604: false, 0o620: false, 0o601: false, 0o644: false,
	} {
		path := filepath.Join(dir, fmt.Sprintf("%o.json", mode))
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if err := keyset.CheckMode(path); (err == nil) != ok {
			t.Errorf("mode %04o: %v", mode, err)
		}
	}
	if keyset.CheckMode(filepath.Join(dir, "missing")) == nil || keyset.CheckMode(dir) == nil {
		t.Error("a missing file or a directory was taken")
	}
}
