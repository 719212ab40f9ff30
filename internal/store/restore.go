package store

import (
	"context"
	"fmt"

	"elevate/internal/pim"
)

// asPerson are the kinds of effects that act as a person. They are not carried out from a restored file: what they
// asked for may have been done, decided or withdrawn since the copy was made.
var asPerson = map[string]bool{"submit": true, "decide": true, "cancel": true, "release": true, "revoke": true}

// Restored makes a file that was put back from a backup safe to go on with: it drops sessions, tickets and the effects
// that act as a person, and says so in an event.
func (db *DB) Restored(ctx context.Context) error {
	return db.Update(ctx, func(tx *Tx) error {
		sessions, err := tx.dropSessions()
		if err != nil {
			return err
		}
		dropped, err := tx.dropPersonEffects()
		if err != nil {
			return err
		}
		_, err = tx.Append(pim.Event{
			Kind: pim.EventRestored, Chat: pim.System,
			Text: fmt.Sprintf("The state file was restored from a backup: %d sessions and %d steps as a person were dropped.", sessions, dropped),
		})
		return err
	})
}

// dropSessions ends all sessions and forgets all tickets.
func (tx *Tx) dropSessions() (int, error) {
	all, err := tx.Sessions()
	if err != nil {
		return 0, err
	}
	for _, s := range all {
		if err := tx.DeleteSession(s.Account); err != nil {
			return 0, err
		}
	}
	given, err := list[Ticket](tx, tickets)
	if err != nil {
		return 0, err
	}
	for _, t := range given {
		if err := tx.DeleteTicket(t.Hash); err != nil {
			return 0, err
		}
	}
	return len(all), nil
}

func (tx *Tx) dropPersonEffects() (int, error) {
	waiting, err := tx.Effects()
	if err != nil {
		return 0, err
	}
	dropped := 0
	for _, e := range waiting {
		if asPerson[e.Kind] {
			if _, err := tx.DeleteEffect(e.Key, e.Gen); err != nil {
				return 0, err
			}
			dropped++
		}
	}
	given, err := tx.Parked()
	if err != nil {
		return 0, err
	}
	for _, p := range given {
		if asPerson[p.Effect.Kind] {
			if _, err := tx.DropParked(p.Effect.Key); err != nil {
				return 0, err
			}
			dropped++
		}
	}
	return dropped, nil
}
