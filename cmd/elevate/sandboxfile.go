package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"text/template"
	"time"

	"elevate/internal/keyset"
	"elevate/internal/pim"
	"elevate/internal/sim"
)

// What stands in a sandbox's directory besides the sandbox's own files.
const (
	settingsFile = "elevate.yaml"
	keysetFile   = "keyset.json"
	stateFile    = "state/elevate.db"
	socketFile   = "run/admin.sock"
	secretsDir   = "secrets"
)

//go:embed sandbox.yaml.tmpl
var sandboxYAML string

// sandboxSettings is what the template of the settings is filled with.
type sandboxSettings struct {
	sim.Settings

	Home string
}

// Path is where a file of the directory is.
func (s sandboxSettings) Path(name string) string { return filepath.Join(s.Home, name) }

// Secret is a reference to a file of the directory.
func (s sandboxSettings) Secret(name string) string {
	return "file:" + filepath.Join(s.Home, secretsDir, name)
}

// writeSandboxFiles writes the settings that fit a running sandbox, its secrets
// and, unless there is one, a keyset. The settings are written anew each time:
// the ports may be others.
func writeSandboxFiles(home string, settings sim.Settings) error {
	for _, dir := range []string{secretsDir, filepath.Dir(stateFile), filepath.Dir(socketFile)} {
		if err := os.MkdirAll(filepath.Join(home, dir), 0o700); err != nil {
			return fmt.Errorf("making the sandbox's directory: %w", err)
		}
	}
	for name, secret := range sandboxSecrets(settings) {
		if err := replaceFile(filepath.Join(home, secretsDir, name), []byte(secret+"\n")); err != nil {
			return fmt.Errorf("writing the sandbox's secrets: %w", err)
		}
	}
	if err := writeSandboxKeyset(filepath.Join(home, keysetFile)); err != nil {
		return fmt.Errorf("writing the sandbox's keyset: %w", err)
	}
	content, err := renderSettings(sandboxSettings{Settings: settings, Home: home})
	if err != nil {
		return err
	}
	return replaceFile(filepath.Join(home, settingsFile), content)
}

// sandboxSecrets are the secrets by the name of their file.
func sandboxSecrets(s sim.Settings) map[string]string {
	secrets := map[string]string{
		"entra-client": s.Entra.ClientSecret, "slack-signing": s.Slack.SigningSecret,
		"slack-bot": s.Slack.BotToken, "slack-client": s.Slack.ClientSecret, "pagerduty": s.PagerDuty.Token,
	}
	if s.Teams.ClientSecret != "" {
		secrets["teams-client"] = s.Teams.ClientSecret
	}
	if s.Slack.AppToken != "" {
		secrets["slack-app"] = s.Slack.AppToken
	}
	return secrets
}

func writeSandboxKeyset(path string) error {
	set, err := keyset.New(time.Now())
	if err != nil {
		return err
	}
	content, err := set.Encode()
	if err != nil {
		return err
	}
	if err := writeNew(path, []byte(content.Reveal())); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// renderSettings fills the template. A text in JSON's quotes is one in YAML, too.
func renderSettings(s sandboxSettings) ([]byte, error) {
	quoted := func(v any) (string, error) {
		raw, err := json.Marshal(v)
		return string(raw), err
	}
	t, err := template.New(settingsFile).Funcs(template.FuncMap{"q": quoted, "length": pim.TypedDuration}).Parse(sandboxYAML)
	if err != nil {
		return nil, fmt.Errorf("reading the template of the settings: %w", err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, s); err != nil {
		return nil, fmt.Errorf("writing the settings: %w", err)
	}
	return out.Bytes(), nil
}
