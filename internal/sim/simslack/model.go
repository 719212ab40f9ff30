package simslack

import "elevate/internal/sim/cast"

// The channels of the model scenario.
const (
	General   = "C0GENERAL"
	Approvals = "C0APPROVALS"
	OnCall    = "C0ONCALL"
	Leads     = "C0LEADS"
	Audit     = "C0AUDIT"
	Shared    = "C0SHARED" // with another organisation
)

// zones are the people who do not live in UTC.
var zones = map[string]string{"dan": "Europe/Berlin", "carol": "America/New_York"}

// ModelPeople are the people of the model scenario who are in Slack.
func ModelPeople(c *cast.Cast) []Person {
	var people []Person
	for _, p := range c.People {
		if p.Slack.UserID == "" {
			continue
		}
		member := Person{
			ID: p.Slack.UserID, Name: p.Key, RealName: p.DisplayName, Email: p.UPN, TZ: zones[p.Key], Deleted: p.Slack.Deactivated,
			Bot: p.Slack.Bot, Stranger: p.Slack.Stranger, Restricted: p.Slack.Restricted,
		}
		if p.Slack.TeamID != c.Team.ID {
			member.Team = p.Slack.TeamID
		}
		people = append(people, member)
	}
	return people
}

// ModelChannels are the channels of the model scenario. The bot is in all but the general one; whoever is no guest is in
// all; a guest is in the general and the approvals channel; people of the other organisation are in the shared one.
func ModelChannels(c *cast.Cast, bot string) []Channel {
	channels := []Channel{
		{ID: General, Name: "general"},
		{ID: Approvals, Name: "approvals", Members: []string{bot}},
		{ID: OnCall, Name: "on-call", Members: []string{bot}},
		{ID: Leads, Name: "leads", Members: []string{bot}},
		{ID: Audit, Name: "audit", Members: []string{bot}},
		{ID: Shared, Name: "with-fabrikam", Members: []string{bot}, ExtShared: true},
	}
	for i := range channels {
		for _, p := range ModelPeople(c) {
			if belongs(p, channels[i]) {
				channels[i].Members = append(channels[i].Members, p.ID)
			}
		}
	}
	return channels
}

func belongs(p Person, c Channel) bool {
	switch {
	case p.Deleted || p.Bot:
		return false
	case p.Stranger:
		return c.ExtShared
	case p.guest():
		return c.ID == General || c.ID == Approvals
	}
	return true
}

// ModelApp is the bot's registration in the model workspace, without its addresses.
func ModelApp() App {
	return App{ //nolint:gosec // made-up secrets, good for nothing outside
		ID: "A0ELEVATE0", Name: "elevate", BotUser: "U0ELEVATE0", BotID: "B0ELEVATE0",
		SigningSecret: "sandbox-slack-signing-secret", BotToken: "sandbox-xoxb-elevate", AppToken: "sandbox-xapp-elevate",
		ClientID: "100000000001.200000000002", ClientSecret: "sandbox-slack-client-secret",
		BotScopes: []string{"commands", "chat:write", "im:write", "users:read", "channels:read", "groups:read", "im:read", "team:read"},
		Commands:  []string{"/elevate"},
	}
}
