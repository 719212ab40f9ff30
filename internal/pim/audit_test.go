package pim_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"elevate/internal/pim"
)

const (
	auditedGroup  pim.GroupID     = "11111111-0000-4000-8000-000000000001"
	auditedPerson pim.PrincipalID = "00000000-0000-4000-8000-00000000000a"
	auditedAdmin  pim.PrincipalID = "00000000-0000-4000-8000-0000000000ad"
)

var auditedAt = time.Date(2026, 11, 24, 14, 0, 0, 0, time.UTC)

// audited is a request that was approved in PIM, was there from 14:05 on, and ended at 14:30 by nobody's step here.
func audited() *pim.Request {
	return &pim.Request{
		ID: "abc234", Group: auditedGroup, Principal: auditedPerson, State: pim.Ended, Ending: pim.Unknown, Created: auditedAt,
		Copy:    pim.Copy{ID: "AAAA-1", Created: auditedAt, Justification: "triage [elevate abc234]"},
		Decided: &pim.Decided{Approve: true, Chat: pim.Portal}, MemberSince: auditedAt.Add(5 * time.Minute), EndedAt: auditedAt.Add(30 * time.Minute),
	}
}

// logged is a row about the request's person, that many minutes after it was asked.
func logged(id string, minute int, activity string, more func(*pim.AuditEntry)) pim.AuditEntry {
	e := pim.AuditEntry{
		ID: id, At: auditedAt.Add(time.Duration(minute) * time.Minute), Activity: activity, About: []string{string(auditedGroup), string(auditedPerson)},
	}
	if more != nil {
		more(&e)
	}
	return e
}

func byPIMItself(e *pim.AuditEntry) { e.Name, e.ByPIM = "MS-PIM", true }

func byAdmin(e *pim.AuditEntry) { e.By, e.Name = auditedAdmin, "Ada" }

func inPIM(request, reason string) func(*pim.AuditEntry) {
	return func(e *pim.AuditEntry) { byAdmin(e); e.OfPIM, e.Request, e.Reason = true, request, reason }
}

// What is read twice is evidence once, however long its id.
func TestARowIsEvidenceOnce(t *testing.T) {
	r := audited()
	log := []pim.AuditEntry{logged(strings.Repeat("PIM_", 60), 3, "Add member to role request approved (PIM activation)", inPIM("aaaa-1", "ok"))}
	if r.TakeEvidence(log); len(r.TakeEvidence(log)) > 0 || len(r.Evidence) != 1 || !r.LearnWho() {
		t.Errorf("evidence %+v", r.Evidence)
	}
}

func TestOnlyTheRowsOfARequestAreItsEvidence(t *testing.T) {
	const approved, removed = "Add member to role request approved (PIM activation)", "Remove member from role in PIM completed (permanent)"
	for name, row := range map[string]struct {
		log  []pim.AuditEntry
		want string
	}{
		"PIM's, by its id":                    {[]pim.AuditEntry{logged("1", 3, approved, inPIM("aaaa-1", "ok"))}, "1 approved"},
		"another request's":                   {[]pim.AuditEntry{logged("1", 3, approved, inPIM("bbbb-2", "ok"))}, ""},
		"none named":                          {[]pim.AuditEntry{logged("1", 3, approved, inPIM("", "ok"))}, ""},
		"an approval that is no row of PIM's": {[]pim.AuditEntry{logged("1", 3, approved, func(e *pim.AuditEntry) { e.Request = "aaaa-1" })}, ""},
		"the directory's change":              {[]pim.AuditEntry{logged("1", 5, "Add member to group", byPIMItself)}, "1 added"},
		"somebody else's change":              {[]pim.AuditEntry{logged("1", 5, "Add member to group", byAdmin)}, ""},
		"too early":                           {[]pim.AuditEntry{logged("1", -2, "Add member to group", byPIMItself)}, ""},
		"too late":                            {[]pim.AuditEntry{logged("1", 7, "Add member to group", byPIMItself)}, ""},
		"two of them are none":                {[]pim.AuditEntry{logged("1", 4, "Add member to group", byPIMItself), logged("2", 5, "Add member to group", byPIMItself)}, ""},
		"of another person": {[]pim.AuditEntry{logged("1", 5, "Add member to group", func(e *pim.AuditEntry) {
			byPIMItself(e)
			e.About[1] = string(auditedAdmin)
		})}, ""},
		"a removal, which has a request of its own": {[]pim.AuditEntry{logged("1", 29, removed, inPIM("cccc-3", "left"))}, "1 ended"},
		"two removals": {[]pim.AuditEntry{logged("1", 28, removed, inPIM("cccc-3", "left")), logged("2", 29, removed, inPIM("dddd-4", "left"))}, ""},
		"its own end beside another's removal": {[]pim.AuditEntry{
			logged("1", 28, removed, inPIM("cccc-3", "left")), logged("2", 29, "Remove member from role (PIM activation expired)", inPIM("aaaa-1", "")),
		}, "2 ended"},
		"taken out past PIM": {[]pim.AuditEntry{logged("1", 29, "Remove member from group", byAdmin)}, "1 removed"},
		"a removal before":   {[]pim.AuditEntry{logged("1", 2, "Remove member from group", byAdmin)}, ""},
		"an eligibility":     {[]pim.AuditEntry{logged("1", 20, "Remove eligible member from role in PIM completed (permanent)", inPIM("cccc-3", ""))}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := audited()
			for range 2 { // the log is read again and again
				r.TakeEvidence(row.log)
			}
			said := ""
			for _, e := range r.Evidence {
				said += e.ID + " " + string(e.Trace)
			}
			if said != row.want {
				t.Errorf("took %q, want %q", said, row.want)
			}
		})
	}
}

