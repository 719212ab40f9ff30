package entra

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	kiota "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoftgraph/msgraph-sdk-go/groups"
	"github.com/microsoftgraph/msgraph-sdk-go/identitygovernance"
	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"elevate/internal/pim"
	"elevate/internal/tenant"
)

// What an administrator changes.
const (
	opFindGroup    operation = "find group"
	opMakeGroup    operation = "make group"
	opAddMember    operation = "add member"
	opReadRules    operation = "read rules"
	opSetRule      operation = "set rule"
	opMakeEligible operation = "make eligible"
)

// rights says what each change needs, and who has it.
// https://learn.microsoft.com/graph/api/group-post-groups
// https://learn.microsoft.com/graph/api/unifiedrolemanagementpolicyrule-update
// https://learn.microsoft.com/graph/api/privilegedaccessgroup-post-eligibilityschedulerequests
var rights = map[operation]string{
	opMakeGroup: "Making a group needs the permission Group.ReadWrite.All and the role Groups Administrator; a role-assignable one needs " +
		"RoleManagement.ReadWrite.Directory and the role Privileged Role Administrator.",
	opAddMember: "Adding a member needs the permission Group.ReadWrite.All and the role Groups Administrator, or ownership of the group; for a role-assignable " +
		"group it needs RoleManagement.ReadWrite.Directory and the role Privileged Role Administrator.",
	opReadRules: "Reading PIM's rules needs the permission RoleManagementPolicy.Read.AzureADGroup and the role Global Reader.",
	opSetRule: "Setting PIM's rules needs the permission RoleManagementPolicy.ReadWrite.AzureADGroup and the role Privileged Role Administrator, " +
		"or ownership of the group.",
	opMakeEligible: "Making somebody eligible needs the permission PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup and the role Privileged Role Administrator, " +
		"or ownership of the group.",
}

// changeError says what a change needs where a right is missing, and keeps kind and waiting time. Anything Graph may yet take is
// of kind Throttled, Unavailable or AnswerLost.
func changeError(op operation, err error) error {
	if err == nil {
		return nil
	}
	e := *pim.Explain(err)
	switch e.Kind {
	case pim.Throttled, pim.Unavailable, pim.AnswerLost, pim.Conflict:
		return &e
	case pim.Forbidden, pim.Administered, pim.NotFound, pim.Invalid, pim.SignIn, pim.Internal:
	}
	said := refusal(&e)
	switch {
	case e.Kind == pim.SignIn:
		e.Message = signInEnded
	case strings.EqualFold(e.Code, "AadPremiumLicenseRequired"):
		e.Message = said + " The tenant needs Entra ID P2 or Entra ID Governance for PIM."
	case e.Kind == pim.Forbidden, isMissingRight(e.Code):
		e.Message = said + " " + rights[op] + " A Global Administrator can grant it."
	default:
		e.Message = said
	}
	return &e
}

// signInEnded is said where Entra wants the administrator once more.
const signInEnded = "The sign-in has ended, or Microsoft Entra wants a new one. Run the command again: it asks you to sign in, and goes on where it stopped."

func isMissingRight(code string) bool {
	return slices.ContainsFunc([]string{"Authorization_RequestDenied", "PermissionScopeNotGranted", "InsufficientPermissions", "UnauthorizedAccessException", "AccessDenied", "Forbidden"},
		func(c string) bool { return strings.EqualFold(c, code) })
}

