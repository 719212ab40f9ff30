package slack_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestGoldenBlocksAreAsSlacksTypesHaveThem asks Slack's own type definitions,
// beside the limits that the fake Slack knows. They are an npm package.
func TestGoldenBlocksAreAsSlacksTypesHaveThem(t *testing.T) {
	if os.Getenv("ELEVATE_NPM") != "1" {
		t.Skip("asks an npm package; set ELEVATE_NPM=1, with node and its packages installed, to run it")
	}
	paths, err := filepath.Glob("testdata/blocks/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	var items []object
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var drawn object
		if err := json.Unmarshal(raw, &drawn); err != nil {
			t.Fatal(err)
		}
		item := object{"name": strings.TrimSuffix(filepath.Base(path), ".json"), "blocks": drawn["blocks"]}
		if drawn["type"] != nil {
			item = object{"name": item["name"], "view": drawn}
		}
		items = append(items, item)
	}
	raw, err := json.Marshal(items)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "items.json")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	check := exec.CommandContext(t.Context(), "node", "check-blocks.mjs", file)
	check.Dir = "../../internal/sim/simslack/testdata/npm"
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
