package workflowtest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"elevate/internal/pim"
	"elevate/internal/workflow"
)

var _ workflow.Directory = (*Directory)(nil)

// Group is a governed group and its activation rules.
type Group struct {
	Eligible  []pim.PrincipalID
	Approvers []pim.PrincipalID // none: no approval is needed
	Owners    []pim.PrincipalID
	// EligibleGroup is the group of those who may ask, where it is watched, and Also who is eligible beside it.
	EligibleGroup pim.GroupID
	Also          []pim.PrincipalID
	// ApproverGroup names the approvers' group; empty: they are named one by one.
	ApproverGroup pim.GroupID
	Max           time.Duration
}

// Directory is a tenant in memory. Its fields are set before it is used.
type Directory struct {
	Faults
	// Asked is told of each question. It may be nil, and is set before the service runs.
	Asked func(pim.Question)
	Now   func() time.Time
	// Provisioning is how long PIM takes from a grant to the membership.
	Provisioning time.Duration
	// Removal is how long the membership outlives its end.
	Removal time.Duration
	// Lag is how long a new request is missing in lists.
	Lag time.Duration
	// AuditDelay is how long a row is missing in the audit log.
	AuditDelay time.Duration

	mu       sync.Mutex
	people   map[pim.PrincipalID]pim.Profile
	groups   map[pim.GroupID]Group
	requests []*record
	standing map[pim.Membership]string // what else makes somebody a member
	crowds   map[pim.GroupID][]pim.PrincipalID
	hidden   map[Part]error
	decided  int
	logged   []pim.AuditEntry // what no request of PIM's leaves by itself
}

// record is a request as PIM holds it.
type record struct {
	copy     pim.Copy
	stage    pim.Stage
	granted  time.Time // when membership begins
	over     time.Time // when it was revoked; zero: at its end
	stopped  bool      // a word was forced on it, so it does not move
	reviewed bool
	past     bool // it ended past PIM
}

// NewDirectory returns a tenant with those people and groups.
func NewDirectory(now func() time.Time, people []pim.Profile, groups map[pim.GroupID]Group) *Directory {
	d := &Directory{
		Now: now, people: map[pim.PrincipalID]pim.Profile{}, groups: groups,
		standing: map[pim.Membership]string{}, hidden: map[Part]error{}, crowds: map[pim.GroupID][]pim.PrincipalID{},
		AuditDelay: 3 * time.Minute,
	}
	for _, p := range people {
		d.people[p.ID] = p
	}
	return d
}

// Submit activates, as PIM would, or gives an access back.
func (d *Directory) Submit(ctx context.Context, as pim.Actor, a pim.Activation) (pim.Copy, error) {
	return run(ctx, &d.Faults, OpSubmit, func() (pim.Copy, error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		switch a.Action { //nolint:exhaustive // the rest is not sent
		case pim.SelfDeactivate:
			a.Principal = as.Person
			return d.deactivate(as.Person, a)
		case pim.AdminRemove:
			if !slices.Contains(d.groups[a.Group].Owners, as.Person) {
				return pim.Copy{}, &pim.Error{Kind: pim.Forbidden, Message: "PIM refused: you do not have enough rights for that."}
			}
			return d.deactivate(as.Person, a)
		}
		return d.activate(as.Person, a)
	})
}

func (d *Directory) activate(by pim.PrincipalID, a pim.Activation) (pim.Copy, error) {
	now := d.Now()
	group, known := d.groups[a.Group]
	if err := d.mayActivate(by, a, group, known); err != nil {
		return pim.Copy{}, err
	}
	r := &record{copy: pim.Copy{
		ID: fmt.Sprintf("pim-%d", len(d.requests)+1), Action: a.Action, Access: pim.Member, Group: a.Group, Principal: a.Principal,
		CreatedBy: by, Created: now.UTC(), Justification: a.Justification, Ticket: a.Ticket, Start: now.UTC(), Duration: a.Duration,
		End: a.Until, Expiration: "afterDuration",
	}}
	r.copy.ScheduleID = "schedule-" + r.copy.ID
	if !a.Start.IsZero() {
		r.copy.Start = a.Start
	}
	if !a.Until.IsZero() {
		r.copy.Expiration = "afterDateTime"
	}
	r.copy.Status = "PendingApproval"
	r.stage = pim.Stage{ID: r.copy.ID, Status: "InProgress", ReviewResult: "NotReviewed"}
	if len(group.Approvers) == 0 {
		d.grant(r)
	} else {
		r.copy.ApprovalID = r.copy.ID
	}
	d.requests = append(d.requests, r)
	return r.copy, nil
}

