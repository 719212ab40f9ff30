package card_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"elevate/internal/card"
	"elevate/internal/pim"
)

var update = flag.Bool("update", false, "rewrite the golden cards")

func TestGoldenCards(t *testing.T) {
	want := map[string]bool{}
	eachCard(t, func(t *testing.T, _ pim.Request, _ card.Viewer, c card.Card) {
		t.Helper()
		file := strings.TrimPrefix(t.Name(), "TestGoldenCards/") + ".json"
		want[file] = true
		golden(t, filepath.Join("testdata", "cards", file), c)
	})
	files, err := filepath.Glob(filepath.Join("testdata", "cards", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !want[filepath.Base(f)] {
			t.Errorf("%s belongs to no card any more", f)
		}
	}
}

func golden(t *testing.T, file string, drawn any) {
	t.Helper()
	got := readable(t, drawn)
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (rewrite with go test -update): %s", file, diff)
	}
}

// readable is a card as JSON without the fields that are empty.
func readable(t *testing.T, drawn any) []byte {
	t.Helper()
	raw, err := json.Marshal(drawn)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(pruned(tree)); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func pruned(tree any) any {
	switch v := tree.(type) {
	case map[string]any:
		if short := span(v); short != "" {
			return short
		}
		for key, value := range v {
			if v[key] = pruned(value); v[key] == nil {
				delete(v, key)
			}
		}
		if len(v) == 0 {
			return nil
		}
	case []any:
		for i := range v {
			v[i] = pruned(v[i])
		}
		if len(v) == 0 {
			return nil
		}
	case string:
		if v == "" || v == "0001-01-01T00:00:00Z" {
			return nil
		}
	case bool:
		if !v {
			return nil
		}
	}
	return tree
}

// span is a span of words or a time in one line: "typed: isolating WS-042".
func span(fields map[string]any) string {
	if _, ok := fields["Typed"]; !ok {
		return ""
	}
	for _, name := range []string{"Plain", "Strong", "Typed", "Code", "Time"} {
		if s, _ := fields[name].(string); s != "" && s != "0001-01-01T00:00:00Z" {
			return strings.ToLower(name) + ": " + s
		}
	}
	return ""
}
