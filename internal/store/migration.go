package store

import (
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"elevate/internal/pim"
)

// schemaVersion is the version of the schema drawn in the package comment.
const schemaVersion = 4

// migrations brings a file from version i+1 to i+2, each in the transaction of the opening. A change of the schema adds
// one, and a file of the version before it to testdata.
var migrations = [schemaVersion - 1]func(*Tx) error{splitSessions, nameMembers, keepMore}

// splitSessions moves the token caches out of the sessions: version 1 had them in one record.
func splitSessions(tx *Tx) error {
	if _, err := tx.bbt.CreateBucket([]byte(sessionCaches.String())); err != nil {
		return err
	}
	type whole struct {
		Session

		Sealed []byte `json:"sealed"`
	}
	all, err := list[whole](tx, sessions)
	if err != nil {
		return err
	}
	for _, s := range all {
		if err := tx.PutSession(s.Session, s.Sealed); err != nil {
			return err
		}
	}
	return nil
}

// nameMembers has the id that stands for a person name all of that person's: up to version 2 it had no record.
func nameMembers(tx *Tx) error {
	of := map[pim.PrincipalID][]pim.PrincipalID{}
	err := tx.under(persons, nil, func(key, _ []byte) (bool, error) {
		id := pim.PrincipalID(key)
		top, err := tx.standsFor(id)
		of[top] = append(of[top], id)
		return true, err
	})
	if err != nil {
		return err
	}
	for top, members := range of {
		if err := tx.write(persons, []byte(top), parent{Members: append(members, top)}); err != nil {
			return err
		}
	}
	return nil
}

// keepMore changes nothing: from version 4 on a request holds its review, its rows of the audit log and more, which a
// program of version 3 would drop from whatever it writes again.
func keepMore(*Tx) error { return nil }

// schema is the record of what the file is.
type schema struct {
	Version int       `json:"version"`
	Created time.Time `json:"created"`
}

var schemaKey = []byte("schema")

// migrate makes a new file, or brings an old one to this version.
func (db *DB) migrate() error {
	return db.bolt.Update(func(bbt *bolt.Tx) error {
		tx := &Tx{db: db, bbt: bbt}
		return tx.run(func(tx *Tx) error {
			if bbt.Bucket([]byte(meta.String())) == nil {
				return tx.makeFile()
			}
			s, err := tx.schema()
			if err != nil {
				return err
			}
			for v := s.Version; v < schemaVersion; v++ {
				if err := migrations[v-1](tx); err != nil {
					return fmt.Errorf("bringing it from version %d to %d: %w", v, v+1, err)
				}
			}
			if s.Version == schemaVersion {
				return nil
			}
			s.Version = schemaVersion
			return tx.write(meta, schemaKey, s)
		})
	})
}

func (tx *Tx) makeFile() error {
	if name, _ := tx.bbt.Cursor().First(); name != nil {
		return fmt.Errorf("it belongs to another program: it has no bucket %q but a bucket %q", meta, name)
	}
	for b := range bucketCount {
		if _, err := tx.bbt.CreateBucket([]byte(b.String())); err != nil {
			return fmt.Errorf("making the bucket %s: %w", b, err)
		}
	}
	if err := tx.write(meta, schemaKey, schema{Version: schemaVersion, Created: tx.now}); err != nil {
		return err
	}
	tx.db.log.Warn("state_made", "path", tx.db.path, "note", "There was no state file, so a new one begins: without links, requests and an audit trail. If there should be one, stop and put it back.")
	return tx.write(meta, chainKey, chain{})
}

// schema returns the file's version, of a file that this program can read or migrate.
func (tx *Tx) schema() (schema, error) {
	if tx.bbt.Bucket([]byte(meta.String())) == nil {
		return schema{}, fmt.Errorf("it was not made by Elevate: it has no bucket %q", meta)
	}
	s, ok, err := read[schema](tx, meta, schemaKey)
	switch {
	case err != nil:
		return s, err
	case !ok:
		return s, tampered(meta, schemaKey)
	case s.Version > schemaVersion:
		return s, fmt.Errorf("it has version %d and was written by a newer Elevate; this one reads up to version %d. Start the newer one", s.Version, schemaVersion)
	case s.Version < 1:
		return s, fmt.Errorf("it says that it has version %d, which never was", s.Version)
	}
	return s, nil
}

// checkVersion is for those who may not migrate.
func checkVersion(tx *Tx) error {
	s, err := tx.schema()
	if err == nil && s.Version < schemaVersion {
		err = fmt.Errorf("it has version %d, this program works on version %d. Start `elevate serve` once, which brings it up to date", s.Version, schemaVersion)
	}
	return err
}
