package simentra

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"elevate/internal/sim/simentra/odata"
)

const (
	typeUser  = "#microsoft.graph.user"
	typeGroup = "#microsoft.graph.group"
)

// Properties that the directory prints unless $select asks for others.
var (
	userDefaults = []string{
		"businessPhones", "displayName", "givenName", "id", "jobTitle", "mail", "mobilePhone", "officeLocation", "preferredLanguage", "surname",
		"userPrincipalName",
	}
	userMore = []string{"accountEnabled", "userType", "employeeId", "department", "companyName", "createdDateTime", "deletedDateTime", "externalUserState"}
)

// userView prints a user with every property there is; most have no value here.
func (p *person) view() map[string]any {
	view := map[string]any{"@odata.type": typeUser}
	for _, name := range slices.Concat(userDefaults, userMore) {
		view[name] = nil
	}
	first, last, _ := strings.Cut(p.DisplayName, " ")
	view["id"], view["displayName"], view["userPrincipalName"] = p.ObjectID, p.DisplayName, p.UPN
	view["givenName"], view["surname"], view["mail"] = first, last, homeAddress(p.UPN)
	view["businessPhones"], view["accountEnabled"], view["userType"] = []any{}, p.Enabled, p.UserType
	if p.EmployeeID != "" {
		view["employeeId"] = p.EmployeeID
	}
	return view
}

func (g *group) view() map[string]any {
	view := map[string]any{
		"@odata.type": typeGroup, "id": g.ID, "displayName": g.Name, "description": optional(g.Description), "deletedDateTime": nil,
		"groupTypes": []any{}, "mailEnabled": false, "mailNickname": g.nickname,
		"securityEnabled": true, "isAssignableToRole": roleAssignable(g), "visibility": nil, "mail": nil, "membershipRule": optional(g.MembershipRule),
		"membershipRuleProcessingState": nil, "onPremisesSyncEnabled": nil, "isManagementRestricted": nil, "createdDateTime": old,
	}
	if g.nickname == "" {
		view["mailNickname"] = strings.ReplaceAll(strings.ToLower(g.Name), " ", "")
	}
	if !g.created.IsZero() {
		view["createdDateTime"] = g.created.UTC().Truncate(time.Second).Format(time.RFC3339)
	}
	if g.MembershipRule != "" {
		view["groupTypes"], view["membershipRuleProcessingState"] = []any{"DynamicMembership"}, "On"
	}
	if g.Synced {
		view["onPremisesSyncEnabled"] = true
	}
	if g.ManagementRestricted {
		view["isManagementRestricted"] = true
	}
	if g.RoleAssignable {
		view["visibility"] = "Private"
	}
	return view
}

// roleAssignable is null, not false, for groups that were made without it.
func roleAssignable(g *group) any {
	if g.RoleAssignable {
		return true
	}
	return nil
}

func (s *Server) objectView(id string) map[string]any {
	if p := s.dir.person(id); p != nil {
		return p.view()
	}
	if g := s.dir.group(id); g != nil {
		return g.view()
	}
	return nil
}

// mostClauses is how many alternatives the directory takes in one filter, those of an in included.
const mostClauses = 15

func (c *call) fewClauses() *graphError {
	if n := odata.Alternatives(c.odata.Filter); n > mostClauses {
		return &graphError{
			status: http.StatusBadRequest, code: "Request_UnsupportedQuery",
			message: fmt.Sprintf("Too many child clauses specified in search filter expression containing 'OR' operators: %d. Max allowed: %d.", n, mostClauses),
		}
	}
	return nil
}

// defaults chooses the properties of users where $select is silent.
func (c *call) defaults() {
	if len(c.odata.Select) == 0 {
		c.odata.Select = userDefaults
	}
}

func (s *Server) listUsers(c *call) (answer, *graphError) {
	if e := c.fewClauses(); e != nil {
		return refuse(e)
	}
	c.defaults()
	var views []map[string]any
	for _, p := range s.dir.people {
		view := p.view()
		delete(view, "@odata.type") // the type follows from the path
		views = append(views, view)
	}
	return s.list(c, "users", views)
}

