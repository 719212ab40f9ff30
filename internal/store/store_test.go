package store_test

import (
	"bytes"
	"path/filepath"
	"testing"
	"time"

	"elevate/internal/keyset"
	"elevate/internal/pim"
	"elevate/internal/store"
)

var start = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

var (
	alice = pim.Actor{Person: "a0000000-0000-0000-0000-000000000001", Account: pim.ChatAccount{Chat: pim.Slack, Workspace: "T1", User: "UALICE"}, Name: "Alice"}
	bob   = pim.Actor{Person: "b0000000-0000-0000-0000-000000000002", Account: pim.ChatAccount{Chat: pim.Slack, Workspace: "T1", User: "UBOB"}, Name: "Bob"}
	group = pim.GroupID("90000000-0000-0000-0000-000000000009")
)

// file is a state file of a test, with its clock, keys and sink.
type file struct {
	path string
	keys *keyset.Set
	now  time.Time
	sink *bytes.Buffer
	db   *store.DB
}

func (f *file) config() store.Config {
	return store.Config{
		Path: f.path, Keys: f.keys, Now: func() time.Time { return f.now }, Sink: f.sink,
		CheckDisk: func(string) error { return nil }, // wherever the tests run
	}
}

func newFile(tb testing.TB) *file {
	tb.Helper()
	keys, err := keyset.New(start)
	if err != nil {
		tb.Fatalf("keyset.New: %v", err)
	}
	f := &file{path: filepath.Join(tb.TempDir(), "elevate.db"), keys: keys, now: start, sink: &bytes.Buffer{}}
	f.open(tb)
	tb.Cleanup(func() { f.close(tb) })
	return f
}

func (f *file) open(tb testing.TB) {
	tb.Helper()
	var err error
	if f.db, err = store.Open(f.config()); err != nil {
		tb.Fatalf("Open: %v", err)
	}
}

func (f *file) close(tb testing.TB) {
	tb.Helper()
	if err := f.db.Close(); err != nil {
		tb.Errorf("Close: %v", err)
	}
}

func (f *file) reopen(tb testing.TB) {
	tb.Helper()
	f.close(tb)
	f.open(tb)
}

func (f *file) update(tb testing.TB, fn func(*store.Tx) error) {
	tb.Helper()
	if err := f.db.Update(tb.Context(), fn); err != nil {
		tb.Fatalf("Update: %v", err)
	}
}

func (f *file) view(tb testing.TB, fn func(*store.Tx) error) {
	tb.Helper()
	if err := f.db.View(fn); err != nil {
		tb.Fatalf("View: %v", err)
	}
}

func request(id pim.RequestID, by pim.Actor, created time.Time) pim.Request {
	return pim.Request{
		ID: id, Role: "mde-admin", Group: group, Requester: by, Principal: by.Person, Chat: pim.Slack,
		Origin: pim.Conversation{Chat: pim.Slack, ID: "C1"}, State: pim.Submitting, Created: created,
		Asked: pim.Asked{Duration: time.Hour, Reason: "isolating WS-042"},
	}
}
