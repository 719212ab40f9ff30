package slack

import (
	"context"
	"time"

	"github.com/slack-go/slack"

	"elevate/internal/pim"
)

// channelLife is how long it is believed that a channel is not shared with others.
const channelLife = 5 * time.Minute

// channel returns the channel to write to for a conversation.
func (c *Client) channel(ctx context.Context, to pim.Conversation) (string, error) {
	if to.Chat != pim.Slack || to.Workspace != "" && to.Workspace != c.cfg.TeamID {
		return "", pim.Errorf(pim.Forbidden, "That conversation is not in the Slack workspace that Elevate serves.")
	}
	if to.User != "" {
		return c.direct(ctx, to.User)
	}
	if to.ID == "" {
		return "", pim.Errorf(pim.NotFound, "That is no conversation in Slack.")
	}
	return to.ID, c.closed(ctx, to.ID)
}

// direct opens the direct conversation with a person. Opening it again gives
// the same one.
func (c *Client) direct(ctx context.Context, user string) (string, error) {
	if id, ok := c.directs.Get(user, c.cfg.Now()); ok {
		return id, nil
	}
	opened, _, _, err := c.api.OpenConversationContext(ctx, &slack.OpenConversationParameters{Users: []string{user}})
	if err != nil {
		return "", read(fault("conversations.open", err))
	}
	if opened == nil || opened.ID == "" {
		return "", read(incomplete("conversations.open"))
	}
	c.directs.Put(user, opened.ID, c.cfg.Now())
	return opened.ID, nil
}

// closed refuses a channel that people of other organisations see. is_shared
// would also cover sharing inside the own organisation.
func (c *Client) closed(ctx context.Context, channel string) error {
	shared, known := c.foreign.Get(channel, c.cfg.Now())
	if !known {
		info, err := c.api.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: channel})
		if err != nil {
			return read(fault("conversations.info", err))
		}
		if info == nil || info.ID != channel {
			return read(incomplete("conversations.info"))
		}
		shared = info.IsExtShared
		c.foreign.Put(channel, shared, c.cfg.Now())
	}
	if shared {
		return pim.Errorf(pim.Forbidden, "That channel is shared with other organisations, so Elevate does not write there.")
	}
	return nil
}

// forget drops what was believed of a conversation that an error contradicts.
func (c *Client) forget(to pim.Conversation, err error) {
	if e := judge(err); e.Kind == pim.NotFound || e.Kind == pim.Forbidden {
		c.directs.Drop(to.User)
		c.foreign.Drop(to.ID)
	}
}
