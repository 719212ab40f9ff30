package store

import (
	"elevate/internal/pim"
)

// parent leads from one id of a person towards the id that stands for all of them.
type parent struct {
	Parent pim.PrincipalID `json:"parent"`
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
	return tx.write(persons, []byte(other), parent{Parent: top})
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
	var tops []pim.PrincipalID
	of := map[pim.PrincipalID][]pim.PrincipalID{}
	err := tx.under(persons, nil, func(key, _ []byte) (bool, error) {
		id := pim.PrincipalID(key)
		top, err := tx.standsFor(id)
		if err != nil {
			return false, err
		}
		if of[top] == nil {
			tops, of[top] = append(tops, top), []pim.PrincipalID{top}
		}
		of[top] = append(of[top], id)
		return true, nil
	})
	joined := make([][]pim.PrincipalID, len(tops))
	for i, top := range tops {
		joined[i] = of[top]
	}
	return joined, err
}

// standsFor follows the parents to the id without one.
func (tx *Tx) standsFor(id pim.PrincipalID) (pim.PrincipalID, error) {
	const longest = 1000 // no person has so many ids: records from different times were mixed
	for range longest {
		p, ok, err := read[parent](tx, persons, []byte(id))
		if err != nil || !ok {
			return id, err
		}
		id = p.Parent
	}
	return "", tampered(persons, []byte(id))
}
