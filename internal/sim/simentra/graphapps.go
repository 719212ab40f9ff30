package simentra

import (
	"crypto/sha1" //nolint:gosec // a name, as Entra has it
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"elevate/internal/sim/cast"
)

const (
	// anyRole is the id of the role that is assigned where an app has none of its own.
	anyRole = "00000000-0000-0000-0000-000000000000"
	// microsoftTenant owns the registrations that every tenant has.
	microsoftTenant = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"
	// old is when everything was made that was there at the beginning.
	old = "2025-01-15T08:00:00Z"
)

// graphPrincipalID is Microsoft Graph's service principal in this tenant.
var graphPrincipalID = cast.Derived("5e471ce0", 100)

// objectID is the id of the registration itself, beside that of its service principal.
func (a *app) objectID() string { return "0b" + a.ClientID[2:] }

// foreign reports whether Microsoft owns the registration: then the tenant has a service principal only.
func (a *app) foreign() bool { return a.Public }

func (s *Server) sortedApps() []*app {
	var out []*app
	for _, a := range s.apps {
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b *app) int { return strings.Compare(a.ServicePrincipalID, b.ServicePrincipalID) })
	return out
}

// applicationView prints a registration.
func (s *Server) applicationView(a *app) map[string]any {
	return map[string]any{
		"id": a.objectID(), "deletedDateTime": nil, "appId": a.ClientID, "displayName": a.Name, "description": nil, "createdDateTime": old,
		"signInAudience": "AzureADMyOrg", "publisherDomain": s.domain, "identifierUris": []any{}, "tags": []any{}, "groupMembershipClaims": nil,
		"isFallbackPublicClient": nil, "appRoles": []any{}, "notes": nil, "certification": nil, "disabledByMicrosoftStatus": nil,
		"web": map[string]any{
			"homePageUrl": nil, "logoutUrl": nil, "redirectUris": texts(a.Redirects),
			"implicitGrantSettings": map[string]any{"enableAccessTokenIssuance": false, "enableIdTokenIssuance": false},
		},
		"publicClient": map[string]any{"redirectUris": []any{}}, "spa": map[string]any{"redirectUris": []any{}},
		"api":                    map[string]any{"requestedAccessTokenVersion": nil, "oauth2PermissionScopes": []any{}, "preAuthorizedApplications": []any{}},
		"optionalClaims":         a.optionalClaims(),
		"requiredResourceAccess": a.required(),
		"passwordCredentials":    a.passwords(), "keyCredentials": a.keys(),
	}
}

func texts(list []string) []any {
	out := []any{}
	for _, text := range list {
		out = append(out, text)
	}
	return out
}

// optionalClaims are null until the first one is asked for.
func (a *app) optionalClaims() any {
	if len(a.OptionalClaims) == 0 {
		return nil
	}
	var list []any
	for _, name := range a.OptionalClaims {
		list = append(list, map[string]any{"name": name, "source": nil, "essential": false, "additionalProperties": []any{}})
	}
	return map[string]any{"idToken": list, "accessToken": list, "saml2Token": []any{}}
}

// required is what the registration says it needs; here that is what was consented to.
func (a *app) required() []any {
	access := []any{}
	for _, name := range a.Delegated {
		access = append(access, map[string]any{"id": permissionID(name, false), "type": "Scope"})
	}
	for _, name := range a.Application {
		access = append(access, map[string]any{"id": permissionID(name, true), "type": "Role"})
	}
	if len(access) == 0 {
		return []any{}
	}
	return []any{map[string]any{"resourceAppId": cast.GraphAppID, "resourceAccess": access}}
}

// passwords lists the secret, of which one sees the beginning only.
func (a *app) passwords() []any {
	if a.Secret == "" {
		return []any{}
	}
	return []any{map[string]any{
		"keyId": "c0" + a.ClientID[2:], "displayName": "Sandbox", "hint": a.Secret[:3], "secretText": nil, "customKeyIdentifier": nil,
		"startDateTime": old, "endDateTime": a.secretEnds.UTC().Format(time.RFC3339),
	}}
}

