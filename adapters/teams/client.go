package teams

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/infracloudio/msbotbuilder-go/core"
	"github.com/infracloudio/msbotbuilder-go/core/activity"
	"github.com/infracloudio/msbotbuilder-go/schema"

	"elevate/internal/bounded"
	"elevate/internal/card"
	"elevate/internal/exchange"
	"elevate/internal/pim"
	"elevate/internal/workflow"
)

// Config is what a Client needs.
type Config struct {
	AppID    string
	TenantID string
	// Metadata is where the Bot Framework says which keys it signs with.
	Metadata string
	// ServiceURL is where a conversation from the settings is written to before
	// anything came from there.
	ServiceURL string
	// Credential is the bot's own identity.
	Credential azcore.TokenCredential
	// Hosts are the service hosts that are sent the bot's token, and
	// MetadataHosts those whose keys are believed. In the sandbox they are this
	// machine's.
	Hosts, MetadataHosts []string
	References           References
	// Codes bind a request's card to the conversation it was drawn for.
	Codes     Codes
	Transport http.RoundTripper // nil means one of its own
	Now       func() time.Time
	// TokenNow is the clock that tokens are checked by; nil means Now.
	TokenNow func() time.Time
	Logger   *slog.Logger
	Sandbox  bool
}

// Client posts cards to Teams and rewrites them.
type Client struct {
	cfg       Config
	connector *connector
	bearer    *bearer
	rosters   *bounded.Cache[string] // the chat's own ids, by conversation and object id; "" for who is not there
	members   *bounded.Cache[member]
	lookups   *bounded.Rates // of those who are no members, or not known as such
}

var _ workflow.Messenger = (*Client)(nil)

// The Bot Framework of the public cloud and of the US government's.
const (
	issuer      = "https://api.botframework.com"
	issuerGov   = "https://api.botframework.us"
	metadataGov = "login.botframework.azure.us"
)

