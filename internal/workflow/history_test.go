package workflow_test

import (
	"strings"
	"testing"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
)

func TestHistoryTellsWhatOneMayLookAt(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob, carol, dave)
		id := w.becomesActive()
		w.says(dave, "mde-analyst triage of WS-007")
		w.pass(5 * time.Second)
		other := w.newest(dave).ID
		w.expect(w.says(alice, "history"), string(id), "Alice: MDE Administrator", "isolating WS-042", "approved by Bob", "active", string(other))
		w.expect(w.says(bob, "history mde-admin"), string(id))
		if said := w.says(bob, "history"); strings.Contains(said, string(other)) {
			t.Errorf("Bob reads of a role that is none of his:\n%s", said)
		}
		w.expect(w.says(alice, "history dav"), string(other))
		if said := w.says(alice, "history dav"); strings.Contains(said, string(id)) {
			t.Errorf("asked for Dave's:\n%s", said)
		}
		w.expect(w.says(carol, "history "+string(id)), "asked for by Alice", "decided by Bob", "membership read back")
		// Erin is eligible for nothing and approves nothing.
		w.signIn(erin)
		for _, words := range []string{"history", "history " + string(id), "history mde-admin", "history Alice"} {
			if said := w.says(erin, words); !strings.Contains(said, "no request here") || strings.Contains(said, string(id)) {
				t.Errorf("%s tells Erin\n%s", words, said)
			}
		}
		w.update(func(tx *store.Tx) error { return tx.DeleteLink(account(erin)) })
		w.expect(w.says(erin, "history"), "[Sign in]")
		r := w.request(id)
		role, _ := w.cfg.Roles.Named(r.Role)
		if c := card.Story(r, role, w.events(id), w.now()); len(c.Buttons) != 0 {
			t.Errorf("a story offers %v", c.Buttons)
		}
		w.is(id, pim.Active)
	})
}
