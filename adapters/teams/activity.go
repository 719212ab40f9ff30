package teams

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/infracloudio/msbotbuilder-go/core"
	"github.com/infracloudio/msbotbuilder-go/schema"

	"elevate/internal/pim"
)

const (
	// maxBody is more than two and a half of the largest messages Teams has.
	maxBody = 256 << 10
	// maxDepth is far above what a card brings back.
	maxDepth = 64
	// maxEntities is far more than people mention. Each costs a search of the text,
	// and one with a time zone a search of all zones.
	maxEntities = 64
)

// received is an activity whose token was checked: what the library's type
// holds, and what that type loses.
type received struct {
	schema.Activity
	extra extra
}

// extra is what the library's types have no place for, or refuse. Unknown kinds
// of entities and values of any form are no error: Teams adds to both.
type extra struct {
	Recipient struct {
		ID       string `json:"id"`
		Targeted bool   `json:"isTargeted"`
	}
	Entities    []json.RawMessage
	Value       json.RawMessage
	ChannelData channelData
	Action      string
	Zone        string
	Added       []account
	Removed     []account
}

type account struct {
	ID       string `json:"id"`
	ObjectID string `json:"aadObjectId"`
}

type channelData struct {
	Tenant struct {
		ID string `json:"id,omitempty"`
	} `json:"tenant"`
	Team struct {
		ID string `json:"id,omitempty"`
	} `json:"team"`
	Channel struct {
		ID string `json:"id,omitempty"`
	} `json:"channel"`
	EventType string `json:"eventType,omitempty"`
}

// plain are the members that go through the library's decoding. It refuses a
// whole activity for a time without a zone (schema/model_activity.go:44-47), a
// value that is no object (:127) and many a member that nobody here reads.
var plain = []string{
	"type", "id", "serviceUrl", "channelId", "from", "conversation", "recipient", "text", "textFormat", "locale", "replyToId", "name",
}

// readActivity decodes a body with the library, whose adapter has the activity
// checked against its token, and adds what the library loses.
func readActivity(ctx context.Context, p *proof, body []byte) (received, error) {
	var all map[string]json.RawMessage
	if tooDeep(body) || json.Unmarshal(body, &all) != nil || all == nil {
		return received{}, refusal(Malformed)
	}
	var a received
	a.extra.read(all)
	slim, err := a.extra.slim(all)
	if err != nil {
		return received{}, refusal(Malformed)
	}
	adapter := core.BotFrameworkAdapter{TokenValidator: p}
	// The library wants a header; the token itself was checked already.
	req := &http.Request{Header: http.Header{"Authorization": {"Bearer"}}, Body: io.NopCloser(bytes.NewReader(slim))}
	if a.Activity, err = adapter.ParseRequest(ctx, req); err != nil {
		return received{}, refusal(reasonOf(err))
	}
	return a, nil
}

// read reads each member by itself: one that has another form than expected is
// as good as not there.
func (e *extra) read(all map[string]json.RawMessage) {
	e.Value = all["value"]
	for name, into := range map[string]any{
		"recipient": &e.Recipient, "entities": &e.Entities, "channelData": &e.ChannelData, "action": &e.Action,
		"localTimezone": &e.Zone, "membersAdded": &e.Added, "membersRemoved": &e.Removed,
	} {
		if raw, there := all[name]; there {
			_ = json.Unmarshal(raw, into) // what could be read of it stays
		}
	}
	e.Entities = e.Entities[:min(len(e.Entities), maxEntities)]
}

// slim is an activity as the library decodes it. channelData, which says the
// tenant, is written from what was read here: where a name stands in it twice,
// what is checked is what is used.
func (e *extra) slim(all map[string]json.RawMessage) ([]byte, error) {
	kept := map[string]any{"channelData": e.ChannelData}
	for _, name := range plain {
		if value, there := all[name]; there {
			kept[name] = value
		}
	}
	return json.Marshal(kept)
}

// tooDeep reports whether JSON is nested beyond reason. It counts brackets
// outside of texts, so it takes the same time for the same length.
func tooDeep(body []byte) bool {
	depth, inText, escaped := 0, false, false
	for _, c := range body {
		switch {
		case escaped:
			escaped = false
		case inText:
			escaped, inText = c == '\\', c != '"'
		case c == '"':
			inText = true
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// once names the activity by its sender, conversation and id, so that a
// repetition is recognised.
func (a *received) once(body []byte) string {
	sum := sha256.New()
	if a.ID == "" {
		sum.Write(body)
	}
	for _, part := range []string{string(a.Type), a.From.ID, a.Conversation.ID, a.ID} {
		sum.Write(append([]byte(part), 0))
	}
	return "teams:" + hex.EncodeToString(sum.Sum(nil)[:16])
}

// typed is what the person typed, without the mention of the bot.
func (a *received) typed() string {
	text := a.Text
	for _, raw := range a.extra.Entities {
		var m struct {
			Type      string  `json:"type"`
			Text      string  `json:"text"`
			Mentioned account `json:"mentioned"`
		}
		if json.Unmarshal(raw, &m) == nil && m.Type == "mention" && m.Text != "" && m.Mentioned.ID == a.extra.Recipient.ID {
			text = strings.Replace(text, m.Text, " ", 1)
		}
	}
	text = strings.ReplaceAll(html.UnescapeString(text), "\u00a0", " ")
	return strings.TrimSpace(text)
}

// zone is the person's time zone; UTC where it is not said.
func (a *received) zone() *time.Location {
	at, _ := a.zoneSaid()
	return at
}

// zoneSaid is zone, and whether the person's client said it.
func (a *received) zoneSaid() (*time.Location, bool) {
	names := []string{a.extra.Zone}
	for _, raw := range a.extra.Entities {
		var info struct {
			Type     string `json:"type"`
			Timezone string `json:"timezone"`
		}
		if json.Unmarshal(raw, &info) == nil && info.Type == "clientInfo" {
			names = append(names, info.Timezone)
		}
	}
	for _, name := range names {
		if name == "" || name == "Local" {
			continue
		}
		if at, err := time.LoadLocation(name); err == nil {
			return at, true
		}
	}
	return time.UTC, false
}

// The kinds of conversations.
const (
	personal  = "personal"
	groupChat = "groupChat"
	channel   = "channel"
)

// place is the conversation as the workflow and the settings name it: a channel
// without its thread, a personal chat by its person.
func (a *received) place(who pim.ChatAccount) pim.Conversation {
	if a.Conversation.ConversationType == personal {
		return pim.DirectTo(who)
	}
	return pim.Conversation{Chat: pim.Teams, Workspace: who.Workspace, ID: withoutThread(a.Conversation.ID)}
}

// withoutThread is the channel of a conversation id that names one of its threads.
func withoutThread(id string) string {
	id, _, _ = strings.Cut(id, ";messageid=")
	return id
}
