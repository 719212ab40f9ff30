package simentra

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// A PolicyChange changes one rule of a group's policy for members in the admin center; what is nil or empty stays.
type PolicyChange struct {
	Max           string // ISO 8601
	Approval      *bool
	Justification *bool
	Ticketing     *bool
	MFA           *bool
	Permanent     *bool    // whether an eligibility may last for ever
	Approvers     []string // names of groups or keys of people
}

// ChangePolicy lets an owner or administrator change rules.
func (p Portal) ChangePolicy(admin, groupName string, change PolicyChange) error {
	return p.as(admin, func(by *person, now time.Time) error {
		g, err := p.s.groupOr(groupName)
		if err != nil {
			return err
		}
		who := actor{oid: by.ObjectID}
		if e := p.s.mayAdminister(who, g.ID); e != nil {
			return e
		}
		if !g.manageable() {
			return errNotTaken
		}
		for _, step := range p.s.steps(change) {
			if e := p.s.changeRule(who, g, step.rule, step.set, now); e != nil {
				return e
			}
		}
		return nil
	})
}

// A ruleStep is the change of one rule.
type ruleStep struct {
	rule string
	set  func(rule map[string]any)
}

func (s *Server) steps(change PolicyChange) []ruleStep {
	var out []ruleStep
	if change.Max != "" {
		out = append(out, ruleStep{"Expiration_EndUser_Assignment", func(r map[string]any) { r["maximumDuration"] = change.Max }})
	}
	if change.Permanent != nil {
		out = append(out, ruleStep{"Expiration_Admin_Eligibility", func(r map[string]any) { r["isExpirationRequired"] = !*change.Permanent }})
	}
	for name, on := range map[string]*bool{"Justification": change.Justification, "Ticketing": change.Ticketing, "MultiFactorAuthentication": change.MFA} {
		if on != nil {
			out = append(out, ruleStep{"Enablement_EndUser_Assignment", func(r map[string]any) { r["enabledRules"] = switched(r["enabledRules"], name, *on) }})
		}
	}
	if change.Approval != nil || change.Approvers != nil {
		out = append(out, ruleStep{"Approval_EndUser_Assignment", func(r map[string]any) { s.setApproval(r, change) }})
	}
	return out
}

func switched(list any, name string, on bool) []any {
	old, _ := list.([]any)
	out := slices.DeleteFunc(slices.Clone(old), func(x any) bool { return x == any(name) })
	if on {
		out = append(out, name)
	}
	return out
}

func (s *Server) setApproval(rule map[string]any, change PolicyChange) {
	setting, _ := rule["setting"].(map[string]any)
	if change.Approval != nil {
		setting["isApprovalRequired"] = *change.Approval
	}
	stages, _ := setting["approvalStages"].([]any)
	if change.Approvers == nil || len(stages) == 0 {
		return
	}
	approvers := []any{}
	for _, name := range change.Approvers {
		if g := s.dir.groupNamed(name); g != nil {
			approvers = append(approvers, map[string]any{"@odata.type": "#microsoft.graph.groupMembers", "groupId": g.ID})
			continue
		}
		id, _ := s.principal(name) // nobody's id is refused as an approver
		approvers = append(approvers, map[string]any{"@odata.type": "#microsoft.graph.singleUser", "userId": id})
	}
	stage, _ := stages[0].(map[string]any)
	stage["primaryApprovers"] = approvers
}

// changeRule checks the change of one rule, and makes it.
func (s *Server) changeRule(who actor, g *group, id string, set func(map[string]any), now time.Time) *graphError {
	p := s.policyOf(g.ID, accessMember)
	i := slices.IndexFunc(p.rules, func(r map[string]any) bool { return r["id"] == id })
	after, err := deepCopy(p.rules[i])
	if err != nil {
		return errPolicyRule.with(err.Error())
	}
	set(after)
	if e := s.checkRule(p, after, now); e != nil {
		return e
	}
	s.keepRule(p, i, after, who, now)
	return nil
}

