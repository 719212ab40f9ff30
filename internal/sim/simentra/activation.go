package simentra

import (
	"slices"
	"time"
)

// waitForApproval leaves the request to the approvers, for a day.
func (s *Server) waitForApproval(r *request, now time.Time) {
	r.status = statusPending
	r.stage = &stage{status: stageInProgress, result: "NotReviewed"}
	s.audit(auditApprovalRequested, r, r.createdBy, now)
	s.at(now.Add(approvalLife), func(at time.Time) {
		if r.status != statusPending || r.stage.status != stageInProgress {
			return
		}
		r.stage.status = stageExpired
		if s.behavior.TimeoutStatus != "" {
			r.status, r.completed = s.behavior.TimeoutStatus, at
		} else {
			s.pim.stale = append(s.pim.stale, r)
		}
		s.closeRequest(r)
		s.audit(auditRequestExpired, r, "", at)
	})
}

// grant lets an allowed request begin at its start.
func (s *Server) grant(r *request, now time.Time) {
	if !r.window.start.After(now) {
		r.window.start = now
		s.begin(r, now)
		return
	}
	r.status = statusGranted
	if r.stage != nil {
		r.status = statusScheduled
	}
	s.at(r.window.start, func(at time.Time) {
		if r.status == statusGranted || r.status == statusScheduled {
			s.begin(r, at)
		}
	})
}

func (s *Server) begin(r *request, now time.Time) {
	if s.behavior.ProvisioningDelay <= 0 {
		s.provision(r, now)
		return
	}
	r.status = statusProvisioning
	s.at(now.Add(s.behavior.ProvisioningDelay), func(at time.Time) { s.provision(r, at) })
}

// provision makes the assignment real, unless it is told to fail or the principal lost the eligibility meanwhile.
func (s *Server) provision(r *request, now time.Time) {
	s.closeRequest(r)
	r.completed = now
	activation := r.action == "selfActivate"
	if s.pim.failNext > 0 || (activation && s.eligibilityOf(r.group, r.principal, r.access, now) == nil) {
		s.pim.failNext = max(0, s.pim.failNext-1)
		r.status = statusFailed
		return
	}
	r.status = statusProvisioned
	a := &assignment{
		id: r.scheduleID, group: r.group, principal: r.principal, access: r.access, kind: kindAssigned,
		start: r.window.start, end: r.window.endFrom(r.window.start), provisioned: now, created: r.created, createdUsing: r.id,
	}
	if activation {
		a.kind = kindActivated
		s.audit(auditCompleted, r, r.createdBy, now)
	}
	if r.action == "adminUpdate" {
		if old := s.running(r.slot(), kindAssigned); old != nil {
			s.end(old, now, true)
		}
	}
	s.pim.assignments[r.group] = append(s.pim.assignments[r.group], a)
	s.auditMember(auditMemberAdded, a, now)
	s.endOnTime(r, a)
}

func (s *Server) endOnTime(r *request, a *assignment) {
	if a.end.IsZero() {
		return
	}
	s.at(a.end, func(at time.Time) {
		if a.active() {
			s.end(a, at, false)
			s.audit(auditExpired, r, "", at)
		}
	})
}

// end takes the access away. An hour later, when no list can show it any more, the assignment is forgotten.
func (s *Server) end(a *assignment, now time.Time, early bool) {
	a.gone, a.early = now, early
	s.auditMember(auditMemberRemoved, a, now)
	s.at(now.Add(time.Hour), func(time.Time) {
		s.pim.assignments[a.group] = slices.DeleteFunc(s.pim.assignments[a.group], func(x *assignment) bool { return x == a })
	})
}

// cancel takes back a request that has not begun.
func (s *Server) cancel(who actor, r *request, now time.Time) *graphError {
	if who.oid != r.createdBy && who.oid != r.principal {
		if e := s.mayAdminister(who, r.group); e != nil {
			return e
		}
	}
	expired := r.stage != nil && r.stage.status == stageExpired
	if expired || !slices.Contains([]string{statusPending, statusGranted, statusScheduled}, r.status) {
		return errInvalidRequest.with("Only pending and scheduled requests can be canceled.")
	}
	r.status, r.completed = statusCanceled, now
	if r.stage != nil && r.stage.status == stageInProgress {
		r.stage.status = stageCompleted
	}
	s.closeRequest(r)
	s.audit(auditCanceled, r, who.oid, now)
	return nil
}

// A verdict is the body of a PATCH of an approval stage.
type verdict struct {
	approve       bool
	justification string
}

// decide applies the rules of approval: an approver, not oneself, once, in time, with a reason where the policy asks one.
func (s *Server) decide(who actor, r *request, v verdict, now time.Time) *graphError {
	p := s.policyOf(r.group, r.access)
	switch {
	case who.oid == r.principal || who.oid == r.createdBy:
		return errSelfApproval.with("")
	case !s.approves(p, who.oid, now):
		return errNotApprover.with("")
	case r.status != statusPending || r.stage.status != stageInProgress:
		return errDecided.with("")
	case v.justification == "" && p.wantsDecisionReason():
		return failed([]string{"JustificationRule"})
	}
	r.stage.status, r.stage.justification = stageCompleted, v.justification
	r.stage.reviewer, r.stage.reviewed = who.oid, now
	if !v.approve {
		r.stage.result, r.status, r.completed = "Deny", statusDenied, now
		s.closeRequest(r)
		s.audit(auditDenied, r, who.oid, now)
		return nil
	}
	r.stage.result = "Approve"
	s.audit(auditApproved, r, who.oid, now)
	s.grantApproved(r, now)
	return nil
}

// grantApproved lets a duration begin with the approval; a fixed end that has passed by now leaves nothing to grant.
func (s *Server) grantApproved(r *request, now time.Time) {
	if r.window.kind == afterDateTime && !r.window.end.After(now) {
		r.status, r.completed = statusFailed, now
		s.closeRequest(r)
		return
	}
	s.grant(r, now)
}

// FailProvisioning lets the next n assignments end in status Failed.
func (s *Server) FailProvisioning(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pim.failNext = n
}
