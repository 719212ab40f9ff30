package simentra

import (
	"slices"
	"time"
)

type eligibilityPrinter func(*Server, *eligibility, bool) map[string]any

// listEligibilities shows the eligibilities of a group, or those given directly to a principal.
func listEligibilities(resource string, view eligibilityPrinter) handler {
	return func(s *Server, c *call) (answer, *graphError) {
		in, e := c.scope()
		if e != nil {
			return refuse(e)
		}
		if e := s.maySee(c, in); e != nil {
			return refuse(e)
		}
		var views []map[string]any
		for _, e := range s.eligibilitiesIn(in, c.now) {
			views = append(views, view(s, e, false))
		}
		return s.list(c, contextPIM+resource, views)
	}
}

func (s *Server) eligibilitiesIn(in scope, now time.Time) []*eligibility {
	var out []*eligibility
	for _, g := range s.dir.groups {
		if in.group != "" && g.ID != in.group {
			continue
		}
		for _, e := range s.pim.eligibilities[g.ID] {
			if e.holds(now) {
				out = append(out, e)
			}
		}
	}
	return out
}

// myEligibilities shows what the caller is eligible for, through groups too.
func myEligibilities(resource string, view eligibilityPrinter) handler {
	return func(s *Server, c *call) (answer, *graphError) {
		if c.who.app || c.params["on"] != "principal" {
			return refuse(badRequest("Invalid value '%s' for filterByCurrentUser.", c.params["on"]))
		}
		var views []map[string]any
		for _, e := range s.eligibilitiesIn(scope{}, c.now) {
			if s.covers(e, c.who.oid, c.now) {
				views = append(views, view(s, e, e.principal != c.who.oid))
			}
		}
		return s.list(c, contextPIM+resource, views)
	}
}

func (s *Server) submitEligibility(who actor, in submission, now time.Time) (*request, *graphError) {
	if e := in.normalise(); e != nil {
		return nil, e
	}
	if e := s.checkSubjects(in, now); e != nil {
		return nil, e
	}
	if e := s.mayAdminister(who, in.GroupID); e != nil {
		return nil, e
	}
	w, e := in.ScheduleInfo.read(now)
	if e != nil {
		return nil, e
	}
	if w.kind == notSpecified {
		w.kind = noExpiration
	}
	if in.Action != "adminRemove" && s.policyOf(in.GroupID, in.AccessID).tooLong("Expiration_Admin_Eligibility", w) {
		return nil, failed([]string{"ExpirationRule"})
	}
	return s.changeEligibility(who, in, w, now)
}

func (s *Server) changeEligibility(who actor, in submission, w window, now time.Time) (*request, *graphError) {
	list := s.pim.eligibilities[in.GroupID]
	i := slices.IndexFunc(list, func(e *eligibility) bool {
		return e.principal == in.PrincipalID && e.access == in.AccessID && !e.removed
	})
	r := s.newRequest(who, in, w, now)
	r.eligible, r.completed = true, now
	switch {
	case in.Action == "adminAssign" && i >= 0:
		return nil, errExists.with("")
	case in.Action != "adminAssign" && i < 0:
		return nil, errNoAssignment.with("")
	case in.IsValidationOnly:
		return r, nil
	case in.Action == "adminAssign":
		s.onboard(s.dir.group(in.GroupID), who, now)
		s.addEligibility(r)
		s.audit(auditEligible+w.lasting(), r, who.oid, now)
	case in.Action == "adminRemove":
		list[i].removed, r.status = true, statusRevoked
		s.audit(auditUneligible+w.lasting(), r, who.oid, now)
	case in.Action == "adminUpdate" || in.Action == "adminExtend" || in.Action == "adminRenew":
		list[i].end = w.endFrom(w.start)
	default:
		return nil, errInvalidRequest.with("The action " + in.Action + " is not supported.")
	}
	s.keep(r)
	return r, nil
}

// lasting is what PIM's audit says of how long something was given.
func (w window) lasting() string {
	if w.endFrom(w.start).IsZero() {
		return " (permanent)"
	}
	return " (timebound)"
}

// checkSubjects wants a group and a principal that PIM knows, and a group that it takes.
func (s *Server) checkSubjects(in submission, now time.Time) *graphError {
	g := s.dir.group(in.GroupID)
	switch {
	case g == nil || !s.knows(in.GroupID, now):
		return errNoRole.with("")
	case !s.knows(in.PrincipalID, now):
		return errNoSubject.with("")
	case !g.manageable():
		return errNotTaken.with("")
	}
	return nil
}

func (s *Server) addEligibility(r *request) {
	s.pim.eligibilities[r.group] = append(s.pim.eligibilities[r.group], &eligibility{
		id: r.scheduleID, group: r.group, principal: r.principal, access: r.access,
		start: r.window.start, end: r.window.endFrom(r.window.start), createdUsing: r.id,
	})
}
