package config_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"elevate/internal/config"
	"elevate/internal/secret"
)

// secretsOfComplete are the values behind complete.yaml's references, by environment variable.
var secretsOfComplete = map[string]string{
	"ELEVATE_KEYSET": "{keyset}", "ELEVATE_ENTRA_CLIENT_SECRET": "entra-secret", "ELEVATE_ON_CALL_PAGERDUTY_TOKEN": "pd-token",
	"ELEVATE_SLACK_SIGNING_SECRET": "signing-secret", "ELEVATE_SLACK_BOT_TOKEN": "xoxb-bot",
	"ELEVATE_SLACK_APP_TOKEN": "xapp-1", "ELEVATE_SLACK_CLIENT_SECRET": "slack-secret",
	"ELEVATE_TEAMS_CLIENT_SECRET": "teams-secret",
}

// TestEnvironmentAloneSetsEveryScalar moves every scalar of the complete example into the environment.
func TestEnvironmentAloneSetsEveryScalar(t *testing.T) {
	complete := example(t, "complete.yaml")
	var tree map[string]any
	if err := yaml.Unmarshal([]byte(complete), &tree); err != nil {
		t.Fatal(err)
	}
	w := newWorld("")
	lists := map[string]any{}
	for key, value := range tree {
		if _, list := value.([]any); list {
			lists[key] = value
			continue
		}
		moveToEnvironment(t, w.env, "ELEVATE_"+strings.ToUpper(key), value)
	}
	for name, value := range secretsOfComplete {
		if _, ok := w.env[name]; !ok {
			t.Errorf("%s does not come from the example", name)
		}
		w.env[name] = value
	}
	rest, err := yaml.Marshal(lists)
	if err != nil {
		t.Fatal(err)
	}
	w.files["elevate.yaml"] = string(rest)
	want := mustLoad(t, newWorld(complete))
	got := mustLoad(t, w)
	if diff := cmp.Diff(want, got, compare, cmpopts.IgnoreFields(config.Config{}, "KeysetFile")); diff != "" {
		t.Errorf("from the environment (-file +environment):\n%s", diff)
	}
	if got.KeysetFile != "" {
		t.Errorf("KeysetFile is %s, but the keyset came from the environment", got.KeysetFile)
	}
}

func moveToEnvironment(t *testing.T, env map[string]string, name string, value any) {
	t.Helper()
	section, ok := value.(map[string]any)
	if !ok {
		if _, taken := env[name]; taken {
			t.Errorf("two keys share %s", name)
		}
		env[name] = fmt.Sprint(value)
		return
	}
	for key, inner := range section {
		moveToEnvironment(t, env, name+"_"+strings.ToUpper(key), inner)
	}
}

func TestEnvironmentBeatsTheFile(t *testing.T) {
	w := newWorld(strings.Replace(example(t, "minimal.yaml"), "env:SLACK_BOT_TOKEN", "env:NOT_SET", 1))
	w.env["ELEVATE_SLACK_BOT_TOKEN"] = "xoxb-other"
	w.env["ELEVATE_ENTRA_SESSION"] = "2h"
	w.env["ELEVATE_LOG_LEVEL"] = ""
	got := mustLoad(t, w)
	if diff := cmp.Diff(secret.New("xoxb-other"), got.Slack.BotToken, compare); diff != "" {
		t.Errorf("bot_token: %s", diff)
	}
	if got.Entra.Session.String() != "2h0m0s" || got.Log.Level != "info" {
		t.Errorf("session %v, log.level %q", got.Entra.Session, got.Log.Level)
	}
}

func TestMistakesInTheEnvironmentNameTheVariable(t *testing.T) {
	for name, test := range map[string]struct{ variable, value, want string }{
		"bad duration": {"ELEVATE_ENTRA_SESSION", "soon", "entra.session is not a duration."},
		"bad boolean":  {"ELEVATE_SANDBOX", "yes", "sandbox must be true or false."},
		"bad GUID":     {"ELEVATE_TENANT_CLIENT_ID", "x", "tenant.client_id is not a GUID."},
		"wrong token":  {"ELEVATE_SLACK_BOT_TOKEN", "xapp-x", "slack.bot_token is not the right token: it must begin with xoxb-."},
		"foreign host": {"ELEVATE_ENTRA_GRAPH", "https://graph.example.com", "entra.graph is not an address of a known cloud."},
		"bad choice":   {"ELEVATE_LOG_FORMAT", "xml", "log.format must be json or text."},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(example(t, "minimal.yaml"))
			w.env[test.variable] = test.value
			_, err := w.load()
			if err == nil || !strings.HasPrefix(err.Error(), test.variable+": "+test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %s: %s", err, test.variable, test.want)
			}
		})
	}
}

func TestAVariableOfOursThatIsNoSettingIsAMistake(t *testing.T) {
	w := newWorld(example(t, "complete.yaml"))
	for variable, wrong := range map[string]bool{
		"ELEVATE_SLACK_BOTTOKEN=s3cr3t": true, "ELEVATE_ROLES=x": true, "ELEVATE_STATE_=/x": true, "ELEVATE_x=1": true,
		"ELEVATE_LOG_LEVEL=": false, "ELEVATE_LOGLEVEL=": false, "ELEVATE_SANDBOX_DIR=play": false, "PATH=/bin": false,
		"ELEVATE_SERVICE_HOST=10.0.0.1": false, "ELEVATE_PORT_8080_TCP_ADDR=10.0.0.1": false, "ELEVATE_SERVICE_PORT_PUBLIC=8080": false,
		"ELEVATE_TEAMS_SERVICE_URL=https://smba.trafficmanager.net/teams/": false,
	} {
		_, err := w.load(config.Environment([]string{variable}))
		switch {
		case (err != nil) != wrong:
			t.Errorf("%s: %v", variable, err)
		case wrong && (!strings.HasPrefix(err.Error(), "ELEVATE_") || !strings.Contains(err.Error(), "is no setting's") || strings.Contains(err.Error(), "s3cr3t")):
			t.Errorf("%s: %v", variable, err)
		}
	}
	_, err := w.load(config.Environment([]string{"ELEVATE_SLACK_BOTTOKEN=s3cr3t", "ELEVATE_NOTHING_LIKE_ANY=1"}))
	for _, want := range []string{"did you mean ELEVATE_SLACK_BOT_TOKEN?", "ELEVATE_NOTHING_LIKE_ANY: This variable is no setting's. Unset it. Keys"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
}
