package simentra

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"elevate/internal/sim/cast"
)

const (
	// mostRoleAssignable is how many role-assignable groups a tenant may have.
	mostRoleAssignable = 500
	// mostBound is how many members and owners one request may bring along.
	mostBound = 20
)

// A newGroup is the body of POST /groups and PATCH /groups/{id}.
type newGroup struct {
	DisplayName        *string  `json:"displayName"`
	Description        *string  `json:"description"`
	MailNickname       *string  `json:"mailNickname"`
	MailEnabled        *bool    `json:"mailEnabled"`
	SecurityEnabled    *bool    `json:"securityEnabled"`
	IsAssignableToRole *bool    `json:"isAssignableToRole"`
	GroupTypes         []string `json:"groupTypes"`
	Visibility         *string  `json:"visibility"`
	Members            []string `json:"members@odata.bind"`
	Owners             []string `json:"owners@odata.bind"`
}

var groupFields = []string{
	"displayName", "description", "mailNickname", "mailEnabled", "securityEnabled", "isAssignableToRole", "groupTypes", "visibility",
	"members@odata.bind", "owners@odata.bind",
}

func requestRefused(format string, values ...any) *graphError {
	return &graphError{status: http.StatusBadRequest, code: "Request_BadRequest", message: fmt.Sprintf(format, values...)}
}

// Letters, digits and most signs of ASCII.
var nicknameShape = regexp.MustCompile(`^[!#$%&'*+\-./0-9=?A-Z^_` + "`" + `a-z{|}~]{1,64}$`)

// check is what every new group must have.
func (in *newGroup) check() *graphError {
	for _, p := range []struct {
		name    string
		missing bool
	}{
		{"mailEnabled", in.MailEnabled == nil},
		{"displayName", in.DisplayName == nil || *in.DisplayName == ""},
		{"mailNickname", in.MailNickname == nil || *in.MailNickname == ""},
		{"securityEnabled", in.SecurityEnabled == nil},
	} {
		if p.missing {
			return requestRefused("A value is required for property '%s' of resource 'Group'.", p.name)
		}
	}
	if !nicknameShape.MatchString(*in.MailNickname) || strings.Contains(*in.MailNickname, ".") {
		return requestRefused("Invalid value specified for property 'mailNickname' of resource 'Group'.")
	}
	if *in.MailEnabled || !*in.SecurityEnabled || len(in.GroupTypes) > 0 {
		return requestRefused("The service does not currently support writes of mail-enabled groups. Please ensure that the mail-enablement property is unset and the security-enablement property is set.")
	}
	return in.checkTexts()
}

func (in *newGroup) checkTexts() *graphError {
	if in.DisplayName != nil && (*in.DisplayName == "" || len([]rune(*in.DisplayName)) > 256) {
		return requestRefused("Invalid value specified for property 'displayName' of resource 'Group'.")
	}
	if in.Description != nil && len([]rune(*in.Description)) > 1024 {
		return requestRefused("Invalid value specified for property 'description' of resource 'Group'.")
	}
	if len(in.Members)+len(in.Owners) > mostBound {
		return requestRefused("The number of references in the request exceeds the maximum of %d.", mostBound) // worded by us
	}
	return nil
}

func (in *newGroup) roleAssignable() bool {
	return in.IsAssignableToRole != nil && *in.IsAssignableToRole
}

// createGroup makes a security group. Only administrators may, whom Graph makes no owners of security groups.
// https://learn.microsoft.com/graph/api/resources/group#relationships
func (s *Server) createGroup(c *call) (answer, *graphError) {
	var in newGroup
	if e := decodeBody(c.body, groupFields, &in); e != nil {
		return refuse(e)
	}
	if e := in.check(); e != nil {
		return refuse(e)
	}
	if e := s.mayCreate(c, in); e != nil {
		return refuse(e)
	}
	members, e := s.bound(in.Members)
	if e != nil {
		return refuse(e)
	}
	owners, e := s.bound(in.Owners)
	if e != nil {
		return refuse(e)
	}
	if in.roleAssignable() && slices.ContainsFunc(members, func(id string) bool { return s.dir.group(id) != nil }) {
		return refuse(errNested())
	}
	g := s.newGroup(in, owners, c.now)
	s.auditDirectory(auditGroupAdded, c.who, c.now, g.ID)
	for _, id := range members {
		s.join(c, g, id)
	}
	view := g.view()
	delete(view, "@odata.type")
	view["@odata.context"] = s.context("groups") + "/$entity"
	return created(view)
}

