package store

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"elevate/internal/pim"
)

// bucket names one of the file's buckets.
type bucket uint8

const (
	meta bucket = iota
	notes
	requests
	requestsOpen
	requestsOpenOf
	requestsPIM
	requestsPerson
	requestsAccount
	requestsRole
	events
	eventsRequest
	effects
	parked
	intents
	intentsAccount
	intentsRequest
	refs
	refsMessage
	links
	linksPerson
	persons
	sessions
	sessionsPerson
	sessionCaches
	tickets
	seen
	expiry
	bucketCount
)

var bucketNames = [bucketCount]string{
	"meta", "notes", "requests", "requests_open", "requests_open_of", "requests_pim", "requests_person", "requests_account", "requests_role",
	"events", "events_request", "effects", "parked", "intents", "intents_account", "intents_request", "refs", "refs_message",
	"links", "links_person", "persons", "sessions", "sessions_person", "session_caches", "tickets", "seen", "expiry",
}

// String returns the bucket's name in the file.
func (b bucket) String() string { return bucketNames[b] }

// Tx is one transaction. It may be used only inside the function it was given to, and by one goroutine.
type Tx struct {
	db  *DB
	bbt *bolt.Tx
	now time.Time

	opened  [bucketCount]*bolt.Bucket
	scratch []byte
	// writes counts puts and deletes; failed is the first that failed, so that no caller can commit half of it.
	writes int
	failed error

	chain   *chain   // loaded when first needed
	changed bool     // chain has to be written at the end
	lines   []byte   // the events appended here, as they go to the sink
	due     []Effect // the effects put here
}

// Now is the time of the transaction, the same for all that happens in it.
func (tx *Tx) Now() time.Time { return tx.now }

// NewRequestID returns an id that no request in the file has.
func (tx *Tx) NewRequestID() pim.RequestID {
	for {
		id := pim.NewRequestID(func(b []byte) { _, _ = rand.Read(b) }) // it never fails, by its documentation
		if tx.get(requests, []byte(id)) == nil {
			return id
		}
	}
}

// The four functions below are all that this package asks of bbolt inside a transaction.

func (tx *Tx) bucket(b bucket) *bolt.Bucket {
	if tx.opened[b] == nil {
		tx.opened[b] = tx.bbt.Bucket([]byte(b.String()))
	}
	return tx.opened[b]
}

// get returns the value, or nil. It is valid until the transaction ends and must not be changed.
func (tx *Tx) get(b bucket, key []byte) []byte {
	if len(key) == 0 {
		return nil
	}
	return tx.bucket(b).Get(key)
}

// putRaw stores a value, which must not be changed afterwards.
func (tx *Tx) putRaw(b bucket, key, value []byte) error {
	tx.writes++
	return tx.wrote(b, key, tx.bucket(b).Put(key, value))
}

func (tx *Tx) delete(b bucket, key []byte) error {
	tx.writes++
	return tx.wrote(b, key, tx.bucket(b).Delete(key))
}

func (tx *Tx) wrote(b bucket, key []byte, err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("writing %s: %w", keyName(b, key), err)
	if tx.failed == nil {
		tx.failed = err
	}
	return err
}

// scan calls visit for the keys from first up to, not including, end (nil: the bucket's), in order, until it says that
// no more is wanted. visit must not write to the bucket.
func (tx *Tx) scan(b bucket, first, end []byte, visit func(key, value []byte) (more bool, err error)) error {
	cursor := tx.bucket(b).Cursor()
	for key, value := cursor.Seek(first); key != nil; key, value = cursor.Next() {
		if end != nil && bytes.Compare(key, end) >= 0 {
			return nil
		}
		if more, err := visit(key, value); err != nil || !more {
			return err
		}
	}
	return nil
}

// under scans all keys that begin with prefix.
func (tx *Tx) under(b bucket, prefix []byte, visit func(key, value []byte) (more bool, err error)) error {
	return tx.scan(b, prefix, afterPrefix(prefix), visit)
}