func (s *Server) getUser(c *call) (answer, *graphError) {
	c.defaults()
	p := s.dir.person(c.params["id"])
	for _, candidate := range s.dir.people {
		if strings.EqualFold(candidate.UPN, c.params["id"]) {
			p = candidate
		}
	}
	if p == nil {
		return refuse(noSuchObject(c.params["id"]))
	}
	view := p.view()
	delete(view, "@odata.type")
	return s.single(c, "users", view)
}

func (s *Server) getMe(c *call) (answer, *graphError) {
	c.params["id"] = c.who.oid
	return s.getUser(c)
}

func (s *Server) listGroups(c *call) (answer, *graphError) {
	if e := c.fewClauses(); e != nil {
		return refuse(e)
	}
	var views []map[string]any
	for _, g := range slices.Concat(s.dir.groups, s.otherGroups()) {
		view := g.view()
		delete(view, "@odata.type")
		views = append(views, view)
	}
	return s.list(c, "groups", views)
}

// mostExpanded is how many related objects $expand brings of the directory's; there is no page after them.
const mostExpanded = 20

// expandGroup adds one relation to a group in a list.
func (s *Server) expandGroup(c *call, view map[string]any) *graphError {
	name, options, _ := strings.Cut(c.odata.Expand, "(")
	id, _ := view["id"].(string)
	g := s.dir.group(id)
	if strings.Contains(name, ",") {
		return requestRefused("Only one property can be expanded in a single query.") // worded by us
	}
	var ids []string
	switch {
	case name == "owners" && g != nil:
		ids = g.owners
	case name == "memberOf" && g != nil:
		ids = s.around(g, c.now)
	case name != "owners" && name != "memberOf":
		return badRequest("Parsing OData Select and Expand failed: could not find a property named '%s'.", name)
	}
	related := []any{}
	for _, id := range ids[:min(len(ids), mostExpanded)] {
		whole := s.objectView(id)
		if whole == nil {
			continue
		}
		if wanted, ok := strings.CutPrefix(strings.TrimSuffix(options, ")"), "$select="); ok {
			some := map[string]any{"@odata.type": whole["@odata.type"]}
			for property := range strings.SplitSeq(wanted, ",") {
				some[property] = whole[property]
			}
			whole = some
		}
		related = append(related, whole)
	}
	view[name] = related
	return nil
}

// countGroups answers with a number alone.
func (s *Server) countGroups(c *call) (answer, *graphError) {
	if !c.eventual {
		return refuse(requestRefused("$count is not currently supported."))
	}
	n := 0
	for _, g := range slices.Concat(s.dir.groups, s.otherGroups()) {
		if c.odata.Filter == nil || c.odata.Filter.Match(g.view()) {
			n++
		}
	}
	return ok(strconv.Itoa(n))
}

func (s *Server) getGroup(c *call) (answer, *graphError) {
	g := s.dir.group(c.params["id"])
	if g == nil {
		return refuse(noSuchObject(c.params["id"]))
	}
	view := g.view()
	delete(view, "@odata.type")
	return s.single(c, "groups", view)
}

func listMembers(only string) handler {
	return func(s *Server, c *call) (answer, *graphError) {
		g := s.dir.group(c.params["id"])
		if g == nil {
			return refuse(noSuchObject(c.params["id"]))
		}
		return s.listObjects(c, s.members(g, c.now), only)
	}
}

func listTransitive(only string) handler {
	return func(s *Server, c *call) (answer, *graphError) {
		g := s.dir.group(c.params["id"])
		if g == nil {
			return refuse(noSuchObject(c.params["id"]))
		}
		return s.listObjects(c, s.transitive(g, c.now), only)
	}
}

// listOwners lists all of them, or only those of a type.
func listOwners(only string) handler {
	return func(s *Server, c *call) (answer, *graphError) {
		g := s.dir.group(c.params["id"])
		if g == nil {
			return refuse(noSuchObject(c.params["id"]))
		}
		return s.listObjects(c, g.owners, only)
	}
}

// listObjects prints users and groups side by side; a group has only the properties of users that are also its own.
func (s *Server) listObjects(c *call, ids []string, only string) (answer, *graphError) {
	var views []map[string]any
	for _, id := range ids {
		view := s.objectView(id)
		if view == nil || (only != "" && view["@odata.type"] != only) {
			continue
		}
		if view["@odata.type"] == typeGroup {
			for _, name := range slices.Concat(userDefaults, userMore) {
				if _, has := view[name]; !has {
					view[name] = nil
				}
			}
		}
		views = append(views, view)
	}
	if only == "" || only == typeUser {
		c.defaults()
	}
	return s.list(c, "directoryObjects", views)
}

