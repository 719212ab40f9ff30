package simentra

import (
	"slices"
	"strings"

	"elevate/internal/sim/simentra/odata"
)

type handler func(*Server, *call) (answer, *graphError)

func resourceOf(eligible bool) string {
	if eligible {
		return "eligibilityScheduleRequests"
	}
	return "assignmentScheduleRequests"
}

// scope is what a list's mandatory filter names: a group, a principal, or both.
type scope struct{ group, principal string }

func (c *call) scope() (scope, *graphError) {
	var found scope
	if c.odata.Filter != nil {
		found.group, _ = odata.Equals(c.odata.Filter, "groupId")
		found.principal, _ = odata.Equals(c.odata.Filter, "principalId")
	}
	if found.group == "" && found.principal == "" {
		return found, errInvalidFilter()
	}
	return found, nil
}

func errInvalidFilter() *graphError {
	e := badRequest("The required filter on groupId or principalId is missing.")
	e.code, e.wrapped = "InvalidFilter", true
	return e
}

// maySee lets a person read what concerns themselves, the groups they own or belong to, and administrators all.
func (s *Server) maySee(c *call, in scope) *graphError {
	if s.dir.group(in.group) != nil && !s.knows(in.group, c.now) {
		return errTooNew.with("")
	}
	if c.who.app || in.principal == c.who.oid {
		return nil
	}
	p := s.dir.person(c.who.oid)
	if p != nil && p.Admin {
		return nil
	}
	g := s.dir.group(in.group)
	if g != nil && (g.isOwner(c.who.oid) || s.isMember(g, c.who.oid, c.now)) {
		return nil
	}
	return errInsufficient.with("")
}

func listRequests(eligible bool) handler {
	return func(s *Server, c *call) (answer, *graphError) {
		in, e := c.scope()
		if e != nil {
			return refuse(e)
		}
		if e := s.maySee(c, in); e != nil {
			return refuse(e)
		}
		return s.list(c, contextPIM+resourceOf(eligible), s.requestViews(s.requestsIn(c, in), eligible, false))
	}
}

// requestsIn returns the requests that a filter can match. Who polls for pending ones does not pay for the history.
func (s *Server) requestsIn(c *call, in scope) []*request {
	status, _ := odata.Equals(c.odata.Filter, "status")
	switch {
	case strings.EqualFold(status, statusPending):
		return s.openRequests(func(r *request) bool { return r.group == in.group || r.principal == in.principal })
	case in.group != "":
		return s.pim.byGroup[in.group]
	}
	return s.pim.byPrincipal[in.principal]
}

// openRequests includes those that nobody decided in time: they say PendingApproval for good.
func (s *Server) openRequests(want func(*request) bool) []*request {
	var out []*request
	for _, r := range s.pim.stale {
		if want(r) {
			out = append(out, r)
		}
	}
	for _, list := range s.pim.open {
		for _, r := range list {
			if want(r) {
				out = append(out, r)
			}
		}
	}
	slices.SortFunc(out, byCreation)
	return out
}

func (s *Server) requestViews(list []*request, eligible, capitals bool) []map[string]any {
	var views []map[string]any
	for _, r := range list {
		if r.eligible == eligible {
			views = append(views, s.requestView(r, capitals))
		}
	}
	return views
}

func myRequests(eligible bool) handler {
	return func(s *Server, c *call) (answer, *graphError) {
		list, e := s.requestsFor(c)
		if e != nil {
			return refuse(e)
		}
		views := s.requestViews(list, eligible, true)
		for _, v := range views {
			v["@odata.type"] = "#microsoft.graph.privilegedAccessGroup" + map[bool]string{true: "Eligibility", false: "Assignment"}[eligible] + "ScheduleRequest"
		}
		return s.list(c, "Collection(privilegedAccessGroupScheduleRequest)", views)
	}
}

// requestsFor returns the caller's requests: about them, made by them, or theirs to decide.
func (s *Server) requestsFor(c *call) ([]*request, *graphError) {
	if c.who.app {
		return nil, badRequest("The current user is not found in the token.")
	}
	switch c.params["on"] {
	case "principal":
		return s.pim.byPrincipal[c.who.oid], nil
	case "createdBy":
		return s.allRequests(func(r *request) bool { return r.createdBy == c.who.oid }), nil
	case "approver":
		return s.waitingFor(c), nil
	}
	return nil, badRequest("Invalid value '%s' for filterByCurrentUser.", c.params["on"])
}

// waitingFor looks at what is open only, however much history there is.
func (s *Server) waitingFor(c *call) []*request {
	return s.openRequests(func(r *request) bool {
		return r.status == statusPending && r.stage.status == stageInProgress && s.mayReview(r, c.who.oid, c.now)
	})
}

func (s *Server) allRequests(want func(*request) bool) []*request {
	var out []*request
	for _, r := range s.pim.requests {
		if want(r) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, byCreation)
	return out
}

func byCreation(a, b *request) int {
	if d := a.created.Compare(b.created); d != 0 {
		return d
	}
	return slices.Compare([]byte(a.id), []byte(b.id))
}

func getRequest(eligible bool) handler {
	return func(s *Server, c *call) (answer, *graphError) {
		r, e := s.visibleRequest(c)
		if e != nil {
			return refuse(e)
		}
		if r.eligible != eligible {
			return refuse(errRequestNotFound.with(""))
		}
		return s.single(c, contextPIM+resourceOf(eligible), s.requestView(r, false))
	}
}

func (s *Server) visibleRequest(c *call) (*request, *graphError) {
	r, found := s.pim.requests[c.params["id"]]
	if !found {
		return nil, errRequestNotFound.with("")
	}
	if r.createdBy == c.who.oid || (r.stage != nil && s.mayReview(r, c.who.oid, c.now)) {
		return r, nil
	}
	return r, s.maySee(c, scope{r.group, r.principal})
}

func (s *Server) postRequest(c *call) (answer, *graphError) {
	var in submission
	if e := decodeBody(c.body, submissionFields, &in); e != nil {
		return refuse(e)
	}
	r, e := s.submit(c.who, in, c.now)
	if e != nil {
		return refuse(e)
	}
	view := s.requestView(r, false)
	view["isValidationOnly"] = in.IsValidationOnly
	view["@odata.type"] = s.context(contextPIM + "assignmentScheduleRequests/$entity") // where the real service puts it
	return created(view)
}

func (s *Server) cancelRequest(c *call) (answer, *graphError) {
	r, found := s.pim.requests[c.params["id"]]
	if !found || r.eligible {
		return refuse(errRequestNotFound.with(""))
	}
	if e := s.cancel(c.who, r, c.now); e != nil {
		return refuse(e)
	}
	return noContent()
}

// postEligibility makes or takes away an eligibility, as administrators do when they set a group up.
func (s *Server) postEligibility(c *call) (answer, *graphError) {
	var in submission
	if e := decodeBody(c.body, submissionFields, &in); e != nil {
		return refuse(e)
	}
	r, e := s.submitEligibility(c.who, in, c.now)
	if e != nil {
		return refuse(e)
	}
	return created(s.requestView(r, false))
}
