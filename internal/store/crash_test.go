package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"elevate/internal/keyset"
	"elevate/internal/pim"
	"elevate/internal/secret"
	"elevate/internal/store"
)

// childEnv makes the test binary a process that writes to a state file until it is killed; its value is the folder of
// the file and its keyset.
const childEnv = "ELEVATE_STORE_TEST_CHILD"

// limitEnv is the size in bytes that no file of the child may grow over, "" for none.
const limitEnv = "ELEVATE_STORE_TEST_LIMIT"

// runChild is TestMain's first step; it says whether this process is a child.
func runChild() bool {
	folder := os.Getenv(childEnv)
	if folder == "" {
		return false
	}
	if err := child(folder); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}

func child(folder string) error {
	if limit, err := strconv.ParseUint(os.Getenv(limitEnv), 10, 64); err == nil {
		signal.Ignore(syscall.SIGXFSZ) // so that a write over the limit fails, as on a full disk, and does not kill
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
			return err
		}
	}
	config, err := childConfig(folder)
	if err != nil {
		return err
	}
	sink, err := os.OpenFile(filepath.Join(folder, "sink"), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	config.Sink = sink
	db, err := store.Open(config)
	if err != nil {
		return err
	}
	fmt.Println("begins") //nolint:forbidigo // the parent reads it
	const writers = 8
	var all sync.WaitGroup
	failed := make([]error, writers)
	for w := range writers {
		all.Go(func() {
			for i := 0; failed[w] == nil; i++ {
				if failed[w] = writeOne(db, fmt.Sprintf("%d.%d", w, i)); failed[w] == nil {
					fmt.Printf("stored %d.%d\n", w, i) //nolint:forbidigo // the parent reads it
				}
			}
		})
	}
	all.Wait()
	return errors.Join(append(failed, db.Close(), sink.Close())...)
}

// writeOne stores a note, a request, an event and an effect in one update, which belong together for ever.
func writeOne(db *store.DB, name string) error {
	return db.Update(context.Background(), func(tx *store.Tx) error {
		r := request(tx.NewRequestID(), alice, tx.Now())
		r.Why = name
		_, err := tx.Append(pim.Event{Kind: pim.EventRequested, Request: r.ID, Chat: pim.System, Text: name})
		return errors.Join(err, tx.PutMeta(name, r.ID), tx.PutRequest(r), tx.PutEffect(store.Effect{Key: name, Kind: "cards", Request: r.ID}))
	})
}

func childConfig(folder string) (store.Config, error) {
	content, err := os.ReadFile(filepath.Join(folder, "keyset"))
	if err != nil {
		return store.Config{}, err
	}
	keys, err := keyset.Load(secret.New(string(content)))
	clock := start
	return store.Config{
		Path: filepath.Join(folder, "elevate.db"), Keys: keys, Sink: io.Discard,
		Now: func() time.Time { return clock }, CheckDisk: func(string) error { return nil },
	}, err
}

// family is a parent's view of a child.
type family struct {
	folder string
	stored []string // what the child was told is stored
}

func newFamily(t *testing.T) *family {
	t.Helper()
	keys, err := keyset.New(start)
	if err != nil {
		t.Fatal(err)
	}
	content, err := keys.Encode()
	if err != nil {
		t.Fatal(err)
	}
	f := &family{folder: t.TempDir()}
	if err := os.WriteFile(filepath.Join(f.folder, "keyset"), []byte(content.Reveal()), 0o600); err != nil {
		t.Fatal(err)
	}
	return f
}

// run starts a child and kills it after so many updates (0: it ends by itself); it returns what the child said at its end.
func (f *family) run(t *testing.T, limit string, killAfter int) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+f.folder, limitEnv+"="+limit)
	var last strings.Builder
	cmd.Stderr = &last
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); {
		if name, ok := strings.CutPrefix(lines.Text(), "stored "); ok {
			f.stored = append(f.stored, name)
			n++
		}
		if n == killAfter && n > 0 {
			_ = cmd.Process.Kill() // and what is still in the pipe is read
		}
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the child was not killed and did not fail")
	}
	return last.String()
}

// check opens what the child left and expects all that was reported as stored, whole, and nothing that is half there.
func (f *family) check(t *testing.T) {
	t.Helper()
	config, err := childConfig(f.folder)
	if err != nil {
		t.Fatal(err)
	}
	sink, err := os.OpenFile(filepath.Join(f.folder, "sink"), os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sink.Close() }()
	config.Sink = sink
	db, err := store.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var stream io.Reader = io.NewSectionReader(sink, 0, 1<<40)
	if head, err := db.Head(); err != nil || head.Seq == 0 {
		stream = nil // a file that was only made has told nothing
	}
	proof, err := db.Verify(t.Context(), store.Anchor{}, stream)
	if err != nil || proof.Through != proof.Events || proof.Through < uint64(len(f.stored)) {
		t.Errorf("Verify: %+v, %v", proof, err)
	}
	if err := db.View(func(tx *store.Tx) error { return f.checkWhole(t, tx, int(proof.Events)) }); err != nil {
		t.Error(err)
	}
}

func (f *family) checkWhole(t *testing.T, tx *store.Tx, events int) error {
	t.Helper()
	for _, name := range f.stored {
		if found, err := tx.Meta(name, new(pim.RequestID)); err != nil || !found {
			t.Errorf("%s was reported as stored and is not: %v", name, err)
		}
	}
	open, err := tx.OpenRequests()
	if err != nil {
		return err
	}
	effects, err := tx.Effects()
	if err != nil {
		return err
	}
	if len(open) != events || len(effects) != events {
		t.Errorf("%d requests, %d effects and %d events", len(open), len(effects), events)
	}
	for _, r := range open {
		of, err := tx.EventsOf(r.ID)
		if err != nil || len(of) != 1 || of[0].Text != r.Why {
			t.Errorf("request %s has the events %v, %v", r.ID, of, err)
		}
		if e, ok, err := tx.Effect(r.Why); err != nil || !ok || e.Request != r.ID {
			t.Errorf("request %s has the effect %+v, %v", r.ID, e, err)
		}
	}
	return nil
}

func TestKilledProcessLosesNothingThatWasStored(t *testing.T) {
	f := newFamily(t)
	for _, after := range []int{1, 20, 75, 190} {
		f.stored = nil
		_ = os.Remove(filepath.Join(f.folder, "elevate.db")) // each child counts from the beginning
		_ = os.Remove(filepath.Join(f.folder, "sink"))
		f.run(t, "", after)
		f.check(t)
	}
}

func TestFullDiskStoresNothingHalf(t *testing.T) {
	f := newFamily(t)
	for _, limit := range []int{300_000, 450_001, 1 << 20} {
		f.stored = nil
		_ = os.Remove(filepath.Join(f.folder, "elevate.db"))
		_ = os.Remove(filepath.Join(f.folder, "sink"))
		f.check(t) // makes the file, which has holes, as large as it will be: what fails is the writing of pages
		if said := f.run(t, strconv.Itoa(limit), 0); !strings.Contains(said, "nothing was stored") {
			t.Errorf("at %d bytes it said %q", limit, said)
		}
		f.check(t)
	}
}
