package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"elevate/internal/pim"
	"elevate/internal/report"
)

var update = flag.Bool("update", false, "rewrite the golden reports")

var (
	november = report.Period{From: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}
	made     = time.Date(2026, 11, 27, 22, 0, 0, 0, time.UTC)
	titles   = map[string]string{"mde-admin": "MDE Administrator", "mde-analyst": "MDE Analyst"}
)

func at(day, hour, minute int) time.Time {
	return time.Date(2026, 11, day, hour, minute, 5, 0, time.UTC)
}

func person(name string) pim.Actor {
	id := fmt.Sprintf("%x", []byte(strings.ToLower(name)+"........"))[:8]
	return pim.Actor{Person: pim.PrincipalID(id + "-0000-4000-8000-000000000000"), Name: name, Account: pim.ChatAccount{Chat: pim.Slack, Workspace: "T0", User: "U" + id}}
}

// asked is a request for a role that nobody has decided.
func asked(id pim.RequestID, role string, by pim.Actor, created time.Time, reason string) pim.Request {
	return pim.Request{
		ID: id, Role: role, Group: pim.GroupID("group-of-" + role), Requester: by, Principal: by.Person, Chat: pim.Slack, State: pim.Pending,
		Asked: pim.Asked{Reason: reason}, Created: created, Submitted: created.Add(time.Second),
		Copy: pim.Copy{ID: "pim-" + string(id), Justification: pim.Mark(reason, id)},
	}
}

func decidedBy(r pim.Request, by pim.Actor, approve bool, after time.Duration, reason string) pim.Request {
	r.Decided = &pim.Decided{By: by, Approve: approve, Reason: reason, At: r.Created.Add(after), Chat: pim.Teams}
	if !approve {
		r.State = pim.Denied
	}
	return r
}

func held(r pim.Request, after, length time.Duration, ending pim.Ending) pim.Request {
	r.State, r.Ending, r.MemberSince = pim.Ended, ending, r.Created.Add(after)
	r.Ends = r.MemberSince.Add(time.Hour)
	r.EndedAt = r.MemberSince.Add(length)
	return r
}

func steps(from uint64, r pim.Request) []pim.Event {
	events := []pim.Event{{Seq: from, Kind: pim.EventRequested, Request: r.ID, By: r.Requester}}
	if r.Decided != nil {
		events = append(events,
			pim.Event{Seq: from + 1, Kind: pim.EventObserved, From: pim.Submitting, To: pim.Pending},
			pim.Event{Seq: from + 4, Kind: pim.EventDecided, By: r.Decided.By, From: pim.Pending})
	}
	return events
}

