package simentra_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"elevate/internal/sim/cast"
	"elevate/internal/sim/simentra"
)

// administer gives ada a token of the public client that administrators use, by device code.
func (w *world) administer() { w.administerAs("ada") }

func (w *world) administerAs(key string) {
	w.t.Helper()
	w.tokens[key] = w.deviceToken(key, w.graph+"/.default openid")
}

// deviceToken signs somebody in to the administrators' client by device code.
func (w *world) deviceToken(key, scope string) string {
	w.t.Helper()
	base := w.login + "/" + w.cast.TenantID
	started := w.postForm(w.client, base+"/oauth2/v2.0/devicecode", url.Values{"client_id": {cast.GraphCLIClientID}, "scope": {scope}}).json(w.t)
	w.postForm(w.client, base+"/oauth2/deviceauth", url.Values{"user_code": {started["user_code"].(string)}, "account": {key}})
	r := w.token(url.Values{"grant_type": {"device_code"}, "client_id": {cast.GraphCLIClientID}, "device_code": {started["device_code"].(string)}})
	if r.status != http.StatusOK {
		w.t.Fatalf("signing %s in: %s", key, r.body)
	}
	return r.json(w.t)["access_token"].(string)
}

func TestAdministratorsSetUpEligibilities(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	w.administer()
	body := map[string]any{
		"accessId": "member", "principalId": w.person("carol").ObjectID, "groupId": w.group(cast.RoleAnalyst), "action": "AdminAssign",
		"justification": "cover", "scheduleInfo": map[string]any{"expiration": map[string]any{"type": "AfterDateTime", "endDateTime": "2026-03-03T09:00:00Z"}},
	}
	post := func(action string) reply {
		body["action"] = action
		return w.call("ada", http.MethodPost, pim+"eligibilityScheduleRequests", body)
	}
	for _, step := range []struct {
		name, action string
		status       int
		eligible     bool
	}{
		{"nothing to remove", "adminRemove", 404, false},
		{"assigned", "AdminAssign", 201, true},
		{"assigned twice", "adminAssign", 400, true},
		{"removed", "adminRemove", 201, false},
		{"assigned again", "adminAssign", 201, true},
		{"people do not do this for themselves", "selfActivate", 400, true},
	} {
		if r := post(step.action); r.status != step.status {
			t.Errorf("%s: %d %s", step.name, r.status, r.body)
		}
		mine := w.value("carol", pim+"eligibilityScheduleInstances/filterByCurrentUser(on='principal')")
		if (len(mine) == 1) != step.eligible {
			t.Errorf("%s: carol has %v", step.name, mine)
		}
	}
	w.activate("carol", cast.RoleAnalyst)
	w.clock.Advance(24 * time.Hour)
	if r := w.call("carol", http.MethodPost, pim+"assignmentScheduleRequests", w.activation("carol", cast.RoleAnalyst)); r.status != http.StatusBadRequest {
		t.Errorf("after the eligibility ended: %d", r.status)
	}
	if r := w.call("alice", http.MethodPost, pim+"eligibilityScheduleRequests", body); r.status != http.StatusForbidden || r.code(t) != "PermissionScopeNotGranted" {
		t.Errorf("alice without the scope: %d %s", r.status, r.body)
	}
}

func TestMembersAreAddedAndRemovedByReference(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{MemberLag: 3 * time.Second})
	w.administer()
	members := "/v1.0/groups/" + w.group(cast.Auditors) + "/members/"
	add := func(id string) int {
		return w.call("ada", http.MethodPost, members+"$ref", map[string]any{"@odata.id": w.graph + "/v1.0/directoryObjects/" + id}).status
	}
	dan := w.person("dan").ObjectID
	if got := add(dan); got != http.StatusNoContent || w.isMember("dan", cast.Auditors) {
		t.Errorf("got %d, or the list does not lag", got)
	}
	w.clock.Advance(3 * time.Second)
	if got := add(dan); got != http.StatusBadRequest || !w.isMember("dan", cast.Auditors) {
		t.Errorf("the second time got %d", got)
	}
	if got := add("11111111-2222-4333-8444-555555555555"); got != http.StatusNotFound {
		t.Errorf("nobody: got %d", got)
	}
	remove := func() int { return w.call("ada", http.MethodDelete, members+dan+"/$ref", nil).status }
	if got := remove(); got != http.StatusNoContent {
		t.Errorf("got %d", got)
	}
	w.clock.Advance(3 * time.Second)
	if got := remove(); got != http.StatusNotFound || w.isMember("dan", cast.Auditors) {
		t.Errorf("got %d", got)
	}
}

func TestTheAzureCLIHasNoPIMScopes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	pairs := []string{"client_id", cast.AzureCLIClientID, "redirect_uri", "http://localhost:8400", "scope", "openid profile " + w.graph + "/.default"}
	r := w.postForm(w.browser(), w.authorizeURL(pairs...), url.Values{"account": {"ada"}})
	back, err := url.Parse(r.header.Get("Location"))
	must(t, err)
	form := w.codeForm(back.Query().Get("code"), "client_id", cast.AzureCLIClientID, "redirect_uri", "http://localhost:8400")
	form.Del("client_secret")
	w.tokens["ada"] = w.token(form).json(t)["access_token"].(string)
	if got := w.call("ada", http.MethodGet, pim+"assignmentScheduleRequests/filterByCurrentUser(on='principal')", nil); got.code(t) != "PermissionScopeNotGranted" {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if got := w.call("ada", http.MethodGet, "/v1.0/users/"+w.person("ada").ObjectID, nil); got.status != http.StatusOK {
		t.Errorf("got %d %s", got.status, got.body)
	}
}
