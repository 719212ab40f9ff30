package simentra_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"elevate/internal/sim/cast"
	"elevate/internal/sim/simentra"
)

// schema is Microsoft's description of the interface. It is generated from CSDL, which leaves two things out: that
// references can be null, and that the service spells enumerations as it likes. Both are mended before the comparison.
type schema struct {
	router routers.Router
}

func loadSchema(t *testing.T, server string) schema {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile("testdata/openapi-pim.yaml")
	if err != nil {
		t.Fatal(err)
	}
	doc.Servers = openapi3.Servers{{URL: server + "/v1.0"}}
	for _, s := range doc.Components.Schemas {
		for _, word := range s.Value.Enum {
			text := word.(string)
			s.Value.Enum = append(s.Value.Enum, strings.ToUpper(text[:1])+text[1:])
		}
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return schema{router}
}

// withoutNulls drops members whose value is null.
func withoutNulls(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			if member == nil {
				delete(v, name)
				continue
			}
			v[name] = withoutNulls(member)
		}
	case []any:
		for i := range v {
			v[i] = withoutNulls(v[i])
		}
	}
	return value
}

func (s schema) check(t *testing.T, method, address string, request any, r reply) {
	t.Helper()
	sent, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, address, bytes.NewReader(sent))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	found, params, err := s.router.FindRoute(req)
	if err != nil {
		t.Errorf("%s %s: %v", method, address, err)
		return
	}
	body := []byte(r.body)
	if r.body != "" {
		if body, err = json.Marshal(withoutNulls(r.json(t))); err != nil {
			t.Fatal(err)
		}
	}
	in := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: found},
		Status:                 r.status, Header: r.header, Body: io.NopCloser(bytes.NewReader(body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	}
	if err := openapi3filter.ValidateResponse(t.Context(), in); err != nil {
		t.Errorf("%s %s: %v", method, address, err)
	}
}

// A documentedCall is one operation of the schema; its status is the one expected.
type documentedCall struct {
	who, method, path string
	body              any
	status            int
}

// documentedCalls are to be made in this order. The request id waits for approval, other is to be canceled.
func (w *world) documentedCalls(id, other string) []documentedCall {
	role := w.group(cast.RoleAdministrator)
	byGroup := "?$filter=groupId eq '" + role + "'"
	scoped := "?$filter=scopeId eq '" + role + "' and scopeType eq 'Group' and roleDefinitionId eq 'member'"
	policyID := w.value("app", "/v1.0/policies/roleManagementPolicyAssignments"+scoped)[0]["policyId"].(string)
	approvals := pim + "assignmentApprovals/"
	return []documentedCall{
		{"alice", "POST", pim + "assignmentScheduleRequests", w.activation("alice", cast.RoleAnalyst), 201},
		{"alice", "POST", pim + "assignmentScheduleRequests", w.activation("alice", cast.RoleAnalyst), 400},
		{"carol", "POST", pim + "assignmentScheduleRequests", w.activation("carol", cast.RoleAnalyst, "justification", ""), 400},
		{"app", "GET", pim + "assignmentScheduleRequests" + byGroup, nil, 200},
		{"app", "GET", pim + "assignmentScheduleRequests/" + id, nil, 200},
		{"alice", "GET", pim + "assignmentScheduleRequests/filterByCurrentUser(on='principal')", nil, 200},
		{"bob", "GET", pim + "assignmentScheduleRequests/filterByCurrentUser(on='approver')", nil, 200},
		{"bob", "GET", approvals + "filterByCurrentUser(on='approver')", nil, 200},
		{"bob", "GET", approvals + id, nil, 200},
		{"bob", "GET", approvals + id + "/stages", nil, 200},
		{"bob", "GET", approvals + id + "/stages/" + id, nil, 200},
		{"dan", "PATCH", approvals + id + "/stages/" + id, map[string]any{"reviewResult": "Approve", "justification": "ok"}, 403},
		{"bob", "PATCH", approvals + id + "/stages/" + id, map[string]any{"reviewResult": "Approve", "justification": "ok"}, 204},
		{"bob", "GET", approvals + id + "/stages/" + id, nil, 200},
		{"alice", "POST", pim + "assignmentScheduleRequests/" + other + "/cancel", nil, 204},
		{"app", "GET", pim + "assignmentSchedules" + byGroup, nil, 200},
		{"alice", "GET", pim + "assignmentSchedules/filterByCurrentUser(on='principal')", nil, 200},
		{"app", "GET", pim + "assignmentScheduleInstances" + byGroup + "&$expand=group,principal", nil, 200},
		{"alice", "GET", pim + "assignmentScheduleInstances/filterByCurrentUser(on='principal')", nil, 200},
		{"app", "GET", pim + "eligibilitySchedules" + byGroup, nil, 200},
		{"alice", "GET", pim + "eligibilitySchedules/filterByCurrentUser(on='principal')", nil, 200},
		{"app", "GET", pim + "eligibilityScheduleInstances" + byGroup, nil, 200},
		{"alice", "GET", pim + "eligibilityScheduleInstances/filterByCurrentUser(on='principal')", nil, 200},
		{"app", "GET", pim + "eligibilityScheduleRequests" + byGroup, nil, 200},
		{"app", "GET", "/v1.0/policies/roleManagementPolicyAssignments" + scoped + "&$expand=policy($expand=rules)", nil, 200},
		{"app", "GET", "/v1.0/policies/roleManagementPolicies?$filter=scopeId eq '" + role + "' and scopeType eq 'Group'", nil, 200},
		{"app", "GET", "/v1.0/policies/roleManagementPolicies/" + policyID + "/rules", nil, 200},
		{"app", "GET", "/v1.0/policies/roleManagementPolicies/" + policyID + "/rules/Approval_EndUser_Assignment", nil, 200},
		{"app", "GET", "/v1.0/groups", nil, 200},
		{"app", "GET", "/v1.0/groups/" + role, nil, 200},
		{"app", "GET", "/v1.0/groups/" + role + "/members", nil, 200},
		{"app", "GET", "/v1.0/groups/" + role + "/owners", nil, 200},
		{"app", "GET", "/v1.0/groups/" + role + "/transitiveMembers", nil, 200},
		{"app", "POST", "/v1.0/users/" + w.person("alice").ObjectID + "/checkMemberGroups", map[string]any{"groupIds": []string{role}}, 200},
		{"app", "GET", "/v1.0/auditLogs/directoryAudits", nil, 200},
		{"alice", "GET", "/v1.0/groups", nil, 403},
	}
}

