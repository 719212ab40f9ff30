package main

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/peterbourgon/ff/v3/ffcli"
)

func (p program) versionCommand() *ffcli.Command {
	return &ffcli.Command{
		Name: "version", ShortUsage: "elevate version", ShortHelp: "print what this binary was built from", FlagSet: p.flags("version"),
		Exec: func(_ context.Context, args []string) error {
			if err := noWords(args); err != nil {
				return err
			}
			_, err := fmt.Fprintln(p.out, version())
			return err
		},
	}
}

// version names the module's version, or the commit, as Go recorded it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "elevate (unknown build)"
	}
	words := []string{"elevate", info.Main.Version}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			words = append(words, s.Value)
		}
	}
	return strings.Join(append(words, info.GoVersion), " ")
}
