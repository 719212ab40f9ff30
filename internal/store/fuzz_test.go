package store

import (
	"bytes"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"elevate/internal/pim"
)

// FuzzStoredRecord puts any bytes where a record is expected: bare, and as the content of a record that is authentic.
func FuzzStoredRecord(f *testing.F) {
	f.Add([]byte(nil), false)
	f.Add([]byte(`{"id":"abc234","state":"active","created":"2026-11-24T09:00:00Z","claim":null}`), true)
	f.Add([]byte(`{"seq":1,"mac":"AA==","told":1,"requests":1}`), true)
	f.Add([]byte(`{"expires":"2026-11-24T09:00:00Z","answer":{}}`), true)
	f.Add(append([]byte{recordVersion}, make([]byte, 60)...), false)
	db := benchFile(f, f.TempDir())
	f.Fuzz(func(t *testing.T, content []byte, authentic bool) {
		bbt, err := db.bolt.Begin(true)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = bbt.Rollback() }()
		tx := &Tx{db: db, bbt: bbt}
		for _, b := range []bucket{requests, effects, parked, intents, links, persons, sessions, tickets, seen, notes} {
			value := append([]byte{}, content...)
			if authentic {
				tx.scratch = covered(tx.scratch[:0], b, []byte("k"), recordVersion, content)
				value = append(append([]byte{recordVersion}, db.keys.MAC(tx.scratch)...), content...)
			}
			if err := tx.putRaw(b, []byte("k"), value); err != nil {
				t.Fatal(err)
			}
		}
		if err := tx.run(readK); err != nil && authentic == isTampered(err) {
			t.Errorf("authentic %v: %v", authentic, err)
		}
	})
}

func isTampered(err error) bool {
	_, ok := err.(*Tampered) //nolint:errorlint // the readers below return it as it is
	return ok
}

// readK reads the record k of each kind and returns the first error.
func readK(tx *Tx) error {
	var note any
	for _, get := range []func() error{
		func() error { _, err := tx.Request("k"); return err },
		func() error { _, _, err := tx.Effect("k"); return err },
		func() error { _, err := tx.Parked(); return err },
		func() error { _, err := tx.Intent("k"); return err },
		func() error { _, err := tx.Links(); return err },
		func() error { _, _, err := read[parent](tx, persons, []byte("k")); return err },
		func() error { _, err := tx.Sessions(); return err },
		func() error { _, _, err := tx.Ticket("k"); return err },
		func() error { _, _, err := tx.Seen("k"); return err },
		func() error { _, err := tx.Meta("k", &note); return err },
	} {
		if err := get(); err != nil {
			return err
		}
	}
	return nil
}

// FuzzKey holds that parts come back from a key and that no two lists of parts share one.
func FuzzKey(f *testing.F) {
	f.Add("a", "b", "ab", "")
	f.Add("a\x00", "\x01b", "a", "\x00\x01b")
	f.Add("\xff", "\x00\xff", "\xff\x00", "\xff")
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		key := path(a, b)
		if first, rest, ok := splitPath(key); !ok || first != a || !bytes.Equal(rest, path(b)) {
			t.Errorf("%q, %q came back as %q, %q (%v)", a, b, first, rest, ok)
		}
		if same := bytes.Equal(key, path(c, d)); same != (a == c && b == d) {
			t.Errorf("%q, %q and %q, %q have the same key", a, b, c, d)
		}
		if end := afterPrefix(key); bytes.Compare(append(key, 0xFF, 0xFF), end) >= 0 {
			t.Errorf("%q does not end behind its prefix: %q", key, end)
		}
		_ = keyName(refs, key) // never panics
	})
}

func TestNewerFileIsRefused(t *testing.T) {
	folder := t.TempDir()
	db := benchFile(t, folder)
	err := db.bolt.Update(func(bbt *bolt.Tx) error {
		return (&Tx{db: db, bbt: bbt}).write(meta, schemaKey, schema{Version: schemaVersion + 1, Created: time.Unix(1, 0)})
	})
	if err != nil {
		t.Fatal(err)
	}
	err = db.View(checkVersion)
	if err == nil || !bytes.Contains([]byte(err.Error()), []byte("written by a newer Elevate")) {
		t.Errorf("to look at: %v", err)
	}
	if err := db.migrate(); err == nil || !bytes.Contains([]byte(err.Error()), []byte("written by a newer Elevate")) {
		t.Errorf("to work on: %v", err)
	}
	if pim.IsKind(err, pim.Internal) {
		t.Error("that is no fault of Elevate")
	}
}
