package config_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"elevate/internal/config"
)

// mark stands in a row's text where the mistake has to be reported.
const mark = "§"

// mistake is one row: in the example, old becomes new, and the message must begin with want.
type mistake struct{ old, new, want string }

var mistakesOfComplete = map[string]mistake{
	// The form of the file.
	"unknown key":           {"listen: 1", "§lisen: 127.0.0.1:1\nlisten: 1", "lisen is not a setting. Known here: listen, listen_admin, public_url,"},
	"unknown key, nested":   {"  authority:", "  §athority: x\n  authority:", "entra.athority is not a setting. Known here: tenant_id, client_id, client_secret, certificate,"},
	"unknown key in a role": {"    emergency:", "    §urgent: 1\n    emergency:", "roles[0].urgent is not a setting."},
	"unknown key in flow":   {"{level: info,", "{level: info, §colour: red,", "log.colour is not a setting. Known here: level, format."},
	"key with odd letters":  {"listen: 1", "§xoxb-1: 2\nlisten: 1", "This key is not a setting."},
	"key that is a number":  {"listen: 1", "§12: 2\nlisten: 1", "This key is not a setting."},
	"key twice":             {"state: /v", "§listen: 127.0.0.1:1\nstate: /v", "listen is there twice."},
	"key without value":     {"listen: 127.0.0.1:8080", "§listen:", "listen has no value."},
	"null":                  {"session: 8h", "§session: ~", "entra.session has no value."},
	"anchor":                {"session: 8h", "session: §&x 8h", "entra.session uses a YAML anchor, alias or tag."},
	"tag":                   {"session: 8h", "session: §!!str 8h", "entra.session uses a YAML anchor, alias or tag."},
	"scalar for a section":  {"log: {level: info, format: json}", "log: §info", "log must be a section with keys of its own: level, format."},
	"section for a scalar":  {"session: 8h", "session: §{a: b}", "entra.session must be a single value."},
	"list for a scalar":     {"session: 8h", "session: §[8h]", "entra.session must be a single value."},
	"scalar for a list":     {"readers: [Security Auditors]", "readers: §Security Auditors", "readers must be a list."},
	"scalar for a role":     {"  - name: mde-analyst\n    group: 44444444-4444-4444-8444-444444444444\n    require: {approval: false}", "  - §mde-analyst", "roles[1] must be a section"},
	"boolean for a text":    {"title: MDE Administrator", "title: §true", "roles[0].title must be a text."},
	"an emergency that nobody reviews": {
		"    emergency: false\n    reviewers: [Security Leads]", "    emergency: §true\n    reviewers: []",
		"roles[0].emergency needs the setting reviewers: the groups of those who review each use afterwards, as in [Security Leads].",
	},
	"an emergency that nobody hears of": {
		"    notify: {slack: C0ONCALL, teams: '19:oncall@thread.tacv2'}\n    remind: {after: 15m, every: 1h, escalate: {after: 1h, slack: C0LEADS}}\n    emergency: false",
		"    emergency: §true", "roles[0].emergency needs the setting notify: a place that is told loudly of each use.",
	},
	"text for a boolean": {"emergency: false", "emergency: §'yes'", "roles[0].emergency must be true or false."},
	"empty list item":    {"readers: [Security Auditors]", "readers: [§'']", "readers[0] is missing."},

	// Secrets.
	"secret written out":     {"env:SLACK_BOT_TOKEN", "§xoxb-written-out", "slack.bot_token is a secret and must not stand in the file. Write env:NAME or file:/path, or set the environment variable ELEVATE_SLACK_BOT_TOKEN."},
	"secret as a number":     {"env:SLACK_BOT_TOKEN", "§12345678", "slack.bot_token is a secret and must not stand in the file."},
	"secret in small env":    {"env:SLACK_BOT_TOKEN", "§env:xoxb-written-out", "slack.bot_token does not name an environment variable."},
	"secret in a file path":  {"env:SLACK_BOT_TOKEN", "§file:xoxb-written-out", "slack.bot_token does not name a file."},
	"secret variable unset":  {"env:SLACK_BOT_TOKEN", "§env:UNSET", "slack.bot_token refers to an environment variable that is not set."},
	"secret variable empty":  {"env:SLACK_BOT_TOKEN", "§env:EMPTY", "slack.bot_token refers to an environment variable that is not set."},
	"keyset missing":         {"file:/etc/elevate/keyset.json", "§file:/etc/missing.json", "keyset refers to a file that is not there. Make it with `elevate keyset new FILE`"},
	"secret file missing":    {"env:SLACK_BOT_TOKEN", "§file:/etc/missing", "slack.bot_token refers to a file that does not exist."},
	"secret file empty":      {"env:SLACK_BOT_TOKEN", "§file:/etc/empty", "slack.bot_token refers to a file that is empty."},
	"app token as bot token": {"env:SLACK_BOT_TOKEN", "§file:/etc/elevate/slack-app-token", "slack.bot_token is not the right token: it must begin with xoxb-."},
	"bot token as app token": {"file:/etc/elevate/slack-app-token", "§env:SLACK_BOT_TOKEN", "slack.app_token is not the right token: it must begin with xapp-."},
	"no credential":          {"client_id: 22222222-2222-4222-8222-222222222222\n  client_secret: env:ENTRA_CLIENT_SECRET", "client_id: 22222222-2222-4222-8222-222222222222", "entra has no credential."},
	"two credentials":        {"client_secret: env:ENTRA_CLIENT_SECRET", "client_secret: env:ENTRA_CLIENT_SECRET\n  federated: managed-identity", "entra has 2 credentials: client_secret, federated."},
	"two credentials, Teams": {"client_secret: env:TEAMS_CLIENT_SECRET", "client_secret: env:TEAMS_CLIENT_SECRET\n  certificate: env:PD_TOKEN", "teams has 2 credentials: certificate, client_secret."},
	"unknown federation":     {"client_secret: env:ENTRA_CLIENT_SECRET", "federated: §github", "entra.federated must be workload-identity or managed-identity."},

	// Addresses and paths.
	"listen without port":      {"listen: 127.0.0.1:8080", "listen: §127.0.0.1", "listen is not an address to listen on."},
	"listen with a named port": {"listen: 127.0.0.1:8080", "listen: §127.0.0.1:http", "listen must end with a port from 1 to 65535"},
	"listen on port 0":         {"listen: 127.0.0.1:8080", "listen: §127.0.0.1:0", "listen must end with a port from 1 to 65535"},
	"admin on every interface": {"listen_admin: 127.0.0.1:9090", "listen_admin: §:9090", "listen_admin must be a loopback or private address"},
	"admin on a public one":    {"listen_admin: 127.0.0.1:9090", "listen_admin: §203.0.113.7:9090", "listen_admin must be a loopback or private address"},
	"admin on 0.0.0.0":         {"listen_admin: 127.0.0.1:9090", "listen_admin: §0.0.0.0:9090", "listen_admin must be a loopback or private address"},
	"admin equal to listen":    {"listen_admin: 127.0.0.1:9090", "listen_admin: §127.0.0.1:8080", "listen_admin is the public address too."},
	"admin inside listen":      {"listen: 127.0.0.1:8080", "listen: 0.0.0.0:9090", "listen_admin is the public address too."},
	"public over http":         {"https://elevate.example.com/", "§http://elevate.example.com", "public_url must begin with https://."},
	"public without scheme":    {"https://elevate.example.com/", "§elevate.example.com", "public_url is not an address."},
	"public with a path":       {"https://elevate.example.com/", "§https://example.com/elevate", "public_url must be an address without a path"},
	"public with a user":       {"https://elevate.example.com/", "§https://user:pass@example.com", "public_url must be an address without a user, a query and a fragment."},
	"public with a query":      {"https://elevate.example.com/", "§https://example.com/?a=b", "public_url must be an address without a user, a query and a fragment."},
	"http on loopback":         {"https://graph.microsoft.com/", "§http://127.0.0.1:1", "entra.graph must begin with https://."},
	"foreign authority":        {"https://login.microsoftonline.com", "§https://login.microsoftonline.com.example.com", "entra.authority is not an address of a known cloud. Its host must be login.microsoftonline.com, login.microsoftonline.us or"},
	"authority on a port":      {"https://login.microsoftonline.com", "§https://login.microsoftonline.com:8443", "entra.authority is not an address of a known cloud."},
	"authority with a tenant":  {"https://login.microsoftonline.com", "§https://login.microsoftonline.com/common", "entra.authority must be an address without a path"},
	"foreign Graph":            {"https://graph.microsoft.com/", "§https://graph.windows.net", "entra.graph is not an address of a known cloud."},
	"Graph of another cloud":   {"https://graph.microsoft.com/", "§https://graph.microsoft.us", "entra.graph belongs to another cloud than entra.authority. The one that goes with it is https://graph.microsoft.com."},
	"foreign Slack":            {"https://slack.com/api", "§https://slack.example.com/api", "slack.api is not an address of a known cloud."},
	"foreign metadata":         {"https://login.botframework.com", "§https://botframework.com", "teams.openid_metadata is not an address of a known cloud."},
	"foreign connector":        {"https://smba.trafficmanager.net", "§https://smba.example.net", "teams.service_url is not an address of a known cloud."},
	"connector without path":   {"service_url: https://smba.trafficmanager.net/teams", "service_url: §https://smba.trafficmanager.net", "teams.service_url must be the connector's address with its region"},
	"connector with too much":  {"service_url: https://smba.trafficmanager.net/teams", "service_url: §https://smba.trafficmanager.net/teams/v3/conversations", "teams.service_url must be the connector's address with its region"},
	"connector of a cloud":     {"https://login.botframework.com", "§https://login.botframework.azure.us", "teams.openid_metadata is of another cloud than teams.service_url."},
	"the bot is the tenant":    {"app_id: 33333333-3333-4333-8333-333333333333", "app_id: §11111111-1111-4111-8111-111111111111", "teams.app_id is that of the tenant."},
	"the bot is the app":       {"app_id: 33333333-3333-4333-8333-333333333333", "app_id: §22222222-2222-4222-8222-222222222222", "teams.app_id is that of entra.client_id."},
	"Azure CLI administers":    {"client_id: 14d82eec-204b-4c2f-b7e8-296a70dab67e", "client_id: §04b07795-8ddb-461a-bbee-02f9e1bf7b46", "tenant.client_id is the Azure CLI's client, which cannot call PIM"},
	"the bot administers":      {"client_id: 14d82eec-204b-4c2f-b7e8-296a70dab67e", "client_id: §22222222-2222-4222-8222-222222222222", "tenant.client_id is one of the bot's own registrations. Never the bot's registration"},
	"the bot of Teams, too":    {"client_id: 14d82eec-204b-4c2f-b7e8-296a70dab67e", "client_id: §33333333-3333-4333-8333-333333333333", "tenant.client_id is one of the bot's own registrations. Never the bot's registration"},
	"a member by name":         {"client_id: 14d82eec-204b-4c2f-b7e8-296a70dab67e", "client_id: 14d82eec-204b-4c2f-b7e8-296a70dab67e, groups: [{name: A, members: [§Alice Example]}]", "tenant.groups[0].members[0] is neither a user principal name nor an object id."},
	"a group listed twice":     {"client_id: 14d82eec-204b-4c2f-b7e8-296a70dab67e", "client_id: 14d82eec-204b-4c2f-b7e8-296a70dab67e, groups: [{name: A}, {name: §a}]", "tenant.groups[1].name is the same as that of tenant.groups[0]."},
	"Defender by a word":       {"client_id: 14d82eec-204b-4c2f-b7e8-296a70dab67e", "client_id: 14d82eec-204b-4c2f-b7e8-296a70dab67e, defender: §yes", "tenant.defender must be steps, beta or none."},
	"foreign PagerDuty":        {"https://api.eu.pagerduty.com", "§https://api.example.com", "on_call.pagerduty.api is not an address of a known cloud. Its host must be api.pagerduty.com or api.eu.pagerduty.com;"},
	"ping in plain":            {"https://watch.example.com", "§http://watch.example.com", "watch.ping must begin with https://."},
	"ping with a user":         {"https://watch.example.com", "§https://me:pass@watch.example.com", "watch.ping must be an address without a user and a fragment."},
	"ping nowhere":             {"https://watch.example.com/ping?of=elevate", "§watch.example.com", "watch.ping is not an address."},
	"relative state":           {"state: /var/lib/elevate/elevate.db", "state: §elevate.db", "state must be an absolute path"},
	"relative socket":          {"admin_socket: /var/lib/elevate/admin.sock", "admin_socket: §admin.sock", "admin_socket must be an absolute path"},
	"long socket":              {"admin_socket: /var/lib/elevate/admin.sock", "admin_socket: §/" + strings.Repeat("x", 107), "admin_socket is longer than the 107 bytes"},
	"socket equal to state":    {"admin_socket: /var/lib/elevate/admin.sock", "admin_socket: §/var/lib/elevate/elevate.db", "admin_socket is the path of the state file."},
	"keyset beside the state":  {"file:/etc/elevate/keyset.json", "§file:/var/lib/elevate/keyset.json", "keyset lies in the folder of the state file."},
	"keyset below the state":   {"file:/etc/elevate/keyset.json", "§file:/var/lib/elevate/keys/keyset.json", "keyset lies in the folder of the state file."},

	// Ids and choices.
	"tenant not a GUID":     {"tenant_id: 11111111-1111-4111-8111-111111111111\n  client_id: 22", "tenant_id: §contoso.onmicrosoft.com\n  client_id: 22", "entra.tenant_id is not a GUID."},
	"tenant of zeros":       {"tenant_id: 11111111-1111-4111-8111-111111111111\n  client_id: 22", "tenant_id: §00000000-0000-0000-0000-000000000000\n  client_id: 22", "entra.tenant_id is a placeholder."},
	"client missing":        {"  client_id: 22222222-2222-4222-8222-222222222222\n", "", "entra.client_id is missing. Set it here or as ELEVATE_ENTRA_CLIENT_ID."},
	"Teams' other tenant":   {"  tenant_id: 11111111-1111-4111-8111-111111111111\n  client_secret: env:TEAMS", "  tenant_id: §99999999-1111-4111-8111-111111111111\n  client_secret: env:TEAMS", "teams.tenant_id differs from entra.tenant_id."},
	"team id a name":        {"T0123456789", "§contoso", "slack.team_id is not a workspace's id"},
	"Slack client a word":   {"'123.456'", "§abc", "slack.client_id is not a Slack client id."},
	"schedule a name":       {"schedule: P123", "schedule: §primary", "on_call.pagerduty.schedule is not a PagerDuty schedule's id."},
	"unknown sink":          {"sink: stdout", "sink: §syslog", "audit.sink must be stdout or stderr."},
	"unknown level":         {"level: info", "level: §trace", "log.level must be debug, info, warn or error."},
	"empty level":           {"level: info", "level: §''", "log.level is missing."},
	"unknown attribute":     {"same_person: employeeId", "same_person: §mail", "people.same_person is not an attribute that can tell a person."},
	"unknown accounts":      {"accounts: any-of-person", "accounts: §all", "people.accounts must be same or any-of-person."},
	"duration without unit": {"session: 8h", "session: §8", "entra.session is not a duration."},
	"negative duration":     {"session: 8h", "session: §-8h", "entra.session is a negative duration."},
	"group with spaces":     {"readers: [Security Auditors]", "readers: [§' Auditors']", "readers[0] must be a group's name or object id"},

	// Roles.
	"role name in capitals":     {"name: mde-admin", "name: §MDE-Admin", "roles[0].name must be 2 to 31 small letters"},
	"role name like a verb":     {"name: mde-admin", "name: §approvals", "roles[0].name is a word of the command itself."},
	"role name like a time":     {"name: mde-admin", "name: §until", "roles[0].name is a word of the command itself."},
	"role name twice":           {"name: mde-analyst", "name: §mde-admin", "roles[1].name is the same as that of roles[0]."},
	"group twice":               {"group: 44444444-4444-4444-8444-444444444444", "group: §role_mde administrator", "roles[1].group is the same as that of roles[0]."},
	"group missing":             {"    group: 44444444-4444-4444-8444-444444444444\n", "", "roles[1].group is missing. Write a value."},
	"person among the eligible": {"[PIM MDE Administrator]", "[PIM MDE Administrator, §alice@contoso.com]", "roles[0].eligible[1] names a person, and groups alone can stand here. Name a group"},
	"title too long":            {"title: MDE Administrator", "title: §" + strings.Repeat("x", 76), "roles[0].title is longer than 75 characters."},
	"title of two lines":        {"title: MDE Administrator", `title: §"a\nb"`, "roles[0].title must be one line of text."},
	"default over maximum":      {"{default: 1h, max: 8h}", "{default: §9h, max: 8h}", "roles[0].duration.default is longer than duration.max."},
	"default too short":         {"{default: 1h, max: 8h}", "{default: §4m, max: 8h}", "roles[0].duration.default is shorter than 5m"},
	"maximum too long":          {"{default: 1h, max: 8h}", "{default: 1h, max: §25h}", "roles[0].duration.max is longer than 24h"},
	"context out of range":      {"authentication_context: c1", "authentication_context: §c100", "roles[0].decide.authentication_context is not an authentication context."},
	"MFA with a context":        {"mfa: false, authentication_context: ''", "mfa: §true, authentication_context: c2", "roles[0].require.mfa does not go with require.authentication_context"},
	"ticket without a pattern":  {"require: {approval: false}", "require: {approval: false, ticket: §true}", "roles[1].require.ticket needs the setting ticket"},
	"ticket that cannot match":  {`'^INC-\d+$'`, `§'INC-(\d+'`, "roles[0].ticket is not a regular expression"},
	"ticket out of its group":   {`'^INC-\d+$'`, `§'a)(b'`, "roles[0].ticket is not a regular expression"},
	"ticket with a look-ahead":  {`'^INC-\d+$'`, `§'(?=INC)'`, "roles[0].ticket is not a regular expression"},
	"ticket too long":           {`'^INC-\d+$'`, "§'" + strings.Repeat("x", 201) + "'", "roles[0].ticket is longer than 200 characters."},
	"nobody is asked":           {"require: {approval: false}", "ask: §{direct: false}", "roles[1].ask names no place where approvers are asked."},
	"channel by name":           {"slack: C0APPROVALS", "slack: §'#approvals'", "roles[0].ask.slack is not a Slack channel's id."},
	"anchor beside cards":       {"'19:audit@thread.tacv2'", "§'19:oncall@thread.tacv2'", "audit.anchor.teams is also where cards of mde-admin stand, so that an anchor could be drawn over there."},
	"conversation abridged":     {"'19:oncall@thread.tacv2'", "§'19:…@thread.tacv2'", "roles[0].notify.teams is not a Teams conversation's id."},
	"conversation as in a link": {"'19:oncall@thread.tacv2'", "§'19%3aoncall%40thread.tacv2'", "roles[0].notify.teams is not a Teams conversation's id."},
	"conversation by name":      {"'19:oncall@thread.tacv2'", "§On-call", "roles[0].notify.teams is not a Teams conversation's id."},
	"reminder too soon":         {"after: 15m", "after: §15s", "roles[0].remind.after is shorter than a minute."},
	"reminder too late":         {"every: 1h", "every: §24h", "roles[0].remind.every must be shorter than 24h"},
	"reminders without a first": {"{after: 15m, every: 1h,", "{every: §1h,", "roles[0].remind.every needs remind.after"},
	"escalation to nobody":      {"{after: 1h, slack: C0LEADS}", "§{after: 1h}", "roles[0].remind.escalate needs both a time (after) and a place"},
	"escalation at no time":     {"{after: 1h, slack: C0LEADS}", "§{slack: C0LEADS}", "roles[0].remind.escalate needs both a time (after) and a place"},
}

