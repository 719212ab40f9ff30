package store_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"elevate/internal/pim"
	"elevate/internal/store"
)

func TestLinkIsFoundByAccountAndByEveryIDOfThePerson(t *testing.T) {
	f := newFile(t)
	admin := pim.PrincipalID("a0000000-0000-0000-0000-0000000000ff")
	l := store.Link{Account: alice.Account, Tenant: "t", Person: alice.Person, Also: []pim.PrincipalID{admin}, Name: "Alice", Since: start}
	f.update(t, func(tx *store.Tx) error { return tx.PutLink(l) })
	of := func(p pim.PrincipalID) (found []store.Link) {
		f.view(t, func(tx *store.Tx) (err error) {
			found, err = tx.LinksOf(p)
			return err
		})
		return found
	}
	for _, id := range []pim.PrincipalID{alice.Person, admin} {
		if diff := cmp.Diff([]store.Link{l}, of(id)); diff != "" {
			t.Errorf("LinksOf %s (-want +got):\n%s", id, diff)
		}
	}
	l.Also = nil
	f.update(t, func(tx *store.Tx) error { return tx.PutLink(l) })
	if len(of(admin)) != 0 || len(of(alice.Person)) != 1 {
		t.Error("an id that was taken out of the link still finds it")
	}
	f.update(t, func(tx *store.Tx) error { return tx.DeleteLink(alice.Account) })
	f.view(t, func(tx *store.Tx) error {
		if _, ok, err := tx.Link(alice.Account); ok || err != nil {
			t.Errorf("the link is still there: %v", err)
		}
		all, err := tx.Links()
		if len(all)+len(of(alice.Person)) != 0 {
			t.Error("the link is still listed")
		}
		return err
	})
}

func TestSamePersonIsSymmetricAndTransitiveAndOutlivesTheLink(t *testing.T) {
	f := newFile(t)
	f.update(t, func(tx *store.Tx) error {
		for _, pair := range [][2]pim.PrincipalID{{"a", "b"}, {"d", "c"}, {"c", "b"}, {"x", "y"}, {"", "a"}, {"x", ""}} {
			if err := tx.Join(pair[0], pair[1]); err != nil {
				return err
			}
		}
		return nil
	})
	one := map[pim.PrincipalID]int{"a": 1, "b": 1, "c": 1, "d": 1, "x": 2, "y": 2, "z": 3, "": 4}
	f.view(t, func(tx *store.Tx) error {
		for p, i := range one {
			for q, j := range one {
				want := i == j && p != ""
				if got, err := tx.SamePerson(p, q); got != want || err != nil {
					t.Errorf("SamePerson(%q, %q) = %v, %v", p, q, got, err)
				}
				with, err := tx.JoinedWith(p)
				if p != "" && q != "" && (slices.Contains(with, q) != want || with[0] != p || err != nil) {
					t.Errorf("JoinedWith(%q) = %v, %v", p, with, err)
				}
			}
		}
		joined, err := tx.Joined()
		for _, ids := range joined {
			slices.Sort(ids)
		}
		if diff := cmp.Diff([][]pim.PrincipalID{{"a", "b", "c", "d"}, {"x", "y"}}, joined); diff != "" || err != nil {
			t.Errorf("Joined: %v\n%s", err, diff)
		}
		return nil
	})
}

