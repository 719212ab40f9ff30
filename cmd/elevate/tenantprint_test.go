package main

import (
	"bytes"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"elevate/internal/config"
	"elevate/internal/tenant"
)

func TestLongLinesBreakBetweenWords(t *testing.T) {
	t.Parallel()
	word := "abcdefghi"
	text := ""
	for range 12 {
		text += word + " "
	}
	want := "  ! abcdefghi abcdefghi abcdefghi abcdefghi abcdefghi abcdefghi abcdefghi abcdefghi abcdefghi\n    abcdefghi abcdefghi abcdefghi\n"
	if got := wrapped(98, "  ! ", "    ", text); got != want {
		t.Errorf("%q", got)
	}
	long := "https://security.microsoft.com/" + text[:9] + "x-" + "0123456789012345678901234567890123456789012345678901234567890123456789"
	if got := wrapped(98, "", "", long); got != long+"\n" {
		t.Errorf("a word was cut: %q", got)
	}
	if got := wrapped(columns(&bytes.Buffer{}), "  ! ", "    ", text); strings.Count(got, "\n") != 1 {
		t.Errorf("what is no terminal has broken lines: %q", got)
	}
}

func TestNamesOfTheDirectoryDoNotSteerTheTerminal(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	fmt.Fprint(plain{&out}, "Ada\x1b[2J\r\u202e\u200b Ädler\u009b\n\t✓ 🚨\n")
	if got, want := out.String(), "Ada[2J Ädler\n\t✓ 🚨\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestANameWithALineBreakMakesNoLineOfItsOwn(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	printWrapped(&out, "  ? ", "    ", "Role\n[1/1] mde-admin: all is well ✓ is a member.")
	if got, want := out.String(), "  ? Role [1/1] mde-admin: all is well ✓ is a member.\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestAPlanThatCouldNotBeShownIsNotCarriedOut(t *testing.T) {
	t.Parallel()
	for _, yes := range []bool{true, false} {
		said := &output{Writer: fullDisk{}}
		side := &tenantSide{p: program{in: strings.NewReader("yes\n"), out: plain{said}}, cfg: &config.Config{}, flags: tenantFlags{yes: yes}}
		if err := side.confirm(t.Context(), tenant.Plan{}); err == nil || !strings.Contains(err.Error(), "nothing was changed") {
			t.Errorf("yes %t: %v", yes, err)
		}
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestDefendersStepsNameTheGroupsAsItsPagesDo(t *testing.T) {
	t.Parallel()
	const id = "0000000a-0000-4000-8000-000000000001"
	cfg := &config.Config{Roles: []config.Role{{Title: "Admin", Group: id, Defender: "MDE Admin"}}}
	actual := tenant.Actual{Groups: map[string][]tenant.Found{id: {{ID: id, Name: "Role_Admin"}}}}
	steps := strings.Join(defenderSteps(cfg, actual), "\n")
	if strings.Contains(steps, id) || strings.Count(steps, `"Role_Admin"`) != 2 || cfg.Roles[0].Group != id {
		t.Errorf("%s", steps)
	}
}
