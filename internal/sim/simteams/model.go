package simteams

import (
	"slices"

	"elevate/internal/sim/cast"
)

// The channels and the chat of the model scenario, by their names.
const (
	General   = "general"
	Approvals = "approvals"
	OnCall    = "on-call"
	Leads     = "leads"
	Audit     = "audit"
	WarRoom   = "war-room" // private: bots cannot be in it
	Incident  = "incident" // a group chat, with people from outside
)

// ChannelID is the id of a channel of the model scenario.
func ChannelID(name string) string { return ThreadID(name, "thread.tacv2") }

// ChatID is the id of a group chat of the model scenario.
func ChatID(name string) string { return ThreadID(name, "thread.v2") }

// zones are the people who do not live in UTC.
var zones = map[string]string{"dan": "Europe/Berlin", "carol": "America/New_York"}

// withoutApp are the people of the tenant who have not added the app to their chats.
var withoutApp = map[string]bool{"erin": true, "nils": true}

// ModelApp is the bot's registration and manifest, without its endpoint.
func ModelApp(c *cast.Cast) App {
	bot, _ := c.App(cast.AppBot)
	return App{ID: bot.ClientID, Name: "Elevate", Commands: []string{"elevate", "roles", "status", "approvals", "who", "release", "help"}}
}

// ModelTeam is the team of the model scenario.
func ModelTeam() Team {
	return Team{ID: ChannelID(General), Name: "Security Operations", GroupID: cast.Derived("7ea30000", 1)}
}

// ModelPeople are the people of the model scenario as Teams has them: the tenant's, its guest, somebody of another
// tenant, somebody without any account, and somebody who has left.
func ModelPeople(c *cast.Cast) []Person {
	var people []Person
	for _, p := range c.People {
		member := Person{Key: p.Key, Name: p.DisplayName, ObjectID: p.ObjectID, UPN: p.UPN, TZ: zones[p.Key], Left: p.Slack.Deactivated}
		switch {
		case p.Slack.Bot:
			continue
		case p.UserType == cast.Guest:
			member.Role = RoleGuest
		case p.Anonymous:
			member.Role, member.UPN = RoleAnonymous, ""
		case p.Slack.Stranger:
			member.Tenant, member.ObjectID, member.UPN = c.OtherTenantID, cast.Derived("fab81ca0", 101), p.Key+"@fabrikam.example"
		}
		people = append(people, member)
	}
	return people
}

// ModelConversations are the channels of the team, a group chat, and the personal chats of those who have the app.
func ModelConversations(c *cast.Cast, app App) []Conversation {
	var insiders, guests, all []string
	s := &Server{cfg: Config{App: app}}
	var list []Conversation
	for _, p := range ModelPeople(c) {
		all = append(all, p.Key)
		switch {
		case p.Tenant != "" || p.Role == RoleAnonymous:
			continue
		case p.Role == RoleGuest:
			guests = append(guests, p.Key)
			continue
		}
		insiders = append(insiders, p.Key)
		if !withoutApp[p.Key] {
			list = append(list, Conversation{ID: s.personalID(&p), Kind: Personal, With: p.Key, Members: []string{p.Key}, Installed: true})
		}
	}
	for _, name := range []string{General, Approvals, OnCall, Leads, Audit} {
		list = append(list, Conversation{ID: ChannelID(name), Name: name, Kind: Channel, Members: append(slices.Clip(insiders), guests...), Installed: true})
	}
	return append(list,
		Conversation{ID: ChannelID(WarRoom), Name: WarRoom, Kind: Channel, Members: insiders, Private: true},
		Conversation{ID: ChatID(Incident), Name: Incident, Kind: GroupChat, Members: all, Installed: true},
	)
}
