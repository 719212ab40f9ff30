package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// arrows is who may import whom, of this module: arrows point at pim, internal
// never knows adapters, only cmd knows all.
var arrows = map[string][]string{
	"internal/pim":                   {},
	"internal/secret":                {},
	"internal/keyset":                {"internal/secret"},
	"internal/bounded":               {},
	"internal/tenant":                {"internal/pim"},
	"manifests":                      {},
	"internal/exchange":              {},
	"internal/card":                  {"internal/pim"},
	"internal/store":                 {"internal/keyset", "internal/pim"},
	"internal/report":                {"internal/pim"},
	"internal/config":                {"internal/pim", "internal/secret"},
	"internal/signin":                {"internal/bounded", "internal/keyset", "internal/pim", "internal/secret", "internal/store"},
	"internal/workflow":              {"internal/bounded", "internal/card", "internal/pim", "internal/store"},
	"internal/workflow/workflowtest": {"internal/card", "internal/keyset", "internal/pim", "internal/store", "internal/workflow"},
	// The load program measures the whole path, so it knows an adapter; nothing imports it.
	"internal/load":      {"adapters/slack", "internal/bounded", "internal/keyset", "internal/pim", "internal/secret", "internal/store", "internal/workflow"},
	"adapters/entra":     {"internal/pim", "internal/secret", "internal/tenant"},
	"adapters/pagerduty": {"internal/exchange", "internal/pim", "internal/secret"},
	"adapters/slack":     {"internal/bounded", "internal/card", "internal/exchange", "internal/pim", "internal/secret", "internal/workflow"},
	"adapters/teams":     {"internal/bounded", "internal/card", "internal/exchange", "internal/pim", "internal/secret", "internal/workflow"},
}

// sandboxOnly is what production code outside cmd never imports.
const sandboxOnly = "internal/sim"

func TestEveryImportIsOneOfTheArrows(t *testing.T) {
	for _, p := range listPackages(t) {
		name := strings.TrimPrefix(p.ImportPath, "elevate/")
		if slices.Contains(p.Imports, "elevate/internal/load") {
			t.Errorf("%s imports the load program", name)
		}
		if name == "cmd/elevate" {
			continue
		}
		allowed, known := arrows[name]
		if strings.HasPrefix(name, sandboxOnly) {
			allowed, known = nil, true
		}
		if !known {
			t.Errorf("package %s has no row in the table of arrows", name)
			continue
		}
		for _, imported := range p.Imports {
			to, ours := strings.CutPrefix(imported, "elevate/")
			if !ours || slices.Contains(allowed, to) {
				continue
			}
			if strings.HasPrefix(name, sandboxOnly) && strings.HasPrefix(to, sandboxOnly) {
				continue
			}
			t.Errorf("%s imports %s, which is not in the table of arrows", name, to)
		}
	}
}

type listed struct {
	ImportPath string
	Imports    []string
}

func listPackages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "elevate/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// The SDK's root client makes the binary more than twice as large.
func TestTheRootClientOfTheGraphSDKIsNotLinked(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "elevate/cmd/elevate").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	if slices.Contains(strings.Fields(string(out)), "github.com/microsoftgraph/msgraph-sdk-go") {
		t.Error("the root client is linked; import its sub-packages")
	}
}

func TestTheRulesImportTheStandardLibraryOnly(t *testing.T) {
	for _, p := range listPackages(t) {
		for _, imported := range p.Imports {
			outside := strings.Contains(strings.SplitN(imported, "/", 2)[0], ".")
			doesThings := slices.Contains([]string{"os", "net", "net/http", "io/fs", "log", "log/slog", "os/exec"}, imported)
			if p.ImportPath == "elevate/internal/pim" && (outside || doesThings) {
				t.Errorf("%s imports %s", p.ImportPath, imported)
			}
		}
	}
}
