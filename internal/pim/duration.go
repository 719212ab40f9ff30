package pim

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// mostUnits bounds a typed number, so that no sum of units overflows.
const mostUnits = 10000

// units are the words for lengths of time, longest first: a length is written
// with each unit at most once, in this order.
var units = []struct {
	length      time.Duration
	words       []string
	short, full string
}{
	{24 * time.Hour, []string{"d", "day", "days"}, "", ""},
	{time.Hour, []string{"h", "hr", "hrs", "hour", "hours"}, "h", "hour"},
	{time.Minute, []string{"m", "min", "mins", "minute", "minutes"}, "min", "minute"},
	{time.Second, []string{"s", "sec", "secs", "second", "seconds"}, "s", "second"},
}

// FormatDuration returns a length of time as cards say it: "1 h 30 min".
func FormatDuration(d time.Duration) string {
	return spell(d, func(n int64, unit int) string {
		return strconv.FormatInt(n, 10) + " " + units[unit].short
	}, " ")
}

// TypedDuration returns a length of time as people type it: "1h30m".
func TypedDuration(d time.Duration) string {
	return spell(d, func(n int64, unit int) string {
		return strconv.FormatInt(n, 10) + units[unit].words[0]
	}, "")
}

// fullDuration returns a length of time as sentences say it: "1 hour 30 minutes".
func fullDuration(d time.Duration) string {
	return spell(d, func(n int64, unit int) string {
		word := units[unit].full
		if n != 1 {
			word += "s"
		}
		return strconv.FormatInt(n, 10) + " " + word
	}, " ")
}

// spell writes whole seconds by the units from the hour down.
func spell(d time.Duration, one func(n int64, unit int) string, between string) string {
	const minute = 2
	var parts []string
	for i := 1; i < len(units); i++ {
		if n := int64(d / units[i].length); n > 0 {
			parts = append(parts, one(n, i))
			d %= units[i].length
		}
	}
	if len(parts) == 0 {
		return one(0, minute)
	}
	return strings.Join(parts, between)
}

// ParseDuration returns the length of time that a text says ("2h", "1 h 30 min",
// "90 minutes") and whether it says one and nothing else.
func ParseDuration(s string) (time.Duration, bool) {
	words := strings.Fields(s)
	d, n := readDuration(words)
	return d, n > 0 && n == len(words)
}

// readDuration reads a length of time from the first words and returns how
// many of them it took; none when they say none.
func readDuration(words []string) (d time.Duration, taken int) {
	unit := -1 // the last unit that was read
	for taken < len(words) {
		word, used := words[taken], 1
		if isNumber(word) && taken+1 < len(words) {
			word, used = word+words[taken+1], 2
		}
		more, last, ok := readUnits(strings.ToLower(strings.TrimRight(word, ",;")), unit)
		if !ok {
			break
		}
		d, unit, taken = d+more, last, taken+used
	}
	return d, taken
}

// readUnits reads a word like "1h30m" whose units all come after the given one.
func readUnits(word string, after int) (d time.Duration, last int, ok bool) {
	last = after
	for word != "" {
		digits := len(word) - len(strings.TrimLeft(word, "0123456789."))
		letters := len(word[digits:]) - len(strings.TrimLeft(word[digits:], "abcdefghijklmnopqrstuvwxyz"))
		unit := unitNamed(word[digits : digits+letters])
		n, err := strconv.ParseFloat(word[:digits], 64)
		if err != nil || unit <= last {
			return 0, after, false
		}
		d += time.Duration(min(n, mostUnits) * float64(units[unit].length)).Round(time.Second)
		word, last = word[digits+letters:], unit
	}
	return d, last, last > after
}

// unitNamed returns the index of the unit with that word, or -1.
func unitNamed(word string) int {
	for i, u := range units {
		if slices.Contains(u.words, word) {
			return i
		}
	}
	return -1
}

func isNumber(word string) bool {
	return word != "" && strings.Trim(word, "0123456789.") == ""
}
