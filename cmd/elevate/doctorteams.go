package main

import (
	"context"
	"slices"
	"strings"

	"elevate/adapters/teams"
	"elevate/internal/config"
	"elevate/internal/pim"
)

func (d *doctor) teams(ctx context.Context) {
	const about = "Microsoft Teams"
	t := d.cfg.Teams
	if t == nil {
		return
	}
	client, err := d.teamsClient()
	if err == nil {
		err = client.Inspect(ctx)
	}
	if err != nil {
		d.failed(about, "token and keys", err, "Check app_id, the credential and the addresses under teams in the settings.")
		return
	}
	d.says(about, "token and keys", fine, "obtained", "")
	for _, id := range d.places(func(p config.Place) string { return p.Teams }) {
		if err := client.Reaches(ctx, pim.Conversation{Chat: pim.Teams, Workspace: t.TenantID, ID: id}); err != nil {
			d.failed(about, "conversation "+id+d.usedBy(id), err, conversationMend(err))
			continue
		}
		d.says(about, "conversation "+id, fine, "the bot is there", "")
	}
}

// conversationMend is what to do about a conversation that cannot be written to.
func conversationMend(err error) string {
	switch pim.Explain(err).Kind { //nolint:exhaustive // the rest is about the app being there
	case pim.NotFound:
		return "Copy the conversation's id whole from the channel's link into the settings."
	case pim.Administered:
		return "Check teams.app_id, and the Azure Bot with it."
	}
	return "Install the app in that team or chat, or unblock it there; bots cannot post in private channels. Then `elevate queue retry all` has what waits sent at once."
}

// usedBy names the roles that have a place in Teams.
func (d *doctor) usedBy(id string) string {
	var names []string
	for _, r := range d.cfg.Roles {
		if slices.Contains([]string{r.Ask.Teams, r.Notify.Teams, r.Remind.Escalate.Teams}, id) {
			names = append(names, r.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return " of " + strings.Join(names, ", ")
}

func (d *doctor) teamsClient() (*teams.Client, error) {
	if d.teamsOwn != nil {
		return d.teamsOwn, nil
	}
	return newTeams(d.cfg, surroundings{now: d.now, transport: d.transport, log: d.log}, nothingKept{}, nothingKept{})
}

// nothingKept stands in where doctor only looks: no reference is known or kept, and no card is drawn.
type nothingKept struct{}

// Reference implements teams.References.
func (nothingKept) Reference(context.Context, string) (teams.Reference, bool, error) {
	return teams.Reference{}, false, nil
}

// KeepReference implements teams.References.
func (nothingKept) KeepReference(context.Context, teams.Reference) error { return nil }

// MAC implements teams.Codes.
func (nothingKept) MAC([]byte) []byte { return nil }

// Verify implements teams.Codes.
func (nothingKept) Verify([]byte, []byte) error {
	return pim.Errorf(pim.Forbidden, "No card is drawn here.")
}
