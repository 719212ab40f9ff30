package main

import (
	"strings"
	"testing"

	"elevate/internal/pim"
	"elevate/internal/store"
)

func TestTheListOfLinksShowsWhichAccountsAreOnePerson(t *testing.T) {
	w := newWorld(t, nil)
	list := func() string {
		code, out, errs := w.orders("links", "list", "-config", w.settingsPath())
		if code != 0 {
			t.Fatal(code, errs)
		}
		return out
	}
	if out := list(); out != "No chat account is linked.\n" {
		t.Errorf("at first: %s", out)
	}
	err := w.bot.db.Update(t.Context(), func(tx *store.Tx) error {
		for _, other := range []pim.PrincipalID{"account slack:T1:U1", "0be0b1e5-0000-4000-8000-000000000007", "browser 4f"} {
			if err := tx.Join("0be0b1e5-0000-4000-8000-000000000006", other); err != nil {
				return err
			}
		}
		return tx.Join("0be0b1e5-0000-4000-8000-000000000001", "account slack:T1:U2")
	})
	if err != nil {
		t.Fatal(err)
	}
	const pair = "cannot approve for each other:\n0be0b1e5-0000-4000-8000-000000000006,0be0b1e5-0000-4000-8000-000000000007\n"
	if out := list(); !strings.HasSuffix(out, pair) {
		t.Errorf("got %s", out)
	}
}
