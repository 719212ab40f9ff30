package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// playLines are the commands of the README's section "Play with it", as written.
func playLines(t *testing.T) []string {
	t.Helper()
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(readme), "### Play with it\n")
	section, _, ended := strings.Cut(section, "\n## ")
	if !found || !ended {
		t.Fatal("the README has no section \"Play with it\"")
	}
	var lines []string
	for line := range strings.SplitSeq(section, "\n") {
		if command, ok := strings.CutPrefix(line, "    "); ok {
			lines = append(lines, command)
		}
	}
	return lines
}

// typed is a shell's command in a folder that holds ./elevate.
func typed(ctx context.Context, folder, line string) (*exec.Cmd, *bytes.Buffer) {
	c := exec.CommandContext(ctx, "sh", "-c", line)
	c.Dir, c.Env = folder, []string{"PATH=" + os.Getenv("PATH"), "HOME=" + folder}
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	return c, &out
}

func TestTheReadmesLinesWorkAsWritten(t *testing.T) {
	t.Parallel()
	self, err := exec.LookPath("elevate")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.Symlink(self, filepath.Join(folder, "elevate")); err != nil {
		t.Fatal(err)
	}
	for _, line := range playLines(t) {
		switch {
		case line == "go build ./cmd/elevate": // the test binary stands for it
		case strings.Contains(line, "elevate sandbox "):
			said := keepRunning(t, folder, line, func(ctx context.Context) (bool, error) {
				return exists(filepath.Join(folder, "play", settingsFile)) && sandboxRuns(ctx, filepath.Join(folder, "play")), nil
			})
			t.Cleanup(func() { printsTheLines(t, said()) })
		case strings.Contains(line, "elevate serve "):
			keepRunning(t, folder, line, func(ctx context.Context) (bool, error) {
				return botReady(ctx, filepath.Join(folder, "play", settingsFile))
			})
		default:
			c, out := typed(t.Context(), folder, line)
			if err := c.Run(); err != nil {
				t.Fatalf("%s: %v\n%s", line, err, out)
			}
			t.Logf("$ %s\n%s", line, out)
		}
	}
}

// keepRunning starts a command that runs until the test's end, and waits until
// it is ready. What it returns gives what the command said, once it has ended.
func keepRunning(t *testing.T, folder, line string, ready func(context.Context) (bool, error)) func() string {
	t.Helper()
	c, out := typed(context.WithoutCancel(t.Context()), folder, "exec env "+line)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	stop := func() string {
		_ = c.Process.Signal(os.Interrupt) // it may have ended already
		if err := <-ended; err != nil {
			t.Errorf("%s: %v\n%s", line, err, out)
		}
		ended <- nil
		return out.String()
	}
	t.Cleanup(func() { stop() })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := poll(ctx, func() (bool, error) { return ready(ctx) }); err != nil {
		t.Fatalf("%s is not ready: %v", line, err)
	}
	return stop
}

// printsTheLines holds that the sandbox prints what the README says to type
// next. A test's program does not know that it was called by ./elevate.
func printsTheLines(t *testing.T, said string) {
	t.Helper()
	for _, line := range playLines(t)[2:] {
		if !strings.Contains(said, strings.Replace(line, "./elevate", "elevate", 1)+"\n") {
			t.Errorf("the sandbox does not print %q", line)
		}
	}
	if t.Failed() {
		t.Log(said)
	}
}
