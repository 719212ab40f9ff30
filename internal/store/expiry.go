package store

import (
	"bytes"
	"time"

	"elevate/internal/pim"
)

// expires lists the entry by which Expire finds a record; none for one that does not expire by itself.
func expires(b bucket, key string, at time.Time) []entry {
	if at.IsZero() {
		return nil
	}
	return []entry{{expiry, append(appendTime(make([]byte, 0, 8+2+len(b.String())+len(key)), at), append(path(b.String()), key...)...), []byte{}}}
}

// expiring is what the records that expire have in common.
type expiring struct {
	Expires time.Time `json:"expires"`
}

// Expire removes at most so many answers, tickets and sessions that have expired, the sessions with an event, and says how many entries it went
// through: as many as it may means that there can be more.
func (tx *Tx) Expire(most int) (int, error) {
	due, err := tx.expired(most)
	if err != nil {
		return 0, err
	}
	for _, e := range due {
		if err := tx.expire(e); err != nil {
			return 0, err
		}
	}
	return len(due), nil
}

// expired collects the entries first: nothing may be removed while they are read.
func (tx *Tx) expired(most int) ([]entry, error) {
	var due []entry
	err := tx.scan(expiry, nil, afterPrefix(appendTime(nil, tx.now)), func(key, _ []byte) (bool, error) {
		if len(due) >= most {
			return false, nil
		}
		if len(key) < 8 {
			return false, dangling(expiry, key)
		}
		name, rest, ok := splitPath(key[8:])
		b, known := expiringBucket(name)
		if !ok || !known {
			return false, dangling(expiry, key)
		}
		due = append(due, entry{b, bytes.Clone(rest), bytes.Clone(key)})
		return true, nil
	})
	return due, err
}

func expiringBucket(name string) (bucket, bool) {
	for _, b := range []bucket{seen, tickets, sessions} {
		if b.String() == name {
			return b, true
		}
	}
	return 0, false
}

// expire removes the record of an entry, whose value is the entry's own key, and the entry. The record itself has to say
// that it has expired: entries have no code of their own.
func (tx *Tx) expire(e entry) error {
	r, ok, err := read[expiring](tx, e.in, e.key)
	if err != nil {
		return err
	}
	if !ok || r.Expires.IsZero() || tx.now.Before(r.Expires) {
		return tx.delete(expiry, e.value)
	}
	if e.in == sessions {
		s, _, err := read[Session](tx, sessions, e.key)
		if err != nil {
			return err
		}
		event := pim.Event{Kind: pim.EventSignedOut, By: pim.Actor{Name: "Elevate"}, Person: s.Person, Chat: pim.System, Text: "its time is over"}
		if _, err := tx.Append(event); err != nil {
			return err
		}
		return tx.DeleteSession(s.Account)
	}
	if err := tx.delete(e.in, e.key); err != nil {
		return err
	}
	return tx.delete(expiry, e.value)
}