// MakeGroup makes a security group and returns its id, or that of the one which an earlier try made without an answer. A group
// of the same name that came about since the plan was made is somebody else's, and nothing is made beside it.
func (a *Administrator) MakeGroup(ctx context.Context, s tenant.Step, nickname string, lost bool) (pim.GroupID, error) {
	if lost {
		found, err := a.groupsWith(ctx, "mailNickname eq "+quoted(nickname))
		if err != nil || len(found) > 0 {
			return oneOf(found), err
		}
	}
	switch found, err := a.groupsWith(ctx, "displayName eq "+quoted(s.Group)); {
	case err != nil:
		return "", err
	case len(found) > 0:
		return "", pim.Errorf(pim.Conflict, "A group called %s has come about since the plan was made, by somebody else. Look at it; then run the command again, which plans with it.", s.Group)
	}
	group := models.NewGroup()
	group.SetOdataType(nil) // as Microsoft documents the body
	no, is := false, true
	group.SetDisplayName(&s.Group)
	group.SetMailEnabled(&no)
	group.SetSecurityEnabled(&is)
	group.SetMailNickname(&nickname)
	if s.Description != "" {
		group.SetDescription(&s.Description)
	}
	if s.Assignable {
		group.SetIsAssignableToRole(&is)
	}
	k, err := a.client.asApp(opMakeGroup)
	if err != nil {
		return "", err
	}
	var made models.Groupable
	err = k.do(ctx, func(ctx context.Context) (err error) {
		made, err = k.groups().Post(ctx, group, nil)
		return err
	})
	switch {
	case err != nil:
		return "", changeError(opMakeGroup, err)
	case made == nil || str(made.GetId()) == "":
		return "", pim.Errorf(pim.AnswerLost, "%s", answerLost)
	}
	return pim.NewGroupID(str(made.GetId())), nil
}

// groupsWith reads the groups that a filter lets through.
func (a *Administrator) groupsWith(ctx context.Context, filter string) ([]models.Groupable, error) {
	k, err := a.client.asApp(opFindGroup)
	if err != nil {
		return nil, err
	}
	answer, err := k.groupsWhere(ctx, filter)
	switch {
	case err != nil:
		return nil, changeError(opFindGroup, err)
	case answer.GetValue() == nil:
		return nil, notYet("Microsoft Graph gave an answer that cannot be read.")
	}
	return answer.GetValue(), nil
}

func oneOf(found []models.Groupable) pim.GroupID {
	if len(found) == 0 {
		return ""
	}
	return pim.NewGroupID(str(found[0].GetId()))
}

// AddMember adds a person to a group. Who is a member already is no error.
func (a *Administrator) AddMember(ctx context.Context, group pim.GroupID, person pim.PrincipalID) error {
	k, err := a.client.asApp(opAddMember)
	if err != nil {
		return err
	}
	body := models.NewReferenceCreate()
	address := a.client.base.String() + "/directoryObjects/" + string(person)
	body.SetOdataId(&address)
	err = k.do(ctx, func(ctx context.Context) error {
		return k.groups().ByGroupId(string(group)).Members().Ref().Post(ctx, body, &groups.ItemMembersRefRequestBuilderPostRequestConfiguration{})
	})
	if err != nil && strings.Contains(strings.ToLower(readFault(k.seen.status, k.seen.header, k.seen.body).message), "already exist") {
		return nil
	}
	if k.seen.status == http.StatusNotFound {
		return notYet("Microsoft Entra does not know the group or the person everywhere yet.")
	}
	return changeError(opAddMember, err)
}

// notYet is of what settles by itself.
func notYet(message string) error { return pim.Errorf(pim.Unavailable, "%s", message) }

// SetRule sets one of PIM's rules of a group. The rule is read first: what is not declared of it stays as it is.
func (a *Administrator) SetRule(ctx context.Context, group pim.GroupID, s tenant.Step, approvers tenant.Approvers) error {
	policy, rule, err := a.rule(ctx, group, s.Rule)
	if err != nil {
		return err
	}
	if err := declare(rule, s, approvers); err != nil {
		return err
	}
	body, err := json.Marshal(rule)
	if err != nil {
		return pim.Errorf(pim.Internal, "Elevate could not make the rule %s.", s.Rule)
	}
	k, err := a.client.asApp(opSetRule)
	if err != nil {
		return err
	}
	info := kiota.NewRequestInformation()
	info.Method, info.UrlTemplate = kiota.PATCH, "{+baseurl}/policies/roleManagementPolicies/{policy}/rules/{rule}"
	info.PathParameters = map[string]string{"baseurl": a.client.base.String(), "policy": policy, "rule": s.Rule}
	info.SetStreamContentAndContentType(body, "application/json")
	info.Headers.TryAdd("Accept", "application/json")
	// Answered with 204, or with 200 and the rule: neither is read.
	err = k.do(ctx, func(ctx context.Context) error {
		_, err := k.adapter.SendPrimitive(ctx, info, "[]byte", nil)
		return err
	})
	if k.seen.status == http.StatusNotFound {
		return notYet("PIM gave the group's rules new ids.") // as it does when a group comes under PIM
	}
	return changeError(opSetRule, err)
}

