package simteams

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// The kinds of conversations.
const (
	Personal  = "personal"
	GroupChat = "groupChat"
	Channel   = "channel"
)

// Team is the team the channels belong to.
type Team struct {
	ID, Name, GroupID string
}

// Conversation is a personal chat with the bot, a group chat, or a channel of the team.
type Conversation struct {
	ID        string
	Name      string
	Kind      string
	Members   []string // keys of people
	Private   bool     // a private channel, which bots cannot be in
	With      string   // whose personal chat it is
	Installed bool     // the app was added here
	Blocked   bool     // the person has blocked the bot
}

// room is a conversation and what was said in it.
type room struct {
	Conversation

	messages []*Message
}

func (r *room) has(p *Person) bool { return slices.Contains(r.Members, p.Key) && !p.Left }

// room finds a conversation by its id. The lock is held.
func (s *Server) room(id string) *room {
	for _, r := range s.rooms {
		if r.ID == id {
			return r
		}
	}
	return nil
}

// personalID is the id of a person's chat with the bot, always the same.
func (s *Server) personalID(p *Person) string {
	sum := sha256.Sum256([]byte("chat|" + s.mri(p)))
	return "a:1" + base64.RawURLEncoding.EncodeToString(sum[:])
}

// personal returns the chat between the bot and a person, and makes it at the first time. The lock is held.
func (s *Server) personal(p *Person) *room {
	id := s.personalID(p)
	if r := s.room(id); r != nil {
		return r
	}
	r := &room{Conversation: Conversation{ID: id, Kind: Personal, With: p.Key, Members: []string{p.Key}}}
	s.rooms = append(s.rooms, r)
	return r
}

// ThreadID makes the id of a channel or chat out of its name.
func ThreadID(name, suffix string) string {
	sum := sha256.Sum256([]byte(name))
	return "19:" + hex.EncodeToString(sum[:16]) + "@" + suffix
}

// place finds what a person calls a conversation: dm, or a name with or without its number sign. The lock is held.
func (s *Server) place(p *Person, name string) (*room, error) {
	if strings.EqualFold(name, "dm") {
		return s.personal(p), nil
	}
	wanted := strings.TrimPrefix(name, "#")
	var names []string
	for _, r := range s.rooms {
		if !r.has(p) || r.With != "" {
			continue
		}
		if r.ID == name || strings.EqualFold(r.Name, wanted) {
			return r, nil
		}
		names = append(names, r.where())
	}
	return nil, fmt.Errorf("%s is in no conversation called %q, only in dm, %s", p.Key, name, strings.Join(names, ", "))
}

// where is what people call a conversation.
func (r *room) where() string {
	switch r.Kind {
	case Personal:
		return "dm"
	case Channel:
		return "#" + r.Name
	}
	return r.Name
}

// Place resolves what a person calls a conversation.
func (s *Server) Place(person, name string) (Conversation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.person(person)
	if err != nil {
		return Conversation{}, err
	}
	r, err := s.place(p, name)
	if err != nil {
		return Conversation{}, err
	}
	return r.Conversation, nil
}

// Join puts somebody into a chat or a channel, by its id or name. The bot is told where the app is.
func (s *Server) Join(ctx context.Context, person, conversation string) error {
	return s.membership(ctx, person, conversation, "membersAdded", "teamMemberAdded")
}

// Leave takes somebody out of a chat or a channel.
func (s *Server) Leave(ctx context.Context, person, conversation string) error {
	return s.membership(ctx, person, conversation, "membersRemoved", "teamMemberRemoved")
}

func (s *Server) membership(ctx context.Context, person, conversation, key, event string) error {
	a, err := s.moved(person, conversation, key, event)
	if err != nil || a == nil {
		return err
	}
	_, err = s.Send(ctx, a, Forgery{})
	return err
}

// moved changes who is where, and makes the activity that tells of it; nil where the bot is not.
func (s *Server) moved(person, conversation, key, event string) (object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.person(person)
	if err != nil {
		return nil, err
	}
	wanted := strings.TrimPrefix(conversation, "#")
	i := slices.IndexFunc(s.rooms, func(r *room) bool {
		return r.Kind != Personal && (r.ID == conversation || strings.EqualFold(r.Name, wanted))
	})
	if i < 0 {
		return nil, fmt.Errorf("no chat or channel is called %q", conversation)
	}
	r := s.rooms[i]
	r.Members = slices.DeleteFunc(slices.Clone(r.Members), func(member string) bool { return member == p.Key })
	if key == "membersAdded" {
		r.Members = append(r.Members, p.Key)
	}
	s.Touch()
	if !r.Installed {
		return nil, nil
	}
	a := s.activity("conversationUpdate", p, r, "")
	a[key] = []any{s.account(p)}
	if data, ok := a["channelData"].(object); ok && r.Kind == Channel {
		data["eventType"] = event
	}
	return a, nil
}
