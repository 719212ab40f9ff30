package simentra

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

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

func (s *Server) sortedPolicies() []*policy {
	var out []*policy
	for _, p := range s.policies {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b *policy) int { return strings.Compare(a.id+a.access, b.id+b.access) })
	return out
}

func (p *policy) view(withRules bool) map[string]any {
	view := map[string]any{
		"id": p.id, "displayName": "Group", "description": "Group", "isOrganizationDefault": false, "scopeId": p.group, "scopeType": "Group",
		"lastModifiedDateTime": stamp(p.modified), "lastModifiedBy": map[string]any{"displayName": nil, "id": nil},
	}
	if withRules {
		rules := []any{}
		for _, r := range p.rules {
			rules = append(rules, r)
		}
		view["rules"] = rules
	}
	return view
}

func (p *policy) assignmentView(expand string) map[string]any {
	view := map[string]any{
		"id": p.id + "_" + p.access, "policyId": p.id, "scopeId": p.group, "scopeType": "Group", "roleDefinitionId": p.access,
	}
	if expand != "" {
		view["policy"] = p.view(strings.Contains(expand, "rules"))
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
	for _, p := range s.sortedPolicies() {
		views = append(views, p.assignmentView(strings.ToLower(c.odata.Expand)))
	}
	return s.list(c, "policies/roleManagementPolicyAssignments", views)
}

func (s *Server) getPolicyAssignment(c *call) (answer, *graphError) {
	for _, p := range s.policies {
		if p.id+"_"+p.access == c.params["id"] {
			return s.single(c, "policies/roleManagementPolicyAssignments", p.assignmentView(strings.ToLower(c.odata.Expand)))
		}
	}
	return refuse(noSuchPolicy())
}

func noSuchPolicy() *graphError {
	return &graphError{status: 404, code: "ResourceNotFound", message: "The policy is not found.", wrapped: true}
}

func (s *Server) listPolicies(c *call) (answer, *graphError) {
	if e := c.scoped(); e != nil {
		return refuse(e)
	}
	if e := c.expanded("rules", "rules,effectiverules"); e != nil {
		return refuse(e)
	}
	var views []map[string]any
	for _, p := range s.sortedPolicies() {
		views = append(views, p.view(c.odata.Expand != ""))
	}
	return s.list(c, "policies/roleManagementPolicies", views)
}

func (s *Server) getPolicy(c *call) (answer, *graphError) {
	p, found := s.policies[c.params["id"]]
	if !found {
		return refuse(noSuchPolicy())
	}
	return s.single(c, "policies/roleManagementPolicies", p.view(c.odata.Expand != ""))
}

func (s *Server) listRules(c *call) (answer, *graphError) {
	p, found := s.policies[c.params["id"]]
	if !found {
		return refuse(noSuchPolicy())
	}
	return s.list(c, "policies/roleManagementPolicies('"+p.id+"')/rules", p.rules)
}

func (s *Server) getRule(c *call) (answer, *graphError) {
	p, found := s.policies[c.params["id"]]
	if !found || p.rule(c.params["rule"]) == nil {
		return refuse(noSuchPolicy())
	}
	return s.single(c, "policies/roleManagementPolicies('"+p.id+"')/rules", p.rule(c.params["rule"]))
}

// patchRule changes the properties that are sent; the type must be named and be the rule's.
func (s *Server) patchRule(c *call) (answer, *graphError) {
	p, found := s.policies[c.params["id"]]
	if !found || p.rule(c.params["rule"]) == nil {
		return refuse(noSuchPolicy())
	}
	rule := p.rule(c.params["rule"])
	var change map[string]any
	if err := json.Unmarshal(c.body, &change); err != nil {
		return refuse(badRequest("Unable to read JSON request payload."))
	}
	if change["@odata.type"] != rule["@odata.type"] {
		return refuse(badRequest("The property '@odata.type' is required and must be '%s'.", rule["@odata.type"]))
	}
	if id, sent := change["id"]; sent && id != rule["id"] {
		return refuse(badRequest("The id of a rule cannot be changed."))
	}
	for name, value := range change {
		if _, has := rule[name]; !has {
			return refuse(badRequest("Invalid property '%s'.", name))
		}
		if longest, isText := value.(string); name == "maximumDuration" {
			if _, valid := parseDuration(longest); !isText || !valid {
				return refuse(badRequest("Cannot convert the literal '%v' to the expected type 'Edm.Duration'.", value))
			}
		}
	}
	maps.Copy(rule, change)
	p.modified = c.now
	return noContent()
}
