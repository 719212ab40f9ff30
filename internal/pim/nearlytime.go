package pim

import (
	"regexp"
	"slices"
	"strings"
)

var (
	// oddTime is a number with something at it that durations, clocks and dates
	// have: 2h30, 1:30, 1,5h, -1h, 18.00, 18h, 2026-12-01.
	oddTime = regexp.MustCompile(`^-?\d+(?:[:.,h-]\d*|(?:m|min|mins|minutes|hrs?|hours?|d|days?|s|sec|uhr|am|pm|a\.m\.|p\.m\.)$)`)
	number  = regexp.MustCompile(`^-?\d+$`)
	unit    = regexp.MustCompile(`^(?:half|quarter|hours?|minutes?|days?|weeks?|while)$`)
)

var namedTimes = []string{"noon", "midnight", "now", "tonight", "today", "tomorrow"}

var weekdays = []string{
	"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "mon", "tue", "tues", "wed", "thu", "thurs", "fri", "sat", "sun",
}

// notUnderstood refuses what looks like a time and is none that is understood:
// it would end up in the reason, and the person would get the role's usual time,
// from now on. Anything else behind for, until and from begins a reason.
func notUnderstood(word string, behind []string) error {
	first, second := plainLower(behind, 0), plainLower(behind, 1)
	like := likeMoment
	if word == "for" {
		like = likeDuration
	}
	untilNumber := word == "until" && number.MatchString(first)
	if !oddTime.MatchString(first) && !like(first, second) && !untilNumber {
		return nil
	}
	said := []rune(strings.Join(behind[:min(len(behind), 2)], " "))
	return Errorf(Invalid, "“%s %s” is not a time that Elevate understands, so nothing was asked for. Say “for 2h”, “until 18:00” or “from tomorrow 06:00”; if it belongs to the reason, put another word before it.", word, string(said[:min(len(said), 40)]))
}

func likeDuration(first, second string) bool {
	switch first {
	case "half":
		return unit.MatchString(second) || second == "a" || second == "an"
	case "a", "an", "one", "two":
		return unit.MatchString(second)
	}
	return number.MatchString(first) && second == ""
}

func likeMoment(first, second string) bool {
	if first == "next" {
		return unit.MatchString(second) || second == "month" || slices.Contains(weekdays, second)
	}
	return slices.Contains(namedTimes, first) || slices.Contains(weekdays, first) || number.MatchString(first) && second == ""
}

// plainLower is one of the words, without punctuation and in small letters.
func plainLower(words []string, i int) string {
	if i >= len(words) {
		return ""
	}
	return strings.ToLower(strings.Trim(words[i], ",;!?\"'“”"))
}
