package store

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"elevate/internal/pim"
)

// Request returns the request, or an error of kind pim.NotFound.
func (tx *Tx) Request(id pim.RequestID) (pim.Request, error) {
	r, ok, err := read[pim.Request](tx, requests, []byte(id))
	switch {
	case err == nil && id == "":
		err = missing("There is no such request.")
	case err == nil && !ok:
		err = missing("There is no request %s.", id)
	}
	return r, err
}

// PutRequest stores a request and keeps what finds it.
func (tx *Tx) PutRequest(r pim.Request) error {
	if r.ID == "" || r.Created.IsZero() {
		return fmt.Errorf("storing request %q: it needs an id and the time it was made", r.ID)
	}
	old, existed, err := read[pim.Request](tx, requests, []byte(r.ID))
	if err != nil {
		return err
	}
	if err := tx.checkPIM(r); err != nil {
		return err
	}
	var before []entry
	if existed {
		before = entriesOf(&old)
	} else if err := tx.countRequest(); err != nil {
		return err
	}
	if err := tx.index(before, entriesOf(&r)); err != nil {
		return err
	}
	return tx.write(requests, []byte(r.ID), r)
}

// checkPIM refuses a second request for one of PIM's.
func (tx *Tx) checkPIM(r pim.Request) error {
	id := pim.RequestID(tx.get(requestsPIM, []byte(r.Copy.ID)))
	if id == "" || id == r.ID {
		return nil
	}
	return pim.Errorf(pim.Conflict, "PIM's request %s is known already, as request %s.", r.Copy.ID, id)
}

func (tx *Tx) countRequest() error {
	c, err := tx.theChain()
	if err != nil {
		return err
	}
	c.Requests++
	tx.changed = true
	return nil
}

// entry is an index entry.
type entry struct {
	in    bucket
	key   []byte
	value []byte
}

func (e entry) same(f entry) bool {
	return e.in == f.in && bytes.Equal(e.key, f.key) && bytes.Equal(e.value, f.value)
}

// entriesOf lists the index entries that a request has.
func entriesOf(r *pim.Request) []entry {
	none := []byte{}
	dated := func(b bucket, part string) entry {
		return entry{b, append(appendNewestFirst(path(part), r.Created), r.ID...), none}
	}
	all := make([]entry, 0, 9)
	all = append(all, dated(requestsRole, r.Role))
	if r.State.Open() {
		all = append(all, entry{requestsOpen, append(path(string(r.Group), string(r.State)), r.ID...), none})
		for _, who := range ofWhom(r) {
			all = append(all, entry{requestsOpenOf, append(path(string(r.Group), who), r.ID...), none})
		}
	}
	if r.Copy.ID != "" {
		all = append(all, entry{requestsPIM, []byte(r.Copy.ID), []byte(r.ID)})
	}
	if r.Requester.Person != "" {
		all = append(all, dated(requestsPerson, string(r.Requester.Person)))
	}
	if r.Principal != "" && r.Principal != r.Requester.Person {
		all = append(all, dated(requestsPerson, string(r.Principal)))
	}
	if !r.Requester.Account.IsZero() {
		all = append(all, dated(requestsAccount, r.Requester.Account.String()))
	}
	return all
}

// index replaces the entries of a record by others.
func (tx *Tx) index(before, after []entry) error {
	for _, e := range before {
		if !containsEntry(after, e) {
			if err := tx.delete(e.in, e.key); err != nil {
				return err
			}
		}
	}
	for _, e := range after {
		if !containsEntry(before, e) {
			if err := tx.putRaw(e.in, e.key, e.value); err != nil {
				return err
			}
		}
	}
	return nil
}

func containsEntry(all []entry, e entry) bool {
	for _, other := range all {
		if other.same(e) {
			return true
		}
	}
	return false
}

// ofWhom lists whose request it is: the account it was made from and the people it is of, each once.
func ofWhom(r *pim.Request) []string {
	var who []string
	if !r.Requester.Account.IsZero() {
		who = append(who, r.Requester.Account.String())
	}
	for _, person := range []pim.PrincipalID{r.Requester.Person, r.Principal} {
		if person != "" && !slices.Contains(who, string(person)) {
			who = append(who, string(person))
		}
	}
	return who
}

// OpenRequests returns all requests that still have something before them.
func (tx *Tx) OpenRequests() ([]pim.Request, error) { return tx.open(requestsOpen, nil, nil) }

