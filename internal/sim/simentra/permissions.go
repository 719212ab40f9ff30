package simentra

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

// permissionIDs are Microsoft's own, delegated and application. Permissions that are not here get ids of our own.
var permissionIDs = map[string][2]string{
	"openid":                             {"37f7f235-527c-4136-accd-4a02d197296e", ""},
	"profile":                            {"14dad69e-099b-42c9-810b-d002981feec1", ""},
	"email":                              {"64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0", ""},
	"offline_access":                     {"7427e0e9-2fba-42fe-b0c0-848c9e6a8182", ""},
	"User.Read":                          {"e1fe6dd8-ba31-4d61-89e7-88639da4683d", ""},
	"User.Read.All":                      {"a154be20-db9c-4678-8ab7-66f6cc099a59", "df021288-bdef-4463-88db-98f22de89214"},
	"GroupMember.Read.All":               {"bc024368-1153-4739-b217-4326f2e966d0", "98830695-27a2-44f7-8c18-0c3ebc9698f6"},
	"Group.ReadWrite.All":                {"4e46008b-f24c-477d-8fff-7bb4ec7aafe0", "62a82d76-70ea-41e2-9197-370581804d09"},
	"Group.Create":                       {"", "bf7b1a76-6e77-406b-b258-bf5c7720e98f"},
	"AuditLog.Read.All":                  {"e4c9e354-4dc5-45b8-9e7c-e1393b0b1a20", "b0afded3-3588-46d8-8b3d-9842eff778da"},
	"Application.Read.All":               {"c79f8feb-a9db-4090-85f9-90d820caa0eb", "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30"},
	"Directory.Read.All":                 {"06da0dbc-49e2-44d2-8312-53f166ab848a", "7ab1d382-f21e-4acd-a863-ba3e13f7da61"},
	"Application.ReadWrite.All":          {"bdfbf15f-ee85-4955-8675-146e8e5296b5", "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9"},
	"PrivilegedAccess.Read.AzureADGroup": {"d329c81c-20ad-4772-abf9-3f6fdb7e5988", "01e37dc9-c035-40bd-b438-b2879c4870a6"},
	"PrivilegedAccess.ReadWrite.AzureADGroup":              {"32531c59-1f32-461f-b8df-6f8a3b89f73b", "2f6817f8-7b12-4f0f-bc18-eeaf60705a9e"},
	"RoleManagement.ReadWrite.Directory":                   {"d01b97e9-cbc0-49fe-810a-750afd5527a3", "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8"},
	"RoleManagementPolicy.Read.AzureADGroup":               {"7e26fdff-9cb1-4e56-bede-211fe0e420e8", "69e67828-780e-47fd-b28c-7b27d14864e6"},
	"RoleManagementPolicy.ReadWrite.AzureADGroup":          {"0da165c7-3f15-4236-b733-c0b0f6abe41d", "b38dcc4d-a239-4ed6-aa84-6c65b284f97c"},
	"PrivilegedAssignmentSchedule.Read.AzureADGroup":       {"02a32cc4-7ab5-4b58-879a-0586e0f7c495", "cd4161cb-f098-48f8-a884-1eda9a42434c"},
	"PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup":  {"06dbc45d-6708-4ef0-a797-f797ee68bf4b", "41202f2c-f7ab-45be-b001-85c9728b9d69"},
	"PrivilegedEligibilitySchedule.Read.AzureADGroup":      {"8f44f93d-ecef-46ae-a9bf-338508d44d6b", "edb419d6-7edc-42a3-9345-509bfdf5d87c"},
	"PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup": {"ba974594-d163-484e-ba39-c330d5897667", "618b6020-bca8-4de6-99f6-ef445fa4d857"},
}

// permissionID is the id of a delegated or an application permission.
func permissionID(name string, application bool) string {
	kind := 0
	if application {
		kind = 1
	}
	if id := permissionIDs[name][kind]; id != "" {
		return id
	}
	sum := sha256.Sum256([]byte{byte(kind)})
	sum = sha256.Sum256(append(sum[:], name...))
	h := hex.EncodeToString(sum[:16])
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-8" + h[17:20] + "-" + h[20:]
}

// delegatedPermissions are the scopes that Graph has, among those that anything here knows.
func delegatedPermissions() []string {
	return distinct(oidcScopes, pasCreate, pasRead, pesCreate, pesRead, polRead, userRead, groupRead, memberRead, memberWrite, auditRead,
		meRead, roleRead, groupWrite, grantRead, appRead, defenderRead, resourceRead, []string{
			"Directory.AccessAsUser.All", "Policy.Read.All", "AppRoleAssignment.ReadWrite.All",
			"RoleManagement.Read.Directory", "RoleManagement.ReadWrite.Defender",
		})
}

// applicationPermissions are those that an application can hold itself.
func applicationPermissions() []string {
	not := []string{"User.Read", "Directory.AccessAsUser.All"}
	all := distinct([]string{"Group.Create"}, delegatedPermissions())
	return slices.DeleteFunc(all, func(name string) bool { return slices.Contains(not, name) || slices.Contains(oidcScopes, name) })
}

func distinct(lists ...[]string) []string {
	all := slices.Concat(lists...)
	slices.Sort(all)
	return slices.Compact(all)
}

// knownScope reports whether Graph has a delegated permission of that name, among those that anything here knows.
func knownScope(name string) bool { return granted(delegatedPermissions(), name) }
