package teams

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"html"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/infracloudio/msbotbuilder-go/core"
	"github.com/infracloudio/msbotbuilder-go/schema"

	"elevate/internal/pim"
)

// received is an activity: what the library's type holds, and what that type
// loses.
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
	} `json:"recipient"`
	Entities    []json.RawMessage `json:"entities"`
	Value       json.RawMessage   `json:"value"`
	ChannelData channelData       `json:"channelData"`
	Action      string            `json:"action"`
	Zone        string            `json:"localTimezone"`
	Added       []account         `json:"membersAdded"`
	Removed     []account         `json:"membersRemoved"`
}

type account struct {
	ID       string `json:"id"`
	ObjectID string `json:"aadObjectId"`
}

type channelData struct {
	Tenant struct {
		ID string `json:"id"`
	} `json:"tenant"`
	Team struct {
		ID string `json:"id"`
	} `json:"team"`
	Channel struct {
		ID string `json:"id"`
	} `json:"channel"`
	EventType string `json:"eventType"`
}

// plain are the members that go through the library's decoding; it refuses a
// whole activity for a time without a zone or a value that is no object.
var plain = []string{
	"type", "id", "serviceUrl", "channelId", "from", "conversation", "recipient", "text", "textFormat", "locale", "replyToId", "name",
}

var errMalformed = errors.New("the activity cannot be read")

// readActivity decodes a body with the library, whose adapter also has the
// sender checked, and again for what the library loses.
func readActivity(ctx context.Context, adapter *core.BotFrameworkAdapter, header string, body []byte) (received, error) {
	var all map[string]json.RawMessage
	if json.Unmarshal(body, &all) != nil {
		return received{}, errMalformed
	}
	kept := map[string]json.RawMessage{}
	for _, name := range plain {
		if value, there := all[name]; there {
			kept[name] = value
		}
	}
	slim, err := json.Marshal(kept)
	if err != nil {
		return received{}, errMalformed
	}
	var a received
	if json.Unmarshal(slim, &a.Activity) != nil || json.Unmarshal(slim, &a.extra) != nil {
		return received{}, errMalformed
	}
	req := &http.Request{Header: http.Header{"Authorization": {header}}, Body: io.NopCloser(bytes.NewReader(slim))}
	if a.Activity, err = adapter.ParseRequest(ctx, req); err != nil {
		return received{}, err //nolint:wrapcheck // it is our own validator's
	}
	a.extra.lenient(all)
	return a, nil
}

// lenient reads each member by itself: one that has another form than expected
// is as good as not there.
func (e *extra) lenient(all map[string]json.RawMessage) {
	e.Value = all["value"]
	for name, into := range map[string]any{
		"entities": &e.Entities, "channelData": &e.ChannelData, "action": &e.Action, "localTimezone": &e.Zone,
		"membersAdded": &e.Added, "membersRemoved": &e.Removed,
	} {
		if raw, there := all[name]; there {
			_ = json.Unmarshal(raw, into) // what could be read of it stays
		}
	}
}

// tenant is the tenant the activity says it is of, or "" where its two places
// disagree.
func (a *received) tenant() string {
	one, other := a.Activity.Conversation.TenantID, a.extra.ChannelData.Tenant.ID
	switch {
	case one == "":
		return strings.ToLower(other)
	case other == "" || strings.EqualFold(one, other):
		return strings.ToLower(one)
	}
	return ""
}

// once names the activity so that a repetition is recognised.
func (a *received) once(body []byte) string {
	named := "body " + string(body)
	if a.ID != "" {
		named = "activity " + a.Activity.Conversation.ID + " " + a.ID
	}
	sum := sha256.Sum256([]byte(named))
	return "teams:" + hex.EncodeToString(sum[:16])
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
			return at
		}
	}
	return time.UTC
}

// The kinds of conversations.
const (
	personal = "personal"
	channel  = "channel"
)

// place is the conversation as the workflow and the settings name it: a channel
// without its thread, a personal chat by its person.
func (a *received) place(who pim.ChatAccount) pim.Conversation {
	if a.Activity.Conversation.ConversationType == personal {
		return pim.DirectTo(who)
	}
	return pim.Conversation{Chat: pim.Teams, Workspace: who.Workspace, ID: withoutThread(a.Activity.Conversation.ID)}
}

// withoutThread is the channel of a conversation id that names one of its threads.
func withoutThread(id string) string {
	id, _, _ = strings.Cut(id, ";messageid=")
	return id
}
