package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"

	"elevate/internal/config"
	"elevate/internal/store"
)

// operatorCommand is a command that needs the state file: over the admin
// socket while serve runs, else on the file itself.
func (p program) operatorCommand(name, usage, help string, flags func(*flag.FlagSet), order func(args []string) (order, error)) *ffcli.Command {
	set := p.flags(name)
	path := set.String("config", "", "the settings `FILE` (required)")
	if flags != nil {
		flags(set)
	}
	return &ffcli.Command{
		Name: name, ShortUsage: usage, ShortHelp: help, FlagSet: set,
		Exec: func(ctx context.Context, args []string) error {
			o, err := order(args)
			if err != nil {
				return err
			}
			return p.operate(ctx, *path, o)
		},
	}
}

func (p program) operate(ctx context.Context, path string, o order) error {
	// Whoever operates has not the bot's secrets, and no order needs them.
	cfg, err := p.load(path, config.KeysetOnly())
	if err != nil {
		return err
	}
	err = overSocket(ctx, door{path: cfg.AdminSocket, state: cfg.State}, o, p.out)
	if !errors.Is(err, errNobodyServes) {
		return err
	}
	if _, err := os.Stat(cfg.State); err != nil {
		return fmt.Errorf("there is no state file at %s yet; start `elevate serve` first", cfg.State)
	}
	keys, err := keysOf(cfg)
	if err != nil {
		return err
	}
	// Without a sink: the events of this command go to that of the next serve.
	db, err := openFor(o)(store.Config{Path: cfg.State, Keys: keys, Now: time.Now})
	if err != nil {
		return err
	}
	return errors.Join(operator{db: db}.do(ctx, o.Words, bytes.NewReader(o.Stream), p.out), db.Close())
}

// openFor opens the state file as an order needs it. What only looks leaves it
// as it is, also where nobody could write to it.
func openFor(o order) func(store.Config) (*store.DB, error) {
	changes := slices.Contains([]string{"queue retry", "queue drop", "links remove"}, strings.Join(o.Words[:2], " "))
	if changes {
		return store.Open
	}
	return store.OpenReadOnly
}

func (p program) auditCommand() *ffcli.Command {
	var anchor, stream string
	verify := p.operatorCommand("verify", "elevate audit verify -config FILE [-anchor SEQ:CODE] [-stream FILE]",
		"prove that the audit trail is as it was written",
		func(set *flag.FlagSet) {
			set.StringVar(&anchor, "anchor", "", "a head that was kept elsewhere, `SEQ:CODE`")
			set.StringVar(&stream, "stream", "", "the `FILE` that holds what the audit sink wrote")
		},
		func(args []string) (order, error) { return verifyOrder(args, anchor, stream) })
	export := p.operatorCommand("export", "elevate audit export -config FILE", "write all events, one JSON line each", nil, fixed("audit", "export"))
	c := &ffcli.Command{
		Name: "audit", ShortUsage: "elevate audit <verify|export> …", ShortHelp: "verify or export the audit trail", FlagSet: p.flags("audit"),
		Subcommands: []*ffcli.Command{verify, export},
	}
	c.Exec = p.group(c)
	return c
}

func (p program) queueCommand() *ffcli.Command {
	named := func(verb string) func([]string) (order, error) {
		return func(args []string) (order, error) {
			if len(args) == 0 {
				return order{}, usagef("say which parked effect, by its key from `elevate queue list`, or `all`")
			}
			return order{Words: append([]string{"queue", verb}, args...)}, nil
		}
	}
	c := &ffcli.Command{
		Name: "queue", ShortUsage: "elevate queue <list|retry|drop> …", ShortHelp: "show what waits, retry or drop what is parked", FlagSet: p.flags("queue"),
		Subcommands: []*ffcli.Command{
			p.operatorCommand("list", "elevate queue list -config FILE", "show the effects that wait or are parked", nil, fixed("queue", "list")),
			p.operatorCommand("retry", "elevate queue retry -config FILE KEY…|all", "try parked effects again", nil, named("retry")),
			p.operatorCommand("drop", "elevate queue drop -config FILE KEY…|all", "give parked effects up for good", nil, named("drop")),
		},
	}
	c.Exec = p.group(c)
	return c
}

func (p program) linksCommand() *ffcli.Command {
	remove := func(args []string) (order, error) {
		if len(args) != 1 {
			return order{}, usagef("say whose link: a chat account or an object id from `elevate links list`")
		}
		return order{Words: []string{"links", "remove", args[0]}}, nil
	}
	c := &ffcli.Command{
		Name: "links", ShortUsage: "elevate links <list|remove> …", ShortHelp: "show or end the links between chat accounts and people", FlagSet: p.flags("links"),
		Subcommands: []*ffcli.Command{
			p.operatorCommand("list", "elevate links list -config FILE", "show who is linked", nil, fixed("links", "list")),
			p.operatorCommand("remove", "elevate links remove -config FILE ACCOUNT|OBJECT-ID", "end a link and its session", nil, remove),
		},
	}
	c.Exec = p.group(c)
	return c
}

func (p program) backupCommand() *ffcli.Command {
	return p.operatorCommand("backup", "elevate backup -config FILE TO", "write a consistent copy of the state, without sessions", nil,
		func(args []string) (order, error) {
			if len(args) != 1 {
				return order{}, usagef("say where the backup goes: elevate backup -config FILE TO")
			}
			to, err := filepath.Abs(args[0])
			return order{Words: []string{"backup", to}}, err
		})
}

func fixed(words ...string) func([]string) (order, error) {
	return func(args []string) (order, error) { return order{Words: words}, noWords(args) }
}

// verifyOrder reads the anchor and the stream of `audit verify`.
func verifyOrder(args []string, anchor, stream string) (order, error) {
	o := order{Words: []string{"audit", "verify"}}
	if err := noWords(args); err != nil {
		return o, err
	}
	if anchor != "" {
		seq, code, ok := strings.Cut(anchor, ":")
		if !ok {
			return o, usagef("an anchor is the number and the code of an event: -anchor 123:4f…")
		}
		o.Words = append(o.Words, "anchor", seq, code)
	}
	if stream != "" {
		content, err := os.ReadFile(stream) //nolint:gosec // the operator names the file
		if err != nil {
			return o, err
		}
		o.Words, o.Stream = append(o.Words, "stream"), content
	}
	return o, nil
}
