package store

import (
	"errors"
	"sync/atomic"

	bolt "go.etcd.io/bbolt"
)

// FailCommit puts a disk in the place of the file's that commits, or not, and then reports what it is told to.
func (db *DB) FailCommit(result func(commit func() error) error) {
	db.commitBolt = func(tx *bolt.Tx) error { return result(tx.Commit) }
}

// FillDisk puts a disk in the place of the file's that takes nothing as long as notes hold more than so many bytes,
// which the caller may change later.
func (db *DB) FillDisk(most *atomic.Int64) {
	db.commitBolt = func(tx *bolt.Tx) error {
		size := int64(0)
		err := tx.Bucket([]byte(notes.String())).ForEach(func(k, v []byte) error {
			size += int64(len(k) + len(v))
			return nil
		})
		if err != nil || size > most.Load() {
			return errors.Join(errors.New("no space left on device"), err)
		}
		return tx.Commit()
	}
}

// MakeVersion1 turns the file back to version 1, in which a session and its cache were one record.
func (tx *Tx) MakeVersion1(s Session, sealed []byte) error {
	old := struct {
		Session

		Sealed []byte `json:"sealed"`
	}{s, sealed}
	if err := tx.write(sessions, []byte(s.Account.String()), old); err != nil {
		return err
	}
	if err := tx.bbt.DeleteBucket([]byte(sessionCaches.String())); err != nil {
		return err
	}
	return tx.write(meta, schemaKey, schema{Version: 1, Created: tx.now})
}
