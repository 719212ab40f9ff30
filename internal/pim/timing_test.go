package pim_test

import (
	"testing"
	"time"
	_ "time/tzdata" // the zones of these tests, wherever they run

	"pgregory.net/rapid"

	"elevate/internal/pim"
)

func mustLoad(tb testing.TB, zone string) *time.Location {
	tb.Helper()
	l, err := time.LoadLocation(zone)
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

func TestTimesAreReadInThePersonsZone(t *testing.T) {
	for _, row := range []struct {
		name, zone, now, text string
		from, until           string // RFC 3339, "" for none
	}{
		{"until later today", "Europe/Berlin", "2026-03-02T14:02:00+01:00", "until 18:00", "", "2026-03-02T18:00:00+01:00"},
		{"until what is past today means tomorrow", "Europe/Berlin", "2026-03-02T19:00:00+01:00", "until 18:00", "", "2026-03-03T18:00:00+01:00"},
		{"until the very minute means tomorrow", "UTC", "2026-03-02T18:00:00Z", "until 18:00", "", "2026-03-03T18:00:00Z"},
		{"today in the zone, tomorrow in UTC", "America/Los_Angeles", "2026-03-02T17:00:00-08:00", "until 18:00", "", "2026-03-02T18:00:00-08:00"},
		{"tomorrow is the zone's tomorrow", "Asia/Tokyo", "2026-03-03T01:00:00+09:00", "until tomorrow 09:00", "", "2026-03-04T09:00:00+09:00"},
		{"today", "UTC", "2026-03-02T14:00:00Z", "until today 18:00", "", "2026-03-02T18:00:00Z"},
		{"six in the evening", "UTC", "2026-03-02T14:00:00Z", "until 6pm", "", "2026-03-02T18:00:00Z"},
		{"six in the evening, apart", "UTC", "2026-03-02T14:00:00Z", "until 6 PM", "", "2026-03-02T18:00:00Z"},
		{"half past six", "UTC", "2026-03-02T14:00:00Z", "until 6:30pm", "", "2026-03-02T18:30:00Z"},
		{"noon", "UTC", "2026-03-02T14:00:00Z", "until 12pm", "", "2026-03-03T12:00:00Z"},
		{"midnight", "UTC", "2026-03-02T14:00:00Z", "until 12am", "", "2026-03-03T00:00:00Z"},
		{"the year's end", "UTC", "2026-12-31T23:00:00Z", "until 01:00", "", "2027-01-01T01:00:00Z"},
		{"from tonight", "UTC", "2026-03-02T14:00:00Z", "from 22:00", "2026-03-02T22:00:00Z", ""},
		{"from tomorrow", "UTC", "2026-03-02T14:00:00Z", "from tomorrow 06:00", "2026-03-03T06:00:00Z", ""},
		{"through the night", "UTC", "2026-03-02T14:00:00Z", "from 22:00 until 06:00", "2026-03-02T22:00:00Z", "2026-03-03T06:00:00Z"},
		{"through the night, the other way round", "UTC", "2026-03-02T14:00:00Z", "until 06:00 from 22:00", "2026-03-02T22:00:00Z", "2026-03-03T06:00:00Z"},
		{"until means after from", "UTC", "2026-03-02T14:00:00Z", "from tomorrow 06:00 until 18:00", "2026-03-03T06:00:00Z", "2026-03-03T18:00:00Z"},

		// Berlin skips 02:00 to 03:00 on 29 March 2026 and has it twice on 25 October.
		{"a skipped time is as much later", "Europe/Berlin", "2026-03-28T23:00:00+01:00", "until 02:30", "", "2026-03-29T03:30:00+02:00"},
		{"a night without an hour", "Europe/Berlin", "2026-03-28T23:00:00+01:00", "until 04:00", "", "2026-03-29T04:00:00+02:00"},
		{"tomorrow's skipped time", "Europe/Berlin", "2026-03-28T12:00:00+01:00", "from tomorrow 02:30", "2026-03-29T03:30:00+02:00", ""},
		{"a doubled time is its first", "Europe/Berlin", "2026-10-24T23:00:00+02:00", "until 02:30", "", "2026-10-25T02:30:00+02:00"},
		{"a doubled time after its first is its second", "Europe/Berlin", "2026-10-25T02:40:00+02:00", "until 02:30", "", "2026-10-25T02:30:00+01:00"},
		{"a doubled time after its second is tomorrow's", "Europe/Berlin", "2026-10-25T02:40:00+01:00", "until 02:30", "", "2026-10-26T02:30:00+01:00"},
		{"the evening after the change", "Europe/Berlin", "2026-10-25T01:00:00+02:00", "until 18:00", "", "2026-10-25T18:00:00+01:00"},
		{"half an hour is skipped too", "Australia/Lord_Howe", "2026-10-03T23:00:00+10:30", "until 02:15", "", "2026-10-04T02:45:00+11:00"},
		{"west of Greenwich", "America/New_York", "2026-03-07T23:00:00-05:00", "until 02:30", "", "2026-03-08T03:30:00-04:00"},
	} {
		t.Run(row.name, func(t *testing.T) {
			in := pim.Reading{Roles: modelRoles(), Now: at(t, row.now), Zone: mustLoad(t, row.zone)}
			c, err := pim.ParseCommand("mde-admin "+row.text+" why", in)
			if err != nil {
				t.Fatal(err)
			}
			if c.Asked.Reason != "why" {
				t.Errorf("reason %q", c.Asked.Reason)
			}
			same(t, "from", c.Asked.From, row.from)
			same(t, "until", c.Asked.Until, row.until)
		})
	}
}

func at(tb testing.TB, s string) time.Time {
	tb.Helper()
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

func same(t *testing.T, what string, got time.Time, want string) {
	t.Helper()
	if want == "" && got.IsZero() {
		return
	}
	if got.Format(time.RFC3339) != want {
		t.Errorf("%s is %s, want %s", what, got.Format(time.RFC3339), want)
	}
}

func TestUntilIsTheNextTimeThatClocksShow(t *testing.T) {
	berlin := mustLoad(t, "Europe/Berlin")
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(rapid.Int64Range(1767225600, 1798761600).Draw(t, "now"), 0).In(berlin)
		wall := time.Date(0, 1, 1, rapid.IntRange(0, 23).Draw(t, "hour"), rapid.IntRange(0, 59).Draw(t, "minute"), 0, 0, time.UTC)
		c, err := pim.ParseCommand("mde-admin until "+wall.Format("15:04")+" x", pim.Reading{Roles: modelRoles(), Now: now, Zone: berlin})
		if err != nil {
			if wait := next(now, wall); wait.Sub(now) >= pim.MinDuration {
				t.Fatalf("%s until %s: %v", now, wall.Format("15:04"), err)
			}
			return
		}
		if want := next(now, wall); !c.Asked.Until.Equal(want) {
			t.Fatalf("%s until %s is %s, want %s", now, wall.Format("15:04"), c.Asked.Until, want)
		}
	})
}

// next looks at the clock minute by minute, and takes the skipped hour as an
// hour later.
func next(now, wall time.Time) time.Time {
	t := now.Truncate(time.Minute)
	for range 25*60 + 1 {
		before := t
		t = t.Add(time.Minute)
		_, was := before.Zone()
		_, is := t.Zone()
		if skip := time.Duration(is-was) * time.Second; skip > 0 {
			if missed := time.Duration(wall.Hour())*time.Hour + time.Duration(wall.Minute())*time.Minute - 2*time.Hour; missed >= 0 && missed < skip {
				return t.Add(missed)
			}
		}
		if t.Hour() == wall.Hour() && t.Minute() == wall.Minute() {
			return t
		}
	}
	return time.Time{}
}
