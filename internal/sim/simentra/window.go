package simentra

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Expiration types.
const (
	noExpiration  = "noExpiration"
	afterDateTime = "afterDateTime"
	afterDuration = "afterDuration"
	notSpecified  = "notSpecified"
)

// A window is a requestSchedule: when something is to begin and how it ends.
type window struct {
	start    time.Time
	kind     string
	duration time.Duration
	spelled  string // the duration as it was sent
	end      time.Time
}

// endFrom returns the end of something that begins at start; zero is never.
func (w window) endFrom(start time.Time) time.Time {
	switch w.kind {
	case afterDuration:
		return start.Add(w.duration)
	case afterDateTime:
		return w.end
	}
	return time.Time{}
}

type scheduleInfo struct {
	StartDateTime *string `json:"startDateTime"`
	Expiration    *struct {
		Type        *string `json:"type"`
		Duration    *string `json:"duration"`
		EndDateTime *string `json:"endDateTime"`
	} `json:"expiration"`
}

// read checks the schedule of a request. A start in the past is taken as now, as the documents' examples show.
func (i *scheduleInfo) read(now time.Time) (window, *graphError) {
	w := window{start: now, kind: notSpecified}
	if i == nil {
		return w, nil
	}
	if i.StartDateTime != nil {
		start, err := parseOffsetTime(*i.StartDateTime)
		if err != nil {
			return w, err
		}
		if start.After(now) {
			w.start = start
		}
	}
	if i.Expiration == nil || i.Expiration.Type == nil {
		return w, nil
	}
	return w, w.readExpiration(*i.Expiration.Type, i.Expiration.Duration, i.Expiration.EndDateTime)
}

func (w *window) readExpiration(kind string, duration, end *string) *graphError {
	switch {
	case strings.EqualFold(kind, noExpiration):
		w.kind = noExpiration
	case strings.EqualFold(kind, notSpecified):
	case strings.EqualFold(kind, afterDuration):
		w.kind = afterDuration
		if duration == nil {
			return errInvalidSchedule.with("The duration is missing.")
		}
		d, ok := parseDuration(*duration)
		if !ok || d <= 0 {
			return errInvalidSchedule.with("The duration is invalid.")
		}
		w.duration, w.spelled = d, *duration
	case strings.EqualFold(kind, afterDateTime):
		w.kind = afterDateTime
		if end == nil {
			return errInvalidSchedule.with("The endDateTime is missing.")
		}
		at, e := parseOffsetTime(*end)
		if e != nil {
			return e
		}
		if !at.After(w.start) {
			return errInvalidSchedule.with("The endDateTime is not after the startDateTime.")
		}
		w.end = at
	default:
		return badRequest("Invalid value '%s' for expirationPatternType.", kind)
	}
	return nil
}

// parseOffsetTime refuses a time without an offset, which PIM answers with InvalidRoleAssignmentRequest.
func parseOffsetTime(text string) (time.Time, *graphError) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return t, errInvalidRequest.with("The date and time '" + text + "' is not valid: an offset is needed.")
	}
	return t.UTC(), nil
}

var durationShape = regexp.MustCompile(`^P(?:(\d{1,5})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,9})(?:\.\d{1,7})?S)?)?$`)

// parseDuration reads an Edm.Duration: days to seconds. Weeks, months and years are not part of it.
func parseDuration(text string) (time.Duration, bool) {
	m := durationShape.FindStringSubmatch(text)
	if m == nil || strings.HasSuffix(text, "P") || strings.HasSuffix(text, "T") {
		return 0, false
	}
	var d time.Duration
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		if m[i+1] == "" {
			continue
		}
		n, err := strconv.Atoi(m[i+1])
		if err != nil {
			return 0, false
		}
		d += time.Duration(n) * unit
	}
	return d, true
}

// stamp writes a time as Graph does: UTC, up to seven digits after the point. The zero time is null.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Truncate(100 * time.Nanosecond).Format("2006-01-02T15:04:05.9999999Z")
}
