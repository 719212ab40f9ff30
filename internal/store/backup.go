package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	bolt "go.etcd.io/bbolt"
)

// notBackedUp are the buckets that a copy has empty: what can act as a person stays where it is.
var notBackedUp = []bucket{sessions, sessionsPerson, sessionCaches, tickets}

// Backup writes a consistent, compact copy of the file, without sessions and tickets. The copy is made in the folder room,
// in a file without a name, so that nobody who reads slowly holds up the bot, and a process that dies leaves nothing.
func (db *DB) Backup(ctx context.Context, room string, w io.Writer) error {
	folder, err := os.MkdirTemp(room, ".elevate-backup-") // of mode 0700
	if err != nil {
		return fmt.Errorf("making room for the backup: %w", err)
	}
	var file *os.File
	// The copy is gone with the process, so the disk is not waited for.
	to, err := bolt.Open(filepath.Join(folder, "copy"), 0o600, &bolt.Options{
		NoSync: true, FreelistType: bolt.FreelistMapType,
		OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
			var err error
			file, err = os.OpenFile(name, flag, mode) //nolint:gosec // the name is ours
			return file, err
		},
	})
	err = errors.Join(err, os.RemoveAll(folder))
	if to == nil {
		return fmt.Errorf("making room for the backup: %w", err)
	}
	if err == nil {
		err = db.copyTo(ctx, to)
	}
	if err == nil {
		err = send(ctx, file, w)
	}
	if err := errors.Join(err, to.Close()); err != nil {
		return fmt.Errorf("writing the backup: %w", err)
	}
	return nil
}

// send writes the whole file.
func send(ctx context.Context, file *os.File, w io.Writer) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	const piece = 1 << 20
	for at := int64(0); at < info.Size(); at += piece {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := io.Copy(w, io.NewSectionReader(file, at, min(piece, info.Size()-at))); err != nil {
			return err
		}
	}
	return nil
}

func (db *DB) copyTo(ctx context.Context, to *bolt.DB) error {
	return db.View(func(tx *Tx) error {
		for b := range bucketCount {
			if err := tx.copyBucket(ctx, to, b); err != nil {
				return fmt.Errorf("copying %s: %w", b, err)
			}
		}
		return nil
	})
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