func (s *Server) checkMemberGroups(c *call) (answer, *graphError) {
	var in struct {
		GroupIDs []string `json:"groupIds"`
	}
	if e := decodeBody(c.body, []string{"groupIds"}, &in); e != nil {
		return refuse(e)
	}
	if len(in.GroupIDs) == 0 || len(in.GroupIDs) > 20 {
		return refuse(&graphError{status: http.StatusBadRequest, code: "Request_BadRequest", message: "The number of groupIds must be between 1 and 20."})
	}
	p := s.dir.person(c.params["id"])
	if p == nil {
		return refuse(noSuchObject(c.params["id"]))
	}
	found := []any{}
	for _, id := range in.GroupIDs {
		if g := s.dir.group(id); g != nil && s.isMember(g, p.ObjectID, c.now) {
			found = append(found, g.ID)
		}
	}
	return ok(map[string]any{"@odata.context": s.context("Collection(Edm.String)"), "value": found})
}

func (s *Server) getObject(c *call) (answer, *graphError) {
	view := s.objectView(c.params["id"])
	if view == nil {
		return refuse(noSuchObject(c.params["id"]))
	}
	return s.single(c, "directoryObjects", view)
}

func (s *Server) objectsByID(c *call) (answer, *graphError) {
	var in struct {
		IDs   []string `json:"ids"`
		Types []string `json:"types"`
	}
	if e := decodeBody(c.body, []string{"ids", "types"}, &in); e != nil {
		return refuse(e)
	}
	views := []map[string]any{}
	for _, id := range in.IDs {
		view := s.objectView(id)
		if view == nil {
			continue // ids of nothing are left out, as Graph does
		}
		kind := strings.TrimPrefix(view["@odata.type"].(string), "#microsoft.graph.")
		if len(in.Types) == 0 || slices.Contains(in.Types, kind) || slices.Contains(in.Types, "directoryObject") {
			views = append(views, view)
		}
	}
	return ok(map[string]any{"@odata.context": s.context("directoryObjects"), "value": views})
}

// auditFilters are the properties by which audit rows can be filtered.
var auditFilters = []string{
	"activityDateTime", "activityDisplayName", "correlationId", "id", "loggedByService", "initiatedBy/user/id", "initiatedBy/user/displayName",
	"initiatedBy/user/userPrincipalName", "initiatedBy/app/appId", "initiatedBy/app/displayName", "targetResources/id", "targetResources/displayName",
}

// auditOperators are those that the audit log's filter takes.
var auditOperators = []string{"eq", "ge", "le", "startswith"}

// readsAudit lets applications read the log by their permission, and of people only administrators.
func (s *Server) readsAudit(who actor) bool { return s.privileged(who) }

func (s *Server) listAudits(c *call) (answer, *graphError) {
	if s.auditThrottled() {
		return s.throttled(c)
	}
	if !s.readsAudit(c.who) {
		return refuse(&graphError{status: http.StatusForbidden, code: "Authentication_RequestFromUnsupportedUserRole", message: "User is not in the allowed roles"})
	}
	for _, path := range odata.Paths(c.odata.Filter) {
		if !slices.ContainsFunc(auditFilters, func(known string) bool { return strings.EqualFold(known, path) }) {
			return refuse(badRequest("Invalid filter clause: the property '%s' cannot be filtered by.", path))
		}
	}
	for _, op := range odata.Operators(c.odata.Filter) {
		if !slices.Contains(auditOperators, op) {
			return refuse(badRequest("Invalid filter clause: the operator '%s' is not supported.", op))
		}
	}
	return s.listBy(c, "auditLogs/directoryAudits", s.auditViews(c.now), max(auditPage, s.behavior.PageSize))
}

// auditPage is the longest page of the audit log: its pages are long, since it may seldom be asked.
const auditPage = 100

func (s *Server) throttled(c *call) (answer, *graphError) {
	return s.tooMany(c, 10), nil
}

func (s *Server) getAudit(c *call) (answer, *graphError) {
	for _, view := range s.auditViews(c.now) {
		if view["id"] == c.params["id"] {
			return s.single(c, "auditLogs/directoryAudits", view)
		}
	}
	return refuse(noSuchObject(c.params["id"]))
}
