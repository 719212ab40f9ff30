package config_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// planted is a secret that somebody wrote where it does not belong.
const planted = "s3cr3t-PLANTED-0x"

// mustStayHidden loads the settings and looks for the planted secret in all that comes out.
func mustStayHidden(fail func(string, ...any), w world) {
	c, err := w.load()
	if err != nil {
		if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), planted) {
			fail("the error holds the secret: %v", err)
		}
		return
	}
	for _, text := range []string{c.Entra.ClientSecret.Reveal(), c.Slack.SigningSecret.Reveal()} {
		if text != "" && strings.Contains(fmt.Sprintf("%v %+v %#v", c, c, c), text) {
			fail("the settings print a secret")
		}
	}
}

// FuzzLoad takes any file.
func FuzzLoad(f *testing.F) {
	for _, seed := range []string{"complete.yaml", "minimal.yaml", "sandbox.yaml"} {
		f.Add(example(f, seed))
	}
	f.Add("a: &a [*a, *a]\n? {b: c}\n: !!binary x\n<<: *a")
	f.Add("roles:\n  - {name: " + planted + ", duration: {default: 1e309}}")
	f.Add("slack: {bot_token: " + planted + "}\n" + planted + ": [")
	f.Fuzz(func(t *testing.T, settings string) {
		mustStayHidden(t.Errorf, newWorld(settings))
	})
}

// TestASecretInTheWrongPlaceIsNotPrinted puts one in place of any value or key of the complete example, whole or broken.
func TestASecretInTheWrongPlaceIsNotPrinted(t *testing.T) {
	words := strings.SplitAfter(example(t, "complete.yaml"), " ")
	rapid.Check(t, func(t *rapid.T) {
		changed := append([]string(nil), words...)
		for range rapid.IntRange(1, 3).Draw(t, "times") {
			where := rapid.IntRange(0, len(changed)-1).Draw(t, "where")
			form := rapid.SampledFrom([]string{"%s ", "%s\n", "'%s' ", "%s: ", "{%s ", "env:%s ", "file:%s ", "[%s] ", `"%s`}).Draw(t, "form")
			changed[where] = fmt.Sprintf(form, planted)
		}
		mustStayHidden(t.Fatalf, newWorld(strings.Join(changed, "")))
	})
}

// TestASecretInAnyVariableIsNotPrinted puts one into any environment variable of ours.
func TestASecretInAnyVariableIsNotPrinted(t *testing.T) {
	names := []string{
		"LISTEN", "LISTEN_ADMIN", "PUBLIC_URL", "STATE", "SANDBOX", "LOG_LEVEL", "ENTRA_TENANT_ID", "ENTRA_GRAPH",
		"ENTRA_SESSION", "SLACK_BOT_TOKEN", "SLACK_TEAM_ID", "TEAMS_SERVICE_URL", "PEOPLE_ACCOUNTS", "AUDIT_ANCHOR_SLACK",
	}
	for _, name := range names {
		w := newWorld(example(t, "complete.yaml"))
		w.env["ELEVATE_"+name] = planted
		mustStayHidden(t.Errorf, w)
		if _, err := w.load(); err == nil {
			t.Errorf("%s: the secret was taken as a value", name)
		}
	}
}
