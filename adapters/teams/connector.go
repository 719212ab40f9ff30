package teams

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/infracloudio/msbotbuilder-go/connector/client"
	"github.com/infracloudio/msbotbuilder-go/schema"

	"elevate/internal/pim"
)

// connector makes the calls of the Bot Connector's REST interface. Its errors
// are *pim.Error: Throttled with how long to wait, Unavailable, AnswerLost,
// NotFound, Forbidden, Administered and Invalid (too long, or not understood).
// None carries an address or a token. It sends nothing twice: the workflow's
// queue does, with back-off, and a second wait in here would only add to it.
//
// A call waits for its turn in its conversation, and for nobody else's.
// https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference
type connector struct {
	credential azcore.TokenCredential
	scope      string
	hosts      func(*url.URL) bool
	client     *http.Client
	pace       *pace
}

// call is one call of the connector's.
type call struct {
	name    string // for errors
	method  string
	service string   // the service's address, as Teams gave it
	parts   []string // of the path
	query   url.Values
	lane    string // whose turn it takes
	body    any
}

// address is a path of the connector's below a service's address, each part
// escaped: conversation ids hold what paths are made of, and the library puts
// them in as they are (core/activity/response.go:62,82,97).
func (c *connector) address(k call) (string, error) {
	base, err := url.Parse(k.service)
	if err != nil || !c.hosts(base) {
		return "", pim.Errorf(pim.Forbidden, "That conversation's service is not Microsoft's, so Elevate sends nothing there.")
	}
	path := []string{strings.TrimRight(base.String(), "/"), "v3"}
	for _, part := range k.parts {
		if part == "" || part == "." || part == ".." {
			return "", nowhere()
		}
		path = append(path, url.PathEscape(part))
	}
	at := strings.Join(path, "/")
	if len(k.query) > 0 {
		at += "?" + k.query.Encode()
	}
	return at, nil
}

// do carries out a call when it is its turn, and decodes its answer.
func (c *connector) do(ctx context.Context, k call, into any) error {
	err := c.pace.wait(ctx, k.lane)
	if err == nil {
		err = c.send(ctx, k, into)
		if e := pim.Explain(err); err != nil && e.Kind == pim.Throttled {
			c.pace.hold(k.lane, e.RetryAfter)
		}
	}
	if err != nil {
		return fmt.Errorf("teams %s: %w", k.name, err)
	}
	return nil
}

// send sends a call once. The bot's token goes to Microsoft's service hosts
// only, and no redirect is followed with it.
func (c *connector) send(ctx context.Context, k call, into any) error {
	req, err := c.request(ctx, k)
	if err != nil {
		return err
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return broken(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body) // complete and within limits: exchange has read it
	if err != nil || resp.StatusCode/100 != 2 {
		return fault(resp, answer)
	}
	if into == nil || len(bytes.TrimSpace(answer)) == 0 {
		return nil
	}
	if json.Unmarshal(answer, into) != nil {
		return unsure()
	}
	return nil
}

// request is a call with the bot's token on it. Without a token there is no
// request: the library sends one all the same (connector/client/client.go:177-191).
func (c *connector) request(ctx context.Context, k call) (*http.Request, error) {
	address, err := c.address(k)
	if err != nil {
		return nil, err
	}
	var content io.Reader
	if k.body != nil {
		raw, err := json.Marshal(k.body)
		if err != nil {
			return nil, pim.Errorf(pim.Internal, "A message for Teams could not be written.")
		}
		content = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, k.method, address, content)
	if err != nil {
		return nil, nowhere()
	}
	token, err := c.credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{c.scope}})
	if err != nil || token.Token == "" {
		return nil, tokenError(err)
	}
	req.Header.Set("Authorization", "Bearer "+token.Token)
	if k.body != nil {
		req.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	return req, nil
}

func nowhere() error {
	return pim.Errorf(pim.NotFound, "That is no message or conversation in Teams.")
}

// unsure is an answer that says yes and leaves out what it is about.
func unsure() error {
	return pim.Errorf(pim.AnswerLost, "Teams' answer is not complete, so it is not known what it did.")
}

// tokenError is what is said when the bot has no token. What azidentity says
// holds addresses and Entra's whole answer, so of a foreign error nothing goes on.
func tokenError(err error) error {
	if e, ok := errors.AsType[*pim.Error](err); ok {
		return e
	}
	return pim.Errorf(pim.Unavailable, "The bot's token for Teams could not be had from Microsoft Entra.")
}

