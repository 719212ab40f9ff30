package report

import (
	"cmp"
	"strings"
	"time"

	"elevate/internal/pim"
)

// Row is what is reported of one request.
type Row struct {
	ID    pim.RequestID `json:"id"`
	Role  string        `json:"role"`
	Title string        `json:"title"`
	Group pim.GroupID   `json:"group"`
	// Person became a member. AskedBy asked, where that was another account, and Linked is the one that the chat account
	// belongs to, where it acted through another of the same person.
	Person  pim.PrincipalID `json:"person"`
	Name    string          `json:"name"`
	AskedBy pim.PrincipalID `json:"asked_by,omitempty"`
	Linked  pim.PrincipalID `json:"asked_by_linked,omitempty"`
	Chat    pim.Chat        `json:"chat"`
	Reason  string          `json:"reason"`
	Ticket  string          `json:"ticket,omitempty"`
	State   pim.State       `json:"state"`
	Why     string          `json:"why,omitempty"`
	// Decision is approved, denied, none_needed (PIM granted without an approval) or none.
	Decision       string          `json:"decision"`
	Approver       pim.PrincipalID `json:"approver,omitempty"`
	ApproverName   string          `json:"approver_name,omitempty"`
	ApproverLinked pim.PrincipalID `json:"approver_linked,omitempty"`
	DecisionChat   pim.Chat        `json:"decision_chat,omitempty"`
	DecisionReason string          `json:"decision_reason,omitempty"`
	Asked          time.Time       `json:"asked"`
	Decided        time.Time       `json:"decided,omitzero"`
	Start          time.Time       `json:"start,omitzero"` // where a later start was asked for
	Member         time.Time       `json:"member_since,omitzero"`
	Due            time.Time       `json:"due,omitzero"`
	Ended          time.Time       `json:"ended,omitzero"`
	Ending         pim.Ending      `json:"ending,omitempty"`
	RevokedBy      pim.PrincipalID `json:"revoked_by,omitempty"` // Why names them, with their reason
	StillBy        string          `json:"still_by,omitempty"`
	// Review is that of the use of an emergency role: open, overdue or closed.
	Review       string          `json:"review,omitempty"`
	ReviewOpened time.Time       `json:"review_opened,omitzero"`
	Reviewer     pim.PrincipalID `json:"reviewer,omitempty"`
	ReviewerName string          `json:"reviewer_name,omitempty"`
	ReviewNote   string          `json:"review_note,omitempty"`
	Reviewed     time.Time       `json:"reviewed,omitzero"`
	review       *pim.Review
	Before       bool           `json:"asked_before_period,omitempty"`
	PIM          string         `json:"pim_request,omitempty"`
	Events       []uint64       `json:"events"`
	Evidence     []pim.Evidence `json:"evidence,omitempty"` // rows of Entra's audit log
}

// The decisions a row can have.
const (
	approved   = "approved"
	denied     = "denied"
	noneNeeded = "none_needed"
	undecided  = "none"
)

func rowOf(r *pim.Request, events []pim.Event, title string) *Row {
	reason, _ := pim.Unmark(r.Copy.Justification)
	row := &Row{
		ID: r.ID, Role: pim.Tidy(r.Role), Title: pim.Tidy(cmp.Or(title, r.Role)), Group: tidy(r.Group),
		Person: tidy(cmp.Or(r.Principal, r.Requester.Person)), Name: pim.Tidy(r.Requester.Name), Chat: r.Chat,
		Reason: pim.Tidy(cmp.Or(reason, r.Asked.Reason)), Ticket: pim.Tidy(cmp.Or(r.Copy.Ticket, r.Asked.Ticket)),
		State: r.State, Why: pim.Tidy(r.Why), Decision: undecided,
		Asked: r.Created, Start: r.Asked.From, Member: r.MemberSince, Due: r.Ends, Ended: r.EndedAt, Ending: r.Ending, StillBy: pim.Tidy(r.StillBy),
		PIM: pim.Tidy(r.Copy.ID), Events: make([]uint64, 0, len(events)), review: r.Review, Evidence: r.Evidence,
	}
	if by := tidy(r.Requester.Person); by != row.Person {
		row.AskedBy = by
	}
	row.revoke(r)
	waited := r.State == pim.Pending
	for _, e := range events {
		row.Events = append(row.Events, e.Seq)
		waited = waited || e.To == pim.Pending || e.From == pim.Pending
		if e.Kind == pim.EventRequested {
			row.Linked = tidy(e.Linked)
		}
		if e.Linked != "" && r.Decided != nil && e.By.Person == r.Decided.By.Person && (e.Kind == pim.EventDecided || e.Kind == pim.EventClaimed) {
			row.ApproverLinked = tidy(e.Linked)
		}
	}
	switch {
	case r.Decided != nil:
		row.decide(*r.Decided)
	case !row.Member.IsZero() && !waited:
		row.Decision = noneNeeded
	}
	return row
}