// rule reads one rule of a group as it stands. Its policy's id is looked up each time: it changes when the group comes under PIM.
func (a *Administrator) rule(ctx context.Context, group pim.GroupID, id string) (policy string, rule map[string]any, err error) {
	k, err := a.client.asApp(opReadRules)
	if err != nil {
		return "", nil, err
	}
	info, err := policyQuestion(ctx, a.client, group)
	if err != nil {
		return "", nil, pim.Errorf(pim.Internal, "Elevate could not ask for PIM's rules.")
	}
	info.PathParameters["baseurl"] = a.client.base.String()
	err = k.do(ctx, func(ctx context.Context) error {
		_, err := k.adapter.SendPrimitive(ctx, info, "[]byte", nil)
		return err
	})
	const unknown = "PIM does not know the group yet; that takes a minute or two after it was made."
	if f := readFault(k.seen.status, k.seen.header, k.seen.body); k.seen.status == http.StatusNotFound ||
		(k.seen.status == http.StatusBadRequest && strings.HasSuffix(strings.ToLower(f.code), "notfound")) {
		return "", nil, notYet(unknown)
	}
	if err != nil {
		return "", nil, changeError(opReadRules, err)
	}
	var answer struct {
		Value []struct {
			Role   string `json:"roleDefinitionId"`
			Scope  string `json:"scopeId"`
			Policy struct {
				ID    string           `json:"id"`
				Scope string           `json:"scopeId"`
				Rules []map[string]any `json:"rules"`
			} `json:"policy"`
		} `json:"value"`
	}
	if json.Unmarshal(k.seen.body, &answer) != nil {
		return "", nil, notYet("Microsoft Graph gave an answer that cannot be read.")
	}
	for _, assigned := range answer.Value {
		if !strings.EqualFold(assigned.Role, pim.Member) {
			continue
		}
		// What is written to another group's policy would let people into that one.
		if pim.NewGroupID(assigned.Scope) != group || pim.NewGroupID(assigned.Policy.Scope) != group {
			return "", nil, errOther
		}
		for _, r := range assigned.Policy.Rules {
			if name, _ := r["id"].(string); strings.EqualFold(name, id) {
				return assigned.Policy.ID, r, nil
			}
		}
		return "", nil, notYet("PIM has not made all rules of the group yet.")
	}
	return "", nil, notYet(unknown)
}

// declare writes into a rule what is declared of it.
func declare(rule map[string]any, s tenant.Step, approvers tenant.Approvers) error {
	switch s.Rule {
	case tenant.PermanentRule:
		rule["isExpirationRequired"] = false
	case tenant.LongestRule:
		rule["isExpirationRequired"], rule["maximumDuration"] = true, isoDuration(s.Rules.Longest)
	case tenant.EnablementRule:
		rule["enabledRules"] = append([]string{}, tenant.EnabledWords(s.Rules, textsIn(rule["enabledRules"]))...)
	case tenant.ContextRule:
		rule["isEnabled"] = s.Rules.Context != ""
		if s.Rules.Context != "" {
			rule["claimValue"] = s.Rules.Context
		}
	case tenant.ApprovalRule:
		declareApproval(rule, s.Rules.Approval, approvers)
	default:
		if !slices.Contains(tenant.MailRules(), s.Rule) || s.Rules.Mail == nil {
			return pim.Errorf(pim.Internal, "Elevate does not know how to set the rule %s.", s.Rule)
		}
		rule["isDefaultRecipientsEnabled"] = *s.Rules.Mail
	}
	for name := range rule {
		if strings.HasPrefix(name, "@odata.") && name != "@odata.type" {
			delete(rule, name)
		}
	}
	return nil
}

