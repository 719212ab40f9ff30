package store_test

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"elevate/internal/pim"
	"elevate/internal/store"
)

// model is what the file should hold.
type model struct {
	requests map[pim.RequestID]pim.Request
	effects  map[string]string // key → kind
	links    map[pim.ChatAccount]pim.PrincipalID
	notes    map[string]int
	events   []string
}

func (m model) clone() model {
	return model{maps.Clone(m.requests), maps.Clone(m.effects), maps.Clone(m.links), maps.Clone(m.notes), slices.Clone(m.events)}
}

// step changes the transaction and the model alike.
type step func(*store.Tx, *model) error

func person(t *rapid.T) pim.PrincipalID {
	return pim.PrincipalID(rapid.SampledFrom([]string{"p", "p\x00", "p\x00\x01q", "q", "é"}).Draw(t, "person"))
}

func account(t *rapid.T) pim.ChatAccount {
	return pim.ChatAccount{Chat: pim.Slack, Workspace: "T", User: rapid.SampledFrom([]string{"U1", "U2", "U\x00"}).Draw(t, "user")}
}

func putRequest(t *rapid.T) step {
	r := pim.Request{
		ID:   pim.RequestID(rapid.SampledFrom([]string{"aaaaa2", "aaaaa3", "aaaaa4", "aaaaa5"}).Draw(t, "id")),
		Role: rapid.SampledFrom([]string{"r", "rr", ""}).Draw(t, "role"), Group: pim.GroupID(rapid.SampledFrom([]string{"g", "gg"}).Draw(t, "group")),
		Requester: pim.Actor{Person: person(t), Account: account(t)}, Principal: person(t),
		State:   rapid.SampledFrom(pim.States()).Draw(t, "state"),
		Created: start.Add(time.Duration(rapid.IntRange(-3, 3).Draw(t, "created")) * time.Second),
	}
	r.Copy.ID = rapid.SampledFrom([]string{"", "pim-" + string(r.ID)}).Draw(t, "pim")
	return func(tx *store.Tx, m *model) error {
		m.requests[r.ID] = r
		return tx.PutRequest(r)
	}
}

func otherStep(t *rapid.T) step {
	key := rapid.SampledFrom([]string{"a", "b", "a|b"}).Draw(t, "key")
	who, by := person(t), account(t)
	return rapid.SampledFrom([]step{
		func(tx *store.Tx, m *model) error {
			m.effects[key] = string(who)
			return tx.PutEffect(store.Effect{Key: key, Kind: string(who)})
		},
		func(tx *store.Tx, m *model) error {
			delete(m.effects, key)
			e, _, err := tx.Effect(key)
			if err != nil {
				return err
			}
			_, err = tx.DeleteEffect(key, e.Gen)
			return err
		},
		func(tx *store.Tx, m *model) error {
			m.links[by] = who
			return tx.PutLink(store.Link{Account: by, Person: who})
		},
		func(tx *store.Tx, m *model) error {
			delete(m.links, by)
			return tx.DeleteLink(by)
		},
		func(tx *store.Tx, m *model) error {
			m.notes[key]++
			return tx.PutMeta(key, m.notes[key])
		},
		func(tx *store.Tx, m *model) error {
			m.events = append(m.events, key)
			_, err := tx.Append(pim.Event{Kind: pim.EventObserved, Chat: pim.System, Text: key})
			return err
		},
	}).Draw(t, "step")
}

func TestFileHoldsWhatTheModelHolds(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := newFile(t)
		defer f.close(t)
		m := model{map[pim.RequestID]pim.Request{}, map[string]string{}, map[pim.ChatAccount]pim.PrincipalID{}, map[string]int{}, nil}
		for range rapid.IntRange(1, 8).Draw(rt, "updates") {
			var steps []step
			for range rapid.IntRange(0, 6).Draw(rt, "steps") {
				steps = append(steps, rapid.SampledFrom([]func(*rapid.T) step{putRequest, otherStep}).Draw(rt, "kind")(rt))
			}
			fails := rapid.Bool().Draw(rt, "fails")
			next := m.clone()
			err := f.db.Update(t.Context(), func(tx *store.Tx) error {
				next = m.clone() // it may run twice
				for _, s := range steps {
					if err := s(tx, &next); err != nil {
						return err
					}
				}
				if fails {
					return errMine
				}
				return nil
			})
			switch {
			case fails && errors.Is(err, errMine):
			case !fails && err == nil:
				m = next
			default:
				rt.Fatalf("fails %v: %v", fails, err)
			}
			if rapid.IntRange(0, 4).Draw(rt, "reopen") == 0 {
				f.reopen(t)
			}
			if err := f.db.View(func(tx *store.Tx) error { return compare(rt, tx, m) }); err != nil {
				rt.Fatal(err)
			}
		}
	})
}

