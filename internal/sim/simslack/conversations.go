package simslack

import (
	"slices"
	"strings"
)

func (s *Server) authTest(*call) (object, error) {
	w, app := s.cfg.Workspace, s.cfg.App
	result := object{
		"url": "https://" + w.Domain + ".slack.com/", "team": w.Name, "user": app.Name, "team_id": w.ID,
		"user_id": app.BotUser, "bot_id": app.BotID, "is_enterprise_install": false,
	}
	if w.Enterprise != "" {
		result["enterprise_id"] = w.Enterprise
	}
	return result, nil
}

func (s *Server) teamInfo(*call) (object, error) {
	return object{"team": s.teamObject()}, nil
}

func (s *Server) teamObject() object {
	w := s.cfg.Workspace
	team := object{"id": w.ID, "name": w.Name, "domain": w.Domain}
	if w.Enterprise != "" {
		team["enterprise_id"] = w.Enterprise
	}
	return team
}

// botsInfo knows this app's bot only, which is all its token may ask about here.
func (s *Server) botsInfo(c *call) (object, error) {
	app := s.cfg.App
	if bot := c.text("bot"); bot != "" && bot != app.BotID {
		return nil, refuse("bot_not_found")
	}
	return object{"bot": object{
		"id": app.BotID, "deleted": false, "name": app.Name, "updated": s.cfg.Now().Unix(), "app_id": app.ID, "user_id": app.BotUser,
		"icons": object{},
	}}, nil
}

func (s *Server) usersInfo(c *call) (object, error) {
	p, err := s.person(c.text("user"))
	if err != nil || p.ID != c.text("user") {
		return nil, refuse("user_not_found")
	}
	return object{"user": s.userObject(p)}, nil
}

func (s *Server) conversationsOpen(c *call) (object, error) {
	users := strings.FieldsFunc(c.text("users"), func(r rune) bool { return r == ',' })
	if list, ok := c.args["users"].([]any); ok {
		for _, u := range list {
			users = append(users, text(u))
		}
	}
	if len(users) != 1 {
		return nil, refuse("users_list_not_supplied")
	}
	p, err := s.person(users[0])
	if err != nil || p.ID != users[0] {
		return nil, refuse("user_not_found")
	}
	if p.Deleted {
		return nil, refuse("user_disabled")
	}
	known := slices.ContainsFunc(s.channels, func(r *room) bool { return r.With == p.ID })
	r := s.direct(p)
	result := object{"channel": object{"id": r.ID}, "no_op": known, "already_open": known}
	if c.flag("return_im") {
		result["channel"] = s.channelObject(r)
	}
	return result, nil
}

// readable finds a channel that the app may read about.
func (s *Server) readable(id string) (*room, error) {
	r := s.room(id)
	if r == nil || r.ID != id || r.Private && !r.has(s.cfg.App.BotUser) {
		return nil, refuse("channel_not_found")
	}
	scope := "channels:read"
	switch {
	case r.With != "":
		scope = "im:read"
	case r.Private:
		scope = "groups:read"
	}
	if !slices.Contains(s.cfg.App.BotScopes, scope) {
		return nil, &apiError{"missing_scope", object{"needed": scope, "provided": strings.Join(s.cfg.App.BotScopes, ",")}}
	}
	return r, nil
}

func (s *Server) conversationsInfo(c *call) (object, error) {
	r, err := s.readable(c.text("channel"))
	if err != nil {
		return nil, err
	}
	return object{"channel": s.channelObject(r)}, nil
}

func (s *Server) conversationsMembers(c *call) (object, error) {
	r, err := s.readable(c.text("channel"))
	if err != nil {
		return nil, err
	}
	return object{"members": slices.Clone(r.Members), "response_metadata": object{"next_cursor": ""}}, nil
}
