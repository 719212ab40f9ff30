package store

import (
	"slices"

	"elevate/internal/pim"
)

// parent leads from one id of a person towards the id that stands for all of them. That one has none, and names them.
type parent struct {
	Parent  pim.PrincipalID   `json:"parent,omitempty"`
	Members []pim.PrincipalID `json:"members,omitempty"` // itself among them
}

// Join says that two ids are one person, for ever: both were seen in one chat account or one browser session.
func (tx *Tx) Join(a, b pim.PrincipalID) error {
	if a == "" || b == "" {
		return nil // nobody is the same person as somebody
	}
	top, err := tx.standsFor(a)
	if err != nil {
		return err
	}
	other, err := tx.standsFor(b)
	if err != nil || top == other {
		return err
	}
	mine, err := tx.membersOf(top)
	if err != nil {
		return err
	}
	theirs, err := tx.membersOf(other)
	if err != nil {
		return err
	}
	if err := tx.write(persons, []byte(other), parent{Parent: top}); err != nil {
		return err
	}
	return tx.write(persons, []byte(top), parent{Members: append(mine, theirs...)})
}

// JoinedWith returns all ids that are one person with an id, itself first.
func (tx *Tx) JoinedWith(id pim.PrincipalID) ([]pim.PrincipalID, error) {
	top, err := tx.standsFor(id)
	if err != nil {
		return nil, err
	}
	members, err := tx.membersOf(top)
	rest := slices.DeleteFunc(members, func(m pim.PrincipalID) bool { return m == id })
	return append([]pim.PrincipalID{id}, rest...), err
}

// membersOf returns whom an id stands for, itself at least.
func (tx *Tx) membersOf(top pim.PrincipalID) ([]pim.PrincipalID, error) {
	p, ok, err := read[parent](tx, persons, []byte(top))
	if err != nil || !ok {
		return []pim.PrincipalID{top}, err
	}
	return p.Members, nil
}

// SamePerson reports whether two ids are one person: equal, or joined, also through others.
func (tx *Tx) SamePerson(a, b pim.PrincipalID) (bool, error) {
	if a == b || a == "" || b == "" {
		return a == b && a != "", nil
	}
	top, err := tx.standsFor(a)
	if err != nil {
		return false, err
	}
	other, err := tx.standsFor(b)
	return err == nil && top == other, err
}

// Joined returns the ids that were joined, each person's together.
func (tx *Tx) Joined() ([][]pim.PrincipalID, error) {
	var joined [][]pim.PrincipalID
	err := tx.under(persons, nil, func(key, value []byte) (bool, error) {
		var p parent
		err := tx.decode(persons, key, value, &p)
		if err == nil && p.Parent == "" {
			joined = append(joined, p.Members)
		}
		return true, err
	})
	return joined, err
}

// standsFor follows the parents to the id without one.
func (tx *Tx) standsFor(id pim.PrincipalID) (pim.PrincipalID, error) {
	const longest = 1000 // no person has so many ids: records from different times were mixed
	for range longest {
		p, ok, err := read[parent](tx, persons, []byte(id))
		if err != nil || !ok || p.Parent == "" {
			return id, err
		}
		id = p.Parent
	}
	return "", tampered(persons, []byte(id))
}
