package store_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"elevate/internal/pim"
	"elevate/internal/store"
)

var errMine = errors.New("mine")

func TestFailingUpdateIsUndoneAlone(t *testing.T) {
	f := newFile(t)
	const callers = 60
	results := make([]error, callers)
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			results[i] = f.db.Update(t.Context(), func(tx *store.Tx) error {
				if err := tx.PutMeta(fmt.Sprint(i), i); err != nil {
					return err
				}
				if _, err := tx.Append(pim.Event{Kind: pim.EventRequested, Chat: pim.System, Text: fmt.Sprint(i)}); err != nil {
					return err
				}
				switch i % 6 {
				case 1:
					return errMine
				case 2:
					panic("mine too")
				}
				return nil
			})
		})
	}
	all.Wait()
	f.view(t, func(tx *store.Tx) error {
		for i, err := range results {
			var got int
			stored, readErr := tx.Meta(fmt.Sprint(i), &got)
			if readErr != nil {
				return readErr
			}
			switch i % 6 {
			case 1:
				if !errors.Is(err, errMine) || stored {
					t.Errorf("%d: error %v, stored %v", i, err, stored)
				}
			case 2:
				if !pim.IsKind(err, pim.Internal) || stored {
					t.Errorf("%d: error %v, stored %v", i, err, stored)
				}
			default:
				if err != nil || !stored || got != i {
					t.Errorf("%d: error %v, stored %v as %d", i, err, stored, got)
				}
			}
		}
		return nil
	})
	if lines := strings.Count(f.sink.String(), "\n"); lines != callers*4/6 {
		t.Errorf("the sink has %d lines for %d events", lines, callers*4/6)
	}
	if _, err := f.db.Verify(t.Context(), store.Anchor{}, strings.NewReader(f.sink.String())); err != nil {
		t.Errorf("Verify: %v", err)
	}
}

func TestUpdateThatFailsHalfwayStaysUndoneEvenIfItHidesTheError(t *testing.T) {
	f := newFile(t)
	err := f.db.Update(t.Context(), func(tx *store.Tx) error {
		if err := tx.PutMeta("first", 1); err != nil {
			return err
		}
		_ = tx.PutMeta(strings.Repeat("long", 10_000), 2) // bbolt takes no key of that size
		return nil
	})
	if err == nil {
		t.Error("the update says that all was stored")
	}
	f.view(t, func(tx *store.Tx) error {
		var n int
		if stored, err := tx.Meta("first", &n); stored || err != nil {
			t.Errorf("half of it was stored: %v", err)
		}
		return nil
	})
}

func TestUpdateThatEndsTheGoroutineHarmsNobodyElse(t *testing.T) {
	f := newFile(t)
	err := f.db.Update(t.Context(), func(*store.Tx) error {
		runtime.Goexit()
		return nil
	})
	if !pim.IsKind(err, pim.Unavailable) {
		t.Errorf("got %v", err)
	}
	f.update(t, func(tx *store.Tx) error { return tx.PutMeta("next", 1) })
}

