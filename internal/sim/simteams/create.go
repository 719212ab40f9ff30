package simteams

import (
	"net/http"
	"strings"
)

// create makes a conversation: a person's chat with the bot, or a thread of a channel. Bots make no group chats.
func (s *Server) create(c *call) (int, any, *restError) {
	data, _ := c.body["channelData"].(object)
	if channel, there := data["channel"].(object); there {
		return s.createThread(c, text(channel["id"]))
	}
	return s.createPersonal(c, data)
}

func (s *Server) createThread(c *call, id string) (int, any, *restError) {
	r, e := s.reachable(id)
	if e != nil {
		return 0, nil, e
	}
	if r.Kind != Channel {
		return 0, nil, refuse("ConversationNotFound")
	}
	activity, there := c.body["activity"].(object)
	if !there || text(activity["type"]) != "message" {
		return 0, nil, bad("The activity is missing")
	}
	m, e := s.compose(r, &call{body: activity})
	if e != nil {
		return 0, nil, e
	}
	s.say(r, m)
	return http.StatusCreated, object{"id": r.ID + ";messageid=" + m.ID, "activityId": m.ID}, nil
}

func (s *Server) createPersonal(c *call, data object) (int, any, *restError) {
	members, _ := c.body["members"].([]any)
	tenant, _ := data["tenant"].(object)
	said := orElse(text(c.body["tenantId"]), text(tenant["id"]))
	switch {
	case c.body["isGroup"] == true || len(members) != 1:
		return 0, nil, bad("Incorrect conversation creation parameters")
	case said == "":
		return 0, nil, bad("Missing tenant id")
	}
	member, _ := members[0].(object)
	p := s.byID(text(member["id"]))
	if p == nil || !strings.EqualFold(said, s.cfg.Tenant) {
		return 0, nil, bad("Failed to decrypt pairwise id")
	}
	r := s.personal(p)
	switch {
	case !r.Installed || p.Left:
		return 0, nil, refuse("ForbiddenOperationException")
	case r.Blocked:
		return 0, nil, refuse("ConversationBlockedByUser")
	}
	if activity, there := c.body["activity"].(object); there {
		m, e := s.compose(r, &call{body: activity})
		if e != nil {
			return 0, nil, e
		}
		s.say(r, m)
		return http.StatusCreated, object{"id": r.ID, "activityId": m.ID}, nil
	}
	return http.StatusCreated, object{"id": r.ID}, nil
}
