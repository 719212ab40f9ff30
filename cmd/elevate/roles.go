package main

import (
	"context"
	"fmt"
	"slices"

	"elevate/internal/config"
	"elevate/internal/pim"
	"elevate/internal/tenant"
	"elevate/internal/workflow"
)

// resolve turns the settings' roles into those of the domain, with the groups'
// object ids as Entra has them now.
func (b *bot) resolve(ctx context.Context) (pim.Roles, []pim.GroupID, error) {
	var roles pim.Roles
	for _, r := range b.cfg.Roles {
		id, err := b.groupID(ctx, r.Group)
		if err != nil {
			return nil, nil, fmt.Errorf("role %s: %w", r.Name, err)
		}
		if _, twice := roles.Of(id); twice {
			return nil, nil, fmt.Errorf("role %s: its group is behind another role already", r.Name)
		}
		role := b.role(r, id)
		if r.Emergency { // else nothing is reviewed, so nobody is looked up
			if role.Reviewers, err = b.groupIDs(ctx, r.Reviewers); err != nil {
				return nil, nil, fmt.Errorf("role %s: reviewers: %w", r.Name, err)
			}
		}
		roles = append(roles, role)
	}
	readers, err := b.groupIDs(ctx, b.cfg.Readers)
	if err != nil {
		return nil, nil, fmt.Errorf("readers: %w", err)
	}
	return roles, readers, nil
}

// peoplesGroups are the people's and the approvers' groups that the settings name for a role. An error says that one is not
// known; nobody in the others is watched then, until it is.
func (b *bot) peoplesGroups(ctx context.Context, role string) (workflow.PeoplesGroups, error) {
	var out workflow.PeoplesGroups
	i := slices.IndexFunc(b.cfg.Roles, func(r config.Role) bool { return r.Name == role })
	if i < 0 {
		return out, nil
	}
	find := func(name string) (pim.GroupID, error) {
		id, _, _, err := b.entra.GroupByName(ctx, name)
		return id, err
	}
	for _, name := range b.cfg.Roles[i].Eligible {
		id, err := find(name)
		if err != nil {
			return out, err
		}
		out.Eligible = append(out.Eligible, id)
	}
	for _, name := range b.cfg.Roles[i].Approvers {
		if tenant.IsUPN(name) {
			out.Names = append(out.Names, name)
			continue
		}
		switch id, err := find(name); {
		case err == nil:
			out.Approvers = append(out.Approvers, id)
		case !pim.IsKind(err, pim.NotFound) || !pim.IsGUID(name):
			return out, err
		default:
			out.People = append(out.People, pim.NewPrincipalID(name))
		}
	}
	return out, nil
}

func (b *bot) groupID(ctx context.Context, nameOrID string) (pim.GroupID, error) {
	var id pim.GroupID
	err := b.patiently(ctx, "Entra", func() error {
		var err error
		id, _, _, err = b.entra.GroupByName(ctx, nameOrID)
		return err
	})
	return id, err
}

func (b *bot) groupIDs(ctx context.Context, names []string) (ids []pim.GroupID, err error) {
	for _, name := range names {
		id, err := b.groupID(ctx, name)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func (b *bot) role(r config.Role, group pim.GroupID) pim.Role {
	return pim.Role{
		Name: r.Name, Title: r.Title, Gives: r.Gives, Group: group, Eligible: r.Eligible, Default: r.Duration.Default, Max: r.Duration.Max,
		NeedsReason: r.Require.Justification, NeedsTicket: r.Require.Ticket, NeedsApproval: r.Require.Approval,
		Ticket: r.Ticket, Ask: b.places(r.Ask.Place), Direct: r.Ask.Direct, Notify: b.places(r.Notify),
		Remind: pim.Reminding{
			After: r.Remind.After, Every: r.Remind.Every, EscalateAfter: r.Remind.Escalate.After, Escalate: b.places(r.Remind.Escalate.Place),
		},
		DecideFresh: r.Decide.FreshSignIn, DecideContext: r.Decide.AuthenticationContext, Emergency: r.Emergency,
	}
}

func (b *bot) places(p config.Place) []pim.Conversation {
	var places []pim.Conversation
	if p.Slack != "" && b.cfg.Slack != nil {
		places = append(places, pim.Conversation{Chat: pim.Slack, Workspace: b.cfg.Slack.TeamID, ID: p.Slack})
	}
	if p.Teams != "" && b.cfg.Teams != nil {
		places = append(places, pim.Conversation{Chat: pim.Teams, Workspace: b.cfg.Teams.TenantID, ID: p.Teams})
	}
	return places
}
