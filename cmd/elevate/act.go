package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/peterbourgon/ff/v3/ffcli"

	"elevate/internal/sim"
)

// actHome is the environment variable that holds the sandbox's directory.
const actHome = "ELEVATE_SANDBOX_DIR"

func (p program) actCommand() *ffcli.Command {
	set := p.flags("act")
	dir := set.String("dir", "", "the `DIR`ectory of a running sandbox; else the variable "+actHome+", else the current directory")
	asJSON := set.Bool("json", false, "print everything that came of the act as one JSON object")
	return &ffcli.Command{
		Name: "act", ShortUsage: "elevate act [-dir DIR] [-json] PERSON slack|web|portal WORDS…",
		ShortHelp: "act as a person in a running sandbox, and see what that person sees",
		LongHelp:  "The words:\n\n" + sim.Help(), FlagSet: set,
		Exec: func(ctx context.Context, args []string) error {
			if len(args) == 0 {
				return usagef("say who does what, as in `elevate act alice slack /elevate`; `elevate act help` lists what can be done")
			}
			return p.act(ctx, p.actDir(*dir), *asJSON, args)
		},
	}
}

func (p program) actDir(flag string) string {
	if flag != "" {
		return flag
	}
	if dir, ok := p.env(actHome); ok && dir != "" {
		return dir
	}
	return "."
}

// act has the sandbox carry out the words. What a chat or PIM refused is
// printed like everything a person sees, and is an error.
func (p program) act(ctx context.Context, dir string, asJSON bool, words []string) error {
	client, err := sim.OpenClient(dir)
	if err != nil {
		return err
	}
	result, err := client.Do(ctx, words)
	if err != nil {
		return misunderstood(err)
	}
	if asJSON {
		raw, err := json.MarshalIndent(result, "", "  ")
		if err != nil {
			return err
		}
		fmt.Fprintf(p.out, "%s\n", raw)
	} else {
		fmt.Fprintln(p.out, strings.TrimSpace(result.Text))
	}
	if result.Failed != "" {
		return errors.New(result.Failed)
	}
	return nil
}

// misunderstood tells words that nobody understands from an act that failed.
func misunderstood(err error) error {
	if _, ok := errors.AsType[*sim.UnknownError](err); ok {
		return usagef("%v", err)
	}
	return err
}