func TestEachMistakeOfTheCompleteExample(t *testing.T) {
	checkMistakes(t, example(t, "complete.yaml"), mistakesOfComplete)
}

func TestEachMistakeOfTheMinimalExample(t *testing.T) {
	checkMistakes(t, example(t, "minimal.yaml"), map[string]mistake{
		"no signing secret":      {"  signing_secret: env:SLACK_SIGNING_SECRET\n", "", "slack.signing_secret is missing. Set it, or set slack.app_token for Socket Mode."},
		"no client for linking":  {"  client_id: '123.456'\n", "", "slack.client_id is missing."},
		"no public address":      {"public_url: https://elevate.example.com\n", "§", "public_url is missing."},
		"a place in Teams":       {"{direct: true}", "{teams: §'19:x@thread.tacv2'}", "roles[0].ask.teams names a place in a chat that is not set up. Add the section teams"},
		"an anchor in Teams":     {"roles:", "audit: {anchor: {teams: §'19:x@thread.tacv2'}}\nroles:", "audit.anchor.teams names a place in a chat that is not set up."},
		"half an on-call":        {"roles:", "on_call: {pagerduty: §{token: env:PD_TOKEN}}\nroles:", "on_call.pagerduty.schedule is missing."},
		"roles that are no list": {"roles:\n  - name: mde-admin\n    group: Role_MDE Administrator\n    ask: {direct: true}", "roles: §none", "roles must be a list."},
		"no roles":               {"roles:\n  - name: mde-admin\n    group: Role_MDE Administrator\n    ask: {direct: true}", "roles: §[]", "roles is empty."},
	})
}

