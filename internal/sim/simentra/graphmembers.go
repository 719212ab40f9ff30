package simentra

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

func (s *Server) addMemberRef(c *call) (answer, *graphError) {
	g := s.dir.group(c.params["id"])
	if g == nil {
		return refuse(noSuchObject(c.params["id"]))
	}
	var in map[string]string
	if err := json.Unmarshal(c.body, &in); err != nil {
		return refuse(badRequest("Unable to read JSON request payload."))
	}
	ref := in["@odata.id"]
	id := strings.ToLower(ref[strings.LastIndex(ref, "/")+1:])
	if s.dir.byID[id] == nil {
		return refuse(noSuchObject(id))
	}
	if e := s.mayChange(c.who, g, c.holds("RoleManagement.ReadWrite.Directory")); e != nil {
		return refuse(e)
	}
	if e := s.mayJoin(g, id, c.now); e != nil {
		return refuse(e)
	}
	s.join(c, g, id)
	return noContent()
}

func (s *Server) removeMemberRef(c *call) (answer, *graphError) {
	g := s.dir.group(c.params["id"])
	if g == nil {
		return refuse(noSuchObject(c.params["id"]))
	}
	if e := s.mayChange(c.who, g, c.holds("RoleManagement.ReadWrite.Directory")); e != nil {
		return refuse(e)
	}
	if !s.removeMember(g, c.params["member"], c.now) {
		return refuse(noSuchObject(c.params["member"]))
	}
	s.auditDirectory(auditMemberRemoved, c.who, c.now, c.params["member"], g.ID)
	return noContent()
}

func (s *Server) addMember(g *group, id string, now time.Time) {
	g.members = append(g.members, &membership{principal: id, from: now.Add(s.behavior.MemberLag)})
}

func (s *Server) removeMember(g *group, id string, now time.Time) bool {
	removed := false
	g.members = slices.DeleteFunc(g.members, func(m *membership) bool { return !m.until.IsZero() && m.until.Before(now) })
	for _, m := range g.members {
		if m.principal == id && m.until.IsZero() {
			m.until, removed = now.Add(s.behavior.MemberLag), true
		}
	}
	return removed
}
