package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"

	"elevate/internal/config"
	"elevate/internal/report"
)

// wantedReport is what was typed.
type wantedReport struct {
	config, from, to, zone, out string
	force                       bool
}

func (p program) reportCommand() *ffcli.Command {
	var w wantedReport
	set := p.flags("report")
	set.StringVar(&w.config, "config", "", "the settings `FILE` (required)")
	set.StringVar(&w.from, "from", "", "the first day, a `DATE` as in 2026-11-01 (required)")
	set.StringVar(&w.to, "to", "", "the day after the last one, a `DATE` as in 2026-12-01 (required)")
	set.StringVar(&w.zone, "zone", "UTC", "the time `ZONE` in which days begin and times are shown, as in Europe/Berlin")
	set.StringVar(&w.out, "out", "", "the page's `FILE`, whose name ends with .html; a .csv and a .json come beside it (required)")
	set.BoolVar(&w.force, "force", false, "write over files that are there")
	return &ffcli.Command{
		Name: "report", ShortUsage: "elevate report -config FILE -from DATE -to DATE -out FILE.html [-zone ZONE] [-force]", FlagSet: set,
		ShortHelp: "write for auditors who held what, when, why and by whose decision: a page, a CSV and a JSON file",
		Exec: func(ctx context.Context, args []string) error {
			if err := noWords(args); err != nil {
				return err
			}
			return p.report(ctx, w)
		},
	}
}

// period reads the days, which begin at midnight in the zone.
func (w wantedReport) period() (report.Period, *time.Location, error) {
	var p report.Period
	zone, err := time.LoadLocation(w.zone)
	if err != nil || w.zone == "" || zone == time.Local {
		return p, nil, usagef("-zone is %q, and there is no such time zone. It takes a name like UTC or Europe/Berlin.", w.zone)
	}
	for _, d := range []struct {
		flag, text string
		into       *time.Time
	}{{"-from", w.from, &p.From}, {"-to", w.to, &p.To}} {
		at, err := time.ParseInLocation(time.DateOnly, d.text, zone)
		switch {
		case d.text == "":
			return p, nil, usagef("say which period: -from DATE -to DATE, each as in 2026-11-01. The day of -from belongs to it, the day of -to does not.")
		case err != nil:
			return p, nil, usagef("%s is %q, which is no date. It takes one as in 2026-11-01.", d.flag, d.text)
		}
		*d.into = at
	}
	if !p.From.Before(p.To) {
		return p, nil, usagef("-to is not later than -from, so the period has no day. The day of -to does not belong to it: for all of November, say -from 2026-11-01 -to 2026-12-01.")
	}
	return p, zone, nil
}

// files are the report's: the page, and what comes beside it.
func (w wantedReport) files() ([]string, error) {
	base, ended := strings.CutSuffix(w.out, ".html")
	if !ended || base == "" || strings.HasSuffix(base, string(filepath.Separator)) {
		return nil, usagef("say where the page goes: -out FILE, with a name that ends with .html. The .csv and the .json come beside it.")
	}
	return []string{w.out, base + ".csv", base + ".json"}, nil
}

// report writes the three files, all or none of them.
func (p program) report(ctx context.Context, w wantedReport) error {
	period, zone, err := w.period()
	if err != nil {
		return err
	}
	names, err := w.files()
	if err != nil {
		return err
	}
	if err := w.free(names); err != nil {
		return err
	}
	cfg, err := p.load(w.config, config.KeysetOnly())
	if err != nil {
		return err
	}
	titles := map[string]string{}
	for _, role := range cfg.Roles {
		titles[role.Name] = role.Title
	}
	r, err := p.gathered(ctx, w.config, period, zone, titles)
	if err != nil {
		return err
	}
	if err := w.write(names, []func(io.Writer) error{r.HTML, r.CSV, r.JSON}); err != nil {
		return err
	}
	requests, alarms := r.Size()
	_, err = fmt.Fprintf(p.out, "Wrote %s, %s and %s: requests %d, alarms %d.\n", names[0], names[1], names[2], requests, alarms)
	return err
}

// gathered asks the running serve, or the file, and reads the answer as it comes.
func (p program) gathered(ctx context.Context, path string, period report.Period, zone *time.Location, titles map[string]string) (*report.Report, error) {
	asked, err := json.Marshal(period)
	if err != nil {
		return nil, err
	}
	lines, into := io.Pipe()
	said := make(chan error, 1)
	go func() {
		err := p.operate(ctx, path, order{Words: []string{"report", string(asked)}}, into)
		said <- errors.Join(err, into.CloseWithError(err))
	}()
	r, err := gather(lines, period, zone, titles)
	_ = lines.CloseWithError(err) // who still writes ends
	if refused := <-said; refused != nil {
		return nil, refused
	}
	return r, err
}

// free refuses files that are there already.
func (w wantedReport) free(names []string) error {
	for _, name := range names {
		switch _, err := os.Lstat(name); {
		case err == nil && !w.force:
			return fmt.Errorf("%s exists already, and nothing was written. Name another file, or say -force to write over it", name)
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("the report cannot be written: %w", err)
		}
	}
	return nil
}

// write makes all files beside their names, for their owner only, and gives them their names at the end.
func (w wantedReport) write(names []string, contents []func(io.Writer) error) (err error) {
	var made []string
	defer func() {
		for _, name := range made {
			if e := os.Remove(name); !errors.Is(e, fs.ErrNotExist) {
				err = errors.Join(err, e)
			}
		}
	}()
	for i, name := range names {
		file, err := os.CreateTemp(filepath.Dir(name), ".elevate-report-*")
		if err != nil {
			return fmt.Errorf("the report cannot be written: %w", err)
		}
		made = append(made, file.Name())
		lines := bufio.NewWriter(file)
		if err := errors.Join(contents[i](lines), lines.Flush(), file.Sync(), file.Close()); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
	}
	// Somebody may have made one of them meanwhile.
	if err := w.free(names); err != nil {
		return err
	}
	for i, name := range names {
		if err := os.Rename(made[i], name); err != nil {
			return fmt.Errorf("giving the report its name: %w", err)
		}
	}
	return nil
}
