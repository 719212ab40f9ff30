package store_test

import (
	"bytes"
	"compress/gzip"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"elevate/internal/keyset"
	"elevate/internal/secret"
	"elevate/internal/store"
)

var newFixture = flag.Bool("new-fixture", false, "write testdata/v1.db.gz and its keyset anew; only before version 1 is released")

const (
	fixture     = "testdata/v1.db.gz"
	fixtureKeys = "testdata/v1.keyset.json" // of this fixture only: it opens nothing else
)

func TestFileOfEveryVersionOpens(t *testing.T) {
	if *newFixture {
		writeFixture(t)
	}
	content, err := os.ReadFile(fixtureKeys)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := keyset.Load(secret.New(string(content)))
	if err != nil {
		t.Fatal(err)
	}
	f := &file{path: filepath.Join(t.TempDir(), "v1.db"), keys: keys, now: start, sink: &bytes.Buffer{}}
	unpack(t, f.path)
	f.open(t)
	defer f.close(t)
	f.view(t, readAll)
	proof, err := f.db.Verify(t.Context(), store.Anchor{}, strings.NewReader(f.sink.String()))
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

func unpack(t *testing.T, to string) {
	t.Helper()
	packed, err := os.Open(fixture)
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

func writeFixture(t *testing.T) {
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
	for name, b := range map[string][]byte{fixture: packed.Bytes(), fixtureKeys: []byte(keys.Reveal())} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
