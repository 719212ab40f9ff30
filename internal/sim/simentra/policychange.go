package simentra

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Errors of PIM about policies, as public projects have seen them. Which of the first two comes when is not known.
var (
	errPolicyRule = graphError{status: 400, code: "InvalidPolicyRule", message: "The policy rule is invalid."}
	errPolicy     = graphError{status: 400, code: "InvalidPolicy", message: "The policy is invalid."}
	errMfaAndAcrs = graphError{status: 400, code: "MfaAndAcrsConflict", message: "The Mfa and Acrs policy settings cannot be enabled simultaneously."}
)

// patchRule changes the properties that are sent; the type must be named and be the rule's. The first change of a policy
// brings its group under PIM.
func (s *Server) patchRule(c *call) (answer, *graphError) {
	p, e := s.policyAsked(c)
	if e != nil {
		return refuse(e)
	}
	i := slices.IndexFunc(p.rules, func(r map[string]any) bool { return strings.EqualFold(r["id"].(string), c.params["rule"]) })
	if i < 0 {
		return refuse(badRule(c.params["rule"]))
	}
	rule := p.rules[i]
	if e := s.mayAdminister(c.who, p.group); e != nil {
		return refuse(e)
	}
	var change map[string]any
	if err := json.Unmarshal(c.body, &change); err != nil {
		return refuse(badRequest("Unable to read JSON request payload."))
	}
	if e := checkShape(rule, change); e != nil {
		return refuse(e)
	}
	delete(change, "target") // says what the rule is about, which does not change
	after := maps.Clone(rule)
	maps.Copy(after, change)
	if e := s.checkRule(p, after, c.now); e != nil {
		return refuse(e)
	}
	s.keepRule(p, i, after, c.who, c.now)
	if s.behavior.PatchAnswers200 {
		return s.single(c, "policies/roleManagementPolicies('"+p.id+"')/rules", after)
	}
	return noContent()
}

func (s *Server) auditRole(access string) map[string]any {
	target := s.auditTarget(access)
	target["type"], target["displayName"] = "Role", strings.ToUpper(access[:1])+access[1:]
	return target
}

func badRule(id string) *graphError {
	return errPolicyRule.with("The policy rule id " + id + " is invalid.")
}

// checkShape compares a change with the rule: names and kinds of its properties.
func checkShape(rule, change map[string]any) *graphError {
	if change["@odata.type"] != rule["@odata.type"] {
		return badRequest("The property '@odata.type' is required and must be '%s'.", rule["@odata.type"])
	}
	if id, sent := change["id"]; sent && id != rule["id"] {
		return badRequest("The id of a rule cannot be changed.")
	}
	for name, value := range change {
		have, has := rule[name]
		if !has {
			return badRequest("Invalid property '%s'.", name)
		}
		if have != nil && value != nil && kindOf(have) != kindOf(value) {
			return badRequest("Cannot convert the value of '%s' to the expected type.", name)
		}
	}
	return checkTarget(rule, change)
}

func checkTarget(rule, change map[string]any) *graphError {
	target, sent := change["target"].(map[string]any)
	if !sent {
		return nil
	}
	own, _ := rule["target"].(map[string]any)
	for _, name := range []string{"caller", "level"} {
		if value, named := target[name].(string); named && !strings.EqualFold(value, own[name].(string)) {
			return errPolicyRule.with("")
		}
	}
	return nil
}

func kindOf(value any) string {
	switch value.(type) {
	case bool:
		return "boolean"
	case string:
		return "text"
	case []any:
		return "list"
	case map[string]any:
		return "object"
	}
	return "number"
}

// checkRule refuses a rule that PIM cannot keep. The rest of the policy is as it stands: each rule comes by itself.
func (s *Server) checkRule(p *policy, rule map[string]any, now time.Time) *graphError {
	switch strings.TrimPrefix(rule["@odata.type"].(string), typePrefix) {
	case "ExpirationRule":
		return checkExpiration(rule)
	case "EnablementRule":
		return checkEnablement(p, rule)
	case "ApprovalRule":
		return s.checkApproval(rule, now)
	case "AuthenticationContextRule":
		return checkContext(rule)
	}
	return checkNotification(rule)
}

// The shortest and longest that PIM takes.
const (
	shortestLimit = 30 * time.Minute
	longestActive = 24 * time.Hour // of an activation
	longestGrant  = 365 * 24 * time.Hour
)

