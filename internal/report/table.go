package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"time"
)

var columns = []string{
	"kind", "id", "role", "title", "group", "person", "name", "asked_by", "asked_by_linked", "chat", "reason", "ticket", "state", "why", "decision", "approver", "approver_name",
	"approver_linked", "decision_chat", "decision_reason", "asked", "decided", "start", "member_since", "due", "ended", "ending", "still_by", "pim_request", "events", "evidence",
	"review", "review_opened", "reviewer", "reviewer_name", "review_note", "reviewed",
}

// CSV writes one line for each request and then one for each alarm.
func (r *Report) CSV(w io.Writer) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true // as RFC 4180 has it
	if err := out.Write(columns); err != nil {
		return err
	}
	line := func(cells ...string) error {
		for i := range cells {
			cells[i] = cell(cells[i])
		}
		return out.Write(cells)
	}
	for _, q := range r.rows {
		err := line("request", string(q.ID), q.Role, q.Title, string(q.Group), string(q.Person), q.Name, string(q.AskedBy), string(q.Linked), string(q.Chat), q.Reason, q.Ticket,
			string(q.State), q.Why, q.Decision, string(q.Approver), q.ApproverName, string(q.ApproverLinked), string(q.DecisionChat), q.DecisionReason,
			r.stamp(q.Asked), r.stamp(q.Decided), r.stamp(q.Start), r.stamp(q.Member), r.stamp(q.Due), r.stamp(q.Ended), string(q.Ending), q.StillBy, q.PIM, spans(q.Events), q.audited(),
			q.Review, r.stamp(q.ReviewOpened), string(q.Reviewer), q.ReviewerName, q.ReviewNote, r.stamp(q.Reviewed))
		if err != nil {
			return err
		}
	}
	for _, a := range r.alarms {
		cells := make([]string, len(columns))
		cells[0], cells[2], cells[3], cells[4], cells[5], cells[6], cells[13] = "alarm", a.Role, a.Title, string(a.Group), string(a.Person), a.Name, strings.TrimSuffix(a.Text+"; "+a.Notes(), "; ")
		cells[20], cells[25], cells[29] = r.stamp(a.At), r.stamp(a.Over), a.events()
		if err := line(cells...); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// stamp is a time for machines, in the report's zone with its offset.
func (r *Report) stamp(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.In(r.zone).Format(time.RFC3339)
}

// cell keeps a table program from taking somebody's words for a formula. The wide forms count as the narrow ones in some
// languages' versions.
func cell(s string) string {
	if strings.IndexAny(s, "=+-@\t\r\n＝＋－＠") == 0 {
		return "'" + s
	}
	return s
}

// spans writes numbers that rise as "12, 14–17".
func spans(numbers []uint64) string {
	var b strings.Builder
	for i := 0; i < len(numbers); {
		j := i
		for j+1 < len(numbers) && numbers[j+1] == numbers[j]+1 {
			j++
		}
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		fmt.Fprint(&b, numbers[i])
		if j > i {
			fmt.Fprintf(&b, "\u2013%d", numbers[j])
		}
		i = j + 1
	}
	return b.String()
}

// events are the numbers of an alarm's event and of the one that ended it.
func (a *Alarm) events() string {
	if a.Ended == 0 {
		return spans([]uint64{a.Event})
	}
	return spans([]uint64{a.Event, a.Ended})
}
