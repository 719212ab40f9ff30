package entra

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"elevate/internal/pim"
	"elevate/internal/tenant"
)

// graphApp is Microsoft Graph's own client id, the same in every tenant.
const graphApp = "00000003-0000-0000-c000-000000000000"

// DelegatedPermissions are what people consent to, once and through an administrator, for the bot.
func DelegatedPermissions() []string {
	return []string{
		"offline_access", "openid", "profile", "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup", "PrivilegedEligibilitySchedule.Read.AzureADGroup",
	}
}

// raw is a page of a list, or one entity, whose fields are read as they are: the SDK's builders for these few would more than double
// what is linked of it.
type raw struct {
	Next  string            `json:"@odata.nextLink"`
	Value []json.RawMessage `json:"value"`
}

// get queues the reading of an address below the version.
func (v *view) get(name, path string, query url.Values, take func(body []byte) error) {
	address := path
	if len(query) > 0 {
		address += "?" + strings.ReplaceAll(query.Encode(), "%24", "$")
	}
	v.put(&reading{name: name, method: http.MethodGet, path: address, take: func(body []byte) (string, error) {
		var page raw
		if err := json.Unmarshal(body, &page); err != nil {
			return "", pim.Errorf(pim.Unavailable, "Microsoft Graph gave an answer that Elevate cannot read. Try again in a minute.")
		}
		return page.Next, take(body)
	}}, nil)
}

// each hands every entity of a list's page on.
func each[T any](body []byte, take func(T)) error {
	var page raw
	if err := json.Unmarshal(body, &page); err != nil || page.Value == nil {
		return errOther
	}
	for _, item := range page.Value {
		var one T
		if json.Unmarshal(item, &one) != nil {
			return errOther
		}
		take(one)
	}
	return nil
}

type named struct {
	ID    string `json:"id"`
	Value string `json:"value"`
}

type servicePrincipal struct {
	ID       string  `json:"id"`
	AppID    string  `json:"appId"`
	Assigned bool    `json:"appRoleAssignmentRequired"`
	Roles    []named `json:"appRoles"`
}

type credentialEnd struct {
	Name string    `json:"displayName"`
	Key  string    `json:"keyId"`
	Ends time.Time `json:"endDateTime"`
}

type application struct {
	Web struct {
		Redirects []string `json:"redirectUris"`
	} `json:"web"`
	SPA struct {
		Redirects []string `json:"redirectUris"`
	} `json:"spa"`
	PublicClient struct {
		Redirects []string `json:"redirectUris"`
	} `json:"publicClient"`
	Public *bool `json:"isFallbackPublicClient"`
	Claims *struct {
		IDToken []struct {
			Name string `json:"name"`
		} `json:"idToken"`
	} `json:"optionalClaims"`
	Secrets      []credentialEnd `json:"passwordCredentials"`
	Certificates []credentialEnd `json:"keyCredentials"`
}

// Registration reads an application of the tenant: the registration, and what was consented to for it. In two round trips.
func (a *Administrator) Registration(ctx context.Context, clientID string) (tenant.Registration, error) {
	var r tenant.Registration
	var principal servicePrincipal
	roles := map[string]string{} // of Graph, by id
	graph := ""
	v := a.newView(a.client)
	v.get("service principals", "/servicePrincipals", url.Values{
		"$filter": {"appId eq " + quoted(clientID)}, "$select": {"id,appId,appRoleAssignmentRequired"},
	}, func(body []byte) error { return each(body, func(sp servicePrincipal) { principal = sp }) })
	v.get("Graph's permissions", "/servicePrincipals", url.Values{
		"$filter": {"appId eq " + quoted(graphApp)}, "$select": {"id,appId,appRoles"},
	}, func(body []byte) error {
		return each(body, func(sp servicePrincipal) {
			graph = sp.ID
			for _, role := range sp.Roles {
				roles[role.ID] = role.Value
			}
		})
	})
	v.get("applications", "/applications", url.Values{
		"$filter": {"appId eq " + quoted(clientID)},
		"$select": {"id,appId,web,spa,publicClient,isFallbackPublicClient,optionalClaims,passwordCredentials,keyCredentials"},
	}, func(body []byte) error {
		return each(body, func(app application) {
			r.Found = true
			addApplication(&r, app)
		})
	})
	if err := a.through(ctx, v); err != nil {
		return r, err
	}
	if principal.ID == "" {
		r.Found = false
		return r, nil
	}
	r.AssignmentRequired = principal.Assigned
	v = a.newView(a.client)
	a.askConsents(v, &r, principal.ID, graph, roles)
	return r, a.through(ctx, v)
}

func (a *Administrator) through(ctx context.Context, v *view) error {
	if err := v.run(ctx); err != nil {
		return a.readError(err)
	}
	if len(v.failed) > 0 {
		return a.readError(errors.Join(v.failed...))
	}
	return nil
}

