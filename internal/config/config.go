// Package config reads the bot's settings: one strict YAML file, and for every scalar key an environment variable that
// beats it. The variable's name is the key's path in capitals: slack.signing_secret is ELEVATE_SLACK_SIGNING_SECRET. An
// empty variable counts as not set. Keys inside lists (readers, roles) have no variable. A variable that begins with ELEVATE_
// and is no setting's is a mistake where the whole environment is given.
//
// Secrets never stand in the file: there they are references, env:NAME or file:/path. The environment variable of a
// secret key holds the secret itself.
//
// Load says all mistakes at once, each with its line and column and what to do about it. No message repeats a value, so
// that a secret written into the wrong place does not reach a log. The package refuses unknown keys, hosts that are not
// the known clouds', and a sandbox that could reach anything but this machine. It neither opens a connection nor looks
// at the file system except through the functions it is given.
package config

import (
	"path/filepath"
	"time"

	"elevate/internal/secret"
)

// Config is everything that can be set.
type Config struct {
	// Listen is the address of the public server: host and port.
	Listen string `yaml:"listen" check:"required address"`
	// ListenAdmin is the address of health, readiness and metrics: host and port, loopback or private.
	ListenAdmin string `yaml:"listen_admin" check:"required address private"`
	// PublicURL is how Slack, Teams and browsers reach Listen, without a path and without a slash at its end.
	PublicURL string `yaml:"public_url" check:"required public"`
	// State is the absolute path of the state file.
	State string `yaml:"state" check:"required absolute"`
	// AdminSocket is the absolute path of the Unix socket for the operator's commands; by default beside the state file.
	AdminSocket string `yaml:"admin_socket" check:"absolute socket"`
	// Keyset is the content of the keyset file.
	Keyset secret.Text `yaml:"keyset" check:"required"`
	// KeysetFile is the path Keyset was read from, and empty if it came from the environment.
	KeysetFile string `yaml:"-"`
	// Audit says where events go besides the state file.
	Audit Audit `yaml:"audit"`
	// Log is about the program's own log.
	Log Log `yaml:"log"`
	// Sandbox allows loopback hosts and nothing else, and secrets that begin with "sandbox-" and no others.
	Sandbox bool `yaml:"sandbox"`
	// SandboxClock is where the sandbox tells its time, which can be moved. Empty means the machine's clock.
	SandboxClock string `yaml:"sandbox_clock" check:"sandboxclock"`
	// Entra is the tenant and the application that people sign in to.
	Entra Entra `yaml:"entra"`
	// People says when two accounts are one person.
	People People `yaml:"people"`
	// Readers are the groups, by name or object id, whose members may read everything.
	Readers []string `yaml:"readers" check:"required group"`
	// Tenant is for the commands that set up the tenant.
	Tenant Tenant `yaml:"tenant"`
	// OnCall says where to look up whom to mention.
	OnCall OnCall `yaml:"on_call"`
	// Watch says who is told that the bot lives.
	Watch Watch `yaml:"watch"`
	// Slack is nil if the bot does not serve Slack.
	Slack *Slack `yaml:"slack"`
	// Teams is nil if the bot does not serve Teams.
	Teams *Teams `yaml:"teams"`
	// Roles are the only groups the bot ever touches.
	Roles []Role `yaml:"roles"`
}

func (c *Config) setDefaults() {
	c.Listen = "127.0.0.1:8080"
	c.ListenAdmin = "127.0.0.1:9090"
	c.State = "/var/lib/elevate/elevate.db"
	c.Audit.Sink = "stdout"
	c.Log = Log{Level: "info", Format: "json"}
	c.Entra.Authority = "https://login.microsoftonline.com"
	c.Entra.Graph = "https://graph.microsoft.com"
	c.Entra.Session = 8 * time.Hour
	c.Entra.DecideWithin = time.Hour
	c.People = People{SamePerson: "none", Accounts: AccountsSame}
	// Microsoft Graph Command Line Tools, Microsoft's own public client for administrators.
	c.Tenant.ClientID = GraphCommandLine
	c.Tenant.Defender = DefenderSteps
}