func TestEvidenceIsBounded(t *testing.T) {
	t.Parallel()
	r, long := audited(), strings.Repeat("é ", 4000)
	for i := range 100 {
		r.TakeEvidence([]pim.AuditEntry{logged(fmt.Sprint(i)+long, 3, long, inPIM("aaaa-1", long))})
	}
	size := 0
	for _, e := range r.Evidence {
		size += len(e.ID + e.Activity + e.Reason + e.Name)
	}
	if len(r.Evidence) > 16 || size > 16*4000 {
		t.Errorf("%d rows of %d bytes", len(r.Evidence), size)
	}
}

func TestWhoDidItIsLearnedOnlyWhereItIsNotKnown(t *testing.T) {
	evidence := func(traces ...pim.Trace) (list []pim.Evidence) {
		for i, trace := range traces {
			list = append(list, pim.Evidence{ID: fmt.Sprint(i), Trace: trace, By: auditedAdmin, Name: "Ada", Reason: "so it is."})
		}
		return list
	}
	for name, row := range map[string]struct {
		change          func(*pim.Request)
		learned         bool
		by, reason, why string
	}{
		"decided there": {func(r *pim.Request) { r.Evidence = evidence(pim.TraceApproved) }, true, "Ada", "so it is.", ""},
		"decided here": {func(r *pim.Request) {
			r.Decided.Chat, r.Decided.By.Name = pim.Slack, "Bob"
			r.Evidence = evidence(pim.TraceApproved)
		}, false, "Bob", "", ""},
		"the opposite":  {func(r *pim.Request) { r.Evidence = evidence(pim.TraceDenied) }, false, "", "", ""},
		"two approvals": {func(r *pim.Request) { r.Evidence = evidence(pim.TraceApproved, pim.TraceApproved) }, false, "", "", ""},
		"PIM ended it":  {func(r *pim.Request) { r.Evidence = evidence(pim.TraceEnded) }, true, "", "", "It was ended in PIM by Ada: so it is."},
		"at its time":   {func(r *pim.Request) { r.Ending, r.Evidence = pim.Expired, evidence(pim.TraceEnded) }, false, "", "", ""},
		"revoked here":  {func(r *pim.Request) { r.Revoking, r.Evidence = &pim.Revoking{}, evidence(pim.TraceEnded) }, false, "", "", ""},
		"canceled there": {func(r *pim.Request) {
			r.State, r.Why, r.Evidence = pim.Canceled, pim.InPIM, evidence(pim.TraceCanceled)
		}, true, "", "", "It was canceled in PIM by Ada: so it is."},
		"canceled here":    {func(r *pim.Request) { r.State, r.Evidence = pim.Canceled, evidence(pim.TraceCanceled) }, false, "", "", ""},
		"past PIM":         {func(r *pim.Request) { r.Evidence = evidence(pim.TraceRemoved) }, true, "", "", "The membership was taken away past PIM by Ada: so it is."},
		"by an app's name": {func(r *pim.Request) { r.Evidence = []pim.Evidence{{Trace: pim.TraceApproved, Name: "Bob"}} }, false, "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := audited()
			row.change(r)
			if got := r.LearnWho(); got != row.learned || r.Decided.By.Name != row.by || r.Decided.Reason != row.reason || r.Why != row.why {
				t.Errorf("learned %t: %+v %q", got, r.Decided, r.Why)
			}
		})
	}
}

