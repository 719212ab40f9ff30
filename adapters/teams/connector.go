package teams

import (
	"bytes"
	"context"
	"encoding/json"
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

// connector makes the calls of the Bot Connector's REST interface.
// https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference
type connector struct {
	credential azcore.TokenCredential
	scope      string
	hosts      func(*url.URL) bool
	client     *http.Client
	pace       *pace
}

// address is a path of the connector's below a service's address, each part
// escaped: conversation ids hold what paths are made of.
func (c *connector) address(service string, parts ...string) (string, error) {
	base, err := url.Parse(service)
	if err != nil || !c.hosts(base) || base.RawQuery != "" || base.Fragment != "" {
		return "", pim.Errorf(pim.Forbidden, "That conversation's service is not Microsoft's, so Elevate sends nothing there.")
	}
	at := strings.TrimRight(base.String(), "/") + "/v3"
	for _, part := range parts {
		if part == "" || part == "." || part == ".." {
			return "", pim.Errorf(pim.NotFound, "That is no message or conversation in Teams.")
		}
		at += "/" + url.PathEscape(part)
	}
	return at, nil
}

// call sends one call and decodes its answer. The bot's token goes to
// Microsoft's service hosts only, and no redirect is followed with it.
func (c *connector) call(ctx context.Context, name, method, address string, body, into any) error {
	token, err := c.credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{c.scope}})
	if err != nil {
		return fmt.Errorf("teams %s: %w", name, tokenError(err))
	}
	var content io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("teams %s: writing the call: %w", name, err)
		}
		content = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, address, content)
	if err != nil {
		return fmt.Errorf("teams %s: %w", name, pim.Errorf(pim.NotFound, "That is no conversation in Teams."))
	}
	req.Header.Set("Authorization", "Bearer "+token.Token)
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	resp, err := c.client.Do(req)
	if err != nil {
		return broken(name, err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body) // complete and within limits: exchange has read it
	if err != nil || resp.StatusCode/100 != 2 {
		return fault(name, resp, answer)
	}
	if into == nil || len(bytes.TrimSpace(answer)) == 0 {
		return nil
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("teams %s: %w", name, &pim.Error{Kind: pim.AnswerLost, Message: "Teams' answer cannot be read."})
	}
	return nil
}

// tokenError is what is said when the bot has no token. What azidentity says
// holds addresses and Entra's whole answer.
func tokenError(err error) error {
	if e := pim.Explain(err); e.Kind != pim.Internal {
		return e
	}
	return pim.Errorf(pim.Unavailable, "The bot's token for Teams could not be had from Microsoft Entra.")
}

// sent is what the connector says of a message it took.
type sent struct {
	ID         string `json:"id"`
	ActivityID string `json:"activityId"`
}

// turn carries one send through the library's adapter, which knows no context
// and throws the answer away.
type turn struct {
	ctx       context.Context //nolint:containedctx // the library's Client has no room for one
	connector *connector
	name      string
	targeted  bool
	entities  []any
	answer    sent
}

var _ client.Client = (*turn)(nil)

// Post sends a message; the address that the library made is not escaped, so it
// is made anew.
func (t *turn) Post(_ url.URL, a schema.Activity) error {
	parts := []string{"conversations", a.Conversation.ID, "activities"}
	if a.ReplyToID != "" {
		parts = append(parts, a.ReplyToID)
	}
	return t.send(http.MethodPost, a, parts...)
}

// Put rewrites a message.
func (t *turn) Put(_ url.URL, a schema.Activity) error {
	return t.send(http.MethodPut, a, "conversations", a.Conversation.ID, "activities", a.ID)
}

// Delete removes a message.
func (t *turn) Delete(_ url.URL, a schema.Activity) error {
	return t.send(http.MethodDelete, a, "conversations", a.Conversation.ID, "activities", a.ID)
}

func (t *turn) send(method string, a schema.Activity, parts ...string) error {
	address, err := t.connector.address(a.ServiceURL, parts...)
	if err != nil {
		return err
	}
	if t.targeted {
		address += "?isTargetedActivity=true"
	}
	if err := t.connector.pace.wait(t.ctx, withoutThread(a.Conversation.ID)); err != nil {
		return err
	}
	var body any
	if method != http.MethodDelete {
		if body, err = outgoing(a, t.entities); err != nil {
			return err
		}
	}
	return t.connector.call(t.ctx, t.name, method, address, body, &t.answer)
}

// sendable are the members of an activity that are sent. The library's type
// always has suggestedActions, relatesTo, semanticAction and times of the year 1
// in it, and clients do not show a message with empty suggested actions.
var sendable = []string{
	"type", "id", "from", "recipient", "conversation", "replyToId", "text", "textFormat", "summary", "attachments", "channelData", "importance", "locale",
}

// outgoing is an activity as it is sent.
func outgoing(a schema.Activity, entities []any) (map[string]any, error) {
	raw, err := json.Marshal(a)
	if err != nil {
		return nil, fmt.Errorf("writing an activity: %w", err)
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, fmt.Errorf("writing an activity: %w", err)
	}
	body := map[string]any{}
	for _, name := range sendable {
		if value, there := all[name]; there && string(value) != "{}" {
			body[name] = value
		}
	}
	if len(entities) > 0 {
		body["entities"] = entities
	}
	return body, nil
}
