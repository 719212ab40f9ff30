package simteams

import (
	"maps"
	"strings"
	"time"
)

// stampFormat is how activities write times.
const stampFormat = "2006-01-02T15:04:05.0000000Z07:00"

// activity is what all activities from a person have. thread is the message that begins a channel's thread. The lock is held.
func (s *Server) activity(kind string, p *Person, r *room, thread string) object {
	now := s.cfg.Clock()
	zone := p.zone()
	return object{
		"type": kind, "id": s.newInvokeID(), "timestamp": now.UTC().Format(stampFormat), "localTimestamp": now.In(zone).Format(stampFormat),
		"channelId": "msteams", "serviceUrl": s.ServiceURL(), "from": s.account(p), "conversation": s.conversation(r, thread),
		"recipient":   object{"id": s.botID(), "name": s.cfg.App.Name},
		"entities":    []any{clientInfo(zone)},
		"channelData": s.channelData(r), "locale": "en-US", "localTimezone": zone.String(),
	}
}

func clientInfo(zone *time.Location) object {
	return object{"type": "clientInfo", "locale": "en-US", "country": "US", "platform": "Web", "timezone": zone.String()}
}

// conversation is where an activity comes from.
func (s *Server) conversation(r *room, thread string) object {
	o := object{"id": r.ID, "conversationType": r.Kind, "tenantId": s.cfg.Tenant}
	if r.Kind != Personal {
		o["isGroup"] = true
	}
	if r.Kind == Channel && thread != "" {
		o["id"] = r.ID + ";messageid=" + thread
	}
	return o
}

func (s *Server) channelData(r *room) object {
	o := object{"tenant": object{"id": s.cfg.Tenant}}
	if r.Kind == Channel {
		team := s.cfg.Team
		o["team"] = object{"id": team.ID, "name": team.Name, "aadGroupId": team.GroupID}
		o["channel"] = object{"id": r.ID, "name": r.Name}
		o["teamsTeamId"], o["teamsChannelId"] = team.ID, r.ID
	}
	return o
}

// messageActivity is what a person said. The lock is held.
func (s *Server) messageActivity(p *Person, r *room, m *Message) object {
	a := s.activity("message", p, r, m.Thread)
	a["id"], a["text"], a["textFormat"] = m.ID, m.Text, "plain"
	a["attachments"] = []any{object{"contentType": "text/html", "content": "<p>" + escapeHTML.Replace(m.Text) + "</p>"}}
	return a
}

var escapeHTML = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// mention puts the bot's name before a text and says so in the entities. What stands around it is not the same
// everywhere, and the text is as in HTML.
func (s *Server) mention(a object, r *room, rest string) {
	at, rest := "<at>"+s.cfg.App.Name+"</at>", escapeHTML.Replace(rest)
	a["text"] = at + "&nbsp;" + rest
	if r.Kind == GroupChat {
		a["text"] = at + " " + rest + "\n"
	}
	entities, _ := a["entities"].([]any)
	a["entities"] = append(entities, object{"type": "mention", "text": at, "mentioned": object{"id": s.botID(), "name": s.cfg.App.Name}})
}

// forged puts other ids into a copy of an activity.
func (s *Server) forged(a object, f Forgery) object {
	a = maps.Clone(a)
	if f.Tenant != "" {
		conversation, _ := a["conversation"].(object)
		conversation = maps.Clone(conversation)
		conversation["tenantId"] = f.Tenant
		data, _ := a["channelData"].(object)
		data = maps.Clone(data)
		data["tenant"] = object{"id": f.Tenant}
		a["conversation"], a["channelData"] = conversation, data
	}
	if f.Channel != "" {
		a["channelId"] = f.Channel
	}
	if f.Bot != "" {
		a["recipient"] = object{"id": "28:" + f.Bot, "name": "Somebody Else"}
	}
	if f.ServiceURL != "" {
		a["serviceUrl"] = f.ServiceURL
	}
	if f.Data != nil {
		forgeData(a, f.Data)
		a["id"] = s.anotherID(text(a["id"]))
	}
	return a
}

// anotherID is an id of the same kind: what is not the same is no repetition.
func (s *Server) anotherID(id string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if strings.HasPrefix(id, "f:") {
		return s.newInvokeID()
	}
	return s.newMessageID()
}

// forgeData changes the data of a button: that of an invoke stands in its action, that of a message is the value.
func forgeData(a object, data object) {
	value, _ := a["value"].(object)
	value = maps.Clone(value)
	action, invoke := value["action"].(object)
	if !invoke {
		a["value"] = merged(value, data)
		return
	}
	action = maps.Clone(action)
	action["data"] = merged(action["data"], data)
	value["action"], a["value"] = action, value
}
