package simentra_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"elevate/internal/sim/cast"
	"elevate/internal/sim/simentra"
)

func TestTokensAreChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	other := newWorld(t, simentra.Behavior{})
	path := w.graph + "/v1.0/users/" + w.person("alice").ObjectID
	session := w.session("alice")
	good := w.as("app")
	for name, row := range map[string]struct {
		header string
		text   string
	}{
		"no token":             {"", "Access token is empty."},
		"not a bearer token":   {"Basic " + good, "Access token is empty."},
		"another tenant's key": {"Bearer " + other.as("app"), "Signature is invalid"},
		"an ID token":          {"Bearer " + session["id_token"].(string), "Invalid audience"},
		"a changed token":      {"Bearer " + good[:len(good)-4] + "AAAA", "Signature is invalid"},
		"something else":       {"Bearer x.y.z", "Signature is invalid"},
		"an unsigned token":    {"Bearer eyJhbGciOiJub25lIn0.e30.", "Signature is invalid"},
	} {
		r := w.do(w.client, http.MethodGet, path, http.Header{"Authorization": {row.header}}, "")
		if r.status != http.StatusUnauthorized || r.code(t) != "InvalidAuthenticationToken" || !strings.Contains(r.body, row.text) {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	w.clock.Advance(48 * time.Hour) // the movable clock ends no token
	if r := w.call("app", http.MethodGet, "/v1.0/users/"+w.person("alice").ObjectID, nil); r.status != http.StatusOK {
		t.Errorf("got %d %s", r.status, r.body)
	}
	w.age(76 * time.Minute)
	if r := w.call("app", http.MethodGet, "/v1.0/users/"+w.person("alice").ObjectID, nil); r.status != http.StatusUnauthorized || !strings.Contains(r.body, "expired") {
		t.Errorf("got %d %s", r.status, r.body)
	}
}

func TestRevokedPeopleAreChallengedIfTheirClientUnderstands(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	w.tokens["alice"] = w.session("alice", "claims", `{"access_token":{"xms_cc":{"values":["CP1"]}}}`)["access_token"].(string)
	mine := pim + "eligibilityScheduleInstances/filterByCurrentUser(on='principal')"
	w.as("dan")
	must(t, w.server.RevokeSessions("alice"))
	must(t, w.server.RevokeSessions("dan"))
	r := w.call("alice", http.MethodGet, mine, nil)
	if challenge := r.header.Get("WWW-Authenticate"); r.status != 401 || !strings.Contains(challenge, `error="insufficient_claims"`) || !strings.Contains(challenge, `claims="`) {
		t.Errorf("got %d %v", r.status, r.header)
	}
	if r := w.call("dan", http.MethodGet, mine, nil); r.status != http.StatusOK {
		t.Errorf("without cp1 the token should live on: %d %s", r.status, r.body)
	}
	w.tokens["alice"] = w.session("alice", "claims", `{"access_token":{"xms_cc":{"values":["CP1"]}}}`)["access_token"].(string)
	if r := w.call("alice", http.MethodGet, mine, nil); r.status != http.StatusOK {
		t.Errorf("after a new sign-in: %d %s", r.status, r.body)
	}
	must(t, w.server.RemovePerson("dan"))
	if r := w.call("dan", http.MethodGet, mine, nil); r.status != http.StatusUnauthorized {
		t.Errorf("a deleted account's token: %d %s", r.status, r.body)
	}
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	id := w.activate("alice", cast.RoleAdministrator)["id"].(string)
	role, alice := w.group(cast.RoleAdministrator), w.person("alice").ObjectID
	filter := "?$filter=groupId eq '" + role + "'"
	policies := "/v1.0/policies/roleManagementPolicyAssignments?$filter=scopeId eq '" + role + "' and scopeType eq 'Group'"
	for name, row := range map[string]struct {
		who, method, path string
		status            int
		code              string
	}{
		"the app cannot approve":                   {"app", "PATCH", pim + "assignmentApprovals/" + id + "/stages/" + id, 403, "UnauthorizedAccessException"},
		"the app cannot see approvals":             {"app", "GET", pim + "assignmentApprovals/" + id, 403, "UnauthorizedAccessException"},
		"the app cannot activate":                  {"app", "POST", pim + "assignmentScheduleRequests", 403, "PermissionScopeNotGranted"},
		"the app cannot cancel":                    {"app", "POST", pim + "assignmentScheduleRequests/" + id + "/cancel", 403, "PermissionScopeNotGranted"},
		"the app cannot change members":            {"app", "POST", "/v1.0/groups/" + role + "/members/$ref", 403, "Authorization_RequestDenied"},
		"the app cannot read all of the directory": {"app", "GET", "/v1.0/directoryObjects/" + alice, 403, "Authorization_RequestDenied"},
		"people cannot read policies":              {"alice", "GET", policies, 403, "PermissionScopeNotGranted"},
		"people cannot read the directory":         {"alice", "GET", "/v1.0/users/" + alice, 403, "Authorization_RequestDenied"},
		"people cannot list others' assignments":   {"alice", "GET", pim + "assignmentScheduleInstances" + filter, 403, "InsufficientPermissions"},
		"administrators can":                       {"ada", "GET", pim + "assignmentScheduleInstances" + filter, 200, ""},
		"a stranger cannot see a request":          {"dan", "GET", pim + "assignmentScheduleRequests/" + id, 403, "InsufficientPermissions"},
		"its requester can":                        {"alice", "GET", pim + "assignmentScheduleRequests/" + id, 200, ""},
		"an approver can":                          {"bob", "GET", pim + "assignmentScheduleRequests/" + id, 200, ""},
		"a stranger cannot see an approval":        {"dan", "GET", pim + "assignmentApprovals/" + id + "/stages", 403, "InsufficientPermissions"},
		"the app reads policies":                   {"app", "GET", policies, 200, ""},
		"the app reads people":                     {"app", "GET", "/v1.0/users/" + alice, 200, ""},
		"the app has no current user":              {"app", "GET", pim + "assignmentScheduleRequests/filterByCurrentUser(on='principal')", 400, "BadRequest"},
		"unknown segment":                          {"app", "GET", pim + "somethingElse", 400, "BadRequest"},
		"unknown root":                             {"app", "GET", "/v1.0/nothing", 400, "BadRequest"},
		"unknown version":                          {"app", "GET", "/v2.0/users", 400, "BadRequest"},
		"method that is not there":                 {"app", "DELETE", pim + "assignmentScheduleRequests/" + id, 405, "Request_BadRequest"},
		"unknown user":                             {"app", "GET", "/v1.0/users/11111111-2222-4333-8444-555555555555", 404, "Request_ResourceNotFound"},
		"unknown group":                            {"app", "GET", "/v1.0/groups/11111111-2222-4333-8444-555555555555/members", 404, "Request_ResourceNotFound"},
		"unknown request":                          {"app", "GET", pim + "assignmentScheduleRequests/x", 404, "RoleAssignmentRequestNotFound"},
		"list without its filter":                  {"app", "GET", pim + "assignmentScheduleInstances", 400, "InvalidFilter"},
		"list with half a filter":                  {"app", "GET", pim + "assignmentScheduleRequests?$filter=status eq 'PendingApproval'", 400, "InvalidFilter"},
		"policies without their filter":            {"app", "GET", "/v1.0/policies/roleManagementPolicyAssignments?$filter=scopeId eq '" + role + "'", 400, "InvalidFilter"},
		"a filter that cannot be read":             {"app", "GET", "/v1.0/groups?$filter=displayName is 'x'", 400, "BadRequest"},
		"a property that is not there":             {"app", "GET", "/v1.0/users?$select=shoeSize", 400, "BadRequest"},
		"an expansion that is not there":           {"app", "GET", "/v1.0/groups?$expand=members", 400, "BadRequest"},
	} {
		r := w.call(row.who, row.method, row.path, map[string]any{"reviewResult": "Approve"})
		if row.method == "GET" {
			r = w.call(row.who, row.method, row.path, nil)
		}
		if r.status != row.status {
			t.Errorf("%s: %d %s", name, r.status, r.body)
			continue
		}
		if row.code != "" && r.code(t) != row.code {
			t.Errorf("%s: code %s", name, r.code(t))
		}
	}
}

func TestUnknownSegmentsAreNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	for path, segment := range map[string]string{
		pim + "somethingElse": "somethingElse", "/v1.0/nothing/x": "nothing", "/v1.0/groups/x/y": "y",
		pim + "eligibilityScheduleInstances/filterByCurrentUser(on=principal)": "filterByCurrentUser(on=principal)",
	} {
		if r := w.call("app", http.MethodGet, path, nil); !strings.Contains(r.body, "Resource not found for the segment '"+segment+"'.") {
			t.Errorf("%s: %s", path, r.body)
		}
	}
}

func TestEveryAnswerHasGraphsHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	w.clock.Advance(1000 * time.Hour)
	for path, status := range map[string]int{"/v1.0/groups": 200, "/v1.0/nothing": 400} {
		r := w.call("app", http.MethodGet, path, nil)
		if r.status != status || r.header.Get("request-id") == "" || r.header.Get("client-request-id") == "" {
			t.Errorf("%s: %d %v", path, r.status, r.header)
		}
		if r.header.Get("Date") != w.clock.Now().UTC().Format(http.TimeFormat) {
			t.Errorf("%s: Date is %s", path, r.header.Get("Date"))
		}
	}
}

func TestEligibilitiesThroughAGroup(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	mine := w.value("alice", pim+"eligibilityScheduleInstances/filterByCurrentUser(on='principal')")
	if len(mine) != 3 {
		t.Fatalf("alice has %v", mine)
	}
	for _, e := range mine {
		if e["memberType"] != "Group" || e["endDateTime"] != nil || e["principalId"] == w.person("alice").ObjectID {
			t.Errorf("got %v", e)
		}
	}
	if got := w.value("carol", pim+"eligibilityScheduleInstances/filterByCurrentUser(on='principal')"); len(got) != 0 {
		t.Errorf("carol has %v", got)
	}
	direct := w.value("app", pim+"eligibilitySchedules?$filter=groupId eq '"+w.group(cast.RoleAnalyst)+"'")
	if len(direct) != 1 || direct[0]["principalId"] != w.group(cast.PIMAnalyst) || direct[0]["memberType"] != "direct" {
		t.Errorf("got %v", direct)
	}
}

