package sim

import (
	"time"

	"elevate/internal/sim/cast"
	"elevate/internal/sim/simpagerduty"
	"elevate/internal/sim/simslack"
	"elevate/internal/sim/simteams"
)

// Settings are the plain values of the bot's settings that fit the sandbox, secrets included.
type Settings struct {
	Listen      string            `json:"listen"`
	ListenAdmin string            `json:"listen_admin"`
	PublicURL   string            `json:"public_url"`
	Clock       string            `json:"clock"`       // where the world tells its time
	Ping        string            `json:"ping"`        // where the dead man's switch is
	AuditPlace  string            `json:"audit_place"` // a Slack channel for the audit anchor
	Readers     []string          `json:"readers"`
	Entra       EntraSettings     `json:"entra"`
	Slack       SlackSettings     `json:"slack"`
	Teams       TeamsSettings     `json:"teams"`
	PagerDuty   PagerDutySettings `json:"pagerduty"`
	Roles       []Role            `json:"roles"`
	Groups      []Group           `json:"groups"` // what the roles name and the tenant does not have yet
}

// Group is a people's or an approvers' group that is to be made.
type Group struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Members     []string `json:"members"` // user principal names
}

// EntraSettings are those of the tenant.
type EntraSettings struct {
	TenantID     string `json:"tenant_id"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	Authority    string `json:"authority"`
	Graph        string `json:"graph"`
	AdminClient  string `json:"admin_client"` // tenant.client_id
}

// SlackSettings are those of the workspace. AppToken is empty unless Slack uses Socket Mode.
type SlackSettings struct {
	SigningSecret string `json:"signing_secret"`
	BotToken      string `json:"bot_token"`
	AppToken      string `json:"app_token"`
	ClientID      string `json:"client_id"`
	ClientSecret  string `json:"client_secret"`
	TeamID        string `json:"team_id"`
	API           string `json:"api"`
	Issuer        string `json:"issuer"` // of Sign in with Slack
}

// TeamsSettings are those of the bot in Teams; empty where it is not there.
type TeamsSettings struct {
	AppID          string `json:"app_id"`
	TenantID       string `json:"tenant_id"`
	ClientSecret   string `json:"client_secret"`
	OpenIDMetadata string `json:"openid_metadata"`
	ServiceURL     string `json:"service_url"`
}

// PagerDutySettings are those of the on-call schedule.
type PagerDutySettings struct {
	Token    string `json:"token"`
	Schedule string `json:"schedule"`
	API      string `json:"api"`
}

// Role is a governed group of the model scenario.
type Role struct {
	Name          string        `json:"name"`
	Title         string        `json:"title"`
	Gives         string        `json:"gives"`
	Defender      string        `json:"defender"` // the role's name in the Defender portal
	Group         string        `json:"group"`
	Eligible      []string      `json:"eligible"`
	Approvers     []string      `json:"approvers"`
	Default       time.Duration `json:"default"`
	Max           time.Duration `json:"max"`
	Justification bool          `json:"justification"`
	Approval      bool          `json:"approval"`
	Ticket        string        `json:"ticket"`
	Ask           string        `json:"ask"`       // Slack channel where approvers are asked; empty: nobody is
	Direct        bool          `json:"direct"`    // and by direct message
	Notify        string        `json:"notify"`    // Slack channel of on-call
	AskTeams      string        `json:"ask_teams"` // the same in Teams
	NotifyTeams   string        `json:"notify_teams"`
}

// Settings returns what the bot has to be configured with.
func (s *Sandbox) Settings() Settings {
	slack := s.Slack.App()
	settings := Settings{
		Listen: s.BotListen, ListenAdmin: s.BotAdmin, PublicURL: s.PublicURL, Clock: s.ControlURL + clockPath, Ping: s.ControlURL + pingPath, AuditPlace: simslack.Audit, Readers: []string{cast.Auditors},
		Entra: EntraSettings{
			TenantID: s.cast.TenantID, ClientID: s.app.ClientID, ClientSecret: s.app.Secret, Authority: s.LoginURL, Graph: s.GraphURL,
			AdminClient: cast.GraphCLIClientID,
		},
		Slack: SlackSettings{
			SigningSecret: slack.SigningSecret, BotToken: slack.BotToken, ClientID: slack.ClientID, ClientSecret: slack.ClientSecret,
			TeamID: s.Slack.InstalledIn(), API: s.SlackURL + "/api/", Issuer: s.SlackURL,
		},
		Teams: TeamsSettings{
			AppID: s.bot.ClientID, TenantID: s.cast.TenantID, ClientSecret: s.bot.Secret, OpenIDMetadata: s.Teams.MetadataURL(), ServiceURL: s.Teams.GlobalURL(),
		},
		PagerDuty: PagerDutySettings{Token: simpagerduty.Token, Schedule: simpagerduty.Schedule, API: s.PagerDutyURL},
		Roles:     modelRoles(), Groups: s.missingGroups(),
	}
	if s.noTeams {
		settings.Teams = TeamsSettings{}
		for i := range settings.Roles {
			settings.Roles[i].AskTeams, settings.Roles[i].NotifyTeams = "", ""
		}
	}
	if slack.SocketMode {
		settings.Slack.AppToken = slack.AppToken
	}
	return settings
}

// modelRoles are the three tiers of the model scenario.
func modelRoles() []Role {
	approvals, onCall := simteams.ChannelID(simteams.Approvals), simteams.ChannelID(simteams.OnCall)
	return []Role{
		{
			Name: "mde-admin", Title: "MDE Administrator", Gives: "Microsoft Defender for Endpoint administrator", Defender: "Microsoft Defender for Endpoint administrator (default)", Group: cast.RoleAdministrator,
			Eligible: []string{cast.PIMAdministrator}, Approvers: []string{cast.Approvers}, Default: time.Hour, Max: 8 * time.Hour,
			Justification: true, Approval: true, Ticket: `^INC-\d+$`, Ask: simslack.Approvals, Direct: true, Notify: simslack.OnCall,
			AskTeams: approvals, NotifyTeams: onCall,
		},
		{
			Name: "mde-analyst", Title: "MDE Analyst", Gives: "Day-to-day access to Microsoft Defender", Defender: "MDE Analyst", Group: cast.RoleAnalyst,
			Eligible: []string{cast.PIMAnalyst}, Default: 4 * time.Hour, Max: 10 * time.Hour, Justification: true, Notify: simslack.OnCall,
			NotifyTeams: onCall,
		},
		{
			Name: "mde-liveresponse", Title: "MDE Live Response", Gives: "Live response on devices", Defender: "MDE Live Response", Group: cast.RoleLiveResponse,
			Eligible: []string{cast.PIMLiveResponse}, Approvers: []string{cast.Approvers}, Default: time.Hour, Max: 4 * time.Hour,
			Justification: true, Approval: true, Ask: simslack.Approvals, Direct: true, Notify: simslack.OnCall,
			AskTeams: approvals, NotifyTeams: onCall,
		},
	}
}

// missingGroups are those of the model that the tenant began without, with the people who could use them.
func (s *Sandbox) missingGroups() []Group {
	model := cast.Model()
	var out []Group
	for _, g := range model.Groups {
		if _, there := s.cast.Group(g.Name); there || g.RoleAssignable {
			continue
		}
		missing := Group{Name: g.Name, Description: g.Description}
		for _, key := range g.Members {
			if p, _ := model.Person(key); p.Enabled && p.UserType == cast.Member {
				missing.Members = append(missing.Members, p.UPN)
			}
		}
		out = append(out, missing)
	}
	return out
}
