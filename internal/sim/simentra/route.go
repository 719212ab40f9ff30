package simentra

import (
	"net/http"
	"slices"
	"strings"
)

// A route is one operation of Graph.
type route struct {
	method, pattern string
	delegated       []string
	application     []string // nil: an app cannot do this at all
	pim             bool     // PIM words its refusals differently from the directory
	run             func(*Server, *call) (answer, *graphError)
}

// find returns the route for a path, or Graph's error for one that is none. Segments are matched without regard to case.
func find(in, method, path string) (route, map[string]string, *graphError) {
	segments := strings.Split(strings.Trim(path, "/"), "/")
	matched := 0
	known := false
	all := routes
	if in == versionBeta {
		all = betaRoutes
	}
	for _, r := range all {
		params, depth, ok := r.match(segments)
		matched = max(matched, depth)
		if !ok {
			continue
		}
		known = true
		if r.method == method {
			return r, params, nil
		}
	}
	if known {
		return route{}, nil, &graphError{status: http.StatusMethodNotAllowed, code: "Request_BadRequest", message: "Specified HTTP method is not allowed for the request target."}
	}
	return route{}, nil, badRequest("Resource not found for the segment '%s'.", segments[min(matched, len(segments)-1)])
}

// match returns how many segments fit, and the parameters if all do.
func (r route) match(segments []string) (map[string]string, int, bool) {
	want := strings.Split(strings.Trim(r.pattern, "/"), "/")
	params := map[string]string{}
	for i, segment := range segments {
		if i >= len(want) || !fits(want[i], segment, params) {
			return nil, i, false
		}
	}
	return params, len(segments), len(segments) == len(want)
}

func fits(want, segment string, params map[string]string) bool {
	if name, ok := parameter(want); ok {
		params[name] = segment
		return segment != "" && !strings.HasPrefix(segment, "$") && !strings.Contains(segment, "(")
	}
	function, name, ok := strings.Cut(strings.TrimSuffix(want, "})"), "({")
	if !ok {
		return strings.EqualFold(want, segment)
	}
	value, found := strings.CutPrefix(segment, function+"("+name+"='") // on='approver', appId='…'
	value, closed := strings.CutSuffix(value, "')")
	params[name] = value
	return found && closed
}

func parameter(segment string) (string, bool) {
	name, ok := strings.CutPrefix(segment, "{")
	return strings.TrimSuffix(name, "}"), ok
}

// permit checks the token's kind and permissions.
func (r route) permit(a *access) *graphError {
	allowed := r.delegated
	if a.app {
		allowed = r.application
	}
	if slices.ContainsFunc(a.granted, func(have string) bool { return granted(allowed, have) }) {
		return nil
	}
	switch {
	case !r.pim:
		return errDirectoryRefused.with("")
	case a.app && r.application == nil:
		return errUnsupportedApp.with("")
	}
	return &graphError{
		status: http.StatusForbidden, code: "PermissionScopeNotGranted", wrapped: true,
		message: "Authorization failed due to missing permission scope " + strings.Join(allowed, ",") + ".",
	}
}

const pimBase = "/identityGovernance/privilegedAccess/group/"

var (
	pasRead   = []string{"PrivilegedAssignmentSchedule.Read.AzureADGroup", "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup"}
	pasWrite  = []string{"PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup"}
	pasCreate = []string{"PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup", "PrivilegedAssignmentSchedule.Remove.AzureADGroup"}
	pesRead   = []string{"PrivilegedEligibilitySchedule.Read.AzureADGroup", "PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup"}
	pesCreate = []string{"PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup", "PrivilegedEligibilitySchedule.Remove.AzureADGroup"}
	polRead   = []string{"RoleManagementPolicy.Read.AzureADGroup", "RoleManagementPolicy.ReadWrite.AzureADGroup"}
	polWrite  = []string{"RoleManagementPolicy.ReadWrite.AzureADGroup"}
	userRead  = []string{"User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	groupRead = []string{
		"Directory.Read.All", "Directory.ReadWrite.All", "Group.Read.All", "Group.ReadBasic.All", "Group.ReadWrite.All", "GroupMember.Read.All",
	}
	memberRead = []string{
		"Directory.Read.All", "Group.Read.All", "Group.ReadBasic.All", "Group.ReadWrite.All", "GroupMember.Read.All", "GroupMember.ReadBasic.All", "GroupMember.ReadWrite.All",
	}
	ownerRead   = []string{"Directory.Read.All", "Group.Read.All", "Group.ReadWrite.All", "GroupMember.Read.All", "GroupMember.ReadWrite.All"}
	groupWrite  = []string{"Group.ReadWrite.All", "Directory.ReadWrite.All"}
	groupCreate = []string{"Group.Create", "Group.ReadWrite.All", "Directory.ReadWrite.All"} // for applications
	memberOf    = []string{
		"Directory.Read.All", "Directory.ReadWrite.All", "Group.Read.All", "Group.ReadWrite.All", "GroupMember.Read.All", "GroupMember.ReadWrite.All",
	}
	memberWrite = []string{"GroupMember.ReadWrite.All", "Group.ReadWrite.All", "Directory.ReadWrite.All"}
	objectRead  = []string{"Directory.Read.All"}
	meRead      = []string{"User.Read", "User.ReadBasic.All", "User.Read.All", "User.ReadWrite.All", "Directory.Read.All"}
	roleRead    = []string{"RoleManagement.Read.All", "RoleManagement.ReadWrite.Directory"}
	auditRead   = []string{"AuditLog.Read.All", "Directory.Read.All"}
	appRead     = []string{"Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	grantRead   = []string{
		"DelegatedPermissionGrant.Read.All", "DelegatedPermissionGrant.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All",
	}
	resourceRead = []string{"PrivilegedAccess.Read.AzureADGroup", "PrivilegedAccess.ReadWrite.AzureADGroup"}
	defenderRead = []string{"RoleManagement.Read.Defender", "RoleManagement.ReadWrite.Defender"}
)

