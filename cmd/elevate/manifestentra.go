package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/peterbourgon/ff/v3/ffcli"

	"elevate/internal/config"
	"elevate/manifests"
)

// manifestOfEntra writes the manifest of the bot's own registration and prints what is to be done with it. The address can be given
// by itself: the settings are complete only once the registration has a client id.
func (p program) manifestOfEntra() *ffcli.Command {
	set := p.flags("entra")
	path := set.String("config", "", "the settings `FILE`")
	public := set.String("public-url", "", "the `URL` under which browsers reach Elevate, in the place of -config")
	out := set.String("out", "", "the `FILE` to write, which must not be there yet; - is standard output, without the steps")
	return &ffcli.Command{
		Name: "entra", ShortUsage: "elevate manifest entra (-config FILE | -public-url URL) -out FILE", FlagSet: set,
		ShortHelp: "the manifest of Elevate's own registration in Entra, and the steps to register it",
		Exec: func(_ context.Context, args []string) error {
			if err := noWords(args); err != nil {
				return err
			}
			if *out == "" || (*path == "") == (*public == "") {
				return usagef("say where Elevate is reached and where to: elevate manifest entra -config FILE -out FILE, or with -public-url URL in the place of -config")
			}
			at, err := p.entraHost(*path, *public)
			if err != nil {
				return err
			}
			manifest, steps, err := entraManifest(at)
			if err != nil {
				return err
			}
			if err := p.writeOut(*out, manifest); err != nil || *out == "-" {
				return err
			}
			_, err = fmt.Fprintf(p.out, "\n%s", steps)
			return err
		},
	}
}

func (p program) entraHost(path, public string) (string, error) {
	if path != "" {
		cfg, err := p.load(path, config.NoSecrets(), config.MayHaveNoRoles())
		if err != nil {
			return "", err
		}
		return host(cfg)
	}
	u, err := url.Parse(public)
	if err != nil || u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return "", errors.New("-public-url takes an address without a path, as in https://elevate.example.com")
	}
	return u.Host, nil
}

func entraManifest(at string) (manifest, steps []byte, err error) {
	for name, into := range map[string]*[]byte{"manifest.json": &manifest, "steps.md": &steps} {
		raw, err := manifests.Files.ReadFile("entra/" + name)
		if err != nil {
			return nil, nil, err
		}
		*into = bytes.ReplaceAll(raw, []byte(exampleHost), []byte(at))
	}
	return manifest, steps, nil
}
