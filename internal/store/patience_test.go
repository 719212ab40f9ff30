package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"elevate/internal/pim"
	"elevate/internal/store"
)

// tap is a sink that takes bytes while it is open, and holds the writer while it is not.
type tap struct {
	mu   sync.Mutex
	got  bytes.Buffer
	open chan struct{}
}

func (p *tap) Write(b []byte) (int, error) {
	p.mu.Lock()
	open := p.open
	p.mu.Unlock()
	<-open
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.got.Write(b)
}

func (p *tap) shut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = make(chan struct{})
}

func TestASinkThatHangsHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFile(t)
		f.close(t)
		out := &tap{open: make(chan struct{})}
		close(out.open)
		config := f.config()
		config.Sink = out
		var err error
		if f.db, err = store.Open(config); err != nil {
			t.Fatal(err)
		}
		var ran []string
		f.db.OnEffects(func(all []store.Effect) {
			for _, e := range all {
				ran = append(ran, e.Key)
			}
		})
		f.update(t, func(tx *store.Tx) error { return happens(tx, 1) })
		out.shut()
		began := time.Now()
		for i := 2; i < 6; i++ {
			f.update(t, func(tx *store.Tx) error { return happens(tx, i) })
		}
		if took := time.Since(began); took > 500*time.Millisecond || !f.db.SinkBehind() || len(ran) != 1 {
			t.Errorf("it took %s, behind %v, ran %v", took, f.db.SinkBehind(), ran)
		}
		time.Sleep(time.Hour)
		close(out.open)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if f.db.SinkBehind() || len(ran) != 5 {
			t.Errorf("behind %v, ran %v", f.db.SinkBehind(), ran)
		}
		proof, err := f.db.Verify(t.Context(), store.Anchor{}, strings.NewReader(out.got.String()))
		if err != nil || proof.Through != 5 || proof.Repeated+proof.Skipped != 0 {
			t.Errorf("the sink has %q: %+v, %v", &out.got, proof, err)
		}
	})
}

func TestAFileIsOpenedAndClosedWhileItsSinkHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFile(t)
		f.update(t, func(tx *store.Tx) error { return happens(tx, 1) })
		copied := copyOf(t, f) // the position on the sink is not in it
		out := &tap{open: make(chan struct{})}
		config := f.config()
		config.Path, config.Sink = copied, out
		db, err := store.Open(config)
		if err != nil {
			t.Fatal(err)
		}
		if !db.SinkBehind() {
			t.Error("it is not behind")
		}
		began := time.Now()
		if err := db.Close(); err != nil || time.Since(began) > time.Second {
			t.Errorf("closed after %s: %v", time.Since(began), err)
		}
		close(out.open)
	})
}

// fickle is a sink that takes a part of each write, now or later, and fails or not, as its plan says; without one it works.
type fickle struct {
	mu   sync.Mutex
	plan []whim
	got  bytes.Buffer
}

type whim struct {
	slow time.Duration
	most int // bytes; -1: all
}

func (s *fickle) Write(b []byte) (int, error) {
	s.mu.Lock()
	next := whim{most: -1}
	if len(s.plan) > 0 {
		next, s.plan = s.plan[0], s.plan[1:]
	}
	s.mu.Unlock()
	time.Sleep(next.slow)
	s.mu.Lock()
	defer s.mu.Unlock()
	if next.most < 0 || next.most >= len(b) {
		return s.got.Write(b)
	}
	s.got.Write(b[:next.most])
	return next.most, errors.New("no room")
}

func TestASlowSinkThatFailsGetsEveryEventOnce(t *testing.T) {
	whims := rapid.Custom(func(t *rapid.T) whim {
		return whim{time.Duration(rapid.IntRange(0, 600).Draw(t, "milliseconds")) * time.Millisecond, rapid.IntRange(-1, 400).Draw(t, "bytes")}
	})
	rapid.Check(t, func(rt *rapid.T) {
		events, plan := rapid.IntRange(1, 8).Draw(rt, "events"), rapid.SliceOfN(whims, 0, 20).Draw(rt, "plan")
		var wrong error
		synctest.Test(t, func(t *testing.T) { wrong = tellFickle(t, &fickle{plan: plan}, events) })
		if wrong != nil {
			rt.Fatal(wrong)
		}
	})
}

func tellFickle(t *testing.T, out *fickle, events int) error {
	t.Helper()
	f := newFile(t)
	f.close(t)
	config := f.config()
	config.Sink = out
	var err error
	if f.db, err = store.Open(config); err != nil {
		t.Fatal(err)
	}
	for i := range events {
		f.update(t, func(tx *store.Tx) error {
			_, err := tx.Append(pim.Event{Kind: pim.EventObserved, Chat: pim.System, Text: fmt.Sprint(i)})
			return err
		})
	}
	time.Sleep(time.Minute)
	synctest.Wait()
	proof, err := f.db.Verify(t.Context(), store.Anchor{}, strings.NewReader(out.got.String()))
	if err != nil || f.db.SinkBehind() || proof.Through != uint64(events) || proof.Repeated+proof.Skipped != 0 {
		return fmt.Errorf("%q: %+v, %w", &out.got, proof, err)
	}
	return nil
}