// derive fills in what other settings decide if it was not set.
func (c *Config) derive() {
	if c.AdminSocket == "" && filepath.IsAbs(c.State) {
		c.AdminSocket = filepath.Join(filepath.Dir(c.State), "admin.sock")
	}
	if c.Teams != nil && c.Teams.TenantID == "" {
		c.Teams.TenantID = c.Entra.TenantID
	}
	for i := range c.Roles {
		if c.Roles[i].Title == "" {
			c.Roles[i].Title = c.Roles[i].Name
		}
	}
}

// Audit says where events go besides the state file.
type Audit struct {
	// Sink takes one JSON line per event: "stdout" or "stderr".
	Sink string `yaml:"sink" check:"required" oneof:"stdout stderr"`
	// Anchor is where the chain's head is posted every day, if anywhere.
	Anchor Place `yaml:"anchor"`
}

// Log is about the program's own log.
type Log struct {
	// Level is "debug", "info", "warn" or "error".
	Level string `yaml:"level" check:"required" oneof:"debug info warn error"`
	// Format is "json" or "text".
	Format string `yaml:"format" check:"required" oneof:"json text"`
}

// Federated names the platform that vouches for the program, so that it needs no secret of its own.
type Federated string

// The platforms that can vouch.
const (
	WorkloadIdentity Federated = "workload-identity"
	ManagedIdentity  Federated = "managed-identity"
)

// Credential is how an application proves itself to Entra. Exactly one of its fields is set.
type Credential struct {
	// ClientSecret is the application's secret.
	ClientSecret secret.Text `yaml:"client_secret"`
	// Certificate is PEM: the certificate and its private key.
	Certificate secret.Text `yaml:"certificate"`
	// Federated names the platform that vouches instead.
	Federated Federated `yaml:"federated" oneof:"workload-identity managed-identity"`
}

// Entra is the tenant and the application that people sign in to.
type Entra struct {
	// TenantID is the tenant's GUID.
	TenantID string `yaml:"tenant_id" check:"required guid"`
	// ClientID is the application's GUID.
	ClientID   string `yaml:"client_id" check:"required guid"`
	Credential `yaml:",inline"`
	// Authority is where people sign in and tokens are issued, without a path.
	Authority string `yaml:"authority" check:"required authority"`
	// Graph is Microsoft Graph's address, without a path.
	Graph string `yaml:"graph" check:"required graph"`
	// Session is how long a sign-in is kept. Zero keeps it until the effect it was opened for is done.
	Session time.Duration `yaml:"session"`
	// DecideWithin is how old an approver's sign-in may be. Zero asks for a new one for each decision.
	DecideWithin time.Duration `yaml:"decide_within"`
}

// Accounts says which accounts a chat account may act as.
type Accounts string

// What a chat account may act as.
const (
	// AccountsSame is the one account it was linked to.
	AccountsSame Accounts = "same"
	// AccountsAnyOfPerson is each account of the same person, proved in one browser.
	AccountsAnyOfPerson Accounts = "any-of-person"
)

// People says when two accounts are one person.
type People struct {
	// SamePerson is the user attribute that is equal in all accounts of one person, or "none".
	SamePerson string `yaml:"same_person" check:"required attribute"`
	// Accounts says which accounts a chat account may act as.
	Accounts Accounts `yaml:"accounts" check:"required" oneof:"same any-of-person"`
}

// GraphCommandLine is the client id of Microsoft Graph Command Line Tools, which is the same in every tenant.
const GraphCommandLine = "14d82eec-204b-4c2f-b7e8-296a70dab67e"

// Tenant is for the commands that set up the tenant.
type Tenant struct {
	// ClientID is the GUID of the public client that administrators sign in through.
	ClientID string `yaml:"client_id" check:"required guid adminclient"`
	// Defender says what is done about roles in Microsoft Defender.
	Defender Defender `yaml:"defender" check:"required" oneof:"steps beta none"`
	// Groups says more of people's and approvers' groups than their names.
	Groups []TenantGroup `yaml:"groups"`
}

