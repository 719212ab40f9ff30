package simentra

import (
	"strings"
	"time"
)

const contextPIM = "identityGovernance/privilegedAccess/group/"

// requestView prints a request with all its properties. Microsoft's examples write enumerations with a capital letter in
// filterByCurrentUser and without one elsewhere; so does this.
func (s *Server) requestView(r *request, capitals bool) map[string]any {
	fold := func(word string) string { return word }
	if capitals {
		fold = func(word string) string { return strings.ToUpper(word[:1]) + word[1:] }
	}
	view := map[string]any{
		"id": r.id, "status": r.status, "completedDateTime": stamp(r.completed), "createdDateTime": stamp(r.created),
		"approvalId": nil, "customData": r.customData, "createdBy": map[string]any{"user": map[string]any{"displayName": nil, "id": r.createdBy}},
		"action": fold(r.action), "isValidationOnly": false, "justification": r.justification,
		"scheduleInfo": r.window.view(fold), "accessId": r.access, "principalId": r.principal, "groupId": r.group,
		"targetScheduleId": r.scheduleID,
	}
	if !r.eligible {
		view["ticketInfo"] = map[string]any{"ticketNumber": r.ticketNumber, "ticketSystem": r.ticketSystem}
	}
	if r.byApp {
		view["createdBy"] = map[string]any{"user": nil, "application": map[string]any{"displayName": nil, "id": r.createdBy}}
	}
	if r.stage != nil {
		view["approvalId"] = r.id
	}
	return view
}

func (w window) view(fold func(string) string) map[string]any {
	expiration := map[string]any{"type": fold(w.kind), "endDateTime": stamp(w.end), "duration": nil}
	if w.kind == afterDuration {
		expiration["duration"] = w.spelled
	}
	return map[string]any{"startDateTime": stamp(w.start), "recurrence": nil, "expiration": expiration}
}

// instanceView prints what applies now.
func (s *Server) instanceView(a *assignment) map[string]any {
	return map[string]any{
		"id": a.id, "principalId": a.principal, "startDateTime": stamp(a.start), "endDateTime": stamp(a.end),
		"assignmentType": a.kind, "accessId": a.access, "groupId": a.group, "memberType": "Direct", "assignmentScheduleId": a.id,
	}
}

// scheduleView prints the plan behind it.
func (s *Server) scheduleView(a *assignment) map[string]any {
	expiration := map[string]any{"type": noExpiration, "endDateTime": nil, "duration": nil}
	if !a.end.IsZero() {
		expiration["type"], expiration["endDateTime"] = afterDateTime, stamp(a.end)
	}
	view := map[string]any{
		"id": a.id, "createdDateTime": stamp(a.created), "modifiedDateTime": nil, "createdUsing": nil, "status": statusProvisioned,
		"accessId": a.access, "principalId": a.principal, "groupId": a.group, "memberType": "Direct", "assignmentType": a.kind,
		"scheduleInfo": map[string]any{"startDateTime": stamp(a.start), "recurrence": nil, "expiration": expiration},
	}
	if a.createdUsing != "" {
		view["createdUsing"] = a.createdUsing
	}
	return view
}

// assignmentsOf returns what lists show for a group: PIM's assignments, and direct members as permanent ones without times.
func (s *Server) assignmentsOf(g *group, now time.Time) []*assignment {
	var out []*assignment
	for _, m := range g.members {
		if m.holds(now) {
			id := g.ID + "_" + accessMember + "_" + m.principal
			out = append(out, &assignment{id: id, group: g.ID, principal: m.principal, access: accessMember, kind: kindAssigned})
		}
	}
	for _, owner := range g.owners {
		id := g.ID + "_" + accessOwner + "_" + owner
		out = append(out, &assignment{id: id, group: g.ID, principal: owner, access: accessOwner, kind: kindAssigned})
	}
	for _, a := range s.pim.assignments[g.ID] {
		if a.listed(now, s.behavior.ListLag) {
			out = append(out, a)
		}
	}
	return out
}

// eligibleInstanceView prints an eligibility. Who is eligible through a group sees that group as the principal.
func (s *Server) eligibleInstanceView(e *eligibility, through bool) map[string]any {
	memberType := "Direct"
	if through {
		memberType = "Group"
	}
	return map[string]any{
		"id": e.id, "principalId": e.principal, "startDateTime": stamp(e.start), "endDateTime": stamp(e.end),
		"accessId": e.access, "groupId": e.group, "memberType": memberType, "eligibilityScheduleId": e.id,
	}
}

func (s *Server) eligibilityView(e *eligibility, through bool) map[string]any {
	memberType := "direct"
	if through {
		memberType = "group"
	}
	expiration := map[string]any{"type": noExpiration, "endDateTime": nil, "duration": nil}
	if !e.end.IsZero() {
		expiration["type"], expiration["endDateTime"] = afterDateTime, stamp(e.end)
	}
	return map[string]any{
		"id": e.id, "createdDateTime": stamp(e.start), "modifiedDateTime": "0001-01-01T08:00:00Z", "createdUsing": e.createdUsing,
		"status": statusProvisioned, "principalId": e.principal, "accessId": e.access, "groupId": e.group, "memberType": memberType,
		"scheduleInfo": map[string]any{"startDateTime": stamp(e.start), "recurrence": nil, "expiration": expiration},
	}
}

// stageView prints the stage as one person sees it. Its id is the approval's, as it is in practice.
func (s *Server) stageView(r *request, viewer string, now time.Time) map[string]any {
	view := map[string]any{
		"id": r.id, "displayName": nil, "reviewedDateTime": stamp(r.stage.reviewed), "reviewResult": r.stage.result,
		"status": r.stage.status, "assignedToMe": s.mayReview(r, viewer, now), "justification": r.stage.justification, "reviewedBy": nil,
	}
	if p := s.dir.person(r.stage.reviewer); p != nil {
		view["reviewedBy"] = map[string]any{"id": p.ObjectID, "displayName": p.DisplayName}
	}
	return view
}

func (s *Server) mayReview(r *request, person string, now time.Time) bool {
	return person != r.principal && s.approves(s.policyOf(r.group, r.access), person, now)
}

func (s *Server) approvalView(r *request, viewer string, now time.Time) map[string]any {
	return map[string]any{
		"@odata.type": "#microsoft.graph.approval", "id": r.id, "stages": []any{s.stageView(r, viewer, now)},
	}
}
