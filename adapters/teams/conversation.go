package teams

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/infracloudio/msbotbuilder-go/schema"

	"elevate/internal/pim"
)

const (
	// rosterLife is how long the members of a conversation are believed, for
	// views only: what somebody may do is decided when they click.
	rosterLife = 10 * time.Minute
	// memberLife is how long a person's standing is believed for answers.
	memberLife = 5 * time.Minute
	pageSize   = "500"
	mostPages  = 40
)

// member is what Teams says of somebody in a conversation.
type member struct {
	ID       string `json:"id"`
	ObjectID string `json:"aadObjectId"`
	Object   string `json:"objectId"` // some services' name for it
	Name     string `json:"name"`
	Tenant   string `json:"tenantId"`
	Role     string `json:"userRole"`
	UPN      string `json:"userPrincipalName"`
}

func (m member) objectID() string { return strings.ToLower(orElse(m.ObjectID, m.Object)) }

// standing says why somebody may not use Elevate, or nil: guests, anonymous and
// external people, and whoever is not who the activity says.
func (c *Client) standing(m member, objectID string) error {
	switch {
	case m.objectID() != strings.ToLower(objectID):
		return pim.Errorf(pim.Forbidden, "Teams does not know that person there any more.")
	case m.Tenant != "" && !strings.EqualFold(m.Tenant, c.cfg.TenantID):
		return pim.Errorf(pim.Forbidden, "People of other organisations cannot use Elevate.")
	case m.Role != "" && !strings.EqualFold(m.Role, "user") && !strings.EqualFold(m.Role, "owner"):
		return pim.Errorf(pim.Forbidden, "Guests of the tenant cannot use Elevate. Use an account that belongs to it.")
	case strings.Contains(strings.ToUpper(m.UPN), "#EXT#"):
		return pim.Errorf(pim.Forbidden, "Guests of the tenant cannot use Elevate. Use an account that belongs to it.")
	}
	return nil
}

// lookUp asks Teams about a member of a conversation and remembers the answer.
func (c *Client) lookUp(ctx context.Context, service, conversation, id string) (member, error) {
	address, err := c.connector.address(service, "conversations", conversation, "members", id)
	if err != nil {
		return member{}, err
	}
	var m member
	if err := c.connector.call(ctx, "member", http.MethodGet, address, nil, &m); err != nil {
		if pim.IsKind(err, pim.NotFound) {
			return member{}, pim.Errorf(pim.Forbidden, "Teams does not know that person there any more.")
		}
		return member{}, reading(err)
	}
	c.members.Put(conversation+" "+id, m, c.cfg.Now())
	return m, nil
}

// recently is what Teams said of a member within the last minutes, or says now.
func (c *Client) recently(ctx context.Context, service, conversation, id string) (member, error) {
	if m, known := c.members.Get(conversation+" "+id, c.cfg.Now()); known {
		return m, nil
	}
	return c.lookUp(ctx, service, conversation, id)
}

// openPersonal opens the personal chat with somebody for whom the app is
// installed. It is never installed by the bot itself.
func (c *Client) openPersonal(ctx context.Context, r Reference) (Reference, error) {
	address, err := c.connector.address(r.ServiceURL, "conversations")
	if err != nil {
		return r, err
	}
	if err := c.connector.pace.wait(ctx, r.MRI); err != nil {
		return r, err
	}
	var opened sent
	err = c.connector.call(ctx, "open", http.MethodPost, address, map[string]any{
		"isGroup": false, "bot": element{"id": c.botID()}, "members": []element{{"id": r.MRI}}, "tenantId": c.cfg.TenantID,
		"channelData": element{"tenant": element{"id": c.cfg.TenantID}},
	}, &opened)
	if err != nil {
		return r, reading(err) // opening it again gives the same one
	}
	if opened.ID == "" {
		return r, &pim.Error{Kind: pim.Unavailable, Message: "Teams did not say which conversation it opened."}
	}
	r.Conversation, r.Kind, r.Shut, r.ShutAt = opened.ID, personal, "", time.Time{}
	return r, c.cfg.References.KeepReference(ctx, r)
}

// startThread posts into a channel: each message begins a thread of its own.
func (c *Client) startThread(ctx context.Context, r Reference, to pim.Conversation, a schema.Activity) (pim.MessageRef, error) {
	address, err := c.connector.address(r.ServiceURL, "conversations")
	if err != nil {
		return pim.MessageRef{}, err
	}
	if err := c.connector.pace.wait(ctx, r.Conversation); err != nil {
		return pim.MessageRef{}, err
	}
	a.Type = schema.Message
	body, err := outgoing(a, nil)
	if err != nil {
		return pim.MessageRef{}, err
	}
	var made sent
	err = c.connector.call(ctx, "post", http.MethodPost, address, map[string]any{
		"isGroup": true, "bot": element{"id": c.botID()}, "tenantId": c.cfg.TenantID,
		"channelData": element{"channel": element{"id": r.Conversation}, "tenant": element{"id": c.cfg.TenantID}}, "activity": body,
	}, &made)
	if err != nil {
		return pim.MessageRef{}, err
	}
	return reference(to, made.ID, made.ActivityID)
}

// views are the chat's own ids of those accounts that are in a conversation.
func (c *Client) views(ctx context.Context, r Reference, people []pim.ChatAccount) ([]string, error) {
	if len(people) == 0 {
		return nil, nil
	}
	roster, err := c.roster(ctx, r)
	if err != nil {
		if e := pim.Explain(err); e.Kind == pim.Forbidden {
			return nil, err
		}
		// Without it everybody has Refresh: no reason to hold a card back.
		c.cfg.Logger.Warn("a roster was not read", "chat", string(pim.Teams), "kind", string(pim.Explain(err).Kind))
		return nil, nil
	}
	var ids []string
	for _, a := range people {
		if m, there := roster[strings.ToLower(a.User)]; there && a.Chat == pim.Teams && len(ids) < maxViews {
			ids = append(ids, m.ID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// roster are the members of a conversation by their object ids, to the last page.
func (c *Client) roster(ctx context.Context, r Reference) (map[string]member, error) {
	if known, ok := c.rosters.Get(r.Key, c.cfg.Now()); ok {
		return known, nil
	}
	address, err := c.connector.address(r.ServiceURL, "conversations", r.Conversation, "pagedmembers")
	if err != nil {
		return nil, err
	}
	all := map[string]member{}
	next := ""
	for range mostPages {
		query := url.Values{"pageSize": {pageSize}}
		if next != "" {
			query.Set("continuationToken", next)
		}
		var page struct {
			Members []member `json:"members"`
			Next    string   `json:"continuationToken"`
		}
		if err := c.connector.call(ctx, "members", http.MethodGet, address+"?"+query.Encode(), nil, &page); err != nil {
			return nil, reading(err)
		}
		for _, m := range page.Members {
			if id := m.objectID(); id != "" {
				all[id] = m
			}
		}
		if next = page.Next; next == "" {
			break
		}
	}
	c.rosters.Put(r.Key, all, c.cfg.Now())
	return all, nil
}
