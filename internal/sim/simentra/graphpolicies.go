package simentra

import (
	"slices"
	"strings"
	"time"

	"elevate/internal/sim/simentra/odata"
)

// scoped demands the filters without which Graph does not list policies.
func (c *call) scoped() *graphError {
	if c.odata.Filter != nil {
		_, id := odata.Equals(c.odata.Filter, "scopeId")
		kind, hasKind := odata.Equals(c.odata.Filter, "scopeType")
		if id && hasKind && strings.EqualFold(kind, "Group") {
			return nil
		}
	}
	e := badRequest("The filters scopeId and scopeType are mandatory.")
	e.code, e.wrapped = "InvalidFilter", true
	return e
}

// policiesAsked are those of the group that the filter names, as far as they can be read.
func (s *Server) policiesAsked(c *call) []*policy {
	group, _ := odata.Equals(c.odata.Filter, "scopeId")
	var out []*policy
	for _, access := range []string{accessMember, accessOwner} {
		if p, there := s.ruled[strings.ToLower(group)+"|"+access]; there && s.readable(p, c.now) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b *policy) int { return strings.Compare(a.id+a.access, b.id+b.access) })
	return out
}

func (s *Server) policyView(p *policy, withRules bool, now time.Time) map[string]any {
	view := map[string]any{
		"id": p.id, "displayName": "Group", "description": "Group", "isOrganizationDefault": false, "scopeId": p.group, "scopeType": "Group",
		"lastModifiedDateTime": stamp(p.modified), "lastModifiedBy": map[string]any{"displayName": nil, "id": nil},
	}
	if by := s.dir.person(p.by); by != nil {
		view["lastModifiedBy"] = map[string]any{"displayName": by.DisplayName, "id": by.ObjectID}
	}
	if withRules {
		rules := []any{}
		for _, r := range p.rulesBy(now) {
			rules = append(rules, r)
		}
		view["rules"] = rules
	}
	return view
}

func (s *Server) policyAssignmentView(p *policy, expand string, now time.Time) map[string]any {
	view := map[string]any{
		"id": p.id + "_" + p.access, "policyId": p.id, "scopeId": p.group, "scopeType": "Group", "roleDefinitionId": p.access,
	}
	if expand != "" {
		view["policy"] = s.policyView(p, strings.Contains(expand, "rules"), now)
	}
	return view
}

// expanded checks $expand: these lists know policy, with rules or without.
func (c *call) expanded(allowed ...string) *graphError {
	plain := strings.ReplaceAll(strings.ToLower(c.odata.Expand), " ", "")
	if plain != "" && !slices.Contains(allowed, plain) {
		return badRequest("Parsing OData Select and Expand failed: '%s' is not supported.", c.odata.Expand)
	}
	return nil
}

func (s *Server) listPolicyAssignments(c *call) (answer, *graphError) {
	if e := c.scoped(); e != nil {
		return refuse(e)
	}
	if e := c.expanded("policy", "policy($expand=rules)", "policy($expand=rules,effectiverules)"); e != nil {
		return refuse(e)
	}
	var views []map[string]any
	for _, p := range s.policiesAsked(c) {
		views = append(views, s.policyAssignmentView(p, strings.ToLower(c.odata.Expand), c.now))
	}
	return s.list(c, "policies/roleManagementPolicyAssignments", views)
}

func (s *Server) getPolicyAssignment(c *call) (answer, *graphError) {
	for _, p := range s.policies {
		if p.id+"_"+p.access == c.params["id"] && s.readable(p, c.now) {
			return s.single(c, "policies/roleManagementPolicyAssignments", s.policyAssignmentView(p, strings.ToLower(c.odata.Expand), c.now))
		}
	}
	return refuse(noSuchPolicy())
}

func noSuchPolicy() *graphError {
	return &graphError{status: 404, code: "ResourceNotFound", message: "The policy is not found.", wrapped: true}
}

// policyAsked is the policy of the path, as far as it can be read.
func (s *Server) policyAsked(c *call) (*policy, *graphError) {
	p, found := s.policies[c.params["id"]]
	if !found || !s.readable(p, c.now) {
		return nil, noSuchPolicy()
	}
	return p, nil
}

func (s *Server) listPolicies(c *call) (answer, *graphError) {
	if e := c.scoped(); e != nil {
		return refuse(e)
	}
	if e := c.expanded("rules", "rules,effectiverules"); e != nil {
		return refuse(e)
	}
	var views []map[string]any
	for _, p := range s.policiesAsked(c) {
		views = append(views, s.policyView(p, c.odata.Expand != "", c.now))
	}
	return s.list(c, "policies/roleManagementPolicies", views)
}

func (s *Server) getPolicy(c *call) (answer, *graphError) {
	p, e := s.policyAsked(c)
	if e != nil {
		return refuse(e)
	}
	return s.single(c, "policies/roleManagementPolicies", s.policyView(p, c.odata.Expand != "", c.now))
}

func (s *Server) listRules(c *call) (answer, *graphError) {
	p, e := s.policyAsked(c)
	if e != nil {
		return refuse(e)
	}
	return s.list(c, "policies/roleManagementPolicies('"+p.id+"')/rules", p.rulesBy(c.now))
}

func (s *Server) getRule(c *call) (answer, *graphError) {
	p, e := s.policyAsked(c)
	if e != nil {
		return refuse(e)
	}
	for _, r := range p.rulesBy(c.now) {
		if strings.EqualFold(r["id"].(string), c.params["rule"]) {
			return s.single(c, "policies/roleManagementPolicies('"+p.id+"')/rules", r)
		}
	}
	return refuse(badRule(c.params["rule"]))
}
