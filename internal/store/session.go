package store

import (
	"bytes"
	"errors"
	"time"

	"elevate/internal/pim"
)

// Session is a sign-in that is kept. It serves only the chat account it was opened from.
type Session struct {
	Account  pim.ChatAccount `json:"account"`
	Tenant   pim.TenantID    `json:"tenant"`
	Person   pim.PrincipalID `json:"person"`
	Name     string          `json:"name,omitempty"` // for display only
	AuthTime time.Time       `json:"auth_time,omitzero"`
	ACRS     []string        `json:"acrs,omitempty"` // authentication contexts that were fulfilled
	SignedIn time.Time       `json:"signed_in,omitzero"`
	Expires  time.Time       `json:"expires,omitzero"` // zero: by nothing but what ends it
}

func (s Session) entries() []entry {
	key := s.Account.String()
	all := []entry{{sessionsPerson, append(path(string(s.Person)), key...), []byte{}}}
	return append(all, expires(sessions, key, s.Expires)...)
}

// PutSession stores the session of a chat account, which has one, with its sealed token cache.
func (tx *Tx) PutSession(s Session, sealed []byte) error {
	if s.Account.IsZero() || s.Person == "" {
		return errors.New("storing a session: it needs a chat account and a person")
	}
	old, existed, err := tx.Session(s.Account)
	if err != nil {
		return err
	}
	var before []entry
	if existed {
		before = old.entries()
	}
	if err := tx.index(before, s.entries()); err != nil {
		return err
	}
	if err := tx.writeContent(sessionCaches, []byte(s.Account.String()), sealed); err != nil {
		return err
	}
	return tx.write(sessions, []byte(s.Account.String()), s)
}

// SessionCache returns the sealed token cache of a chat account's session, or nil when there is no session.
func (tx *Tx) SessionCache(account pim.ChatAccount) ([]byte, error) {
	key := []byte(account.String())
	value := tx.get(sessionCaches, key)
	if value == nil {
		return nil, nil
	}
	sealed, err := tx.unseal(sessionCaches, key, value)
	return bytes.Clone(sealed), err
}

// Session returns the session of a chat account, also one that has expired and was not removed yet.
func (tx *Tx) Session(account pim.ChatAccount) (Session, bool, error) {
	return read[Session](tx, sessions, []byte(account.String()))
}

// SessionsOf returns the sessions of a person.
func (tx *Tx) SessionsOf(person pim.PrincipalID) ([]Session, error) {
	var found []Session
	prefix := path(string(person))
	err := tx.under(sessionsPerson, prefix, func(key, _ []byte) (bool, error) {
		s, ok, err := read[Session](tx, sessions, key[len(prefix):])
		if err != nil {
			return false, err
		}
		if !ok || s.Person != person {
			return false, dangling(sessionsPerson, key)
		}
		found = append(found, s)
		return true, nil
	})
	return found, err
}

// Sessions returns all sessions.
func (tx *Tx) Sessions() ([]Session, error) { return list[Session](tx, sessions) }

// DeleteSession removes the session of a chat account; one that is not there is no error.
func (tx *Tx) DeleteSession(account pim.ChatAccount) error {
	s, ok, err := tx.Session(account)
	if err != nil || !ok {
		return err
	}
	if err := tx.index(s.entries(), nil); err != nil {
		return err
	}
	if err := tx.delete(sessionCaches, []byte(account.String())); err != nil {
		return err
	}
	return tx.delete(sessions, []byte(account.String()))
}
