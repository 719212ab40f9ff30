package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
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
