package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"

	"elevate/internal/keyset"
	"elevate/internal/secret"
)

func (p program) keysetCommand() *ffcli.Command {
	c := &ffcli.Command{
		Name: "keyset", ShortUsage: "elevate keyset <new|rotate> FILE", FlagSet: p.flags("keyset"),
		ShortHelp: "make or rotate the keys that seal sessions and sign the audit trail",
		Subcommands: []*ffcli.Command{
			{
				Name: "new", ShortUsage: "elevate keyset new FILE", ShortHelp: "write a new keyset to FILE, which must not exist",
				FlagSet: p.flags("new"), Exec: p.keysetNew,
			},
			{
				Name: "rotate", ShortUsage: "elevate keyset rotate FILE", ShortHelp: "add a new primary key; what older keys sealed stays readable",
				FlagSet: p.flags("rotate"), Exec: p.keysetRotate,
			},
		},
	}
	c.Exec = p.group(c)
	return c
}

func (p program) keysetNew(_ context.Context, args []string) error {
	if len(args) != 1 {
		return usagef("say where the keyset goes: elevate keyset new FILE")
	}
	set, err := keyset.New(time.Now())
	if err != nil {
		return err
	}
	content, err := set.Encode()
	if err != nil {
		return err
	}
	if err := writeNew(args[0], []byte(content.Reveal())); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s exists already; a keyset that is lost cannot be made again, so nothing was overwritten", args[0])
		}
		if folder := filepath.Dir(args[0]); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("there is no folder %s; make it first, for its owner only: install -d -m 0700 %s", folder, shellWord(folder))
		}
		return err
	}
	_, err = fmt.Fprintf(p.out, "Wrote a new keyset to %s. Keep a copy in a safe place: without it no session opens and the audit trail cannot be verified.\n", args[0])
	return err
}

func (p program) keysetRotate(_ context.Context, args []string) error {
	if len(args) != 1 {
		return usagef("say which keyset: elevate keyset rotate FILE")
	}
	old, err := readKeyset(args[0])
	if err != nil {
		return err
	}
	set, err := old.Rotate(time.Now())
	if err != nil {
		return err
	}
	content, err := set.Encode()
	if err != nil {
		return err
	}
	if err := replaceFile(args[0], []byte(content.Reveal())); err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.out, "Added a new primary key to %s. Restart `elevate serve` to use it; older keys stay for what they sealed.\n", args[0])
	return err
}

func readKeyset(path string) (*keyset.Set, error) {
	if err := keyset.CheckMode(path); err != nil {
		return nil, err
	}
	content, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, err
	}
	return keyset.Load(secret.New(string(content)))
}

// writeNew writes a file that must not exist, readable by its owner only.
func writeNew(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the operator names the file
	if err != nil {
		return err
	}
	return writeAndClose(f, content)
}

// replaceFile puts a new content in the place of a file, at once or not at all.
func replaceFile(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".elevate-*")
	if err != nil {
		return err
	}
	if err := writeAndClose(f, content); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return os.Rename(f.Name(), path)
}

func writeAndClose(f *os.File, content []byte) error {
	_, err := f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
