package pim

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// AuditEntry is a row of Entra's directory audit log about a group. Rows of what failed are none.
type AuditEntry struct {
	ID       string
	At       time.Time
	Activity string
	// OfPIM is set for PIM's own rows. The directory writes one of its own for each change of the group, minutes later.
	OfPIM bool
	// By is the person who did it, "" for an application, and Name what either is called. ByPIM is set for PIM itself.
	By    PrincipalID
	Name  string
	ByPIM bool
	// Reason is what whoever did it gave as the reason, if that was logged.
	Reason string
	// Request is PIM's id of the request it belongs to, where the row names one.
	Request string
	// About are the object ids that it was done to, in lower case: the group, and people.
	About []string
}

// Audited is what one reading of the audit log brought, oldest first.
type Audited struct {
	Entries []AuditEntry
	// Calls is how many calls it took. Entra allows few.
	Calls int
	// Cut is set where there was more than one reading takes.
	Cut bool
}

// Trace says what a row of the audit log is evidence of.
type Trace string

// The traces that an activation leaves. PIM's rows say what was asked, decided and granted, the directory's when the
// membership itself changed.
const (
	TraceApproved  Trace = "approved"
	TraceDenied    Trace = "denied"
	TraceCanceled  Trace = "canceled"
	TraceTimedOut  Trace = "timed_out"
	TraceActivated Trace = "activated"
	TraceEnded     Trace = "ended"
	TraceAdded     Trace = "added"   // to the group
	TraceRemoved   Trace = "removed" // from the group
)

// Evidence is a row of the audit log that belongs to a request.
type Evidence struct {
	ID       string      `json:"id"`
	At       time.Time   `json:"at"`
	Activity string      `json:"activity"`
	Trace    Trace       `json:"trace,omitempty"`
	By       PrincipalID `json:"by,omitempty"`
	Name     string      `json:"name,omitempty"`
	Reason   string      `json:"reason,omitempty"`
}

// mostEvidence is how many rows a request keeps: an activation leaves eight.
const mostEvidence = 16

// maxAuditText is how much of an id, an activity or a name is kept.
const maxAuditText = 128

// auditSkew is how far Microsoft's clocks may be from ours, and a read-back from what it reads.
const auditSkew = time.Minute

// trace reads what a row is evidence of, by its activity:
// https://learn.microsoft.com/entra/identity/monitoring-health/reference-audit-activities
func (e AuditEntry) trace() Trace {
	activity := strings.ToLower(e.Activity)
	if !e.OfPIM {
		switch activity {
		case "add member to group":
			return TraceAdded
		case "remove member from group":
			return TraceRemoved
		}
		return ""
	}
	switch {
	case strings.Contains(activity, "request approved"):
		return TraceApproved
	case strings.Contains(activity, "request denied"):
		return TraceDenied
	case strings.Contains(activity, "canceled"):
		return TraceCanceled
	case strings.Contains(activity, "request expired"):
		return TraceTimedOut
	case strings.HasPrefix(activity, "add member to role completed"):
		return TraceActivated
	case strings.HasPrefix(activity, "remove member from role") && !strings.Contains(activity, "requested"):
		return TraceEnded
	}
	return ""
}

func (e AuditEntry) isAbout(g GroupID, who PrincipalID) bool {
	return slices.Contains(e.About, string(g)) && slices.Contains(e.About, string(who))
}

// Untraced is what the audit log should have of a request, and has not been seen yet.
func (r *Request) Untraced() []Trace {
	if r.Copy.ID == "" {
		return nil // PIM never knew of it
	}
	var want []Trace
	if d := r.Decided; d != nil {
		want = append(want, decisionTrace(d.Approve))
	}
	if !r.MemberSince.IsZero() {
		want = append(want, TraceActivated, TraceAdded)
	}
	switch r.State { //nolint:exhaustive // the others leave no trace of their own
	case Canceled:
		want = append(want, TraceCanceled)
	case TimedOut:
		want = append(want, TraceTimedOut)
	case Ended:
		want = append(want, TraceEnded)
		if r.StillBy == "" {
			want = append(want, TraceRemoved)
		}
	}
	return slices.DeleteFunc(want, func(t Trace) bool { return r.traced(t) != nil })
}

func decisionTrace(approved bool) Trace {
	if approved {
		return TraceApproved
	}
	return TraceDenied
}

// traced is the row that is evidence of something, or nil. Two that say the same, as two approvals, say nothing.
func (r *Request) traced(t Trace) *Evidence {
	var found *Evidence
	for i := range r.Evidence {
		switch {
		case r.Evidence[i].Trace != t:
		case found != nil:
			return nil
		default:
			found = &r.Evidence[i]
		}
	}
	return found
}

