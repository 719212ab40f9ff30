package workflow_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"elevate/internal/pim"
	"elevate/internal/workflow/workflowtest"
)

func TestLongWordsAreNotKeptWithAnswers(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		heap := func() int64 {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			return int64(m.HeapAlloc)
		}
		before := heap()
		for range 1000 {
			w.bot.Command(context.Background(), w.sender(alice), "history "+strings.Repeat("x", 28_000))
		}
		if grown := heap() - before; grown > 8<<20 {
			t.Errorf("a thousand commands of one person are kept with %d MiB", grown>>20)
		}
	})
}

func TestOnePersonsListsTakeNotAllReadsOfPIM(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		w.pass(time.Minute)
		before := w.dir.Calls(workflowtest.OpLook)
		for range 600 {
			w.says(alice, "roles")
			w.pass(100 * time.Millisecond)
		}
		if n := w.dir.Calls(workflowtest.OpLook) - before; n > 100 {
			t.Errorf("one person had PIM read %d times in a minute", n)
		}
	})
}

func TestTheSameInputIsKnownWhileItsTokenIsGood(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		from := w.sender(alice)
		w.saysFrom(from, "mde-admin isolating WS-042")
		w.pass(2 * time.Second)
		id := w.newest(alice).ID
		w.says(alice, "cancel "+string(id))
		w.pass(20 * time.Minute)
		w.is(id, pim.Canceled)
		w.saysFrom(from, "mde-admin isolating WS-042") // a token of Teams' is good for an hour
		w.pass(2 * time.Second)
		if n := len(w.allRequests()); n != 1 {
			t.Errorf("the same input made %d requests", n)
		}
	})
}
