package slack

import (
	"context"

	"github.com/slack-go/slack"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/workflow"
)

var _ workflow.Homer = (*Client)(nil)

// ShowHome shows a card as an account's Home tab. Whoever may not use Elevate any
// more is shown that instead of what stood there.
func (c *Client) ShowHome(ctx context.Context, a pim.ChatAccount, what card.Card) error {
	_, err := c.Profile(ctx, a)
	if pim.IsKind(err, pim.Forbidden) && c.ours(a) {
		_ = c.publish(ctx, a.User, sentence(excuse(err))) // that the account is refused is what counts
	}
	if err != nil {
		return err
	}
	return c.publish(ctx, a.User, what)
}

// publish puts a card into the place of somebody's Home tab.
// https://docs.slack.dev/reference/methods/views.publish
func (c *Client) publish(ctx context.Context, user string, what card.Card) error {
	d := c.drawing()
	blocks := d.blocks(what, maxViewBlocks)
	if len(blocks) == 0 {
		blocks = d.message(what).blocks
	}
	view := slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: blocks}}
	resp, err := c.api.PublishViewContext(ctx, slack.PublishViewContextRequest{UserID: user, View: view})
	if err == nil && resp.ID == "" {
		err = incomplete("views.publish")
	}
	return fault("views.publish", err)
}