// month is a report with one of each.
func month(zone *time.Location) *report.Report {
	r := report.New(november, zone, titles)
	alice, bob, dora := person("Alice Anders"), person("Bob Berger"), person("Dora Dahl")
	add := func(q pim.Request, seq uint64) { r.Add(q, steps(seq, q)) }

	first := asked("aaaaa2", "mde-admin", alice, at(2, 9, 0), "isolating WS-042, INC-1234")
	first.Copy.Ticket = "INC-1234"
	first = held(decidedBy(first, bob, true, 3*time.Minute, "incident confirmed"), 4*time.Minute, time.Hour, pim.Expired)
	first.Evidence = []pim.Evidence{
		{ID: "PIM_20261102_1", At: at(2, 9, 3), Activity: "Add member to role request approved (PIM activation)", Trace: pim.TraceApproved, By: bob.Person, Name: "Bob <b>Berger</b>", Reason: "incident confirmed"},
		{ID: "Directory_20261102_2", At: at(2, 9, 4), Activity: "Add member to group", Trace: pim.TraceAdded, Name: "MS-PIM"},
	}
	events := steps(10, first)
	events[2].Linked = "bbbbbbbb-0000-4000-8000-000000000000"
	r.Add(first, events)
	add(held(decidedBy(asked("aaaaa3", "mde-admin", alice, at(9, 14, 30), "second look at WS-042"), bob, true, 40*time.Minute, ""), 41*time.Minute, 20*time.Minute, pim.Released), 20)
	add(decidedBy(asked("aaaaa4", "mde-admin", dora, at(12, 8, 15), "want to look around"), bob, false, 2*time.Hour, "not without an incident"), 30)
	active := held(decidedBy(asked("aaaaa5", "mde-admin", dora, at(27, 21, 40), "new tenant rule"), bob, true, time.Minute, ""), 2*time.Minute, 0, "")
	active.State, active.Ending, active.EndedAt, active.Ends = pim.Active, "", time.Time{}, at(28, 5, 40)
	add(active, 40)
	add(held(asked("aaaaa6", "mde-analyst", dora, time.Date(2026, 10, 31, 23, 30, 0, 0, time.UTC), "night watch"), 20*time.Second, time.Hour, pim.Expired), 50)
	refused := asked("aaaaa7", "mde-analyst", alice, at(20, 10, 0), "triage")
	refused.State, refused.Why = pim.Refused, "PIM refused it: 24 h is more than the longest activation of 10 h."
	add(refused, 60)
	timedOut := asked("aaaaa8", "mde-admin", alice, at(21, 10, 0), "weekend work")
	timedOut.State, timedOut.Why = pim.TimedOut, "Nobody decided within PIM's 24 hours."
	add(timedOut, 70)
	add(asked("aaaaa9", "mde-admin", alice, time.Date(2026, 10, 30, 10, 0, 0, 0, time.UTC), "of another period"), 80)

	emergencyOf := func(id pim.RequestID, day int, change func(*pim.Review)) pim.Request {
		q := held(asked(id, "mde-analyst", alice, at(day, 2, 0), "WS-042 encrypts files, isolating it"), 20*time.Second, time.Hour, pim.Expired)
		q.Review = &pim.Review{Opened: q.MemberSince}
		change(q.Review)
		return q
	}
	add(emergencyOf("aaaab2", 24, func(*pim.Review) {}), 82)
	add(emergencyOf("aaaab3", 27, func(*pim.Review) {}), 83)
	add(emergencyOf("aaaab4", 23, func(v *pim.Review) { v.By, v.Note, v.Closed = bob, "=checked with Alice", at(23, 8, 0) }), 84)

	erin := person("Erin Engel")
	r.Alarm(pim.Event{Seq: 90, At: at(15, 3, 0), Kind: pim.EventAlarm, Role: "mde-admin", Group: "group-of-mde-admin", Person: erin.Person, Text: string(pim.AlarmStanding)}, erin.Name)
	r.Alarm(pim.Event{Seq: 91, At: at(15, 3, 5), Kind: pim.EventEvidence, Role: "mde-admin", Group: "group-of-mde-admin", Person: erin.Person, Text: "standing: in the audit log: Add member to group by Ada <i>Adler</i>"}, "")
	r.Alarm(pim.Event{Seq: 92, At: at(15, 3, 9), Kind: pim.EventAcknowledged, Role: "mde-admin", Group: "group-of-mde-admin", Person: erin.Person, By: bob, Text: "standing: abc234"}, "")
	r.Alarm(pim.Event{Seq: 93, At: at(15, 3, 9), Kind: pim.EventAcknowledged, Role: "mde-admin", Group: "group-of-mde-admin", Person: bob.Person, By: erin, Text: "standing: abc235"}, "") // of another
	r.Alarm(pim.Event{Seq: 95, At: at(16, 9, 30), Kind: pim.EventAlarmOver, Role: "mde-admin", Group: "group-of-mde-admin", Person: erin.Person, Text: string(pim.AlarmStanding)}, erin.Name)
	r.Alarm(pim.Event{Seq: 99, At: at(17, 11, 0), Kind: pim.EventAlarm, Role: "mde-analyst", Group: "group-of-mde-analyst", Text: "rules: longest activation: 10 h, now 24 h"}, "")
	r.Close(made, "120:c0ffee")
	return r
}

func TestAnAcknowledgementThatWasTakenBackDoesNotCount(t *testing.T) {
	r := report.New(november, time.UTC, titles)
	bob, erin := person("Bob Berger"), person("Erin Engel")
	for i, e := range []pim.Event{
		{Kind: pim.EventAlarm, Text: "standing"},
		{Kind: pim.EventAcknowledged, Text: "standing: abc234", By: bob},
		{Kind: pim.EventEvidence, Text: "standing: in the audit log: Add member to group by Bob Berger"},
		{Kind: pim.EventUnacknowledged, Text: "standing: abc234"},
	} {
		e.Seq, e.At, e.Role, e.Group, e.Person = uint64(90+i), at(15, 3, i), "mde-admin", "group-of-mde-admin", erin.Person
		r.Alarm(e, erin.Name)
	}
	r.Close(made, "120:c0ffee")
	if said := draw(t, r).json; !strings.Contains(said, "acknowledged by Bob Berger, who did it, so it does not count") || strings.Contains(said, `"acknowledged_by"`) {
		t.Errorf("an auditor reads\n%s", said)
	}
}

