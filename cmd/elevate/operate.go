package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
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
			return p.operate(ctx, *path, o, p.out)
		},
	}
}

// operate has an order carried out, by a running serve or on the file.
func (p program) operate(ctx context.Context, path string, o order, out io.Writer) error {
	// Whoever operates has not the bot's secrets, and no order needs them.
	cfg, err := p.load(path, config.KeysetOnly())
	if err != nil {
		return err
	}
	stream, err := o.open()
	if err != nil {
		return err
	}
	defer stream.Close()
	err = overSocket(ctx, door{path: cfg.AdminSocket, state: cfg.State}, o, stream, out)
	if !errors.Is(err, errNobodyServes) {
		return err
	}
	if err := stateIsThere(cfg.State); err != nil {
		return err
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
	return errors.Join(operator{db: db, room: o.room}.do(ctx, o.Words, stream, out), db.Close())
}

// stateIsThere tells a file that nobody made yet from one that this user may
// not see.
func stateIsThere(path string) error {
	_, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no state file at %s yet; start `elevate serve` first", path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("the state file may not be looked at by this user; run this command as the user that serves, or as root (%w)", err)
	case err != nil:
		return fmt.Errorf("the state file cannot be looked at: %w", err)
	}
	return nil
}

// openFor opens the state file as an order needs it. What only looks leaves it
// as it is, also where nobody could write to it.
func openFor(o order) func(store.Config) (*store.DB, error) {
	changes := slices.Contains([]string{"queue retry", "queue drop", "links remove"}, strings.Join(o.Words[:min(2, len(o.Words))], " "))
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
			set.StringVar(&anchor, "anchor", "", "a head that was kept elsewhere, as this command prints it: `SEQ:CODE`")
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
		if _, err := store.ParseAnchor(anchor); err != nil {
			return o, usagef("-anchor: %v", err)
		}
		o.Words = append(o.Words, "anchor", anchor)
	}
	if stream != "" {
		o.Words, o.stream = append(o.Words, "stream"), stream
	}
	return o, nil
}
