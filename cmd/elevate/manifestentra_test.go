package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"elevate/adapters/entra"
	"elevate/internal/config"
)

// permissionNames are Microsoft's ids of what the registration has, as its permission file has them.
// https://github.com/microsoftgraph/microsoft-graph-devx-content/blob/master/permissions/permissions-descriptions.json
var permissionNames = map[string]string{
	"Scope 37f7f235-527c-4136-accd-4a02d197296e": "openid",
	"Scope 14dad69e-099b-42c9-810b-d002981feec1": "profile",
	"Scope 7427e0e9-2fba-42fe-b0c0-848c9e6a8182": "offline_access",
	"Scope 06dbc45d-6708-4ef0-a797-f797ee68bf4b": "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup",
	"Scope 8f44f93d-ecef-46ae-a9bf-338508d44d6b": "PrivilegedEligibilitySchedule.Read.AzureADGroup",
	"Role cd4161cb-f098-48f8-a884-1eda9a42434c":  "PrivilegedAssignmentSchedule.Read.AzureADGroup",
	"Role edb419d6-7edc-42a3-9345-509bfdf5d87c":  "PrivilegedEligibilitySchedule.Read.AzureADGroup",
	"Role 69e67828-780e-47fd-b28c-7b27d14864e6":  "RoleManagementPolicy.Read.AzureADGroup",
	"Role 98830695-27a2-44f7-8c18-0c3ebc9698f6":  "GroupMember.Read.All",
	"Role df021288-bdef-4463-88db-98f22de89214":  "User.Read.All",
	"Role b0afded3-3588-46d8-8b3d-9842eff778da":  "AuditLog.Read.All",
}

// The registration asks for exactly what the code uses, at the address and with the claims that it uses.
func TestTheRegistrationsManifestIsWhatTheCodeNeeds(t *testing.T) {
	t.Parallel()
	raw, steps, err := entraManifest("elevate.contoso.com")
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Web struct {
			Redirects []string `json:"redirectUris"`
		} `json:"web"`
		Public bool `json:"isFallbackPublicClient"`
		Claims struct {
			IDToken []struct {
				Name string `json:"name"`
			} `json:"idToken"`
		} `json:"optionalClaims"`
		Needs []struct {
			Access []struct {
				ID   string `json:"id"`
				Type string `json:"type"`
			} `json:"resourceAccess"`
		} `json:"requiredResourceAccess"`
	}
	if err := json.Unmarshal(raw, &m); err != nil || len(m.Needs) != 1 {
		t.Fatal(err, len(m.Needs))
	}
	got := map[string][]string{}
	for _, a := range m.Needs[0].Access {
		got[a.Type] = append(got[a.Type], permissionNames[a.Type+" "+a.ID])
	}
	want := map[string][]string{"Scope": entra.DelegatedPermissions(), "Role": entra.ReadPermissions()}
	for _, kind := range []string{"Scope", "Role"} {
		slices.Sort(got[kind])
		slices.Sort(want[kind])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	w := wantedRegistration(&config.Config{PublicURL: "https://elevate.contoso.com"})
	var claims []string
	for _, c := range m.Claims.IDToken {
		claims = append(claims, c.Name)
	}
	if diff := cmp.Diff([]string{w.Redirect}, m.Web.Redirects) + cmp.Diff(w.Claims, claims); diff != "" || m.Public {
		t.Error(diff, m.Public)
	}
	for _, name := range append(want["Scope"], want["Role"]...) {
		if !strings.Contains(string(steps), "`"+name+"`") {
			t.Errorf("the steps do not name %s", name)
		}
	}
	if !strings.Contains(string(steps), w.Redirect) {
		t.Error("the steps do not name the redirect address")
	}
}