// AuditedSince is from when on the audit log has what is missing of a request.
func (r *Request) AuditedSince() time.Time {
	ends := func(t Trace) bool { return t == TraceEnded || t == TraceRemoved }
	if missing := r.Untraced(); !r.MemberSince.IsZero() && !slices.ContainsFunc(missing, func(t Trace) bool { return !ends(t) }) {
		return r.MemberSince.Add(-auditSkew)
	}
	return r.begun()
}

// begun is from when on PIM may have done something about the request.
func (r *Request) begun() time.Time {
	if !r.Copy.Created.IsZero() {
		return r.Copy.Created.Add(-auditSkew)
	}
	return r.Created.Add(-auditSkew)
}

// TakeEvidence adds the rows that belong to the request, and returns those that are new. PIM's rows name the request.
// The directory's name nobody but the person and the group, and those of a removal by somebody else name another
// request: such a one belongs to it only if it is the only one in the time in which that happened.
func (r *Request) TakeEvidence(log []AuditEntry) []Evidence {
	var found []AuditEntry
	for _, e := range log {
		if e.OfPIM && e.Request != "" && strings.EqualFold(e.Request, r.Copy.ID) {
			found = append(found, e)
		}
	}
	if !r.MemberSince.IsZero() {
		begun := func(e AuditEntry) bool { return e.trace() == TraceAdded && e.ByPIM }
		found = append(found, r.onlyOne(log, r.begun(), r.MemberSince.Add(auditSkew), begun)...)
	}
	if r.State == Ended {
		until := r.EndedAt.Add(auditSkew)
		if !slices.ContainsFunc(found, func(e AuditEntry) bool { return e.trace() == TraceEnded }) {
			found = append(found, r.onlyOne(log, r.MemberSince, until, func(e AuditEntry) bool { return e.trace() == TraceEnded })...)
		}
		found = append(found, r.onlyOne(log, r.MemberSince, until, func(e AuditEntry) bool { return e.trace() == TraceRemoved })...)
	}
	var added []Evidence
	for _, row := range found {
		e := r.evidence(row)
		known := slices.ContainsFunc(r.Evidence, func(had Evidence) bool { return had.ID == e.ID })
		if known || len(r.Evidence) == mostEvidence {
			continue
		}
		added, r.Evidence = append(added, e), append(r.Evidence, e)
	}
	slices.SortStableFunc(r.Evidence, func(a, b Evidence) int { return a.At.Compare(b.At) })
	return added
}

// onlyOne is the row about the request's person and group in a time, if there is one and no other.
func (r *Request) onlyOne(log []AuditEntry, from, until time.Time, is func(AuditEntry) bool) []AuditEntry {
	var found []AuditEntry
	for _, e := range log {
		if is(e) && e.isAbout(r.Group, r.Principal) && !e.At.Before(from) && !e.At.After(until) {
			found = append(found, e)
		}
	}
	if len(found) != 1 {
		return nil
	}
	return found
}

// evidence is a row as it is kept. PIM repeats the requester's own reason in some; that is nobody else's.
func (r *Request) evidence(e AuditEntry) Evidence {
	reason := Tidy(e.Reason)
	if asked, _ := Unmark(r.Copy.Justification); reason == Tidy(asked) || reason == Tidy(r.Copy.Justification) {
		reason = ""
	}
	return Evidence{
		ID: cutRunes(Tidy(e.ID), maxAuditText), At: e.At, Activity: cutRunes(Tidy(e.Activity), maxAuditText), Trace: e.trace(),
		By: e.By, Name: cutRunes(Tidy(e.Name), maxAuditText), Reason: cutRunes(reason, MaxReason),
	}
}

func cutRunes(s string, most int) string {
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return s
}

// InPIM is why a request is over that was canceled there.
const InPIM = "It was canceled in PIM."

// LearnWho fills in who decided, canceled or ended a request elsewhere, and why, and reports whether that was not known.
// It turns nothing: what became of the request PIM's copy and the read-back say.
func (r *Request) LearnWho() bool {
	switch d := r.Decided; {
	case d != nil && d.Chat == Portal && d.By.Person == "":
		e := r.traced(decisionTrace(d.Approve))
		if e == nil || e.By == "" {
			break
		}
		d.By, d.Reason, d.At = Actor{Person: e.By, Name: e.Name}, cmp.Or(d.Reason, e.Reason), e.At
		return true
	}
	switch {
	case r.State == Canceled && r.Why == InPIM:
		return r.because("It was canceled in PIM", TraceCanceled)
	case r.endedElsewhere() && r.Why == "":
		return r.because("It was ended in PIM", TraceEnded) || r.because("The membership was taken away past PIM", TraceRemoved)
	}
	return false
}

