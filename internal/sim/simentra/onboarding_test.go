package simentra_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"elevate/internal/sim/cast"
	"elevate/internal/sim/simentra"
)

const ruleType = "#microsoft.graph.unifiedRoleManagementPolicy"

// policies lists a group's policy for members with its rules, if it can be read.
func (w *world) policies(group string) []map[string]any {
	w.t.Helper()
	return w.value("ada", "/v1.0/policies/roleManagementPolicyAssignments?$filter=scopeId eq '"+group+
		"' and scopeType eq 'Group' and roleDefinitionId eq 'member'&$expand=policy($expand=rules)")
}

// policyID is the id of a group's policy for members as it is now.
func (w *world) policyID(group string) string {
	w.t.Helper()
	found := w.policies(group)
	if len(found) != 1 {
		w.t.Fatalf("%d policies", len(found))
	}
	return found[0]["policyId"].(string)
}

// change sends a change of a rule; kind is its type without the prefix.
func (w *world) change(who, policy, kind, rule string, pairs ...any) reply {
	w.t.Helper()
	body := map[string]any{"@odata.type": ruleType + kind, "id": rule}
	for i := 0; i < len(pairs); i += 2 {
		body[pairs[i].(string)] = pairs[i+1]
	}
	return w.call(who, http.MethodPatch, "/v1.0/policies/roleManagementPolicies/"+policy+"/rules/"+rule, body)
}

func (w *world) makeEligible(who, principal, group string, expiration map[string]any) reply {
	w.t.Helper()
	return w.call(who, http.MethodPost, pim+"eligibilityScheduleRequests", map[string]any{
		"accessId": "member", "principalId": principal, "groupId": group, "action": "adminAssign", "justification": "set up",
		"scheduleInfo": map[string]any{"expiration": expiration},
	})
}

func forEver() map[string]any { return map[string]any{"type": "noExpiration"} }

func aYear() map[string]any {
	return map[string]any{"type": "afterDuration", "duration": "P365D"}
}

func TestAFreshGroupComesUnderPIM(t *testing.T) {
	t.Parallel()
	w := setup(t, simentra.Behavior{OnboardingLag: time.Minute})
	g := w.created("isAssignableToRole", true)
	old := w.policyID(g)
	rules := w.policies(g)[0]["policy"].(map[string]any)["rules"].([]any)
	if first := rules[0].(map[string]any); len(rules) != 17 || first["isExpirationRequired"] != true || first["maximumDuration"] != "P365D" {
		t.Errorf("%d rules, the first is %v", len(rules), rules[0])
	}
	approvers := w.group(cast.Approvers)
	if r := w.makeEligible("ada", approvers, g, forEver()); r.status != 400 || !strings.Contains(r.body, "ExpirationRule") {
		t.Errorf("for ever, before that is allowed: %d %s", r.status, r.body)
	}
	if w.policyID(g) != old {
		t.Error("a refused request brought the group under PIM")
	}
	if r := w.change("ada", old, "ExpirationRule", "Expiration_Admin_Eligibility", "isExpirationRequired", false); r.status != http.StatusNoContent {
		t.Fatalf("allowing it: %d %s", r.status, r.body)
	}
	if r := w.change("ada", old, "ExpirationRule", "Expiration_Admin_Eligibility", "isExpirationRequired", false); r.status != 404 || r.code(t) != "ResourceNotFound" {
		t.Errorf("the old id: %d %s", r.status, r.body)
	}
	if got := w.policies(g); len(got) != 0 {
		t.Errorf("at once: %v", got)
	}
	w.clock.Advance(30 * time.Second)
	if got := w.policies(g)[0]["policy"].(map[string]any)["rules"].([]any); len(got) >= 17 {
		t.Error("all rules are there half-way")
	}
	w.clock.Advance(30 * time.Second)
	if id := w.policyID(g); id == old || !strings.HasPrefix(id, "Group_"+g+"_") {
		t.Errorf("the policy is %s", id)
	}
	if r := w.makeEligible("ada", approvers, g, forEver()); r.status != http.StatusCreated || r.json(t)["status"] != "Provisioned" {
		t.Errorf("for ever, now that it is allowed: %d %s", r.status, r.body)
	}
	for activity, want := range map[string]int{
		"Onboarded resource to PIM": 1, "Update role setting in PIM": 1, "Add eligible member to role in PIM completed (permanent)": 1,
	} {
		rows := w.value("ada", "/v1.0/auditLogs/directoryAudits?$filter=loggedByService eq 'PIM' and activityDisplayName eq '"+activity+
			"' and targetResources/any(t: t/id eq '"+g+"')")
		if len(rows) != want || rows[0]["initiatedBy"].(map[string]any)["user"].(map[string]any)["displayName"] != "Ada Adler" {
			t.Errorf("%s: %v", activity, rows)
		}
	}
}

