package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"elevate/internal/pim"
	"elevate/internal/store"
)

func TestRequestComesBackAsItWasPut(t *testing.T) {
	f := newFile(t)
	want := request("abc234", alice, start)
	want.Copy = pim.Copy{ID: "pim-1", Status: "PendingApproval", Duration: time.Hour}
	want.Claim = &pim.Claim{By: bob, Approve: true, Until: start.Add(time.Minute), Clicked: start}
	f.update(t, func(tx *store.Tx) error { return tx.PutRequest(want) })
	f.reopen(t)
	f.view(t, func(tx *store.Tx) error {
		got, err := tx.Request("abc234")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the request changed (-put +got):\n%s", diff)
		}
		return err
	})
}

// made gathers what was made since a time.
func made(since time.Time) func(*store.Tx) ([]pim.Request, error) {
	return func(tx *store.Tx) (all []pim.Request, err error) {
		err = tx.Made(since, func(r pim.Request) error {
			all = append(all, r)
			return nil
		})
		return all, err
	}
}

func TestRequestIsFound(t *testing.T) {
	f := newFile(t)
	older, newer := request("aaaaa2", alice, start), request("aaaaa3", alice, start.Add(time.Hour))
	other := request("aaaaa4", bob, start)
	other.Group, other.Role, other.Copy.ID = "other", "mde-analyst", "pim-4"
	ended := request("aaaaa5", bob, start.Add(2*time.Hour))
	ended.Principal = alice.Person // Bob asked for Alice
	f.update(t, func(tx *store.Tx) error {
		for _, r := range []pim.Request{older, newer, other, ended} {
			if err := tx.PutRequest(r); err != nil {
				return err
			}
		}
		ended.State = pim.Ended // the second put takes it out of what is open
		return tx.PutRequest(ended)
	})
	of := func(get func(*store.Tx) ([]pim.Request, error)) (found []pim.RequestID) {
		f.view(t, func(tx *store.Tx) error {
			all, err := get(tx)
			for _, r := range all {
				found = append(found, r.ID)
			}
			return err
		})
		return found
	}
	for name, row := range map[string]struct {
		get  func(*store.Tx) ([]pim.Request, error)
		want []pim.RequestID
	}{
		"open":                          {func(tx *store.Tx) ([]pim.Request, error) { return tx.OpenRequests() }, []pim.RequestID{"aaaaa2", "aaaaa3", "aaaaa4"}},
		"open in a group":               {func(tx *store.Tx) ([]pim.Request, error) { return tx.OpenInGroup(group) }, []pim.RequestID{"aaaaa2", "aaaaa3"}},
		"open in a group without any":   {func(tx *store.Tx) ([]pim.Request, error) { return tx.OpenInGroup("9") }, nil},
		"open in a group, by state":     {func(tx *store.Tx) ([]pim.Request, error) { return tx.OpenInGroup(group, pim.Active, pim.Submitting) }, []pim.RequestID{"aaaaa2", "aaaaa3"}},
		"open in no such state":         {func(tx *store.Tx) ([]pim.Request, error) { return tx.OpenInGroup(group, pim.Active) }, nil},
		"open of an account":            {func(tx *store.Tx) ([]pim.Request, error) { return tx.OpenOf(group, alice.Account) }, []pim.RequestID{"aaaaa2", "aaaaa3"}},
		"open of a person, each once":   {func(tx *store.Tx) ([]pim.Request, error) { return tx.OpenOf(group, alice.Account, alice.Person, "") }, []pim.RequestID{"aaaaa2", "aaaaa3"}},
		"open of nobody":                {func(tx *store.Tx) ([]pim.Request, error) { return tx.OpenOf(group, pim.ChatAccount{}, "") }, nil},
		"open of who has only ended":    {func(tx *store.Tx) ([]pim.Request, error) { return tx.OpenOf(group, bob.Account, bob.Person) }, nil},
		"open of somebody elsewhere":    {func(tx *store.Tx) ([]pim.Request, error) { return tx.OpenOf("other", pim.ChatAccount{}, bob.Person) }, []pim.RequestID{"aaaaa4"}},
		"by person, newest first":       {func(tx *store.Tx) ([]pim.Request, error) { return tx.OfPerson(alice.Person, time.Time{}, 9) }, []pim.RequestID{"aaaaa5", "aaaaa3", "aaaaa2"}},
		"by person, at most two":        {func(tx *store.Tx) ([]pim.Request, error) { return tx.OfPerson(alice.Person, time.Time{}, 2) }, []pim.RequestID{"aaaaa5", "aaaaa3"}},
		"by person, since then":         {func(tx *store.Tx) ([]pim.Request, error) { return tx.OfPerson(alice.Person, newer.Created, 9) }, []pim.RequestID{"aaaaa5", "aaaaa3"}},
		"by person, since just after":   {func(tx *store.Tx) ([]pim.Request, error) { return tx.OfPerson(alice.Person, newer.Created.Add(1), 9) }, []pim.RequestID{"aaaaa5"}},
		"by account":                    {func(tx *store.Tx) ([]pim.Request, error) { return tx.OfAccount(bob.Account, time.Time{}, 9) }, []pim.RequestID{"aaaaa5", "aaaaa4"}},
		"by role":                       {func(tx *store.Tx) ([]pim.Request, error) { return tx.Recent("mde-admin", 9) }, []pim.RequestID{"aaaaa5", "aaaaa3", "aaaaa2"}},
		"made, of all roles":            {made(time.Time{}), []pim.RequestID{"aaaaa5", "aaaaa3", "aaaaa2", "aaaaa4"}},
		"made since then":               {made(newer.Created), []pim.RequestID{"aaaaa5", "aaaaa3"}},
		"made since just after":         {made(newer.Created.Add(1)), []pim.RequestID{"aaaaa5"}},
		"by a role that begins alike":   {func(tx *store.Tx) ([]pim.Request, error) { return tx.Recent("mde", 9) }, nil},
		"by a person that begins alike": {func(tx *store.Tx) ([]pim.Request, error) { return tx.OfPerson("a0", time.Time{}, 9) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(row.want, of(row.get)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	f.view(t, func(tx *store.Tx) error {
		if id, ok, err := tx.ByPIM("pim-4"); id != "aaaaa4" || !ok {
			t.Errorf("ByPIM = %s, %v, %v", id, ok, err)
		}
		if _, ok, err := tx.ByPIM("pim-5"); ok || err != nil {
			t.Errorf("ByPIM of an unknown one = %v, %v", ok, err)
		}
		if _, err := tx.Request("aaaaa9"); !pim.IsKind(err, pim.NotFound) {
			t.Errorf("an unknown request gives %v", err)
		}
		return nil
	})
}

func TestOnePIMRequestBelongsToOneRequest(t *testing.T) {
	f := newFile(t)
	first, second := request("aaaaa2", alice, start), request("aaaaa3", alice, start)
	first.Copy.ID, second.Copy.ID = "pim-1", "pim-1"
	f.update(t, func(tx *store.Tx) error { return tx.PutRequest(first) })
	err := f.db.Update(t.Context(), func(tx *store.Tx) error { return tx.PutRequest(second) })
	if !pim.IsKind(err, pim.Conflict) {
		t.Errorf("got %v", err)
	}
}

func TestRequestsMadeBetweenTwoTimesAreFound(t *testing.T) {
	f := newFile(t)
	f.update(t, func(tx *store.Tx) error {
		for i, id := range []pim.RequestID{"aaaaa2", "aaaaa3", "aaaaa4"} {
			if err := tx.PutRequest(request(id, alice, start.Add(time.Duration(i)*time.Hour))); err != nil {
				return err
			}
		}
		return nil
	})
	f.view(t, func(tx *store.Tx) error {
		var found []pim.RequestID
		err := tx.MadeBetween(start.Add(time.Hour), start.Add(2*time.Hour), func(r pim.Request) error {
			found = append(found, r.ID)
			return nil
		})
		if diff := cmp.Diff([]pim.RequestID{"aaaaa3"}, found); diff != "" {
			t.Errorf("the first time belongs to it, the second does not: %s", diff)
		}
		return err
	})
}

func TestEventsAreFoundByTime(t *testing.T) {
	f := newFile(t)
	begin := f.now
	for i := range 10 {
		f.now = begin.Add(time.Duration(i/2) * time.Hour) // two in each hour
		f.update(t, func(tx *store.Tx) error {
			_, err := tx.Append(pim.Event{Kind: pim.EventSignedIn, Chat: pim.Web})
			return err
		})
	}
	for after, want := range map[time.Duration]uint64{-time.Hour: 1, 0: 1, time.Nanosecond: 3, time.Hour: 3, 4 * time.Hour: 9, 5 * time.Hour: 11} {
		f.view(t, func(tx *store.Tx) error {
			got, err := tx.EventAt(begin.Add(after))
			if got != want {
				t.Errorf("%s after the begin: event %d, want %d", after, got, want)
			}
			return err
		})
	}
}
