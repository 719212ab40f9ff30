package teams_test

import (
	"encoding/json"
	"image/png"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"elevate/internal/pim"
	"elevate/internal/sim/cast"
	"elevate/internal/sim/simteams"
)

const manifestFolder = "../../manifests/teams/"

type manifest struct {
	Version string `json:"manifestVersion"`
	ID      string `json:"id"`
	Bots    []struct {
		BotID    string   `json:"botId"`
		Scopes   []string `json:"scopes"`
		Targeted bool     `json:"supportsTargetedMessages"`
		Lists    []struct {
			Scopes   []string `json:"scopes"`
			Triggers []string `json:"triggers"`
			Commands []struct {
				Title string `json:"title"`
			} `json:"commands"`
		} `json:"commandLists"`
	} `json:"bots"`
	Permissions []any `json:"permissions"`
	Web         any   `json:"webApplicationInfo"`
}

func readManifest(t *testing.T) manifest {
	t.Helper()
	raw, err := os.ReadFile(manifestFolder + "manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var m manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// Each command of the menu, as Teams types it, is one that the product has, and
// the bot asks for nothing that it does not use.
func TestTheManifestHasOnlyCommandsThatThereAre(t *testing.T) {
	t.Parallel()
	m := readManifest(t)
	if len(m.Bots) != 1 || m.Bots[0].BotID != m.ID || !m.Bots[0].Targeted || len(m.Permissions) > 0 || m.Web != nil {
		t.Errorf("%+v", m)
	}
	slash := false
	for _, list := range m.Bots[0].Lists {
		slash = slash || strings.Contains(strings.Join(list.Triggers, " "), "slash")
		for _, c := range list.Commands {
			b := newBench(t, nil)
			if w := b.send(typed(object{"text": c.Title})); w.Code != http.StatusOK {
				t.Fatalf("%s answers %d", c.Title, w.Code)
			}
			b.handler.Close()
			cmd, err := pim.ParseCommand(b.service.said[0], pim.Reading{Now: time.Now(), Zone: time.UTC})
			switch {
			case c.Title == "release": // names the role that it wants
			case err != nil || cmd.Verb == pim.VerbActivate:
				t.Errorf("%q is %q, %v", c.Title, cmd.Verb, err)
			}
		}
	}
	if !slash {
		t.Error("no command has a slash")
	}
}

// The app is offered where the code answers it, and the sandbox offers after a slash what the manifest does.
func TestTheManifestOffersTheAppWhereItAnswers(t *testing.T) {
	t.Parallel()
	m := readManifest(t)
	if got := m.Bots[0].Scopes; !slices.Equal(got, []string{"personal", "team", "groupChat"}) {
		t.Errorf("the bot is offered in %q", got)
	}
	var slash []string
	for _, list := range m.Bots[0].Lists {
		if !slices.Contains(list.Triggers, "slash") {
			continue
		}
		if slices.Contains(list.Scopes, "personal") {
			t.Errorf("Teams has no slash commands in %q", list.Scopes)
		}
		for _, c := range list.Commands {
			slash = append(slash, c.Title)
		}
	}
	if sandbox := simteams.ModelApp(cast.Model()).Commands; !slices.Equal(slash, sandbox) {
		t.Errorf("the manifest offers %q, the sandbox %q", slash, sandbox)
	}
}

func TestTheIconsHaveTheSizesThatTeamsWants(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"color.png": 192, "outline.png": 32} {
		f, err := os.Open(manifestFolder + name)
		if err != nil {
			t.Fatal(err)
		}
		picture, err := png.Decode(f)
		if err != nil {
			t.Fatal(err)
		}
		if at := picture.Bounds().Size(); at.X != size || at.Y != size {
			t.Errorf("%s is %v", name, at)
		}
		if _, _, _, alpha := picture.At(0, 0).RGBA(); name == "outline.png" && alpha != 0 {
			t.Errorf("%s is not transparent", name)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMicrosoftsSchemaTakesTheManifest(t *testing.T) {
	if os.Getenv("ELEVATE_NPM") != "1" {
		t.Skip("asks npm packages; set ELEVATE_NPM=1, with node installed and npm ci run in testdata/npm, to run it")
	}
	check := exec.CommandContext(t.Context(), "node", "check-manifest.mjs", "../../"+manifestFolder+"manifest.json")
	check.Dir = "testdata/npm"
	out, err := check.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
