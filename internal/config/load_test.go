package config_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"elevate/internal/config"
	"elevate/internal/pim"
	"elevate/internal/secret"
)

const (
	tenant = "11111111-1111-4111-8111-111111111111"
	client = "22222222-2222-4222-8222-222222222222"
)

// world is the environment and the files that Load sees.
type world struct {
	env   map[string]string
	files map[string]string
}

func newWorld(settings string) world {
	return world{
		env: map[string]string{
			"ENTRA_CLIENT_SECRET": "entra-secret", "PD_TOKEN": "pd-token", "SLACK_SIGNING_SECRET": "signing-secret",
			"SLACK_BOT_TOKEN": "xoxb-bot", "SLACK_CLIENT_SECRET": "slack-secret", "TEAMS_CLIENT_SECRET": "teams-secret",
			"SANDBOX_ENTRA_SECRET": "sandbox-entra", "SANDBOX_SIGNING_SECRET": "sandbox-signing",
			"SANDBOX_BOT_TOKEN": "sandbox-xoxb", "SANDBOX_CLIENT_SECRET": "sandbox-slack", "EMPTY": "",
		},
		files: map[string]string{
			"elevate.yaml": settings, "/etc/elevate/keyset.json": "{keyset}\n", "/etc/elevate/slack-app-token": "xapp-1\r\n",
			"/tmp/sandbox/keyset.json": "{keyset}", "/var/lib/elevate/keyset.json": "{keyset}",
			"/var/lib/elevate/keys/keyset.json": "{keyset}", "/etc/empty": "\n",
		},
	}
}

func (w world) load(options ...config.Option) (*config.Config, error) {
	env := func(name string) (string, bool) {
		value, ok := w.env[name]
		return value, ok
	}
	readFile := func(path string) ([]byte, error) {
		content, ok := w.files[path]
		if !ok {
			return nil, fs.ErrNotExist
		}
		return []byte(content), nil
	}
	return config.Load("elevate.yaml", env, readFile, options...)
}

func example(tb testing.TB, name string) string {
	tb.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return string(content)
}

func mustLoad(t *testing.T, w world) *config.Config {
	t.Helper()
	c, err := w.load()
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return c
}

// compare looks into secrets and patterns.
var compare = cmp.Options{
	cmp.Comparer(func(a, b secret.Text) bool { return a.Reveal() == b.Reveal() }),
	cmp.Comparer(func(a, b *pim.TicketPattern) bool { return a.String() == b.String() }),
	cmpopts.EquateEmpty(),
}

func TestCompleteExampleLoads(t *testing.T) {
	got := mustLoad(t, newWorld(example(t, "complete.yaml")))
	want := &config.Config{
		Listen: "127.0.0.1:8080", ListenAdmin: "127.0.0.1:9090", PublicURL: "https://elevate.example.com",
		State: "/var/lib/elevate/elevate.db", AdminSocket: "/var/lib/elevate/admin.sock",
		Keyset: secret.New("{keyset}"), KeysetFile: "/etc/elevate/keyset.json",
		Audit: config.Audit{Sink: "stdout", Anchor: config.Place{Slack: "C0AUDIT", Teams: "19:audit@thread.tacv2"}},
		Log:   config.Log{Level: "info", Format: "json"},
		Entra: config.Entra{
			TenantID: tenant, ClientID: client, Credential: config.Credential{ClientSecret: secret.New("entra-secret")},
			Authority: "https://login.microsoftonline.com", Graph: "https://graph.microsoft.com",
			Session: 8 * time.Hour, DecideWithin: 90 * time.Minute,
		},
		People:  config.People{SamePerson: "employeeId", Accounts: config.AccountsAnyOfPerson},
		Readers: []string{"Security Auditors"}, Tenant: config.Tenant{ClientID: config.GraphCommandLine, Defender: config.DefenderSteps},
		Watch: config.Watch{Ping: "https://watch.example.com/ping?of=elevate"},
		OnCall: config.OnCall{PagerDuty: &config.PagerDuty{
			Token: secret.New("pd-token"), Schedule: "P123", API: "https://api.eu.pagerduty.com",
		}},
		Slack: &config.Slack{
			SigningSecret: secret.New("signing-secret"), BotToken: secret.New("xoxb-bot"), AppToken: secret.New("xapp-1"),
			ClientID: "123.456", ClientSecret: secret.New("slack-secret"), TeamID: "T0123456789", API: "https://slack.com/api/",
		},
		Teams: &config.Teams{
			AppID: "33333333-3333-4333-8333-333333333333", TenantID: tenant,
			Credential:     config.Credential{ClientSecret: secret.New("teams-secret")},
			OpenIDMetadata: "https://login.botframework.com/v1/.well-known/openidconfiguration",
			ServiceURL:     "https://smba.trafficmanager.net/teams/",
		},
		Roles: []config.Role{adminRole(), {
			Name: "mde-analyst", Title: "mde-analyst", Group: "44444444-4444-4444-8444-444444444444",
			Duration: config.RoleDuration{Default: time.Hour, Max: 8 * time.Hour},
			Require:  config.Require{Justification: true}, Mail: config.MailKeep,
		}},
	}
	if diff := cmp.Diff(want, got, compare); diff != "" {
		t.Errorf("loaded (-want +got):\n%s", diff)
	}
}