func (a *app) keys() []any {
	out := []any{}
	for _, cert := range a.certificates {
		sum := sha1.Sum(cert.Raw) //nolint:gosec // a name
		out = append(out, map[string]any{
			"keyId": newGUID(), "displayName": "CN=" + cert.Subject.CommonName, "type": "AsymmetricX509Cert", "usage": "Verify", "key": nil,
			"customKeyIdentifier": base64.StdEncoding.EncodeToString(sum[:]),
			"startDateTime":       cert.NotBefore.UTC().Format(time.RFC3339), "endDateTime": cert.NotAfter.UTC().Format(time.RFC3339),
		})
	}
	return out
}

func (s *Server) principalView(a *app) map[string]any {
	owner, audience := s.tenantID, "AzureADMyOrg"
	if a.foreign() {
		owner, audience = microsoftTenant, "AzureADMultipleOrgs"
	}
	return map[string]any{
		"id": a.ServicePrincipalID, "deletedDateTime": nil, "appId": a.ClientID, "displayName": a.Name, "appDisplayName": a.Name, "accountEnabled": true,
		"appRoleAssignmentRequired": a.AssignmentRequired, "servicePrincipalType": "Application", "appOwnerOrganizationId": owner,
		"signInAudience": audience, "replyUrls": texts(a.Redirects), "servicePrincipalNames": []any{a.ClientID}, "tags": []any{}, "homepage": nil,
		"createdDateTime": old, "appRoles": []any{}, "oauth2PermissionScopes": []any{}, "passwordCredentials": []any{}, "keyCredentials": []any{},
	}
}

// graphPrincipal is Microsoft Graph itself, with every permission that anything here knows.
func (s *Server) graphPrincipal() map[string]any {
	graph := &app{App: cast.App{Name: "Microsoft Graph", ClientID: cast.GraphAppID, ServicePrincipalID: graphPrincipalID, Public: true}}
	view := s.principalView(graph)
	roles, scopes := []any{}, []any{}
	for _, name := range applicationPermissions() {
		roles = append(roles, map[string]any{
			"id": permissionID(name, true), "value": name, "displayName": name, "description": name, "isEnabled": true,
			"allowedMemberTypes": []any{"Application"}, "origin": "Application",
		})
	}
	for _, name := range delegatedPermissions() {
		kind := "Admin"
		if granted(selfConsented, name) {
			kind = "User"
		}
		scopes = append(scopes, map[string]any{
			"id": permissionID(name, false), "value": name, "type": kind, "isEnabled": true, "adminConsentDisplayName": name,
			"adminConsentDescription": name, "userConsentDisplayName": nil, "userConsentDescription": nil,
		})
	}
	view["appRoles"], view["oauth2PermissionScopes"] = roles, scopes
	return view
}

func (s *Server) listApplications(c *call) (answer, *graphError) {
	var views []map[string]any
	for _, a := range s.sortedApps() {
		if !a.foreign() {
			views = append(views, s.applicationView(a))
		}
	}
	return s.list(c, "applications", views)
}

func (s *Server) getApplication(c *call) (answer, *graphError) {
	for _, a := range s.sortedApps() {
		if !a.foreign() && (strings.EqualFold(a.objectID(), c.params["id"]) || strings.EqualFold(a.ClientID, c.params["appId"])) {
			return s.single(c, "applications", s.applicationView(a))
		}
	}
	return refuse(noSuchObject(c.params["id"] + c.params["appId"]))
}

func (s *Server) principalViews() []map[string]any {
	views := []map[string]any{s.graphPrincipal()}
	for _, a := range s.sortedApps() {
		views = append(views, s.principalView(a))
	}
	return views
}

func (s *Server) listPrincipals(c *call) (answer, *graphError) {
	return s.list(c, "servicePrincipals", s.principalViews())
}

