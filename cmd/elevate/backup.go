package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/peterbourgon/ff/v3/ffcli"
)

func (p program) backupCommand() *ffcli.Command {
	set := p.flags("backup")
	path := set.String("config", "", "the settings `FILE` (required)")
	return &ffcli.Command{
		Name: "backup", ShortUsage: "elevate backup -config FILE TO|-", FlagSet: set,
		ShortHelp: "write a consistent copy of the state, without sessions, to a new file or to standard output",
		Exec: func(ctx context.Context, args []string) error {
			if len(args) != 1 {
				return usagef("say where the backup goes: elevate backup -config FILE TO, or - for standard output")
			}
			return p.backup(ctx, *path, args[0])
		},
	}
}

// backup writes the copy as the user who asked for it, whoever serves. A copy
// that is not whole does not stay.
func (p program) backup(ctx context.Context, path, to string) error {
	const use = "To use it, put it in the state file's place and start `elevate serve -restored`."
	if to == "-" {
		if err := p.operate(ctx, path, order{Words: []string{"backup"}, room: os.TempDir()}, p.out); err != nil {
			return fmt.Errorf("what was written is no backup: %w", err)
		}
		fmt.Fprintf(p.errs, "Wrote a backup without sessions. %s\n", use)
		return nil
	}
	file, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the operator names the file
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%s exists already and was not touched; name a new file", to)
	case err != nil:
		return fmt.Errorf("making the backup's file: %w", err)
	}
	err = p.operate(ctx, path, order{Words: []string{"backup"}, room: filepath.Dir(to)}, file)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, os.Remove(to))
	}
	_, err = fmt.Fprintf(p.out, "Wrote a backup without sessions to %s. %s\n", to, use)
	return err
}
