package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	bolt "go.etcd.io/bbolt"
)

// notBackedUp are the buckets that a copy has empty: what can act as a person stays where it is.
var notBackedUp = []bucket{sessions, sessionsPerson, sessionCaches, tickets}

// Backup writes a consistent, compact copy to a new file of mode 0600, without sessions and tickets. It refuses to
// replace a file.
func (db *DB) Backup(ctx context.Context, to string) error {
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the backup %s exists already (or cannot be looked at). Name a new file", to)
	}
	folder, err := os.MkdirTemp(filepath.Dir(to), ".elevate-backup-") // of mode 0700
	if err != nil {
		return fmt.Errorf("writing the backup: %w", err)
	}
	partial := filepath.Join(folder, "partial")
	err = db.copyTo(ctx, partial)
	if err == nil {
		err = os.Rename(partial, to)
	}
	if err := errors.Join(err, os.RemoveAll(folder)); err != nil {
		return fmt.Errorf("writing the backup %s: %w", to, err)
	}
	return nil
}

func (db *DB) copyTo(ctx context.Context, partial string) error {
	// Nothing is safe before the end, so the disk is waited for once.
	to, err := bolt.Open(partial, 0o600, &bolt.Options{NoSync: true, FreelistType: bolt.FreelistMapType})
	if err != nil {
		return err
	}
	err = db.View(func(tx *Tx) error {
		for b := range bucketCount {
			if err := tx.copyBucket(ctx, to, b); err != nil {
				return fmt.Errorf("copying %s: %w", b, err)
			}
		}
		return nil
	})
	if err == nil {
		err = to.Sync()
	}
	return errors.Join(err, to.Close())
}

// copyBucket goes in pieces, so that the copy of a large bucket is never in memory as a whole.
func (tx *Tx) copyBucket(ctx context.Context, to *bolt.DB, b bucket) error {
	const piece = 10_000
	from := tx.bucket(b).Cursor()
	key, value := from.First()
	if slices.Contains(notBackedUp, b) {
		key = nil
	}
	for first := true; first || key != nil; first = false {
		err := to.Update(func(copied *bolt.Tx) error {
			into, err := copied.CreateBucketIfNotExists([]byte(b.String()))
			if err != nil {
				return err
			}
			into.FillPercent = 1 // it is written in order and hardly changed again
			for range piece {
				if key == nil {
					return ctx.Err()
				}
				if err := into.Put(key, value); err != nil {
					return err
				}
				key, value = from.Next()
			}
			return ctx.Err()
		})
		if err != nil {
			return err
		}
	}
	return nil
}