// Defender says what the commands for the tenant do about roles in Microsoft Defender.
type Defender string

// What is done about Defender.
const (
	// DefenderSteps lists the steps that have no stable API.
	DefenderSteps Defender = "steps"
	// DefenderBeta also reads, through Graph's beta, which groups have a role there.
	DefenderBeta Defender = "beta"
	// DefenderNone says nothing of it.
	DefenderNone Defender = "none"
)

// TenantGroup is a people's or an approvers' group that is made where it is missing.
type TenantGroup struct {
	// Name is the group's name or object id, as the roles have it.
	Name string `yaml:"name" check:"required group"`
	// Description is given to the group when it is made.
	Description string `yaml:"description" check:"line"`
	// Members are people by object id or user principal name. If none are given, the members are left alone.
	Members []string `yaml:"members" check:"required principal"`
}

// OnCall says where to look up whom to mention. It never decides who may approve.
type OnCall struct {
	// PagerDuty is nil if nobody is looked up.
	PagerDuty *PagerDuty `yaml:"pagerduty"`
}

// PagerDuty is one schedule in PagerDuty.
type PagerDuty struct {
	// Token is a read-only API key.
	Token secret.Text `yaml:"token" check:"required"`
	// Schedule is the schedule's id.
	Schedule string `yaml:"schedule" check:"required schedule"`
	// API is the address of PagerDuty's REST API in the account's region, without a path.
	API string `yaml:"api" check:"required pagerduty"`
}

func (p *PagerDuty) setDefaults() { p.API = "https://api.pagerduty.com" }

// Watch says who is told that the bot lives.
type Watch struct {
	// Ping is called while PIM is read and the work gets done, at most once a minute, so that silence means trouble. It
	// may hold a token in its path or query, and is never logged.
	Ping string `yaml:"ping" check:"ping"`
}

// Slack is one workspace or Enterprise organisation.
type Slack struct {
	// SigningSecret signs what Slack sends over HTTP. It is not needed in Socket Mode.
	SigningSecret secret.Text `yaml:"signing_secret"`
	// BotToken is what the bot calls Slack with.
	BotToken secret.Text `yaml:"bot_token" check:"required" begins:"xoxb-"`
	// AppToken switches to Socket Mode if it is set.
	AppToken secret.Text `yaml:"app_token" begins:"xapp-"`
	// ClientID is the app's client id, for Sign in with Slack.
	ClientID string `yaml:"client_id" check:"required slackclient"`
	// ClientSecret belongs to ClientID.
	ClientSecret secret.Text `yaml:"client_secret" check:"required"`
	// TeamID is the workspace's id (T…) or the Enterprise organisation's (E…).
	TeamID string `yaml:"team_id" check:"required team"`
	// API is the address of Slack's Web API, with a slash at its end.
	API string `yaml:"api" check:"required slackapi"`
}

func (s *Slack) setDefaults() { s.API = "https://slack.com/api/" }

// SocketMode says whether Slack is reached through Socket Mode instead of HTTP.
func (s *Slack) SocketMode() bool { return !s.AppToken.IsZero() }

// Teams is the bot's registration for Microsoft Teams.
type Teams struct {
	// AppID is the GUID of the bot's own application.
	AppID string `yaml:"app_id" check:"required guid"`
	// TenantID is the GUID of the tenant, the same as Entra's.
	TenantID   string `yaml:"tenant_id" check:"required guid"`
	Credential `yaml:",inline"`
	// OpenIDMetadata is where the Bot Framework publishes the keys its tokens are signed with.
	OpenIDMetadata string `yaml:"openid_metadata" check:"required botframework"`
	// ServiceURL is the first address for proactive messages, with a slash at its end.
	ServiceURL string `yaml:"service_url" check:"required connector"`
}

func (t *Teams) setDefaults() {
	t.OpenIDMetadata = "https://login.botframework.com/v1/.well-known/openidconfiguration"
	t.ServiceURL = "https://smba.trafficmanager.net/teams/"
}
