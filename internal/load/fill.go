package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"elevate/internal/keyset"
	"elevate/internal/pim"
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

func (f files) open() (*store.DB, error) {
	keys, err := f.keyset()
	if err != nil {
		return nil, err
	}
	return store.Open(store.Config{Path: f.state, Keys: keys, Now: time.Now})
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
			Expires: now.Add(8 * time.Hour), Sealed: make([]byte, sealedSize),
		})
	})
}

// passed is how many people a history is of.
const passed = 1_000

// pastRequests stores so many ended requests, each with the events of its life.
func pastRequests(ctx context.Context, db *store.DB, from, n int) error {
	all := roles()
	end := time.Now().Add(-2 * time.Hour)
	return inPieces(ctx, db, n, func(tx *store.Tx, i int) error {
		i += from
		// The people are those who ask while it is measured.
		return pastRequest(tx, all[i%len(all)], i, i%passed, end.Add(-time.Duration(i)*time.Minute))
	})
}

func pastRequest(tx *store.Tx, role pim.Role, i, who int, created time.Time) error {
	actor := pim.Actor{Person: person(who), Account: account(who), Name: name(who)}
	approver := pim.Actor{Person: person(passed), Account: account(passed), Name: name(passed)}
	reason := "isolating WS-042 after the alert of this morning"
	r := pim.Request{
		ID: numberedID(i), Role: role.Name, Group: role.Group, Requester: actor, Principal: actor.Person, Chat: pim.Slack,
		Origin: pim.Conversation{Chat: pim.Slack, Workspace: team, ID: approvals},
		Asked:  pim.Asked{Duration: time.Hour, Reason: reason}, State: pim.Ended, Ending: pim.Expired, Created: created, Submitted: created,
		MemberSince: created, Ends: created.Add(time.Hour), EndedAt: created.Add(time.Hour), Granting: created,
		Decided: &pim.Decided{By: approver, Approve: true, At: created, Chat: pim.Slack},
		Copy: pim.Copy{
			ID: fmt.Sprintf("%08x-aaaa-4bbb-8ccc-%012d", scattered(i), i), Status: "Provisioned", Action: pim.SelfActivate, Access: pim.Member,
			Group: role.Group, Principal: actor.Person, CreatedBy: actor.Person, Created: created, Justification: reason, Start: created,
			Expiration: "afterDuration", Duration: time.Hour,
		},
	}
	if err := tx.PutRequest(r); err != nil {
		return err
	}
	for _, kind := range []pim.EventKind{pim.EventRequested, pim.EventSubmitted, pim.EventDecided, pim.EventConfirmed, pim.EventEnded} {
		e := pim.Event{Kind: kind, Request: r.ID, At: created, Role: r.Role, Group: r.Group, By: actor, Person: actor.Person, Chat: pim.Slack}
		if _, err := tx.Append(e); err != nil {
			return err
		}
	}
	return nil
}

// numberedID is an id of six characters that no other number has.
func numberedID(i int) pim.RequestID {
	const alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
	n := (uint64(i) * 400_000_009) % (31 * 31 * 31 * 31 * 31 * 31) //nolint:gosec // a count is not negative
	id := make([]byte, 6)
	for k := range id {
		id[k] = alphabet[n%31]
		n /= 31
	}
	return pim.RequestID(id)
}

// copyFile copies a file that nobody writes to.
func copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o600)
}
