package workflowtest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"elevate/internal/pim"
)

// Log writes a row into the audit log, to be read after the delay.
func (d *Directory) Log(e pim.AuditEntry) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.log(e)
}

func (d *Directory) log(e pim.AuditEntry) {
	if e.ID == "" {
		e.ID = fmt.Sprintf("log-%d", len(d.logged)+1)
	}
	if e.At.IsZero() {
		e.At = d.Now()
	}
	if e.By != "" && e.Name == "" {
		e.Name = d.people[e.By].Name
	}
	d.logged = append(d.logged, e)
}

// Audited reads the rows about a group that can be read by now: those of what was done, and those that PIM's requests leave.
func (d *Directory) Audited(ctx context.Context, g pim.GroupID, since time.Time) (pim.Audited, error) {
	return run(ctx, &d.Faults, OpAudit, func() (pim.Audited, error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		log := pim.Audited{Calls: 1}
		for _, e := range slices.Concat(d.logged, d.rows()) {
			late := d.Now().Before(e.At.Add(d.AuditDelay))
			if !late && !e.At.Before(since) && slices.Contains(e.About, strings.ToLower(string(g))) {
				log.Entries = append(log.Entries, e)
			}
		}
		slices.SortStableFunc(log.Entries, func(a, b pim.AuditEntry) int { return a.At.Compare(b.At) })
		return log, nil
	})
}

// rows are what the requests have left by now.
func (d *Directory) rows() []pim.AuditEntry {
	var rows []pim.AuditEntry
	for _, r := range d.requests {
		d.settle(r)
		add := func(at time.Time, activity string, by pim.PrincipalID, reason string) {
			rows = append(rows, pim.AuditEntry{
				ID: r.copy.ID + " " + activity, At: at, Activity: activity, OfPIM: true, By: by, Name: d.people[by].Name, Reason: reason,
				Request: r.copy.ID, About: about(r.copy.Group, r.copy.Principal),
			})
		}
		changed := func(at time.Time, activity string) {
			rows = append(rows, pim.AuditEntry{
				ID: r.copy.ID + " " + activity, At: at, Activity: activity, Name: "MS-PIM", ByPIM: true, About: about(r.copy.Group, r.copy.Principal),
			})
		}
		add(r.copy.Created, "Add member to role requested (PIM activation)", r.copy.CreatedBy, r.copy.Justification)
		if r.reviewed {
			word := "approved"
			if r.copy.Status == "Denied" {
				word = "denied"
			}
			add(r.stage.Reviewed, "Add member to role request "+word+" (PIM activation)", r.stage.ReviewedBy, r.stage.Reason)
		}
		if r.granted.IsZero() || d.Now().Before(r.granted) || r.copy.Status == "Canceled" {
			continue
		}
		add(r.granted, "Add member to role completed (PIM activation)", r.copy.CreatedBy, r.copy.Justification)
		changed(r.granted.Add(2*time.Second), "Add member to group")
		switch end := r.end(); {
		case r.past:
		case !r.over.IsZero():
			changed(r.over, "Remove member from group")
		case !end.IsZero() && !d.Now().Before(end):
			add(end, "Remove member from role (PIM activation expired)", "", "")
			changed(end.Add(2*time.Second), "Remove member from group")
		}
	}
	return rows
}

func about(g pim.GroupID, who pim.PrincipalID) []string {
	return []string{strings.ToLower(string(g)), strings.ToLower(string(who))}
}

// RevokeAs ends an access in PIM's own portal, as somebody, who says why.
func (d *Directory) RevokeAs(by pim.PrincipalID, id, reason string) {
	d.Revoke(id)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended(by, d.find(id), "Remove member from role in PIM completed (permanent)", reason)
}

// ended writes PIM's row of what ended an access, which has a request of its own.
func (d *Directory) ended(by pim.PrincipalID, r *record, activity, reason string) {
	d.log(pim.AuditEntry{
		Activity: activity, OfPIM: true, By: by, Reason: reason, Request: r.copy.ID + "-ended", About: about(r.copy.Group, r.copy.Principal),
	})
}

// Withdraw takes a request back in PIM's own portal, as somebody.
func (d *Directory) Withdraw(by pim.PrincipalID, id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.withdraw(by, d.find(id))
}

func (d *Directory) withdraw(by pim.PrincipalID, r *record) {
	r.copy.Status = "Canceled"
	d.log(pim.AuditEntry{
		Activity: "Add member to role canceled (PIM activation)", OfPIM: true, By: by, Request: r.copy.ID, About: about(r.copy.Group, r.copy.Principal),
	})
}

// Gone takes a person out of the group past PIM, which forgets the access and logs nothing itself.
func (d *Directory) Gone(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := d.find(id)
	r.over, r.stopped, r.past = d.Now(), true, true
}