func addApplication(r *tenant.Registration, app application) {
	r.Redirects = append(r.Redirects, app.Web.Redirects...)
	r.Elsewhere = append(append(r.Elsewhere, app.SPA.Redirects...), app.PublicClient.Redirects...)
	r.Public = app.Public != nil && *app.Public
	if app.Claims != nil {
		for _, c := range app.Claims.IDToken {
			r.Claims = append(r.Claims, c.Name)
		}
	}
	for kind, list := range map[string][]credentialEnd{"the secret ": app.Secrets, "the certificate ": app.Certificates} {
		for _, c := range list {
			name := c.Name
			if name == "" {
				name = c.Key
			}
			r.Ends = append(r.Ends, tenant.Ending{Name: kind + name, At: c.Ends})
		}
	}
}

// askConsents asks what a service principal may do, by itself and for people, and who may sign in to it. What is granted on another resource than Graph is
// named with its id: Elevate needs nothing there.
func (a *Administrator) askConsents(v *view, r *tenant.Registration, id, graph string, roles map[string]string) {
	v.get("application permissions", "/servicePrincipals/"+url.PathEscape(id)+"/appRoleAssignments", nil, func(body []byte) error {
		return each(body, func(granted struct {
			Role     string `json:"appRoleId"`
			Resource string `json:"resourceId"`
			Name     string `json:"resourceDisplayName"`
		},
		) {
			name := roles[granted.Role]
			if name == "" || granted.Resource != graph {
				name = granted.Role + " of " + granted.Name
			}
			r.Application = append(r.Application, name)
		})
	})
	v.get("assignments", "/servicePrincipals/"+url.PathEscape(id)+"/appRoleAssignedTo", nil, func(body []byte) error {
		return each(body, func(assigned struct {
			Principal string `json:"principalId"`
		},
		) {
			r.Assigned = append(r.Assigned, pim.NewPrincipalID(assigned.Principal))
		})
	})
	v.get("consents", "/servicePrincipals/"+url.PathEscape(id)+"/oauth2PermissionGrants", nil, func(body []byte) error {
		return each(body, func(granted struct {
			Scope    string `json:"scope"`
			Kind     string `json:"consentType"`
			Resource string `json:"resourceId"`
		},
		) {
			scopes := strings.Fields(granted.Scope)
			if granted.Resource != graph {
				for i := range scopes {
					scopes[i] += " of " + granted.Resource
				}
			}
			if strings.EqualFold(granted.Kind, "AllPrincipals") {
				r.Delegated = append(r.Delegated, scopes...)
			} else {
				r.ByPerson = append(r.ByPerson, scopes...)
			}
		})
	})
}

// GroupsOfPIM lists the groups that are under PIM, through Graph's beta: v1.0 has no such list.
// https://learn.microsoft.com/graph/api/privilegedaccessgroup-list-resources
func (a *Administrator) GroupsOfPIM(ctx context.Context) ([]pim.GroupID, error) {
	var ids []pim.GroupID
	v := a.newView(a.beta)
	v.get("groups under PIM", "/identityGovernance/privilegedAccess/group/resources", nil, func(body []byte) error {
		return each(body, func(g named) { ids = append(ids, pim.NewGroupID(g.ID)) })
	})
	return ids, a.through(ctx, v)
}

// DefenderRoles reads which roles of Defender's unified access control each principal has, through Graph's beta. It is never written.
// https://learn.microsoft.com/graph/api/rbacapplicationmultiple-list-roleassignments
func (a *Administrator) DefenderRoles(ctx context.Context) (map[pim.PrincipalID][]string, error) {
	type assignment struct {
		Role       string   `json:"roleDefinitionId"`
		Principals []string `json:"principalIds"`
	}
	names, found := map[string]string{}, []assignment{}
	v := a.newView(a.beta)
	v.get("Defender's roles", "/roleManagement/defender/roleDefinitions", nil, func(body []byte) error {
		return each(body, func(d struct {
			ID   string `json:"id"`
			Name string `json:"displayName"`
		},
		) {
			names[d.ID] = d.Name
		})
	})
	v.get("Defender's assignments", "/roleManagement/defender/roleAssignments", nil, func(body []byte) error {
		return each(body, func(one assignment) { found = append(found, one) })
	})
	if err := a.through(ctx, v); err != nil {
		return nil, err
	}
	roles := map[pim.PrincipalID][]string{}
	for _, one := range found {
		name := names[one.Role]
		if name == "" {
			name = one.Role
		}
		for _, p := range one.Principals {
			roles[pim.NewPrincipalID(p)] = append(roles[pim.NewPrincipalID(p)], name)
		}
	}
	return roles, nil
}
