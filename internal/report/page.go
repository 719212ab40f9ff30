package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"elevate/internal/pim"
)

//go:embed page.html
var pageText string

// page is what the template draws.
type page struct {
	*Report
	States   []state
	Roles    []role
	Spreads  []measured
	Failed   []*Row
	Total    int
	Earlier  int
	Unending bool // the period is not over
}

type state struct {
	Text string
	N    int
}

// role is one group's part of the page.
type role struct {
	Title, Name string
	Group       pim.GroupID
	Drawings    []Drawing
	People      []person
}

type person struct {
	Name string
	ID   pim.PrincipalID
	Rows []*Row
}

type measured struct {
	Title, About string
	Spread
	Bars []measuredBar
}

type measuredBar struct {
	Text  string
	N     int
	Y     int
	Base  int
	Width string
	After string // where the figure stands
}

var words = map[pim.State]string{
	pim.WaitingForSignIn: "waiting for a sign-in", pim.Submitting: "on its way to PIM", pim.Pending: "waiting for a decision",
	pim.Scheduled: "scheduled", pim.Granting: "being granted", pim.Active: "active", pim.Refused: "refused by PIM", pim.Denied: "denied",
	pim.Canceled: "canceled", pim.TimedOut: "timed out", pim.Failed: "failed", pim.Ended: "held and ended",
}

func stateText(s pim.State) string {
	if text, known := words[s]; known {
		return text
	}
	return string(s)
}

// HTML writes the page.
func (r *Report) HTML(w io.Writer) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"time": r.time, "stamp": r.stamp, "spans": spans, "state": stateText, "chat": pim.Chat.Title, "took": took, "decision": decision, "ending": ending,
		"name": r.name,
	}).Parse(pageText)
	if err != nil {
		return fmt.Errorf("reading the page's template: %w", err)
	}
	return t.Execute(w, r.page())
}

// Period names the first and the last day of the period.
func (r *Report) Period() string {
	const day = "2 January 2006"
	first, last := r.period.From.In(r.zone).Format(day), r.period.To.In(r.zone).AddDate(0, 0, -1).Format(day)
	if first == last {
		return first
	}
	return first + " to " + last
}

// Zone is the zone of all times on the page.
func (r *Report) Zone() string { return r.zone.String() }

// Made is when the report was made.
func (r *Report) Made() time.Time { return r.made }

// Head is the newest event when the report was made.
func (r *Report) Head() string { return r.head }

// Alarms are those of the period.
func (r *Report) Alarms() []*Alarm { return r.alarms }

func (r *Report) page() page {
	p := page{Report: r, Total: len(r.rows), Unending: r.made.Before(r.period.To)}
	by := counts(r.rows)
	for _, s := range pim.States() {
		if by[s] > 0 {
			p.States = append(p.States, state{stateText(s), by[s]})
		}
	}
	for _, row := range r.rows {
		if row.Before {
			p.Earlier++
		}
		if row.Member.IsZero() && !row.State.Open() {
			p.Failed = append(p.Failed, row)
		}
	}
	slices.SortStableFunc(p.Failed, func(a, b *Row) int { return a.Asked.Compare(b.Asked) })
	p.Roles = r.roles()
	p.Spreads = []measured{
		measure("Time to decision", "from the asking to the decision", spreadOf(r.rows, (*Row).untilDecided)),
		measure("Time to access", "from the asking, or the later start that was asked for, to the membership as it was read back", spreadOf(r.rows, (*Row).untilMember)),
	}
	return p
}

// lanes are what is drawn of a role, person by person.
type lanes struct {
	rows   map[pim.PrincipalID][]*Row
	alarms map[pim.PrincipalID][]*Alarm
	people []pim.PrincipalID // in their order
}

// meet notes a person, once.
func (l *lanes) meet(id pim.PrincipalID) {
	if len(l.rows[id])+len(l.alarms[id]) == 0 {
		l.people = append(l.people, id)
	}
}

