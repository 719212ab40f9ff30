package store_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"elevate/internal/keyset"
	"elevate/internal/pim"
	"elevate/internal/store"
)

// copyOf copies the open file as a crash would leave it.
func copyOf(t *testing.T, f *file) string {
	t.Helper()
	content, err := os.ReadFile(f.path)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(to, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return to
}

// raw changes the file behind the store's back.
func (f *file) raw(t *testing.T, change func(*bolt.Tx) error) {
	t.Helper()
	f.close(t)
	db, err := bolt.Open(f.path, 0o600, &bolt.Options{Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(change), db.Close()); err != nil {
		t.Fatal(err)
	}
}

func (f *file) tryOpen() error {
	db, err := store.Open(f.config())
	if err == nil {
		f.db = db
	}
	return err
}

// fill puts one of everything into the file.
func fill(tx *store.Tx) error {
	r := request("abc234", alice, start)
	r.Copy.ID = "pim-1"
	ref := store.Ref{MessageRef: pim.MessageRef{ID: "1.2", Channel: "C1"}}
	if err := errors.Join(
		tx.PutMeta("sweep", "done"), tx.PutRequest(r), happens(tx, 1), happens(tx, 2), happens(tx, 3),
		tx.Park(store.Effect{Key: "stuck", Kind: "cards"}, "why"), tx.PutRef("abc234", ref),
		tx.PutIntent(store.Intent{ID: "i1", Account: alice.Account, Request: "abc234", Verb: "cancel"}),
		tx.PutLink(store.Link{Account: alice.Account, Person: alice.Person}), tx.Join(alice.Person, bob.Person),
		tx.PutSession(store.Session{Account: alice.Account, Person: alice.Person, Expires: start.Add(time.Hour)}, []byte{1, 2, 3}),
		tx.PutTicket(store.Ticket{Hash: "hash", Kind: "link", Expires: start.Add(time.Hour)}),
		tx.PutSeen("trigger", "answer", start.Add(time.Hour)),
	); err != nil {
		return err
	}
	return nil
}

// readAll reads everything that fill has put there, and returns the first error.
func readAll(tx *store.Tx) error {
	var note string
	return firstOf(
		func() error { _, err := tx.Meta("sweep", &note); return err },
		func() error { _, err := tx.Request("abc234"); return err },
		func() error { _, err := tx.OpenRequests(); return err },
		func() error { _, err := tx.OpenOf(group, alice.Account, alice.Person, bob.Person); return err },
		func() error { _, err := tx.OfPerson(alice.Person, time.Time{}, 9); return err },
		func() error { _, err := tx.OfAccount(alice.Account, time.Time{}, 9); return err },
		func() error { return tx.Made(time.Time{}, func(pim.Request) error { return nil }) },
		func() error { _, err := tx.Recent("mde-admin", 9); return err },
		func() error { _, _, err := tx.ByPIM("pim-1"); return err },
		func() error { _, err := tx.Events(1, 9); return err },
		func() error { _, err := tx.EventsOf("abc234"); return err },
		func() error { _, err := tx.Effects(); return err },
		func() error { _, err := tx.Parked(); return err },
		func() error { _, err := tx.IntentsOf(alice.Account); return err },
		func() error { _, err := tx.IntentsOn("abc234"); return err },
		func() error { _, err := tx.Refs("abc234"); return err },
		func() error { _, _, _, err := tx.RefByMessage("C1", "1.2"); return err },
		func() error { _, err := tx.LinksOf(alice.Person); return err },
		func() error { _, err := tx.Links(); return err },
		func() error { _, err := tx.SamePerson(bob.Person, "x"); return err },
		func() error { _, err := tx.SessionsOf(alice.Person); return err },
		func() error { _, err := tx.Sessions(); return err },
		func() error { _, err := tx.SessionCache(alice.Account); return err },
		func() error { _, _, err := tx.Ticket("hash"); return err },
		func() error { _, _, err := tx.Seen("trigger"); return err },
	)
}

func firstOf(all ...func() error) error {
	for _, fn := range all {
		if err := fn(); err != nil {
			return err
		}
	}
	return nil
}

// records maps the buckets that hold records to the key of one that fill makes, and how an error names it.
var records = map[string]struct{ key, name string }{
	"meta":           {"chain", "meta/chain"},
	"notes":          {"sweep", "notes/sweep"},
	"requests":       {"abc234", "requests/abc234"},
	"events":         {"\x00\x00\x00\x00\x00\x00\x00\x02", "events/2"},
	"effects":        {"work 2", "effects/work 2"},
	"parked":         {"stuck", "parked/stuck"},
	"intents":        {"i1", "intents/i1"},
	"refs":           {"abc234\x00\x01C1\x00\x011.2\x00\x01", "refs/abc234|C1|1.2"},
	"links":          {"slack:T1:UALICE", "links/slack:T1:UALICE"},
	"persons":        {string(bob.Person), "persons/" + string(bob.Person)},
	"sessions":       {"slack:T1:UALICE", "sessions/slack:T1:UALICE"},
	"session_caches": {"slack:T1:UALICE", "session_caches/slack:T1:UALICE"},
	"tickets":        {"hash", "tickets/hash"},
	"seen":           {"trigger", "seen/trigger"},
}

func TestChangedRecordIsRefusedByName(t *testing.T) {
	for b, record := range records {
		for name, change := range map[string]func([]byte) []byte{
			"version":   func(v []byte) []byte { v[0] ^= 2; return v },
			"code":      func(v []byte) []byte { v[20] ^= 1; return v },
			"content":   func(v []byte) []byte { v[len(v)-2] ^= 1; return v },
			"cut off":   func(v []byte) []byte { return v[:len(v)-1] },
			"cut short": func(v []byte) []byte { return v[:7] },
			"empty":     func([]byte) []byte { return []byte{} },
		} {
			t.Run(b+" "+name, func(t *testing.T) {
				f := newFile(t)
				f.update(t, fill)
				f.view(t, readAll) // as long as nobody touches it, all is well
				f.raw(t, func(tx *bolt.Tx) error {
					in := tx.Bucket([]byte(b))
					value := bytes.Clone(in.Get([]byte(record.key)))
					if value == nil {
						t.Fatalf("fill makes no %q in %s", record.key, b)
					}
					return in.Put([]byte(record.key), change(value))
				})
				refused(t, f, record.name)
			})
		}
	}
}

// refused expects an error that names the record, at the opening or at the reading, and gives nothing else away.
func refused(t *testing.T, f *file, name string) {
	t.Helper()
	err := f.tryOpen()
	if err == nil {
		err = f.db.View(readAll)
	}
	var wrong *store.Tampered
	if !errors.As(err, &wrong) || wrong.Record != name {
		t.Fatalf("got %v, want one that names %s", err, name)
	}
	if told := pim.Explain(err); told.Kind != pim.Internal || strings.Contains(told.Message, name) {
		t.Errorf("people are told %q (%s)", told.Message, told.Kind)
	}
}

func TestRecordFitsNoOtherPlace(t *testing.T) {
	f := newFile(t)
	f.update(t, fill)
	f.update(t, func(tx *store.Tx) error { return tx.PutRequest(request("abc235", bob, start)) })
	f.raw(t, func(tx *bolt.Tx) error {
		in := tx.Bucket([]byte("requests"))
		return in.Put([]byte("abc234"), bytes.Clone(in.Get([]byte("abc235"))))
	})
	refused(t, f, "requests/abc234")
}

func TestEventThatWasTakenAwayIsMissed(t *testing.T) {
	for name, row := range map[string]struct {
		seq  byte
		want string
	}{"the first": {1, "events/1"}, "one in the middle": {2, "events/2"}, "the last": {3, "events/3"}} {
		t.Run(name, func(t *testing.T) {
			f := newFile(t)
			f.update(t, fill)
			f.raw(t, func(tx *bolt.Tx) error {
				return tx.Bucket([]byte("events")).Delete([]byte{0, 0, 0, 0, 0, 0, 0, row.seq})
			})
			if err := f.tryOpen(); err != nil {
				t.Fatal(err)
			}
			proof, err := f.db.Verify(t.Context(), store.Anchor{}, nil)
			if err == nil || proof.Wrong != row.want || proof.Events != uint64(row.seq)-1 {
				t.Errorf("%+v, %v", proof, err)
			}
		})
	}
}

func TestOlderFileIsFoundByAnchorAndStream(t *testing.T) {
	f := newFile(t)
	f.update(t, fill)
	older := copyOf(t, f)
	f.update(t, func(tx *store.Tx) error { return happens(tx, 4) })
	anchor, err := f.db.Head()
	if err != nil {
		t.Fatal(err)
	}
	stream := f.sink.String()
	f.path, f.sink = older, &bytes.Buffer{}
	f.reopen(t)
	for name, against := range map[string]struct {
		anchor store.Anchor
		stream io.Reader
	}{"anchor": {anchor: anchor}, "stream": {stream: strings.NewReader(stream)}} {
		if proof, err := f.db.Verify(t.Context(), against.anchor, against.stream); err == nil || proof.Wrong != "events/4" {
			t.Errorf("%s: %+v, %v", name, proof, err)
		}
	}
	if _, err := f.db.Verify(t.Context(), store.Anchor{}, nil); err != nil {
		t.Errorf("the chain alone cannot show it: %v", err)
	}
}

func TestIndexEntryThatLeadsElsewhereIsRefused(t *testing.T) {
	for b, key := range map[string]string{
		"requests_open":    string(group) + "\x00\x01active\x00\x01zzzzz9",
		"requests_open_of": string(group) + "\x00\x01" + string(bob.Person) + "\x00\x01abc234",
		"requests_person":  string(alice.Person) + "\x00\x01\xff\xff\xff\xff\xff\xff\xff\xfeabc234",
		"requests_account": "slack:T1:UALICE\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00abc234",
		"requests_role":    "mde-admin\x00\x01short",
		"events_request":   "abc234\x00\x01\x00\x00\x00\x00\x00\x00\x00\x63",
		"intents_account":  "slack:T1:UALICE\x00\x01i9",
		"intents_request":  "abc234\x00\x01i9",
		"links_person":     string(alice.Person) + "\x00\x01slack:T1:UBOB",
		"sessions_person":  string(alice.Person) + "\x00\x01slack:T1:UBOB",
	} {
		t.Run(b, func(t *testing.T) {
			f := newFile(t)
			f.update(t, fill)
			f.raw(t, func(tx *bolt.Tx) error { return tx.Bucket([]byte(b)).Put([]byte(key), []byte{}) })
			if err := f.tryOpen(); err != nil {
				t.Fatal(err)
			}
			var wrong *store.Tampered
			if err := f.db.View(readAll); !errors.As(err, &wrong) || !strings.HasPrefix(wrong.Record, b+"/") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAnotherKeysetOpensNothing(t *testing.T) {
	f := newFile(t)
	f.close(t)
	other, err := keyset.New(start)
	if err != nil {
		t.Fatal(err)
	}
	mine := f.keys
	f.keys = other
	if err := f.tryOpen(); err == nil || !strings.Contains(err.Error(), "meta/schema") || !strings.Contains(err.Error(), "Put the keyset back") {
		t.Errorf("got %v", err)
	}
	t.Run("but a rotated one does", func(t *testing.T) {
		if f.keys, err = mine.Rotate(start); err != nil {
			t.Fatal(err)
		}
		f.open(t)
	})
}
