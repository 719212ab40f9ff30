package pim_test

import (
	"testing"

	"elevate/internal/pim"
)

func TestAGUIDHasOneForm(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"11111111-2222-3333-4444-55555555aBcD": true, "": false, "11111111-2222-3333-4444-55555555555": false, "11111111-2222-3333-4444-5555555555555": false,
		"{11111111-2222-3333-4444-555555555555}": false, "11111111-2222-3333-4444-55555555555g": false, "111111112222333344445555555555555555": false,
		"11111111-2222-3333-4444-555555555555\n": false,
	} {
		if got := pim.IsGUID(text); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}