type drawn struct{ html, csv, json string }

func draw(t interface{ Fatal(args ...any) }, r *report.Report) drawn {
	var html, csv, json bytes.Buffer
	for _, err := range []error{r.HTML(&html), r.CSV(&csv), r.JSON(&json)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return drawn{html.String(), csv.String(), json.String()}
}

func TestReportIsAsItWasLookedAt(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	empty := report.New(november, time.UTC, titles)
	empty.Close(made, "1:aa")
	for name, r := range map[string]*report.Report{"month": month(time.UTC), "berlin": month(berlin), "empty": empty} {
		got := draw(t, r)
		for ext, text := range map[string]string{"html": got.html, "csv": got.csv, "json": got.json} {
			golden(t, filepath.Join("testdata", name+"."+ext), text)
		}
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (rewrite with go test -update): %s", file, diff)
	}
}

func TestHostileTextStaysText(t *testing.T) {
	for _, hostile := range []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</title></text></svg><script>1</script>`, `'; background: url(//evil)`,
		"=HYPERLINK(\"http://evil\")", "+1", "-1", "@SUM(A1)", "\t=1", "\r\n=1", "＝1", "a\u202eb\u2066c\u200bd\x00e\x1b[31m", "{{.}}", "\xff\xfe",
	} {
		r := report.New(november, time.UTC, map[string]string{"mde-admin": hostile})
		by := pim.Actor{Person: pim.PrincipalID(hostile), Name: hostile}
		q := held(decidedBy(asked("aaaaa2", "mde-admin", by, at(2, 9, 0), hostile), by, true, time.Minute, hostile), time.Minute, time.Hour, pim.Expired)
		q.Copy.Ticket, q.Why, q.StillBy, q.Copy.ID = hostile, hostile, hostile, hostile
		r.Add(q, nil)
		no := decidedBy(asked("aaaaa3", "mde-admin", by, at(2, 9, 0), hostile), by, false, time.Minute, hostile)
		no.Group = pim.GroupID(hostile)
		r.Add(no, nil)
		r.Alarm(pim.Event{Seq: 1, At: at(3, 0, 0), Kind: pim.EventAlarm, Role: hostile, Person: by.Person, Text: "rules: " + hostile}, hostile)
		r.Close(made, "1:aa")
		got := draw(t, r)
		for _, bad := range []string{"<script", "<img", "onerror=alert(1)>"} {
			if strings.Contains(got.html, bad) {
				t.Errorf("%q: the page has %q", hostile, bad)
			}
		}
		for form, text := range map[string]string{"page": got.html, "CSV": got.csv, "JSON": got.json} {
			if i := strings.IndexAny(text, "\x00\x1b\u202e\u2066\u200b"); i >= 0 {
				t.Errorf("%q: the %s has %q", hostile, form, text[i:i+4])
			}
		}
		lines, err := csv.NewReader(strings.NewReader(got.csv)).ReadAll()
		if err != nil || len(lines) != 4 {
			t.Fatalf("%q: %d lines, %v", hostile, len(lines), err)
		}
		for _, line := range lines {
			for _, c := range line {
				if strings.IndexAny(c, "=+-@\t\r\n＝＋－＠") == 0 {
					t.Errorf("%q: a cell begins like a formula: %q", hostile, c)
				}
			}
		}
	}
}

