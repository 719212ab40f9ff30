package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"
)

const (
	// eachBusy is how many ended requests each of the busy people has.
	eachBusy = 10_000
	// busyMost is how many busy people there are at most; a history of N has N/2/eachBusy.
	busyMost = 50
)

// contender is a bot in a process of its own, with its own history. They take turns, and stand still meanwhile.
type contender struct {
	title  string
	stored int
	bot    *process
	by     way

	asked, listed, busy effort
}

// effort is what a number of commands took, and the processor time of the bot.
type effort struct {
	taken
	cpu time.Duration
}

// measureHistory has the same people type the same to bots that differ in nothing but their history: none, a tenth, and
// all of it. Half of it is spread over those people, half belongs to few, who are busy.
func measureHistory(ctx context.Context, o options, out io.Writer) error {
	if o.requests > perPerson*o.people {
		return fmt.Errorf("%d people may ask %d times a minute at most: give more -people", o.people, perPerson*o.people)
	}
	api, stop, err := playSlack()
	if err != nil {
		return err
	}
	defer stop()
	o.api = api
	all := []*contender{{title: "nothing"}, {stored: o.stored / 10}, {stored: o.stored}}
	for _, c := range all {
		if err := c.start(ctx, o); err != nil {
			return errors.Join(err, stopAll(all))
		}
	}
	err = takeHistoryTurns(ctx, o, all)
	if err := errors.Join(err, stopAll(all)); err != nil {
		return err
	}
	return printHistory(out, o, all)
}

// start fills a state file and starts a bot on it, which stands still.
func (c *contender) start(ctx context.Context, o options) error {
	if c.title == "" {
		c.title = fmt.Sprintf("%d ended", c.stored)
	}
	folder := filepath.Join(o.dir, fmt.Sprint("history-", c.stored))
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	f := filesIn(folder)
	if err := fillLinks(ctx, f, o.people+busyMost); err != nil {
		return err
	}
	ended := past{requests: c.stored, of: func(i int) int { return ofHistory(i, o.people) }}
	if err := ended.fill(ctx, f); err != nil {
		return err
	}
	var err error
	if c.bot, err = startBot(ctx, o, folder); err != nil {
		return err
	}
	c.by = overHTTP(c.bot.first, o.parallel)
	_, err = send(ctx, c.by, 0, o.people+busyMost, o.parallel, "What you can type", func(n int) string { return typed(-n-1, n, "help") })
	return errors.Join(err, c.bot.freeze(true))
}

func fillLinks(ctx context.Context, f files, people int) error {
	db, err := f.openWith(io.Discard)
	if err != nil {
		return err
	}
	return errors.Join(linkPeople(ctx, db, people, true), db.Close())
}

// ofHistory says whose the i-th request is: the odd ones belong to one busy person after the other.
func ofHistory(i, people int) int {
	if i%2 == 0 {
		return i / 2 % people
	}
	return people + i/2/eachBusy%busyMost
}

func takeHistoryTurns(ctx context.Context, o options, all []*contender) error {
	busy := max(1, min(busyMost, o.stored/2/eachBusy))
	for round := range o.rounds {
		first, end := o.requests*round/o.rounds, o.requests*(round+1)/o.rounds
		asks := func(n int) string { return asking(n, o.people) }
		lists := func(n int) string { return typed(o.requests+n, o.people+n%busy, "status") }
		for _, c := range all {
			if err := c.turn(ctx, o, &c.asked, first, end, stored, asks); err != nil {
				return err
			}
			if err := c.turn(ctx, o, &c.listed, first/4, end/4, "equests", lists); err != nil {
				return err
			}
		}
	}
	// Busy people may ask no more often than others do.
	asks := func(n int) string {
		return typed(2*o.requests+n, o.people+n%busy, fmt.Sprintf("role-%02d isolating WS-042 after the alert of this morning", n/busy))
	}
	for _, c := range all {
		if err := c.turn(ctx, o, &c.busy, 0, perPerson*busy, stored, asks); err != nil {
			return err
		}
	}
	return nil
}

// turn has one bot answer the commands from first up to end, while the others stand still.
func (c *contender) turn(ctx context.Context, o options, to *effort, first, end int, words string, body func(int) string) error {
	if err := c.bot.freeze(false); err != nil {
		return err
	}
	before, err := c.bot.cpu()
	if err != nil {
		return err
	}
	got, err := send(ctx, c.by, first, end, o.parallel, words, body)
	if err != nil {
		return err
	}
	after, err := c.bot.cpu()
	to.add(got)
	to.cpu += after - before
	return errors.Join(err, c.bot.freeze(true))
}

func stopAll(all []*contender) error {
	var errs []error
	for _, c := range all {
		if c.bot != nil {
			errs = append(errs, c.bot.freeze(false), c.bot.stop())
		}
	}
	return errors.Join(errs...)
}

func printHistory(out io.Writer, o options, all []*contender) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%d people, %d at a time; half of a history belongs to people with %d ended requests each\n", o.people, o.parallel, eachBusy)
	for _, kind := range []struct {
		title string
		of    func(*contender) *effort
		from  int // without a history `status` has nothing to list
	}{
		{"asking", func(c *contender) *effort { return &c.asked }, 0},
		{"asking, by busy people", func(c *contender) *effort { return &c.busy }, 0},
		{"status, of busy people", func(c *contender) *effort { return &c.listed }, 1},
	} {
		fmt.Fprintf(w, "\n%s\trate\tratio\tp50\tp99\tprocessor each\n", kind.title)
		none := kind.of(all[kind.from]).rate()
		for _, c := range all[kind.from:] {
			e := kind.of(c)
			fmt.Fprintf(w, "%s\t%.0f/s\t%.2f\t%s\t%s\t%s\n", c.title, e.rate(), e.rate()/none,
				e.percentile(0.5).Round(100*time.Microsecond), e.percentile(0.99).Round(100*time.Microsecond),
				(e.cpu / time.Duration(len(e.waited))).Round(time.Microsecond))
		}
	}
	return w.Flush()
}