// principalAsked is the service principal of the path.
func (s *Server) principalAsked(c *call) (map[string]any, *graphError) {
	for _, view := range s.principalViews() {
		if strings.EqualFold(view["id"].(string), c.params["id"]) || strings.EqualFold(view["appId"].(string), c.params["appId"]) {
			return view, nil
		}
	}
	return nil, noSuchObject(c.params["id"] + c.params["appId"])
}

func (s *Server) getPrincipal(c *call) (answer, *graphError) {
	view, e := s.principalAsked(c)
	if e != nil {
		return refuse(e)
	}
	return s.single(c, "servicePrincipals", view)
}

// roleAssignments are all app role assignments: of people and groups to apps, and of apps to Microsoft Graph.
func (s *Server) roleAssignments() []map[string]any {
	var out []map[string]any
	for _, a := range s.sortedApps() {
		for _, name := range a.Application {
			out = append(out, roleAssignment(permissionID(name, true), a.ServicePrincipalID, "ServicePrincipal", a.Name, graphPrincipalID, "Microsoft Graph"))
		}
		for _, id := range a.assigned {
			if p := s.dir.person(id); p != nil {
				out = append(out, roleAssignment(anyRole, id, "User", p.DisplayName, a.ServicePrincipalID, a.Name))
			}
			if g := s.dir.group(id); g != nil {
				out = append(out, roleAssignment(anyRole, id, "Group", g.Name, a.ServicePrincipalID, a.Name))
			}
		}
	}
	return out
}

func roleAssignment(role, principal, kind, name, resource, resourceName string) map[string]any {
	return map[string]any{
		"id": opaqueID(role, principal, resource), "deletedDateTime": nil, "appRoleId": role, "createdDateTime": old,
		"principalId": principal, "principalType": kind, "principalDisplayName": name, "resourceId": resource, "resourceDisplayName": resourceName,
	}
}

// opaqueID is an id that says nothing and stays the same.
func opaqueID(parts ...string) string {
	sum := sha1.Sum([]byte(strings.Join(parts, "|"))) //nolint:gosec // a name
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// listRoleAssignments lists what a service principal was given, or what was given to others for it.
func listRoleAssignments(resource, side string) handler {
	return func(s *Server, c *call) (answer, *graphError) {
		of, e := s.principalAsked(c)
		if e != nil {
			return refuse(e)
		}
		var views []map[string]any
		for _, v := range s.roleAssignments() {
			if v[side] == of["id"] {
				views = append(views, v)
			}
		}
		return s.list(c, "servicePrincipals('"+of["id"].(string)+"')/"+resource, views)
	}
}

// grantViews are what was consented to: for everybody, and by people for themselves.
func (s *Server) grantViews() []map[string]any {
	var out []map[string]any
	for _, a := range s.sortedApps() {
		if len(a.Delegated) > 0 && !a.FirstParty {
			out = append(out, delegatedGrant(a, "AllPrincipals", nil, a.Delegated))
		}
		for _, p := range s.dir.people {
			if own := a.consents[p.ObjectID]; len(own) > 0 {
				out = append(out, delegatedGrant(a, "Principal", p.ObjectID, own))
			}
		}
	}
	return out
}

func delegatedGrant(a *app, kind string, principal any, scopes []string) map[string]any {
	owner, _ := principal.(string)
	return map[string]any{
		"id": opaqueID("grant", a.ServicePrincipalID, owner), "clientId": a.ServicePrincipalID, "consentType": kind, "principalId": principal,
		"resourceId": graphPrincipalID, "scope": strings.Join(scopes, " "),
	}
}

func (s *Server) listGrants(c *call) (answer, *graphError) {
	return s.list(c, "oauth2PermissionGrants", s.grantViews())
}

func (s *Server) listGrantsOf(c *call) (answer, *graphError) {
	of, e := s.principalAsked(c)
	if e != nil {
		return refuse(e)
	}
	var views []map[string]any
	for _, v := range s.grantViews() {
		if v["clientId"] == of["id"] {
			views = append(views, v)
		}
	}
	return s.list(c, "servicePrincipals('"+of["id"].(string)+"')/oauth2PermissionGrants", views)
}