// compare asks the file in every way for what the model holds.
func compare(t *rapid.T, tx *store.Tx, m model) error {
	all := slices.Collect(maps.Values(m.requests))
	slices.SortFunc(all, func(a, b pim.Request) int { // as the file gives them: newest first, then by id
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID))
	})
	pick := func(want func(pim.Request) bool) (found []pim.Request) {
		for _, r := range all {
			if want(r) {
				found = append(found, r)
			}
		}
		return found
	}
	same := func(what string, want []pim.Request, got []pim.Request, err error) {
		if diff := gocmp.Diff(want, got); diff != "" || err != nil {
			t.Fatalf("%s: %v (-model +file):\n%s", what, err, diff)
		}
	}
	for _, p := range []pim.PrincipalID{"p", "p\x00", "p\x00\x01q", "q", "é", ""} {
		got, err := tx.OfPerson(p, start, 3)
		want := pick(func(r pim.Request) bool {
			return (r.Requester.Person == p || r.Principal == p) && !r.Created.Before(start)
		})
		same("OfPerson "+string(p), want[:min(3, len(want)):min(3, len(want))], got, err)
		open, err := tx.OpenOf("g", pim.ChatAccount{}, p)
		slices.SortFunc(open, func(a, b pim.Request) int { return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID)) })
		same("OpenOf "+string(p), pick(func(r pim.Request) bool {
			return r.State.Open() && p != "" && r.Group == "g" && (r.Requester.Person == p || r.Principal == p)
		}), open, err)
	}
	got, err := tx.Recent("r", 9)
	same("Recent", pick(func(r pim.Request) bool { return r.Role == "r" }), got, err)
	open, err := tx.OpenRequests()
	slices.SortFunc(open, func(a, b pim.Request) int { return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID)) })
	same("OpenRequests", pick(func(r pim.Request) bool { return r.State.Open() }), open, err)
	return compareRest(t, tx, m)
}

func compareRest(t *rapid.T, tx *store.Tx, m model) error {
	for id, r := range m.requests {
		found, ok, err := tx.ByPIM("pim-" + string(id))
		if err != nil || ok != (r.Copy.ID != "") || ok && found != id {
			t.Fatalf("ByPIM of %s: %s, %v, %v", id, found, ok, err)
		}
	}
	effects, err := tx.Effects()
	if err != nil {
		return err
	}
	kinds := map[string]string{}
	for _, e := range effects {
		kinds[e.Key] = e.Kind
	}
	if diff := gocmp.Diff(m.effects, kinds); diff != "" {
		t.Fatalf("effects (-model +file):\n%s", diff)
	}
	for _, p := range []pim.PrincipalID{"p", "p\x00", "q"} {
		of, err := tx.LinksOf(p)
		if err != nil {
			return err
		}
		want := 0
		for _, linked := range m.links {
			if linked == p {
				want++
			}
		}
		if len(of) != want {
			t.Fatalf("%s has %d links in the file and %d in the model", p, len(of), want)
		}
	}
	for _, key := range []string{"a", "b", "a|b"} {
		var n int
		if _, err := tx.Meta(key, &n); err != nil || n != m.notes[key] {
			t.Fatalf("note %s is %d in the file and %d in the model (%v)", key, n, m.notes[key], err)
		}
	}
	events, err := tx.Events(1, 1000)
	texts := make([]string, len(events))
	for i, e := range events {
		texts[i] = e.Text
	}
	if diff := gocmp.Diff(fmt.Sprint(m.events), fmt.Sprint(texts)); diff != "" {
		t.Fatalf("events (-model +file):\n%s", diff)
	}
	return err
}
