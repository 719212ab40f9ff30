package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/peterbourgon/ff/v3/ffcli"

	"elevate/internal/config"
	"elevate/internal/sim/cast"
)

// demoRate is how much faster than the machine's the demo's clock runs. The
// shortest patience in Elevate, two minutes, is still six seconds then.
const demoRate = 20

// demoFlags are how the demo was asked for.
type demoFlags struct {
	json, serve, verbose bool
}

func (p program) demoCommand() *ffcli.Command {
	set := p.flags("demo")
	var f demoFlags
	set.BoolVar(&f.json, "json", false, "print one JSON object a line instead of cards")
	set.BoolVar(&f.serve, "serve", false, "keep the sandbox and the bot running afterwards")
	set.BoolVar(&f.verbose, "v", false, "show the bot's log")
	return &ffcli.Command{
		Name: "demo", ShortUsage: "elevate demo [-json] [-serve] [-v]",
		ShortHelp: "play the main job against a sandbox on loopback; nothing to set up", FlagSet: set,
		Exec: func(ctx context.Context, args []string) error {
			if err := noWords(args); err != nil {
				return err
			}
			if found := credentials(os.Environ()); len(found) > 0 {
				return fmt.Errorf("real credentials are set, and a demo has no use for them; unset %s first", strings.Join(found, ", "))
			}
			return p.demo(ctx, f)
		},
	}
}

// demo plays the script in a folder that is removed afterwards, also when
// nobody reads on.
func (p program) demo(ctx context.Context, f demoFlags) error {
	// Any of them would end the program with the folder and its keys left behind: the first interrupts the demo, which ends
	// within seconds, and further ones change nothing.
	signal.Ignore(syscall.SIGPIPE)
	more := make(chan os.Signal, 1)
	signal.Notify(more, stopSignals()...)
	defer signal.Stop(more)
	interrupted := ctx
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	p.out = &read{out: p.out, closed: func() { cancel(errNotRead) }}
	home, err := os.MkdirTemp("", "elevate-demo-")
	if err != nil {
		return err
	}
	err = p.demoIn(ctx, home, f)
	if errors.Is(context.Cause(ctx), errNotRead) {
		err = errNotRead // what else went wrong followed from that
	}
	if interrupted.Err() != nil && err != nil {
		err = errors.New("interrupted, so the demo was not played to its end")
	}
	return errors.Join(err, os.RemoveAll(home))
}

var errNotRead = errors.New("nobody reads the output any more, so the demo was not played to its end")

// read is an output that says when nobody reads it any more.
type read struct {
	out    io.Writer
	closed func()
}

// Write implements io.Writer.
func (r *read) Write(b []byte) (int, error) {
	n, err := r.out.Write(b)
	if errors.Is(err, syscall.EPIPE) {
		r.closed()
	}
	return n, err
}

func (p program) demoIn(ctx context.Context, home string, f demoFlags) error {
	// What is said about the demo must not get between the objects of -json.
	said := p.out
	if f.json {
		said = p.errs
	}
	fmt.Fprintln(said, "DEMO on loopback: Entra, Graph, Slack and Teams are a sandbox in this process, and nothing here is real.")
	nothing := func(string) (string, bool) { return "", false } // the demo takes nothing from the environment
	s, err := openStage(ctx, home, cast.Empty())
	if err != nil {
		return err
	}
	fmt.Fprintln(said, s.zones(demoScript))
	to := demoPrinter{out: p.out, json: f.json}
	err = s.setUp(ctx, home, to)
	if err == nil {
		err = s.startBot(ctx, home, nothing, p.demoLog(f))
	}
	if err != nil {
		return errors.Join(err, s.box.Close())
	}
	err = s.play(ctx, demoScript, to)
	if err == nil && f.serve {
		s.box.Clock.SetRate(1)
		fmt.Fprintf(said, "\nEverything keeps running until you interrupt it. To act on it, in another terminal:\n\n    %s act -dir %s help\n",
			shellWord(os.Args[0]), shellWord(home))
		<-ctx.Done()
	}
	return errors.Join(err, s.close())
}

func (p program) demoLog(f demoFlags) *slog.Logger {
	if f.verbose {
		return newLog(p.errs, config.Log{Level: "info", Format: "text"})
	}
	return slog.New(slog.DiscardHandler)
}

// credentials names the environment variables that look like real secrets.
func credentials(environment []string) []string {
	var found []string
	for _, variable := range environment {
		name, value, _ := strings.Cut(variable, "=")
		ours := hasAny(name, strings.HasPrefix, "ELEVATE_", "ENTRA_", "AZURE_", "SLACK_", "TEAMS_")
		secret := hasAny(name, strings.Contains, "SECRET", "TOKEN", "PASSWORD", "KEY", "CERTIFICATE")
		if ours && secret && value != "" && !strings.HasPrefix(value, "sandbox-") {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found
}

func hasAny(s string, has func(s, part string) bool, parts ...string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return has(s, part) })
}