// TestPageStandsAlone: an auditor may open it anywhere, years later.
func TestPageStandsAlone(t *testing.T) {
	page := draw(t, month(time.UTC)).html
	for _, bad := range []string{"<script", "<link", "src=", "url(", "@import", "http://", "https://", "<iframe", "<form", "onload=", "style=\"", "javascript:"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
}

func TestEachRequestOfThePeriodStandsExactlyOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := report.New(november, time.UTC, titles)
		wanted, others := map[pim.RequestID]bool{}, map[pim.RequestID]bool{}
		hour := rapid.IntRange(-60*24, 60*24)
		for i := range rapid.IntRange(0, 30).Draw(t, "requests") {
			id := pim.RequestID(fmt.Sprintf("id%04d", i))
			q := asked(id, rapid.SampledFrom([]string{"mde-admin", "mde-analyst", "other"}).Draw(t, "role"),
				person(rapid.SampledFrom([]string{"Alice", "Bob", "Alice ", ""}).Draw(t, "who")), november.From.Add(time.Duration(hour.Draw(t, "asked"))*time.Hour), "x")
			q.State = rapid.SampledFrom(pim.States()).Draw(t, "state")
			q.Group = pim.GroupID(rapid.SampledFrom([]string{"one", "two"}).Draw(t, "group"))
			in := november.Has(q.Created)
			if q.State == pim.Active || q.State == pim.Ended {
				q.MemberSince = q.Created.Add(time.Duration(rapid.IntRange(0, 48).Draw(t, "wait")) * time.Hour)
				last := november.To
				if q.State == pim.Ended {
					q.EndedAt = q.MemberSince.Add(time.Duration(rapid.IntRange(1, 24).Draw(t, "length")) * time.Hour)
					last = q.EndedAt
				}
				in = in || q.MemberSince.Before(november.To) && last.After(november.From)
			}
			r.Add(q, nil)
			if in {
				wanted[id] = true
			} else {
				others[id] = true
			}
		}
		r.Close(made, "1:aa")
		got := draw(t, r)
		var asJSON struct{ Requests []struct{ ID pim.RequestID } }
		if err := json.Unmarshal([]byte(got.json), &asJSON); err != nil || len(asJSON.Requests) != len(wanted) {
			t.Fatalf("%d of %d in JSON, %v", len(asJSON.Requests), len(wanted), err)
		}
		for id := range wanted {
			for form, n := range map[string]int{
				"page": strings.Count(got.html, `<tr id="r-`+string(id)+`">`), "CSV": strings.Count(got.csv, "\nrequest,"+string(id)+","), "JSON": strings.Count(got.json, `"id": "`+string(id)+`"`),
			} {
				if n != 1 {
					t.Errorf("%s stands %d times in the %s", id, n, form)
				}
			}
		}
		for id := range others {
			if strings.Contains(got.html+got.csv+got.json, string(id)) {
				t.Errorf("%s is of another period", id)
			}
		}
	})
}

// Each alarm is reported as what it was: somebody who came into a group of people is no member outside PIM.
func TestAlarmsAreReportedAsWhatTheyWere(t *testing.T) {
	for text, want := range map[string]string{
		"people: among its approvers, new: Erin": "people were changed in Entra: among its approvers, new: Erin",
		"rules: approval: yes, now no":           "PIM's activation rules were changed: approval: yes, now no",
		string(pim.AlarmOutside):                 "is a member outside PIM",
	} {
		r := report.New(november, time.UTC, titles)
		r.Alarm(pim.Event{Seq: 1, At: at(3, 0, 0), Kind: pim.EventAlarm, Role: "mde-admin", Group: "group-of-mde-admin", Text: text}, "")
		if got := r.Alarms()[0].Text; got != want {
			t.Errorf("%q is reported as %q", text, got)
		}
	}
}

func TestWhoRevokedAnAccessIsNamedWithTheReason(t *testing.T) {
	r := report.New(november, time.UTC, nil)
	by := pim.Actor{Person: "alice-id", Name: "Alice"}
	q := held(asked("aaaaa2", "mde-admin", by, at(2, 9, 0), "isolating WS-042"), time.Minute, time.Hour, pim.Revoked)
	q.Revoking = &pim.Revoking{By: pim.Actor{Person: "erin-id", Name: "Erin"}, Reason: "left <early>"}
	r.Add(q, nil)
	r.Close(made, "1:aa")
	got := draw(t, r)
	for form, want := range map[string][2]string{
		"page": {got.html, "Revoked by Erin: left &lt;early&gt;"}, "CSV": {got.csv, "Revoked by Erin: left <early>"}, "JSON": {got.json, `"revoked_by":"erin-id"`},
	} {
		if !strings.Contains(strings.ReplaceAll(want[0], `": "`, `":"`), want[1]) {
			t.Errorf("the %s does not say %q", form, want[1])
		}
	}
}
