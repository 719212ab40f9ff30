package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/pprof"
)

// perPerson is how often a person may ask in a minute.
const perPerson = 5

// stored says that a command was taken, in both of its answers.
const stored = "our request "

// measureCommand lets Elevate and plain bbolt take turns, because other work of the machine comes and goes.
func measureCommand(ctx context.Context, o options, out io.Writer) error {
	if o.requests > perPerson*o.people {
		return fmt.Errorf("%d people may ask %d times a minute at most: give more -people", o.people, perPerson*o.people)
	}
	api, stop, err := playSlack()
	if err != nil {
		return err
	}
	defer stop()
	o.api = api
	empty, err := fillPeople(ctx, o)
	if err != nil {
		return err
	}
	alone, puts, err := withoutHTTP(ctx, o, empty)
	if err != nil {
		return err
	}
	r := commandResult{alone: alone}
	r.puts, r.bytes = sizes(puts)
	if r.sync, err = syncTime(o.dir); err != nil {
		return err
	}
	if err := takeTurns(ctx, o, empty, puts, &r); err != nil {
		return err
	}
	return r.print(out, o)
}

// fillPeople makes a state file with the people and nothing else.
func fillPeople(ctx context.Context, o options) (files, error) {
	f := filesIn(o.dir)
	db, err := f.open()
	if err != nil {
		return f, err
	}
	err = linkPeople(ctx, db, o.people, o.signedIn)
	return f, errors.Join(err, db.Close())
}

// in copies the files into a folder of their own.
func (f files) in(folder string) (files, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return files{}, err
	}
	to := filesIn(folder)
	return to, errors.Join(copyFile(f.state, to.state), copyFile(f.keys, to.keys))
}

// withoutHTTP measures the handler in this process, without the work behind it, and reads what the commands wrote.
func withoutHTTP(ctx context.Context, o options, empty files) (taken, [][]put, error) {
	f, err := empty.in(filepath.Join(o.dir, "alone"))
	if err != nil {
		return taken{}, nil, err
	}
	b, err := newBot(ctx, f, o)
	if err != nil {
		return taken{}, nil, err
	}
	by := intoHandler(b.handler)
	if err := warm(ctx, by, o); err != nil {
		return taken{}, nil, errors.Join(err, b.close())
	}
	end, err := profiled(o.profile)
	if err != nil {
		return taken{}, nil, errors.Join(err, b.close())
	}
	alone, err := send(ctx, by, 0, o.requests, o.parallel, stored, func(n int) string { return asking(n, o.people) })
	if err := errors.Join(err, end(), b.close()); err != nil {
		return taken{}, nil, err
	}
	puts, err := written(empty.state, f.state, o.requests)
	return alone, puts, err
}

func profiled(path string) (end func() error, err error) {
	if path == "" {
		return func() error { return nil }, nil
	}
	file, err := os.Create(path) //nolint:gosec // named by who measures
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return file.Close()
	}, nil
}

// warm has the bot look everybody up in Slack, which it does once in five minutes.
func warm(ctx context.Context, by way, o options) error {
	_, err := send(ctx, by, 0, o.people, o.parallel, "What you can type", func(n int) string { return typed(-n-1, n, "help") })
	return err
}
