package entra

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/microsoft/kiota-abstractions-go/serialization"
)

// isoDuration renders d in hours, minutes and seconds: weeks are no Edm.Duration, and PT24H must not become P1D.
func isoDuration(d time.Duration) string {
	h, m, s := int64(d/time.Hour), int64(d%time.Hour/time.Minute), d%time.Minute
	var b strings.Builder
	b.WriteString("PT")
	if h > 0 {
		fmt.Fprintf(&b, "%dH", h)
	}
	if m > 0 {
		fmt.Fprintf(&b, "%dM", m)
	}
	if s > 0 || b.Len() == len("PT") {
		whole := fmt.Sprintf("%d.%09d", s/time.Second, s%time.Second)
		b.WriteString(strings.TrimRight(strings.TrimRight(whole, "0"), ".") + "S")
	}
	return b.String()
}

// kiotaDuration renders d so that the SDK reads all of it: it drops seconds that have no fraction.
func kiotaDuration(d time.Duration) string {
	s := d % time.Minute
	return fmt.Sprintf("PT%dH%dM%d.%03dS", d/time.Hour, d%time.Hour/time.Minute, s/time.Second, s%time.Second/time.Millisecond)
}

var durationForm = regexp.MustCompile(`^P(?:(\d{1,5})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,7})H)?(?:(\d{1,8})M)?(?:(\d{1,9})(\.\d{1,9})?S)?)?$`)

// parseISODuration reads a duration of weeks, days, hours, minutes and seconds. Years and months have no fixed length.
func parseISODuration(text string) (time.Duration, bool) {
	parts := durationForm.FindStringSubmatch(strings.ToUpper(text))
	if parts == nil || strings.HasSuffix(strings.ToUpper(text), "T") || len(text) < len("P1D") {
		return 0, false
	}
	var d time.Duration
	for i, unit := range []time.Duration{7 * 24 * time.Hour, 24 * time.Hour, time.Hour, time.Minute, time.Second} {
		if parts[i+1] == "" {
			continue
		}
		n, err := strconv.ParseInt(parts[i+1], 10, 64)
		if err != nil {
			return 0, false
		}
		d += time.Duration(n) * unit
	}
	if parts[6] != "" {
		nanoseconds := strings.TrimPrefix(parts[6], ".") + "000000000"
		n, err := strconv.ParseInt(nanoseconds[:9], 10, 64)
		if err != nil {
			return 0, false
		}
		d += time.Duration(n)
	}
	return d, true
}

// exactly gives the length of a duration that the SDK has read from a repaired answer.
func exactly(d *serialization.ISODuration) time.Duration {
	days := time.Duration(d.GetWeeks()*7+d.GetDays()+d.GetYears()*365) * 24 * time.Hour
	return days + time.Duration(d.GetHours())*time.Hour + time.Duration(d.GetMinutes())*time.Minute +
		time.Duration(d.GetSeconds())*time.Second + time.Duration(d.GetMilliSeconds())*time.Millisecond
}
