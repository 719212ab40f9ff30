package entra_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"pgregory.net/rapid"

	"elevate/adapters/entra"
)

// FuzzFault reads refusals that nobody has seen yet: no panic, and nothing that is not a plain word gets out of one.
func FuzzFault(f *testing.F) {
	files, err := filepath.Glob("testdata/graph/error.*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(400, body)
	}
	f.Add(401, []byte(`{"error":{"code":"UnknownError","message":"{\"errorCode\":\"RoleAssignmentExists\",\"message\":\"x\"}"}}`))
	f.Add(500, []byte(`{"error":null}`))
	word, name := regexp.MustCompile(`^[A-Za-z0-9_.-]{0,96}$`), regexp.MustCompile(`^[A-Za-z]{1,64}$`)
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		code, rules, claims := entra.ReadFault(status, body)
		if !word.MatchString(code) || len(rules) > 10 {
			t.Errorf("code %q, %d rules", code, len(rules))
		}
		for _, rule := range rules {
			if !name.MatchString(rule) {
				t.Errorf("rule %q", rule)
			}
		}
		if claims != "" && !json.Valid([]byte(claims)) {
			t.Errorf("claims %q", claims)
		}
	})
}

// FuzzRespell repairs answers that nobody has seen yet: what was JSON stays JSON, and a second repair changes nothing.
func FuzzRespell(f *testing.F) {
	files, err := filepath.Glob("testdata/graph/*.response.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		once := entra.Respell(body)
		if json.Valid(body) && !json.Valid(once) {
			t.Errorf("%q became %q", body, once)
		}
		if twice := entra.Respell(once); json.Valid(body) && string(twice) != string(once) {
			t.Errorf("%q became %q", once, twice)
		}
	})
}

func TestDurationsGoThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(0, int64(400*24*time.Hour/time.Millisecond)).Draw(t, "ms")) * time.Millisecond
		text := entra.ISODuration(d)
		if back, ok := entra.ParseISODuration(text); !ok || back != d || regexp.MustCompile(`[YWD]`).MatchString(text) {
			t.Fatalf("%v is %s is %v", d, text, back)
		}
	})
}

func TestDurationsThatHaveNoFixedLengthAreLeft(t *testing.T) {
	for _, text := range []string{"", "P", "PT", "P1DT", "P1Y", "P1M", "1h", "PT-5M", "PT1H30", "PT99999999999H"} {
		if d, ok := entra.ParseISODuration(text); ok {
			t.Errorf("%q is %v", text, d)
		}
	}
}
