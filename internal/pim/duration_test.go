package pim_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"elevate/internal/pim"
)

func TestDurationsAreSaid(t *testing.T) {
	for d, want := range map[time.Duration][2]string{
		0:                          {"0 min", "0m"},
		45 * time.Minute:           {"45 min", "45m"},
		time.Hour:                  {"1 h", "1h"},
		90 * time.Minute:           {"1 h 30 min", "1h30m"},
		48 * time.Hour:             {"48 h", "48h"},
		time.Hour + 10*time.Second: {"1 h 10 s", "1h10s"},
		999 * time.Millisecond:     {"0 min", "0m"},
		-time.Hour:                 {"0 min", "0m"},
	} {
		if got := [2]string{pim.FormatDuration(d), pim.TypedDuration(d)}; got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

func TestDurationsAreRead(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"2h": 2 * time.Hour, "90m": 90 * time.Minute, "1h30m": 90 * time.Minute, "2 hours": 2 * time.Hour, "45 min": 45 * time.Minute,
		"1 hour 30 minutes": 90 * time.Minute, "1h 30m": 90 * time.Minute, "1 H 30 Min": 90 * time.Minute, "1.5h": 90 * time.Minute,
		"1d": 24 * time.Hour, "2 days 1 h": 49 * time.Hour, "1 hr": time.Hour, "30 secs": 30 * time.Second,
		"99999999999999999999h": 10000 * time.Hour,
	} {
		if got, ok := pim.ParseDuration(text); !ok || got != want {
			t.Errorf("%q is %v, %v, want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{
		"", "2", "h", "2 hosts", "2h30", "-2h", "+2h", "1h1h", "30m 1h", "1..5h", ".", ". h", "2h x", "1e9h", "0x10h", "infh", "nan h", "２h", "2w", "5µs",
	} {
		if got, ok := pim.ParseDuration(text); ok {
			t.Errorf("%q is %v", text, got)
		}
	}
}

func TestDurationsAreReadAsTheyAreSaid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := time.Duration(rapid.IntRange(0, 9000*3600).Draw(t, "seconds")) * time.Second
		for _, text := range []string{pim.FormatDuration(want), pim.TypedDuration(want)} {
			if got, ok := pim.ParseDuration(text); !ok || got != want {
				t.Fatalf("%v was said as %q and read as %v, %v", want, text, got, ok)
			}
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[0-9.dhms ]{0,30}`)).Draw(t, "text")
		if d, ok := pim.ParseDuration(text); ok && d < 0 {
			t.Fatalf("%q is %v", text, d)
		}
	})
}