func TestAnEligibilityAloneBringsAGroupUnderPIM(t *testing.T) {
	t.Parallel()
	w := setup(t, simentra.Behavior{})
	g := w.created()
	old := w.policyID(g)
	if r := w.makeEligible("greta", w.person("carol").ObjectID, g, aYear()); r.status != http.StatusCreated {
		t.Fatalf("got %d %s", r.status, r.body)
	}
	if w.policyID(g) == old {
		t.Error("the policy kept its id")
	}
	old = w.policyID(w.group(cast.RoleAnalyst))
	if r := w.makeEligible("ada", w.person("carol").ObjectID, w.group(cast.RoleAnalyst), aYear()); r.status != http.StatusCreated || w.policyID(w.group(cast.RoleAnalyst)) != old {
		t.Errorf("a group that was under PIM already: %d", r.status)
	}
}

func TestPIMHearsLateOfNewGroups(t *testing.T) {
	t.Parallel()
	w := setup(t, simentra.Behavior{NewGroupLag: 90 * time.Second})
	g := w.created("isAssignableToRole", true)
	people := w.created("displayName", "PIM MDE Hunter")
	carol := w.person("carol").ObjectID
	if got := w.policies(g); len(got) != 0 {
		t.Errorf("policies %v", got)
	}
	if r := w.makeEligible("ada", carol, g, aYear()); r.status != 400 || r.code(t) != "RoleNotFound" {
		t.Errorf("a new group: %d %s", r.status, r.body)
	}
	if r := w.makeEligible("ada", people, w.group(cast.RoleAnalyst), aYear()); r.status != 400 || r.code(t) != "SubjectNotFound" {
		t.Errorf("a new principal: %d %s", r.status, r.body)
	}
	if r := w.call("ada", http.MethodGet, pim+"eligibilitySchedules?$filter=groupId eq '"+g+"'", nil); r.status != 404 || r.code(t) != "ResourceNotFound" {
		t.Errorf("its list: %d %s", r.status, r.body)
	}
	w.clock.Advance(90 * time.Second)
	if r := w.makeEligible("ada", people, g, aYear()); r.status != http.StatusCreated || len(w.policies(g)) != 1 {
		t.Errorf("later: %d %s", r.status, r.body)
	}
}

