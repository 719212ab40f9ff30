package simentra

import "elevate/internal/sim/cast"

const typePrefix = "#microsoft.graph.unifiedRoleManagementPolicy"

// memberRules prints the seventeen rules of a policy.
func memberRules(c *cast.Cast, set cast.Policy) []map[string]any {
	rules := []map[string]any{
		expirationRule("Expiration_Admin_Eligibility", "Admin", "Eligibility", false, "P365D"),
		enablementRule("Enablement_Admin_Eligibility", "Admin", "Eligibility"),
	}
	rules = append(rules, notificationRules("Admin", "Eligibility")...)
	rules = append(rules,
		expirationRule("Expiration_Admin_Assignment", "Admin", "Assignment", false, "P180D"),
		enablementRule("Enablement_Admin_Assignment", "Admin", "Assignment", "Justification"))
	rules = append(rules, notificationRules("Admin", "Assignment")...)
	rules = append(rules,
		expirationRule("Expiration_EndUser_Assignment", "EndUser", "Assignment", true, set.MaxDuration),
		enablementRule("Enablement_EndUser_Assignment", "EndUser", "Assignment", enabledNames(set)...),
		approvalRule(c, set), contextRule(set))
	return append(rules, notificationRules("EndUser", "Assignment")...)
}

func enabledNames(set cast.Policy) []string {
	var names []string
	if set.MFA {
		names = append(names, "MultiFactorAuthentication")
	}
	if set.Justification {
		names = append(names, "Justification")
	}
	if set.Ticketing {
		names = append(names, "Ticketing")
	}
	return names
}

func ruleOf(kind, id, caller, level string) map[string]any {
	return map[string]any{
		"@odata.type": typePrefix + kind, "id": id,
		"target": map[string]any{
			"caller": caller, "operations": []any{"all"}, "level": level, "inheritableSettings": []any{}, "enforcedSettings": []any{},
		},
	}
}

func expirationRule(id, caller, level string, required bool, longest string) map[string]any {
	r := ruleOf("ExpirationRule", id, caller, level)
	r["isExpirationRequired"], r["maximumDuration"] = required, longest
	return r
}

func enablementRule(id, caller, level string, names ...string) map[string]any {
	r := ruleOf("EnablementRule", id, caller, level)
	list := []any{}
	for _, n := range names {
		list = append(list, n)
	}
	r["enabledRules"] = list
	return r
}

func notificationRules(caller, level string) []map[string]any {
	var rules []map[string]any
	for _, to := range []string{"Admin", "Requestor", "Approver"} {
		r := ruleOf("NotificationRule", "Notification_"+to+"_"+caller+"_"+level, caller, level)
		r["notificationType"], r["recipientType"], r["notificationLevel"] = "Email", to, "All"
		r["isDefaultRecipientsEnabled"], r["notificationRecipients"] = true, []any{}
		rules = append(rules, r)
	}
	return rules
}

func contextRule(set cast.Policy) map[string]any {
	r := ruleOf("AuthenticationContextRule", "AuthenticationContext_EndUser_Assignment", "EndUser", "Assignment")
	r["isEnabled"], r["claimValue"] = set.AuthContext != "", nil
	if set.AuthContext != "" {
		r["claimValue"] = set.AuthContext
	}
	return r
}

func approvalRule(c *cast.Cast, set cast.Policy) map[string]any {
	approvers := []any{}
	for _, name := range set.Approvers {
		approvers = append(approvers, subjectSet(c, name))
	}
	r := ruleOf("ApprovalRule", "Approval_EndUser_Assignment", "EndUser", "Assignment")
	r["setting"] = map[string]any{
		"isApprovalRequired": set.Approval, "isApprovalRequiredForExtension": false,
		"isRequestorJustificationRequired": set.Justification, "approvalMode": "SingleStage",
		"approvalStages": []any{map[string]any{
			"approvalStageTimeOutInDays": 1, "isApproverJustificationRequired": set.ApproverJustification,
			"escalationTimeInMinutes": 0, "isEscalationEnabled": false,
			"primaryApprovers": approvers, "escalationApprovers": []any{},
		}},
	}
	return r
}

func subjectSet(c *cast.Cast, name string) map[string]any {
	if g, ok := c.Group(name); ok {
		return map[string]any{"@odata.type": "#microsoft.graph.groupMembers", "groupId": g.ID, "description": g.Name}
	}
	p, _ := c.Person(name)
	return map[string]any{"@odata.type": "#microsoft.graph.singleUser", "userId": p.ObjectID, "description": p.DisplayName}
}
