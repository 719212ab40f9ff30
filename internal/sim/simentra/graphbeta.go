package simentra

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"elevate/internal/sim/cast"
)

// betaRoutes are what is read from beta because v1.0 does not have it. The rest of beta is not here: nothing may use it.
var betaRoutes = []route{
	{"GET", pimBase + "resources", resourceRead, resourceRead, true, (*Server).listResources},
	{"GET", pimBase + "resources/{id}", resourceRead, resourceRead, true, (*Server).getResource},
	{"GET", "/roleManagement/defender/roleDefinitions", defenderRead, defenderRead, false, (*Server).listDefenderRoles},
	{"GET", "/roleManagement/defender/roleDefinitions/{id}", defenderRead, defenderRead, false, (*Server).getDefenderRole},
	{"GET", "/roleManagement/defender/roleAssignments", defenderRead, defenderRead, false, (*Server).listDefenderAssignments},
}

// listResources shows which groups are under PIM, by their ids.
func (s *Server) listResources(c *call) (answer, *graphError) {
	var views []map[string]any
	for _, g := range s.dir.groups {
		if s.isOnboarded(g.ID) {
			views = append(views, map[string]any{"id": g.ID})
		}
	}
	return s.list(c, contextPIM+"resources", views)
}

func (s *Server) getResource(c *call) (answer, *graphError) {
	if !s.isOnboarded(strings.ToLower(c.params["id"])) {
		return refuse(errTooNew.with(""))
	}
	return s.single(c, contextPIM+"resources", map[string]any{"id": strings.ToLower(c.params["id"])})
}

// A defenderAssignment gives principals a role of Microsoft Defender's unified role-based access control.
type defenderAssignment struct {
	id, name, role string
	principals     []string
}

func (s *Server) loadDefender(c *cast.Cast) {
	s.defenderRoles = c.DefenderRoles
	for i, role := range c.DefenderRoles {
		a := defenderAssignment{id: cast.Derived("defe0200", i+1), name: role.Name, role: role.ID}
		for _, name := range role.Groups {
			if id, there := c.Principal(name); there {
				a.principals = append(a.principals, id)
			}
		}
		if len(a.principals) > 0 {
			s.defender = append(s.defender, a)
		}
	}
}

func defenderRoleView(role cast.DefenderRole) map[string]any {
	return map[string]any{
		"id": role.ID, "displayName": role.Name, "description": role.Description, "isBuiltIn": false, "isEnabled": true,
		"rolePermissions": []any{}, "version": nil, "templateId": nil,
	}
}

func (s *Server) listDefenderRoles(c *call) (answer, *graphError) {
	var views []map[string]any
	for _, role := range s.defenderRoles {
		views = append(views, defenderRoleView(role))
	}
	return s.list(c, "roleManagement/defender/roleDefinitions", views)
}

func (s *Server) getDefenderRole(c *call) (answer, *graphError) {
	for _, role := range s.defenderRoles {
		if strings.EqualFold(role.ID, c.params["id"]) {
			return s.single(c, "roleManagement/defender/roleDefinitions", defenderRoleView(role))
		}
	}
	return refuse(noSuchObject(c.params["id"]))
}

func (s *Server) listDefenderAssignments(c *call) (answer, *graphError) {
	var views []map[string]any
	for _, a := range s.defender {
		views = append(views, map[string]any{
			"id": a.id, "displayName": a.name, "description": nil, "roleDefinitionId": a.role, "principalIds": texts(a.principals),
			"directoryScopeIds": []any{"/"}, "appScopeIds": []any{}, "condition": nil,
		})
	}
	return s.list(c, "roleManagement/defender/roleAssignments", views)
}

// GiveDefenderRole gives a group a role in Microsoft Defender's own portal.
func (p Portal) GiveDefenderRole(admin, group, role string) error {
	return p.as(admin, func(by *person, _ time.Time) error {
		if !by.Admin {
			return errDirectoryRefused
		}
		g := p.s.dir.groupNamed(group)
		i := slices.IndexFunc(p.s.defenderRoles, func(r cast.DefenderRole) bool { return strings.EqualFold(r.Name, role) })
		if g == nil || i < 0 {
			return fmt.Errorf("no group is called %q, or no role of Defender is called %q", group, role)
		}
		found := p.s.defenderRoles[i]
		p.s.defender = append(p.s.defender, defenderAssignment{newGUID(), found.Name, found.ID, []string{g.ID}})
		return nil
	})
}
