package slack

import (
	"context"
	"strings"

	"github.com/slack-go/slack"
)

// Scopes returns the scopes that the bot's token has, as Slack says them beside its answers.
func (c *Client) Scopes(ctx context.Context) ([]string, error) {
	who, err := c.api.AuthTestContext(ctx)
	if err != nil {
		return nil, read(fault("auth.test", err))
	}
	return strings.FieldsFunc(who.Header.Get("X-OAuth-Scopes"), func(r rune) bool { return r == ',' || r == ' ' }), nil
}

// Standing is what the bot is in a channel.
type Standing struct {
	Name     string
	Member   bool // without it nothing can be posted there
	Shared   bool // with another organisation
	Archived bool
}

// Channel asks Slack how the bot stands in a channel.
func (c *Client) Channel(ctx context.Context, id string) (Standing, error) {
	info, err := c.api.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: id})
	if err != nil {
		return Standing{}, read(fault("conversations.info", err))
	}
	if info == nil || info.ID != id {
		return Standing{}, read(incomplete("conversations.info"))
	}
	return Standing{Name: info.Name, Member: info.IsMember, Shared: info.IsExtShared, Archived: info.IsArchived}, nil
}