func TestEachMistakeOfTheSandboxExample(t *testing.T) {
	checkMistakes(t, example(t, "sandbox.yaml"), map[string]mistake{
		"real secret":           {"env:SANDBOX_ENTRA_SECRET", "§env:ENTRA_CLIENT_SECRET", "entra.client_secret does not begin with sandbox-, but sandbox is true."},
		"real bot token":        {"env:SANDBOX_BOT_TOKEN", "§env:SLACK_BOT_TOKEN", "slack.bot_token does not begin with sandbox-, but sandbox is true."},
		"real credential":       {"client_secret: env:SANDBOX_ENTRA_SECRET", "federated: §managed-identity", "entra.federated is a real credential, but sandbox is true."},
		"real Graph":            {"http://127.0.0.1:18002", "§https://graph.microsoft.com", "entra.graph must be on this machine"},
		"real Slack":            {"  api: https://[::1]:18003/api/\n", "  api: §https://slack.com/api/\n", "slack.api must be on this machine"},
		"host that looks local": {"https://127.0.0.1:18001", "§https://127.0.0.1.example.com", "entra.authority must be on this machine"},
		"public listener":       {"listen: 127.0.0.1:18080", "listen: §0.0.0.0:18080", "listen must be on this machine"},
		"private admin":         {"listen_admin: 127.0.0.1:19090", "listen_admin: §10.0.0.1:19090", "listen_admin must be on this machine"},
		"another scheme":        {"http://127.0.0.1:18002", "§ftp://127.0.0.1:18002", "entra.graph must begin with https://."},
		"not a sandbox":         {"sandbox: true\n", "", "entra.authority is not an address of a known cloud."},
	})
}

