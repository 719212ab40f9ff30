package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"elevate/internal/pim"
	"elevate/internal/store"
)

func TestMain(m *testing.M) {
	if runChild() {
		return
	}
	goleak.VerifyTestMain(m)
}

// pipe is a sink that takes so many bytes and then fails.
type pipe struct {
	mu  sync.Mutex
	got bytes.Buffer
	max int
}

var errPipe = errors.New("broken pipe")

func (p *pipe) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := min(len(b), p.max)
	p.max -= n
	_, _ = p.got.Write(b[:n])
	if n < len(b) {
		return n, errPipe
	}
	return n, nil
}

// room says how many more bytes it takes.
func (p *pipe) room(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.max = n
}

func happens(tx *store.Tx, i int) error {
	if _, err := tx.Append(pim.Event{Kind: pim.EventRequested, Request: "abc234", Chat: pim.System, Text: fmt.Sprint("event ", i)}); err != nil {
		return err
	}
	return tx.PutEffect(store.Effect{Key: fmt.Sprint("work ", i), Kind: "cards"})
}

func TestEffectsWaitForASinkThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFile(t)
		f.close(t)
		out := &pipe{max: 1 << 20}
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
		out.room(100) // it breaks within the line of the second
		f.update(t, func(tx *store.Tx) error { return happens(tx, 2) })
		f.update(t, func(tx *store.Tx) error { return happens(tx, 3) })
		if !f.db.SinkBehind() || len(ran) != 1 {
			t.Errorf("behind %v, ran %v", f.db.SinkBehind(), ran)
		}
		out.room(100) // and once more
		time.Sleep(2 * time.Second)
		synctest.Wait()
		out.room(1 << 20)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if f.db.SinkBehind() || len(ran) != 3 {
			t.Errorf("behind %v, ran %v", f.db.SinkBehind(), ran)
		}
		proof, err := f.db.Verify(t.Context(), store.Anchor{}, strings.NewReader(out.got.String()))
		if err != nil || proof.Through != 3 || proof.Repeated+proof.Skipped != 0 {
			t.Errorf("the sink has %q: %+v, %v", &out.got, proof, err)
		}
	})
}

func TestSinkGetsAfterACrashWhatItLacks(t *testing.T) {
	f := newFile(t)
	for i := range 3 {
		f.update(t, func(tx *store.Tx) error { return happens(tx, i) })
	}
	copied := copyOf(t, f) // as the file is when the process is killed: the last position is not in it
	first := f.sink.String()
	f.path, f.sink = copied, bytes.NewBufferString(first[:len(first)-20]) // and the last line was cut off
	f.reopen(t)
	proof, err := f.db.Verify(t.Context(), store.Anchor{}, strings.NewReader(f.sink.String()))
	if err != nil || proof.From != 1 || proof.Through != 3 || proof.Skipped == 0 {
		t.Errorf("%+v, %v", proof, err)
	}
	t.Run("and nothing again after a clean stop", func(t *testing.T) {
		before := f.sink.String()
		f.reopen(t)
		if f.sink.String() != before {
			t.Errorf("it got %q", f.sink.String()[len(before):])
		}
	})
}

func TestEventsOfAProcessWithoutASinkAreToldByTheNext(t *testing.T) {
	f := newFile(t)
	f.update(t, func(tx *store.Tx) error { return happens(tx, 1) })
	f.close(t)
	config := f.config()
	config.Sink = nil
	db, err := store.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(t.Context(), func(tx *store.Tx) error { return happens(tx, 2) }); err != nil {
		t.Error(err)
	}
	if s, err := db.Stats(); err != nil || s.Untold != 1 || db.SinkBehind() {
		t.Errorf("%+v, %v", s, err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	f.open(t)
	proof, err := f.db.Verify(t.Context(), store.Anchor{}, strings.NewReader(f.sink.String()))
	if err != nil || proof.Through != 2 || proof.Repeated != 0 {
		t.Errorf("%+v, %v", proof, err)
	}
}

func TestFileIsNotOpenedWithoutItsSink(t *testing.T) {
	f := newFile(t)
	f.update(t, func(tx *store.Tx) error { return happens(tx, 1) })
	config := f.config()
	config.Path, config.Sink = copyOf(t, f), &pipe{}
	if db, err := store.Open(config); !errors.Is(err, errPipe) {
		t.Errorf("got %v, %v", db, err)
	}
}

func TestExportIsWhatTheSinkGot(t *testing.T) {
	f := newFile(t)
	for i := range 5 {
		f.update(t, func(tx *store.Tx) error { return happens(tx, i) })
	}
	var out bytes.Buffer
	if err := f.db.Export(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	if out.String() != f.sink.String() {
		t.Errorf("the export is %q, the sink got %q", &out, f.sink)
	}
	if err := f.db.Export(t.Context(), io.Writer(&pipe{})); !errors.Is(err, errPipe) {
		t.Errorf("an export that cannot be written: %v", err)
	}
}
