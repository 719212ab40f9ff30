package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"elevate/internal/report"
)

func TestReportThatWasCutOffIsNoReport(t *testing.T) {
	p := report.Period{From: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}
	const one = `{"request":{"id":"aaaaa2","created":"2026-11-02T00:00:00Z"}}` + "\n"
	for name, row := range map[string]struct {
		lines string
		whole bool
	}{
		"whole":                  {one + `{"head":"9:aa","made":"2026-11-03T00:00:00Z"}`, true},
		"without its last line":  {one, false},
		"in the midst of a line": {one[:20], false},
		"nothing":                {"", false},
	} {
		r, err := gather(strings.NewReader(row.lines), p, time.UTC, nil)
		if (err == nil) != row.whole {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			continue
		}
		if n, _ := r.Size(); n != 1 {
			t.Errorf("%s: %d requests", name, n)
		}
	}
}

func TestReportsFilesAreTheirOwnersAndAllOrNone(t *testing.T) {
	w := wantedReport{out: filepath.Join(t.TempDir(), "r.html")}
	names, err := w.files()
	if err != nil {
		t.Fatal(err)
	}
	says := func(text string) func(io.Writer) error {
		return func(out io.Writer) error {
			_, err := io.WriteString(out, text)
			return err
		}
	}
	broken := errors.New("broken")
	if err := w.write(names, []func(io.Writer) error{says("a"), says("b"), func(io.Writer) error { return broken }}); !errors.Is(err, broken) {
		t.Errorf("a form that fails: %v", err)
	}
	if left, err := os.ReadDir(filepath.Dir(w.out)); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if err := w.write(names, []func(io.Writer) error{says("a"), says("b"), says("c")}); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(filepath.Dir(w.out))
	if err != nil || len(left) != len(names) {
		t.Errorf("%v, %v", left, err)
	}
	for _, name := range names {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if err := w.write(names, []func(io.Writer) error{says("x"), says("y"), says("z")}); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("written over: %v", err)
	}
}
