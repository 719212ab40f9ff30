package simslack

import (
	"strconv"
	"strings"
	"time"
)

// dateForms are the tokens Slack knows between braces, as Go writes them.
var dateForms = strings.NewReplacer(
	"{date_num}", "2006-01-02", "{date_short_pretty}", "Jan 2, 2006", "{date_short}", "Jan 2, 2006",
	"{date_long_pretty}", "Monday, January 2, 2006", "{date_long}", "Monday, January 2, 2006", "{date_pretty}", "January 2, 2006",
	"{date}", "January 2, 2006", "{time_secs}", "15:04:05", "{time}", "15:04", "{ago}", "2006-01-02 15:04",
)

// dateLabel is a date as the reader sees it: !date^<unix>^<format>, else the fallback.
func dateLabel(target, fallback string, zone *time.Location) string {
	parts := strings.SplitN(target, "^", 4)
	if len(parts) < 3 {
		return fallback
	}
	unix, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return fallback
	}
	at := time.Unix(unix, 0).In(zone)
	label := parts[2]
	for {
		start := strings.Index(label, "{")
		end := strings.Index(label, "}")
		if start < 0 || end < start {
			return label
		}
		form := dateForms.Replace(label[start : end+1])
		if strings.HasPrefix(form, "{") {
			return fallback
		}
		label = label[:start] + at.Format(form) + label[end+1:]
	}
}
