package main

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var deviceCode = regexp.MustCompile(`enter the code ([A-Z0-9-]+)\.`)

// overheard is a buffer that is read while it is written.
type overheard struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *overheard) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *overheard) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// administers runs a tenant command that must end with an exit code, and signs somebody in with the code that it shows:
// administers CODE PERSON WORDS, as in "administers 0 ada plan -config FILE".
func administers(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: administers CODE PERSON WORDS…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var said overheard
	program, err := exec.LookPath("elevate")
	ts.Check(err)
	command := func(words ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, program, words...)
		cmd.Dir = ts.MkAbs(".")
		for _, name := range []string{"PATH", "HOME", "SSL_CERT_FILE", "ELEVATE_SANDBOX_DIR", "WORK"} {
			cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
		}
		return cmd
	}
	cmd := command(append([]string{"tenant"}, append(args[2:], "-sign-in", "device")...)...)
	cmd.Stdout, cmd.Stderr = ts.Stdout(), &said
	ts.Check(cmd.Start())
	var code []string
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	running := true
	waited := poll(ctx, func() (bool, error) {
		select {
		case err = <-ended:
			running = false
			return true, nil
		default:
		}
		code = deviceCode.FindStringSubmatch(said.String())
		return code != nil, nil
	})
	ts.Check(waited)
	if code != nil {
		out, failed := command("act", args[1], "web", "device", code[1]).CombinedOutput()
		ts.Logf("%s", out)
		ts.Check(failed)
	}
	if running {
		err = <-ended
	}
	_, writeErr := ts.Stderr().Write([]byte(said.String()))
	ts.Check(writeErr)
	got := 0
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d\n%s", got, want, said.String())
	}
}