// sent is what the connector says of a message it took.
type sent struct {
	ID         string `json:"id"`
	ActivityID string `json:"activityId"`
}

// turn carries one send through the library's adapter, in the place of its
// Client (connector/client/client.go), which knows no context and throws the
// answer away.
type turn struct {
	ctx       context.Context //nolint:containedctx // the library's Client has no room for one
	connector *connector
	name      string
	targeted  bool
	entities  []any
	answer    sent
}

var _ client.Client = (*turn)(nil)

// Post sends a message. The library's address is not escaped, and names the
// wrong message for a reply (core/activity/response.go:77-79); it is made anew.
func (t *turn) Post(_ url.URL, a schema.Activity) error {
	parts := []string{"conversations", a.Conversation.ID, "activities"}
	if a.ReplyToID != "" {
		parts = append(parts, a.ReplyToID)
	}
	return t.send(http.MethodPost, a, parts...)
}

// Put rewrites a message. Who sees it cannot be changed, so Teams takes no
// recipient here.
func (t *turn) Put(_ url.URL, a schema.Activity) error {
	a.Recipient = schema.ChannelAccount{}
	return t.send(http.MethodPut, a, "conversations", a.Conversation.ID, "activities", a.ID)
}

// Delete removes a message.
func (t *turn) Delete(_ url.URL, a schema.Activity) error {
	return t.send(http.MethodDelete, a, "conversations", a.Conversation.ID, "activities", a.ID)
}

func (t *turn) send(method string, a schema.Activity, parts ...string) error {
	k := call{name: t.name, method: method, service: a.ServiceURL, parts: parts, lane: withoutThread(a.Conversation.ID)}
	if t.targeted {
		k.query = url.Values{"isTargetedActivity": {"true"}}
	}
	if method != http.MethodDelete {
		body, err := outgoing(a, t.entities)
		if err != nil {
			return err
		}
		k.body = body
	}
	return t.connector.do(t.ctx, k, &t.answer)
}

// maxMessage is what a whole message may have: below 80 KB as UTF-16.
// https://learn.microsoft.com/microsoftteams/platform/bots/how-to/format-your-bot-messages
const maxMessage = 40_000

// checkSizes refuses what Teams would not take, before it is sent. No card is
// longer than the whole message.
func checkSizes(a schema.Activity, whole []byte) error {
	switch {
	case len(whole) > maxMessage:
		return fmt.Errorf("a message of %d bytes: %w", len(whole), tooBig())
	case len(whole) <= maxCard:
		return nil
	}
	for _, one := range a.Attachments {
		raw, err := json.Marshal(one.Content)
		if err == nil && len(raw) > maxCard {
			return fmt.Errorf("a card of %d bytes: %w", len(raw), tooBig())
		}
	}
	return nil
}

// sendable are the members of an activity that are sent. The library's type
// always has suggestedActions, relatesTo, semanticAction and times of the year 1
// in it (schema/model_activity.go:103), and clients do not show a message with
// empty suggested actions.
type sendable struct {
	Type         schema.ActivityTypes       `json:"type"`
	ID           string                     `json:"id,omitempty"`
	From         schema.ChannelAccount      `json:"from,omitzero"`
	Recipient    schema.ChannelAccount      `json:"recipient,omitzero"`
	Conversation schema.ConversationAccount `json:"conversation,omitzero"`
	ReplyToID    string                     `json:"replyToId,omitempty"`
	Text         string                     `json:"text,omitempty"`
	Summary      string                     `json:"summary,omitempty"`
	Attachments  []schema.Attachment        `json:"attachments,omitempty"`
	Entities     []any                      `json:"entities,omitempty"`
}

// outgoing is an activity as it is sent.
func outgoing(a schema.Activity, entities []any) (json.RawMessage, error) {
	raw, err := json.Marshal(sendable{
		Type: a.Type, ID: a.ID, From: a.From, Recipient: a.Recipient, Conversation: a.Conversation, ReplyToID: a.ReplyToID,
		Text: a.Text, Summary: a.Summary, Attachments: a.Attachments, Entities: entities,
	})
	if err != nil {
		return nil, fmt.Errorf("writing an activity: %w", err)
	}
	return raw, checkSizes(a, raw)
}