// checkMember needs to read both: the user and the groups.
var checkMember = []string{"GroupMember.Read.All", "User.Read.All", "Directory.Read.All", "Group.Read.All"}

var routes = slices.Concat(assignmentRoutes(), eligibilityRoutes(), approvalRoutes(), policyRoutes(), directoryRoutes(), appRoutes())

func pimRoute(method, path string, delegated, application []string, run func(*Server, *call) (answer, *graphError)) route {
	return route{method, pimBase + path, delegated, application, true, run}
}

func assignmentRoutes() []route {
	const requests, schedules, instances = "assignmentScheduleRequests", "assignmentSchedules", "assignmentScheduleInstances"
	return []route{
		pimRoute("GET", requests, pasRead, pasRead, listRequests(false)),
		pimRoute("POST", requests, pasCreate, pasCreate, (*Server).postRequest),
		pimRoute("GET", requests+"/filterByCurrentUser({on})", pasRead, pasRead, myRequests(false)),
		pimRoute("GET", requests+"/{id}", pasRead, pasRead, getRequest(false)),
		pimRoute("POST", requests+"/{id}/cancel", pasWrite, pasWrite, (*Server).cancelRequest),
		pimRoute("GET", schedules, pasRead, pasRead, listAssignments(schedules, (*Server).scheduleView)),
		pimRoute("GET", schedules+"/filterByCurrentUser({on})", pasRead, pasRead, myAssignments(schedules, (*Server).scheduleView)),
		pimRoute("GET", schedules+"/{id}", pasRead, pasRead, getAssignment(schedules, (*Server).scheduleView)),
		pimRoute("GET", instances, pasRead, pasRead, listAssignments(instances, (*Server).instanceView)),
		pimRoute("GET", instances+"/filterByCurrentUser({on})", pasRead, pasRead, myAssignments(instances, (*Server).instanceView)),
		pimRoute("GET", instances+"/{id}", pasRead, pasRead, getAssignment(instances, (*Server).instanceView)),
	}
}

func eligibilityRoutes() []route {
	const requests, schedules, instances = "eligibilityScheduleRequests", "eligibilitySchedules", "eligibilityScheduleInstances"
	return []route{
		pimRoute("GET", requests, pesRead, pesRead, listRequests(true)),
		pimRoute("POST", requests, pesCreate, pesCreate, (*Server).postEligibility),
		pimRoute("GET", requests+"/filterByCurrentUser({on})", pesRead, pesRead, myRequests(true)),
		pimRoute("GET", requests+"/{id}", pesRead, pesRead, getRequest(true)),
		pimRoute("GET", schedules, pesRead, pesRead, listEligibilities(schedules, (*Server).eligibilityView)),
		pimRoute("GET", schedules+"/filterByCurrentUser({on})", pesRead, pesRead, myEligibilities(schedules, (*Server).eligibilityView)),
		pimRoute("GET", instances, pesRead, pesRead, listEligibilities(instances, (*Server).eligibleInstanceView)),
		pimRoute("GET", instances+"/filterByCurrentUser({on})", pesRead, pesRead, myEligibilities(instances, (*Server).eligibleInstanceView)),
	}
}

func approvalRoutes() []route {
	const approvals = "assignmentApprovals"
	return []route{
		pimRoute("GET", approvals+"/filterByCurrentUser({on})", pasRead, nil, (*Server).myApprovals),
		pimRoute("GET", approvals+"/{id}", pasRead, nil, (*Server).getApproval),
		pimRoute("GET", approvals+"/{id}/stages", pasRead, nil, (*Server).listStages),
		pimRoute("GET", approvals+"/{id}/stages/{stage}", pasRead, nil, (*Server).getStage),
		pimRoute("PATCH", approvals+"/{id}/stages/{stage}", pasWrite, nil, (*Server).patchStage),
	}
}

