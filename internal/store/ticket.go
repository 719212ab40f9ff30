package store

import (
	"encoding/json"
	"fmt"
	"time"

	"elevate/internal/pim"
)

// Ticket is a sign-in link that was given out, or a sign-in that is under way. The file has only a hash of what the
// browser holds.
type Ticket struct {
	Hash    string          `json:"hash"`
	Kind    string          `json:"kind"` // link, flow or done
	Account pim.ChatAccount `json:"account,omitzero"`
	Intent  string          `json:"intent,omitempty"`
	Data    json.RawMessage `json:"data,omitempty"` // sealed where it is secret
	Expires time.Time       `json:"expires"`
}

// PutTicket stores a ticket until it expires.
func (tx *Tx) PutTicket(t Ticket) error {
	if t.Hash == "" || t.Expires.IsZero() {
		return fmt.Errorf("storing a ticket of kind %q: it needs a hash and the time it expires", t.Kind)
	}
	old, existed, err := read[Ticket](tx, tickets, []byte(t.Hash))
	if err != nil {
		return err
	}
	var before []entry
	if existed {
		before = expires(tickets, t.Hash, old.Expires)
	}
	if err := tx.index(before, expires(tickets, t.Hash, t.Expires)); err != nil {
		return err
	}
	return tx.write(tickets, []byte(t.Hash), t)
}

// Ticket returns the ticket with that hash, unless it has expired.
func (tx *Tx) Ticket(hash string) (Ticket, bool, error) {
	t, ok, err := read[Ticket](tx, tickets, []byte(hash))
	if err != nil || !ok || !tx.now.Before(t.Expires) {
		return Ticket{}, false, err
	}
	return t, true, nil
}

// DeleteTicket removes a ticket, as it is spent; one that is not there is no error.
func (tx *Tx) DeleteTicket(hash string) error {
	t, ok, err := read[Ticket](tx, tickets, []byte(hash))
	if err != nil || !ok {
		return err
	}
	if err := tx.index(expires(tickets, hash, t.Expires), nil); err != nil {
		return err
	}
	return tx.delete(tickets, []byte(hash))
}
