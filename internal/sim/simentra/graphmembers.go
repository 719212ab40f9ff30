package simentra

import (
	"encoding/json"
	"net/http"
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
	id := ref[strings.LastIndex(ref, "/")+1:]
	if s.dir.byID[id] == nil {
		return refuse(noSuchObject(id))
	}
	if slices.Contains(s.members(g, c.now), id) {
		return refuse(&graphError{
			status: http.StatusBadRequest, code: "Request_BadRequest",
			message: "One or more added object references already exist for the following modified properties: 'members'.",
		})
	}
	s.addMember(g, id, c.now)
	return noContent()
}

func (s *Server) removeMemberRef(c *call) (answer, *graphError) {
	g := s.dir.group(c.params["id"])
	if g == nil || !s.removeMember(g, c.params["member"], c.now) {
		return refuse(noSuchObject(c.params["member"]))
	}
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