func TestSessionBelongsToOneAccount(t *testing.T) {
	f := newFile(t)
	s := store.Session{Account: alice.Account, Tenant: "t", Person: alice.Person, SignedIn: start, Expires: start.Add(time.Hour)}
	f.update(t, func(tx *store.Tx) error { return tx.PutSession(s, []byte{1, 2}) })
	s.Person = bob.Person // somebody else signed in from there
	f.update(t, func(tx *store.Tx) error { return tx.PutSession(s, []byte{3}) })
	f.view(t, func(tx *store.Tx) error {
		got, ok, err := tx.Session(alice.Account)
		if diff := cmp.Diff(s, got); diff != "" || !ok || err != nil {
			t.Errorf("Session: %v, %v\n%s", ok, err, diff)
		}
		before, err := tx.SessionsOf(alice.Person)
		if len(before) != 0 || err != nil {
			t.Errorf("the person before still has it: %v, %v", before, err)
		}
		if cache, err := tx.SessionCache(alice.Account); err != nil || !bytes.Equal(cache, []byte{3}) {
			t.Errorf("the cache: %v, %v", cache, err)
		}
		now, err := tx.SessionsOf(bob.Person)
		if diff := cmp.Diff([]store.Session{s}, now); diff != "" {
			t.Errorf("SessionsOf: %s", diff)
		}
		return err
	})
	f.update(t, func(tx *store.Tx) error { return tx.DeleteSession(alice.Account) })
	f.view(t, func(tx *store.Tx) error {
		all, err := tx.Sessions()
		cache, missing := tx.SessionCache(alice.Account)
		if len(all) != 0 || cache != nil || missing != nil {
			t.Errorf("Sessions: %v, cache: %v, %v", all, cache, missing)
		}
		return err
	})
}

func TestWhatExpiresIsNotFoundAndThenRemoved(t *testing.T) {
	f := newFile(t)
	soon, later := start.Add(time.Minute), start.Add(time.Hour)
	kept := store.Session{Account: bob.Account, Person: bob.Person} // lives until it is ended
	f.update(t, func(tx *store.Tx) error {
		for _, err := range []error{
			tx.PutSeen("soon", "answer", soon), tx.PutSeen("later", "answer", later),
			tx.PutTicket(store.Ticket{Hash: "soon", Kind: "link", Expires: soon}),
			tx.PutTicket(store.Ticket{Hash: "later", Kind: "flow", Expires: later}),
			tx.PutTicket(store.Ticket{Hash: "prolonged", Kind: "flow", Expires: soon}),
			tx.PutTicket(store.Ticket{Hash: "prolonged", Kind: "flow", Expires: later}),
			tx.PutSession(store.Session{Account: alice.Account, Person: alice.Person, Expires: soon}, nil),
			tx.PutSession(kept, nil),
		} {
			if err != nil {
				return err
			}
		}
		return nil
	})
	f.now = soon
	f.update(t, func(tx *store.Tx) error {
		if _, ok, err := tx.Seen("soon"); ok || err != nil {
			t.Errorf("an expired answer is given: %v", err)
		}
		if _, ok, err := tx.Ticket("soon"); ok || err != nil {
			t.Errorf("an expired ticket is taken: %v", err)
		}
		if n, err := tx.Expire(2); n != 2 || err != nil {
			t.Errorf("the first Expire: %d, %v", n, err)
		}
		if n, err := tx.Expire(10); n != 1 || err != nil {
			t.Errorf("the second Expire: %d, %v", n, err)
		}
		n, err := tx.Expire(10)
		if n != 0 {
			t.Errorf("the third Expire: %d", n)
		}
		return err
	})
	f.now = start // as if nothing had expired: what is gone is gone
	f.view(t, func(tx *store.Tx) error {
		answer, ok, err := tx.Seen("later")
		if diff := cmp.Diff(json.RawMessage(`"answer"`), answer); diff != "" || !ok || err != nil {
			t.Errorf("Seen: %v, %v %s", ok, err, diff)
		}
		if _, ok, _ := tx.Seen("soon"); ok {
			t.Error("the answer was not removed")
		}
		for hash, want := range map[string]bool{"soon": false, "later": true, "prolonged": true} {
			if _, ok, err := tx.Ticket(hash); ok != want || err != nil {
				t.Errorf("Ticket %s: %v, %v", hash, ok, err)
			}
		}
		all, err := tx.Sessions()
		if diff := cmp.Diff([]store.Session{kept}, all); diff != "" {
			t.Errorf("Sessions: %s", diff)
		}
		return err
	})
	f.update(t, func(tx *store.Tx) error { return tx.DeleteTicket("later") })
	f.view(t, func(tx *store.Tx) error {
		if _, ok, err := tx.Ticket("later"); ok || err != nil {
			t.Errorf("a spent ticket is found: %v", err)
		}
		return nil
	})
}

