package simentra

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// An actor is on whose behalf something is asked of PIM.
type actor struct {
	oid  string
	app  bool
	acrs []string
	mfa  bool
	cp1  bool // the token says that its holder understands claims challenges
}

// A submission is the body of a POST to assignmentScheduleRequests or eligibilityScheduleRequests.
type submission struct {
	AccessID         string        `json:"accessId"`
	GroupID          string        `json:"groupId"`
	PrincipalID      string        `json:"principalId"`
	Action           string        `json:"action"`
	Justification    string        `json:"justification"`
	ScheduleInfo     *scheduleInfo `json:"scheduleInfo"`
	IsValidationOnly bool          `json:"isValidationOnly"`
	CustomData       any           `json:"customData"`
	TicketInfo       struct {
		TicketNumber any `json:"ticketNumber"`
		TicketSystem any `json:"ticketSystem"`
	} `json:"ticketInfo"`
}

var actions = []string{
	"adminAssign", "adminUpdate", "adminRemove", "adminExtend", "adminRenew",
	"selfActivate", "selfDeactivate", "selfExtend", "selfRenew",
}

var submissionFields = []string{
	"accessId", "groupId", "principalId", "action", "justification", "scheduleInfo", "isValidationOnly", "customData", "ticketInfo",
	"id", "status", "createdBy", "createdDateTime", "completedDateTime", "approvalId", "targetScheduleId",
}

// decodeBody reads a JSON object and refuses properties that its type does not have.
func decodeBody(raw []byte, fields []string, into any) *graphError {
	var names map[string]json.RawMessage
	if err := json.Unmarshal(raw, &names); err != nil {
		return badRequest("Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.")
	}
	for name := range names {
		if !strings.HasPrefix(name, "@odata.") && !slices.Contains(fields, name) {
			return badRequest("Invalid property '%s'.", name)
		}
	}
	if err := json.NewDecoder(bytes.NewReader(raw)).Decode(into); err != nil {
		return badRequest("Cannot convert a value of the request payload to the expected type.")
	}
	return nil
}

// normalise checks what every submission must have, and folds the spelling of its enumerations.
func (in *submission) normalise() *graphError {
	i := slices.IndexFunc(actions, func(a string) bool { return strings.EqualFold(a, in.Action) })
	if i < 0 {
		return badRequest("Invalid value '%s' for scheduleRequestActions.", in.Action)
	}
	in.Action = actions[i]
	switch {
	case strings.EqualFold(in.AccessID, accessMember):
		in.AccessID = accessMember
	case strings.EqualFold(in.AccessID, accessOwner):
		in.AccessID = accessOwner
	default:
		return errInvalidRequest.with("The accessId is invalid.")
	}
	in.GroupID, in.PrincipalID = strings.ToLower(in.GroupID), strings.ToLower(in.PrincipalID)
	if in.GroupID == "" || in.PrincipalID == "" {
		return errInvalidRequest.with("")
	}
	return nil
}

// submit is what POST assignmentScheduleRequests does.
func (s *Server) submit(who actor, in submission, now time.Time) (*request, *graphError) {
	if e := in.normalise(); e != nil {
		return nil, e
	}
	if e := s.checkSubjects(in, now); e != nil {
		return nil, e
	}
	switch in.Action {
	case "selfActivate":
		return s.selfActivate(who, in, now)
	case "selfDeactivate":
		return s.selfDeactivate(who, in, now)
	case "adminAssign", "adminUpdate":
		return s.adminAssign(who, in, now)
	case "adminRemove":
		return s.adminRemove(who, in, now)
	}
	return nil, errInvalidRequest.with("The action " + in.Action + " is not supported for this assignment.")
}

func (s *Server) selfActivate(who actor, in submission, now time.Time) (*request, *graphError) {
	if who.app || who.oid != in.PrincipalID {
		return nil, errInsufficient.with("Principals activate and deactivate their own assignments only.")
	}
	w, e := in.ScheduleInfo.read(now)
	if e != nil {
		return nil, e
	}
	p := s.policyOf(in.GroupID, in.AccessID)
	if w.kind == notSpecified { // PIM takes the longest duration that is allowed
		w.kind = afterDuration
		w.duration, _ = p.longest("Expiration_EndUser_Assignment")
		w.spelled, _ = p.rule("Expiration_EndUser_Assignment")["maximumDuration"].(string)
	}
	if e := s.checkActivation(who, in, w, p, now); e != nil {
		return nil, e
	}
	r := s.newRequest(who, in, w, now)
	if in.IsValidationOnly {
		r.status = statusGranted
		return r, nil
	}
	s.keep(r)
	s.reopen(r)
	s.audit(auditRequested, r, who.oid, now)
	if _, approval := p.approval(); approval {
		s.waitForApproval(r, now)
		return r, nil
	}
	s.grant(r, now)
	return r, nil
}

