package simteams

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// object is a JSON object as it travels.
type object = map[string]any

// targetedLife is how long a message for one person stays.
const targetedLife = 24 * time.Hour

// Message is what stands in a conversation.
type Message struct {
	Conversation string
	ID           string
	Thread       string // in channels: the message that begins the thread
	Author       string // the bot's or a person's id
	Text         string
	Format       string // of the text: plain, markdown or xml
	Summary      string
	Cards        []map[string]any // the contents of Adaptive Cards
	Entities     []any
	Only         string // the id of the one person who sees it; empty: everybody
	Sent         time.Time
	Edited       bool
	Hidden       string // why no client shows it; empty: they do
	Revision     int    // when it last changed

	views map[string]*view // what single people see in its place, by their key
}

func (m *Message) targeted() bool { return m.Only != "" }

func (m *Message) expired(now time.Time) bool { return m.targeted() && now.Sub(m.Sent) > targetedLife }

// visibleTo says whether a person sees the message, given that they are in its conversation. The lock is held.
func (s *Server) visibleTo(m *Message, p *Person) bool {
	switch {
	case m.Hidden != "", m.expired(s.cfg.Clock()):
		return false
	}
	return m.Only == "" || m.Only == s.mri(p)
}

// say adds a message to a conversation. The lock is held.
func (s *Server) say(r *room, m *Message) *Message {
	m.Conversation, m.Sent = r.ID, s.cfg.Clock()
	if m.ID == "" {
		m.ID = s.newMessageID()
		if r.Kind == Personal && m.Author == s.botID() {
			m.ID = "1:1" + randomText(32) // in personal chats the bot's own are named so
		}
	}
	if r.Kind == Channel && m.Thread == "" {
		m.Thread = m.ID
	}
	m.Revision = s.Touch()
	r.messages = append(r.messages, m)
	return m
}

func (s *Server) remove(r *room, m *Message) {
	r.messages = slices.DeleteFunc(r.messages, func(other *Message) bool { return other == m })
	s.Touch()
}

func (r *room) find(id string) *Message {
	for _, m := range r.messages {
		if m.ID == id {
			return m
		}
	}
	return nil
}

// newMessageID is the world's time in milliseconds, which is unique because it always grows. The lock is held.
func (s *Server) newMessageID() string {
	now := s.cfg.Clock().Truncate(time.Millisecond)
	if !now.After(s.lastSent) {
		now = s.lastSent.Add(time.Millisecond)
	}
	s.lastSent = now
	return strconv.FormatInt(now.UnixMilli(), 10)
}

// newInvokeID names what is no message. The lock is held.
func (s *Server) newInvokeID() string {
	s.lastID++
	raw := randomHex(8)
	return fmt.Sprintf("f:%s-%s-%s-%04x", raw[:8], raw[8:12], raw[12:], s.lastID)
}

func randomBytes(n int) []byte {
	raw := make([]byte, n)
	_, _ = rand.Read(raw) // never fails
	return raw
}

func randomHex(n int) string { return hex.EncodeToString(randomBytes(n)) }

func randomText(n int) string { return base64.RawURLEncoding.EncodeToString(randomBytes(n)) }

// text reads a string out of decoded JSON; anything else is the empty string.
func text(v any) string {
	s, _ := v.(string)
	return s
}

// Messages returns copies of what stands in a conversation, also what only one person sees.
func (s *Server) Messages(conversation string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.room(conversation)
	if r == nil {
		return nil
	}
	var list []Message
	for _, m := range r.messages {
		list = append(list, *m)
	}
	return list
}
