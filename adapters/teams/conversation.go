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
	// How often Teams is asked about one person: twenty times at once, then six times
	// a minute. Whoever is refused is asked about each time, by the same allowance
	// of a conversation that everybody else in it is asked about.
	lookupsAtOnce = 20
	lookupEvery   = 10 * time.Second
	// pageSize is the most Teams gives at once, and mostPages four times what the
	// largest team has.
	// https://learn.microsoft.com/microsoftteams/platform/bots/how-to/get-teams-context
	pageSize  = "500"
	mostPages = 200
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
// external people, and whoever is not who the activity says. Every answer about
// members says the role and the tenant; one that does not proves nothing.
func (c *Client) standing(m member, objectID string) error {
	switch {
	case m.objectID() != strings.ToLower(objectID):
		return pim.Errorf(pim.Forbidden, "Teams does not know that person there any more.")
	case m.Tenant == "" || m.Role == "":
		return &pim.Error{Kind: pim.Unavailable, Message: "Teams did not say what kind of account that is."}
	case !strings.EqualFold(m.Tenant, c.cfg.TenantID):
		return pim.Errorf(pim.Forbidden, "People of other organisations cannot use Elevate.")
	case !strings.EqualFold(m.Role, "user") && !strings.EqualFold(m.Role, "owner"):
		return pim.Errorf(pim.Forbidden, "Guests of the tenant cannot use Elevate. Use an account that belongs to it.")
	case strings.Contains(strings.ToUpper(m.UPN), "#EXT#"):
		return pim.Errorf(pim.Forbidden, "Guests of the tenant cannot use Elevate. Use an account that belongs to it.")
	}
	return nil
}

// lookUp asks Teams about a member of a conversation and remembers the answer.
func (c *Client) lookUp(ctx context.Context, service, conversation, id string) (member, error) {
	var m member
	err := c.connector.do(ctx, call{
		name: "member", method: http.MethodGet, service: service, lane: readingLane(conversation),
		parts: []string{"conversations", conversation, "members", id},
	}, &m)
	switch e := pim.Explain(err); {
	case err == nil:
	case e.Kind == pim.NotFound:
		return member{}, pim.Errorf(pim.Forbidden, "Teams does not know that person there any more.")
	case e.Kind == pim.Forbidden:
		// That is about the bot, whatever its code, not about the person, whose sessions go on.
		return member{}, &pim.Error{Kind: pim.Administered, Code: e.Code, Message: e.Message}
	default:
		return member{}, reading(err)
	}
	if m.ID == "" {
		return member{}, reading(unsure())
	}
	c.members.Put(conversation+" "+id, m, c.cfg.Now())
	return m, nil
}

// readingLane is a queue beside that of the messages: Teams counts reading apart.
func readingLane(conversation string) string { return reads + withoutThread(conversation) }

const reads = "read "

func isReading(lane string) bool { return strings.HasPrefix(lane, reads) }

// may says why somebody in a conversation may not use Elevate, or nil, by what Teams
// said of them within the last minutes or says now. Nobody is refused by what it
// said before: that may have been put right.
func (c *Client) may(ctx context.Context, a *received, who pim.ChatAccount) (member, error) {
	conversation := withoutThread(a.Conversation.ID)
	if m, known := c.members.Get(conversation+" "+a.From.ID, c.cfg.Now()); known && c.standing(m, who.User) == nil {
		return m, nil
	}
	if !c.lookups.Allow(who.User, c.cfg.Now()) {
		return member{}, pim.Errorf(pim.Throttled, "You said a lot within a short time. Wait a minute and say it again.")
	}
	m, err := c.lookUp(ctx, a.ServiceURL, conversation, a.From.ID)
	if err == nil {
		err = c.standing(m, who.User)
	}
	return m, err
}

// create makes a conversation. Its queue is that of the person or channel.
func (c *Client) create(ctx context.Context, service, lane string, with element) (sent, error) {
	with["bot"], with["tenantId"] = element{"id": c.botID()}, c.cfg.TenantID
	var made sent
	err := c.connector.do(ctx, call{
		name: "create", method: http.MethodPost, service: service, parts: []string{"conversations"}, lane: withoutThread(lane), body: with,
	}, &made)
	return made, err
}

// openPersonal opens the personal chat with somebody for whom the app is
// installed. It is never installed by the bot itself.
func (c *Client) openPersonal(ctx context.Context, r Reference) (Reference, error) {
	if r.MRI == "" {
		return r, nowhere()
	}
	opened, err := c.create(ctx, r.ServiceURL, r.MRI, element{
		"isGroup": false, "members": []element{{"id": r.MRI}}, "channelData": element{"tenant": element{"id": c.cfg.TenantID}},
	})
	if err == nil && opened.ID == "" {
		err = unsure()
	}
	if err != nil {
		return r, reading(err) // opening it again gives the same one
	}
	r.Conversation, r.Kind, r.Shut, r.ShutAt = opened.ID, personal, "", time.Time{}
	return r, c.cfg.References.KeepReference(ctx, r)
}

