package simentra_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"elevate/internal/sim/cast"
	"elevate/internal/sim/simentra"
)

// newGroup is a good body of POST /groups, changed by pairs of name and value; nil takes a property out.
func newGroup(pairs ...any) map[string]any {
	body := map[string]any{
		"displayName": "Role_MDE Hunter", "description": "Hunts", "mailNickname": "role_mdehunter", "mailEnabled": false, "securityEnabled": true,
	}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == nil {
			delete(body, pairs[i].(string))
			continue
		}
		body[pairs[i].(string)] = pairs[i+1]
	}
	return body
}

// created makes a group as ada and returns its id.
func (w *world) created(pairs ...any) string {
	w.t.Helper()
	r := w.call("ada", http.MethodPost, "/v1.0/groups", newGroup(pairs...))
	if r.status != http.StatusCreated {
		w.t.Fatalf("making a group: %d %s", r.status, r.body)
	}
	return r.json(w.t)["id"].(string)
}

// refs are references to so many people.
func (w *world) refs(keys ...string) []string {
	w.t.Helper()
	var out []string
	for _, key := range keys {
		out = append(out, w.graph+"/v1.0/users/"+w.person(key).ObjectID)
	}
	return out
}

// setup is a tenant in which ada and greta are signed in as administrators, and the app is a pipeline.
func setup(t *testing.T, behavior simentra.Behavior) *world {
	t.Helper()
	return setupOf(t, cast.Model(), behavior)
}

func setupOf(t *testing.T, who *cast.Cast, behavior simentra.Behavior) *world {
	t.Helper()
	w := newWorldOf(t, who, behavior)
	w.administer()
	w.administerAs("greta")
	return w
}

func TestGroupsAreMade(t *testing.T) {
	t.Parallel()
	w := setup(t, simentra.Behavior{})
	r := w.call("ada", http.MethodPost, "/v1.0/groups", newGroup("isAssignableToRole", true, "members@odata.bind", w.refs("alice", "dan")))
	g := r.json(t)
	if r.status != http.StatusCreated || g["isAssignableToRole"] != true || g["securityEnabled"] != true || g["mailEnabled"] != false || g["displayName"] != "Role_MDE Hunter" {
		t.Fatalf("got %d %s", r.status, r.body)
	}
	path := "/v1.0/groups/" + g["id"].(string)
	if got := w.value("ada", path+"/members?$select=id"); len(got) != 2 {
		t.Errorf("members %v", got)
	}
	if got := w.value("ada", path+"/owners?$select=id"); len(got) != 0 { // an administrator is made no owner of a security group
		t.Errorf("owners %v", got)
	}
	owned := w.created("owners@odata.bind", w.refs("carol"))
	if got := w.value("ada", "/v1.0/groups/"+owned+"/owners?$select=id"); len(got) != 1 || got[0]["id"] != w.person("carol").ObjectID {
		t.Errorf("owners %v", got)
	}
	related := w.value("ada", "/v1.0/groups?$filter=id in ('"+owned+"')&$select=id&$expand=owners($select=id,displayName)")
	if len(related) != 1 || len(related[0]["owners"].([]any)) != 1 || related[0]["owners"].([]any)[0].(map[string]any)["displayName"] != w.person("carol").DisplayName {
		t.Errorf("with owners %v", related)
	}
	for _, wrong := range []string{"owners,members", "nonsense"} {
		if r := w.call("ada", http.MethodGet, "/v1.0/groups?$expand="+wrong, nil); r.status != http.StatusBadRequest {
			t.Errorf("$expand=%s is answered with %d", wrong, r.status)
		}
	}
	audits := w.value("ada", "/v1.0/auditLogs/directoryAudits?$filter=activityDisplayName eq 'Add group' and targetResources/any(t:t/id eq '"+g["id"].(string)+"')")
	if len(audits) != 1 || audits[0]["initiatedBy"].(map[string]any)["user"].(map[string]any)["id"] != w.person("ada").ObjectID {
		t.Errorf("audits %v", audits)
	}
}

