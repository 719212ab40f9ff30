package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"elevate/internal/keyset"
	"elevate/internal/pim"
)

// groupSize is how many callers write at a time, and how many writes the plain transactions group.
const groupSize = 64

// BenchmarkUpdate64 measures what a command writes, 64 callers at a time, against plain bbolt transactions that group
// 64 times the same keys and bytes, on the same disk in the same run. Run it with -benchtime 20000x or so.
func BenchmarkUpdate64(b *testing.B) {
	db := benchFile(b, b.TempDir())
	raw := benchFile(b, b.TempDir())
	plain := planPuts(b, raw, b.N)
	b.ResetTimer()
	ours, theirs := time.Duration(0), time.Duration(0)
	// They take turns, because other work of the machine comes and goes.
	const turn = 20 * groupSize
	for first := 0; first < b.N; first += turn {
		end := min(first+turn, b.N)
		ours += timed(b, func() { updateAll(b, db, first, end) })
		theirs += timed(b, func() { putAll(b, raw.bolt, plain[first:end]) })
	}
	b.StopTimer()

	file, err := os.Create(filepath.Join(b.TempDir(), "sync"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	const syncs = 50
	flush := timed(b, func() { syncMany(b, file, syncs) })

	rate := func(d time.Duration) float64 { return float64(b.N) / d.Seconds() }
	b.ReportMetric(0, "ns/op") // it would be the sum of both
	b.ReportMetric(rate(ours), "updates/s")
	b.ReportMetric(rate(theirs), "plain/s")
	b.ReportMetric(rate(ours)/rate(theirs), "ratio")
	b.ReportMetric(float64(flush.Microseconds())/syncs, "µs/fsync")
	b.ReportMetric(float64(plain[0].count), "puts/update")
	b.ReportMetric(float64(len(plain[0].packed)), "bytes/update")
}

func timed(b *testing.B, fn func()) time.Duration {
	b.Helper()
	b.StartTimer()
	defer b.StopTimer()
	before := b.Elapsed()
	fn()
	return b.Elapsed() - before
}

func benchFile(tb testing.TB, folder string) *DB {
	tb.Helper()
	keys, err := keyset.New(time.Unix(1, 0))
	if err != nil {
		tb.Fatal(err)
	}
	clock := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	db, err := Open(Config{
		Path: filepath.Join(folder, "elevate.db"), Keys: keys, Now: func() time.Time { return clock },
		CheckDisk: func(string) error { return nil },
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	return db
}

// command is what `/elevate mde-admin …` of the i-th caller writes.
func command(tx *Tx, i int) error {
	id := pim.NewRequestID(func(p []byte) {
		for j := range p {
			p[j] = byte(i>>4*j) ^ byte(i*2654435761>>13)
			i = i*31 + 7
		}
	})
	person := fmt.Sprintf("%08x-1111-4222-8333-444455556666", uint32(i)*2654435761)
	account := pim.ChatAccount{Chat: pim.Slack, Workspace: "T0123456789", User: fmt.Sprintf("U%010X", uint32(i))}
	actor := pim.Actor{Person: pim.PrincipalID(person), Account: account, Name: "Alice Example"}
	r := pim.Request{
		ID: id, Role: "mde-admin", Group: "7a3c1f0e-9f5c-4b43-9b3f-5d8d3c0a1b2c", Requester: actor, Principal: actor.Person,
		Origin: pim.Conversation{Chat: pim.Slack, Workspace: "T0123456789", ID: "C0APPROVALS"}, Chat: pim.Slack,
		Asked: pim.Asked{Duration: time.Hour, Reason: "isolating WS-042 after the alert of this morning", Ticket: "INC-1234"},
		State: pim.Submitting, Created: tx.now,
	}
	if err := tx.PutRequest(r); err != nil {
		return err
	}
	if _, err := tx.Append(pim.Event{
		Kind: pim.EventRequested, Request: id, Role: r.Role, Group: r.Group, By: actor, Person: actor.Person, Chat: pim.Slack,
		To: pim.Submitting, Text: r.Asked.Reason,
	}); err != nil {
		return err
	}
	if err := tx.PutEffect(Effect{Key: "submit:" + string(id), Kind: "submit", Request: id, Lane: person, As: actor, Due: tx.now}); err != nil {
		return err
	}
	trigger := fmt.Sprintf("slack:T0123456789:%d.%d.%s", i, i*7, "8fbdca8d1d9e4ff6ab0b2f7c9e1d3a55")
	return tx.PutSeen(trigger, json.RawMessage(`{"card":{"title":"Asked for MDE Administrator","lines":["Bob and Carol were asked."]}}`), tx.now.Add(time.Hour))
}

// puts are the puts of one command in one piece, so that the garbage collector has as little to look at as in the
// real run.
type puts struct {
	count  int
	packed []byte // bucket, length of the key, key, length of the value, value; …
}

func (p *puts) add(in bucket, key, value []byte) {
	p.count++
	p.packed = append(p.packed, byte(in))
	for _, part := range [][]byte{key, value} {
		p.packed = append(binary.BigEndian.AppendUint16(p.packed, uint16(len(part))), part...)
	}
}

func (p *puts) each(put func(in bucket, key, value []byte) error) error {
	for rest := p.packed; len(rest) > 0; {
		in := bucket(rest[0])
		n := 3 + int(binary.BigEndian.Uint16(rest[1:]))
		key := rest[3:n]
		m := n + 2 + int(binary.BigEndian.Uint16(rest[n:]))
		if err := put(in, key, rest[n+2:m:m]); err != nil {
			return err
		}
		rest = rest[m:]
	}
	return nil
}

// planPuts lists the puts of each command, from a transaction that is rolled back.
func planPuts(b *testing.B, db *DB, n int) []puts {
	b.Helper()
	all := make([]puts, n)
	for i := range n {
		bbt, err := db.bolt.Begin(true)
		if err != nil {
			b.Fatal(err)
		}
		tx := &Tx{db: db, bbt: bbt}
		if err := tx.run(func(tx *Tx) error { return command(tx, i) }); err != nil {
			b.Fatal(err)
		}
		for in := notes; in < bucketCount; in++ {
			_ = tx.scan(in, nil, nil, func(key, value []byte) (bool, error) {
				all[i].add(in, numbered(in, key, i), value)
				return true, nil
			})
		}
		if err := bbt.Rollback(); err != nil {
			b.Fatal(err)
		}
	}
	return all
}

// numbered gives an event's key the number it has in the real run.
func numbered(in bucket, key []byte, i int) []byte {
	key = bytes.Clone(key)
	if in == events || in == eventsRequest {
		return append(key[:len(key)-8], seqKey(uint64(i)+1)...)
	}
	return key
}

func updateAll(b *testing.B, db *DB, first, end int) {
	b.Helper()
	var next atomic.Int64
	next.Store(int64(first))
	var all sync.WaitGroup
	for range groupSize {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < end; i = int(next.Add(1)) - 1 {
				if err := db.Update(b.Context(), func(tx *Tx) error { return command(tx, i) }); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}

func putAll(b *testing.B, raw *bolt.DB, all []puts) {
	b.Helper()
	for first := 0; first < len(all); first += groupSize {
		err := raw.Update(func(tx *bolt.Tx) error {
			for _, p := range all[first:min(first+groupSize, len(all))] {
				if err := p.each(func(in bucket, key, value []byte) error {
					return tx.Bucket([]byte(in.String())).Put(key, value)
				}); err != nil {
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

func syncMany(b *testing.B, file *os.File, n int) {
	b.Helper()
	page := make([]byte, 64<<10)
	for i := range n {
		if _, err := file.WriteAt(page, int64(i%4)*int64(len(page))); err != nil {
			b.Fatal(err)
		}
		if err := file.Sync(); err != nil {
			b.Fatal(err)
		}
	}
}
