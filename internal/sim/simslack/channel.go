package simslack

import (
	"fmt"
	"slices"
	"strings"
)

// Channel is a conversation of the workspace.
type Channel struct {
	ID        string
	Name      string
	Members   []string // user ids
	Private   bool
	ExtShared bool // shared with another organisation through Slack Connect
	Archived  bool
	With      string // the person of a direct message with the app; empty for channels
}

// room is a channel and what was said in it.
type room struct {
	Channel
	messages []*Message
}

func newRoom(c Channel) *room { return &room{Channel: c} }

// has says whether a user is in the channel.
func (r *room) has(user string) bool { return slices.Contains(r.Members, user) }

// room finds a channel by id or name. The lock is held.
func (s *Server) room(idOrName string) *room {
	wanted := strings.TrimPrefix(idOrName, "#")
	for _, r := range s.channels {
		if r.ID == wanted || r.Name != "" && r.Name == wanted {
			return r
		}
	}
	return nil
}

// direct returns the direct message between the app and a person, and makes it at the first time. The lock is held.
func (s *Server) direct(p *Person) *room {
	for _, r := range s.channels {
		if r.With == p.ID {
			return r
		}
	}
	r := newRoom(Channel{ID: s.newID("D"), With: p.ID, Members: []string{p.ID, s.cfg.App.BotUser}})
	s.channels = append(s.channels, r)
	return r
}

// Place resolves what a person calls a conversation: a channel's name or id, or dm for the one with the app.
func (s *Server) Place(person, name string) (Channel, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.person(person)
	if err != nil {
		return Channel{}, err
	}
	if strings.EqualFold(name, "dm") {
		return s.direct(p).Channel, nil
	}
	r := s.room(name)
	if r == nil || !r.has(p.ID) {
		return Channel{}, fmt.Errorf("%s is in no conversation called %q", p.Name, name)
	}
	return r.Channel, nil
}

// Join puts somebody, or the bot by its user id, into a channel.
func (s *Server) Join(channel, user string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.room(channel)
	if r == nil {
		return fmt.Errorf("no channel is called %q", channel)
	}
	if p, err := s.person(user); err == nil {
		user = p.ID
	}
	if !r.has(user) {
		r.Members = append(r.Members, user)
	}
	return nil
}

// Leave takes somebody, or the bot by its user id, out of a channel.
func (s *Server) Leave(channel, user string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.room(channel)
	if r == nil {
		return fmt.Errorf("no channel is called %q", channel)
	}
	if p, err := s.person(user); err == nil {
		user = p.ID
	}
	r.Members = slices.DeleteFunc(r.Members, func(m string) bool { return m == user })
	return nil
}

// channelObject is a channel as conversations.info shows it.
func (s *Server) channelObject(r *room) object {
	if r.With != "" {
		return object{"id": r.ID, "is_im": true, "is_channel": false, "user": r.With, "is_org_shared": false, "context_team_id": s.cfg.Workspace.ID}
	}
	return object{
		"id": r.ID, "name": r.Name, "name_normalized": r.Name, "is_channel": !r.Private, "is_group": r.Private, "is_im": false, "is_mpim": false,
		"is_private": r.Private, "is_archived": r.Archived, "is_general": r.Name == "general",
		"is_shared": r.ExtShared, "is_ext_shared": r.ExtShared, "is_org_shared": false, "is_pending_ext_shared": false,
		"is_member": r.has(s.cfg.App.BotUser), "num_members": len(r.Members), "context_team_id": s.cfg.Workspace.ID,
	}
}
