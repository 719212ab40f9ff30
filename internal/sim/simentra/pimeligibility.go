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
	if s.dir.group(in.GroupID) == nil {
		return nil, errNoRole.with("")
	}
	if s.dir.byID[in.PrincipalID] == nil {
		return nil, errNoSubject.with("")
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
	if s.policyOf(in.GroupID, in.AccessID).tooLong("Expiration_Admin_Eligibility", w) {
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
		s.addEligibility(r)
	case in.Action == "adminRemove":
		list[i].removed, r.status = true, statusRevoked
	case in.Action == "adminUpdate" || in.Action == "adminExtend" || in.Action == "adminRenew":
		list[i].end = w.endFrom(w.start)
	default:
		return nil, errInvalidRequest.with("The action " + in.Action + " is not supported.")
	}
	s.keep(r)
	return r, nil
}

func (s *Server) addEligibility(r *request) {
	s.pim.eligibilities[r.group] = append(s.pim.eligibilities[r.group], &eligibility{
		id: r.scheduleID, group: r.group, principal: r.principal, access: r.access,
		start: r.window.start, end: r.window.endFrom(r.window.start), createdUsing: r.id,
	})
}
