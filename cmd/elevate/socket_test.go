package main

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"
)

func TestOnlyTheStateFilesOwnerAnswersOrders(t *testing.T) {
	for _, c := range []struct {
		name             string
		uid, asks, owner int
		wanted           bool
	}{
		{"oneself", 1000, 1000, 1000, true},
		{"root serves", 0, 1000, 0, true},
		{"root asks the bot's user", 999, 0, 999, true},
		{"root asks somebody else", 1000, 0, 999, false},
		{"a stranger without a state file", 1000, 0, -1, false},
	} {
		if got := mayServe(c.uid, c.asks, c.owner); got != c.wanted {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestTheDoorKnowsWhoIsBehindTheSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "admin.sock")
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := door{path: path, state: path}.dial(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if uid, err := peerUser(c); err != nil || uid != os.Geteuid() || ownerOf(path) != uid {
		t.Errorf("peer %d, owner %d: %v", uid, ownerOf(path), err)
	}
}