func (d *Directory) mayActivate(by pim.PrincipalID, a pim.Activation, g Group, known bool) error {
	length := a.Duration
	if !a.Until.IsZero() {
		length = a.Until.Sub(d.Now())
	}
	switch {
	case by != a.Principal || !known || !slices.Contains(g.Eligible, by):
		return &pim.Error{Kind: pim.Forbidden, Message: "PIM refused: you are not eligible for this role.", Rules: []string{"EligibilityRule"}}
	case g.Max > 0 && length > g.Max:
		return &pim.Error{Kind: pim.Invalid, Message: "PIM refused: the time is longer than the role allows.", Rules: []string{"ExpirationRule"}}
	}
	for _, r := range d.requests {
		d.settle(r)
		if r.copy.Group != a.Group || r.copy.Principal != a.Principal {
			continue
		}
		switch {
		case d.applies(r) || pim.ReadStatus(r.copy.Status) == pim.WordGranted || pim.ReadStatus(r.copy.Status) == pim.WordGranting:
			return &pim.Error{Kind: pim.Conflict, Code: "RoleAssignmentExists", Message: "PIM refused: this access is already active."}
		case pim.ReadStatus(r.copy.Status) == pim.WordPending:
			return &pim.Error{Kind: pim.Conflict, Code: "PendingRoleAssignmentRequest", Message: "PIM refused: a request for this role is already open."}
		}
	}
	return nil
}

// grant has PIM begin what was asked for, now or at its start.
func (d *Directory) grant(r *record) {
	now := d.Now()
	if r.copy.Start.Before(now) {
		r.copy.Start = now.UTC()
	}
	r.granted = r.copy.Start.Add(d.Provisioning)
	r.copy.Status = "Granted"
	d.settle(r)
}

// settle turns a request by what time it is.
func (d *Directory) settle(r *record) {
	if r.stopped || r.granted.IsZero() || r.copy.Status == "Revoked" || r.copy.Status == "Canceled" {
		return
	}
	now := d.Now()
	switch {
	case !now.Before(r.granted):
		r.copy.Status = "Provisioned"
	case !now.Before(r.copy.Start):
		r.copy.Status = "PendingProvisioning"
	}
}

// applies reports whether PIM's instance of a request is there now.
func (d *Directory) applies(r *record) bool {
	now := d.Now()
	end := r.end()
	return !r.granted.IsZero() && !now.Before(r.granted) && r.over.IsZero() && (end.IsZero() || now.Before(end)) &&
		pim.ReadStatus(r.copy.Status) == pim.WordProvisioned
}

func (r *record) end() time.Time { return r.copy.EndTime() }

// member reports whether the membership itself can be read now.
func (d *Directory) member(r *record) bool {
	if d.applies(r) {
		return true
	}
	over := r.over
	if over.IsZero() {
		over = r.end()
	}
	return !r.granted.IsZero() && !d.Now().Before(r.granted) && !over.IsZero() && d.Now().Before(over.Add(d.Removal))
}

func (d *Directory) deactivate(by pim.PrincipalID, a pim.Activation) (pim.Copy, error) {
	for _, r := range d.requests {
		d.settle(r)
		if r.copy.Group != a.Group || r.copy.Principal != a.Principal || !d.applies(r) {
			continue
		}
		if d.Now().Sub(r.granted) < pim.MinDuration {
			return pim.Copy{}, &pim.Error{Kind: pim.Invalid, Code: "ActiveDurationTooShort", Message: "PIM refused: access lasts at least five minutes."}
		}
		r.copy.Status, r.over = "Revoked", d.Now()
		if a.Action == pim.AdminRemove {
			d.ended(by, r, "Remove member from role in PIM completed (permanent)", a.Justification)
		} else {
			d.ended(by, r, "Remove member from role completed (PIM deactivate)", a.Justification)
		}
		return pim.Copy{ID: r.copy.ID + "-release", Status: "Revoked", Action: a.Action}, nil
	}
	return pim.Copy{}, &pim.Error{Kind: pim.NotFound, Code: "RoleAssignmentDoesNotExist", Message: "PIM refused: this access is not active."}
}