func (s *Server) newGroup(in newGroup, owners []string, now time.Time) *group {
	g := &group{Group: cast.Group{ID: newGUID(), Name: *in.DisplayName, RoleAssignable: in.roleAssignable()}, owners: owners, nickname: *in.MailNickname, created: now}
	if in.Description != nil {
		g.Description = *in.Description
	}
	s.dir.groups = append(s.dir.groups, g)
	s.dir.byID[g.ID] = g
	s.addFreshPolicies(g.ID)
	return g
}

// mayCreate wants an administrator of groups, for role-assignable ones of privileged roles and that permission besides.
func (s *Server) mayCreate(c *call, in newGroup) *graphError {
	if in.roleAssignable() {
		if !c.holds("RoleManagement.ReadWrite.Directory") || !s.privileged(c.who) {
			return errDirectoryRefused.with("")
		}
		if s.countRoleAssignable() >= mostRoleAssignable {
			return requestRefused("The number of role assignable groups in the tenant has reached the maximum (%d) allowed.", mostRoleAssignable) // worded by us
		}
		return nil
	}
	if p := s.dir.person(c.who.oid); !c.who.app && !p.Admin && !p.GroupsAdmin {
		return errDirectoryRefused.with("")
	}
	if c.who.app && len(in.Members)+len(in.Owners) > 0 && !c.holds("Group.ReadWrite.All", "Directory.ReadWrite.All", "User.Read.All", "Directory.Read.All") {
		return errDirectoryRefused.with("") // Group.Create does not let an app see whom it names
	}
	return nil
}

// privileged reports whether a person administers privileged roles. An application needs the permission only.
func (s *Server) privileged(who actor) bool {
	p := s.dir.person(who.oid)
	return who.app || (p != nil && p.Admin)
}

func (s *Server) countRoleAssignable() int {
	n := s.behavior.RoleAssignable
	for _, g := range s.dir.groups {
		if g.RoleAssignable {
			n++
		}
	}
	return n
}

// holds reports whether the token carries one of the permissions.
func (c *call) holds(permissions ...string) bool {
	return slices.ContainsFunc(permissions, func(p string) bool { return granted(c.token.granted, p) })
}

