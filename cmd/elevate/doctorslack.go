package main

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"elevate/adapters/slack"
	"elevate/internal/config"
	"elevate/manifests"
)

func (d *doctor) slack(ctx context.Context) {
	const about = "Slack"
	s := d.cfg.Slack
	if s == nil {
		return
	}
	client := d.slackOwn
	if client == nil {
		client = slack.NewClient(slack.Config{
			BotToken: s.BotToken, AppToken: s.AppToken, API: s.API, TeamID: s.TeamID, Transport: d.transport, Now: d.now, Logger: d.log, Sandbox: d.cfg.Sandbox,
		})
	}
	if !client.Started() {
		if err := client.Start(ctx); err != nil {
			d.failed(about, "bot token", err, "Check slack.bot_token and slack.team_id in the settings.")
			return
		}
	}
	d.says(about, "bot token", fine, "of the workspace "+client.WorkspaceName(), "")
	have, err := client.Scopes(ctx)
	want, err2 := slackScopes()
	if err != nil || err2 != nil {
		d.failed(about, "scopes", cmp.Or(err, err2), "")
	} else {
		d.scopes(about, have, want)
	}
	for _, at := range d.places(func(p config.Place) string { return p.Slack }) {
		d.channel(ctx, client, about, at)
	}
}

// slackScopes are the bot's scopes of the manifest.
func slackScopes() ([]string, error) {
	raw, err := manifests.Files.ReadFile("slack/manifest.yaml")
	var m struct {
		OAuth struct {
			Scopes struct {
				Bot []string `yaml:"bot"`
			} `yaml:"scopes"`
		} `yaml:"oauth_config"`
	}
	if err == nil {
		err = yaml.Unmarshal(raw, &m)
	}
	return m.OAuth.Scopes.Bot, err
}

func (d *doctor) scopes(about string, have, want []string) {
	lacks := slices.DeleteFunc(slices.Clone(want), func(s string) bool { return slices.Contains(have, s) })
	more := slices.DeleteFunc(slices.Clone(have), func(s string) bool { return slices.Contains(want, s) })
	if len(lacks) > 0 {
		d.says(about, "scopes", wrong, "the token lacks "+strings.Join(lacks, ", "), "Add them on the app's page OAuth & Permissions and install the app again.")
	}
	if len(more) > 0 {
		d.says(about, "scopes", warning, "the token has more than Elevate needs: "+strings.Join(more, ", "), "Take them away on the app's page OAuth & Permissions.")
	}
	if len(lacks)+len(more) == 0 {
		d.says(about, "scopes", fine, "those of the manifest", "")
	}
}

func (d *doctor) channel(ctx context.Context, client *slack.Client, about, id string) {
	at, err := client.Channel(ctx, id)
	what := "channel " + id
	if at.Name != "" {
		what = "channel #" + at.Name
	}
	switch {
	case err != nil:
		d.failed(about, what, err, "Check the id in the settings, and invite the bot into the channel.")
	case at.Archived:
		d.says(about, what, wrong, "it is archived", "Name another channel in the settings.")
	case at.Shared:
		d.says(about, what, wrong, "it is shared with another organisation, so nothing is posted there", "Name a channel of your own.")
	case !at.Member:
		d.says(about, what, wrong, "the bot is not in it", "Type /invite @elevate there.")
	default:
		d.says(about, what, fine, "joined", "")
	}
}