func TestAnswersFitMicrosoftsSchema(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	s := loadSchema(t, w.graph)
	must(t, w.server.AddMember(cast.RoleAdministrator, "carol"))
	must(t, w.server.Portal().Assign("ada", "dan", cast.RoleAdministrator, "PT2H", "cover"))
	denied := w.activate("alice", cast.RoleLiveResponse)["id"].(string)
	id := w.activate("alice", cast.RoleAdministrator)["id"].(string)
	for _, c := range w.documentedCalls(id, denied) {
		r := w.call(c.who, c.method, c.path, c.body)
		if r.status != c.status {
			t.Errorf("%s %s: got %d %s", c.method, c.path, r.status, r.body)
			continue
		}
		plain, query, _ := strings.Cut(c.path, "?")
		s.check(t, c.method, w.graph+plain+"?"+url.QueryEscape(query), c.body, r)
	}
}

func TestAnswersToSettingUpFitMicrosoftsSchema(t *testing.T) {
	t.Parallel()
	w := setup(t, simentra.Behavior{PatchAnswers200: true})
	s := loadSchema(t, w.graph)
	body := newGroup("isAssignableToRole", true)
	r := w.call("ada", http.MethodPost, "/v1.0/groups", body)
	s.check(t, http.MethodPost, w.graph+"/v1.0/groups", body, r)
	g := r.json(t)["id"].(string)
	rule := map[string]any{"@odata.type": ruleType + "ApprovalRule", "setting": approval(true, approver("groupMembers", "groupId", w.group(cast.Approvers)))}
	path := "/v1.0/policies/roleManagementPolicies/" + w.policyID(g) + "/rules/Approval_EndUser_Assignment"
	s.check(t, http.MethodPatch, w.graph+path, rule, w.call("ada", http.MethodPatch, path, rule))
	s.check(t, http.MethodGet, w.graph+"/v1.0/auditLogs/directoryAudits", nil, w.call("ada", http.MethodGet, "/v1.0/auditLogs/directoryAudits", nil))
	eligible := w.makeEligible("ada", w.group(cast.PIMAnalyst), g, aYear())
	s.check(t, http.MethodPost, w.graph+pim+"eligibilityScheduleRequests", nil, eligible)
}

// TestPermissionsAreMicrosofts asks for each documented operation with one permission at a time.
func TestPermissionsAreMicrosofts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	doc, err := openapi3.NewLoader().LoadFromFile("testdata/openapi-pim.yaml")
	if err != nil {
		t.Fatal(err)
	}
	held := []string{
		"PrivilegedAssignmentSchedule.Read.AzureADGroup", "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup",
		"PrivilegedEligibilitySchedule.Read.AzureADGroup", "PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup",
		"RoleManagementPolicy.Read.AzureADGroup", "RoleManagementPolicy.ReadWrite.AzureADGroup",
		"GroupMember.Read.All", "User.Read.All", "AuditLog.Read.All", "Group.ReadWrite.All",
	}
	checked := 0
	for _, permission := range held {
		w.server.SetConsents(w.app.ClientID, w.app.Delegated, []string{permission})
		delete(w.tokens, "app")
		for path, item := range doc.Paths.Map() {
			if strings.HasPrefix(path, "/me/") || strings.Contains(path, "delta") || strings.HasPrefix(path, "/groups/{group-id}/checkMember") {
				continue // not part of the sandbox
			}
			checked += w.checkPermission(permission, path, item.Get)
		}
	}
	if want := 25 * len(held); checked < want {
		t.Errorf("only %d of at least %d combinations were compared", checked, want)
	}
}

// checkPermission returns 1 if there was something to compare.
func (w *world) checkPermission(permission, path string, op *openapi3.Operation) int {
	w.t.Helper()
	documented, ok := permissionsOf(op)
	if !ok {
		return 0
	}
	r := w.call("app", http.MethodGet, "/v1.0"+fill(path), nil)
	if r.status == http.StatusBadRequest && strings.Contains(r.body, "for the segment") {
		return 0 // not part of the sandbox
	}
	allowed := slices.Contains(documented, permission)
	if refused := r.status == http.StatusForbidden; refused == allowed {
		w.t.Errorf("%s with %s: status %d, documented %v", path, permission, r.status, documented)
	}
	return 1
}

func permissionsOf(op *openapi3.Operation) ([]string, bool) {
	if op == nil {
		return nil, false
	}
	table, ok := op.Extensions["x-ms-graph-permissions"].(map[string]any)
	if !ok {
		return nil, false
	}
	list, _ := table["application"].([]any)
	var out []string
	for _, p := range list {
		out = append(out, p.(string))
	}
	return out, true
}

// fill puts something into the parameters of a path.
func fill(path string) string {
	path = strings.ReplaceAll(path, "{on}", "principal")
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if strings.HasPrefix(s, "{") {
			segments[i] = "x"
		}
	}
	return strings.Join(segments, "/")
}
