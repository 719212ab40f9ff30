package simteams

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// A page of a roster has at least so many members, and at most so many, unless there are no more.
const (
	leastMembers = 50
	mostMembers  = 500
)

// readable refuses what the bot may not read about. A person's block does not keep it from reading. The lock is held.
func (s *Server) readable(id string) (*room, *restError) {
	r := s.room(id)
	switch {
	case r == nil:
		return nil, refuse("ConversationNotFound")
	case r.Private || !r.Installed:
		return nil, refuse("BotNotInConversationRoster")
	}
	return r, nil
}

// roster lists who is in a conversation. The lock is held.
func (s *Server) roster(r *room) []any {
	list := []any{}
	for _, p := range s.people {
		if r.has(p) {
			list = append(list, s.member(p))
		}
	}
	return list
}

func (s *Server) members(c *call) (int, any, *restError) {
	r, e := s.readable(c.conversation)
	if e != nil {
		return 0, nil, e
	}
	return http.StatusOK, s.roster(r), nil
}

// pagedMembers pages the rosters of channels; those of chats are always whole. A continuation token is where to go on.
func (s *Server) pagedMembers(c *call) (int, any, *restError) {
	r, e := s.readable(c.conversation)
	if e != nil {
		return 0, nil, e
	}
	all := s.roster(r)
	if r.Kind != Channel {
		return http.StatusOK, object{"members": all}, nil
	}
	size := mostMembers
	if asked, err := strconv.Atoi(c.query.Get("pageSize")); err == nil {
		size = max(asked, leastMembers)
	}
	size = min(size, s.cfg.PageSize)
	from := 0
	if token := c.query.Get("continuationToken"); token != "" {
		var err error
		if from, err = strconv.Atoi(strings.TrimPrefix(token, "page:")); err != nil || from < 0 || from > len(all) {
			return 0, nil, bad("Invalid continuation token")
		}
	}
	page := object{"members": slices.Clone(all[from:min(from+size, len(all))])}
	if from+size < len(all) {
		page["continuationToken"] = "page:" + strconv.Itoa(from+size)
	}
	return http.StatusOK, page, nil
}

func (s *Server) memberByID(c *call) (int, any, *restError) {
	r, e := s.readable(c.conversation)
	if e != nil {
		return 0, nil, e
	}
	p := s.byID(c.member)
	if p == nil || !r.has(p) {
		return 0, nil, refuse("MemberNotFoundInConversation")
	}
	return http.StatusOK, s.member(p), nil
}

func (s *Server) team(c *call) (int, any, *restError) {
	team := s.cfg.Team
	if c.team != team.ID {
		return 0, nil, refuse("ConversationNotFound")
	}
	return http.StatusOK, object{
		"id": team.ID, "name": team.Name, "aadGroupId": team.GroupID, "tenantId": s.cfg.Tenant, "type": "standard",
		"channelCount": len(s.publicChannels()), "memberCount": len(s.people),
	}, nil
}

func (s *Server) channels(c *call) (int, any, *restError) {
	if c.team != s.cfg.Team.ID {
		return 0, nil, refuse("ConversationNotFound")
	}
	return http.StatusOK, object{"conversations": s.publicChannels()}, nil
}

// publicChannels are those the bot is in. The lock is held.
func (s *Server) publicChannels() []any {
	list := []any{}
	for _, r := range s.rooms {
		if r.Kind == Channel && !r.Private && r.Installed {
			list = append(list, object{"id": r.ID, "name": r.Name, "type": "standard"})
		}
	}
	return list
}
