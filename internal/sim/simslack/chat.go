package simslack

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

const (
	cutText    = 40_000 // chat.postMessage cuts the text here
	updateText = 4_000  // chat.update refuses more
)

// content is what a message is made of. hasBlocks tells an empty list of blocks from none at all.
type content struct {
	text      string
	hasText   bool
	blocks    []any
	hasBlocks bool
	metadata  any
}

// readContent reads and checks the content of a message.
func readContent(c *call) (content, error) {
	_, hasText := c.args["text"]
	m := content{text: c.text("text"), hasText: hasText}
	value, there, err := c.structure("blocks")
	if err != nil {
		return m, refuse("invalid_blocks_format")
	}
	if there {
		blocks, ok := value.([]any)
		if !ok {
			return m, refuse("invalid_blocks_format")
		}
		m.blocks, m.hasBlocks = blocks, true
		if bad := CheckBlocks(blocks); len(bad) > 0 {
			return m, invalidBlocks(bad)
		}
	}
	if m.metadata, _, err = c.structure("metadata"); err != nil {
		return m, refuse("invalid_metadata_format")
	}
	if utf8.RuneCountInString(m.text) > cutText {
		m.text = string([]rune(m.text)[:cutText])
	}
	return m, nil
}

// empty says whether there is nothing to show.
func (m content) empty() bool { return strings.TrimSpace(m.text) == "" && len(m.blocks) == 0 }

// invalidBlocks is the refusal of blocks, with the places Slack names.
func invalidBlocks(bad []string) error {
	return &apiError{"invalid_blocks", object{"errors": bad, "response_metadata": object{"messages": marked(bad)}}}
}

func marked(bad []string) []string {
	messages := make([]string, len(bad))
	for i, line := range bad {
		messages[i] = "[ERROR] " + line
	}
	return messages
}

// destination finds the channel the app wants to write to; a user's id means their direct message.
func (s *Server) destination(id string) (*room, error) {
	if p, err := s.person(id); err == nil && id == p.ID {
		return s.direct(p), nil
	}
	r := s.room(id)
	switch {
	case r == nil || r.ID != id:
		return nil, refuse("channel_not_found")
	case r.Archived:
		return nil, refuse("is_archived")
	case !r.has(s.cfg.App.BotUser) && r.Private:
		return nil, refuse("channel_not_found")
	case !r.has(s.cfg.App.BotUser):
		return nil, refuse("not_in_channel")
	}
	return r, nil
}

func (s *Server) chatPostMessage(c *call) (object, error) {
	r, err := s.destination(c.text("channel"))
	if err != nil {
		return nil, err
	}
	body, err := readContent(c)
	if err != nil {
		return nil, err
	}
	if body.empty() {
		return nil, refuse("no_text")
	}
	if thread := c.text("thread_ts"); thread != "" && !r.begins(thread) {
		return nil, refuse("thread_not_found")
	}
	m := s.say(r, &Message{
		Text: body.text, Blocks: body.blocks, Author: s.cfg.App.BotUser, Metadata: body.metadata, Thread: c.text("thread_ts"),
	})
	return object{"channel": r.ID, "ts": m.TS, "message": s.messageObject(m)}, nil
}

func (s *Server) chatUpdate(c *call) (object, error) {
	r, m, err := s.own(c)
	if err != nil {
		return nil, cannot(err, "cant_update_message")
	}
	body, err := readContent(c)
	if err != nil {
		return nil, err
	}
	if utf8.RuneCountInString(body.text) > updateText {
		return nil, refuse("msg_too_long")
	}
	text, blocks := m.Text, body.blocks
	if body.hasText {
		text = body.text
	} else if !body.hasBlocks {
		blocks = m.Blocks // neither of the two leaves both; text alone takes the blocks away
	}
	if strings.TrimSpace(text) == "" && len(blocks) == 0 {
		return nil, refuse("no_text")
	}
	if body.metadata != nil {
		m.Metadata = body.metadata
	}
	s.rewrite(m, text, blocks)
	return object{"channel": r.ID, "ts": m.TS, "text": m.Text, "message": s.messageObject(m)}, nil
}

func (s *Server) chatDelete(c *call) (object, error) {
	r, m, err := s.own(c)
	if err != nil {
		return nil, cannot(err, "cant_delete_message")
	}
	s.remove(r, m)
	return object{"channel": r.ID, "ts": m.TS}, nil
}

// errNotOwn says that the message is somebody else's.
const errNotOwn = "not_own"

// cannot turns the refusal of a message that is not the app's into the method's own word for it.
func cannot(err error, code string) error {
	if refused, ok := err.(*apiError); ok && refused.code == errNotOwn { //nolint:errorlint // never wrapped
		return refuse(code)
	}
	return err
}

// own finds the app's message that a call names. Ephemeral messages cannot be found again.
func (s *Server) own(c *call) (*room, *Message, error) {
	r := s.room(c.text("channel"))
	if r == nil || r.ID != c.text("channel") {
		return nil, nil, refuse("channel_not_found")
	}
	m := r.find(c.text("ts"))
	if m == nil || m.ephemeral() {
		return nil, nil, refuse("message_not_found")
	}
	if m.Author != s.cfg.App.BotUser {
		return nil, nil, refuse(errNotOwn)
	}
	return r, m, nil
}

func (s *Server) chatPostEphemeral(c *call) (object, error) {
	r, err := s.destination(c.text("channel"))
	if err != nil {
		return nil, err
	}
	p, err := s.person(c.text("user"))
	if err != nil || p.ID != c.text("user") {
		return nil, refuse("user_not_found")
	}
	if !r.has(p.ID) {
		return nil, refuse("user_not_in_channel")
	}
	body, err := readContent(c)
	if err != nil {
		return nil, err
	}
	if body.empty() {
		return nil, refuse("no_text")
	}
	m := s.say(r, &Message{Text: body.text, Blocks: body.blocks, Author: s.cfg.App.BotUser, Only: p.ID})
	return object{"message_ts": m.TS}, nil
}

// decode reads JSON that must be an object.
func decode(body []byte) (object, bool) {
	var o object
	return o, json.Unmarshal(body, &o) == nil && o != nil
}
