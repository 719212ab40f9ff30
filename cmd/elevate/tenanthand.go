package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"elevate/adapters/entra"
	"elevate/internal/config"
	"elevate/internal/pim"
	"elevate/internal/tenant"
)

// wantedRegistration is how the bot's own application has to be.
func wantedRegistration(cfg *config.Config) tenant.WantedRegistration {
	return tenant.WantedRegistration{
		Redirect: cfg.PublicURL + "/auth/entra/callback", Delegated: entra.DelegatedPermissions(), Application: entra.ReadPermissions(),
		Claims: []string{"auth_time", "acrs"}, ReadsPolicies: entra.PolicyPermission,
	}
}

// beside is what is read beside what the settings name: the bot's own application, and which groups are under PIM.
type beside struct {
	registration   tenant.Registration
	groups         []pim.GroupID
	err, groupsErr error
}

// lookBeside reads them while something else is read. Groups waits for those under PIM, which more is asked about, and all
// for the rest, too.
func (t *tenantSide) lookBeside(ctx context.Context) (groups func() []pim.GroupID, all func() *beside) {
	var seen beside
	var ofPIM, registration sync.WaitGroup
	registration.Go(func() { seen.registration, seen.err = t.admin.Registration(ctx, t.cfg.Entra.ClientID) })
	ofPIM.Go(func() { seen.groups, seen.groupsErr = t.admin.GroupsOfPIM(ctx) })
	groups = func() []pim.GroupID {
		ofPIM.Wait()
		return seen.groups
	}
	all = func() *beside {
		ofPIM.Wait()
		registration.Wait()
		return &seen
	}
	return groups, all
}

// byHand is what has no stable interface, or is not Elevate's to write. What could not be looked at is said to be.
func (t *tenantSide) byHand(ctx context.Context, actual tenant.Actual, seen beside) []handwork {
	var hand []handwork
	registration, err := seen.registration, seen.err
	wanted := wantedRegistration(t.cfg)
	wanted.Assigned = actual.SignIns(t.wanted, registration.Assigned)
	own := handwork{
		Title: "Elevate's own application " + t.cfg.Entra.ClientID + ", in the Entra admin center under App registrations and Enterprise applications",
		Wrong: true, Steps: wanted.Mend(registration, t.now()),
	}
	if err != nil {
		own.Wrong, own.Unread, own.Steps = false, true, []string{"It could not be looked at: " + shown(err).Error()}
	}
	if len(own.Steps) > 0 {
		hand = append(hand, own)
	}
	if seen.groupsErr != nil {
		hand = append(hand, handwork{Title: "Groups under PIM that no role names", Unread: true, Steps: []string{"They could not be looked at: " + shown(seen.groupsErr).Error()}})
	}
	steps := defenderSteps(t.cfg, actual)
	if t.cfg.Tenant.Defender == config.DefenderNone || len(steps) == 0 {
		return hand
	}
	if t.cfg.Tenant.Defender == config.DefenderBeta {
		hand = append(hand, t.defenderSeen(ctx, actual)...)
	}
	return append(hand, handwork{
		Title: "Microsoft Defender, for which there is no stable interface: https://security.microsoft.com/securitysettings/mtp_roles", Steps: steps,
	})
}

// defenderRoles are those whose group has a role in Microsoft Defender.
func defenderRoles(cfg *config.Config) []config.Role {
	return slices.DeleteFunc(slices.Clone(cfg.Roles), func(r config.Role) bool { return r.Defender == "" })
}

// defenderSteps are what to pick where. Switching roles on takes access away, which is said first.
// https://learn.microsoft.com/defender-endpoint/rbac
func defenderSteps(cfg *config.Config, actual tenant.Actual) []string {
	roles := defenderRoles(cfg)
	if len(roles) == 0 {
		return nil
	}
	for i, r := range roles { // Defender's pages list groups by name, the settings may name them by id
		if found := actual.Groups[tenant.Key(r.Group)]; len(found) == 1 && pim.IsGUID(r.Group) {
			roles[i].Group = found[0].Name
		}
	}
	steps := []string{
		"Before you switch roles on: from then on only Global Administrators and Security Administrators have full access to Defender for Endpoint. Everybody with read-only access by Security Reader " +
			"loses it until a group of theirs has a role. Make sure that you are one of the first two.",
		"Open https://security.microsoft.com, then Settings, Endpoints, Permissions, Roles, and pick *Turn on roles*, if it is not on yet.",
	}
	for _, r := range roles {
		steps = append(steps, fmt.Sprintf("Under Roles open, or add, the role %q; on its page *Assigned user groups* pick the group %q and save.", r.Defender, r.Group))
	}
	for _, r := range roles {
		steps = append(steps, fmt.Sprintf("Under Settings, Endpoints, Permissions, Device groups, open each device group that %s is for; on its page *User access* add the group %q.", r.Title, r.Group))
	}
	return append(steps, "Apply the changes on the page Device groups. Defender takes some minutes; who was signed in there signs out and in again.")
}

// defenderSeen says which groups have a role in Defender, as Graph's beta has it.
func (t *tenantSide) defenderSeen(ctx context.Context, actual tenant.Actual) []handwork {
	const title = "Roles in Defender, as Graph's beta says (it may change, and is only read)"
	roles, err := t.admin.DefenderRoles(ctx)
	if err != nil {
		return []handwork{{Title: title, Unread: true, Steps: []string{"They could not be looked at: " + shown(err).Error()}}}
	}
	var lines []string
	for _, r := range defenderRoles(t.cfg) {
		found := actual.Groups[tenant.Key(r.Group)]
		if len(found) != 1 {
			continue
		}
		has := roles[pim.PrincipalID(found[0].ID)]
		slices.Sort(has)
		if len(has) == 0 {
			has = []string{"no role"}
		}
		lines = append(lines, fmt.Sprintf("%s has %s in Defender's unified access control.", found[0].Name, strings.Join(has, ", ")))
	}
	if len(lines) == 0 {
		return nil
	}
	return []handwork{{Title: title, Steps: lines}}
}
