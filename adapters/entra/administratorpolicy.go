package entra

import (
	"context"
	"strings"

	kiota "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/policies"

	"elevate/internal/pim"
	"elevate/internal/tenant"
)

func (r *tenantReader) askPolicy(ctx context.Context, v *view, id pim.GroupID) {
	info, err := policyQuestion(ctx, r.c, id)
	list(v, "rules", info, err, models.CreateUnifiedRoleManagementPolicyAssignmentCollectionResponseFromDiscriminatorValue,
		func(assigned models.UnifiedRoleManagementPolicyAssignmentable) error {
			if !strings.EqualFold(str(assigned.GetRoleDefinitionId()), pim.Member) || assigned.GetPolicy() == nil {
				return nil
			}
			if pim.NewGroupID(str(assigned.GetScopeId())) != id || pim.NewGroupID(str(assigned.GetPolicy().GetScopeId())) != id {
				return errOther
			}
			if p, whole := tenantPolicy(id, assigned.GetPolicy()); whole {
				r.change(id, func(d *tenant.Details) { d.Policy = &p })
			}
			return nil
		}, nil)
	youngGroup(v)
}

// policyQuestion asks for PIM's rules for the members of a group.
func policyQuestion(ctx context.Context, c *Client, id pim.GroupID) (*kiota.RequestInformation, error) {
	filter := "scopeId eq " + quoted(id) + " and scopeType eq 'Group' and roleDefinitionId eq 'member'"
	return policies.NewPoliciesRequestBuilderInternal(c.questions.root(), c.questions.adapter).RoleManagementPolicyAssignments().
		ToGetRequestInformation(ctx, &policies.RoleManagementPolicyAssignmentsRequestBuilderGetRequestConfiguration{
			QueryParameters: &policies.RoleManagementPolicyAssignmentsRequestBuilderGetQueryParameters{
				Filter: &filter, Expand: []string{"policy($expand=rules)"},
			},
		})
}

// tenantPolicy reads the rules that are declared. One that lacks some is not whole: just after a group came under PIM, its
// rules come one by one.
func tenantPolicy(id pim.GroupID, from models.UnifiedRoleManagementPolicyable) (tenant.Policy, bool) {
	read, err := policyOf(id, from.GetRules())
	p := tenant.Policy{Policy: read, Touched: !at(from.GetLastModifiedDateTime()).IsZero(), Mail: map[string]bool{}}
	known := map[string]bool{}
	for _, rule := range from.GetRules() {
		if rule == nil {
			continue
		}
		name := str(rule.GetId())
		known[name] = true
		switch of := rule.(type) {
		case models.UnifiedRoleManagementPolicyExpirationRuleable:
			if name == tenant.PermanentRule {
				p.Permanent = of.GetIsExpirationRequired() != nil && !*of.GetIsExpirationRequired()
			}
		case models.UnifiedRoleManagementPolicyApprovalRuleable:
			if name == tenant.ApprovalRule {
				p.Beyond = beyond(of.GetSetting())
			}
		case models.UnifiedRoleManagementPolicyNotificationRuleable:
			p.Mail[name] = yes(of.GetIsDefaultRecipientsEnabled())
		}
	}
	whole := err == nil && known[tenant.PermanentRule] && known[tenant.EnablementRule] && known[tenant.ContextRule]
	return p, whole
}

// beyond names what an approval has beside people and groups as the approvers of one stage.
func beyond(setting models.ApprovalSettingsable) []string {
	if setting == nil || !yes(setting.GetIsApprovalRequired()) {
		return nil
	}
	var more []string
	stages := setting.GetApprovalStages()
	if len(stages) > 1 {
		more = append(more, "a stage after the first")
	}
	for _, stage := range stages {
		if stage == nil {
			continue
		}
		if yes(stage.GetIsEscalationEnabled()) {
			more = append(more, "an escalation to others")
		}
		for _, one := range stage.GetPrimaryApprovers() {
			switch of := one.(type) {
			case models.SingleUserable, models.GroupMembersable:
			case nil:
				more = append(more, "an approver that cannot be read")
			default:
				more = append(more, "another kind of approver ("+strings.TrimPrefix(str(of.GetOdataType()), "#microsoft.graph.")+")")
			}
		}
	}
	return more
}