// NewClient returns a Client. It calls nobody. Without an app id it is an
// error: there is nobody for whom a token could be checked then.
func NewClient(cfg Config) (*Client, error) {
	if cfg.AppID == "" || cfg.TenantID == "" || cfg.Credential == nil || cfg.References == nil || cfg.Codes == nil || cfg.Now == nil {
		return nil, errors.New("teams: AppID, TenantID, Credential, References, Codes and Now are needed")
	}
	if cfg.Transport == nil {
		cfg.Transport = exchange.NewTransport()
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.TokenNow == nil {
		cfg.TokenNow = cfg.Now
	}
	cfg.TenantID = strings.ToLower(cfg.TenantID)
	c := &Client{
		cfg: cfg, rosters: bounded.NewCache[string](10_000, rosterLife), members: bounded.NewCache[member](10_000, memberLife),
		lookups: bounded.NewRates(lookupsAtOnce, lookupEvery, 10_000),
	}
	metadata, err := url.Parse(cfg.Metadata)
	if err != nil || !c.metadataHost(metadata) {
		return nil, errors.New("teams: Metadata is no address of the Bot Framework's")
	}
	said := issuer
	if strings.EqualFold(metadata.Host, metadataGov) {
		said = issuerGov
	}
	c.bearer = &bearer{
		appID: cfg.AppID, tenant: cfg.TenantID, issuer: said, hosts: c.serviceHost, now: cfg.TokenNow,
		keys: newKeySet(cfg.Metadata, c.metadataHost, cfg.Transport, cfg.Now, cfg.Logger),
	}
	c.connector = &connector{
		credential: cfg.Credential, scope: said + "/.default", hosts: c.serviceHost,
		client: exchange.NewClient(exchange.Whole{Next: cfg.Transport}), pace: newPace(cfg.Now),
	}
	return c, nil
}

// Deaf returns since when nobody in Teams is understood, because the Bot
// Framework's keys cannot be read; zero while they can.
func (c *Client) Deaf() time.Time { return c.bearer.keys.deaf() }

// serviceHost reports whether an address is one of the connector's: those alone
// are sent the bot's token.
func (c *Client) serviceHost(u *url.URL) bool { return c.among(c.cfg.Hosts, u) }

// metadataHost reports whether the keys at an address are believed.
func (c *Client) metadataHost(u *url.URL) bool { return c.among(c.cfg.MetadataHosts, u) }

func (c *Client) among(hosts []string, u *url.URL) bool {
	switch {
	case u == nil || u.User != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "":
		return false
	case c.cfg.Sandbox:
		return (u.Scheme == "https" || u.Scheme == "http") && isLoopback(u.Hostname())
	}
	return u.Scheme == "https" && slices.Contains(hosts, strings.ToLower(u.Host))
}

// Account says why a person may not use Elevate in Teams, or nil. It asks Teams
// now; somebody who was never seen there cannot be asked about.
func (c *Client) Account(ctx context.Context, a pim.ChatAccount) error {
	if a.Chat != pim.Teams || !strings.EqualFold(a.Workspace, c.cfg.TenantID) {
		return pim.Errorf(pim.Forbidden, "That account is not of the tenant that Elevate serves.")
	}
	r, found, err := c.cfg.References.Reference(ctx, PersonKey(pim.NewPrincipalID(a.User)))
	if err != nil {
		return err
	}
	if !found || r.Met == "" {
		return pim.Errorf(pim.Forbidden, "Elevate has not met that person in Teams.")
	}
	m, err := c.lookUp(ctx, r.ServiceURL, r.Met, r.MRI)
	if err != nil {
		return err
	}
	return c.standing(m, a.User)
}

// adapter is the library's adapter for one send. It has no state beyond its two
// seams, and nothing comes in through this one.
func (c *Client) adapter(t *turn) *core.BotFrameworkAdapter {
	return &core.BotFrameworkAdapter{Client: t}
}

// address is a reference as the library takes it.
func (c *Client) address(r Reference, conversation string) schema.ConversationReference {
	return schema.ConversationReference{
		Bot:          schema.ChannelAccount{ID: c.botID()},
		Conversation: schema.ConversationAccount{ID: conversation, TenantID: c.cfg.TenantID, ConversationType: r.Kind, IsGroup: r.Kind != personal},
		ChannelID:    channelTeams, ServiceURL: r.ServiceURL,
	}
}

func (c *Client) botID() string { return botPrefix + c.cfg.AppID }

// send puts a message into a conversation that is known to Teams.
func (c *Client) send(ctx context.Context, r Reference, conversation string, a schema.Activity, t *turn) (sent, error) {
	t.ctx, t.connector, t.name = ctx, c.connector, orElse(t.name, "send")
	err := c.adapter(t).ProactiveMessage(ctx, c.address(r, conversation), activity.HandlerFuncs{
		OnMessageFunc: func(turn *activity.TurnContext) (schema.Activity, error) {
			a.Type, a.ServiceURL, a.ChannelID = schema.Message, turn.Activity.ServiceURL, turn.Activity.ChannelID
			a.Conversation, a.From = turn.Activity.Conversation, turn.Activity.From
			return a, nil
		},
	})
	return t.answer, known(err)
}

// known takes the library's wrapping off, whose text says nothing.
func known(err error) error {
	if err == nil {
		return nil
	}
	if said, ok := errors.AsType[*pim.Error](err); ok {
		return said
	}
	return &pim.Error{Kind: pim.Internal, Message: "A message for Teams could not be written."}
}

// message is a card as a message. The summary is what notifications show.
func message(drawn element, c card.Card) schema.Activity {
	return schema.Activity{
		Summary: card.Tidy(orElse(c.Fallback, c.Title), maxTyped), Attachments: []schema.Attachment{attachment(drawn)},
	}
}

// Post posts a card. An answer that is lost is told as AnswerLost: whoever posts
// again may leave a second card, whose buttons answer with the present state.
func (c *Client) Post(ctx context.Context, to pim.Conversation, what card.Card) (pim.MessageRef, error) {
	r, err := c.find(ctx, to)
	if err != nil {
		return pim.MessageRef{}, err
	}
	ref, err := c.post(ctx, r, to, what)
	switch {
	case err != nil && to.Thread != "" && pim.Explain(err).Code == "ConversationNotFound":
		return ref, nowhere() // it is the thread that is gone
	case err != nil:
		c.noteRefusal(ctx, r, err)
	case r.Shut != "": // it was tried again after a while, and it works
		if err := c.Reopen(ctx, to); err != nil {
			c.cfg.Logger.Warn("that a conversation is open again was not noted", "chat", string(pim.Teams), "error", err)
		}
	}
	return ref, err
}

// noteRefusal remembers that a conversation takes nothing from the bot.
func (c *Client) noteRefusal(ctx context.Context, r Reference, err error) {
	if e := pim.Explain(err); e.Kind == pim.Forbidden && shutCodes[e.Code] != "" {
		c.shut(ctx, r, e.Code)
	}
}

func (c *Client) post(ctx context.Context, r Reference, to pim.Conversation, what card.Card) (pim.MessageRef, error) {
	if to.User != "" && r.Conversation == "" {
		var err error
		if r, err = c.openPersonal(ctx, r); err != nil {
			return pim.MessageRef{}, err
		}
	}
	drawn, err := c.drawnFor(ctx, r, r.Conversation, what)
	if err != nil {
		return pim.MessageRef{}, err
	}
	if to.Thread != "" {
		return c.goOn(ctx, r, to, message(drawn, what))
	}
	if r.Kind == channel {
		return c.startThread(ctx, r, to, message(drawn, what))
	}
	answer, err := c.send(ctx, r, r.Conversation, message(drawn, what), &turn{})
	if err != nil {
		return pim.MessageRef{}, err
	}
	return messageRef(to, r.Conversation, answer.ID)
}

// goOn posts below a message that began a thread.
func (c *Client) goOn(ctx context.Context, r Reference, to pim.Conversation, a schema.Activity) (pim.MessageRef, error) {
	if r.Kind != channel {
		return pim.MessageRef{}, nowhere()
	}
	at := threadOf(r.Conversation, to.Thread)
	answer, err := c.send(ctx, r, at, a, &turn{name: "reply"})
	if err != nil {
		return pim.MessageRef{}, err
	}
	return messageRef(to, at, answer.ID)
}

// drawnFor draws a card for all who see it in a conversation. Those of a request
// who are there get a view of their own.
func (c *Client) drawnFor(ctx context.Context, r Reference, conversation string, what card.Card) (element, error) {
	shared := r.Kind != personal
	var views []string
	if shared && what.Request != "" {
		var err error
		if views, err = c.views(ctx, r, what.Personal); err != nil {
			return nil, err
		}
	}
	d := c.drawing(r.zone(), shared).in(conversation)
	d.stays = true
	return d.adaptive(what, views)
}

func messageRef(to pim.Conversation, conversation, id string) (pim.MessageRef, error) {
	if conversation == "" || id == "" {
		return pim.MessageRef{}, &pim.Error{Kind: pim.AnswerLost, Message: "Teams did not say which message it made."}
	}
	return pim.MessageRef{Conversation: to, ID: id, Channel: conversation}, nil
}

// Update rewrites a card that the bot has posted.
func (c *Client) Update(ctx context.Context, ref pim.MessageRef, what card.Card) error {
	if ref.Channel == "" || ref.ID == "" || ref.Conversation.Chat != pim.Teams {
		return pim.Errorf(pim.NotFound, "That is no message in Teams.")
	}
	r, err := c.find(ctx, ref.Conversation)
	if err != nil {
		return err
	}
	drawn, err := c.drawnFor(ctx, r, ref.Channel, what)
	if err != nil {
		return err
	}
	a := message(drawn, what)
	a.Type, a.ID, a.ServiceURL, a.ChannelID = schema.Message, ref.ID, r.ServiceURL, channelTeams
	a.Conversation = schema.ConversationAccount{ID: ref.Channel, TenantID: c.cfg.TenantID}
	t := &turn{ctx: ctx, connector: c.connector, name: "update"}
	// A refusal shuts nothing: which message it is may be a client's word.
	return known(c.adapter(t).UpdateActivity(ctx, a))
}

// drawing draws for one person in a zone, or for all who see a card.
func (c *Client) drawing(zone *time.Location, shared bool) drawing {
	return drawing{sandbox: c.cfg.Sandbox, codes: c.cfg.Codes, now: c.cfg.Now(), zone: zone, shared: shared}
}
