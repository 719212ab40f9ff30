package report

import (
	"cmp"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"

	"elevate/internal/pim"
)

// Report is what is known of a period.
type Report struct {
	period Period
	zone   *time.Location
	made   time.Time
	head   string
	titles map[string]string
	rows   []*Row
	alarms []*Alarm
	names  map[pim.PrincipalID]string
}

// New begins a report that shows its times in that zone. titles are those of the roles.
func New(p Period, zone *time.Location, titles map[string]string) *Report {
	return &Report{period: p, zone: zone, titles: titles, names: map[pim.PrincipalID]string{}}
}

// Close says when the report was made, and the newest event then, as `audit verify -anchor` takes it. It comes last.
func (r *Report) Close(made time.Time, head string) {
	r.made, r.head = made, head
	for _, row := range r.rows {
		row.reviewedBy(made)
	}
	r.sort()
}

// Add adds a request with its events, if it belongs to the period.
func (r *Report) Add(q pim.Request, events []pim.Event) {
	if !r.period.Holds(&q) {
		return
	}
	row := rowOf(&q, events, r.titles[q.Role])
	row.Before = q.Created.Before(r.period.From)
	if row.Name != "" && row.AskedBy == "" {
		r.names[row.Person] = row.Name
	}
	r.rows = append(r.rows, row)
}

// Alarm adds an alarm's event, or one that says more of it: who did it, who has taken note of it, that it is over. They
// come in their order. name is that of the person, where it is known.
func (r *Report) Alarm(e pim.Event, name string) {
	kind := e.Text
	e.Group, e.Person = tidy(e.Group), tidy(e.Person)
	same := func(a *Alarm) bool {
		return a.Over.IsZero() && a.Group == e.Group && a.Person == e.Person && a.kind == kind
	}
	switch {
	case e.Kind == pim.EventEvidence || e.Kind == pim.EventAcknowledged || e.Kind == pim.EventUnacknowledged:
		r.note(e)
	case e.Kind == pim.EventAlarmOver:
		if i := slices.IndexFunc(r.alarms, same); i >= 0 {
			r.alarms[i].Over, r.alarms[i].Ended = e.At, e.Seq
		}
	case e.Kind == pim.EventAlarm && r.period.Has(e.At):
		r.alarms = append(r.alarms, &Alarm{
			Event: e.Seq, At: e.At, Role: pim.Tidy(e.Role), Title: pim.Tidy(cmp.Or(r.titles[e.Role], e.Role)), Group: e.Group,
			Person: e.Person, Name: pim.Tidy(name), Text: pim.Tidy(alarmText(e.Text)), kind: kind,
		})
	}
}

// note adds to the newest alarm that an event is about.
func (r *Report) note(e pim.Event) {
	for _, a := range slices.Backward(r.alarms) {
		switch {
		case !a.is(e):
			continue
		case e.Kind == pim.EventAcknowledged:
			a.Acknowledged, a.AcknowledgedBy, a.AcknowledgedAs = e.At, tidy(e.By.Person), pim.Tidy(e.By.Name)
		case e.Kind == pim.EventUnacknowledged:
			a.DoneBy += "; acknowledged by " + cmp.Or(a.AcknowledgedAs, string(a.AcknowledgedBy)) + ", who did it, so it does not count"
			a.Acknowledged, a.AcknowledgedBy, a.AcknowledgedAs = time.Time{}, "", ""
		default:
			_, said, _ := strings.Cut(e.Text, ": ")
			a.DoneBy = pim.Tidy(said)
		}
		return
	}
}

// alarmText says what an alarm's event means, in words that follow a name.
func alarmText(text string) string {
	if rules, found := strings.CutPrefix(text, "rules: "); found {
		return "PIM's activation rules were changed: " + rules
	}
	if people, found := strings.CutPrefix(text, "people: "); found {
		return "people were changed in Entra: " + people
	}
	return pim.Alarm{Kind: pim.AlarmKind(text)}.Phrase()
}

// Size says how many requests and alarms the report has.
func (r *Report) Size() (requests, alarms int) { return len(r.rows), len(r.alarms) }

// sort puts requests in the order of roles, people and time, and gives names to those who are known by one.
func (r *Report) sort() {
	for _, a := range r.alarms {
		a.Name = cmp.Or(a.Name, r.names[a.Person])
	}
	slices.SortFunc(r.rows, func(a, b *Row) int {
		return cmp.Or(
			cmp.Compare(a.Title, b.Title), cmp.Compare(a.Role, b.Role), cmp.Compare(a.Group, b.Group),
			cmp.Compare(r.name(a), r.name(b)), cmp.Compare(a.Person, b.Person), a.Asked.Compare(b.Asked), cmp.Compare(a.ID, b.ID),
		)
	})
}

// name is the one name under which all requests of a person stand together.
func (r *Report) name(row *Row) string { return cmp.Or(r.names[row.Person], row.Who()) }

// counts says how many requests are in each state.
func counts(rows []*Row) map[pim.State]int {
	by := map[pim.State]int{}
	for _, row := range rows {
		by[row.State]++
	}
	return by
}

// JSON writes the report for machines.
func (r *Report) JSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(struct {
		Period
		Zone     string            `json:"zone"`
		Made     time.Time         `json:"made"`
		Head     string            `json:"head,omitempty"`
		Counts   map[pim.State]int `json:"counts"`
		Decision Spread            `json:"time_to_decision"`
		Access   Spread            `json:"time_to_access"`
		Requests []*Row            `json:"requests"`
		Alarms   []*Alarm          `json:"alarms"`
	}{
		r.period, r.zone.String(), r.made, r.head, counts(r.rows),
		spreadOf(r.rows, (*Row).untilDecided), spreadOf(r.rows, (*Row).untilMember), orNone(r.rows), orNone(r.alarms),
	})
}

// orNone makes an empty list one that stands as [] in JSON.
func orNone[T any](list []T) []T { return append([]T{}, list...) }
