package report

import (
	"fmt"
	"math"
	"time"

	"elevate/internal/pim"
)

// The measures of a drawing, in its own units.
const (
	width  = 1000.0
	left   = 200.0 // where time begins; names stand before it
	lane   = 24
	top    = 26
	atMost = 40 // lanes in one drawing, so that it fits on a printed page
	least  = 3.0
)

// Drawing is a part of the timeline: some people who held or asked for one role.
type Drawing struct {
	Title  string
	Height int
	Bottom int
	Ticks  []Tick
	Lanes  []Lane
}

// Tick is a mark of the axis.
type Tick struct{ X, Text string }

// Lane is one person's line.
type Lane struct {
	Name         string
	Y, Bar, Text int
	Bars         []Bar
	Marks        []Mark
}

// Bar is a time in which something was so. Kind is held, due or alarm.
type Bar struct{ X, Width, Kind, Title string }

// Mark is a moment: an x for what was not granted, an exclamation mark for an alarm.
type Mark struct{ X, Sign, Title string }

// drawing gathers the lanes of a role, as many as fit on a page at a time.
type drawing struct {
	r     *Report
	title string
	parts []Drawing
}

func (d *drawing) add(name string, bars []Bar, marks []Mark) {
	if n := len(d.parts); n == 0 || len(d.parts[n-1].Lanes) == atMost {
		title := "Who held " + d.title + ", and when"
		if n > 0 {
			title += fmt.Sprintf(" (part %d)", n+1)
		}
		d.parts = append(d.parts, Drawing{Title: title, Ticks: d.r.ticks()})
	}
	p := &d.parts[len(d.parts)-1]
	y := top + lane*len(p.Lanes)
	p.Lanes = append(p.Lanes, Lane{Name: short(name), Y: y, Bar: y + 5, Text: y + 16, Bars: bars, Marks: marks})
	p.Bottom = y + lane
	p.Height = p.Bottom + 4
}

// short is a name as it fits before the axis.
func short(name string) string {
	const most = 27
	if r := []rune(name); len(r) > most {
		return string(r[:most-1]) + "\u2026"
	}
	return name
}

// x is where a time stands; what lies outside the period stands at its edge.
func (r *Report) x(at time.Time) float64 {
	part := float64(at.Sub(r.period.From)) / float64(r.period.To.Sub(r.period.From))
	return left + (width-left-8)*math.Min(1, math.Max(0, part))
}

func unit(x float64) string { return fmt.Sprintf("%.1f", x) }

// bar draws a span, wide enough to be seen.
func (r *Report) bar(from, to time.Time, kind, title string) Bar {
	a, b := r.x(from), r.x(to)
	if b-a < least {
		b = a + least
	}
	return Bar{X: unit(a), Width: unit(b - a), Kind: kind, Title: title}
}

// drawn is what a request adds to its person's lane.
func (r *Report) drawn(row *Row) (bars []Bar, marks []Mark) {
	if row.Member.IsZero() {
		if !row.State.Open() {
			marks = append(marks, Mark{X: unit(r.x(row.Asked)), Sign: "\u00d7", Title: fmt.Sprintf("%s asked %s: %s", row.ID, r.time(row.Asked), stateText(row.State))})
		}
		return nil, marks
	}
	end := row.Ended
	if end.IsZero() {
		end = r.made
	}
	if row.Member.Before(r.period.To) {
		title := fmt.Sprintf("%s held from %s, not ended yet", row.ID, r.time(row.Member))
		if !row.Ended.IsZero() {
			title = fmt.Sprintf("%s held from %s to %s", row.ID, r.time(row.Member), r.time(row.Ended))
		}
		bars = append(bars, r.bar(row.Member, end, "held", title))
	}
	if row.State == pim.Active && row.Due.After(end) && end.Before(r.period.To) {
		bars = append(bars, r.bar(end, row.Due, "due", fmt.Sprintf("%s may last until %s", row.ID, r.time(row.Due))))
	}
	return bars, marks
}

// warned is what an alarm adds to a lane.
func (r *Report) warned(a *Alarm) ([]Bar, []Mark) {
	title := fmt.Sprintf("alarm %s: %s", r.time(a.At), a.Text)
	if a.Person == "" {
		return nil, []Mark{{X: unit(r.x(a.At)), Sign: "!", Title: title}}
	}
	const inside = 7 // so that the frame does not hide it
	marks := []Mark{{X: unit(r.x(a.At) + inside), Sign: "!", Title: title}}
	end := a.Over
	if end.IsZero() {
		end = r.made
	}
	return []Bar{r.bar(a.At, end, "alarm", title)}, marks
}

// ticks divides the period by whole hours, days, months or years of the report's zone.
func (r *Report) ticks() []Tick {
	const most = 9
	hours := r.period.To.Sub(r.period.From).Hours()
	for _, s := range []struct {
		hours               float64
		step                time.Duration
		days, months, years int
		layout              string
	}{
		{hours: 3, step: 3 * time.Hour, layout: "15:04"},
		{hours: 6, step: 6 * time.Hour, layout: "2 Jan 15:04"},
		{hours: 24, days: 1, layout: "2 Jan"},
		{hours: 48, days: 2, layout: "2 Jan"},
		{hours: 96, days: 4, layout: "2 Jan"},
		{hours: 168, days: 7, layout: "2 Jan"},
		{hours: 336, days: 14, layout: "2 Jan 2006"},
		{hours: 730, months: 1, layout: "Jan 2006"},
		{hours: 2190, months: 3, layout: "Jan 2006"},
		{hours: 8760, years: 1, layout: "2006"},
		{hours: 87600, years: 10, layout: "2006"},
		{hours: 876000, years: 100, layout: "2006"},
	} {
		if hours/s.hours > most {
			continue
		}
		at := r.period.From.In(r.zone)
		switch {
		case s.years > 0:
			at = time.Date(at.Year(), 1, 1, 0, 0, 0, 0, r.zone)
		case s.months > 0:
			at = time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, r.zone)
		}
		var ticks []Tick
		for ; at.Before(r.period.To); at = at.Add(s.step).AddDate(s.years, s.months, s.days) {
			if !at.Before(r.period.From) {
				ticks = append(ticks, Tick{X: unit(r.x(at)), Text: at.Format(s.layout)})
			}
		}
		return ticks
	}
	return nil
}
