package simentra

import "strings"

// myApprovals shows open approvals that wait for the caller, with their stages.
func (s *Server) myApprovals(c *call) (answer, *graphError) {
	if c.params["on"] != "approver" {
		return refuse(badRequest("Invalid value '%s' for filterByCurrentUser.", c.params["on"]))
	}
	var views []map[string]any
	for _, r := range s.waitingFor(c) {
		views = append(views, s.approvalView(r, c.who.oid, c.now))
	}
	return s.list(c, "Collection(microsoft.graph.approval)", views)
}

// approval returns the request behind an approval: for approvers, the requester and administrators.
func (s *Server) approval(c *call) (*request, *graphError) {
	r, found := s.pim.requests[c.params["id"]]
	if !found || r.stage == nil {
		return nil, errNoApproval.with("")
	}
	if r.createdBy == c.who.oid || s.mayReview(r, c.who.oid, c.now) {
		return r, nil
	}
	return r, s.maySee(c, scope{r.group, r.principal})
}

func (s *Server) getApproval(c *call) (answer, *graphError) {
	r, e := s.approval(c)
	if e != nil {
		return refuse(e)
	}
	view := s.approvalView(r, c.who.oid, c.now)
	if !strings.Contains(strings.ToLower(c.odata.Expand), "stages") {
		delete(view, "stages")
	}
	return s.single(c, contextPIM+"assignmentApprovals", view)
}

func (s *Server) listStages(c *call) (answer, *graphError) {
	r, e := s.approval(c)
	if e != nil {
		return refuse(e)
	}
	return s.list(c, contextPIM+"assignmentApprovals('"+r.id+"')/stages", []map[string]any{s.stageView(r, c.who.oid, c.now)})
}

func (s *Server) getStage(c *call) (answer, *graphError) {
	r, e := s.approval(c)
	if e != nil {
		return refuse(e)
	}
	if c.params["stage"] != r.id {
		return refuse(errNoApproval.with(""))
	}
	return s.single(c, contextPIM+"assignmentApprovals('"+r.id+"')/stages", s.stageView(r, c.who.oid, c.now))
}

func (s *Server) patchStage(c *call) (answer, *graphError) {
	var in struct {
		ReviewResult  string `json:"reviewResult"`
		Justification string `json:"justification"`
	}
	fields := []string{"reviewResult", "justification", "id", "displayName", "status", "assignedToMe", "reviewedBy", "reviewedDateTime"}
	if e := decodeBody(c.body, fields, &in); e != nil {
		return refuse(e)
	}
	r, found := s.pim.requests[c.params["id"]]
	if !found || r.stage == nil || c.params["stage"] != r.id {
		return refuse(errNoApproval.with(""))
	}
	approve := strings.EqualFold(in.ReviewResult, "Approve")
	if !approve && !strings.EqualFold(in.ReviewResult, "Deny") {
		return refuse(badRequest("Invalid value '%s' for reviewResult.", in.ReviewResult))
	}
	if e := s.decide(c.who, r, verdict{approve, in.Justification}, c.now); e != nil {
		return refuse(e)
	}
	return noContent()
}
