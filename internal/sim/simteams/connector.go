package simteams

import "net/http"

// reachable refuses what the bot may not write to. The lock is held.
func (s *Server) reachable(id string) (*room, *restError) {
	r := s.room(id)
	switch {
	case r == nil:
		return nil, refuse("ConversationNotFound")
	case r.Private || !r.Installed:
		return nil, refuse("BotNotInConversationRoster")
	case r.Blocked:
		return nil, refuse("ConversationBlockedByUser")
	}
	return r, nil
}

// send is a new message: one that begins a thread, or goes on with the one the conversation's id names.
func (s *Server) send(c *call) (int, any, *restError) {
	r, e := s.reachable(c.conversation)
	if e != nil {
		return 0, nil, e
	}
	if c.thread != "" && (r.Kind != Channel || r.find(c.thread) == nil) {
		return 0, nil, refuse("ConversationNotFound")
	}
	switch text(c.body["type"]) {
	case "typing":
		return http.StatusAccepted, object{}, nil
	case "message":
	default:
		return 0, nil, bad("Unknown activity type")
	}
	m, e := s.compose(r, c)
	if e != nil {
		return 0, nil, e
	}
	s.say(r, m)
	return http.StatusCreated, object{"id": m.ID}, nil
}

// compose makes a message of what the bot sent. The lock is held.
func (s *Server) compose(r *room, c *call) (*Message, *restError) {
	body, e := s.readContent(c.body)
	if e != nil {
		return nil, e
	}
	m := &Message{
		Thread: c.thread, Author: s.botID(), Text: body.text, Format: body.format, Summary: body.summary, Cards: body.cards,
		Entities: body.entities, Hidden: body.hidden,
	}
	if !c.targeted {
		return m, nil
	}
	m.Only, e = s.target(r, c.body)
	return m, e
}

// target is the one person a targeted message is for. The lock is held.
func (s *Server) target(r *room, a object) (string, *restError) {
	if r.Kind == Personal || len(s.cfg.App.Commands) == 0 {
		return "", bad("Targeted messages are not supported in this conversation")
	}
	recipient, _ := a["recipient"].(object)
	p := s.byID(text(recipient["id"]))
	switch {
	case text(recipient["id"]) == "":
		return "", bad("recipient is missing")
	case p == nil || !r.has(p):
		return "", bad("recipient is not in the conversation")
	}
	entities, _ := a["entities"].([]any)
	for _, item := range entities {
		entity, _ := item.(object)
		if text(entity["type"]) != "targetedMessageInfo" {
			continue
		}
		if quoted := r.find(text(entity["messageId"])); quoted == nil || quoted.Author != s.mri(p) {
			return "", refuse("INVALID_TARGETED_MESSAGE_ID")
		}
	}
	return s.mri(p), nil
}

// own finds a message of the bot's that it wants to change. The lock is held.
func (s *Server) own(c *call) (*room, *Message, *restError) {
	r, e := s.reachable(c.conversation)
	if e != nil {
		return nil, nil, e
	}
	m := r.find(c.activity)
	switch {
	case m == nil || m.targeted() != c.targeted:
		return nil, nil, refuse("ActivityNotFoundInConversation")
	case m.Author != s.botID():
		return nil, nil, refuse("NotEnoughPermissions")
	case m.expired(s.cfg.Clock()):
		return nil, nil, refuse("TARGETED_MESSAGE_EXPIRED_OR_DELETED")
	}
	return r, m, nil
}

func (s *Server) update(c *call) (int, any, *restError) {
	_, m, e := s.own(c)
	if e != nil {
		return 0, nil, e
	}
	if text(c.body["type"]) != "message" {
		return 0, nil, bad("Unknown activity type")
	}
	if recipient, there := c.body["recipient"].(object); c.targeted && there && len(recipient) > 0 {
		return 0, nil, bad("The recipient of a targeted message cannot be changed")
	}
	body, e := s.readContent(c.body)
	if e != nil {
		return 0, nil, e
	}
	m.Text, m.Format, m.Summary, m.Cards, m.Hidden = body.text, body.format, body.summary, body.cards, body.hidden
	m.Entities, m.Edited, m.views, m.Revision = body.entities, true, nil, s.Touch()
	return http.StatusOK, object{"id": m.ID}, nil
}

func (s *Server) delete(c *call) (int, any, *restError) {
	r, m, e := s.own(c)
	if e != nil {
		return 0, nil, e
	}
	s.remove(r, m)
	return http.StatusOK, nil, nil
}
