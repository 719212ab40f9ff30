package main

import (
	"os/signal"
	"strings"
	"syscall"
	"testing"
)

// The terminal or the session that serve was started from goes away.
func TestAHangupStopsServeInOrder(t *testing.T) {
	t.Parallel()
	if signal.Ignored(syscall.SIGHUP) {
		t.Skip("hangups are ignored here, and by what is started from here")
	}
	v := newVictim(t)
	if err := v.process.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if err := v.process.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if !strings.Contains(v.said.String(), "msg=stopped") {
		t.Error("it did not stop in order")
	}
}
