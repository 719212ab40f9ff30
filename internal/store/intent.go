package store

import (
	"bytes"
	"fmt"
	"time"

	"elevate/internal/pim"
)

// Intent is a step by somebody without a session, carried out after the sign-in.
type Intent struct {
	ID      string          `json:"id"`
	Account pim.ChatAccount `json:"account"`
	Name    string          `json:"name,omitempty"` // for display only
	Request pim.RequestID   `json:"request,omitempty"`
	Verb    string          `json:"verb"` // submit, approve, deny, cancel, release, form, link
	Reason  string          `json:"reason,omitempty"`
	Digest  string          `json:"digest,omitempty"` // of the facts that were shown
	Claims  string          `json:"claims,omitempty"` // the claims challenge to sign in with
	// Challenged is set when PIM itself wanted the sign-in: should it want the same after it, another one does not help.
	Challenged bool              `json:"challenged,omitempty"`
	Clicked    time.Time         `json:"clicked,omitzero"`
	Expires    time.Time         `json:"expires,omitzero"`
	Origin     pim.Conversation  `json:"origin,omitzero"`
	Values     map[string]string `json:"values,omitempty"`
}

// PutIntent stores an intent. It stays until it is deleted, also when it has expired.
func (tx *Tx) PutIntent(i Intent) error {
	if i.ID == "" {
		return fmt.Errorf("storing an intent to %s: it has no id", i.Verb)
	}
	old, existed, err := read[Intent](tx, intents, []byte(i.ID))
	if err != nil {
		return err
	}
	var before []entry
	if existed {
		before = old.entries()
	}
	if err := tx.index(before, i.entries()); err != nil {
		return err
	}
	return tx.write(intents, []byte(i.ID), i)
}

func (i Intent) entries() []entry {
	all := []entry{{intentsAccount, append(path(i.Account.String()), i.ID...), []byte{}}}
	if i.Request != "" {
		all = append(all, entry{intentsRequest, append(path(string(i.Request)), i.ID...), []byte{}})
	}
	return all
}

// Intent returns an intent, or an error of kind pim.NotFound.
func (tx *Tx) Intent(id string) (Intent, error) {
	i, ok, err := read[Intent](tx, intents, []byte(id))
	if err == nil && !ok {
		err = missing("That step is not waiting any more.")
	}
	return i, err
}

// IntentsOf returns the intents of a chat account.
func (tx *Tx) IntentsOf(account pim.ChatAccount) ([]Intent, error) {
	return tx.intentsUnder(intentsAccount, account.String())
}

// IntentsOn returns the intents on a request.
func (tx *Tx) IntentsOn(id pim.RequestID) ([]Intent, error) {
	return tx.intentsUnder(intentsRequest, string(id))
}

func (tx *Tx) intentsUnder(b bucket, part string) ([]Intent, error) {
	var found []Intent
	prefix := path(part)
	err := tx.under(b, prefix, func(key, _ []byte) (bool, error) {
		i, ok, err := read[Intent](tx, intents, key[len(prefix):])
		if err != nil {
			return false, err
		}
		if !ok || !hasEntry(i.entries(), b, key) {
			return false, dangling(b, key)
		}
		found = append(found, i)
		return true, nil
	})
	return found, err
}

func hasEntry(all []entry, b bucket, key []byte) bool {
	for _, e := range all {
		if e.in == b && bytes.Equal(e.key, key) {
			return true
		}
	}
	return false
}

// DeleteIntent removes an intent; one that is not there is no error.
func (tx *Tx) DeleteIntent(id string) error {
	i, ok, err := read[Intent](tx, intents, []byte(id))
	if err != nil || !ok {
		return err
	}
	if err := tx.index(i.entries(), nil); err != nil {
		return err
	}
	return tx.delete(intents, []byte(id))
}
