package store

import (
	"fmt"
	"time"

	"elevate/internal/pim"
)

// Ref is a message that shows a request's card.
type Ref struct {
	pim.MessageRef
	Audience string `json:"audience,omitempty"`
	Hash     string `json:"hash,omitempty"` // of the card that stands there
	// Adopted is when a client named the message as one of the request's; zero for one that Elevate posted, or
	// that the chat itself says is Elevate's.
	Adopted time.Time `json:"adopted,omitzero"`
	// Said are the steps of the request that were told with the message or below it.
	Said []string `json:"said,omitempty"`
}

func refKey(id pim.RequestID, r Ref) []byte { return path(string(id), r.Channel, r.ID) }

// PutRef stores where a card of a request stands. A message shows one request: another's reference to it goes.
func (tx *Tx) PutRef(id pim.RequestID, r Ref) error {
	if r.Channel == "" || r.ID == "" {
		return fmt.Errorf("storing where a card of request %s stands: the message has no channel or no id", id)
	}
	message := path(r.Channel, r.ID)
	owner := pim.RequestID(tx.get(refsMessage, message))
	if owner != "" && owner != id {
		if err := tx.delete(refs, refKey(owner, r)); err != nil {
			return err
		}
	}
	if owner != id {
		if err := tx.putRaw(refsMessage, message, []byte(id)); err != nil {
			return err
		}
	}
	return tx.write(refs, refKey(id, r), r)
}

// DeleteRef takes away where a card of a request stands; one that is not there is no error.
func (tx *Tx) DeleteRef(id pim.RequestID, r Ref) error {
	message := path(r.Channel, r.ID)
	if pim.RequestID(tx.get(refsMessage, message)) != id {
		return nil
	}
	if err := tx.delete(refsMessage, message); err != nil {
		return err
	}
	return tx.delete(refs, refKey(id, r))
}

// Refs returns where the cards of a request stand.
func (tx *Tx) Refs(id pim.RequestID) ([]Ref, error) {
	var found []Ref
	err := tx.under(refs, path(string(id)), func(key, value []byte) (bool, error) {
		var r Ref
		err := tx.decode(refs, key, value, &r)
		found = append(found, r)
		return true, err
	})
	return found, err
}

// RefByMessage returns which request's card a message shows.
func (tx *Tx) RefByMessage(channel, message string) (pim.RequestID, Ref, bool, error) {
	key := path(channel, message)
	id := pim.RequestID(tx.get(refsMessage, key))
	if id == "" {
		return "", Ref{}, false, nil
	}
	r, ok, err := read[Ref](tx, refs, refKey(id, Ref{MessageRef: pim.MessageRef{Channel: channel, ID: message}}))
	if err == nil && !ok {
		err = dangling(refsMessage, key)
	}
	return id, r, err == nil, err
}
