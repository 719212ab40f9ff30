package store_test

import (
	"bytes"
	"compress/gzip"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"

	"elevate/internal/keyset"
	"elevate/internal/secret"
	"elevate/internal/store"
)

var newFixture = flag.Bool("new-fixture", false, "write the newest version's file in testdata and its keyset anew; only before that version is released")

// versions are the schemas there have been. Each has a file in testdata that fill made, and a keyset that opens nothing else.
var versions = []string{"v1", "v2", "v3", "v4"}

func fixture(version string) string     { return "testdata/" + version + ".db.gz" }
func fixtureKeys(version string) string { return "testdata/" + version + ".keyset.json" }

func TestFileOfEveryVersionOpens(t *testing.T) {
	if *newFixture {
		writeFixture(t, versions[len(versions)-1])
	}
	for _, version := range versions {
		t.Run(version, func(t *testing.T) { opensFixture(t, version) })
	}
}

func opensFixture(t *testing.T, version string) {
	t.Helper()
	content, err := os.ReadFile(fixtureKeys(version))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := keyset.Load(secret.New(string(content)))
	if err != nil {
		t.Fatal(err)
	}
	f := &file{path: filepath.Join(t.TempDir(), "old.db"), keys: keys, now: start, sink: &bytes.Buffer{}}
	unpack(t, fixture(version), f.path)
	f.open(t)
	defer f.close(t)
	f.view(t, readAll)
	proof, err := f.db.Verify(t.Context(), store.Anchor{}, nil) // its events were told before
	if err != nil || proof.Events != 3 {
		t.Errorf("%+v, %v", proof, err)
	}
	f.view(t, func(tx *store.Tx) error {
		r, err := tx.Request("abc234")
		if err != nil || r.Asked.Reason != "isolating WS-042" || r.Asked.Duration != time.Hour || !r.Created.Equal(start) {
			t.Errorf("%+v, %v", r, err)
		}
		s, ok, err := tx.Session(alice.Account)
		if !ok || s.Person != alice.Person {
			t.Errorf("%+v, %v", s, ok)
		}
		return err
	})
	f.update(t, func(tx *store.Tx) error { return happens(tx, 4) })
}

func TestSessionsOfVersion1KeepTheirCaches(t *testing.T) {
	f := newFile(t)
	s := store.Session{Account: alice.Account, Tenant: "t", Person: alice.Person, SignedIn: start, Expires: start.Add(time.Hour)}
	f.update(t, func(tx *store.Tx) error { return tx.PutSession(s, []byte("sealed")) })
	f.update(t, func(tx *store.Tx) error { return tx.MakeVersion1(s, []byte("sealed")) })
	f.close(t)
	f.open(t)
	f.view(t, func(tx *store.Tx) error {
		kept, _, err := tx.Session(alice.Account)
		if diff := cmp.Diff(s, kept); diff != "" || err != nil {
			t.Errorf("the session: %v\n%s", err, diff)
		}
		cache, err := tx.SessionCache(alice.Account)
		if string(cache) != "sealed" {
			t.Errorf("the cache: %q", cache)
		}
		return err
	})
}

func unpack(t *testing.T, from, to string) {
	t.Helper()
	packed, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = packed.Close() }()
	r, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(io.LimitReader(r, 64<<20))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func writeFixture(t *testing.T, version string) {
	t.Helper()
	f := newFile(t)
	f.update(t, fill)
	keys, err := f.keys.Encode()
	if err != nil {
		t.Fatal(err)
	}
	compact := filepath.Join(t.TempDir(), "compact.db")
	f.raw(t, func(tx *bolt.Tx) error {
		to, err := bolt.Open(compact, 0o600, nil)
		if err != nil {
			return err
		}
		defer func() { _ = to.Close() }()
		return bolt.Compact(to, tx.DB(), 0)
	})
	f.open(t)
	content, err := os.ReadFile(compact)
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{fixture(version): packed.Bytes(), fixtureKeys(version): []byte(keys.Reveal())} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
