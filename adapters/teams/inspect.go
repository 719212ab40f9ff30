package teams

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"elevate/internal/pim"
)

// Inspect says what keeps the bot from talking with Teams at all: its own token, or the keys that Teams signs with.
func (c *Client) Inspect(ctx context.Context) error {
	if _, err := c.cfg.Credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{c.connector.scope}}); err != nil {
		return err
	}
	if len(c.bearer.keys.fetch(ctx)) == 0 {
		return pim.Errorf(pim.Unavailable, "The keys that Teams signs with cannot be read where teams.openid_metadata says.")
	}
	return nil
}

// Reaches asks Teams whether the bot is in a conversation.
func (c *Client) Reaches(ctx context.Context, to pim.Conversation) error {
	r, err := c.find(ctx, to)
	if err != nil {
		return err
	}
	return c.roster(ctx, r, func(member) {})
}
