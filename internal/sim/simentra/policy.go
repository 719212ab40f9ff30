package simentra

import (
	"slices"
	"strings"
	"time"

	"elevate/internal/sim/cast"
)

// A policy is a roleManagementPolicy for one relationship to one group. Its rules are kept as they are printed.
type policy struct {
	id, group, access string
	rules             []map[string]any
	modified          time.Time
	by                string    // who changed it last
	listed, complete  time.Time // when it and all its rules can be read; zero: always
}

func (s *Server) loadPolicies(c *cast.Cast) {
	settings := map[string]cast.Policy{}
	for _, p := range c.Policies {
		settings[p.Group] = p
	}
	for i, g := range c.Groups {
		id, rules := cast.Derived("90110200", i), freshRules()
		if set, ok := settings[g.Name]; ok {
			id, rules = set.ID, memberRules(c, set)
		}
		s.addPolicy(g.ID, accessMember, id, rules)
		s.addPolicy(g.ID, accessOwner, cast.Derived("90110300", i), freshRules())
	}
}

func (s *Server) addPolicy(group, access, id string, rules []map[string]any) {
	p := &policy{id: policyID(group, id), group: group, access: access, rules: rules}
	s.policies[p.id], s.ruled[group+"|"+access] = p, p
}

func policyID(group, id string) string { return "Group_" + group + "_" + id }

func (s *Server) policyOf(group, access string) *policy {
	if p, there := s.ruled[group+"|"+access]; there {
		return p
	}
	return &policy{group: group, access: access, rules: memberRules(&cast.Cast{}, cast.Policy{MaxDuration: "PT8H"})}
}

func (p *policy) rule(id string) map[string]any {
	for _, r := range p.rules {
		if strings.EqualFold(r["id"].(string), id) {
			return r
		}
	}
	return nil
}

func (p *policy) enabled(rule, name string) bool {
	list, _ := p.rule(rule)["enabledRules"].([]any)
	return slices.Contains(list, any(name))
}

// longest is the maximum duration of a rule; required says whether there must be an end at all.
func (p *policy) longest(rule string) (limit time.Duration, required bool) {
	r := p.rule(rule)
	spelled, _ := r["maximumDuration"].(string)
	limit, _ = parseDuration(spelled)
	required, _ = r["isExpirationRequired"].(bool)
	return limit, required
}

func (p *policy) authContext() string {
	r := p.rule("AuthenticationContext_EndUser_Assignment")
	if on, _ := r["isEnabled"].(bool); !on {
		return ""
	}
	value, _ := r["claimValue"].(string)
	return value
}

func (p *policy) approval() (setting map[string]any, required bool) {
	setting, _ = p.rule("Approval_EndUser_Assignment")["setting"].(map[string]any)
	required, _ = setting["isApprovalRequired"].(bool)
	return setting, required
}

func (p *policy) stage() map[string]any {
	setting, _ := p.approval()
	stages, _ := setting["approvalStages"].([]any)
	if len(stages) == 0 {
		return nil
	}
	first, _ := stages[0].(map[string]any)
	return first
}

// approves reports whether somebody is named as an approver, directly or by a group.
func (s *Server) approves(p *policy, person string, now time.Time) bool {
	approvers, _ := p.stage()["primaryApprovers"].([]any)
	for _, a := range approvers {
		set, _ := a.(map[string]any)
		if set["userId"] == person {
			return true
		}
		id, _ := set["groupId"].(string)
		if g := s.dir.group(id); g != nil && s.isMember(g, person, now) {
			return true
		}
	}
	return false
}

func (p *policy) wantsDecisionReason() bool {
	wants, _ := p.stage()["isApproverJustificationRequired"].(bool)
	return wants
}

// SetPolicy replaces the rules for activating membership in a group. Approvers are names of groups or keys of people.
func (s *Server) SetPolicy(set cast.Policy) error {
	now := s.lock()
	defer s.mu.Unlock()
	g := s.dir.groupNamed(set.Group)
	if g == nil {
		return errNoRole
	}
	s.onboard(g, actor{}, now)
	p := s.policyOf(g.ID, accessMember)
	c := &cast.Cast{}
	for _, person := range s.dir.people {
		c.People = append(c.People, person.Person)
	}
	for _, group := range s.dir.groups {
		c.Groups = append(c.Groups, group.Group)
	}
	p.rules, p.modified = memberRules(c, set), now
	return nil
}

// Policy returns the rules for activating membership in a group, to change them and give them back to SetPolicy.
func (s *Server) Policy(name string) (cast.Policy, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.dir.groupNamed(name)
	if g == nil {
		return cast.Policy{}, errNoRole
	}
	p := s.policyOf(g.ID, accessMember)
	longest, _ := p.rule("Expiration_EndUser_Assignment")["maximumDuration"].(string)
	_, approval := p.approval()
	const enablement = "Enablement_EndUser_Assignment"
	return cast.Policy{
		Group: g.Name, MaxDuration: longest, Justification: p.enabled(enablement, "Justification"),
		Ticketing: p.enabled(enablement, "Ticketing"), MFA: p.enabled(enablement, "MultiFactorAuthentication"),
		AuthContext: p.authContext(), Approval: approval, Approvers: s.approverNames(p), ApproverJustification: p.wantsDecisionReason(),
	}, nil
}

func (s *Server) approverNames(p *policy) []string {
	var out []string
	approvers, _ := p.stage()["primaryApprovers"].([]any)
	for _, a := range approvers {
		set, _ := a.(map[string]any)
		user, _ := set["userId"].(string)
		groupID, _ := set["groupId"].(string)
		if found := s.dir.person(user); found != nil {
			out = append(out, found.Key)
		}
		if found := s.dir.group(groupID); found != nil {
			out = append(out, found.Name)
		}
	}
	return out
}
