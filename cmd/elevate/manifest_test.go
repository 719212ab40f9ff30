package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"elevate/internal/config"
	"elevate/manifests"
)

// unpacked is what a zip holds, by name.
func unpacked(t *testing.T, packed []byte) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func teamsPackageOf(t *testing.T, appID, publicURL string) map[string][]byte {
	t.Helper()
	var packed bytes.Buffer
	if err := teamsPackage(&config.Config{PublicURL: publicURL, Teams: &config.Teams{AppID: appID}}, manifestFlags{}, &packed); err != nil {
		t.Fatal(err)
	}
	return unpacked(t, packed.Bytes())
}

func TestTheTeamsPackageNamesItsInstallation(t *testing.T) {
	t.Parallel()
	const appID = "6a1f0f5c-1111-4222-8333-44445555666A"
	files := teamsPackageOf(t, appID, "https://bot.example.org:8443")
	var m struct {
		ID        string
		Developer struct{ WebsiteURL string }
		Bots      []struct{ BotID string }
		Domains   []string `json:"validDomains"`
	}
	if err := json.Unmarshal(files["manifest.json"], &m); err != nil {
		t.Fatal(err)
	}
	id := strings.ToLower(appID)
	if len(files) != 3 || m.ID != id || len(m.Bots) != 1 || m.Bots[0].BotID != id || m.Developer.WebsiteURL != "https://bot.example.org:8443/" {
		t.Errorf("%d files, %+v", len(files), m)
	}
	if !slices.Equal(m.Domains, []string{"bot.example.org"}) || strings.Contains(string(files["manifest.json"]), exampleHost) {
		t.Errorf("domains %q in\n%s", m.Domains, files["manifest.json"])
	}
	for _, icon := range []string{"color.png", "outline.png"} {
		if drawn, err := manifests.Files.ReadFile("teams/" + icon); err != nil || !bytes.Equal(drawn, files[icon]) {
			t.Errorf("%s is another: %v", icon, err)
		}
	}
}

func TestMicrosoftsSchemaTakesWhatIsPacked(t *testing.T) {
	t.Parallel()
	if os.Getenv("ELEVATE_NPM") != "1" {
		t.Skip("asks npm packages; set ELEVATE_NPM=1, with node installed and npm ci run in adapters/teams/testdata/npm, to run it")
	}
	path := filepath.Join(t.TempDir(), "manifest.json")
	filled := teamsPackageOf(t, "6a1f0f5c-1111-4222-8333-444455556668", "https://bot.example.org:8443")["manifest.json"]
	if err := os.WriteFile(path, filled, 0o600); err != nil {
		t.Fatal(err)
	}
	check := exec.CommandContext(t.Context(), "node", "check-manifest.mjs", path)
	check.Dir = "../../adapters/teams/testdata/npm"
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