func (s *Server) selfDeactivate(who actor, in submission, now time.Time) (*request, *graphError) {
	if who.app || who.oid != in.PrincipalID {
		return nil, errInsufficient.with("Principals activate and deactivate their own assignments only.")
	}
	at := slot{in.GroupID, in.PrincipalID, in.AccessID}
	a := s.running(at, kindActivated)
	if a == nil {
		return nil, s.missing(at, now)
	}
	if now.Sub(a.provisioned) < shortest {
		return nil, errTooShort.with("")
	}
	r := s.newRequest(who, in, window{start: now, kind: notSpecified}, now)
	if in.IsValidationOnly {
		return r, nil
	}
	r.status, r.completed, r.scheduleID = statusRevoked, now, a.id
	s.keep(r)
	s.end(a, now, true)
	if activation := s.pim.requests[a.createdUsing]; activation != nil && s.behavior.RevokeMarks {
		activation.status = statusRevoked
	}
	s.audit(auditDeactivated, r, who.oid, now)
	return r, nil
}

// missing is the answer where nothing is left to end: 404, but 400 while the lists still show it.
func (s *Server) missing(at slot, now time.Time) *graphError {
	for _, a := range s.pim.assignments[at.group] {
		if a.principal == at.principal && a.access == at.access && a.listed(now, s.behavior.ListLag) {
			return errNoAssignmentYet.with("")
		}
	}
	return errNoAssignment.with("")
}

func (s *Server) adminAssign(who actor, in submission, now time.Time) (*request, *graphError) {
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
	p := s.policyOf(in.GroupID, in.AccessID)
	if e := failed(p.adminFailures(in, w)); e != nil {
		return nil, e
	}
	at := slot{in.GroupID, in.PrincipalID, in.AccessID}
	if s.dir.group(in.GroupID).RoleAssignable && s.dir.group(in.PrincipalID) != nil {
		return nil, errInvalidRequest.with("Nesting is currently not supported for groups that can be assigned to a role.")
	}
	if in.Action == "adminAssign" && s.running(at, kindAssigned) != nil {
		return nil, errExists.with("")
	}
	r := s.newRequest(who, in, w, now)
	if in.IsValidationOnly {
		return r, nil
	}
	s.onboard(s.dir.group(in.GroupID), who, now)
	s.keep(r)
	s.reopen(r)
	s.audit(auditAssigned+w.lasting(), r, who.oid, now)
	s.grant(r, now)
	return r, nil
}

func (s *Server) adminRemove(who actor, in submission, now time.Time) (*request, *graphError) {
	if e := s.mayAdminister(who, in.GroupID); e != nil {
		return nil, e
	}
	at := slot{in.GroupID, in.PrincipalID, in.AccessID}
	a := s.running(at, "")
	if a == nil {
		return nil, s.missing(at, now)
	}
	r := s.newRequest(who, in, window{start: now, kind: notSpecified}, now)
	if in.IsValidationOnly {
		return r, nil
	}
	r.status, r.completed, r.scheduleID = statusRevoked, now, a.id
	s.keep(r)
	for ; a != nil; a = s.running(at, "") {
		s.end(a, now, true)
	}
	s.audit(auditRemoved, r, who.oid, now)
	return r, nil
}

// mayAdminister lets owners of the group and holders of an administrator role assign and remove. An app that got this far
// holds the permission, and needs nothing else: that is why nobody should consent to it.
func (s *Server) mayAdminister(who actor, group string) *graphError {
	if who.app || s.dir.group(group).isOwner(who.oid) {
		return nil
	}
	if p := s.dir.person(who.oid); p != nil && (p.Admin || (p.GroupsAdmin && !s.dir.group(group).RoleAssignable)) {
		return nil
	}
	return errInsufficient.with("")
}

func (s *Server) newRequest(who actor, in submission, w window, now time.Time) *request {
	id := newGUID()
	return &request{
		id: id, group: in.GroupID, principal: in.PrincipalID, access: in.AccessID, action: in.Action, status: statusProvisioned,
		justification: in.Justification, ticketNumber: in.TicketInfo.TicketNumber, ticketSystem: in.TicketInfo.TicketSystem,
		customData: in.CustomData, created: now, createdBy: who.oid, byApp: who.app, window: w,
		scheduleID: in.GroupID + "_" + in.AccessID + "_" + id,
	}
}