// keepRule puts a changed rule in the place of the old one, which may be on its way to somebody who read it.
func (s *Server) keepRule(p *policy, i int, after map[string]any, who actor, now time.Time) {
	s.onboard(s.dir.group(p.group), who, now)
	p.rules[i] = after
	p.modified, p.by = now, who.oid
	s.auditPIM(auditPolicy, who, now, s.auditRole(p.access), s.auditTarget(p.group))
}

func deepCopy(rule map[string]any) (map[string]any, error) {
	raw, err := json.Marshal(rule)
	if err != nil {
		return nil, err
	}
	var out map[string]any
	return out, json.Unmarshal(raw, &out)
}

func (s *Server) groupOr(name string) (*group, error) {
	if g := s.dir.groupNamed(name); g != nil {
		return g, nil
	}
	return nil, fmt.Errorf("no group is called %q", name)
}

// AddMember lets an owner or administrator make a person or a group a direct, permanent member of a group.
func (p Portal) AddMember(admin, principal, groupName string) error {
	return p.withMember(admin, principal, groupName, func(who actor, g *group, id string, now time.Time) error {
		if e := p.s.mayJoin(g, id, now); e != nil {
			return e
		}
		p.s.addMember(g, id, now)
		p.s.auditDirectory(auditMemberAdded, who, now, id, g.ID)
		return nil
	})
}

// RemoveMember takes a direct member out of a group.
func (p Portal) RemoveMember(admin, principal, groupName string) error {
	return p.withMember(admin, principal, groupName, func(who actor, g *group, id string, now time.Time) error {
		if !p.s.removeMember(g, id, now) {
			return fmt.Errorf("%s is no direct member of %s", principal, groupName)
		}
		p.s.auditDirectory(auditMemberRemoved, who, now, id, g.ID)
		return nil
	})
}

// AddOwner makes somebody an owner of a group.
func (p Portal) AddOwner(admin, principal, groupName string) error {
	return p.withMember(admin, principal, groupName, func(who actor, g *group, id string, now time.Time) error {
		if g.isOwner(id) {
			return fmt.Errorf("%s owns %s already", principal, groupName)
		}
		g.owners = append(g.owners, id)
		p.s.auditDirectory(auditOwnerAdded, who, now, id, g.ID)
		return nil
	})
}

// RemoveOwner takes that away.
func (p Portal) RemoveOwner(admin, principal, groupName string) error {
	return p.withMember(admin, principal, groupName, func(who actor, g *group, id string, now time.Time) error {
		if !g.isOwner(id) {
			return fmt.Errorf("%s does not own %s", principal, groupName)
		}
		g.owners = slices.DeleteFunc(g.owners, func(o string) bool { return o == id })
		p.s.auditDirectory(auditOwnerRemoved, who, now, id, g.ID)
		return nil
	})
}

func (p Portal) withMember(admin, principal, groupName string, do func(actor, *group, string, time.Time) error) error {
	return p.as(admin, func(by *person, now time.Time) error {
		g, err := p.s.groupOr(groupName)
		if err != nil {
			return err
		}
		id, err := p.s.principal(principal)
		if err != nil {
			return err
		}
		who := actor{oid: by.ObjectID}
		if e := p.s.mayChange(who, g, true); e != nil {
			return e
		}
		return do(who, g, id, now)
	})
}

// MakeEligible makes a person or a group eligible for a group, for good.
func (p Portal) MakeEligible(admin, principal, groupName string) error {
	return p.eligibility(admin, principal, groupName, "adminAssign")
}

// RemoveEligibility takes that away.
func (p Portal) RemoveEligibility(admin, principal, groupName string) error {
	return p.eligibility(admin, principal, groupName, "adminRemove")
}

func (p Portal) eligibility(admin, principal, groupName, action string) error {
	return p.as(admin, func(by *person, now time.Time) error {
		g, err := p.s.groupOr(groupName)
		if err != nil {
			return err
		}
		id, err := p.s.principal(principal)
		if err != nil {
			return err
		}
		in := submission{AccessID: accessMember, GroupID: g.ID, PrincipalID: id, Action: action, Justification: "in the portal"}
		if _, e := p.s.submitEligibility(p.s.whole(by, g.ID), in, now); e != nil {
			return e
		}
		return nil
	})
}
