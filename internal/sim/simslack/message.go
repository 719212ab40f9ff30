package simslack

import "slices"

// object is a JSON object as it travels.
type object = map[string]any

// Message is what stands in a conversation.
type Message struct {
	Channel  string
	TS       string
	Text     string
	Blocks   []any
	Author   string // user id; the bot's or a person's
	Only     string // the one person who sees it; empty: everybody in the channel
	Edited   bool
	Metadata any
	Thread   string
	Revision int // when it last changed
}

// ephemeral says whether only one person sees the message.
func (m *Message) ephemeral() bool { return m.Only != "" }

// visibleTo says whether a person sees the message, given that they are in its channel.
func (m *Message) visibleTo(user string) bool { return m.Only == "" || m.Only == user }

// say adds a message to a channel. The lock is held.
func (s *Server) say(r *room, m *Message) *Message {
	m.Channel, m.TS = r.ID, s.newTS()
	s.nameBlocks(m.Blocks)
	m.Revision = s.Touch()
	r.messages = append(r.messages, m)
	return m
}

// rewrite gives a message new content. The lock is held.
func (s *Server) rewrite(m *Message, text string, blocks []any) {
	m.Text, m.Blocks, m.Edited = text, blocks, true
	s.nameBlocks(m.Blocks)
	m.Revision = s.Touch()
}

// remove deletes a message. The lock is held.
func (s *Server) remove(r *room, m *Message) {
	r.messages = slices.DeleteFunc(r.messages, func(other *Message) bool { return other == m })
	s.Touch()
}

// find returns the message with a timestamp.
func (r *room) find(ts string) *Message {
	for _, m := range r.messages {
		if m.TS == ts {
			return m
		}
	}
	return nil
}

// begins says whether a thread can stand below the message: it is there, everybody sees it, and it is no reply itself.
func (r *room) begins(ts string) bool {
	m := r.find(ts)
	return m != nil && !m.ephemeral() && m.Thread == ""
}

// nameBlocks gives blocks and elements the identifiers that Slack makes up when the app left them out.
func (s *Server) nameBlocks(blocks []any) {
	for _, b := range blocks {
		block, ok := b.(object)
		if !ok {
			continue
		}
		if text(block["block_id"]) == "" {
			block["block_id"] = s.newID("b")
		}
		for _, e := range elementsOf(block) {
			if text(e["action_id"]) == "" && interactive(e) {
				e["action_id"] = s.newID("a")
			}
		}
	}
}

// elementsOf lists the elements of a block, wherever the block keeps them.
func elementsOf(block object) []object {
	var found []object
	for _, key := range []string{"accessory", "element"} {
		if e, ok := block[key].(object); ok {
			found = append(found, e)
		}
	}
	for _, key := range []string{"elements", "actions"} {
		list, _ := block[key].([]any)
		for _, item := range list {
			if e, ok := item.(object); ok {
				found = append(found, e)
			}
		}
	}
	return found
}

// interactive says whether an element reports to the app.
func interactive(e object) bool {
	switch text(e["type"]) {
	case "image", "mrkdwn", "plain_text", "rich_text_section", "rich_text_list", "rich_text_quote", "rich_text_preformatted", "":
		return false
	}
	return true
}

// messageObject is a message as the Web API and interactions show it.
func (s *Server) messageObject(m *Message) object {
	o := object{
		"type": "message", "ts": m.TS, "text": m.Text, "user": m.Author, "team": s.cfg.Workspace.ID,
		"app_id": s.cfg.App.ID, "bot_id": s.cfg.App.BotID,
	}
	if m.Blocks != nil {
		o["blocks"] = m.Blocks
	}
	if m.Edited {
		o["edited"] = object{"user": m.Author, "ts": m.TS}
	}
	if m.Metadata != nil {
		o["metadata"] = m.Metadata
	}
	if m.Thread != "" {
		o["thread_ts"] = m.Thread
	}
	return o
}

// text reads a string out of decoded JSON; anything else is the empty string.
func text(v any) string {
	s, _ := v.(string)
	return s
}
