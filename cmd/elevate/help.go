package main

import (
	"context"
	"errors"
	"flag"
	"strings"

	"github.com/peterbourgon/ff/v3/ffcli"
)

// help is what is known about the command that was met last, when its flags are
// wrong or somebody asks for its help.
type help struct {
	name string
	text string
}

// about has a command, and all below it, tell its help here instead of printing
// it, and take the single word help for -h.
func (h *help) about(c *ffcli.Command, above string) {
	name := strings.TrimSpace(above + " " + c.Name)
	c.UsageFunc = func(c *ffcli.Command) string {
		h.name, h.text = name, strings.TrimSpace(ffcli.DefaultUsageFunc(c))
		return ""
	}
	exec := c.Exec
	c.Exec = func(ctx context.Context, args []string) error {
		if len(args) == 1 && args[0] == "help" {
			return flag.ErrHelp
		}
		return exec(ctx, args)
	}
	for _, below := range c.Subcommands {
		h.about(below, name)
	}
}

// mistake is what is wrong with the flags of the command that was met last.
func (h *help) mistake(err error) error {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner // what the libraries put in front says nothing
	}
	return usagef("%v; `%s -h` lists the flags", err, h.name)
}

// spelled turns the other ways to ask for help and for the version into those
// that the tree of commands knows.
func spelled(args []string) []string {
	asks := false
	for len(args) > 0 && args[0] == "help" {
		asks, args = true, args[1:]
	}
	switch {
	case asks:
		return append(append([]string{}, args...), "-h")
	case len(args) > 0 && (args[0] == "-version" || args[0] == "--version"):
		return append([]string{"version"}, args[1:]...)
	}
	return args
}
