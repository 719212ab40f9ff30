package slack

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/slack-go/slack"

	"elevate/internal/bounded"
	"elevate/internal/card"
	"elevate/internal/exchange"
	"elevate/internal/pim"
	"elevate/internal/secret"
	"elevate/internal/workflow"
)

// Config is what a Client needs.
type Config struct {
	BotToken secret.Text
	// AppToken is for Socket Mode only.
	AppToken secret.Text
	// API is the address of the Web API, with a slash at its end.
	API string
	// TeamID is the one workspace (T…) or organisation (E…) that is served.
	TeamID string
	// Transport is the way to Slack; nil is one with limits of its own.
	Transport http.RoundTripper
	Now       func() time.Time
	Logger    *slog.Logger
	// Sandbox marks every card and lets response URLs point at API's own host.
	Sandbox bool
}

// Client posts and rewrites cards, and knows the accounts of the workspace.
type Client struct {
	cfg      Config
	api      *slack.Client
	hooks    *http.Client // for response URLs, whose answers are not those of the API
	base     *url.URL
	self     atomic.Pointer[identity]
	profiles *bounded.Cache[Profile]
	directs  *bounded.Cache[string]
	foreign  *bounded.Cache[bool]
	pace     *pace
}

// identity is who the bot is in its workspace.
type identity struct{ app, bot, user, team, name string }

