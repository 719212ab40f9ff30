package simentra

import (
	"time"

	"elevate/internal/sim/cast"
)

// Errors of PIM about groups.
var (
	errNotTaken = graphError{status: 400, code: "InvalidRoleAssignmentRequest", message: "The role assignment request is invalid."} // exact code not known
	errTooNew   = graphError{status: 404, code: "ResourceNotFound", message: "The resource is not found.", wrapped: true}
)

// knows reports whether PIM has heard of a group or person: of new groups it hears late.
func (s *Server) knows(id string, now time.Time) bool {
	g := s.dir.group(id)
	if g == nil {
		return s.dir.byID[id] != nil
	}
	return g.created.IsZero() || !now.Before(g.created.Add(s.behavior.NewGroupLag))
}

// manageable reports whether PIM takes a group: not one whose members come from a rule or from elsewhere.
func (g *group) manageable() bool {
	return g.MembershipRule == "" && !g.Synced && !g.ManagementRestricted
}

func (s *Server) isOnboarded(group string) bool {
	_, done := s.pim.onboarded[group]
	return done
}

// onboard brings a group under PIM, which cannot be undone: its policies get new ids, and can be read only after a while.
func (s *Server) onboard(g *group, who actor, now time.Time) {
	if s.isOnboarded(g.ID) {
		return
	}
	s.pim.onboarded[g.ID] = now
	for _, access := range []string{accessMember, accessOwner} {
		p := s.policyOf(g.ID, access)
		delete(s.policies, p.id)
		p.id = policyID(g.ID, newGUID())
		p.listed, p.complete = now.Add(s.behavior.OnboardingLag/2), now.Add(s.behavior.OnboardingLag)
		s.policies[p.id] = p
	}
	s.auditPIM(auditOnboarded, who, now, s.auditTarget(g.ID))
}

// auditPIM writes a row of PIM's about a group as a whole.
func (s *Server) auditPIM(activity string, who actor, at time.Time, targets ...any) {
	s.addAudit(at, map[string]any{
		"category": "GroupManagement", "correlationId": newGUID(), "activityDisplayName": activity, "loggedByService": "PIM",
		"operationType": "Update", "initiatedBy": s.initiator(who.oid), "targetResources": targets, "additionalDetails": []any{},
	})
}

// freshRules are those that a group has by default: everything that is assigned has to end.
func freshRules() []map[string]any {
	p := policy{rules: memberRules(&cast.Cast{}, cast.Policy{MaxDuration: "PT8H", Justification: true, ApproverJustification: true})}
	for _, id := range []string{"Expiration_Admin_Eligibility", "Expiration_Admin_Assignment"} {
		p.rule(id)["isExpirationRequired"] = true
	}
	return p.rules
}

// addFreshPolicies gives a new group the policies it has before PIM manages it.
func (s *Server) addFreshPolicies(group string) {
	s.addPolicy(group, accessMember, newGUID(), freshRules())
	s.addPolicy(group, accessOwner, newGUID(), freshRules())
}

// readable reports whether a policy can be read by now.
func (s *Server) readable(p *policy, now time.Time) bool {
	g := s.dir.group(p.group)
	return g != nil && g.manageable() && s.knows(g.ID, now) && !now.Before(p.listed)
}

// rulesBy are the rules that can be read by now: some come later than the policy.
func (p *policy) rulesBy(now time.Time) []map[string]any {
	if now.Before(p.complete) {
		return p.rules[:len(p.rules)/2]
	}
	return p.rules
}