func TestWhoCausedAnAlarm(t *testing.T) {
	const added, owner = "Add member to group", "Add owner to group"
	const eligible, rules = "Add eligible member to role in PIM completed (permanent)", "Update role setting in PIM"
	byBob := func(e *pim.AuditEntry) { e.By, e.Name = auditedPerson, "Bob" }
	for name, row := range map[string]struct {
		kind     pim.AlarmKind
		log      []pim.AuditEntry
		complete bool
		want     string
	}{
		"outside":                 {pim.AlarmOutside, []pim.AuditEntry{logged("1", 50, added, byAdmin)}, false, "Ada"},
		"outside, PIM's doing":    {pim.AlarmOutside, []pim.AuditEntry{logged("1", 50, added, byPIMItself)}, false, ""},
		"outside, an application": {pim.AlarmOutside, []pim.AuditEntry{logged("1", 50, added, func(e *pim.AuditEntry) { e.Name = "Sync" })}, false, "Sync"},
		"after it was seen":       {pim.AlarmOutside, []pim.AuditEntry{logged("1", 62, added, byAdmin)}, false, ""},
		"the newest":              {pim.AlarmOutside, []pim.AuditEntry{logged("1", 40, added, byBob), logged("2", 50, added, byAdmin)}, false, "Ada"},
		"an old one, too early":   {pim.AlarmOutside, []pim.AuditEntry{logged("1", 20, added, byAdmin)}, false, ""},
		"an old one, at last":     {pim.AlarmOutside, []pim.AuditEntry{logged("1", 20, added, byAdmin)}, true, "Ada"},
		"a removal":               {pim.AlarmOutside, []pim.AuditEntry{logged("1", 50, "Remove member from group", byAdmin)}, false, ""},
		"standing, in PIM":        {pim.AlarmStanding, []pim.AuditEntry{logged("1", 50, "Add member to role in PIM completed (permanent)", inPIM("x", ""))}, false, "Ada"},
		"standing, directly":      {pim.AlarmStanding, []pim.AuditEntry{logged("1", 50, added, byAdmin)}, false, "Ada"},
		"unexplained":             {pim.AlarmUnexplained, []pim.AuditEntry{logged("1", 50, "Add member to role completed (PIM activation)", inPIM("x", ""))}, false, "Ada"},
		"an owner":                {pim.AlarmOwner, []pim.AuditEntry{logged("1", 50, owner, byAdmin), logged("2", 55, added, byBob)}, false, "Ada"},
		"an eligibility":          {pim.AlarmEligible, []pim.AuditEntry{logged("1", 50, eligible, inPIM("x", ""))}, false, "Ada"},
		"rules, in steps by two":  {pim.AlarmRules, []pim.AuditEntry{logged("1", 5, rules, inPIM("", "")), logged("2", 50, rules, inPIM("", "")), logged("3", 51, rules, inPIM("", "")), logged("4", 52, rules, func(e *pim.AuditEntry) { byBob(e); e.OfPIM = true })}, true, "Bob Ada"},
		"people":                  {pim.AlarmPeople, []pim.AuditEntry{logged("1", 50, "Remove member from group", byAdmin)}, false, "Ada"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := pim.Alarm{Kind: row.kind, Group: auditedGroup, Person: auditedPerson, People: []pim.PrincipalID{auditedPerson}, Since: auditedAt.Add(time.Hour)}
			var said []string
			for _, e := range a.DoneBy(row.log, row.complete) {
				said = append(said, e.Name)
			}
			if got := strings.Join(said, " "); got != row.want {
				t.Errorf("done by %q, want %q", got, row.want)
			}
		})
	}
}
