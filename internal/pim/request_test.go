package pim_test

import (
	"crypto/rand"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"elevate/internal/pim"
)

func TestIDsHaveNoLookAlikes(t *testing.T) {
	letters := map[rune]int{}
	for range 4000 {
		id := pim.NewRequestID(func(b []byte) { _, _ = rand.Read(b) })
		if pim.ParseRequestID(string(id)) != id || strings.ContainsAny(string(id), "01ilo") {
			t.Fatalf("id %q", id)
		}
		for _, r := range id {
			letters[r]++
		}
	}
	// 24,000 letters of 31: about 774 each, with a deviation of 28.
	for r, n := range letters {
		if n < 550 || n > 1000 {
			t.Errorf("%c was drawn %d times", r, n)
		}
	}
	if len(letters) != 31 {
		t.Errorf("%d letters were drawn", len(letters))
	}
}

func TestIDsDoNotFavourTheAlphabetsBeginning(t *testing.T) {
	next := byte(255) // 255 down to 248 are drawn again
	id := pim.NewRequestID(func(b []byte) { b[0] = next; next-- })
	if id != "987654" {
		t.Errorf("id %q", id)
	}
}

func TestIDsAreReadAsTyped(t *testing.T) {
	for typed, want := range map[string]pim.RequestID{
		"k7m2pq": "k7m2pq", " K7M2PQ ": "k7m2pq", "#k7m2pq": "k7m2pq",
		"": "", "k7m2p": "", "k7m2pqq": "", "k7m2p0": "", "k7!2pq": "", "k7m2pé": "", "äöü": "",
	} {
		if got := pim.ParseRequestID(typed); got != want {
			t.Errorf("%q is %q, want %q", typed, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		id := pim.ParseRequestID(rapid.OneOf(rapid.String(), rapid.StringN(6, 6, 6)).Draw(t, "typed"))
		if id != "" && pim.ParseRequestID(string(id)) != id {
			t.Fatalf("%q is not stable", id)
		}
	})
}

func TestRolesAreAnAllowList(t *testing.T) {
	roles := modelRoles()
	if r, ok := roles.Of("g-admin"); !ok || r.Name != "mde-admin" {
		t.Errorf("%+v %v", r, ok)
	}
	if _, ok := roles.Of("g-other"); ok {
		t.Error("a foreign group has a role")
	}
	if _, ok := roles.Named("MDE-admin"); ok {
		t.Error("names are compared exactly once they are read")
	}
}