// startThread posts into a channel: each message begins a thread of its own.
func (c *Client) startThread(ctx context.Context, r Reference, to pim.Conversation, a schema.Activity) (pim.MessageRef, error) {
	a.Type = schema.Message
	body, err := outgoing(a, nil)
	if err != nil {
		return pim.MessageRef{}, err
	}
	made, err := c.create(ctx, r.ServiceURL, r.Conversation, element{
		"isGroup": true, "activity": body,
		"channelData": element{"channel": element{"id": r.Conversation}, "tenant": element{"id": c.cfg.TenantID}},
	})
	if err != nil {
		return pim.MessageRef{}, err
	}
	if made.ID != "" && made.ActivityID != "" {
		made.ID = threadOf(made.ID, made.ActivityID)
	}
	ref, err := messageRef(to, made.ID, made.ActivityID)
	ref.Thread = ref.ID
	return ref, err
}

// views are the chat's own ids of those accounts that are in a conversation.
func (c *Client) views(ctx context.Context, r Reference, people []pim.ChatAccount) ([]string, error) {
	if err := c.findViews(ctx, r, people); err != nil {
		e := pim.Explain(err)
		if slices.Contains(shutForAll, e.Code) {
			return nil, err
		}
		// Without it everybody has Refresh: no reason to hold a card back.
		c.cfg.Logger.Warn("a roster was not read", "chat", string(pim.Teams), "kind", string(e.Kind), "code", e.Code)
	}
	var ids []string
	for _, a := range people {
		if id, _ := c.rosters.Get(viewKey(r, a), c.cfg.Now()); id != "" && len(ids) < maxViews {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

func viewKey(r Reference, a pim.ChatAccount) string { return r.Key + " " + strings.ToLower(a.User) }

// findViews reads the roster if it is not known of everybody whether they are in
// it. Of the thousands who may be, only those who were asked for are remembered.
func (c *Client) findViews(ctx context.Context, r Reference, people []pim.ChatAccount) error {
	ids := map[string]string{}
	missing := false
	for _, a := range people {
		if _, known := c.rosters.Get(viewKey(r, a), c.cfg.Now()); a.Chat == pim.Teams {
			ids[strings.ToLower(a.User)] = ""
			missing = missing || !known
		}
	}
	if !missing {
		return nil
	}
	err := c.roster(ctx, r, func(m member) {
		if _, wanted := ids[m.objectID()]; wanted {
			ids[m.objectID()] = m.ID
			// They open the card within the next minutes, all at once, and each would be looked up.
			c.members.Put(r.Key+" "+m.ID, m, c.cfg.Now())
			c.meet(ctx, r, m)
		}
	})
	if err != nil {
		return err
	}
	for _, a := range people {
		if a.Chat == pim.Teams {
			c.rosters.Put(viewKey(r, a), ids[strings.ToLower(a.User)], c.cfg.Now())
		}
	}
	return nil
}

// meet keeps what it takes to open the personal chat with somebody who never wrote,
// and may have the app all the same: it was there before Elevate was.
func (c *Client) meet(ctx context.Context, r Reference, m member) {
	key := PersonKey(pim.NewPrincipalID(m.objectID()))
	_, known, err := c.cfg.References.Reference(ctx, key)
	if err != nil || known || c.standing(m, m.objectID()) != nil {
		return
	}
	person := Reference{Key: key, MRI: m.ID, Met: r.Key, ServiceURL: r.ServiceURL}
	if err := c.cfg.References.KeepReference(ctx, person); err != nil {
		c.cfg.Logger.Warn("a person's chat was not noted", "chat", string(pim.Teams), "error", err)
	}
}

// roster tells each member of a conversation, to the last page.
func (c *Client) roster(ctx context.Context, r Reference, tell func(member)) error {
	query := url.Values{"pageSize": {pageSize}}
	for range mostPages {
		var page struct {
			Members []member `json:"members"`
			Next    string   `json:"continuationToken"`
		}
		err := c.connector.do(ctx, call{
			name: "members", method: http.MethodGet, service: r.ServiceURL, lane: readingLane(r.Key),
			parts: []string{"conversations", r.Conversation, "pagedmembers"}, query: query,
		}, &page)
		if err != nil {
			return reading(err)
		}
		for _, m := range page.Members {
			tell(m)
		}
		if page.Next == "" {
			return nil
		}
		if page.Next == query.Get("continuationToken") {
			break
		}
		query.Set("continuationToken", page.Next)
	}
	return pim.Errorf(pim.Unavailable, "Teams' list of who is in that conversation does not end.")
}
