package simentra

import (
	"slices"
	"strings"
	"time"
)

// Activities of PIM's and the directory's audit rows.
const (
	auditRequested         = "Add member to role requested (PIM activation)"
	auditApprovalRequested = "Add member to role approval requested (PIM activation)"
	auditApproved          = "Add member to role request approved (PIM activation)"
	auditDenied            = "Add member to role request denied (PIM activation)"
	auditCanceled          = "Add member to role canceled (PIM activation)"
	auditCompleted         = "Add member to role completed (PIM activation)"
	auditDeactivated       = "Remove member from role completed (PIM deactivate)"
	auditRemoved           = "Remove member from role in PIM completed (permanent)"
	auditExpired           = "Remove member from role (PIM activation expired)"
	auditRequestExpired    = "PIM activation request expired"
	auditMemberAdded       = "Add member to group"
	auditMemberRemoved     = "Remove member from group"
	auditOwnerAdded        = "Add owner to group"
	auditOwnerRemoved      = "Remove owner from group"
	auditGroupAdded        = "Add group"
	auditGroupUpdated      = "Update group"
	auditConsent           = "Consent to application"
	auditOnboarded         = "Onboarded resource to PIM"
	auditPolicy            = "Update role setting in PIM"
	auditEligible          = "Add eligible member to role in PIM completed"
	auditUneligible        = "Remove eligible member from role in PIM completed"
	auditAssigned          = "Add member to role in PIM completed"
)

// An auditRow can be read some minutes after what it tells of.
type auditRow struct {
	visible time.Time
	view    map[string]any
}

func (s *Server) addAudit(at time.Time, row map[string]any) {
	row["id"] = "Directory_" + newGUID()
	row["activityDateTime"] = stamp(at)
	row["result"] = "success"
	if row["resultReason"] == nil {
		row["resultReason"] = ""
	}
	s.audits = append(s.audits, &auditRow{at.Add(s.behavior.AuditDelay), row})
}

// audit writes a row of PIM's own. Its reason is that of whoever did it.
func (s *Server) audit(activity string, r *request, by string, at time.Time) {
	reason := ""
	switch {
	case activity == auditApproved || activity == auditDenied:
		reason = r.stage.justification
	case by == r.createdBy:
		reason = r.justification
	}
	s.addAudit(at, map[string]any{
		"resultReason": reason, "category": "GroupManagement", "correlationId": r.id, "activityDisplayName": activity, "loggedByService": "PIM",
		"operationType": "ActivateRole", "initiatedBy": s.initiator(by),
		"targetResources": []any{s.auditTarget(r.group), s.auditTarget(r.principal)},
		"additionalDetails": []any{
			detail("RoleAssignmentRequestId", r.id), detail("Justification", r.justification), detail("RoleDefinitionOriginId", r.access),
		},
	})
}

// auditMember writes the directory's row: made by PIM's own app, a few seconds after.
func (s *Server) auditMember(activity string, a *assignment, at time.Time) {
	s.addAudit(at.Add(2*time.Second), map[string]any{
		"category": "GroupManagement", "correlationId": newGUID(), "activityDisplayName": activity, "loggedByService": "Core Directory",
		"operationType": "Assign",
		"initiatedBy": map[string]any{"user": nil, "app": map[string]any{
			"appId": nil, "displayName": "MS-PIM", "servicePrincipalId": "01fc33a7-78ba-4d2f-a4b7-768e336e890e", "servicePrincipalName": nil,
		}},
		"targetResources":   []any{s.auditTarget(a.principal), s.auditTarget(a.group)},
		"additionalDetails": []any{},
	})
}

// auditDirectory writes a row of the directory's for what somebody did there themselves.
func (s *Server) auditDirectory(activity string, who actor, at time.Time, targets ...string) {
	list := []any{}
	for _, id := range targets {
		list = append(list, s.auditTarget(id))
	}
	s.addAudit(at, map[string]any{
		"category": "GroupManagement", "correlationId": newGUID(), "activityDisplayName": activity, "loggedByService": "Core Directory",
		"operationType": strings.SplitN(activity, " ", 2)[0], "initiatedBy": s.initiator(who.oid), "targetResources": list, "additionalDetails": []any{},
	})
}

func detail(key, value string) map[string]any { return map[string]any{"key": key, "value": value} }

func (s *Server) initiator(by string) map[string]any {
	p := s.dir.person(by)
	for _, a := range s.apps {
		if a.ServicePrincipalID == by {
			return map[string]any{"user": nil, "app": map[string]any{
				"appId": a.ClientID, "displayName": a.Name, "servicePrincipalId": by, "servicePrincipalName": nil,
			}}
		}
	}
	if p == nil {
		return map[string]any{"user": nil, "app": map[string]any{
			"appId": nil, "displayName": "Azure AD PIM", "servicePrincipalId": nil, "servicePrincipalName": nil,
		}}
	}
	return map[string]any{"app": nil, "user": map[string]any{
		"id": p.ObjectID, "displayName": p.DisplayName, "userPrincipalName": p.UPN, "ipAddress": "127.0.0.1",
	}}
}

func (s *Server) auditTarget(id string) map[string]any {
	target := map[string]any{"id": id, "displayName": nil, "type": "Other", "modifiedProperties": []any{}, "userPrincipalName": nil}
	if p := s.dir.person(id); p != nil {
		target["type"], target["displayName"], target["userPrincipalName"] = "User", p.DisplayName, p.UPN
	}
	if g := s.dir.group(id); g != nil {
		target["type"], target["displayName"] = "Group", g.Name
	}
	return target
}

// auditViews returns the rows that can be read by now, newest first.
func (s *Server) auditViews(now time.Time) []map[string]any {
	var out []map[string]any
	for _, row := range slices.Backward(s.audits) {
		if !row.visible.After(now) {
			out = append(out, row.view)
		}
	}
	return out
}

// auditThrottled counts reads of the audit log over ten seconds of the machine.
func (s *Server) auditThrottled() bool {
	if s.behavior.AuditLimit <= 0 {
		return false
	}
	machine := s.machine()
	recent := s.auditHit[:0]
	for _, hit := range s.auditHit {
		if machine.Sub(hit) < 10*time.Second {
			recent = append(recent, hit)
		}
	}
	s.auditHit = append(recent, machine)
	return len(recent) >= s.behavior.AuditLimit
}