// OpenInGroup returns the open requests for a group, those in the given states or, when none is given, all.
func (tx *Tx) OpenInGroup(group pim.GroupID, states ...pim.State) ([]pim.Request, error) {
	if len(states) == 0 {
		return tx.open(requestsOpen, nil, path(string(group)))
	}
	var found []pim.Request
	var err error
	for _, state := range states {
		if found, err = tx.open(requestsOpen, found, path(string(group), string(state))); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// OpenOf returns the open requests for a group that were made from a chat account or by one of these people, or that
// make one of them a member.
func (tx *Tx) OpenOf(group pim.GroupID, account pim.ChatAccount, people ...pim.PrincipalID) ([]pim.Request, error) {
	var found []pim.Request
	var err error
	who := ofWhom(&pim.Request{Requester: pim.Actor{Account: account}})
	for _, person := range people {
		if person != "" {
			who = append(who, string(person))
		}
	}
	for _, one := range who {
		if found, err = tx.open(requestsOpenOf, found, path(string(group), one)); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// open adds the requests that the entries under a prefix lead to, each once.
func (tx *Tx) open(b bucket, found []pim.Request, prefix []byte) ([]pim.Request, error) {
	err := tx.under(b, prefix, func(key, _ []byte) (bool, error) {
		id := pim.RequestID(key[bytes.LastIndex(key, partEnd)+len(partEnd):])
		r, err := tx.indexed(b, key, id)
		if b == requestsOpen || !slices.ContainsFunc(found, func(r pim.Request) bool { return r.ID == id }) {
			found = append(found, r)
		}
		return true, err
	})
	return found, err
}

// indexed returns the request that an index entry leads to, which must have that entry.
func (tx *Tx) indexed(b bucket, key []byte, id pim.RequestID) (pim.Request, error) {
	r, ok, err := read[pim.Request](tx, requests, []byte(id))
	if err != nil {
		return r, err
	}
	if ok {
		for _, e := range entriesOf(&r) {
			if e.in == b && bytes.Equal(e.key, key) {
				return r, nil
			}
		}
	}
	return r, dangling(b, key)
}

// ByPIM returns the request that has this id in PIM.
func (tx *Tx) ByPIM(pimID string) (pim.RequestID, bool, error) {
	id := pim.RequestID(tx.get(requestsPIM, []byte(pimID)))
	if id == "" {
		return "", false, nil
	}
	_, err := tx.indexed(requestsPIM, []byte(pimID), id)
	return id, err == nil, err
}

// OfPerson returns the requests that a person made or becomes a member by, made at that time or later, newest first, at
// most so many.
func (tx *Tx) OfPerson(person pim.PrincipalID, since time.Time, most int) ([]pim.Request, error) {
	return tx.newest(requestsPerson, string(person), since, most)
}

// OfAccount returns the requests that were made from a chat account, made at that time or later, newest first, at most
// so many.
func (tx *Tx) OfAccount(account pim.ChatAccount, since time.Time, most int) ([]pim.Request, error) {
	return tx.newest(requestsAccount, account.String(), since, most)
}

// Recent returns the newest requests for a role, newest first, at most so many.
func (tx *Tx) Recent(role string, most int) ([]pim.Request, error) {
	return tx.newest(requestsRole, role, time.Time{}, most)
}

// Made hands on every request that was made at that time or later, of all roles, in no order that counts. Only the keys of older
// ones are looked at. It ends at the first error.
func (tx *Tx) Made(since time.Time, each func(pim.Request) error) error {
	return tx.madeIn(appendNewestFirst(nil, since), nil, each)
}

// MadeBetween is as Made, for what was made before another time too: of newer ones only the keys are looked at.
func (tx *Tx) MadeBetween(since, before time.Time, each func(pim.Request) error) error {
	return tx.madeIn(appendNewestFirst(nil, since), appendNewestFirst(nil, before), each)
}

// madeIn visits what was made at the oldest time or later, and before the newest. The keys of times sort the newest first.
func (tx *Tx) madeIn(oldest, newest []byte, each func(pim.Request) error) error {
	const idLength = 6
	return tx.scan(requestsRole, nil, nil, func(key, _ []byte) (bool, error) {
		if len(key) < len(oldest)+idLength {
			return false, dangling(requestsRole, key)
		}
		at, id := key[len(key)-idLength-len(oldest):len(key)-idLength], key[len(key)-idLength:]
		if bytes.Compare(at, oldest) > 0 || bytes.Compare(at, newest) <= 0 {
			return true, nil
		}
		r, err := tx.indexed(requestsRole, key, pim.RequestID(id))
		if err == nil {
			err = each(r)
		}
		return err == nil, err
	})
}

func (tx *Tx) newest(b bucket, part string, since time.Time, most int) ([]pim.Request, error) {
	var found []pim.Request
	prefix := path(part)
	end := afterPrefix(appendNewestFirst(prefix, since))
	if end == nil || !bytes.HasPrefix(end, prefix) {
		end = afterPrefix(prefix)
	}
	err := tx.scan(b, prefix, end, func(key, _ []byte) (bool, error) {
		if len(found) >= most {
			return false, nil
		}
		if len(key) <= len(prefix)+8 {
			return false, dangling(b, key)
		}
		r, err := tx.indexed(b, key, pim.RequestID(key[len(prefix)+8:]))
		found = append(found, r)
		return true, err
	})
	return found, err
}
