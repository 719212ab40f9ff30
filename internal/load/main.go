// Command load measures what a slash command costs: its rate and its waiting time over HTTP, against plain bbolt on the
// same disk in the same run, and with and without a long history; and how long the whole program takes to start on such a
// history and what memory it needs.
//
// It measures and asserts nothing: no test calls it, and no figure of it is a limit in the code. It talks to loopback
// only, plays Slack, Entra and PIM itself or has the sandbox do so, and keeps its files in a folder that it removes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

// mode is one measurement.
type mode struct {
	name, does string
	run        func(ctx context.Context, o options, out io.Writer) error
}

func modes() []mode {
	return []mode{
		{"command", "rate, p50 and p99 of a slash command over HTTP, against bbolt on the same disk", measureCommand},
		{"stored", "start to ready and memory of the whole program on a long history, with the sandbox", measureStored},
		{"history", "rate and processor time of commands and of `status` with and without a history", measureHistory},
		{"bot", "what `command` measures: store, workflow and Slack's handler in a process of its own", serveBot},
	}
}

// options are what the flags say.
type options struct {
	dir      string
	requests int
	people   int
	parallel int
	rounds   int
	signedIn bool
	effects  bool
	profile  string
	api      string
	latency  int
	stored   int
	open     int
	binary   string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, errs io.Writer) error {
	set := flag.NewFlagSet("load", flag.ContinueOnError)
	set.SetOutput(errs)
	set.Usage = func() { usage(set, errs) }
	o := flags(set)
	if err := set.Parse(args); err != nil {
		return err
	}
	for _, m := range modes() {
		if m.name == set.Arg(0) && set.NArg() == 1 {
			return inFolder(ctx, m, *o, out)
		}
	}
	set.Usage()
	return fmt.Errorf("%q is no measurement", set.Arg(0))
}

func flags(set *flag.FlagSet) *options {
	o := &options{}
	set.StringVar(&o.dir, "dir", "", "the `FOLDER` for the files, on the disk that is to be measured; a temporary one unless given")
	set.IntVar(&o.requests, "requests", 20_000, "commands to measure")
	set.IntVar(&o.people, "people", 8_000, "linked people who type them; each asks for another role each time, at most five times")
	set.IntVar(&o.parallel, "parallel", 64, "commands at a time")
	set.IntVar(&o.rounds, "rounds", 5, "turns that Elevate and bbolt take")
	set.BoolVar(&o.signedIn, "signed-in", true, "people have a session; without one a command is answered with a sign-in link")
	set.BoolVar(&o.effects, "effects", true, "run the work behind the answers, too")
	set.IntVar(&o.latency, "latency", 200, "milliseconds that the played PIM takes for an answer")
	set.StringVar(&o.profile, "cpuprofile", "", "write a CPU profile of the handler without HTTP to this `FILE`")
	set.IntVar(&o.stored, "stored", 100_000, "for stored and history: ended requests in the file")
	set.IntVar(&o.open, "open", 1_000, "for stored: open ones beside them")
	set.StringVar(&o.binary, "binary", "", "for stored: the `FILE` that is elevate, built from here unless given")
	set.StringVar(&o.api, "api", "", "for bot: the `ADDRESS` of the played Slack")
	return o
}

func usage(set *flag.FlagSet, w io.Writer) {
	fmt.Fprintln(w, "usage: go run ./internal/load [flags] MEASUREMENT")
	for _, m := range modes() {
		fmt.Fprintf(w, "  %-8s  %s\n", m.name, m.does)
	}
	fmt.Fprintln(w, "flags:")
	set.PrintDefaults()
}

// inFolder gives a measurement its own folder.
func inFolder(ctx context.Context, m mode, o options, out io.Writer) error {
	if m.name == "bot" {
		return m.run(ctx, o, out)
	}
	folder, err := os.MkdirTemp(o.dir, "elevate-load-")
	if err != nil {
		return err
	}
	o.dir = folder
	return errors.Join(m.run(ctx, o, out), os.RemoveAll(folder))
}
