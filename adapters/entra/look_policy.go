package entra

import (
	"context"
	"strings"

	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"elevate/internal/pim"
)

func (v *view) askPolicy(ctx context.Context, group pim.GroupID) {
	info, err := policyQuestion(ctx, v.client, group)
	var found []models.UnifiedRoleManagementPolicyable
	list(v, "policies", info, err, models.CreateUnifiedRoleManagementPolicyAssignmentCollectionResponseFromDiscriminatorValue,
		func(a models.UnifiedRoleManagementPolicyAssignmentable) error {
			if strings.EqualFold(str(a.GetRoleDefinitionId()), pim.Member) && a.GetPolicy() != nil {
				found = append(found, a.GetPolicy())
			}
			return nil
		}, func() []*reading {
			v.keepPolicy(group, found)
			return nil
		})
}

// keepPolicy keeps the one policy of a group. None is what Graph says for a group that PIM does not manage yet.
func (v *view) keepPolicy(group pim.GroupID, found []models.UnifiedRoleManagementPolicyable) {
	if len(found) != 1 {
		v.failed = append(v.failed, pim.Errorf(pim.Administered,
			"PIM has %d policies for the members of a governed group, where it must have one. Tell an administrator to bring the group under PIM.", len(found)))
		return
	}
	policy, err := policyOf(group, found[0].GetRules())
	if err != nil {
		v.failed = append(v.failed, err)
		return
	}
	policy.ReadAt = v.at
	v.answer.Policies[group] = policy
}

// The rules that apply to a person who activates.
const (
	expirationRule = "Expiration_EndUser_Assignment"
	enablementRule = "Enablement_EndUser_Assignment"
	approvalRule   = "Approval_EndUser_Assignment"
	contextRule    = "AuthenticationContext_EndUser_Assignment"
)

// policyOf reads the rules. A policy without the rule about its length or its approval is not read at all: missing
// rules must not look like a policy that asks for nothing.
func policyOf(group pim.GroupID, rules []models.UnifiedRoleManagementPolicyRuleable) (pim.Policy, error) {
	p := pim.Policy{Group: group}
	read := map[string]bool{}
	for _, r := range rules {
		if r != nil {
			read[str(r.GetId())] = addRule(&p, r)
		}
	}
	if !read[expirationRule] || !read[approvalRule] {
		return pim.Policy{}, pim.Errorf(pim.Administered,
			"PIM's policy of a governed group lacks the rules about its length or its approval. Tell an administrator to look at the group in PIM.")
	}
	return p, nil
}

// addRule takes one of the four rules, and reports whether it held what it should.
func addRule(p *pim.Policy, r models.UnifiedRoleManagementPolicyRuleable) bool {
	switch str(r.GetId()) {
	case expirationRule:
		if rule, ok := r.(models.UnifiedRoleManagementPolicyExpirationRuleable); ok && rule.GetMaximumDuration() != nil {
			p.MaxDuration = exactly(rule.GetMaximumDuration())
			return true
		}
	case enablementRule:
		if rule, ok := r.(models.UnifiedRoleManagementPolicyEnablementRuleable); ok {
			addEnabled(p, rule.GetEnabledRules())
			return true
		}
	case approvalRule:
		if rule, ok := r.(models.UnifiedRoleManagementPolicyApprovalRuleable); ok && rule.GetSetting() != nil {
			addApprovers(p, rule.GetSetting())
			return true
		}
	case contextRule:
		if rule, ok := r.(models.UnifiedRoleManagementPolicyAuthenticationContextRuleable); ok && yes(rule.GetIsEnabled()) {
			p.Context = str(rule.GetClaimValue())
		}
	}
	return false
}

func addEnabled(p *pim.Policy, enabled []string) {
	for _, name := range enabled {
		switch strings.ToLower(name) {
		case "justification":
			p.Justification = true
		case "ticketing":
			p.Ticketing = true
		case "multifactorauthentication":
			p.MFA = true
		}
	}
}

func addApprovers(p *pim.Policy, setting models.ApprovalSettingsable) {
	p.Approval = yes(setting.GetIsApprovalRequired())
	for _, stage := range setting.GetApprovalStages() {
		if stage == nil {
			continue
		}
		for _, approver := range stage.GetPrimaryApprovers() {
			switch a := approver.(type) {
			case models.SingleUserable:
				p.ApproverPeople = append(p.ApproverPeople, pim.NewPrincipalID(idOf(a.GetUserId(), a.GetAdditionalData())))
			case models.GroupMembersable:
				p.ApproverGroups = append(p.ApproverGroups, pim.NewGroupID(idOf(a.GetGroupId(), a.GetAdditionalData())))
			}
		}
	}
}

// idOf is the id of an approver; Graph's beta and some of its answers call it just id.
func idOf(id *string, extra map[string]any) string {
	if id != nil {
		return *id
	}
	return textIn(extra, "id")
}