func textsIn(list any) []string {
	var texts []string
	items, _ := list.([]any)
	for _, item := range items {
		if text, ok := item.(string); ok {
			texts = append(texts, text)
		}
	}
	return texts
}

// declareApproval says who approves. Whether approvers have to give a reason, and for how long PIM waits, stays as it is.
func declareApproval(rule map[string]any, needed bool, approvers tenant.Approvers) {
	setting, ok := rule["setting"].(map[string]any)
	if !ok {
		setting = map[string]any{"isApprovalRequiredForExtension": false, "isRequestorJustificationRequired": true}
		rule["setting"] = setting
	}
	setting["isApprovalRequired"] = needed
	if !needed {
		return
	}
	stage := map[string]any{"approvalStageTimeOutInDays": 1, "isApproverJustificationRequired": true, "escalationTimeInMinutes": 0}
	if stages, _ := setting["approvalStages"].([]any); len(stages) > 0 {
		if first, ok := stages[0].(map[string]any); ok {
			stage = first
		}
	}
	primary := []any{}
	for _, id := range approvers.Groups {
		primary = append(primary, map[string]any{"@odata.type": "#microsoft.graph.groupMembers", "groupId": string(id)})
	}
	for _, id := range approvers.People {
		primary = append(primary, map[string]any{"@odata.type": "#microsoft.graph.singleUser", "userId": string(id)})
	}
	stage["primaryApprovers"] = primary
	stage["isEscalationEnabled"], stage["escalationApprovers"] = false, []any{}
	setting["approvalStages"], setting["approvalMode"] = []any{stage}, "SingleStage"
}

// MakeEligible makes a group eligible for membership without end. Who is eligible already is no error.
func (a *Administrator) MakeEligible(ctx context.Context, group pim.GroupID, s tenant.Step, principal pim.PrincipalID) error {
	now, err := a.client.graphNow(ctx)
	if err != nil {
		return changeError(opMakeEligible, err)
	}
	access, action, kind := models.MEMBER_PRIVILEGEDACCESSGROUPRELATIONSHIPS, models.ADMINASSIGN_SCHEDULEREQUESTACTIONS, models.NOEXPIRATION_EXPIRATIONPATTERNTYPE
	if s.Extends {
		action = models.ADMINUPDATE_SCHEDULEREQUESTACTIONS
	}
	expiration := models.NewExpirationPattern()
	expiration.SetTypeEscaped(&kind)
	info := models.NewRequestSchedule()
	info.SetExpiration(expiration)
	info.SetAdditionalData(map[string]any{"startDateTime": now.UTC().Format("2006-01-02T15:04:05.999Z")})
	groupID, principalID, why := string(group), string(principal), "Declared in Elevate's settings for the role "+s.Role+"."
	body := models.NewPrivilegedAccessGroupEligibilityScheduleRequest()
	body.SetOdataType(nil)
	body.SetAccessId(&access)
	body.SetAction(&action)
	body.SetGroupId(&groupID)
	body.SetPrincipalId(&principalID)
	body.SetJustification(&why)
	body.SetScheduleInfo(info)
	k, err := a.client.asApp(opMakeEligible)
	if err != nil {
		return err
	}
	err = k.do(ctx, func(ctx context.Context) error {
		_, err := k.groupAccess().EligibilityScheduleRequests().Post(ctx, body, &identitygovernance.PrivilegedAccessGroupEligibilityScheduleRequestsRequestBuilderPostRequestConfiguration{})
		return err
	})
	e := pim.Explain(err)
	switch {
	case err == nil, !s.Extends && (e.Code == "RoleAssignmentExists" || e.Code == "PendingRoleAssignmentRequest" || e.Code == "RoleAssignmentRequestExists"):
		return nil
	case e.Code == "RoleNotFound", e.Code == "SubjectNotFound", k.seen.status == http.StatusNotFound:
		return notYet("PIM does not know the groups yet; that takes a minute or two after they were made.")
	}
	return changeError(opMakeEligible, err)
}