// endedElsewhere reports whether the access ended before its time, by nobody's step here.
func (r *Request) endedElsewhere() bool {
	return r.State == Ended && r.Leaving == "" && r.Revoking == nil && (r.Ending == Revoked || r.Ending == Unknown)
}

// EndedBy is the row that says who ended an access elsewhere, or nil.
func (r *Request) EndedBy() *Evidence {
	if !r.endedElsewhere() {
		return nil
	}
	for _, t := range []Trace{TraceEnded, TraceRemoved} {
		if e := r.traced(t); e != nil && e.By != "" {
			return e
		}
	}
	return nil
}

func (r *Request) because(what string, t Trace) bool {
	e := r.traced(t)
	if e == nil || e.By == "" {
		return false
	}
	r.Why = what + " by " + e.Who()
	if e.Reason != "" {
		r.Why += ": " + e.Reason
	}
	r.Why = strings.TrimRight(r.Why, ".") + "."
	return true
}

// Who names who did it. An application may be called like anybody, so it is said that it is one.
func (e Evidence) Who() string {
	if e.By == "" && e.Name != "" {
		return "the application " + e.Name
	}
	return cmp.Or(e.Name, string(e.By), "PIM")
}

// A group is read as a whole every ten minutes, so what an alarm is about was done at most auditLately before it was seen,
// unless nothing was read for up to auditBack. What is changed in steps within auditLately counts together.
const (
	auditLately = 30 * time.Minute
	auditBack   = 24 * time.Hour
)

// mostDoers is how many people an alarm names.
const mostDoers = 3

// AuditedSince is from when on the audit log has who caused an alarm.
func (a Alarm) AuditedSince() time.Time { return a.Since.Add(-auditBack) }

// DoneBy are the rows that say who caused an alarm: the newest before it was seen, and for what is changed in steps, one
// for each who took part. Rows of PIM's own doing say nobody. An old one counts only once the log cannot lack newer ones.
func (a Alarm) DoneBy(log []AuditEntry, complete bool) []Evidence {
	from := a.Since.Add(-auditLately)
	if complete {
		from = a.AuditedSince()
	}
	var rows []AuditEntry
	for _, e := range log {
		if a.causedBy(e) && !e.At.Before(from) && !e.At.After(a.Since.Add(auditSkew)) {
			rows = append(rows, e)
		}
	}
	slices.SortStableFunc(rows, func(x, y AuditEntry) int { return y.At.Compare(x.At) })
	var done []Evidence
	for _, e := range rows {
		along := a.Lasting() && len(done) == 0 || !a.Lasting() && rows[0].At.Sub(e.At) <= auditLately
		known := slices.ContainsFunc(done, func(had Evidence) bool { return had.By == e.By && had.Name == e.Name })
		if along && !known && len(done) < mostDoers {
			done = append(done, (&Request{}).evidence(e))
		}
	}
	return done
}

// causedBy reports whether a row is of what the alarm is about.
func (a Alarm) causedBy(e AuditEntry) bool {
	if e.ByPIM || e.By == "" && e.Name == "" {
		return false
	}
	switch a.Kind { //nolint:exhaustive // the others are about one person
	case AlarmRules:
		return e.OfPIM && strings.EqualFold(e.Activity, "Update role setting in PIM") && slices.Contains(e.About, string(a.Group))
	case AlarmPeople:
		moved := e.trace() == TraceAdded || e.trace() == TraceRemoved
		return moved && slices.ContainsFunc(a.People, func(who PrincipalID) bool { return e.isAbout(a.Group, who) })
	}
	return e.isAbout(a.Group, a.Person) && a.Kind.madeBy(e)
}

// madeBy reports whether a row is of what makes somebody what an alarm of that kind says.
func (k AlarmKind) madeBy(e AuditEntry) bool {
	activity := strings.ToLower(e.Activity)
	switch k { //nolint:exhaustive // the others are about a group
	case AlarmOutside:
		return e.trace() == TraceAdded
	case AlarmStanding:
		return e.trace() == TraceAdded || e.OfPIM && strings.HasPrefix(activity, "add member to role in pim")
	case AlarmUnexplained, AlarmRevived:
		return e.trace() == TraceActivated
	case AlarmOwner:
		return !e.OfPIM && activity == "add owner to group"
	case AlarmEligible:
		return e.OfPIM && strings.HasPrefix(activity, "add eligible member to role")
	}
	return false
}