func policyRoutes() []route {
	const policies, assignments = "/policies/roleManagementPolicies", "/policies/roleManagementPolicyAssignments"
	return []route{
		{"GET", assignments, polRead, polRead, true, (*Server).listPolicyAssignments},
		{"GET", assignments + "/{id}", polRead, polRead, true, (*Server).getPolicyAssignment},
		{"GET", policies, polRead, polRead, true, (*Server).listPolicies},
		{"GET", policies + "/{id}", polRead, polRead, true, (*Server).getPolicy},
		{"GET", policies + "/{id}/rules", polRead, polRead, true, (*Server).listRules},
		{"GET", policies + "/{id}/rules/{rule}", polRead, polRead, true, (*Server).getRule},
		{"PATCH", policies + "/{id}/rules/{rule}", polWrite, polWrite, true, (*Server).patchRule},
	}
}

func appRoutes() []route {
	routes := []route{
		{"GET", "/applications", appRead, appRead, false, (*Server).listApplications},
		{"GET", "/applications/{id}", appRead, appRead, false, (*Server).getApplication},
		{"GET", "/applications({appId})", appRead, appRead, false, (*Server).getApplication},
		{"GET", "/servicePrincipals", appRead, appRead, false, (*Server).listPrincipals},
		{"GET", "/oauth2PermissionGrants", grantRead, grantRead, false, (*Server).listGrants},
	}
	for _, one := range []string{"/servicePrincipals/{id}", "/servicePrincipals({appId})"} {
		routes = append(routes,
			route{"GET", one, appRead, appRead, false, (*Server).getPrincipal},
			route{"GET", one + "/appRoleAssignments", appRead, appRead, false, listRoleAssignments("appRoleAssignments", "principalId")},
			route{"GET", one + "/appRoleAssignedTo", appRead, appRead, false, listRoleAssignments("appRoleAssignedTo", "resourceId")},
			route{"GET", one + "/oauth2PermissionGrants", grantRead, grantRead, false, (*Server).listGrantsOf})
	}
	return routes
}

func directoryRoutes() []route {
	return []route{
		{"GET", "/me", meRead, nil, false, (*Server).getMe},
		{"GET", "/users", userRead, userRead, false, (*Server).listUsers},
		{"GET", "/users/{id}", userRead, userRead, false, (*Server).getUser},
		{"POST", "/users/{id}/checkMemberGroups", checkMember, checkMember, false, (*Server).checkMemberGroups},
		{"GET", "/groups", groupRead, groupRead, false, (*Server).listGroups},
		{"POST", "/groups", groupWrite, groupCreate, false, (*Server).createGroup},
		{"PATCH", "/groups/{id}", memberWrite, memberWrite, false, (*Server).patchGroup},
		{"GET", "/groups/{id}/memberOf", memberOf, memberOf, false, (*Server).listMemberOf},
		{"GET", "/groups/$count", groupRead, groupRead, false, (*Server).countGroups},
		{"GET", "/groups/{id}", groupRead, groupRead, false, (*Server).getGroup},
		{"GET", "/groups/{id}/members", memberRead, memberRead, false, listMembers("")},
		{"GET", "/groups/{id}/members/microsoft.graph.user", memberRead, memberRead, false, listMembers(typeUser)},
		{"GET", "/groups/{id}/transitiveMembers", memberRead, memberRead, false, listTransitive("")},
		{"GET", "/groups/{id}/transitiveMembers/microsoft.graph.user", memberRead, memberRead, false, listTransitive(typeUser)},
		{"GET", "/groups/{id}/owners", ownerRead, ownerRead, false, listOwners("")},
		{"GET", "/groups/{id}/owners/microsoft.graph.user", ownerRead, ownerRead, false, listOwners(typeUser)},
		{"POST", "/groups/{id}/members/$ref", memberWrite, memberWrite, false, (*Server).addMemberRef},
		{"DELETE", "/groups/{id}/members/{member}/$ref", memberWrite, memberWrite, false, (*Server).removeMemberRef},
		{"GET", "/directoryObjects/{id}", objectRead, objectRead, false, (*Server).getObject},
		{"POST", "/directoryObjects/getByIds", objectRead, objectRead, false, (*Server).objectsByID},
		{"GET", "/auditLogs/directoryAudits", auditRead, auditRead, false, (*Server).listAudits},
		{"GET", "/auditLogs/directoryAudits/{id}", auditRead, auditRead, false, (*Server).getAudit},
	}
}