// checkMistakes makes one change at a time. Where a row has no mark, the place is checked to be inside the file only.
func checkMistakes(t *testing.T, settings string, rows map[string]mistake) {
	t.Helper()
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			if strings.Count(settings, row.old) == 0 {
				t.Fatalf("the example does not hold %q", row.old)
			}
			changed := strings.Replace(settings, row.old, row.new, 1)
			place := ""
			if before, _, marked := strings.Cut(changed, mark); marked {
				place = fmt.Sprintf("elevate.yaml:%d:%d: ", strings.Count(before, "\n")+1, len(before)-strings.LastIndex(before, "\n"))
			}
			_, err := newWorld(strings.Replace(changed, mark, "", 1)).load()
			checkMistake(t, err, place, row.want)
		})
	}
}

func checkMistake(t *testing.T, err error, place, want string) {
	t.Helper()
	var found *config.Error
	if !errors.As(err, &found) {
		t.Fatalf("got %v, want %s", err, want)
	}
	for i, line := range strings.Split(err.Error(), "\n") {
		if strings.HasPrefix(line, place) && strings.HasPrefix(found.Mistakes[i].Message, want) {
			if len(found.Mistakes) > 1 && place != "" && place != "elevate.yaml:1:1: " {
				t.Errorf("one mistake gave several:\n%v", err)
			}
			return
		}
	}
	t.Errorf("got:\n%v\nwant:\n%s%s", err, place, want)
}

