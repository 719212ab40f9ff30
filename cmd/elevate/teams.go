package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"elevate/adapters/entra"
	"elevate/adapters/teams"
	"elevate/internal/config"
	"elevate/internal/pim"
	"elevate/internal/store"
)

func (b *bot) wireTeams() error {
	if b.cfg.Teams == nil {
		return nil
	}
	var err error
	b.teams, err = newTeams(b.cfg, b.around, references{b.db}, b.keys)
	return err
}

// newTeams makes the half that speaks to Teams. It calls nobody.
func newTeams(cfg *config.Config, around surroundings, kept teams.References, codes teams.Codes) (*teams.Client, error) {
	t := cfg.Teams
	credential, err := entra.NewAppCredential(entra.CredentialConfig{
		TenantID: t.TenantID, ClientID: t.AppID, Authority: cfg.Entra.Authority, Secret: t.ClientSecret, Certificate: t.Certificate,
		Federated: entra.Federated(t.Federated), Transport: around.transport, Sandbox: cfg.Sandbox,
	})
	if err != nil {
		return nil, fmt.Errorf("the credential under teams in the settings: %w", err) // entra has one, too
	}
	return teams.NewClient(teams.Config{
		AppID: t.AppID, TenantID: t.TenantID, Metadata: t.OpenIDMetadata, ServiceURL: t.ServiceURL, Credential: credential,
		Hosts: config.ConnectorHosts(), MetadataHosts: config.BotFrameworkHosts(), References: kept, Codes: codes,
		Transport: around.transport, Now: around.now, TokenNow: time.Now, Logger: around.log, Sandbox: cfg.Sandbox,
	})
}

func (b *bot) wireFromTeams() {
	if b.teams == nil {
		return
	}
	b.fromTeams = teams.NewHandler(teams.HandlerConfig{
		Client: b.teams, Service: b.service, Now: b.around.now, Logger: b.around.log, Count: b.meters.refused,
		Places: b.teamsPlaces(), Reopened: b.service.Reopened,
	})
}

// teamsPlaces are the places in Teams that the settings name.
func (b *bot) teamsPlaces() []pim.Conversation {
	var all []pim.Conversation
	for _, r := range b.cfg.Roles {
		for _, p := range []config.Place{r.Ask.Place, r.Notify, r.Remind.Escalate.Place} {
			for _, to := range b.places(p) {
				if to.Chat == pim.Teams && !slices.Contains(all, to) {
					all = append(all, to)
				}
			}
		}
	}
	return all
}

// references keep in the state file where Teams can be written to.
type references struct{ db *store.DB }

func referenceKey(key string) string { return "teams " + key }

// Reference returns the reference of a conversation or person.
func (r references) Reference(_ context.Context, key string) (found teams.Reference, there bool, err error) {
	err = r.db.View(func(tx *store.Tx) error {
		there, err = tx.Meta(referenceKey(key), &found)
		return err
	})
	return found, there, err
}

// KeepReference stores it in the place of the one of its key.
func (r references) KeepReference(ctx context.Context, reference teams.Reference) error {
	return r.db.Update(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		return tx.PutMeta(referenceKey(reference.Key), reference)
	})
}

// reaches returns the account of a person who can be written to in Teams.
func (b *bot) reaches(tx *store.Tx, id pim.PrincipalID) ([]pim.ChatAccount, error) {
	if b.teams == nil {
		return nil, nil
	}
	r, known, err := chatWith(tx, id)
	if err != nil || !known || r.Refuses(tx.Now()) {
		return nil, err
	}
	return []pim.ChatAccount{{Chat: pim.Teams, Workspace: b.cfg.Teams.TenantID, User: string(id)}}, nil
}

// chatWith is a person's chat with the bot in Teams: it is open, or can be opened,
// because they were met somewhere. Teams may have refused the bot there.
func chatWith(tx *store.Tx, id pim.PrincipalID) (r teams.Reference, known bool, err error) {
	there, err := tx.Meta(referenceKey(teams.PersonKey(id)), &r)
	return r, there && (r.Conversation != "" || r.MRI != ""), err
}