// Cancel takes a request back.
func (d *Directory) Cancel(ctx context.Context, as pim.Actor, pimID string) error {
	_, err := run(ctx, &d.Faults, OpCancel, func() (struct{}, error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		r := d.find(pimID)
		if r == nil {
			return struct{}{}, pim.Errorf(pim.NotFound, "PIM refused: this request is not there any more.")
		}
		d.settle(r)
		waiting := pim.ReadStatus(r.copy.Status) == pim.WordPending || r.copy.Start.After(d.Now())
		if r.copy.CreatedBy != as.Person || !waiting || r.copy.Status == "Canceled" {
			return struct{}{}, pim.Errorf(pim.Conflict, "PIM refused: only a waiting or scheduled request can be canceled.")
		}
		d.withdraw(as.Person, r)
		return struct{}{}, nil
	})
	return err
}

func (d *Directory) find(id string) *record {
	for _, r := range d.requests {
		if r.copy.ID == id {
			return r
		}
	}
	return nil
}

// Decide rules on a request as an approver.
func (d *Directory) Decide(ctx context.Context, as pim.Actor, ruling pim.Ruling) (pim.Stage, error) {
	return run(ctx, &d.Faults, OpDecide, func() (pim.Stage, error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.decide(as, ruling)
	})
}

func (d *Directory) decide(as pim.Actor, ruling pim.Ruling) (pim.Stage, error) {
	r := d.find(ruling.ApprovalID)
	switch {
	case r == nil:
		return pim.Stage{}, pim.Errorf(pim.NotFound, "PIM refused: this approval is not there any more.")
	case !d.assigned(r, as.Person):
		return r.stage, pim.Errorf(pim.Forbidden, "PIM refused: you are not an approver of this request.")
	case r.stage.Status == "Expired":
		return r.stage, pim.Errorf(pim.Conflict, "This approval has expired in PIM. The access has to be asked for again.")
	case r.reviewed || pim.ReadStatus(r.copy.Status) != pim.WordPending:
		return r.stage, pim.Errorf(pim.Conflict, "Somebody has decided this request already.")
	case ruling.Justification == "":
		return r.stage, pim.Errorf(pim.Invalid, "PIM refused: it wants a reason.")
	}
	before := r.stage
	d.decided++
	r.reviewed = true
	r.stage.Status, r.stage.ReviewedBy, r.stage.ReviewedName = "Completed", as.Person, d.people[as.Person].Name
	r.stage.Reviewed, r.stage.Reason, r.stage.ReviewResult = d.Now(), ruling.Justification, "Deny"
	if !ruling.Approve {
		r.copy.Status = "Denied"
		return before, nil
	}
	r.stage.ReviewResult = "Approve"
	d.grant(r)
	return before, nil
}

// assigned is PIM's assignedToMe: an approver of the policy, never the requester.
func (d *Directory) assigned(r *record, person pim.PrincipalID) bool {
	return person != r.copy.Principal && slices.Contains(d.groups[r.copy.Group].Approvers, person)
}

// Assigned returns the stage of an approval as a person sees it.
func (d *Directory) Assigned(ctx context.Context, as pim.Actor, approvalID string) (pim.Stage, error) {
	return run(ctx, &d.Faults, OpAssigned, func() (pim.Stage, error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		r := d.find(approvalID)
		if r == nil {
			return pim.Stage{}, pim.Errorf(pim.NotFound, "PIM shows no approval for this request.")
		}
		stage := r.stage
		stage.AssignedToMe = d.assigned(r, as.Person)
		return stage, nil
	})
}

// Waiting returns the requests that wait for a person.
func (d *Directory) Waiting(ctx context.Context, as pim.Actor) ([]pim.Copy, error) {
	return run(ctx, &d.Faults, OpWaiting, func() ([]pim.Copy, error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		var waiting []pim.Copy
		for _, r := range d.requests {
			if pim.ReadStatus(r.copy.Status) == pim.WordPending && d.assigned(r, as.Person) {
				waiting = append(waiting, r.copy)
			}
		}
		return waiting, nil
	})
}
