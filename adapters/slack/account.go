package slack

import (
	"context"
	"slices"
	"time"

	"github.com/slack-go/slack"

	"elevate/internal/pim"
)

// profileLife is how long a person's standing is believed. user_change ends it earlier.
const profileLife = 5 * time.Minute

// Profile is what Slack says of a person of the workspace.
type Profile struct {
	// Name is for display only.
	Name string
	// Zone is the person's time zone, never nil.
	Zone *time.Location
	// standing is why the account may not be used, or nil.
	standing *pim.Error
}

// Account asks Slack now, and says why a chat account may not be used, or nil.
// It stands before links and decisions, for which nothing older counts. An
// account that could not be looked up may not be used either.
func (c *Client) Account(ctx context.Context, a pim.ChatAccount) error {
	_, err := c.lookUp(ctx, a)
	return err
}

// Profile returns what Slack says of an account that may be used, or said a few
// minutes ago: commands and clicks have to be answered at once.
func (c *Client) Profile(ctx context.Context, a pim.ChatAccount) (Profile, error) {
	if p, known := c.profiles.Get(a.User, c.cfg.Now()); known && c.ours(a) {
		return p.usable()
	}
	return c.lookUp(ctx, a)
}

// lookUp asks Slack about an account and remembers the answer.
func (c *Client) lookUp(ctx context.Context, a pim.ChatAccount) (Profile, error) {
	if !c.ours(a) {
		return Profile{}, pim.Errorf(pim.Forbidden, "That account is not of the Slack workspace that Elevate serves.")
	}
	user, err := c.api.GetUserInfoContext(ctx, a.User)
	if err != nil {
		return Profile{}, aboutUs(read(fault("users.info", err)))
	}
	if user == nil || user.ID != a.User {
		return Profile{}, read(incomplete("users.info"))
	}
	p := Profile{Name: displayName(user), Zone: zone(user), standing: c.standing(user)}
	c.profiles.Put(a.User, p, c.cfg.Now())
	return p.usable()
}

// aboutUs tells what Slack says of the account itself from what it says of the
// bot: only the former ends a link, and the latter would end all of them.
func aboutUs(err error) error {
	e := pim.Explain(err)
	if e.Kind != pim.Forbidden || e.Code == "user_not_found" || e.Code == "users_not_found" || e.Code == "user_disabled" {
		return err
	}
	return &pim.Error{Kind: pim.Administered, Code: e.Code, Message: sentences[pim.Administered] + " (" + e.Code + ")."}
}

func (c *Client) ours(a pim.ChatAccount) bool {
	return a.Chat == pim.Slack && a.Workspace == c.cfg.TeamID && a.User != ""
}

// usable returns the profile of an account that may be used.
func (p Profile) usable() (Profile, error) {
	if p.standing != nil {
		return Profile{}, p.standing
	}
	return p, nil
}

// Forget ends what is believed of an account, after Slack said that it changed.
func (c *Client) Forget(a pim.ChatAccount) { c.profiles.Drop(a.User) }

// standing says why this person may not use Elevate, or nil.
func (c *Client) standing(u *slack.User) *pim.Error {
	switch {
	case u.Deleted:
		return pim.Errorf(pim.Forbidden, "That Slack account is deactivated.")
	case u.IsBot || u.IsWorkflowBot || u.IsConnectorBot || u.ID == "USLACKBOT":
		return pim.Errorf(pim.Forbidden, "Bots cannot use Elevate.")
	case u.IsStranger || !c.member(u):
		return pim.Errorf(pim.Forbidden, "People of other workspaces cannot use Elevate.")
	case u.IsRestricted || u.IsUltraRestricted:
		return pim.Errorf(pim.Forbidden, "Guests of the Slack workspace cannot use Elevate.")
	case u.IsInvitedUser:
		return pim.Errorf(pim.Forbidden, "That Slack account has not been taken up yet.")
	}
	return nil
}

// member reports whether a person belongs to the workspace or organisation.
func (c *Client) member(u *slack.User) bool {
	if c.wide() {
		return u.Enterprise.EnterpriseID == c.cfg.TeamID
	}
	return u.TeamID == c.cfg.TeamID || slices.Contains(u.Enterprise.Teams, c.cfg.TeamID)
}

func displayName(u *slack.User) string {
	for _, name := range []string{u.Profile.RealName, u.RealName, u.Profile.DisplayName} {
		if name = tidy(name); name != "" {
			return name
		}
	}
	return u.ID
}

func zone(u *slack.User) *time.Location {
	if u.TZ != "" && u.TZ != "Local" {
		if at, err := time.LoadLocation(u.TZ); err == nil {
			return at
		}
	}
	return time.FixedZone("", u.TZOffset)
}
