package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"elevate/adapters/entra"
)

func TestTheReadmeListsThePermissionsOfTheAdministratorsCommands(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(readme), "\n| Permission | For | Asked by |\n")
	table, _, _ := strings.Cut(section, "\n\n")
	for _, p := range (entra.AdministratorConfig{Changes: true, Groups: true, Defender: true}).Permissions() {
		if !strings.Contains(table, "`"+p+"`") {
			t.Errorf("the README does not list %s", p)
		}
	}
}