// bound reads references such as https://graph.microsoft.com/v1.0/users/{id}.
func (s *Server) bound(references []string) ([]string, *graphError) {
	var ids []string
	for _, reference := range references {
		id := strings.ToLower(reference[strings.LastIndex(reference, "/")+1:])
		switch {
		case !strings.HasPrefix(reference, "https://"):
			return nil, requestRefused("Invalid URL format specified in @odata.bind.")
		case s.dir.byID[id] == nil:
			return nil, noSuchObject(id)
		case slices.Contains(ids, id):
			return nil, requestRefused("A request that contains duplicate references is not supported.") // worded by us
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func errNested() *graphError {
	return requestRefused("Nesting is currently not supported for groups that can be assigned to a role.")
}

// patchGroup changes names, or adds up to twenty members: all of them or none.
func (s *Server) patchGroup(c *call) (answer, *graphError) {
	g := s.dir.group(c.params["id"])
	if g == nil {
		return refuse(noSuchObject(c.params["id"]))
	}
	var in newGroup
	if e := decodeBody(c.body, groupFields, &in); e != nil {
		return refuse(e)
	}
	if in.IsAssignableToRole != nil && *in.IsAssignableToRole != g.RoleAssignable {
		return refuse(requestRefused("Property 'isAssignableToRole' is immutable and cannot be changed.")) // worded by us
	}
	if e := s.mayChange(c.who, g, c.holds("RoleManagement.ReadWrite.Directory")); e != nil {
		return refuse(e)
	}
	if in.named() && !c.holds(groupWrite...) {
		return refuse(errDirectoryRefused.with(""))
	}
	if e := in.checkTexts(); e != nil {
		return refuse(e)
	}
	members, e := s.bound(in.Members)
	if e != nil {
		return refuse(e)
	}
	for _, id := range members {
		if e := s.mayJoin(g, id, c.now); e != nil {
			return refuse(e)
		}
	}
	for _, id := range members {
		s.join(c, g, id)
	}
	if in.named() {
		g.rename(in)
		s.auditDirectory(auditGroupUpdated, c.who, c.now, g.ID)
	}
	return noContent()
}

// named reports whether something else than members is to change.
func (in *newGroup) named() bool {
	return in.DisplayName != nil || in.Description != nil || in.MailNickname != nil
}

func (g *group) rename(in newGroup) {
	if in.DisplayName != nil {
		g.Name = *in.DisplayName
	}
	if in.Description != nil {
		g.Description = *in.Description
	}
	if in.MailNickname != nil {
		g.nickname = *in.MailNickname
	}
}

// mayChange lets owners and administrators of groups change a group and its members, and only owners and administrators
// of privileged roles one that is role-assignable, where the permission for that is there.
func (s *Server) mayChange(who actor, g *group, permitted bool) *graphError {
	if g.Synced {
		return requestRefused("Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.")
	}
	if g.ManagementRestricted { // nobody here is an administrator of that unit
		return errDirectoryRefused.with("Insufficient privileges to complete the operation because the target object is under restricted management.") // worded by us
	}
	if g.RoleAssignable && !permitted {
		return errDirectoryRefused.with("")
	}
	if who.app || g.isOwner(who.oid) {
		return nil
	}
	p := s.dir.person(who.oid)
	if p.Admin || (p.GroupsAdmin && !g.RoleAssignable) {
		return nil
	}
	return errDirectoryRefused.with("")
}

// mayJoin refuses members that a group cannot have.
func (s *Server) mayJoin(g *group, id string, now time.Time) *graphError {
	switch {
	case g.MembershipRule != "":
		return requestRefused("Members of a group with dynamic membership cannot be changed.") // worded by us
	case g.RoleAssignable && s.dir.group(id) != nil:
		return errNested()
	case slices.Contains(s.members(g, now), id):
		return requestRefused("One or more added object references already exist for the following modified properties: 'members'.")
	}
	return nil
}

func (s *Server) join(c *call, g *group, id string) {
	s.addMember(g, id, c.now)
	s.auditDirectory(auditMemberAdded, c.who, c.now, id, g.ID)
}

// listMemberOf shows the groups that a group is in, directly.
func (s *Server) listMemberOf(c *call) (answer, *graphError) {
	inner := s.dir.group(c.params["id"])
	if inner == nil {
		return refuse(noSuchObject(c.params["id"]))
	}
	return s.listObjects(c, s.around(inner, c.now), typeGroup)
}

// around are the groups that a group is a direct member of.
func (s *Server) around(inner *group, now time.Time) (ids []string) {
	for _, g := range s.dir.groups {
		if slices.Contains(s.members(g, now), inner.ID) {
			ids = append(ids, g.ID)
		}
	}
	return ids
}

// otherGroups are role-assignable groups of the tenant that nobody here has anything to do with.
func (s *Server) otherGroups() []*group {
	var out []*group
	for n := range s.behavior.RoleAssignable {
		out = append(out, &group{Group: cast.Group{
			ID: cast.Derived("07e40000", n+1), Name: fmt.Sprintf("Role_Other %03d", n+1), Description: "Of another department", RoleAssignable: true,
		}})
	}
	return out
}
