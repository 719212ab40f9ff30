package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"time"

	"elevate/internal/pim"
)

// chain is the record of how far the events go.
type chain struct {
	Seq      uint64 `json:"seq"`           // the newest event
	MAC      []byte `json:"mac,omitempty"` // its chain MAC
	Told     uint64 `json:"told"`          // on the sink, at the last commit
	Requests uint64 `json:"requests"`      // how many there are
}

var chainKey = []byte("chain")

// link is an event as it stands in the chain.
type link struct {
	seq     uint64
	mac     []byte
	content []byte // JSON
}

func (tx *Tx) loadChain() (chain, error) {
	c, ok, err := read[chain](tx, meta, chainKey)
	if err == nil && !ok {
		err = tampered(meta, chainKey)
	}
	return c, err
}

func (tx *Tx) saveChain(c chain) error {
	c.Told = tx.db.sink.told
	return tx.write(meta, chainKey, c)
}

// theChain returns the chain as this transaction has made it so far. Who changes it sets tx.changed.
func (tx *Tx) theChain() (*chain, error) {
	if tx.chain == nil {
		c, err := tx.loadChain()
		if err != nil {
			return nil, err
		}
		tx.chain = &c
	}
	return tx.chain, nil
}

// finish writes what is written once for a whole group.
func (tx *Tx) finish() error {
	if !tx.changed {
		return nil
	}
	return tx.saveChain(*tx.chain)
}

func (tx *Tx) chainMAC(previous []byte, seq uint64, content []byte) []byte {
	return tx.db.keys.MAC(tx.chained(previous, seq, content))
}

func (tx *Tx) chained(previous []byte, seq uint64, content []byte) []byte {
	tx.scratch = append(tx.scratch[:0], eventPurpose...)
	tx.scratch = binary.AppendUvarint(tx.scratch, uint64(len(previous)))
	tx.scratch = append(tx.scratch, previous...)
	tx.scratch = binary.BigEndian.AppendUint64(tx.scratch, seq)
	return append(tx.scratch, content...)
}

// Append adds an event to the audit trail and returns its number. It sets Seq, and At when that is zero.
func (tx *Tx) Append(e pim.Event) (uint64, error) {
	c, err := tx.theChain()
	if err != nil {
		return 0, err
	}
	e.Seq = c.Seq + 1
	if e.At.IsZero() {
		e.At = tx.now
	}
	e.At = e.At.UTC()
	if e.Linked, err = tx.linkedTo(e.By); err != nil {
		return 0, err
	}
	content, err := json.Marshal(e)
	if err != nil {
		return 0, fmt.Errorf("encoding an event: %w", err)
	}
	mac := tx.chainMAC(c.MAC, e.Seq, content)
	value := append(make([]byte, 0, headSize+len(content)), recordVersion)
	value = append(append(value, mac...), content...)
	if err := tx.putRaw(events, seqKey(e.Seq), value); err != nil {
		return 0, err
	}
	c.Seq, c.MAC, tx.changed = e.Seq, mac, true
	tx.lines = link{seq: e.Seq, mac: mac, content: content}.appendLine(tx.lines)
	if e.Request == "" {
		return e.Seq, nil
	}
	return e.Seq, tx.putRaw(eventsRequest, append(path(string(e.Request)), seqKey(e.Seq)...), []byte{})
}

// linkedTo is who a chat account is linked to, where another account of the same person acts.
func (tx *Tx) linkedTo(by pim.Actor) (pim.PrincipalID, error) {
	if by.Person == "" || by.Account.IsZero() {
		return "", nil
	}
	link, found, err := tx.Link(by.Account)
	if err != nil || !found || link.Person == by.Person {
		return "", err
	}
	return link.Person, nil
}

// Events returns the events from that number on, at most so many.
func (tx *Tx) Events(from uint64, most int) ([]pim.Event, error) {
	var found []pim.Event
	err := tx.verified(from, most, func(l link) error {
		e, err := l.event()
		found = append(found, e)
		return err
	})
	return found, err
}