func adminRole() config.Role {
	return config.Role{
		Name: "mde-admin", Title: "MDE Administrator", Gives: "Microsoft Defender for Endpoint administrator",
		Group: "Role_MDE Administrator", Eligible: []string{"PIM MDE Administrator"}, Approvers: []string{"PIM MDE Approvers"},
		Duration: config.RoleDuration{Default: time.Hour, Max: 8 * time.Hour},
		Require:  config.Require{Justification: true, Approval: true}, Mail: config.MailKeep,
		Decide: config.Decide{AuthenticationContext: "c1"},
		Ticket: pim.MustTicketPattern(`^INC-\d+$`),
		Ask:    config.Ask{Place: config.Place{Slack: "C0APPROVALS", Teams: "19:approvals@thread.tacv2"}, Direct: true},
		Notify: config.Place{Slack: "C0ONCALL", Teams: "19:oncall@thread.tacv2"},
		Remind: config.Remind{
			After: 15 * time.Minute, Every: time.Hour,
			Escalate: config.Escalate{After: time.Hour, Place: config.Place{Slack: "C0LEADS"}},
		},
		Reviewers: []string{"Security Leads"},
	}
}

func TestWhatIsNotSetHasTheDesignsDefaults(t *testing.T) {
	got := mustLoad(t, newWorld(example(t, "minimal.yaml")))
	want := mustLoad(t, newWorld(example(t, "minimal.yaml")+`
listen: 127.0.0.1:8080
listen_admin: 127.0.0.1:9090
state: /var/lib/elevate/elevate.db
admin_socket: /var/lib/elevate/admin.sock
keyset: file:/etc/elevate/keyset.json
audit: {sink: stdout}
log: {level: info, format: json}
sandbox: false
people: {same_person: none, accounts: same}
readers: []
tenant: {client_id: 14d82eec-204b-4c2f-b7e8-296a70dab67e}
on_call: {}
`))
	if diff := cmp.Diff(want, got, compare); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
	if got.Entra.Session != 8*time.Hour || got.Entra.DecideWithin != time.Hour || got.Slack.API != "https://slack.com/api/" {
		t.Errorf("defaults of sections: %v, %v, %s", got.Entra.Session, got.Entra.DecideWithin, got.Slack.API)
	}
	if got.Slack.SocketMode() {
		t.Error("Socket Mode without an app token")
	}
}

func TestAdminSocketLiesBesideTheState(t *testing.T) {
	got := mustLoad(t, newWorld("state: /srv/elevate/state.db\n"+example(t, "minimal.yaml")))
	if want := "/srv/elevate/admin.sock"; got.AdminSocket != want {
		t.Errorf("admin_socket is %s, want %s", got.AdminSocket, want)
	}
}

func TestZeroDurationsAreTaken(t *testing.T) {
	settings := strings.Replace(example(t, "minimal.yaml"), "entra:\n", "entra:\n  session: 0\n  decide_within: 0s\n", 1)
	got := mustLoad(t, newWorld(settings))
	if got.Entra.Session != 0 || got.Entra.DecideWithin != 0 {
		t.Errorf("session %v, decide_within %v, want 0", got.Entra.Session, got.Entra.DecideWithin)
	}
}

func TestTicketMatchesWhole(t *testing.T) {
	ticket := mustLoad(t, newWorld(strings.Replace(example(t, "complete.yaml"), `'^INC-\d+$'`, `'INC-\d+|CHG\d'`, 1))).Roles[0].Ticket
	for word, want := range map[string]bool{"INC-1": true, "CHG2": true, "INC-1x": false, "xCHG2": false, "INC-": false} {
		if ticket.Matches(word) != want {
			t.Errorf("%s: match is %v", word, !want)
		}
	}
}

func TestSandboxExampleLoads(t *testing.T) {
	got := mustLoad(t, newWorld(example(t, "sandbox.yaml")))
	if !got.Sandbox || got.Entra.Graph != "http://127.0.0.1:18002" || got.Slack.API != "https://[::1]:18003/api/" {
		t.Errorf("loaded %+v", got)
	}
}

func TestGovernmentCloudLoads(t *testing.T) {
	settings := strings.NewReplacer("login.microsoftonline.com", "login.microsoftonline.us",
		"graph.microsoft.com", "dod-graph.microsoft.us", "smba.trafficmanager.net", "smba.infra.dod.teams.microsoft.us",
		"login.botframework.com", "login.botframework.azure.us").Replace(example(t, "complete.yaml"))
	if got := mustLoad(t, newWorld(settings)); got.Entra.Graph != "https://dod-graph.microsoft.us" {
		t.Errorf("graph is %s", got.Entra.Graph)
	}
}