func TestGroupsThatAreNotMade(t *testing.T) {
	t.Parallel()
	w := setup(t, simentra.Behavior{})
	w.tokens["alice"] = w.deviceToken("alice", w.graph+"/.default openid")
	many := make([]string, 21)
	for i := range many {
		many[i] = fmt.Sprintf("%s/v1.0/users/%s", w.graph, w.person("alice").ObjectID)
	}
	before := len(w.value("ada", "/v1.0/groups?$select=id"))
	for name, row := range map[string]struct {
		who    string
		pairs  []any
		status int
		text   string
	}{
		"no name":                        {"ada", []any{"displayName", nil}, 400, "A value is required for property 'displayName' of resource 'Group'."},
		"no nickname":                    {"ada", []any{"mailNickname", nil}, 400, "'mailNickname'"},
		"a nickname with a space":        {"ada", []any{"mailNickname", "a b"}, 400, "Invalid value specified for property 'mailNickname'"},
		"nothing said about mail":        {"ada", []any{"mailEnabled", nil}, 400, "'mailEnabled'"},
		"nothing said about security":    {"ada", []any{"securityEnabled", nil}, 400, "'securityEnabled'"},
		"mail-enabled":                   {"ada", []any{"mailEnabled", true}, 400, "mail-enabled"},
		"unknown property":               {"ada", []any{"roleAssignable", true}, 400, "roleAssignable"},
		"a name of 257 letters":          {"ada", []any{"displayName", strings.Repeat("x", 257)}, 400, "displayName"},
		"21 members":                     {"ada", []any{"members@odata.bind", many}, 400, "maximum of 20"},
		"unknown member":                 {"ada", []any{"members@odata.bind", []string{w.graph + "/v1.0/users/11111111-2222-4333-8444-555555555555"}}, 404, "does not exist"},
		"a group in a role-enabled one":  {"ada", []any{"isAssignableToRole", true, "members@odata.bind", []string{w.graph + "/v1.0/groups/" + w.group(cast.Approvers)}}, 400, "Nesting is currently not supported"},
		"alice administers nothing":      {"alice", nil, 403, "Insufficient privileges"},
		"greta's groups carry no roles":  {"greta", []any{"isAssignableToRole", true}, 403, "Insufficient privileges"},
		"the bot has no such permission": {"app", nil, 403, "Insufficient privileges"},
	} {
		if r := w.call(row.who, http.MethodPost, "/v1.0/groups", newGroup(row.pairs...)); r.status != row.status || !strings.Contains(r.body, row.text) {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	if after := len(w.value("ada", "/v1.0/groups?$select=id")); after != before {
		t.Errorf("%d groups became %d", before, after)
	}
	if r := w.call("greta", http.MethodPost, "/v1.0/groups", newGroup()); r.status != http.StatusCreated {
		t.Errorf("greta's plain group: %d %s", r.status, r.body)
	}
}

func TestWhatAPipelineMayMake(t *testing.T) {
	t.Parallel()
	w := setup(t, simentra.Behavior{})
	for name, row := range map[string]struct {
		held   []string
		pairs  []any
		status int
	}{
		"a plain group":                         {[]string{"Group.Create"}, nil, 201},
		"with members whom it cannot see":       {[]string{"Group.Create"}, []any{"members@odata.bind", w.refs("alice")}, 403},
		"with members whom it can":              {[]string{"Group.Create", "User.Read.All"}, []any{"members@odata.bind", w.refs("alice")}, 201},
		"role-assignable without permission":    {[]string{"Group.ReadWrite.All"}, []any{"isAssignableToRole", true}, 403},
		"role-assignable with it":               {[]string{"Group.ReadWrite.All", "RoleManagement.ReadWrite.Directory"}, []any{"isAssignableToRole", true}, 201},
		"the permission for roles alone is few": {[]string{"RoleManagement.ReadWrite.Directory"}, []any{"isAssignableToRole", true}, 403},
	} {
		w.server.SetConsents(w.app.ClientID, nil, row.held)
		delete(w.tokens, "app")
		r := w.call("app", http.MethodPost, "/v1.0/groups", newGroup(row.pairs...))
		if r.status != row.status {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
		if row.status == http.StatusCreated {
			if got := w.value("ada", "/v1.0/groups/"+r.json(t)["id"].(string)+"/owners"); len(got) != 0 {
				t.Errorf("%s: owned by %v", name, got)
			}
		}
	}
}

func TestATenantHasFiveHundredRoleAssignableGroups(t *testing.T) {
	t.Parallel()
	w := setup(t, simentra.Behavior{PageSize: 999, RoleAssignable: 496}) // and three of the model
	const path = "/v1.0/groups?$filter=isAssignableToRole%20eq%20true&$count=true&$top=999&$select=id"
	header := http.Header{"Authorization": {"Bearer " + w.as("ada")}, "ConsistencyLevel": {"eventual"}}
	list := w.do(w.client, http.MethodGet, w.graph+path, header, "").json(t)
	if got := w.call("ada", http.MethodGet, path, nil).json(t); got["@odata.count"] != nil {
		t.Errorf("counted without ConsistencyLevel: %v", got["@odata.count"])
	}
	if n := w.do(w.client, http.MethodGet, w.graph+"/v1.0/groups/$count?$filter=isAssignableToRole%20eq%20true", header, ""); n.body != "499" {
		t.Errorf("$count is %s", n.body)
	}
	if r := w.call("ada", http.MethodGet, "/v1.0/groups/$count", nil); r.status != http.StatusBadRequest {
		t.Errorf("$count without ConsistencyLevel: %d", r.status)
	}
	if len(list["value"].([]any)) != 499 || list["@odata.count"] != 499.0 {
		t.Errorf("%d groups, count %v", len(list["value"].([]any)), list["@odata.count"])
	}
	w.created("isAssignableToRole", true)
	if r := w.call("ada", http.MethodPost, "/v1.0/groups", newGroup("isAssignableToRole", true)); r.status != http.StatusBadRequest || !strings.Contains(r.body, "500") {
		t.Errorf("the 501st: %d %s", r.status, r.body)
	}
	w.created() // a plain one is no matter
}

func TestMembersOfRoleAssignableGroupsAreGuarded(t *testing.T) {
	t.Parallel()
	w := setup(t, simentra.Behavior{})
	role, plain := w.group(cast.RoleAnalyst), w.group(cast.Approvers)
	add := func(who, group, id string) reply {
		return w.call(who, http.MethodPost, "/v1.0/groups/"+group+"/members/$ref", map[string]any{"@odata.id": w.graph + "/v1.0/directoryObjects/" + id})
	}
	patch := func(who, group string, body map[string]any) reply {
		return w.call(who, http.MethodPatch, "/v1.0/groups/"+group, body)
	}
	nils := w.person("nils").ObjectID
	for name, row := range map[string]struct {
		got    reply
		status int
		text   string
	}{
		"greta, a person":                 {add("greta", role, nils), 403, "Insufficient"},
		"greta, by PATCH":                 {patch("greta", role, map[string]any{"members@odata.bind": w.refs("nils")}), 403, "Insufficient"},
		"ada, a group":                    {add("ada", role, plain), 400, "Nesting is currently not supported"},
		"ada, a group by PATCH":           {patch("ada", role, map[string]any{"members@odata.bind": []string{w.graph + "/v1.0/groups/" + plain}}), 400, "Nesting"},
		"ada, a person":                   {add("ada", role, nils), 204, ""},
		"greta, a plain group":            {add("greta", plain, nils), 204, ""},
		"a role-enabled group in a plain": {add("ada", plain, role), 204, ""},
		"it cannot become one":            {patch("ada", plain, map[string]any{"isAssignableToRole": true}), 400, "isAssignableToRole"},
		"nor cease to be one":             {patch("ada", role, map[string]any{"isAssignableToRole": false}), 400, "isAssignableToRole"},
		"all or nothing":                  {patch("ada", plain, map[string]any{"members@odata.bind": w.refs("erin", "bob")}), 400, "already exist"},
		"a new description":               {patch("ada", plain, map[string]any{"description": "Say yes or no"}), 204, ""},
	} {
		if row.got.status != row.status || !strings.Contains(row.got.body, row.text) {
			t.Errorf("%s: %d %s", name, row.got.status, row.got.body)
		}
	}
	if w.isMember("erin", cast.Approvers) {
		t.Error("half of a refused change was carried out")
	}
	if got := w.value("ada", "/v1.0/groups/"+role+"/memberOf"); len(got) != 1 || got[0]["id"] != plain {
		t.Errorf("nested in %v", got)
	}
	if g := w.call("ada", http.MethodGet, "/v1.0/groups/"+plain, nil).json(t); g["description"] != "Say yes or no" {
		t.Errorf("got %v", g)
	}
}

func TestFiltersOfGroups(t *testing.T) {
	t.Parallel()
	w := setup(t, simentra.Behavior{PageSize: 100})
	w.created("displayName", cast.Approvers) // names are not unique
	ids := []string{w.group(cast.RoleAnalyst), w.group(cast.Approvers)}
	for filter, want := range map[string]int{
		"displayName eq '" + cast.Approvers + "'":                              2,
		"displayName in ('" + cast.Approvers + "','" + cast.RoleAnalyst + "')": 3,
		"isAssignableToRole eq true":                                           3,
		"id in ('" + strings.Join(ids, "','") + "')":                           2,
		"startswith(displayName,'Role_')":                                      3,
		"displayName in ('" + strings.Repeat("x','", 14) + "x')":               0,
	} {
		if got := w.value("ada", "/v1.0/groups?$filter="+filter); len(got) != want {
			t.Errorf("%s: %d groups", filter, len(got))
		}
	}
	r := w.call("ada", http.MethodGet, "/v1.0/groups?$filter=displayName in ('"+strings.Repeat("x','", 15)+"x')", nil)
	if r.status != http.StatusBadRequest || r.code(t) != "Request_UnsupportedQuery" || !strings.Contains(r.body, "Max allowed: 15") {
		t.Errorf("16 alternatives: %d %s", r.status, r.body)
	}
	if r := w.call("ada", http.MethodGet, "/v1.0/groups?$top=1000", nil); r.status != http.StatusBadRequest {
		t.Errorf("a page of 1000: %d", r.status)
	}
}
