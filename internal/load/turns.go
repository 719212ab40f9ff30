package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"text/tabwriter"
	"time"
)

// commandResult is what was measured of commands.
type commandResult struct {
	alone, whole, plain, single taken
	cpu                         time.Duration // of the bot's process
	sync                        time.Duration
	puts, bytes                 int
}

// turns are the bot in a process of its own and bbolt, which get the same in turns.
type turns struct {
	o         options
	bot       *process
	by        way
	many, one plain // the puts as they are, and one of the same bytes for each command
}

// takeTurns measures the bot over HTTP, and bbolt while the bot's process stands still.
func takeTurns(ctx context.Context, o options, empty files, puts [][]put, r *commandResult) error {
	t := turns{o: o, many: plain{puts: puts}, one: plain{puts: inOne(puts)}}
	for name, p := range map[string]*plain{"many": &t.many, "one": &t.one} {
		f, err := empty.in(filepath.Join(o.dir, name))
		if err != nil {
			return err
		}
		if p.file, err = openPlain(f.state); err != nil {
			return err
		}
		defer p.file.Close() //nolint:errcheck // what it holds is not needed any more
	}
	f, err := empty.in(filepath.Join(o.dir, "whole"))
	if err != nil {
		return err
	}
	if t.bot, err = startBot(ctx, o, filepath.Dir(f.state)); err != nil {
		return err
	}
	t.by = overHTTP(t.bot.first, o.parallel)
	err = warm(ctx, t.by, o)
	if err == nil {
		err = t.all(ctx, r)
	}
	return errors.Join(err, t.bot.stop())
}

// startBot starts this program once more, as the bot.
func startBot(ctx context.Context, o options, folder string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return start(ctx, nil, self, "-dir", folder, "-api", o.api, "-latency", strconv.Itoa(o.latency), fmt.Sprintf("-effects=%t", o.effects), "bot")
}

func (t *turns) all(ctx context.Context, r *commandResult) error {
	for round := range t.o.rounds {
		first, end := t.o.requests*round/t.o.rounds, t.o.requests*(round+1)/t.o.rounds
		if err := t.elevate(ctx, first, end, r); err != nil {
			return err
		}
		if err := t.bbolt(first, end, r); err != nil {
			return err
		}
	}
	return nil
}

func (t *turns) elevate(ctx context.Context, first, end int, r *commandResult) error {
	before, err := t.bot.cpu()
	if err != nil {
		return err
	}
	got, err := send(ctx, t.by, first, end, t.o.parallel, stored, func(n int) string { return asking(n, t.o.people) })
	if err != nil {
		return err
	}
	r.whole.add(got)
	after, err := t.bot.cpu()
	r.cpu += after - before
	return err
}

func (t *turns) bbolt(first, end int, r *commandResult) error {
	if err := t.bot.freeze(true); err != nil {
		return err
	}
	many, err := t.many.run(first, end)
	if err == nil {
		r.plain.add(many)
		var one taken
		one, err = t.one.run(first, end)
		r.single.add(one)
	}
	return errors.Join(err, t.bot.freeze(false))
}

func (r *commandResult) print(out io.Writer, o options) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	ms := func(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }
	fmt.Fprintf(w, "%d commands of %d people, %d at a time; %d puts and %d bytes each; fsync %s\n", o.requests, o.people, o.parallel, r.puts, r.bytes, ms(r.sync))
	fmt.Fprintf(w, "\trate\tp50\tp99\tcommands a CPU-second\n")
	fmt.Fprintf(w, "whole path over HTTP\t%.0f/s\t%s\t%s\t%.0f\n", r.whole.rate(), ms(r.whole.percentile(0.5)), ms(r.whole.percentile(0.99)), float64(o.requests)/r.cpu.Seconds())
	fmt.Fprintf(w, "the handler alone\t%.0f/s\t%s\t%s\t\n", r.alone.rate(), ms(r.alone.percentile(0.5)), ms(r.alone.percentile(0.99)))
	fmt.Fprintf(w, "bbolt, the same puts, 64 commands a transaction\t%.0f/s\t\t\t\n", r.plain.rate())
	fmt.Fprintf(w, "bbolt, one put of the same bytes, 64 a transaction\t%.0f/s\t\t\t\n", r.single.rate())
	fmt.Fprintf(w, "whole path : the same puts\t%.2f\t\t\t\n", r.whole.rate()/r.plain.rate())
	fmt.Fprintf(w, "whole path : one put\t%.2f\t\t\t\n", r.whole.rate()/r.single.rate())
	return w.Flush()
}