func TestSpellingOfTheDocuments(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	id := w.activate("alice", cast.RoleAnalyst)["id"].(string)
	must(t, w.server.AddMember(cast.RoleAnalyst, "carol"))
	single := w.call("app", http.MethodGet, pim+"assignmentScheduleRequests/"+id, nil).json(t)
	listed := w.value("alice", pim+"assignmentScheduleRequests/filterByCurrentUser(on='principal')")[0]
	kind := func(v map[string]any) any {
		return v["scheduleInfo"].(map[string]any)["expiration"].(map[string]any)["type"]
	}
	if single["action"] != "selfActivate" || kind(single) != "afterDuration" || listed["action"] != "SelfActivate" || kind(listed) != "AfterDuration" {
		t.Errorf("got %v and %v", single, listed)
	}
	if single["createdDateTime"] != "2026-03-02T09:00:00.1234567Z" {
		t.Errorf("created %v", single["createdDateTime"])
	}
	for _, i := range w.instances(cast.RoleAnalyst) {
		want := []any{"activated", "Direct", "2026-03-02T09:00:00.1234567Z"}
		if i["principalId"] == w.person("carol").ObjectID {
			want = []any{"Assigned", "Direct", nil}
		}
		if got := []any{i["assignmentType"], i["memberType"], i["startDateTime"]}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

func TestListsComeInSmallPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{PageSize: 2})
	path := "/v1.0/groups/" + w.group(cast.PIMAdministrator) + "/members?$select=id,displayName&$top=999"
	first := w.call("app", http.MethodGet, path, nil).json(t)
	if len(first["value"].([]any)) != 2 || !strings.HasPrefix(first["@odata.nextLink"].(string), w.graph+"/v1.0/groups/") {
		t.Fatalf("got %v", first)
	}
	all := w.value("app", path)
	if len(all) != 7 || len(all[0]) != 3 {
		t.Errorf("got %v", all)
	}
	w.server.SetBehavior(func(b *simentra.Behavior) { b.PageSize = 100 })
	if got := w.call("app", http.MethodGet, path, nil).json(t); len(got["value"].([]any)) != 7 || got["@odata.nextLink"] != nil {
		t.Errorf("got %v", got)
	}
}

