package simentra_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"elevate/internal/sim/cast"
	"elevate/internal/sim/simentra"
)

// reader is a tenant in which ada may read registrations and grants.
func reader(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, simentra.Behavior{PageSize: 100})
	w.server.SetConsents(cast.GraphCLIClientID, []string{"openid", "Application.Read.All", "DelegatedPermissionGrant.Read.All"}, nil)
	w.administer()
	return w
}

func TestARegistrationIsRead(t *testing.T) {
	t.Parallel()
	w := reader(t)
	found := w.value("ada", "/v1.0/applications?$filter=appId eq '"+w.app.ClientID+"'")
	if len(found) != 1 {
		t.Fatalf("got %v", found)
	}
	a := found[0]
	if uris := a["web"].(map[string]any)["redirectUris"].([]any); !slices.Equal(uris, []any{callback}) {
		t.Errorf("redirects %v", uris)
	}
	for _, token := range []string{"idToken", "accessToken"} {
		var names []any
		for _, claim := range a["optionalClaims"].(map[string]any)[token].([]any) {
			names = append(names, claim.(map[string]any)["name"])
		}
		if !slices.Equal(names, []any{"auth_time", "acrs"}) {
			t.Errorf("%s has %v", token, names)
		}
	}
	access := a["requiredResourceAccess"].([]any)[0].(map[string]any)
	want := map[string]any{"id": "06dbc45d-6708-4ef0-a797-f797ee68bf4b", "type": "Scope"}
	if access["resourceAppId"] != cast.GraphAppID || !slices.ContainsFunc(access["resourceAccess"].([]any), func(x any) bool {
		one := x.(map[string]any)
		return one["id"] == want["id"] && one["type"] == want["type"]
	}) {
		t.Errorf("needs %v", access)
	}
	if secrets := a["passwordCredentials"].([]any); len(secrets) != 1 || secrets[0].(map[string]any)["endDateTime"] != "2028-03-02T09:00:00Z" || strings.Contains(w.call("ada", "GET", "/v1.0/applications", nil).body, w.app.Secret) {
		t.Errorf("secrets %v", secrets)
	}
	if one := w.call("ada", http.MethodGet, "/v1.0/applications(appId='"+w.app.ClientID+"')?$select=id,appId", nil).json(t); one["id"] != a["id"] || one["web"] != nil {
		t.Errorf("got %v", one)
	}
	if r := w.call("ada", http.MethodGet, "/v1.0/applications(appId='"+cast.GraphCLIClientID+"')", nil); r.status != http.StatusNotFound {
		t.Errorf("Microsoft's own registration: %d", r.status)
	}
}

func TestWhatARegistrationWasGranted(t *testing.T) {
	t.Parallel()
	w := reader(t)
	sp := w.call("ada", http.MethodGet, "/v1.0/servicePrincipals(appId='"+w.app.ClientID+"')", nil).json(t)
	if sp["appRoleAssignmentRequired"] != true || sp["id"] != w.app.ServicePrincipalID {
		t.Errorf("got %v", sp)
	}
	graph := w.value("ada", "/v1.0/servicePrincipals?$filter=appId eq '"+cast.GraphAppID+"'")[0]
	names := map[any]any{}
	for _, role := range graph["appRoles"].([]any) {
		names[role.(map[string]any)["id"]] = role.(map[string]any)["value"]
	}
	var held []string
	for _, one := range w.value("ada", "/v1.0/servicePrincipals/"+w.app.ServicePrincipalID+"/appRoleAssignments") {
		held = append(held, names[one["appRoleId"]].(string))
	}
	slices.Sort(held)
	want := slices.Sorted(slices.Values(w.app.Application))
	if !slices.Equal(held, want) {
		t.Errorf("holds %v, want %v", held, want)
	}
	assigned := w.value("ada", "/v1.0/servicePrincipals/"+w.app.ServicePrincipalID+"/appRoleAssignedTo")
	if len(assigned) != len(w.app.Assigned) || assigned[0]["principalType"] != "Group" || assigned[0]["principalDisplayName"] != cast.PIMAdministrator {
		t.Errorf("assigned %v", assigned)
	}
	if all := w.value("ada", "/v1.0/servicePrincipals/"+graph["id"].(string)+"/appRoleAssignedTo"); len(all) <= len(held) {
		t.Errorf("Graph's roles are with %d", len(all))
	}
	byClient := w.value("ada", "/v1.0/oauth2PermissionGrants?$filter=clientId eq '"+w.app.ServicePrincipalID+"'")
	direct := w.value("ada", "/v1.0/servicePrincipals/"+w.app.ServicePrincipalID+"/oauth2PermissionGrants")
	if len(byClient) != 1 || len(direct) != 1 || byClient[0]["consentType"] != "AllPrincipals" || byClient[0]["scope"] != strings.Join(w.app.Delegated, " ") {
		t.Errorf("granted %v and %v", byClient, direct)
	}
}

