package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// answered is what arrived once and what was answered.
type answered struct {
	Answer  json.RawMessage `json:"answer"`
	Expires time.Time       `json:"expires"`
}

// Seen returns the answer that was given to what arrived under this key, unless it has expired.
func (tx *Tx) Seen(key string) (json.RawMessage, bool, error) {
	a, ok, err := read[answered](tx, seen, []byte(key))
	if err != nil || !ok || !tx.now.Before(a.Expires) {
		return nil, false, err
	}
	return a.Answer, true, nil
}

// PutSeen stores the answer to what arrived under this key, until it expires.
func (tx *Tx) PutSeen(key string, answer any, until time.Time) error {
	if key == "" || until.IsZero() {
		return errors.New("storing an answer: it needs a key and the time it expires")
	}
	content, err := json.Marshal(answer)
	if err != nil {
		return fmt.Errorf("encoding the answer to %q: %w", key, err)
	}
	old, existed, err := read[answered](tx, seen, []byte(key))
	if err != nil {
		return err
	}
	var before []entry
	if existed {
		before = expires(seen, key, old.Expires)
	}
	if err := tx.index(before, expires(seen, key, until)); err != nil {
		return err
	}
	return tx.write(seen, []byte(key), answered{Answer: content, Expires: until})
}