func checkExpiration(rule map[string]any) *graphError {
	spelled, _ := rule["maximumDuration"].(string)
	limit, valid := parseDuration(spelled)
	required, _ := rule["isExpirationRequired"].(bool)
	longest := longestGrant
	if rule["id"] == "Expiration_EndUser_Assignment" {
		longest = longestActive
	}
	switch {
	case required && spelled == "":
		return errPolicy.with("")
	case spelled != "" && !valid:
		return badRequest("Cannot convert the literal '%s' to the expected type 'Edm.Duration'.", spelled)
	case limit < shortestLimit || limit > longest:
		return errPolicyRule.with("")
	}
	return nil
}

// checkEnablement refuses MFA beside an authentication context. The other way round PIM takes it: both orders were tried.
func checkEnablement(p *policy, rule map[string]any) *graphError {
	list, _ := rule["enabledRules"].([]any)
	for _, name := range list {
		if !slices.Contains([]any{"MultiFactorAuthentication", "Justification", "Ticketing"}, name) {
			return errPolicyRule.with("")
		}
	}
	if rule["id"] == "Enablement_EndUser_Assignment" && slices.Contains(list, any("MultiFactorAuthentication")) && p.authContext() != "" {
		return errMfaAndAcrs.with("")
	}
	return nil
}

var contextShape = regexp.MustCompile(`^c([1-9]|[1-9][0-9])$`)

func checkContext(rule map[string]any) *graphError {
	value, _ := rule["claimValue"].(string)
	if on, _ := rule["isEnabled"].(bool); (on || value != "") && !contextShape.MatchString(value) {
		return errPolicyRule.with("")
	}
	return nil
}

func checkNotification(rule map[string]any) *graphError {
	level, _ := rule["notificationLevel"].(string)
	kind, _ := rule["notificationType"].(string)
	if !slices.Contains([]string{"None", "Critical", "All"}, level) || kind != "Email" {
		return errPolicyRule.with("")
	}
	return nil
}

var settingFields = []string{
	"@odata.type", "isApprovalRequired", "isApprovalRequiredForExtension", "isRequestorJustificationRequired", "approvalMode", "approvalStages",
}

var stageFields = []string{
	"@odata.type", "approvalStageTimeOutInDays", "isApproverJustificationRequired", "escalationTimeInMinutes", "isEscalationEnabled",
	"primaryApprovers", "escalationApprovers",
}

func (s *Server) checkApproval(rule map[string]any, now time.Time) *graphError {
	setting, _ := rule["setting"].(map[string]any)
	if e := onlyFields(setting, settingFields); e != nil {
		return e
	}
	required, _ := setting["isApprovalRequired"].(bool)
	stages, _ := setting["approvalStages"].([]any)
	mode, _ := setting["approvalMode"].(string)
	if !slices.Contains([]string{"", "SingleStage", "NoApproval"}, mode) || len(stages) > 1 || (required && (len(stages) == 0 || mode == "NoApproval")) {
		return errPolicyRule.with("")
	}
	approvers := 0
	for _, stage := range stages {
		fields, _ := stage.(map[string]any)
		if e := onlyFields(fields, stageFields); e != nil {
			return e
		}
		list, _ := fields["primaryApprovers"].([]any)
		if e := s.checkApprovers(list, now); e != nil {
			return e
		}
		approvers += len(list)
		fields["escalationApprovers"] = []any{} // taken, and left out
	}
	if required && approvers == 0 {
		return errPolicyRule.with("")
	}
	return nil
}

func onlyFields(object map[string]any, fields []string) *graphError {
	for name := range object {
		if !slices.Contains(fields, name) {
			return badRequest("Invalid property '%s'.", name)
		}
	}
	return nil
}

// checkApprovers wants people and groups that PIM knows, and notes their names.
func (s *Server) checkApprovers(list []any, now time.Time) *graphError {
	for _, item := range list {
		set, _ := item.(map[string]any)
		if e := onlyFields(set, []string{"@odata.type", "userId", "groupId", "description", "isBackup"}); e != nil {
			return e
		}
		user, _ := set["userId"].(string)
		groupID, _ := set["groupId"].(string)
		p, g := s.dir.person(user), s.dir.group(groupID)
		switch set["@odata.type"] {
		case "#microsoft.graph.singleUser":
			if p == nil || groupID != "" {
				return errNoSubject.with("")
			}
			set["description"] = p.DisplayName
		case "#microsoft.graph.groupMembers":
			if g == nil || user != "" || !s.knows(g.ID, now) {
				return errNoSubject.with("")
			}
			set["description"] = g.Name
		default:
			return errPolicyRule.with("")
		}
	}
	return nil
}
