package store

import (
	"errors"
	"slices"
	"time"

	"elevate/internal/pim"
)

// Link says whose chat account this is, proved by a sign-in to both in one browser.
type Link struct {
	Account pim.ChatAccount   `json:"account"`
	Tenant  pim.TenantID      `json:"tenant"`
	Person  pim.PrincipalID   `json:"person"`
	Also    []pim.PrincipalID `json:"also,omitempty"` // other accounts of the same person
	Name    string            `json:"name,omitempty"` // for display only
	Since   time.Time         `json:"since,omitzero"`
	// LastSignIn and Checked say when the person last signed in, and when both accounts were last seen alive.
	LastSignIn time.Time `json:"last_sign_in,omitzero"`
	Checked    time.Time `json:"checked,omitzero"`
}

func (l Link) entries() []entry {
	var all []entry
	for _, person := range append([]pim.PrincipalID{l.Person}, l.Also...) {
		e := entry{linksPerson, append(path(string(person)), l.Account.String()...), []byte{}}
		if !containsEntry(all, e) {
			all = append(all, e)
		}
	}
	return all
}

// PutLink stores the link of a chat account, which has one.
func (tx *Tx) PutLink(l Link) error {
	if l.Account.IsZero() || l.Person == "" {
		return errors.New("storing a link: it needs a chat account and a person")
	}
	old, existed, err := tx.Link(l.Account)
	if err != nil {
		return err
	}
	var before []entry
	if existed {
		before = old.entries()
	}
	if err := tx.index(before, l.entries()); err != nil {
		return err
	}
	return tx.write(links, []byte(l.Account.String()), l)
}

// Link returns the link of a chat account.
func (tx *Tx) Link(account pim.ChatAccount) (Link, bool, error) {
	return read[Link](tx, links, []byte(account.String()))
}

// LinksOf returns the links that name a person, also as another account of the same person.
func (tx *Tx) LinksOf(person pim.PrincipalID) ([]Link, error) {
	var found []Link
	prefix := path(string(person))
	err := tx.under(linksPerson, prefix, func(key, _ []byte) (bool, error) {
		l, ok, err := read[Link](tx, links, key[len(prefix):])
		if err != nil {
			return false, err
		}
		if !ok || l.Person != person && !slices.Contains(l.Also, person) {
			return false, dangling(linksPerson, key)
		}
		found = append(found, l)
		return true, nil
	})
	return found, err
}

// Links returns all links.
func (tx *Tx) Links() ([]Link, error) { return list[Link](tx, links) }

// DeleteLink removes the link of a chat account; one that is not there is no error. That the ids were one person stays.
func (tx *Tx) DeleteLink(account pim.ChatAccount) error {
	l, ok, err := tx.Link(account)
	if err != nil || !ok {
		return err
	}
	if err := tx.index(l.entries(), nil); err != nil {
		return err
	}
	return tx.delete(links, []byte(account.String()))
}