func TestAFileThatIsNotYAML(t *testing.T) {
	for name, test := range map[string]struct{ settings, want string }{
		"open list":        {"listen: [1", "elevate.yaml:1:9: The file is not YAML here: sequence end token ']' not found."},
		"bad indentation":  {"a: b\n  c: d", "elevate.yaml:1:4: The file is not YAML here: mapping value is not allowed in this context."},
		"a scalar":         {"xoxb-secret", "elevate.yaml:1:1: The file must hold settings"},
		"a list":           {"- a", "elevate.yaml:1:1: The file must hold settings"},
		"two documents":    {"listen: 127.0.0.1:1\n---\nstate: /x", "elevate.yaml:3:1: The file has a second document."},
		"too large a file": {strings.Repeat("#\n", 1<<20), "elevate.yaml:1:1: The file is larger than 256 KiB"},
		"brackets":         {"a: " + strings.Repeat("[", 100_000), "elevate.yaml:1:24: The brackets nest deeper"},
	} {
		_, err := newWorld(test.settings).load()
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", name, err, test.want)
		}
	}
}

func TestAllMistakesAreSaidAtOnceInTheFilesOrder(t *testing.T) {
	w := newWorld(`listen: nowhere
state: elevate.db
entra:
  tenant_id: contoso
  client_secret: entra-secret-written-out
  session: long
slack:
  bot_token: env:UNSET
  team_id: T0123456789
roles:
  - name: who
    group: g
    colour: red
    duration: {default: 1m}
    ask: {slack: general}
  - name: ok
    group: G
    require: {approval: false}
`)
	w.env["ELEVATE_LOG_LEVEL"] = "loud"
	w.env["ELEVATE_AUDIT_SINK"] = "file"
	delete(w.files, "/etc/elevate/keyset.json")
	_, err := w.load()
	var got []string
	for line := range strings.SplitSeq(fmt.Sprint(err), "\n") {
		sentence, _, _ := strings.Cut(line, ". ")
		got = append(got, strings.TrimSuffix(sentence, "."))
	}
	want := []string{
		"elevate.yaml:1:1: keyset is not set, and the file it has by default, /etc/elevate/keyset.json, does not exist",
		"elevate.yaml:1:1: public_url is missing",
		"elevate.yaml:1:9: listen is not an address to listen on",
		"elevate.yaml:2:8: state must be an absolute path, as in /var/lib/elevate/elevate.db",
		"elevate.yaml:4:3: entra.client_id is missing",
		"elevate.yaml:4:14: entra.tenant_id is not a GUID",
		"elevate.yaml:5:18: entra.client_secret is a secret and must not stand in the file",
		"elevate.yaml:6:12: entra.session is not a duration",
		"elevate.yaml:8:3: slack.client_id is missing",
		"elevate.yaml:8:3: slack.client_secret is missing",
		"elevate.yaml:8:3: slack.signing_secret is missing",
		"elevate.yaml:8:14: slack.bot_token refers to an environment variable that is not set",
		"elevate.yaml:11:11: roles[0].name is a word of the command itself",
		"elevate.yaml:13:5: roles[0].colour is not a setting",
		"elevate.yaml:14:25: roles[0].duration.default is shorter than 5m, the shortest that PIM takes",
		"elevate.yaml:15:18: roles[0].ask.slack is not a Slack channel's id",
		"elevate.yaml:17:12: roles[1].group is the same as that of roles[0]",
		"ELEVATE_AUDIT_SINK: audit.sink must be stdout or stderr",
		"ELEVATE_LOG_LEVEL: log.level must be debug, info, warn or error",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