func TestIntentIsFoundByAccountAndRequest(t *testing.T) {
	f := newFile(t)
	i := store.Intent{ID: "i1", Account: alice.Account, Request: "abc234", Verb: "approve", Values: map[string]string{"reason": "ok"}, Expires: start.Add(time.Minute)}
	form := store.Intent{ID: "i2", Account: alice.Account, Verb: "form"}
	f.update(t, func(tx *store.Tx) error {
		if err := tx.PutIntent(form); err != nil {
			return err
		}
		return tx.PutIntent(i)
	})
	f.view(t, func(tx *store.Tx) error {
		of, err := tx.IntentsOf(alice.Account)
		if diff := cmp.Diff([]store.Intent{i, form}, of); diff != "" || err != nil {
			t.Errorf("IntentsOf: %v\n%s", err, diff)
		}
		on, err := tx.IntentsOn("abc234")
		if diff := cmp.Diff([]store.Intent{i}, on); diff != "" || err != nil {
			t.Errorf("IntentsOn: %v\n%s", err, diff)
		}
		return nil
	})
	f.update(t, func(tx *store.Tx) error { return tx.DeleteIntent("i1") })
	f.view(t, func(tx *store.Tx) error {
		if _, err := tx.Intent("i1"); !pim.IsKind(err, pim.NotFound) {
			t.Errorf("Intent: %v", err)
		}
		on, err := tx.IntentsOn("abc234")
		if len(on) != 0 {
			t.Errorf("IntentsOn: %v", on)
		}
		return err
	})
}

func TestAMessageThatIsForgottenShowsNothing(t *testing.T) {
	f := newFile(t)
	ref := store.Ref{MessageRef: pim.MessageRef{Conversation: pim.Conversation{Chat: pim.Teams, ID: "C1"}, ID: "1.2", Channel: "C1"}, Adopted: start}
	f.update(t, func(tx *store.Tx) error { return tx.PutRef("aaaaa2", ref) })
	f.update(t, func(tx *store.Tx) error { return tx.DeleteRef("aaaaa3", ref) })
	f.view(t, func(tx *store.Tx) error {
		if id, _, ok, err := tx.RefByMessage("C1", "1.2"); id != "aaaaa2" || !ok || err != nil {
			t.Errorf("another request took it away: %s, %v, %v", id, ok, err)
		}
		return nil
	})
	f.update(t, func(tx *store.Tx) error { return tx.DeleteRef("aaaaa2", ref) })
	f.view(t, func(tx *store.Tx) error {
		if _, _, ok, err := tx.RefByMessage("C1", "1.2"); ok || err != nil {
			t.Errorf("RefByMessage: %v, %v", ok, err)
		}
		left, err := tx.Refs("aaaaa2")
		if len(left) != 0 {
			t.Errorf("Refs: %v", left)
		}
		return err
	})
}

func TestMessageShowsOneRequest(t *testing.T) {
	f := newFile(t)
	ref := store.Ref{MessageRef: pim.MessageRef{Conversation: pim.Conversation{Chat: pim.Slack, ID: "C1"}, ID: "1.2", Channel: "C1"}, Audience: "approvers", Hash: "h"}
	f.update(t, func(tx *store.Tx) error { return tx.PutRef("aaaaa2", ref) })
	f.update(t, func(tx *store.Tx) error { return tx.PutRef("aaaaa3", ref) })
	f.view(t, func(tx *store.Tx) error {
		id, got, ok, err := tx.RefByMessage("C1", "1.2")
		if diff := cmp.Diff(ref, got); diff != "" || id != "aaaaa3" || !ok || err != nil {
			t.Errorf("RefByMessage: %s, %v, %v\n%s", id, ok, err, diff)
		}
		if before, err := tx.Refs("aaaaa2"); len(before) != 0 || err != nil {
			t.Errorf("it still shows the request before: %v, %v", before, err)
		}
		now, err := tx.Refs("aaaaa3")
		if diff := cmp.Diff([]store.Ref{ref}, now); diff != "" {
			t.Errorf("Refs: %s", diff)
		}
		if _, _, ok, err := tx.RefByMessage("C1", "1.3"); ok || err != nil {
			t.Errorf("an unknown message: %v, %v", ok, err)
		}
		return err
	})
}
