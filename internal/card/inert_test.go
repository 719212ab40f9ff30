package card_test

import (
	"encoding/json"
	"strings"
	"testing"

	"elevate/internal/card"
	"elevate/internal/pim"
)

// hostile is markup that must not come to life. It is put before everything
// that people write and that the directory says.
const hostile = "<!channel> "

var poison = strings.NewReplacer(
	`"Alice`, `"`+hostile+`Alice`, `"Bob`, `"`+hostile+`Bob`, `"Carol`, `"`+hostile+`Carol`, `"Dan`, `"`+hostile+`Dan`, `"Eve`, `"`+hostile+`Eve`,
	`"isolating`, `"`+hostile+`isolating`, `"typed reason`, `"`+hostile+`typed reason`, `"asked elsewhere`, `"`+hostile+`asked elsewhere`,
	`"fine by me`, `"`+hostile+`fine by me`, `"too broad`, `"`+hostile+`too broad`, `"why":"`, `"why":"`+hostile,
	`"still_by":"`, `"still_by":"`+hostile, `"ticket":"`, `"ticket":"`+hostile,
)

// poisoned returns a copy of what it is given with the markup in it.
func poisoned[T any](t *testing.T, in T) T {
	t.Helper()
	raw, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var out T
	if err := json.Unmarshal([]byte(poison.Replace(string(raw))), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTypedTextIsOnlyInTypedSpans(t *testing.T) {
	eachCard(t, func(t *testing.T, r pim.Request, v card.Viewer, _ card.Card) {
		t.Helper()
		c := card.ForRequest(poisoned(t, r), adminRole(), poisoned(t, view(v)))
		wantInert(t, c)
		for _, typed := range []string{"isolating", "typed reason", "asked elsewhere"} {
			if strings.Contains(c.Fallback, typed) {
				t.Errorf("the fallback carries what was typed: %q", c.Fallback)
			}
		}
	})
}

// wantInert fails where the markup stands in anything but a typed span, the
// fallback and the question before a click, which chats show as they are.
func wantInert(t *testing.T, c card.Card) {
	t.Helper()
	found := 0
	for _, s := range spans(c) {
		found += strings.Count(s.Typed, hostile)
	}
	c.Fallback = ""
	c.Buttons = append([]card.Button(nil), c.Buttons...)
	for i := range c.Buttons {
		c.Buttons[i].Confirm = nil
	}
	if all := strings.Count(string(readable(t, c)), hostile); found == 0 || all != found {
		t.Errorf("%d of %d poisoned texts are typed spans", found, all)
	}
}