func TestDirectory(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	alice := w.person("alice")
	if u := w.call("app", http.MethodGet, "/v1.0/users/"+alice.UPN, nil).json(t); u["id"] != alice.ObjectID || u["accountEnabled"] != nil {
		t.Errorf("by default got %v", u)
	}
	u := w.call("app", http.MethodGet, "/v1.0/users/"+w.person("gus").ObjectID+"?$select=accountEnabled,userType,employeeId", nil).json(t)
	if u["accountEnabled"] != true || u["userType"] != "Guest" || u["employeeId"] != nil {
		t.Errorf("got %v", u)
	}
	if got := w.value("app", "/v1.0/users?$filter=userPrincipalName eq '"+strings.ToUpper(alice.UPN)+"'"); len(got) != 1 {
		t.Errorf("got %v", got)
	}
	if got := w.value("app", "/v1.0/groups?$filter=displayName eq '"+cast.RoleAnalyst+"'&$select=id,isAssignableToRole"); len(got) != 1 || got[0]["isAssignableToRole"] != true {
		t.Errorf("got %v", got)
	}
	if got := w.value("app", "/v1.0/groups/"+w.group(cast.RoleAnalyst)+"/owners"); len(got) != 1 || got[0]["id"] != w.person("ada").ObjectID {
		t.Errorf("got %v", got)
	}
	if got := w.value("app", "/v1.0/groups/"+w.group(cast.Approvers)+"/transitiveMembers/microsoft.graph.user?$select=id"); len(got) != 2 {
		t.Errorf("got %v", got)
	}
	check := func(n int) reply {
		ids := slices.Repeat([]string{w.group(cast.Auditors)}, n)
		ids[0] = w.group(cast.PIMAnalyst)
		return w.call("app", http.MethodPost, "/v1.0/users/"+alice.ObjectID+"/checkMemberGroups", map[string]any{"groupIds": ids})
	}
	if r := check(20); r.status != 200 || !slices.Equal(r.json(t)["value"].([]any), []any{w.group(cast.PIMAnalyst)}) {
		t.Errorf("got %d %s", r.status, r.body)
	}
	if r := check(21); r.status != http.StatusBadRequest {
		t.Errorf("got %d %s", r.status, r.body)
	}
}

func TestPoliciesAreReadAndChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	role := w.group(cast.RoleAdministrator)
	path := "/v1.0/policies/roleManagementPolicyAssignments?$filter=scopeId eq '" + role + "' and scopeType eq 'Group' and roleDefinitionId eq 'member'&$expand=policy($expand=rules)"
	found := w.value("app", path)
	if len(found) != 1 {
		t.Fatalf("got %v", found)
	}
	rules := found[0]["policy"].(map[string]any)["rules"].([]any)
	if len(rules) != 17 {
		t.Errorf("there are %d rules", len(rules))
	}
	rule := "/v1.0/policies/roleManagementPolicies/" + found[0]["policyId"].(string) + "/rules/Expiration_EndUser_Assignment"
	change := map[string]any{"@odata.type": "#microsoft.graph.unifiedRoleManagementPolicyExpirationRule", "maximumDuration": "PT30M"}
	if r := w.call("app", http.MethodPatch, rule, change); r.status != http.StatusForbidden {
		t.Errorf("the bot changed a rule: %d", r.status)
	}
	w.server.SetConsents(w.app.ClientID, w.app.Delegated, []string{"RoleManagementPolicy.ReadWrite.AzureADGroup"})
	delete(w.tokens, "app")
	if r := w.call("app", http.MethodPatch, rule, change); r.status != http.StatusNoContent {
		t.Fatalf("got %d %s", r.status, r.body)
	}
	if r := w.call("app", http.MethodPatch, rule, map[string]any{"maximumDuration": "PT1H"}); r.status != http.StatusBadRequest {
		t.Errorf("a change without its type: %d", r.status)
	}
	r := w.call("alice", http.MethodPost, pim+"assignmentScheduleRequests", w.activation("alice", cast.RoleAdministrator))
	if !strings.Contains(r.body, "ExpirationRule") {
		t.Errorf("an hour under a limit of 30 minutes: %s", r.body)
	}
	w.server.SetBehavior(func(b *simentra.Behavior) { b.PolicyNeedsRole = true })
	if r := w.call("app", http.MethodGet, rule, nil); r.status != http.StatusForbidden {
		t.Errorf("got %d", r.status)
	}
}

