package slack_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	slackgo "github.com/slack-go/slack"

	"elevate/internal/card"
	"elevate/internal/pim"
)

const manifestFile = "../../manifests/slack/manifest.yaml"

// manifest is the app's manifest; a key that slack-go does not know fails.
func manifest(t *testing.T) slackgo.Manifest {
	t.Helper()
	raw, err := os.ReadFile(manifestFile)
	if err != nil {
		t.Fatal(err)
	}
	var m slackgo.Manifest
	if err := yaml.UnmarshalWithOptions(raw, &m, yaml.DisallowUnknownField()); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestSlacksTypesTakeTheManifest(t *testing.T) {
	raw, err := os.ReadFile(manifestFile)
	if err != nil {
		t.Fatal(err)
	}
	if raw, err = yaml.YAMLToJSON(raw); err != nil {
		t.Fatal(err)
	}
	npm(t, "check-manifest.mjs", json.RawMessage(raw))
}

func TestManifestIsWithinSlacksLimits(t *testing.T) {
	m := manifest(t)
	for name, row := range map[string]struct {
		text string
		most int
	}{
		"name": {m.Display.Name, 35}, "description": {m.Display.Description, 140}, "bot's name": {m.Features.BotUser.DisplayName, 80},
		"command": {m.Features.SlashCommands[0].Command, 32},
	} {
		if n := len([]rune(row.text)); n == 0 || n > row.most {
			t.Errorf("the %s %q has %d characters", name, row.text, n)
		}
	}
	if !regexp.MustCompile(`^[a-z0-9_.-]+$`).MatchString(m.Features.BotUser.DisplayName) {
		t.Errorf("the bot cannot be called %q", m.Features.BotUser.DisplayName)
	}
}

func TestManifestHasTheCommandThatTheHelpNames(t *testing.T) {
	commands := manifest(t).Features.SlashCommands
	if len(commands) != 1 {
		t.Fatalf("%d commands", len(commands))
	}
	for _, line := range card.Help(pim.Slack).Lines {
		for _, s := range line {
			if s.Code != "" && s.Code != commands[0].Command && !strings.HasPrefix(s.Code, commands[0].Command+" ") {
				t.Errorf("the help names %q, the manifest %q", s.Code, commands[0].Command)
			}
		}
	}
	if commands[0].ShouldEscape {
		t.Error("a reason does not arrive as it was typed")
	}
}

func TestManifestsAddressesAreServed(t *testing.T) {
	m, b := manifest(t), newBench(t, nil)
	addresses := []string{m.Features.SlashCommands[0].Url, m.Settings.Interactivity.RequestUrl, m.Settings.EventSubscriptions.RequestUrl}
	for _, address := range addresses {
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "https" || u.Host != "elevate.example.com" {
			t.Errorf("%q: %v", address, err)
			continue
		}
		if w := b.serve(httptest.NewRequest(http.MethodPost, u.Path, http.NoBody)); w.Code == http.StatusNotFound || w.Code == http.StatusMethodNotAllowed {
			t.Errorf("%s is answered with %d", u.Path, w.Code)
		}
	}
	slices.Sort(addresses)
	if len(slices.Compact(addresses)) != 3 {
		t.Errorf("two of %q are the same", addresses)
	}
	redirect := []string{"https://elevate.example.com" + constant(t, "../../internal/signin", "slackCallback")}
	if diff := cmp.Diff(redirect, m.OAuthConfig.RedirectUrls); diff != "" {
		t.Error(diff)
	}
}

// scopesOf are the bot scopes that slack-go's methods need, from the reference of Slack's methods.
var scopesOf = map[string][]string{
	"AuthTestContext": nil, "OpenViewContext": nil, "PublishViewContext": nil,
	"GetUserInfoContext": {"users:read"}, "GetBotInfoContext": {"users:read"},
	"PostMessageContext": {"chat:write"}, "UpdateMessageContext": {"chat:write"}, "PostEphemeralContext": {"chat:write"},
	"OpenConversationContext":    {"im:write"},
	"GetConversationInfoContext": {"channels:read", "groups:read"},
}

func TestManifestAsksForTheScopesThatAreUsed(t *testing.T) {
	used := map[string]bool{"commands": true}
	eachNode(t, ".", func(n ast.Node) {
		method, ok := n.(*ast.SelectorExpr)
		if !ok {
			return
		}
		if of, ok := method.X.(*ast.SelectorExpr); !ok || of.Sel.Name != "api" {
			return
		}
		scopes, known := scopesOf[method.Sel.Name]
		if !known {
			t.Errorf("the scopes of %s are not in this test", method.Sel.Name)
		}
		for _, s := range scopes {
			used[s] = true
		}
	})
	scopes := manifest(t).OAuthConfig.Scopes
	if diff := cmp.Diff(slices.Sorted(maps.Keys(used)), slices.Sorted(slices.Values(scopes.Bot))); diff != "" {
		t.Errorf("scopes of the bot (used, asked for): %s", diff)
	}
	if diff := cmp.Diff([]string{"openid"}, scopes.User); diff != "" {
		t.Error(diff)
	}
}

func TestManifestSubscribesToTheEventsThatAreHandled(t *testing.T) {
	handled := map[string]bool{}
	eachNode(t, ".", func(n ast.Node) {
		kinds, ok := n.(*ast.CaseClause)
		if !ok {
			return
		}
		for _, kind := range kinds.List {
			if name := eventNamed(kind); name != "" {
				handled[name] = true
			}
		}
	})
	if home := manifest(t).Features.AppHome; !home.HomeTabEnabled || !home.MessagesTabEnabled {
		t.Errorf("pages and direct messages need both tabs: %+v", home)
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(handled)), slices.Sorted(slices.Values(manifest(t).Settings.EventSubscriptions.BotEvents))); diff != "" {
		t.Errorf("events (handled, subscribed to): %s", diff)
	}
}

var capital = regexp.MustCompile(`(.)([A-Z])`)

// eventNamed is Slack's name of the event in "case *slackevents.AppHomeOpenedEvent".
func eventNamed(kind ast.Expr) string {
	star, ok := kind.(*ast.StarExpr)
	if !ok {
		return ""
	}
	of, ok := star.X.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	if from, ok := of.X.(*ast.Ident); !ok || from.Name != "slackevents" {
		return ""
	}
	return strings.ToLower(capital.ReplaceAllString(strings.TrimSuffix(of.Sel.Name, "Event"), "${1}_${2}"))
}

// eachNode walks the code of a package, without its tests.
func eachNode(t *testing.T, folder string, visit func(ast.Node)) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no code in %s: %v", folder, err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			visit(n)
			return true
		})
	}
}

// constant is a string constant of a package.
func constant(t *testing.T, folder, name string) string {
	t.Helper()
	value := ""
	eachNode(t, folder, func(n ast.Node) {
		if spec, ok := n.(*ast.ValueSpec); ok && spec.Names[0].Name == name && len(spec.Values) == 1 {
			if lit, ok := spec.Values[0].(*ast.BasicLit); ok {
				value = strings.Trim(lit.Value, `"`)
			}
		}
	})
	if value == "" {
		t.Fatalf("%s has no constant %s", folder, name)
	}
	return value
}
