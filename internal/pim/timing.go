package pim

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// timing reads "for …", "until …" and "from …" behind a role's name.
type timing struct {
	in    Reading
	asked Asked
	// until is read at the end, because it means the next such time after from.
	until moment
	seen  map[string]bool
}

// moment is a time of day that a person typed, perhaps with a day.
type moment struct {
	set          bool
	day          string // "", today or tomorrow
	hour, minute int
}

// read takes the timings from the front of words and returns what is left: the
// reason. A word that no time follows begins the reason.
func (t *timing) read(words []string) (rest []string, err error) {
	t.seen = map[string]bool{}
	for len(words) > 0 {
		word := strings.ToLower(words[0])
		taken, err := t.readOne(word, words[1:])
		if err != nil {
			return nil, err
		}
		if taken == 0 {
			break
		}
		if t.seen[word] {
			return nil, Errorf(Invalid, "“%s” stands there twice. Say it once.", word)
		}
		t.seen[word] = true
		words = words[1+taken:]
	}
	return words, t.finish()
}

// readOne returns how many words behind the first make up its time.
func (t *timing) readOne(word string, behind []string) (taken int, err error) {
	var m moment
	switch word {
	case "for":
		var d time.Duration
		if d, taken = readDuration(behind); taken > 0 {
			t.asked.Duration = d
		}
		err = tooShort(d, taken > 0)
	case "until":
		if m, taken, err = readMoment(behind); taken > 0 {
			t.until = m
		}
	case "from":
		if m, taken, err = readMoment(behind); taken > 0 {
			t.asked.From = t.in.next(m, t.in.Now)
		}
	default:
		return 0, nil
	}
	if err == nil && taken == 0 {
		err = notUnderstood(word, behind)
	}
	return taken, err
}

// tooShort refuses a typed zero, which would otherwise mean the default.
func tooShort(d time.Duration, typed bool) error {
	if typed && d < MinDuration {
		return Errorf(Invalid, "PIM gives no access for less than %s; ask for %s or more.", fullDuration(MinDuration), TypedDuration(MinDuration))
	}
	return nil
}

func (t *timing) finish() error {
	if !t.until.set {
		return nil
	}
	if t.seen["for"] {
		return Errorf(Invalid, "Say either how long, with “for”, or until when, with “until”, not both.")
	}
	start := t.in.Now
	if !t.asked.From.IsZero() {
		start = t.asked.From
	}
	t.asked.Until = t.in.next(t.until, start)
	if !t.asked.Until.After(t.in.Now) {
		return Errorf(Invalid, "This end is over already. Give a later one.")
	}
	return endsAfter(t.asked.Until, start)
}

// endsAfter says what is wrong with an end for access that begins at start, or nil.
func endsAfter(until, start time.Time) error {
	switch d := until.Sub(start); {
	case d <= 0:
		return Errorf(Invalid, "The access would end before it begins. Give an end after the beginning.")
	case d < MinDuration:
		return Errorf(Invalid, "PIM gives no access for less than %s; choose a later end.", fullDuration(MinDuration))
	}
	return nil
}

var clock = regexp.MustCompile(`^(\d{1,2})(?::(\d{2}))?(am|pm)?$`)

// readMoment reads "18:00", "6pm", "6 pm" or "tomorrow 09:00" and returns how
// many words it took.
func readMoment(words []string) (m moment, taken int, err error) {
	if len(words) > 1 && (strings.EqualFold(words[0], "today") || strings.EqualFold(words[0], "tomorrow")) {
		m.day, taken = strings.ToLower(words[0]), 1
	}
	if len(words) == taken {
		return moment{}, 0, nil
	}
	word := strings.ToLower(strings.TrimRight(words[taken], ",;"))
	taken++
	if taken < len(words) && !strings.HasSuffix(word, "m") {
		if half := strings.ToLower(strings.TrimRight(words[taken], ",;")); half == "am" || half == "pm" {
			word, taken = word+half, taken+1
		}
	}
	m.hour, m.minute, err = readClock(word)
	if err != nil || m.hour < 0 {
		return moment{}, 0, err
	}
	m.set = true
	return m, taken, nil
}

// readClock returns the hour and minute a word says; the hour is -1 when it is
// no time of day. What looks like one and cannot be is an error: it would
// otherwise end up in the reason, and the person would get the default.
func readClock(word string) (hour, minute int, err error) {
	parts := clock.FindStringSubmatch(word)
	if parts == nil || parts[2] == "" && parts[3] == "" {
		return -1, 0, nil
	}
	hour, _ = strconv.Atoi(parts[1])
	minute, _ = strconv.Atoi("0" + parts[2])
	first, last := 0, 23
	if parts[3] != "" {
		first, last = 1, 12
	}
	if hour < first || hour > last || minute > 59 {
		return -1, 0, Errorf(Invalid, "%s is not a time of day. Say it like 18:00 or 6pm.", word)
	}
	if parts[3] != "" {
		hour %= 12
	}
	if parts[3] == "pm" {
		hour += 12
	}
	return hour, minute, nil
}

// next returns the moment in the person's zone: on the day that was named, else
// the first time after the given one that clocks there show it.
func (in Reading) next(m moment, after time.Time) time.Time {
	zone := in.zone()
	if m.day != "" {
		y, mo, d := in.Now.In(zone).Date()
		if m.day == "tomorrow" {
			d++
		}
		return wall(y, mo, d, m, zone, time.Time{})
	}
	y, mo, d := after.In(zone).Date()
	for i := range 2 {
		if t := wall(y, mo, d+i, m, zone, after); t.After(after) {
			return t
		}
	}
	return wall(y, mo, d+2, m, zone, after)
}

// wall returns when clocks in the zone show the moment on that day. Where they
// show it twice, it is the first of the two that lies after the given time,
// else the second. Where they skip it, it is as much after the skip as it would
// have been without one.
func wall(y int, mo time.Month, d int, m moment, zone *time.Location, after time.Time) time.Time {
	asUTC := time.Date(y, mo, d, m.hour, m.minute, 0, 0, time.UTC)
	_, before := asUTC.Add(-24 * time.Hour).In(zone).Zone()
	_, behind := asUTC.Add(24 * time.Hour).In(zone).Zone()
	first := asUTC.Add(-time.Duration(before) * time.Second).In(zone)
	second := asUTC.Add(-time.Duration(behind) * time.Second).In(zone)
	switch {
	case !shows(second, asUTC):
		return first
	case !shows(first, asUTC), !first.After(after):
		return second
	}
	return first
}

// shows reports whether the clocks where t is show the wall time.
func shows(t, wall time.Time) bool {
	return t.Hour() == wall.Hour() && t.Minute() == wall.Minute() && t.Day() == wall.Day()
}