func TestAuthenticationContext(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	p, err := w.server.Policy(cast.RoleAnalyst)
	must(t, err)
	p.AuthContext = "c1"
	must(t, w.server.SetPolicy(p))
	try := func(claims string) reply {
		w.tokens["alice"] = w.session("alice", "claims", claims)["access_token"].(string)
		return w.call("alice", http.MethodPost, pim+"assignmentScheduleRequests", w.activation("alice", cast.RoleAnalyst))
	}
	const challenge = "&claims=%7B%22access_token%22%3A%7B%22acrs%22%3A%7B%22essential%22%3Atrue%2C%20%22value%22%3A%22c1%22%7D%7D%7D"
	refused := func(r reply) bool {
		fault := r.json(t)["error"].(map[string]any)
		return r.status == 400 && fault["code"] == "RoleAssignmentRequestAcrsValidationFailed" && fault["message"] == challenge
	}
	for name, claims := range map[string]string{
		"nothing proved":            "",
		"another context":           `{"access_token":{"acrs":{"essential":true,"value":"c2"},"xms_cc":{"values":["cp1"]}}}`,
		"the capability is missing": `{"access_token":{"acrs":{"essential":true,"value":"c1"}}}`,
	} {
		if r := try(claims); !refused(r) {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	if r := try(`{"access_token":{"acrs":{"essential":true,"value":"c1"},"xms_cc":{"values":["CP1"]}}}`); r.status != http.StatusCreated {
		t.Errorf("got %d %s", r.status, r.body)
	}
}

func TestWrappedErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{WrapErrors: true})
	r := w.call("alice", http.MethodPost, pim+"assignmentScheduleRequests", w.activation("alice", cast.RoleAnalyst, "justification", ""))
	fault := r.json(t)["error"].(map[string]any)
	if fault["code"] != "UnknownError" || !strings.Contains(fault["message"].(string), `\"JustificationRule\"`) || r.code(t) != "RoleAssignmentRequestPolicyValidationFailed" {
		t.Errorf("got %s", r.body)
	}
}

func TestAuditRowsComeLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{AuditDelay: 3 * time.Minute, AuditLimit: 5})
	id := w.activate("alice", cast.RoleAdministrator)["id"].(string)
	w.decide("bob", id, "Approve", "ok")
	if got := w.value("app", "/v1.0/auditLogs/directoryAudits"); len(got) != 0 {
		t.Errorf("at once: %v", got)
	}
	w.clock.Advance(5 * time.Minute)
	names := func(filter string) []any {
		w.age(11 * time.Second)
		var out []any
		for _, row := range w.value("app", "/v1.0/auditLogs/directoryAudits?$filter="+filter) {
			out = append(out, row["activityDisplayName"])
		}
		slices.Reverse(out)
		return out
	}
	const role = "Add member to role "
	want := []any{role + "requested (PIM activation)", role + "approval requested (PIM activation)", role + "request approved (PIM activation)", role + "completed (PIM activation)"}
	if got := names("loggedByService eq 'PIM' and correlationId eq '" + id + "'"); !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	if got := names("initiatedBy/app/displayName eq 'MS-PIM' and activityDateTime ge 2026-03-02T09:00:00Z and targetResources/any(t:t/id eq '" + w.person("alice").ObjectID + "')"); !slices.Equal(got, []any{"Add member to group"}) {
		t.Errorf("got %v", got)
	}
	if got := names("initiatedBy/user/id eq '" + w.person("bob").ObjectID + "'"); !slices.Equal(got, want[2:3]) {
		t.Errorf("got %v", got)
	}
	w.age(11 * time.Second)
	var last reply
	for range 6 {
		last = w.call("app", http.MethodGet, "/v1.0/auditLogs/directoryAudits", nil)
	}
	if last.status != http.StatusTooManyRequests || last.header.Get("Retry-After") == "" {
		t.Errorf("the sixth read got %d", last.status)
	}
}
