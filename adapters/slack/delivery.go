package slack

import (
	"context"
	"net/url"
	"regexp"
	"slices"

	"github.com/slack-go/slack"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/workflow"
)

// asked is where an answer can go that does not travel in the response. The
// response URL and the trigger id are credentials for a short time: they are
// used and forgotten. Only a form's response URL outlives its click, in memory,
// so that its answer stands where the form was asked for.
type asked struct {
	from        workflow.Sender
	channel     string
	responseURL string
	trigger     string
}

// deliver carries out a reply after Slack has its answer.
func (h *Handler) deliver(ctx context.Context, to asked, reply workflow.Reply) {
	if reply.Form != nil {
		h.open(ctx, to, *reply.Form)
	}
	if reply.Card != nil {
		h.tell(ctx, to, *reply.Card)
	}
	if reply.Later != nil {
		h.tell(ctx, to, reply.Later(ctx))
	}
}

// open opens a form. A trigger id lives three seconds, so this is the first
// call that is made; when it comes too late the person gets a button.
func (h *Handler) open(ctx context.Context, to asked, f card.Form) {
	view := h.client.drawing().view(f, publicChannel(to.channel))
	resp, err := h.client.api.OpenViewContext(ctx, to.trigger, view)
	if err == nil && resp.ID == "" {
		err = incomplete("views.open")
	}
	if err == nil {
		h.forms.Put(resp.ID, to.responseURL, h.cfg.Now())
		return
	}
	e := pim.Explain(fault("views.open", err))
	h.cfg.Count(LateForm)
	h.cfg.Logger.Warn("a form was not opened", "chat", string(pim.Slack), "request", string(f.Request), "kind", string(e.Kind), "code", e.Code)
	if e.Kind == pim.AnswerLost {
		return // it probably stands open; a second one would only confuse
	}
	h.tell(ctx, to, reopen(f))
}

// reopen is a message with a button, whose click brings a new trigger id.
func reopen(f card.Form) card.Card {
	b := card.Button{Label: "Open the form", Act: card.OpenForm, Style: card.Primary, Request: f.Request, Digest: f.Digest}
	switch f.Name {
	case card.FormApprove:
		b.Act = card.ApproveWithReason
	case card.FormDeny:
		b.Act = card.Deny
	case card.FormReview:
		b.Act = card.Review
	default:
		for _, field := range f.Fields {
			if field.Name == card.FieldRole {
				b.Role = field.Value
			}
		}
	}
	c := sentence("The form did not open in time. Nothing was asked for and nothing was changed.")
	c.Request, c.Buttons = f.Request, []card.Button{b}
	return c
}

// tell shows a card to one person alone: through the response URL, else in the
// channel, else in a direct message.
func (h *Handler) tell(ctx context.Context, to asked, c card.Card) {
	m := h.client.drawing().message(c)
	err := h.client.respond(ctx, to.responseURL, m)
	if err != nil && !pim.IsKind(err, pim.AnswerLost) {
		err = h.client.whisper(ctx, to.channel, to.from.Account.User, m)
	}
	if err != nil && !pim.IsKind(err, pim.AnswerLost) {
		err = h.direct(ctx, to.from, c)
	}
	if err != nil {
		e := pim.Explain(err)
		h.cfg.Count(Undelivered)
		h.cfg.Logger.Warn("an answer was not delivered", "chat", string(pim.Slack), "request", string(c.Request), "kind", string(e.Kind), "code", e.Code)
	}
}

// direct posts an answer as a direct message. Others disappear by themselves;
// this one stays, so one about a request becomes one of the request's cards.
// Where it holds a sign-in link it does not: the card would take the link away.
func (h *Handler) direct(ctx context.Context, from workflow.Sender, c card.Card) error {
	ref, err := h.client.Post(ctx, pim.DirectTo(from.Account), c)
	if err != nil || c.Request == "" || slices.ContainsFunc(c.Buttons, func(b card.Button) bool { return b.Act.Leads() }) {
		return err
	}
	h.cfg.Service.Click(ctx, from, workflow.Click{Act: card.Refresh, Request: c.Request, Ref: ref})
	return nil
}

// respond posts to a response URL.
func (c *Client) respond(ctx context.Context, address string, m message) error {
	if !c.answersAt(address) {
		return pim.Errorf(pim.NotFound, "There is no address of Slack's to answer at.")
	}
	no := false
	err := slack.PostWebhookCustomHTTPContext(ctx, address, c.hooks, &slack.WebhookMessage{
		Text: m.text, Blocks: &slack.Blocks{BlockSet: m.blocks}, ResponseType: slack.ResponseTypeEphemeral,
		UnfurlLinks: &no, UnfurlMedia: &no,
	})
	return fault("response_url", err)
}

// answersAt reports whether an address is one of Slack's for answers. slack-go
// posts to any address it is given.
func (c *Client) answersAt(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.User != nil || u.Host == "" {
		return false
	}
	if c.cfg.Sandbox && u.Scheme == c.base.Scheme && u.Host == c.base.Host {
		return true
	}
	return u.Scheme == "https" && u.Host == "hooks."+c.base.Host && c.base.Scheme == "https"
}

// Whisper shows a card to one account alone, in a channel that it and the bot are in.
func (c *Client) Whisper(ctx context.Context, at pim.Conversation, to pim.ChatAccount, what card.Card) error {
	if at.Chat != pim.Slack || at.Workspace != c.cfg.TeamID || !c.ours(to) {
		return pim.Errorf(pim.Forbidden, "That conversation is not in the Slack workspace that Elevate serves.")
	}
	return c.whisper(ctx, at.ID, to.User, c.drawing().message(what))
}

// whisper posts an ephemeral message in a channel.
// https://docs.slack.dev/reference/methods/chat.postEphemeral
func (c *Client) whisper(ctx context.Context, channel, user string, m message) error {
	if publicChannel(channel) == "" {
		return pim.Errorf(pim.NotFound, "There is no channel to answer in.")
	}
	ts, err := c.api.PostEphemeralContext(ctx, channel, user, m.options()...)
	if err != nil {
		return fault("chat.postEphemeral", err)
	}
	if ts == "" {
		return incomplete("chat.postEphemeral")
	}
	return nil
}

var channelID = regexp.MustCompile(`^[CG][A-Z0-9]{2,30}$`)

// publicChannel is a channel that others are in too, or "".
func publicChannel(id string) string {
	if !channelID.MatchString(id) {
		return ""
	}
	return id
}