// roles gathers what belongs to each role. A name that stood for another group before is a role of its own.
func (r *Report) roles() []role {
	type key struct {
		name  string
		group pim.GroupID
	}
	var all []role
	var order []*lanes
	found := map[key]*lanes{}
	of := func(name, title string, group pim.GroupID) *lanes {
		l := found[key{name, group}]
		if l == nil {
			l = &lanes{rows: map[pim.PrincipalID][]*Row{}, alarms: map[pim.PrincipalID][]*Alarm{}}
			found[key{name, group}] = l
			order, all = append(order, l), append(all, role{Title: title, Name: name, Group: group})
		}
		return l
	}
	for _, row := range r.rows {
		l := of(row.Role, row.Title, row.Group)
		l.meet(row.Person)
		l.rows[row.Person] = append(l.rows[row.Person], row)
	}
	for _, a := range r.alarms {
		l := of(a.Role, a.Title, a.Group)
		l.meet(a.Person)
		l.alarms[a.Person] = append(l.alarms[a.Person], a)
	}
	for i, l := range order {
		r.fill(&all[i], l)
	}
	return all
}

func (r *Report) fill(into *role, l *lanes) {
	d := drawing{r: r, title: into.Title}
	for _, id := range l.people {
		var bars []Bar
		var marks []Mark
		name := "PIM's rules"
		for _, row := range l.rows[id] {
			b, m := r.drawn(row)
			bars, marks, name = append(bars, b...), append(marks, m...), r.name(row)
		}
		for _, a := range l.alarms[id] {
			b, m := r.warned(a)
			bars, marks = append(bars, b...), append(marks, m...)
			if id != "" {
				name = a.Who()
			}
		}
		d.add(name, bars, marks)
		if rows := l.rows[id]; len(rows) > 0 {
			into.People = append(into.People, person{Name: name, ID: id, Rows: rows})
		}
	}
	into.Drawings = d.parts
}

func measure(title, about string, s Spread) measured {
	m := measured{Title: title, About: about, Spread: s}
	most := 1
	for _, n := range s.bars {
		most = max(most, n)
	}
	const begin, longest, high = 110.0, 330.0, 22
	for i, n := range s.bars {
		text := "over " + took(limits[len(limits)-1])
		switch {
		case i == 0:
			text = "up to " + took(limits[i])
		case i < len(limits):
			text = took(limits[i-1]) + " to " + took(limits[i])
		}
		w := longest * float64(n) / float64(most)
		m.Bars = append(m.Bars, measuredBar{Text: text, N: n, Y: 2 + high*i, Base: 15 + high*i, Width: unit(w), After: unit(begin + w + 6)})
	}
	return m
}

// time is a time for people, with its distance from UTC where that is another.
func (r *Report) time(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	at = at.In(r.zone)
	if r.zone == time.UTC {
		return at.Format("2006-01-02 15:04:05")
	}
	return at.Format("2006-01-02 15:04:05 -07:00")
}

// took is a length of time for people: "1 h 5 min".
func took(d time.Duration) string {
	d = d.Round(time.Second)
	var parts []string
	for _, u := range []struct {
		of   time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}} {
		if n := d / u.of; n > 0 && (u.of < 24*time.Hour || d > 24*time.Hour) {
			parts = append(parts, fmt.Sprintf("%d %s", n, u.name))
			d -= n * u.of
		}
	}
	if len(parts) == 0 {
		return "0 s"
	}
	return strings.Join(parts[:min(2, len(parts))], " ")
}

func decision(row *Row) string {
	switch row.Decision {
	case approved:
		return "Approved by"
	case denied:
		return "Denied by"
	case noneNeeded:
		return "PIM granted it without an approval."
	}
	return "No decision."
}

func ending(row *Row) string {
	switch row.Ending {
	case pim.Expired:
		return "at its time"
	case pim.Released:
		return "released by the holder"
	case pim.Revoked:
		return "revoked"
	case pim.Unknown:
	}
	return "for a reason that PIM does not tell"
}