func TestOtherCredentialsLoad(t *testing.T) {
	for _, credential := range []string{
		"certificate: file:/etc/elevate/slack-app-token", "federated: workload-identity", "federated: managed-identity",
	} {
		mustLoad(t, newWorld(strings.Replace(example(t, "minimal.yaml"), "client_secret: env:ENTRA_CLIENT_SECRET", credential, 1)))
	}
}

func TestTeamsAloneLoads(t *testing.T) {
	before, after, _ := strings.Cut(example(t, "minimal.yaml"), "slack:\n")
	_, roles, _ := strings.Cut(after, "roles:\n")
	settings := before + "teams:\n  app_id: 33333333-3333-4333-8333-333333333333\n  client_secret: env:TEAMS_CLIENT_SECRET\nroles:\n" + roles
	got := mustLoad(t, newWorld(settings))
	if got.Slack != nil || got.Teams.TenantID != tenant {
		t.Errorf("slack %v, teams.tenant_id %s", got.Slack, got.Teams.TenantID)
	}
}

func TestSocketModeNeedsNoSigningSecret(t *testing.T) {
	settings := strings.Replace(example(t, "minimal.yaml"),
		"signing_secret: env:SLACK_SIGNING_SECRET", "app_token: file:/etc/elevate/slack-app-token", 1)
	if got := mustLoad(t, newWorld(settings)); !got.Slack.SocketMode() {
		t.Error("an app token did not switch to Socket Mode")
	}
}

func TestAFileThatCannotBeReadIsNotAMistakeInIt(t *testing.T) {
	_, err := config.Load("elevate.yaml", os.LookupEnv, func(string) ([]byte, error) { return nil, fs.ErrPermission })
	var mistakes *config.Error
	if !errors.Is(err, fs.ErrPermission) || errors.As(err, &mistakes) {
		t.Errorf("got %v", err)
	}
}

func TestTheKeysetIsTheOnlySecretThatAnOperatorsCommandNeeds(t *testing.T) {
	w := newWorld(example(t, "complete.yaml"))
	w.env = nil
	delete(w.files, "/etc/elevate/slack-app-token")
	if _, err := w.load(); err == nil {
		t.Error("serve starts without its secrets")
	}
	got, err := w.load(config.KeysetOnly())
	if err != nil {
		t.Fatal(err)
	}
	if got.Keyset.Reveal() != "{keyset}" || got.KeysetFile == "" || !got.Slack.BotToken.IsZero() || !got.Entra.ClientSecret.IsZero() {
		t.Errorf("read %+v", got)
	}
	// Secrets that the bot's environment alone holds are not named in the file at all.
	bare := strings.Replace(example(t, "minimal.yaml"), "  client_secret: env:ENTRA_CLIENT_SECRET\n", "", 1)
	w.files["elevate.yaml"] = strings.NewReplacer("  signing_secret: env:SLACK_SIGNING_SECRET\n", "", "  bot_token: env:SLACK_BOT_TOKEN\n", "").Replace(bare)
	if _, err := w.load(config.KeysetOnly()); err != nil {
		t.Error(err)
	}
}

func TestWithTheKeysetAloneOtherMistakesAreStillSaid(t *testing.T) {
	for name, row := range map[string]struct{ old, new, want string }{
		"a secret written out": {"env:SLACK_BOT_TOKEN", "xoxb-1", "slack.bot_token is a secret and must not stand in the file."},
		"two credentials":      {"client_secret: env:ENTRA_CLIENT_SECRET", "client_secret: env:X\n  certificate: env:Y", "entra has 2 credentials: certificate, client_secret."},
		"an unknown key":       {"slack:\n", "slack:\n  colour: red\n", "slack.colour is not a setting."},
		"no keyset":            {"entra:\n", "keyset: env:NOTHING\nentra:\n", "keyset refers to an environment variable that is not set."},
	} {
		w := newWorld(strings.Replace(example(t, "minimal.yaml"), row.old, row.new, 1))
		if _, err := w.load(config.KeysetOnly()); err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestAKeysetThatThisUserMayNotReadIsNotSaidToBeMissing(t *testing.T) {
	w := newWorld(example(t, "minimal.yaml"))
	readFile := func(path string) ([]byte, error) {
		if content, ok := w.files[path]; ok && path == "elevate.yaml" {
			return []byte(content), nil
		}
		return nil, fs.ErrPermission
	}
	_, err := config.Load("elevate.yaml", func(string) (string, bool) { return "", false }, readFile, config.KeysetOnly())
	if err == nil || !strings.Contains(err.Error(), "keyset refers to a file that may not be read by this user.") {
		t.Errorf("got %v", err)
	}
}
