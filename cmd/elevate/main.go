// Command elevate is the bot, its sandbox and the operator's commands.
//
// It only reads flags, wires the packages together and serves; what Elevate
// does is in internal/workflow, and every rule is in internal/pim.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	_ "time/tzdata" // people's time zones, where the machine has none

	"github.com/peterbourgon/ff/v3/ffcli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), stopSignals()...)
	// A second signal ends the program at once: killing it loses nothing.
	context.AfterFunc(ctx, stop)
	code := run(ctx, os.Args[1:], program{in: os.Stdin, out: os.Stdout, errs: os.Stderr, env: os.LookupEnv, environ: os.Environ()})
	stop()
	os.Exit(code)
}

// stopSignals are those that stop in order. A hangup is left alone where it was
// ignored at the start, as nohup does it.
func stopSignals() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// program is what a run of a command has around it.
type program struct {
	in        io.Reader
	out, errs io.Writer
	env       func(string) (string, bool)
	environ   []string // NAME=value, all of it
}

// The exit codes.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

// run carries out a command line and returns the exit code.
func run(ctx context.Context, args []string, p program) int {
	said := &output{Writer: p.out}
	if len(args) == 0 || args[0] != "serve" { // whose output is the audit sink, which it waits for
		p.out = said
	}
	root, asked := p.commands(), &help{}
	asked.about(root, "")
	err := root.Parse(spelled(args))
	switch {
	case err == nil:
		err = root.Run(ctx)
	case !errors.Is(err, flag.ErrHelp):
		err = asked.mistake(err)
	}
	err = said.lost(err)
	var usage *usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintln(p.out, asked.text)
		return exitOK
	case errors.Is(err, differs{}):
		return exitDiffers
	case errors.As(err, &usage):
		p.complain(err)
		if len(args) > 0 && args[0] == "tenant" {
			return exitError
		}
		return exitUsage
	}
	p.complain(err)
	return exitError
}

func (p program) complain(err error) {
	fmt.Fprintf(p.errs, "elevate: %v\n", err)
}

// usageError is a command line that cannot be carried out.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error {
	return &usageError{text: fmt.Sprintf(format, args...)}
}

// commands is the tree of commands.
func (p program) commands() *ffcli.Command {
	root := &ffcli.Command{
		Name:       "elevate",
		ShortUsage: "elevate <command> [flags] [words]",
		ShortHelp:  "just-in-time privileged access, asked for and granted where people already talk",
		FlagSet:    p.flags("elevate"),
		Subcommands: []*ffcli.Command{
			p.demoCommand(), p.serveCommand(), p.doctorCommand(), p.tenantCommand(), p.sandboxCommand(), p.actCommand(),
			p.requestsCommand(), p.reportCommand(), p.auditCommand(), p.queueCommand(), p.linksCommand(), p.backupCommand(), p.keysetCommand(), p.manifestCommand(), p.versionCommand(),
		},
	}
	root.Exec = p.group(root)
	return root
}

// flags returns a flag set that prints nothing itself: run says what is wrong,
// once, and shows the help that was asked for.
func (program) flags(name string) *flag.FlagSet {
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	return set
}

// group is what a command does that only has commands below it: with no word
// it prints its help, an unknown word is an error.
func (p program) group(c *ffcli.Command) func(context.Context, []string) error {
	return func(_ context.Context, args []string) error {
		if len(args) > 0 {
			name, _, _ := strings.Cut(c.ShortUsage, " <")
			return usagef("there is no command %q; `%s -h` lists those there are", name+" "+args[0], name)
		}
		fmt.Fprintln(p.errs, ffcli.DefaultUsageFunc(c))
		return nil
	}
}

// noWords refuses words that a command does not take.
func noWords(args []string) error {
	if len(args) > 0 {
		return usagef("%q is one word too many", args[0])
	}
	return nil
}
