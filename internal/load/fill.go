package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"elevate/internal/keyset"
	"elevate/internal/secret"
	"elevate/internal/store"
)

// files are where a bot's state lies.
type files struct{ state, keys string }

func filesIn(dir string) files {
	return files{state: filepath.Join(dir, "elevate.db"), keys: filepath.Join(dir, "keyset.json")}
}

// keyset reads the keys, or makes them.
func (f files) keyset() (*keyset.Set, error) {
	content, err := os.ReadFile(f.keys)
	if err == nil {
		return keyset.Load(secret.New(string(content)))
	}
	set, err := keyset.New(time.Now())
	if err != nil {
		return nil, err
	}
	encoded, err := set.Encode()
	if err != nil {
		return nil, err
	}
	return set, os.WriteFile(f.keys, []byte(encoded.Reveal()), 0o600)
}

func (f files) open() (*store.DB, error) { return f.openWith(nil) }

func (f files) openWith(sink io.Writer) (*store.DB, error) {
	keys, err := f.keyset()
	if err != nil {
		return nil, err
	}
	return store.Open(store.Config{Path: f.state, Keys: keys, Now: time.Now, Sink: sink})
}

// atOnce is how many records are written in one transaction.
const atOnce = 4_000

// inPieces writes n things in large transactions.
func inPieces(ctx context.Context, db *store.DB, n int, write func(*store.Tx, int) error) error {
	for first := 0; first < n; first += atOnce {
		err := db.Update(ctx, func(tx *store.Tx) error {
			for i := first; i < min(first+atOnce, n); i++ {
				if err := write(tx, i); err != nil {
					return fmt.Errorf("filling the state file: %w", err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// sealedSize is about what a sealed token cache takes.
const sealedSize = 6 << 10

// linkPeople links the accounts of so many people, with sessions if they are signed in.
func linkPeople(ctx context.Context, db *store.DB, n int, signedIn bool) error {
	return inPieces(ctx, db, n, func(tx *store.Tx, i int) error {
		now := tx.Now()
		link := store.Link{Account: account(i), Tenant: tenantID, Person: person(i), Name: name(i), Since: now, LastSignIn: now, Checked: now}
		if err := tx.PutLink(link); err != nil || !signedIn {
			return err
		}
		return tx.PutSession(store.Session{
			Account: account(i), Tenant: tenantID, Person: person(i), Name: name(i), AuthTime: now, SignedIn: now,
			Expires: now.Add(8 * time.Hour),
		}, make([]byte, sealedSize))
	})
}

// passed is how many people there are beside those who ask.
const passed = 1_000

// copyFile copies a file that nobody writes to.
func copyFile(from, to string) error {
	content, err := os.ReadFile(from) //nolint:gosec // a file of the program's own
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o600) //nolint:gosec // in the program's own folder
}
