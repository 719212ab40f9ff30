package store_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"elevate/internal/pim"
	"elevate/internal/store"
)

func TestBackupHasAllButWhatCanActAsAPerson(t *testing.T) {
	f := newFile(t)
	f.update(t, fill)
	to := filepath.Join(t.TempDir(), "backup.db")
	var copied bytes.Buffer
	room := t.TempDir()
	if err := f.db.Backup(t.Context(), room, &copied); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(room); len(left) > 0 || err != nil {
		t.Errorf("it left %v behind (%v)", left, err)
	}
	if err := os.WriteFile(to, copied.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	live := f.db
	head, err := live.Head()
	if err != nil {
		t.Fatal(err)
	}
	f.close(t)
	f.path = to
	f.open(t)
	if proof, err := f.db.Verify(t.Context(), head, strings.NewReader(f.sink.String())); err != nil || !proof.Anchored {
		t.Errorf("%+v, %v", proof, err)
	}
	f.view(t, func(tx *store.Tx) error {
		sessions, err := tx.Sessions()
		if err != nil || len(sessions) > 0 {
			t.Errorf("it has sessions: %v, %v", sessions, err)
		}
		of, err := tx.SessionsOf(alice.Person)
		if err != nil || len(of) > 0 {
			t.Errorf("it has sessions of a person: %v, %v", of, err)
		}
		if _, ok, err := tx.Ticket("hash"); ok || err != nil {
			t.Errorf("it has a ticket: %v", err)
		}
		return readAll(tx)
	})
	f.now = start.Add(2 * time.Hour)
	f.update(t, func(tx *store.Tx) error {
		_, err := tx.Expire(10) // finds entries for what was not copied
		return err
	})
}

// gone is a reader of a backup who goes away.
type gone struct{ cancel context.CancelFunc }

func (g gone) Write(p []byte) (int, error) { g.cancel(); return len(p), nil }

func TestABackupThatNobodyReadsToItsEndLeavesNothing(t *testing.T) {
	f := newFile(t)
	f.update(t, fill)
	f.update(t, func(tx *store.Tx) error {
		return tx.PutMeta("large", strings.Repeat("x", 3<<20))
	})
	ctx, cancel := context.WithCancel(t.Context())
	room := t.TempDir()
	if err := f.db.Backup(ctx, room, gone{cancel}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if err := f.db.Backup(t.Context(), filepath.Join(room, "nowhere"), io.Discard); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if left, err := os.ReadDir(room); len(left) > 0 || err != nil {
		t.Errorf("it left %v behind (%v)", left, err)
	}
}

func TestRestoredFileActsAsNobody(t *testing.T) {
	f := newFile(t)
	f.update(t, func(tx *store.Tx) error {
		for _, kind := range []string{"submit", "decide", "cancel", "release", "revoke", "cards", "watch"} {
			if err := tx.PutEffect(store.Effect{Key: kind, Kind: kind}); err != nil {
				return err
			}
			if err := tx.Park(store.Effect{Key: "parked " + kind, Kind: kind}, "why"); err != nil {
				return err
			}
		}
		return fill(tx)
	})
	if err := f.db.Restored(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.view(t, func(tx *store.Tx) error {
		sessions, err := tx.Sessions()
		if err != nil || len(sessions) > 0 {
			t.Errorf("sessions: %v, %v", sessions, err)
		}
		if _, ok, err := tx.Ticket("hash"); ok || err != nil {
			t.Errorf("a ticket: %v", err)
		}
		effects, err := tx.Effects()
		if err != nil {
			return err
		}
		parked, err := tx.Parked()
		if err != nil {
			return err
		}
		for _, p := range parked {
			effects = append(effects, p.Effect)
		}
		for _, e := range effects {
			if e.Kind != "cards" && e.Kind != "watch" {
				t.Errorf("the effect %s (%s) is still there", e.Key, e.Kind)
			}
		}
		if len(effects) != 2+2+3+1 { // two kinds here and parked, and what fill makes
			t.Errorf("there are %d effects", len(effects))
		}
		events, err := tx.Events(4, 9)
		if err != nil || len(events) != 1 || events[0].Kind != pim.EventRestored || !strings.Contains(events[0].Text, "1 sessions and 10 steps") {
			t.Errorf("the events are %v, %v", events, err)
		}
		return nil
	})
}

func TestStatsCount(t *testing.T) {
	f := newFile(t)
	f.update(t, fill)
	f.update(t, func(tx *store.Tx) error {
		r := request("abc235", bob, start)
		r.State = pim.Denied
		return tx.PutRequest(r)
	})
	s, err := f.db.Stats()
	if err != nil {
		t.Fatal(err)
	}
	if s.Requests != 2 || s.Open[pim.Submitting] != 1 || len(s.Open) != 1 || s.Events != 3 || s.Effects != 3 || s.Parked != 1 ||
		s.Links != 1 || s.Sessions != 1 || s.Untold != 0 || s.Bytes == 0 {
		t.Errorf("%+v", s)
	}
}