func TestUpdateIsRefused(t *testing.T) {
	f := newFile(t)
	never := func(*store.Tx) error {
		t.Error("it was called")
		return errMine
	}
	t.Run("when it was opened to read only", func(t *testing.T) {
		f.close(t)
		db, err := store.OpenReadOnly(f.config())
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Update(t.Context(), never); !pim.IsKind(err, pim.Unavailable) {
			t.Errorf("got %v", err)
		}
		if err := db.View(func(tx *store.Tx) error { return tx.PutMeta("n", 1) }); err == nil {
			t.Error("a view has written")
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		f.open(t)
	})
	t.Run("after closing", func(t *testing.T) {
		f.close(t)
		if err := f.db.Update(t.Context(), never); !pim.IsKind(err, pim.Unavailable) {
			t.Errorf("got %v", err)
		}
	})
}

func TestUpdateWaitsNoLongerThanItsCallerWants(t *testing.T) {
	f := newFile(t)
	ctx, cancel := context.WithCancel(t.Context())
	started, release := make(chan struct{}), make(chan struct{})
	var slow sync.WaitGroup
	slow.Go(func() {
		if err := f.db.Update(t.Context(), func(*store.Tx) error {
			close(started)
			<-release
			return nil
		}); err != nil {
			t.Error(err)
		}
	})
	<-started
	cancel()
	err := f.db.Update(ctx, func(*store.Tx) error { return nil })
	if !pim.IsKind(err, pim.Unavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(release)
	slow.Wait()
}

func TestPanicInAViewIsAnError(t *testing.T) {
	f := newFile(t)
	if err := f.db.View(func(*store.Tx) error { panic("mine") }); !pim.IsKind(err, pim.Internal) {
		t.Errorf("got %v", err)
	}
}

func TestDiskThatFails(t *testing.T) {
	disk := errors.New("no space left")
	put := func(tx *store.Tx) error {
		if err := tx.PutMeta("x", 1); err != nil {
			return err
		}
		if _, err := tx.Append(pim.Event{Kind: pim.EventRequested, Chat: pim.System}); err != nil {
			return err
		}
		return tx.PutEffect(store.Effect{Key: "work", Kind: "cards"})
	}
	stored := func(t *testing.T, f *file) (found bool) {
		t.Helper()
		f.view(t, func(tx *store.Tx) (err error) {
			var n int
			found, err = tx.Meta("x", &n)
			return err
		})
		return found
	}
	t.Run("before anything is visible: nothing was stored", func(t *testing.T) {
		f := newFile(t)
		f.db.FailCommit(func(func() error) error { return disk })
		if err := f.db.Update(t.Context(), put); !pim.IsKind(err, pim.Unavailable) || !errors.Is(err, disk) {
			t.Errorf("got %v", err)
		}
		if stored(t, f) || f.sink.Len() > 0 {
			t.Error("it was stored or told")
		}
		f.db.FailCommit(func(commit func() error) error { return commit() })
		f.update(t, put)
	})
	t.Run("at the last step only: it is made durable", func(t *testing.T) {
		f := newFile(t)
		fails := true
		f.db.FailCommit(func(commit func() error) error {
			err := commit()
			if fails {
				fails, err = false, disk
			}
			return err
		})
		f.update(t, put)
		if !stored(t, f) || f.sink.Len() == 0 {
			t.Error("it was not stored or not told")
		}
	})
	t.Run("at the last step for long: nobody is told before it is certain", func(t *testing.T) {
		f := newFile(t)
		var done []string
		f.db.OnEffects(func(all []store.Effect) {
			for _, e := range all {
				done = append(done, e.Key)
			}
		})
		f.db.FailCommit(func(commit func() error) error { return errors.Join(commit(), disk) })
		if err := f.db.Update(t.Context(), put); !pim.IsKind(err, pim.AnswerLost) {
			t.Errorf("got %v", err)
		}
		if f.sink.Len() > 0 || len(done) > 0 || !f.db.SinkBehind() {
			t.Errorf("told %q, let go %v", f.sink, done)
		}
		f.db.FailCommit(func(commit func() error) error { return commit() })
		f.update(t, func(tx *store.Tx) error { return tx.PutMeta("y", 1) })
		if strings.Count(f.sink.String(), "\n") != 1 || len(done) != 1 || f.db.SinkBehind() {
			t.Errorf("told %q, let go %v", f.sink, done)
		}
	})
}

func TestDiskThatFailedIsTriedAgainByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFile(t)
		defer f.close(t)
		var works atomic.Bool // the committer tries by itself meanwhile
		f.db.FailCommit(func(commit func() error) error {
			if works.Load() {
				return commit()
			}
			return errors.New("no space left on device")
		})
		if err := f.db.Update(t.Context(), func(tx *store.Tx) error { return happens(tx, 1) }); !pim.IsKind(err, pim.Unavailable) {
			t.Errorf("got %v", err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if !f.db.Unwritten() {
			t.Error("the disk counts as working while it does not")
		}
		works.Store(true)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if f.db.Unwritten() || f.sink.Len() > 0 {
			t.Errorf("unwritten %v; told %q, which was refused", f.db.Unwritten(), f.sink)
		}
		f.update(t, func(tx *store.Tx) error { return happens(tx, 2) })
	})
}

// What is free inside the file takes a small record still, when the disk is full.
func TestADiskThatTakesSmallRecordsAloneCountsAsFailing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFile(t)
		defer f.close(t)
		var most atomic.Int64
		most.Store(20 << 10)
		f.db.FillDisk(&most)
		large := func(tx *store.Tx) error { return tx.PutMeta("x", strings.Repeat("x", 30<<10)) }
		if err := f.db.Update(t.Context(), large); !pim.IsKind(err, pim.Unavailable) {
			t.Errorf("got %v", err)
		}
		for range 2 {
			time.Sleep(time.Minute)
			synctest.Wait()
			if !f.db.Unwritten() {
				t.Error("the disk counts as working while it is full")
			}
			f.update(t, func(tx *store.Tx) error { return tx.PutMeta("y", 1) }) // what fits is taken all the same
		}
		most.Store(1 << 20)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if f.db.Unwritten() {
			t.Error("there is room again")
		}
		f.update(t, large)
		f.view(t, func(tx *store.Tx) error {
			if left, err := tx.MetaUnder("room"); err != nil || len(left) > 0 {
				t.Errorf("%q is left, %v", left, err)
			}
			return nil
		})
	})
}
