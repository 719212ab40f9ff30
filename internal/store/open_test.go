package store_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"elevate/internal/pim"
	"elevate/internal/store"
)

func TestOpenRefusesWhatItCannotWorkWith(t *testing.T) {
	rewrite := func(change func([]byte) []byte) func(*testing.T, *file) {
		return func(t *testing.T, f *file) {
			t.Helper()
			content, err := os.ReadFile(f.path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(f.path, change(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, row := range map[string]struct {
		prepare func(*testing.T, *file)
		want    string
	}{
		"a text file":                    {rewrite(func([]byte) []byte { return []byte(strings.Repeat("no state\n", 2000)) }), "is not a state file of Elevate"},
		"a file without content":         {rewrite(func(b []byte) []byte { return make([]byte, len(b)) }), "is not a state file of Elevate"},
		"a file that was cut off within": {rewrite(func(b []byte) []byte { return b[:3*os.Getpagesize()] }), "is damaged"},
		"a file that was cut off early":  {rewrite(func(b []byte) []byte { return b[:os.Getpagesize()] }), "file size too small"},
		"pages that were overwritten": {rewrite(func(b []byte) []byte {
			return append(b[:2*os.Getpagesize()], bytes.Repeat([]byte{0xEE}, len(b)-2*os.Getpagesize())...)
		}), "is damaged"},
		"a file that everybody can read": {func(t *testing.T, f *file) {
			t.Helper()
			if err := os.Chmod(f.path, 0o644); err != nil {
				t.Fatal(err)
			}
		}, "chmod 600"},
		"a folder": {func(t *testing.T, f *file) {
			t.Helper()
			f.path = filepath.Dir(f.path)
		}, "is not a regular file"},
		"a folder that does not exist": {func(t *testing.T, f *file) {
			t.Helper()
			f.path = filepath.Join(filepath.Dir(f.path), "none", "elevate.db")
		}, "does not exist: make it"},
		"another program's file": {func(t *testing.T, f *file) {
			t.Helper()
			f.path += "2"
			db, err := bolt.Open(f.path, 0o600, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Update(func(tx *bolt.Tx) error { _, err := tx.CreateBucket([]byte("other")); return err }); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}, "belongs to another program"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFile(t)
			f.update(t, fill)
			f.close(t)
			row.prepare(t, f)
			if err := f.tryOpen(); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want %q", err, row.want)
			}
		})
	}
}

func TestSecondProcessIsRefused(t *testing.T) {
	f := newFile(t)
	const want = "another elevate process has the state file"
	if db, err := store.Open(f.config()); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Open: %v, %v", db, err)
	}
	if db, err := store.OpenReadOnly(f.config()); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("OpenReadOnly: %v, %v", db, err)
	}
}

func TestReadersShareAFileThatNobodyWrites(t *testing.T) {
	f := newFile(t)
	f.update(t, fill)
	f.close(t)
	for range 2 {
		db, err := store.OpenReadOnly(f.config())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		if err := db.View(readAll); err != nil {
			t.Error(err)
		}
	}
	config := f.config()
	config.Path += "2"
	if db, err := store.OpenReadOnly(config); err == nil || !strings.Contains(err.Error(), "there is no state file") {
		t.Errorf("a file that is not there: %v, %v", db, err)
	}
}

func TestNewFileIsItsOwnersOnly(t *testing.T) {
	f := newFile(t)
	info, err := os.Stat(f.path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestDiskIsCheckedBeforeTheFileIsMade(t *testing.T) {
	config := store.Config{Path: filepath.Join(t.TempDir(), "elevate.db"), CheckDisk: func(string) error { return errMine }}
	if db, err := store.Open(config); err == nil {
		t.Errorf("it was opened: %v", db)
	}
	if _, err := os.Stat(config.Path); !os.IsNotExist(err) {
		t.Errorf("it was made: %v", err)
	}
}

func TestAFileThatLosesItsNameWhileInUseTakesNothing(t *testing.T) {
	for name, lose := range map[string]func(path string) error{
		"removed": os.Remove,
		"replaced": func(path string) error {
			return errors.Join(os.Remove(path), os.WriteFile(path, make([]byte, 1<<20), 0o600))
		},
		"moved": func(path string) error { return os.Rename(path, path+".away") },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFile(t)
			f.update(t, func(tx *store.Tx) error { return happens(tx, 1) })
			if err := lose(f.path); err != nil {
				t.Fatal(err)
			}
			err := f.db.Update(t.Context(), func(tx *store.Tx) error { return happens(tx, 2) })
			if !pim.IsKind(err, pim.Unavailable) || !errors.Is(err, store.ErrNotStored) || !f.db.Unwritten() {
				t.Errorf("got %v", err)
			}
			if name != "moved" {
				return
			}
			if err := os.Rename(f.path+".away", f.path); err != nil {
				t.Fatal(err)
			}
			f.update(t, func(tx *store.Tx) error { return happens(tx, 2) })
			if f.db.Unwritten() {
				t.Error("it is back and still counts as lost")
			}
		})
	}
}

func TestTheDiskOfTheFileIsCheckedAndNotThatOfALinkToIt(t *testing.T) {
	f := newFile(t)
	f.close(t)
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(f.path, link); err != nil {
		t.Fatal(err)
	}
	config := f.config()
	var checked string
	config.Path, config.CheckDisk = link, func(folder string) error { checked = folder; return errors.New("a network disk") }
	if db, err := store.Open(config); err == nil || checked != filepath.Dir(f.path) {
		t.Errorf("%v, %v: checked %s", db, err, checked)
	}
	f.open(t)
}

func TestAnEmptyFileIsNotTakenForNone(t *testing.T) {
	f := newFile(t)
	f.close(t)
	if err := os.Truncate(f.path, 0); err != nil {
		t.Fatal(err)
	}
	for _, open := range []func(store.Config) (*store.DB, error){store.Open, store.OpenReadOnly} {
		db, err := open(store.Config{Path: f.path, Keys: f.keys, Now: func() time.Time { return start }, CheckDisk: func(string) error { return nil }})
		if err == nil || !strings.Contains(err.Error(), "is empty") {
			t.Errorf("opened: %v, %v", db, err)
		}
	}
}
