package store

import (
	bolt "go.etcd.io/bbolt"
)

// FailCommit puts a disk in the place of the file's that commits, or not, and then reports what it is told to.
func (db *DB) FailCommit(result func(commit func() error) error) {
	db.commitBolt = func(tx *bolt.Tx) error { return result(tx.Commit) }
}
