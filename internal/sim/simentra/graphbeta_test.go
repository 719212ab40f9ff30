package simentra_test

import (
	"net/http"
	"strings"
	"testing"

	"elevate/internal/sim/cast"
	"elevate/internal/sim/simentra"
)

const resources = "/beta/identityGovernance/privilegedAccess/group/resources"

func TestBetaShowsWhichGroupsAreUnderPIM(t *testing.T) {
	t.Parallel()
	w := setup(t, simentra.Behavior{})
	w.server.SetConsents(w.app.ClientID, nil, []string{"PrivilegedAccess.Read.AzureADGroup"})
	before := w.value("app", resources)
	if len(before) != 3 || len(before[0]) != 1 {
		t.Errorf("got %v", before)
	}
	g := w.created()
	if r := w.call("app", http.MethodGet, resources+"/"+g, nil); r.status != http.StatusNotFound {
		t.Errorf("a group that is not: %d %s", r.status, r.body)
	}
	w.makeEligible("ada", w.person("carol").ObjectID, g, aYear())
	if r := w.call("app", http.MethodGet, resources+"/"+g, nil); r.status != http.StatusOK || r.json(t)["@odata.context"] != w.graph+"/beta/$metadata#identityGovernance/privilegedAccess/group/resources/$entity" {
		t.Errorf("got %d %s", r.status, r.body)
	}
	if r := w.call("ada", http.MethodGet, resources, nil); r.status != http.StatusForbidden || r.code(t) != "PermissionScopeNotGranted" {
		t.Errorf("without the permission: %d %s", r.status, r.body)
	}
	if r := w.call("app", http.MethodGet, strings.Replace(resources, "/beta", "/v1.0", 1), nil); r.status != http.StatusBadRequest || !strings.Contains(r.body, "segment 'resources'") {
		t.Errorf("v1.0 does not have it: %d %s", r.status, r.body)
	}
	if r := w.call("app", http.MethodGet, "/beta/groups", nil); r.status != http.StatusBadRequest {
		t.Errorf("the rest of beta is not here: %d", r.status)
	}
}

func TestBetaShowsDefendersRoles(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	const base = "/beta/roleManagement/defender/"
	if r := w.call("app", http.MethodGet, base+"roleAssignments", nil); r.status != http.StatusForbidden {
		t.Errorf("without the permission: %d", r.status)
	}
	w.server.SetConsents(w.app.ClientID, nil, []string{"RoleManagement.Read.Defender"})
	delete(w.tokens, "app")
	r := w.call("app", http.MethodPost, "/beta/$batch", map[string]any{"requests": []any{
		map[string]any{"id": "1", "method": "GET", "url": "/roleManagement/defender/roleDefinitions"},
		map[string]any{"id": "2", "method": "GET", "url": "/roleManagement/defender/roleAssignments"},
	}}).json(t)
	byID := map[any][]any{}
	for _, item := range r["responses"].([]any) {
		byID[item.(map[string]any)["id"]] = item.(map[string]any)["body"].(map[string]any)["value"].([]any)
	}
	role := byID["1"][0].(map[string]any)
	given := byID["2"][0].(map[string]any)
	if role["displayName"] != "MDE Administrator" || given["roleDefinitionId"] != role["id"] || given["principalIds"].([]any)[0] != w.group(cast.RoleAdministrator) {
		t.Errorf("got %v and %v", role, given)
	}
	must(t, w.server.Portal().GiveDefenderRole("ada", cast.Auditors, "MDE Analyst"))
	if err := w.server.Portal().GiveDefenderRole("greta", cast.Auditors, "MDE Analyst"); err == nil {
		t.Error("greta gave a role")
	}
	if err := w.server.Portal().GiveDefenderRole("ada", cast.Auditors, "Nothing"); err == nil {
		t.Error("a role that is not there was given")
	}
	if got := w.value("app", base+"roleAssignments"); len(got) != 4 {
		t.Errorf("got %v", got)
	}
	if r := w.call("app", http.MethodGet, base+"roleDefinitions/"+role["id"].(string), nil); r.status != http.StatusOK {
		t.Errorf("got %d", r.status)
	}
}