// NewClient returns a Client. Start has to succeed before anything is taken from Slack.
func NewClient(cfg Config) *Client {
	if cfg.API == "" {
		cfg.API = slack.APIURL
	}
	if cfg.Transport == nil {
		cfg.Transport = exchange.NewTransport()
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	cfg.API = strings.TrimSuffix(cfg.API, "/") + "/"
	base, err := url.Parse(cfg.API)
	if err != nil {
		base = &url.URL{} // nothing is at home there, so every call and response URL is refused
	}
	// slack-go's own retries are left out: those for connections post twice when
	// the connection ends after Slack took the message, those for 429 sleep in
	// the caller's lane.
	c := &Client{
		cfg: cfg, base: base, hooks: exchange.NewClient(exchange.Whole{Next: cfg.Transport}),
		profiles: bounded.NewCache[Profile](10_000, profileLife), directs: bounded.NewCache[string](10_000, 24*time.Hour), foreign: bounded.NewCache[bool](1_000, channelLife), pace: newPace(cfg.Now),
	}
	c.api = slack.New(cfg.BotToken.Reveal(), slack.OptionAPIURL(cfg.API),
		slack.OptionHTTPClient(exchange.NewClient(wire{cfg.Transport, c.Started})), slack.OptionAppLevelToken(cfg.AppToken.Reveal()))
	return c
}

var (
	_ workflow.Messenger = (*Client)(nil)
	_ workflow.Whisperer = (*Client)(nil)
)

// Started reports whether Start succeeded. Before it nothing else is asked of Slack.
func (c *Client) Started() bool { return c.self.Load() != nil }

// Start asks Slack who the tokens belong to, and refuses those of another
// workspace or organisation.
func (c *Client) Start(ctx context.Context) error {
	who, err := c.api.AuthTestContext(ctx)
	if err != nil {
		return read(fault("auth.test", err))
	}
	if who.TeamID == "" || who.UserID == "" || who.BotID == "" {
		return read(incomplete("auth.test"))
	}
	if !c.home(who.TeamID, who.EnterpriseID) {
		return pim.Errorf(pim.Administered, "The Slack bot token belongs to another workspace or organisation than slack.team_id names.")
	}
	// auth.test does not name the app, and what comes in has to be for ours.
	bot, err := c.api.GetBotInfoContext(ctx, slack.GetBotInfoParameters{Bot: who.BotID})
	if err != nil {
		return read(fault("bots.info", err))
	}
	if bot.AppID == "" || bot.ID != who.BotID {
		return read(incomplete("bots.info"))
	}
	c.self.Store(&identity{app: bot.AppID, bot: who.BotID, user: who.UserID, team: who.TeamID, name: who.Team})
	return nil
}

// WorkspaceName is what the workspace or organisation is called, for display only; "" before Start.
func (c *Client) WorkspaceName() string {
	if self := c.self.Load(); self != nil {
		return self.name
	}
	return ""
}

// home reports whether a team and enterprise id are those that are served.
func (c *Client) home(team, enterprise string) bool {
	switch {
	case c.cfg.TeamID == "":
		return false
	case c.wide():
		return enterprise == c.cfg.TeamID || enterprise == "" && team == c.cfg.TeamID
	}
	return team == c.cfg.TeamID
}

// wide reports whether a whole organisation is served: its user ids are unique
// in all of its workspaces.
func (c *Client) wide() bool { return strings.HasPrefix(c.cfg.TeamID, "E") }

// account is the chat account of a user id of the workspace.
func (c *Client) account(user string) pim.ChatAccount {
	return pim.ChatAccount{Chat: pim.Slack, Workspace: c.cfg.TeamID, User: user}
}

func (c *Client) place(channel string) pim.Conversation {
	return pim.Conversation{Chat: pim.Slack, Workspace: c.cfg.TeamID, ID: channel}
}

func (c *Client) drawing() drawing {
	return drawing{workspace: c.cfg.TeamID, sandbox: c.cfg.Sandbox, now: c.cfg.Now()}
}

// Post posts a card. It is sent once: an answer that is lost is told as
// AnswerLost, and whoever posts again may leave a second card. Elevate has no
// scope to read what stands in a channel, so that is the worst case; the
// buttons of both cards answer with the present state.
func (c *Client) Post(ctx context.Context, to pim.Conversation, what card.Card) (pim.MessageRef, error) {
	channel, err := c.channel(ctx, to)
	if err != nil {
		return pim.MessageRef{}, err
	}
	if err := c.pace.wait(ctx, channel); err != nil {
		return pim.MessageRef{}, err
	}
	options := c.options(what)
	if to.Thread != "" {
		options = append(options, slack.MsgOptionTS(to.Thread))
	}
	at, ts, err := c.api.PostMessageContext(ctx, channel, options...)
	if err != nil {
		c.forget(to, err)
		return pim.MessageRef{}, fault("chat.postMessage", err)
	}
	if ts == "" || at == "" {
		return pim.MessageRef{}, incomplete("chat.postMessage")
	}
	ref := pim.MessageRef{Conversation: to, ID: ts, Channel: at}
	if to.User == "" && to.Thread == "" { // in a direct message a thread only hides what is said
		ref.Thread = ts
	}
	return ref, nil
}

// Update rewrites a card that the bot has posted.
func (c *Client) Update(ctx context.Context, ref pim.MessageRef, what card.Card) error {
	if ref.Channel == "" || ref.ID == "" || ref.Conversation.Chat != pim.Slack {
		return pim.Errorf(pim.NotFound, "That is no message in Slack.")
	}
	if ref.Conversation.User == "" && publicChannel(ref.Channel) != "" {
		// It may have been shared with others since the card was posted.
		if err := c.closed(ctx, ref.Channel); err != nil {
			return err
		}
	}
	_, ts, _, err := c.api.UpdateMessageContext(ctx, ref.Channel, ref.ID, c.options(what)...)
	if err != nil {
		return notWritable(fault("chat.update", err))
	}
	if ts != ref.ID {
		return incomplete("chat.update")
	}
	return nil
}

// notWritable tells a conversation that takes nothing at the moment from a message
// that is gone: a bot may be let into a private channel again, and a channel be
// taken out of the archive. The card stands there still.
func notWritable(err error) error {
	if e := pim.Explain(err); e.Code == "channel_not_found" || e.Code == "is_archived" {
		return fmt.Errorf("the conversation: %w", &pim.Error{Kind: pim.Forbidden, Code: e.Code, Message: sentences[pim.Forbidden] + " (" + e.Code + ")."})
	}
	return err
}

// options are a card as slack-go's calls take it. The blocks replace those that
// stood there, so that buttons that are gone from the card go from the message.
func (c *Client) options(what card.Card) []slack.MsgOption {
	m := c.drawing().message(what)
	// Anybody in the workspace can read metadata: it helps to find a message of
	// ours again, and proves nothing.
	note := slack.SlackMetadata{EventType: "elevate_card", EventPayload: map[string]any{"request": string(what.Request)}}
	return append(m.options(), slack.MsgOptionMetadata(note))
}

func (m message) options() []slack.MsgOption {
	return []slack.MsgOption{
		slack.MsgOptionText(m.text, false), slack.MsgOptionBlocks(m.blocks...),
		slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl(), slack.MsgOptionParse(false),
	}
}
