package main

import (
	"context"
	"errors"
	"flag"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(waiting{m}, map[string]func(){"elevate": main})
}

// waiting runs more of the parallel tests at once than there are processors: they
// wait for other processes most of their time.
type waiting struct{ *testing.M }

func (w waiting) Run() int {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		if err := flag.Set("test.parallel", "4"); err != nil {
			panic(err) // unreachable: the testing package has this flag
		}
	}
	return w.M.Run()
}

// TestScripts runs the binary as people do, in processes of its own.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"), RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			free, err := freeAddress()
			env.Setenv("FREE_ADDRESS", free)
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "ready": ready, "opens": opens, "administers": administers, "reads": reads},
	})
}

// freeAddress is an address that nobody listens on.
func freeAddress() (string, error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// reads keeps what the last program wrote, as in "reads NAME PATTERN" with one group.
func reads(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: reads NAME PATTERN")
	}
	pattern, err := regexp.Compile(args[1])
	ts.Check(err)
	found := pattern.FindStringSubmatch(ts.ReadFile("stdout"))
	if len(found) != 2 {
		ts.Fatalf("nothing there is like %s", args[1])
	}
	ts.Setenv(args[0], found[1])
}

// exits runs a program that must end with an exit code, as in "exits CODE PROGRAM ARGS".
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGS…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

var listenAdmin = regexp.MustCompile(`(?m)^listen_admin: "(.*)"$`)

// ready waits for the sandbox or the bot of a directory: ready sandbox|bot DIR.
func ready(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: ready sandbox|bot DIR")
	}
	dir := ts.MkAbs(args[1])
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	err := poll(ctx, func() (bool, error) {
		if args[0] == "sandbox" {
			return exists(filepath.Join(dir, settingsFile)) && sandboxRuns(ctx, dir), nil
		}
		return botReady(ctx, filepath.Join(dir, settingsFile))
	})
	if err != nil {
		ts.Fatalf("the %s is not ready: %v", args[0], err)
	}
}

// opens waits until a serve takes orders, ready or not: opens DIR.
func opens(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: opens DIR")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	socket := filepath.Join(ts.MkAbs(args[0]), socketFile)
	if err := poll(ctx, func() (bool, error) { return exists(socket), nil }); err != nil {
		ts.Fatalf("there is no %s: %v", socket, err)
	}
}

func botReady(ctx context.Context, settings string) (bool, error) {
	content, err := os.ReadFile(settings)
	if err != nil {
		return false, err
	}
	address := listenAdmin.FindSubmatch(content)
	if address == nil {
		return false, errors.New("the settings have no listen_admin")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+string(address[1])+"/readyz", nil)
	if err != nil {
		return false, err
	}
	client := &http.Client{Timeout: 5 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		return false, nil //nolint:nilerr // not yet
	}
	return resp.StatusCode == http.StatusOK, resp.Body.Close()
}