func TestGroupsThatPIMDoesNotTake(t *testing.T) {
	t.Parallel()
	c := cast.Model()
	names := []string{"Dynamic", "Synced", "Restricted"}
	for i, name := range names {
		g := cast.Group{ID: cast.Derived("94095001", i+1), Name: name}
		switch name {
		case "Dynamic":
			g.MembershipRule = `(user.department -eq "SOC")`
		case "Synced":
			g.Synced = true
		default:
			g.ManagementRestricted = true
		}
		c.Groups = append(c.Groups, g)
	}
	w := setupOf(t, c, simentra.Behavior{})
	for _, name := range names {
		if got := w.policies(w.group(name)); len(got) != 0 {
			t.Errorf("%s has policies %v", name, got)
		}
		if r := w.makeEligible("ada", w.person("carol").ObjectID, w.group(name), aYear()); r.status != 400 || r.code(t) != "InvalidRoleAssignmentRequest" {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	get := func(name string) map[string]any {
		return w.call("ada", http.MethodGet, "/v1.0/groups/"+w.group(name)+"?$select=groupTypes,membershipRule,onPremisesSyncEnabled,isManagementRestricted", nil).json(t)
	}
	if g := get("Dynamic"); g["membershipRule"] == nil || g["groupTypes"].([]any)[0] != "DynamicMembership" {
		t.Errorf("got %v", g)
	}
	if get("Synced")["onPremisesSyncEnabled"] != true || get("Restricted")["isManagementRestricted"] != true {
		t.Errorf("got %v and %v", get("Synced"), get("Restricted"))
	}
	add := map[string]any{"members@odata.bind": w.refs("carol")}
	for _, group := range []string{"Synced", "Restricted"} {
		if r := w.call("ada", http.MethodPatch, "/v1.0/groups/"+w.group(group), add); r.status < 400 {
			t.Errorf("%s got a member: %d", group, r.status)
		}
	}
	if r := w.call("ada", http.MethodPatch, "/v1.0/groups/"+w.group("Dynamic"), add); r.status != 400 || !strings.Contains(r.body, "dynamic membership") {
		t.Errorf("got %d %s", r.status, r.body)
	}
}

// approval is the setting of an approval rule.
func approval(required bool, approvers ...any) map[string]any {
	return map[string]any{"isApprovalRequired": required, "approvalMode": "SingleStage", "approvalStages": []any{map[string]any{
		"approvalStageTimeOutInDays": 1, "isApproverJustificationRequired": true, "escalationTimeInMinutes": 0, "isEscalationEnabled": false,
		"primaryApprovers": approvers, "escalationApprovers": []any{},
	}}}
}

func approver(kind, name, id string) map[string]any {
	return map[string]any{"@odata.type": "#microsoft.graph." + kind, name: id}
}

func TestChangesOfRulesThatPIMRefuses(t *testing.T) {
	t.Parallel()
	w := setup(t, simentra.Behavior{})
	w.tokens["alice"] = w.deviceToken("alice", w.graph+"/.default openid")
	const expiration, enablement, approvals, context = "Expiration_EndUser_Assignment", "Enablement_EndUser_Assignment", "Approval_EndUser_Assignment", "AuthenticationContext_EndUser_Assignment"
	id := w.policyID(w.group(cast.RoleAnalyst))
	nobody := "11111111-2222-4333-8444-555555555555"
	if r := w.change("ada", id, "AuthenticationContextRule", context, "isEnabled", true, "claimValue", "c1"); r.status != http.StatusNoContent {
		t.Fatalf("the context: %d %s", r.status, r.body)
	}
	for name, row := range map[string]struct {
		who, kind, rule string
		pairs           []any
		status          int
		code            string
	}{
		"25 hours":                           {"ada", "ExpirationRule", expiration, []any{"maximumDuration", "PT25H"}, 400, "InvalidPolicyRule"},
		"29 minutes":                         {"ada", "ExpirationRule", expiration, []any{"maximumDuration", "PT29M"}, 400, "InvalidPolicyRule"},
		"no duration":                        {"ada", "ExpirationRule", expiration, []any{"maximumDuration", ""}, 400, "InvalidPolicy"},
		"a month":                            {"ada", "ExpirationRule", expiration, []any{"maximumDuration", "P1M"}, 400, "BadRequest"},
		"two years of eligibility":           {"ada", "ExpirationRule", "Expiration_Admin_Eligibility", []any{"maximumDuration", "P730D"}, 400, "InvalidPolicyRule"},
		"a number":                           {"ada", "ExpirationRule", expiration, []any{"maximumDuration", 8}, 400, "BadRequest"},
		"an unknown property":                {"ada", "ExpirationRule", expiration, []any{"longest", "PT8H"}, 400, "BadRequest"},
		"another type":                       {"ada", "EnablementRule", expiration, []any{"maximumDuration", "PT8H"}, 400, "BadRequest"},
		"another target":                     {"ada", "ExpirationRule", expiration, []any{"target", map[string]any{"caller": "Admin"}}, 400, "InvalidPolicyRule"},
		"an unknown rule":                    {"ada", "ExpirationRule", "Expiration_Nobody", nil, 400, "InvalidPolicyRule"},
		"an unknown demand":                  {"ada", "EnablementRule", enablement, []any{"enabledRules", []any{"Fingerprint"}}, 400, "InvalidPolicyRule"},
		"MFA beside a context":               {"ada", "EnablementRule", enablement, []any{"enabledRules", []any{"MultiFactorAuthentication"}}, 400, "MfaAndAcrsConflict"},
		"a context without a name":           {"ada", "AuthenticationContextRule", context, []any{"claimValue", ""}, 400, "InvalidPolicyRule"},
		"a hundredth context":                {"ada", "AuthenticationContextRule", context, []any{"claimValue", "c100"}, 400, "InvalidPolicyRule"},
		"approval by nobody":                 {"ada", "ApprovalRule", approvals, []any{"setting", approval(true)}, 400, "InvalidPolicyRule"},
		"an approver who is not":             {"ada", "ApprovalRule", approvals, []any{"setting", approval(true, approver("singleUser", "userId", nobody))}, 400, "SubjectNotFound"},
		"an approver group that is a person": {"ada", "ApprovalRule", approvals, []any{"setting", approval(true, approver("groupMembers", "groupId", w.person("bob").ObjectID))}, 400, "SubjectNotFound"},
		"an approver of another kind":        {"ada", "ApprovalRule", approvals, []any{"setting", approval(true, approver("requestorManager", "userId", nobody))}, 400, "InvalidPolicyRule"},
		"two stages":                         {"ada", "ApprovalRule", approvals, []any{"setting", map[string]any{"approvalStages": []any{map[string]any{}, map[string]any{}}}}, 400, "InvalidPolicyRule"},
		"a setting that is not there":        {"ada", "ApprovalRule", approvals, []any{"setting", map[string]any{"approvers": []any{}}}, 400, "BadRequest"},
		"a shouted notification":             {"ada", "NotificationRule", "Notification_Admin_EndUser_Assignment", []any{"notificationLevel", "Loud"}, 400, "InvalidPolicyRule"},
		"alice owns nothing":                 {"alice", "ExpirationRule", expiration, []any{"maximumDuration", "PT1H"}, 403, "InsufficientPermissions"},
		"greta, a role-enabled group":        {"greta", "ExpirationRule", expiration, []any{"maximumDuration", "PT1H"}, 403, "InsufficientPermissions"},
		"the bot may only read":              {"app", "ExpirationRule", expiration, []any{"maximumDuration", "PT1H"}, 403, "PermissionScopeNotGranted"},
	} {
		if r := w.change(row.who, id, row.kind, row.rule, row.pairs...); r.status != row.status || r.code(t) != row.code {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
}

func TestChangesOfRulesThatPIMTakes(t *testing.T) {
	t.Parallel()
	w := setup(t, simentra.Behavior{PatchAnswers200: true})
	group := w.group(cast.RoleAnalyst)
	id := w.policyID(group)
	target := map[string]any{"@odata.type": "microsoft.graph.unifiedRoleManagementPolicyRuleTarget", "caller": "EndUser", "operations": []any{"All"}, "level": "Assignment", "inheritableSettings": []any{}, "enforcedSettings": []any{}}
	approvers := []any{approver("singleUser", "userId", w.person("carol").ObjectID), approver("groupMembers", "groupId", w.group(cast.Approvers))}
	for name, r := range map[string]reply{
		"a day":               w.change("ada", id, "ExpirationRule", "Expiration_EndUser_Assignment", "maximumDuration", "PT24H", "target", target),
		"MFA, then a context": w.change("ada", id, "EnablementRule", "Enablement_EndUser_Assignment", "enabledRules", []any{"MultiFactorAuthentication", "Ticketing"}),
		"a context":           w.change("ada", id, "AuthenticationContextRule", "AuthenticationContext_EndUser_Assignment", "isEnabled", true, "claimValue", "c3"),
		"two approvers":       w.change("ada", id, "ApprovalRule", "Approval_EndUser_Assignment", "setting", approval(true, approvers...)),
		"a quiet one":         w.change("ada", id, "NotificationRule", "Notification_Admin_EndUser_Assignment", "notificationLevel", "Critical", "notificationRecipients", []any{"soc@contoso.example"}),
	} {
		if r.status != http.StatusOK || !strings.HasPrefix(r.json(t)["@odata.type"].(string), ruleType) {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	p, err := w.server.Policy(cast.RoleAnalyst)
	must(t, err)
	if p.MaxDuration != "PT24H" || !p.MFA || p.Justification || !p.Ticketing || p.AuthContext != "c3" || !p.Approval || strings.Join(p.Approvers, " ") != "carol "+cast.Approvers {
		t.Errorf("got %+v", p)
	}
	if r := w.call("ada", http.MethodGet, "/v1.0/policies/roleManagementPolicies/"+id, nil).json(t); r["lastModifiedBy"].(map[string]any)["displayName"] != "Ada Adler" {
		t.Errorf("got %v", r)
	}
}

func TestAGroupIsNoActiveMemberOfARoleEnabledOne(t *testing.T) {
	t.Parallel()
	w := setup(t, simentra.Behavior{})
	r := w.call("ada", http.MethodPost, pim+"assignmentScheduleRequests", map[string]any{
		"accessId": "member", "principalId": w.group(cast.Approvers), "groupId": w.group(cast.RoleAnalyst), "action": "adminAssign", "justification": "x",
	})
	if r.status != 400 || !strings.Contains(r.body, "Nesting") {
		t.Errorf("got %d %s", r.status, r.body)
	}
}