// EventAt returns the number of the first event that happened at that time or later, one more than the newest where none
// did. It looks at a few events only, which is right as far as the clock never went back.
func (tx *Tx) EventAt(at time.Time) (uint64, error) {
	c, err := tx.theChain()
	if err != nil {
		return 0, err
	}
	after := sort.Search(int(c.Seq), func(i int) bool { //nolint:gosec // a file of 2^63 events does not fit anywhere
		found, e := tx.Events(uint64(i)+1, 1) //nolint:gosec // never negative
		err = errors.Join(err, e)
		return len(found) == 0 || !found[0].At.Before(at)
	})
	return uint64(after) + 1, err //nolint:gosec // never negative
}

// EventsOf returns all events of a request, oldest first.
func (tx *Tx) EventsOf(id pim.RequestID) ([]pim.Event, error) {
	var found []pim.Event
	prefix := path(string(id))
	err := tx.under(eventsRequest, prefix, func(key, _ []byte) (bool, error) {
		if len(key) != len(prefix)+8 {
			return false, dangling(eventsRequest, key)
		}
		of, err := tx.Events(binary.BigEndian.Uint64(key[len(prefix):]), 1)
		if err != nil {
			return false, err
		}
		if len(of) != 1 || of[0].Request != id {
			return false, dangling(eventsRequest, key)
		}
		found = append(found, of[0])
		return true, nil
	})
	return found, err
}

func (l link) event() (e pim.Event, err error) {
	if err := json.Unmarshal(l.content, &e); err != nil {
		return e, fmt.Errorf("decoding event %d: %w", l.seq, err)
	}
	return e, nil
}

// verified checks the events from that number on, at most so many, each against the one before it, and visits them. A
// number without an event is an error, and so is a newest event that is not the one the chain ends with.
func (tx *Tx) verified(from uint64, most int, visit func(link) error) error {
	c, err := tx.theChain()
	from = max(from, 1)
	if err != nil || most <= 0 || from > c.Seq {
		return err
	}
	last := link{seq: from - 1}
	if from > 1 {
		before := tx.get(events, seqKey(from-1))
		if len(before) < headSize {
			return tampered(events, seqKey(from-1))
		}
		last.mac = before[1:headSize]
	}
	for through := min(c.Seq, from+uint64(most)-1); last.seq < through; {
		if last, err = tx.link(last); err != nil {
			return err
		}
		if err := visit(last); err != nil {
			return err
		}
	}
	if last.seq == c.Seq && !bytes.Equal(last.mac, c.MAC) {
		return tampered(events, seqKey(last.seq))
	}
	return nil
}

// link reads and checks the event that follows another.
func (tx *Tx) link(previous link) (link, error) {
	key := seqKey(previous.seq + 1)
	value := tx.get(events, key)
	if len(value) < headSize+2 || value[0] != recordVersion {
		return previous, tampered(events, key)
	}
	l := link{seq: previous.seq + 1, mac: value[1:headSize], content: value[headSize:]}
	if tx.db.keys.Verify(l.mac, tx.chained(previous.mac, l.seq, l.content)) != nil {
		return previous, tampered(events, key)
	}
	return l, nil
}

// eachEvent checks and visits all events from that number to the one that is the newest when it begins, without holding
// one transaction all the time.
func (db *DB) eachEvent(ctx context.Context, from uint64, visit func(link) error) error {
	const atOnce = 1000
	for next, newest := max(from, 1), uint64(0); newest == 0 || next <= newest; next += atOnce {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := db.View(func(tx *Tx) error {
			c, err := tx.theChain()
			if err != nil {
				return err
			}
			if newest == 0 {
				newest = c.Seq
			}
			if next > newest {
				return nil
			}
			return tx.verified(next, int(min(atOnce, newest-next+1)), visit)
		})
		if err != nil || newest == 0 {
			return err
		}
	}
	return nil
}
