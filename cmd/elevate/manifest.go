package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/peterbourgon/ff/v3/ffcli"

	"elevate/internal/config"
	"elevate/manifests"
)

// exampleHost and exampleApp stand in the manifests for what an installation has.
const (
	exampleHost = "elevate.example.com"
	exampleApp  = "11111111-1111-4111-8111-111111111111"
)

// manifestFlags are what the chats' manifests are made with.
type manifestFlags struct {
	config, out string
	socketMode  bool
}

func (p program) manifestCommand() *ffcli.Command {
	c := &ffcli.Command{
		Name: "manifest", ShortUsage: "elevate manifest <slack|teams|entra> -config FILE -out FILE", FlagSet: p.flags("manifest"),
		ShortHelp: "write the app manifest for this installation",
		Subcommands: []*ffcli.Command{
			p.manifestOf("slack", "the Slack app's manifest, for api.slack.com/apps", slackManifest),
			p.manifestOf("teams", "the Teams app package, a zip to upload in the Teams admin center", teamsPackage),
			p.manifestOfEntra(),
		},
	}
	c.Exec = p.group(c)
	return c
}

func (p program) manifestOf(chat, what string, write func(*config.Config, manifestFlags, io.Writer) error) *ffcli.Command {
	var f manifestFlags
	flags := p.flags(chat)
	flags.StringVar(&f.config, "config", "", "the settings `FILE`")
	flags.StringVar(&f.out, "out", "", "the `FILE` to write, which must not be there yet; - is standard output")
	if chat == "slack" {
		flags.BoolVar(&f.socketMode, "socket-mode", false, "for Socket Mode: without addresses that Slack would call")
	}
	return &ffcli.Command{
		Name: chat, ShortUsage: "elevate manifest " + chat + " -config FILE -out FILE", ShortHelp: what, FlagSet: flags,
		Exec: func(_ context.Context, args []string) error {
			if err := noWords(args); err != nil {
				return err
			}
			if f.config == "" || f.out == "" {
				return usagef("say which settings and where to: elevate manifest %s -config FILE -out FILE", chat)
			}
			cfg, err := p.load(f.config, config.NoSecrets())
			if err != nil {
				return err
			}
			var made bytes.Buffer
			if err := write(cfg, f, &made); err != nil {
				return err
			}
			return p.writeOut(f.out, made.Bytes())
		},
	}
}

// writeOut writes a file that is not there yet: what is there may be somebody's.
func (p program) writeOut(path string, content []byte) error {
	if path == "-" {
		_, err := p.out.Write(content)
		return err
	}
	switch err := writeNew(path, content); {
	case errors.Is(err, fs.ErrExist):
		return errExists(path)
	case err != nil:
		return fmt.Errorf("%s cannot be written: %w. See that its folder is there, yours to write in and not full, or name another file with -out, or -out - for standard output", path, bare(err))
	}
	_, err := fmt.Fprintf(p.out, "Wrote %s.\n", path)
	return err
}

func errExists(path string) error {
	return fmt.Errorf("%s exists already, so nothing was written. Name another file with -out, or move that one away", path)
}

// host is what browsers, Slack and Teams reach.
func host(cfg *config.Config) (string, error) {
	u, err := url.Parse(cfg.PublicURL)
	if err != nil || u.Host == "" {
		return "", errors.New("public_url is needed: the manifest names it")
	}
	return u.Host, nil
}

func slackManifest(cfg *config.Config, f manifestFlags, out io.Writer) error {
	at, err := host(cfg)
	if err != nil {
		return err
	}
	if cfg.Slack == nil {
		return errors.New("the settings have no slack: section, so there is no Slack app to describe")
	}
	raw, err := manifests.Files.ReadFile("slack/manifest.yaml")
	if err != nil {
		return err
	}
	if f.socketMode {
		if raw, err = socketMode(raw); err != nil {
			return err
		}
	}
	_, err = out.Write(bytes.ReplaceAll(raw, []byte(exampleHost), []byte(at)))
	return err
}

// socketMode takes the request addresses out of a manifest: Slack refuses them
// beside Socket Mode's switch being on and no public address.
func socketMode(raw []byte) ([]byte, error) {
	var m yaml.MapSlice
	if err := yaml.UnmarshalWithOptions(raw, &m, yaml.UseOrderedMap()); err != nil {
		return nil, fmt.Errorf("reading the manifest: %w", err)
	}
	return yaml.Marshal(withoutAddresses(m))
}

func withoutAddresses(node any) any {
	switch v := node.(type) {
	case yaml.MapSlice:
		kept := yaml.MapSlice{}
		for _, item := range v {
			if item.Key == "request_url" || item.Key == "url" {
				continue
			}
			if item.Key == "socket_mode_enabled" {
				item.Value = true
			}
			item.Value = withoutAddresses(item.Value)
			kept = append(kept, item)
		}
		return kept
	case []any:
		for i := range v {
			v[i] = withoutAddresses(v[i])
		}
	}
	return node
}

// teamsPackage writes the zip that Teams takes: the manifest and two icons.
func teamsPackage(cfg *config.Config, _ manifestFlags, out io.Writer) error {
	at, err := host(cfg)
	if err != nil {
		return err
	}
	if cfg.Teams == nil {
		return errors.New("the settings have no teams: section, so there is no Teams app to describe")
	}
	raw, err := manifests.Files.ReadFile("teams/manifest.json")
	if err != nil {
		return err
	}
	filled, err := fillTeams(raw, at, cfg.Teams.AppID)
	if err != nil {
		return err
	}
	return packTeams(out, filled)
}

// fillTeams puts an installation's host and app into the manifest.
func fillTeams(raw []byte, at, appID string) ([]byte, error) {
	text := strings.NewReplacer(exampleHost, at, exampleApp, strings.ToLower(appID)).Replace(string(raw))
	var m map[string]any
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return nil, fmt.Errorf("reading the manifest: %w", err)
	}
	name, _, _ := strings.Cut(at, ":") // validDomains take no port
	m["validDomains"] = []string{name}
	return json.MarshalIndent(m, "", "  ")
}

// packTeams writes the manifest and the icons into one zip.
func packTeams(out io.Writer, manifest []byte) error {
	z := zip.NewWriter(out)
	for _, part := range []string{"manifest.json", "color.png", "outline.png"} {
		content := manifest
		if part != "manifest.json" {
			var err error
			if content, err = manifests.Files.ReadFile("teams/" + part); err != nil {
				return err
			}
		}
		w, err := z.CreateHeader(&zip.FileHeader{Name: part, Method: zip.Deflate, Modified: time.Now()})
		if err != nil {
			return err
		}
		if _, err := w.Write(content); err != nil {
			return err
		}
	}
	return z.Close()
}
