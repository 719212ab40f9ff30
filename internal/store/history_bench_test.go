package store

import (
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"elevate/internal/pim"
)

var (
	historySize = flag.Int("history", 20_000, "how many ended requests BenchmarkOpenWithHistory stores first")
	openSize    = flag.Int("open", 1_000, "how many open ones")
)

// BenchmarkOpenWithHistory measures the opening of a file with many ended requests, and what this process's memory then
// is. Run it with -history 1000000.
func BenchmarkOpenWithHistory(b *testing.B) {
	folder := b.TempDir()
	db := benchFile(b, folder)
	config := Config{Path: db.path, Keys: db.keys, Now: db.now, CheckDisk: func(string) error { return nil }}
	fillHistory(b, db)
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	info, err := os.Stat(config.Path)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if db, err = Open(config); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.StopTimer()
	if db, err = Open(config); err != nil {
		b.Fatal(err)
	}
	next := *historySize + *openSize
	stats := timed(b, func() {
		if _, err = db.Stats(); err != nil {
			b.Fatal(err)
		}
	})
	one := timed(b, func() { updateAll(b, db, next, next+100*groupSize) })
	debug.FreeOSMemory()
	b.ReportMetric(float64(info.Size())/(1<<20), "MiB")
	b.ReportMetric(rssAnon(b), "MiB-anon")
	b.ReportMetric(float64(stats.Microseconds())/1000, "ms/stats")
	b.ReportMetric(100*groupSize/one.Seconds(), "updates/s")
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
}

// fillHistory writes the history without waiting for the disk.
func fillHistory(b *testing.B, db *DB) {
	b.Helper()
	const piece = 2000
	db.bolt.NoSync = true
	defer func() { db.bolt.NoSync = false }()
	for first := 0; first < *historySize+*openSize; first += piece {
		err := db.Update(b.Context(), func(tx *Tx) error {
			for i := first; i < min(first+piece, *historySize+*openSize); i++ {
				if err := past(tx, i); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// past stores the i-th request of one of a thousand people, with the events of its life.
func past(tx *Tx, i int) error {
	created := tx.now.Add(time.Duration(i-*historySize) * time.Minute)
	actor := pim.Actor{Person: pim.PrincipalID(fmt.Sprintf("%08x-1111-4222-8333-444455556666", i%1000)), Account: pim.ChatAccount{Chat: pim.Slack, Workspace: "T1", User: fmt.Sprint("U", i%1000)}}
	r := pim.Request{
		ID: pim.RequestID(fmt.Sprintf("%06x", i)), Role: "mde-admin", Group: "7a3c1f0e", Requester: actor, Principal: actor.Person,
		Chat: pim.Slack, Asked: pim.Asked{Duration: time.Hour, Reason: "isolating WS-042"}, State: pim.Ended, Created: created,
		Copy: pim.Copy{ID: fmt.Sprintf("pim-%08x", i), Status: "Provisioned", Principal: actor.Person, Justification: "isolating WS-042"},
	}
	if i >= *historySize {
		r.State = pim.Active
	}
	if err := tx.PutRequest(r); err != nil {
		return err
	}
	for _, kind := range []pim.EventKind{pim.EventRequested, pim.EventDecided, pim.EventConfirmed} {
		if _, err := tx.Append(pim.Event{Kind: kind, Request: r.ID, At: created, Role: r.Role, By: actor, Chat: pim.Slack}); err != nil {
			return err
		}
	}
	return nil
}

// rssAnon reads how much memory this process has that is not the file's.
func rssAnon(b *testing.B) float64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0 // only Linux tells
	}
	var kib float64
	_, after, _ := strings.Cut(string(status), "RssAnon:")
	if _, err := fmt.Sscan(after, &kib); err != nil {
		b.Fatal(err)
	}
	return kib / 1024
}