func TestWhatSomebodyGrantedForThemselves(t *testing.T) {
	t.Parallel()
	w := reader(t)
	started := w.postForm(w.client, w.login+"/"+w.cast.TenantID+"/oauth2/v2.0/devicecode", url.Values{"client_id": {cast.GraphCLIClientID}, "scope": {"Policy.Read.All"}}).json(t)
	w.postForm(w.client, w.devicePage(), url.Values{"user_code": {started["user_code"].(string)}, "account": {"ada"}, "consent": {"accept"}})
	cli, _ := w.cast.App(cast.AppGraphCLI)
	grants := w.value("ada", "/v1.0/servicePrincipals/"+cli.ServicePrincipalID+"/oauth2PermissionGrants")
	if len(grants) != 2 || grants[1]["consentType"] != "Principal" || grants[1]["principalId"] != w.person("ada").ObjectID || grants[1]["scope"] != "Policy.Read.All" {
		t.Errorf("got %v", grants)
	}
}

func TestRegistrationsAreReadWithTheRightPermission(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	apps, grants := "/v1.0/applications", "/v1.0/oauth2PermissionGrants"
	own := "/v1.0/servicePrincipals/" + w.app.ServicePrincipalID
	for held, allowed := range map[string]map[string]bool{
		"User.Read.All":                     {},
		"Application.Read.All":              {apps: true, own: true, own + "/appRoleAssignments": true, own + "/appRoleAssignedTo": true},
		"DelegatedPermissionGrant.Read.All": {grants: true, own + "/oauth2PermissionGrants": true},
		"Directory.Read.All":                {apps: true, own: true, own + "/appRoleAssignments": true, own + "/appRoleAssignedTo": true, grants: true, own + "/oauth2PermissionGrants": true},
	} {
		w.server.SetConsents(w.app.ClientID, nil, []string{held})
		delete(w.tokens, "app")
		for _, path := range []string{apps, grants, own, own + "/appRoleAssignments", own + "/appRoleAssignedTo", own + "/oauth2PermissionGrants"} {
			if r := w.call("app", http.MethodGet, path, nil); (r.status == http.StatusOK) != allowed[path] || (r.status != http.StatusOK && r.code(t) != "Authorization_RequestDenied") {
				t.Errorf("%s with %s: %d", path, held, r.status)
			}
		}
	}
	w.server.SetConsents(w.app.ClientID, nil, []string{"Application.Read.All"})
	delete(w.tokens, "app")
	if r := w.call("app", http.MethodGet, "/v1.0/servicePrincipals/11111111-2222-4333-8444-555555555555/appRoleAssignments", nil); r.status != http.StatusNotFound {
		t.Errorf("an unknown one: %d", r.status)
	}
}

func TestASecretEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	w.server.SetSecretEnd(w.app.ClientID, w.clock.Now().Add(20*24*time.Hour))
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {w.app.ClientID}, "client_secret": {w.app.Secret}, "scope": {w.graph + "/.default"}}
	if r := w.token(form); r.status != http.StatusOK {
		t.Errorf("before: %d", r.status)
	}
	w.clock.Advance(21 * 24 * time.Hour)
	if r := w.token(form); r.status != http.StatusUnauthorized || !strings.Contains(r.body, "AADSTS7000222") {
		t.Errorf("after: %d %s", r.status, r.body)
	}
}