// reviewedBy says what became of the review until the report was made.
func (row *Row) reviewedBy(made time.Time) {
	v := row.review
	if v == nil {
		return
	}
	row.Review, row.ReviewOpened = (&pim.Request{Review: v}).ReviewState(made), v.Opened
	row.Reviewer, row.ReviewerName, row.ReviewNote, row.Reviewed = tidy(v.By.Person), pim.Tidy(v.By.Name), pim.Tidy(v.Note), v.Closed
}

// ReviewedBy is the reviewer's name, or the object id of somebody without one.
func (row *Row) ReviewedBy() string { return cmp.Or(row.ReviewerName, string(row.Reviewer)) }

// revoke says who ended an access that was another's, and why.
func (row *Row) revoke(r *pim.Request) {
	if v := r.Revoking; v != nil && r.Ending == pim.Revoked {
		row.RevokedBy = tidy(v.By.Person)
		row.Why = pim.Tidy(strings.TrimSpace(row.Why + " Revoked by " + cmp.Or(v.By.Name, string(v.By.Person)) + ": " + v.Reason))
	}
	if e := r.EndedBy(); e != nil && e.By != r.Principal {
		row.RevokedBy = tidy(e.By) // and Why names them
	}
}

// tidy cleans what should be an object id, and is whatever the file holds.
func tidy[T ~string](id T) T { return T(pim.Tidy(string(id))) }

func (row *Row) decide(d pim.Decided) {
	row.Decision = denied
	if d.Approve {
		row.Decision = approved
	}
	row.Approver, row.ApproverName, row.DecisionChat = tidy(d.By.Person), pim.Tidy(d.By.Name), d.Chat
	row.DecisionReason, row.Decided = pim.Tidy(d.Reason), d.At
}

// Who is the person's name, or the object id of somebody without one.
func (row *Row) Who() string { return cmp.Or(row.Name, string(row.Person)) }

// audited are the ids of the rows of Entra's audit log.
func (row *Row) audited() string {
	var ids []string
	for _, e := range row.Evidence {
		ids = append(ids, e.ID)
	}
	return strings.Join(ids, " ")
}

// untilDecided is how long a decision took, if there was one.
func (row *Row) untilDecided() (time.Duration, bool) {
	return row.Decided.Sub(row.Asked), !row.Decided.IsZero()
}

// untilMember is how long it took from the asking, or from a later start that was asked for, to the membership.
func (row *Row) untilMember() (time.Duration, bool) {
	began := row.Asked
	if row.Start.After(began) {
		began = row.Start
	}
	return max(0, row.Member.Sub(began)), !row.Member.IsZero()
}

// Alarm is a membership or a change of rules that on-call was told of.
type Alarm struct {
	Event  uint64          `json:"event"`
	At     time.Time       `json:"at"`
	Over   time.Time       `json:"over,omitzero"`
	Ended  uint64          `json:"over_event,omitempty"`
	Role   string          `json:"role"`
	Title  string          `json:"title"`
	Group  pim.GroupID     `json:"group"`
	Person pim.PrincipalID `json:"person,omitempty"`
	Name   string          `json:"name,omitempty"`
	Text   string          `json:"text"`
	// DoneBy is what Entra's audit log says of who did it.
	DoneBy         string          `json:"done_by,omitempty"`
	Acknowledged   time.Time       `json:"acknowledged,omitzero"`
	AcknowledgedBy pim.PrincipalID `json:"acknowledged_by,omitempty"`
	AcknowledgedAs string          `json:"acknowledged_by_name,omitempty"`
	kind           string
}

// is reports whether an event that came later is about the alarm.
func (a *Alarm) is(e pim.Event) bool {
	kind, _, _ := strings.Cut(a.kind, ":")
	word, _, _ := strings.Cut(e.Text, ":")
	return a.Group == e.Group && a.Person == e.Person && a.Role == pim.Tidy(e.Role) && kind == word
}

// Notes are what became known of it, in words.
func (a *Alarm) Notes() string {
	notes := a.DoneBy
	if !a.Acknowledged.IsZero() {
		notes = strings.TrimPrefix(notes+"; acknowledged by "+cmp.Or(a.AcknowledgedAs, string(a.AcknowledgedBy)), "; ")
	}
	return notes
}

// Who is whom the alarm is about; nobody where the rules were changed.
func (a *Alarm) Who() string { return cmp.Or(a.Name, string(a.Person)) }
