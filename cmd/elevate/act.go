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
		Name: "act", ShortUsage: "elevate act [-dir DIR] [-json] PERSON slack|teams|web|portal WORDS…",
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
	if words[0] == "help" { // wanted before there is a sandbox, too
		fmt.Fprintln(p.out, sim.Help())
		return nil
	}
	client, err := sim.OpenClient(dir)
	if err != nil {
		return whyNot(err, dir)
	}
	result, err := client.Do(ctx, words)
	if err != nil {
		return whyNot(err, dir)
	}
	if asJSON {
		raw, err := json.MarshalIndent(result, "", "  ")
		if err != nil {
			return err
		}
		fmt.Fprintf(p.out, "%s\n", raw)
	} else {
		p.show(result)
	}
	if result.Failed != "" {
		return errors.New(result.Failed)
	}
	return nil
}

// show prints what somebody sees. What was refused at its end is printed once,
// as the command's error.
func (p program) show(r sim.Result) {
	text := strings.TrimSpace(r.Text)
	if seen, ends := strings.CutSuffix(text, r.Failed); ends && r.Failed != "" {
		text = strings.TrimRight(seen, "! \n")
	}
	if text != "" {
		fmt.Fprintln(p.out, text)
	}
}

// whyNot tells words that nobody understands, and a sandbox that is missing,
// from an act that failed.
func whyNot(err error, dir string) error {
	if _, ok := errors.AsType[*sim.UnknownError](err); ok {
		return usagef("%v", err)
	}
	if !errors.Is(err, sim.ErrNotRunning) {
		return err
	}
	if dir == "." {
		return errors.New("no sandbox is running here; start one with `elevate sandbox -dir play`, and name its directory: elevate act -dir play …")
	}
	return fmt.Errorf("no sandbox is running in %s; start one with `elevate sandbox -dir %s`", dir, shellWord(dir))
}
