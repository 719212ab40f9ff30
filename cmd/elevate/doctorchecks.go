package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"elevate/adapters/entra"
	"elevate/internal/config"
	"elevate/internal/pim"
	"elevate/internal/secret"
	"elevate/internal/tenant"
)

func (d *doctor) settings(context.Context) {
	const about = "Settings"
	d.says(about, "file", fine, fmt.Sprintf("%d roles, no mistakes", len(d.cfg.Roles)), "")
	if d.cfg.Sandbox {
		d.says(about, "sandbox", wrong, "it is true, so nothing here is real", "Take `sandbox: true` out for a real tenant.")
	}
	if _, err := keysOf(d.cfg); err != nil {
		d.says(about, "keyset", wrong, err.Error(), "Put the keyset back, or make one with `elevate keyset new` for a new state file.")
	} else {
		d.says(about, "keyset", fine, "readable", "")
	}
	certificates := map[string]secret.Text{"entra.certificate": d.cfg.Entra.Certificate}
	if d.cfg.Teams != nil {
		certificates["teams.certificate"] = d.cfg.Teams.Certificate
	}
	for _, path := range slices.Sorted(maps.Keys(certificates)) {
		d.certificate(about, path, certificates[path])
	}
}

// endsSoon is from when a certificate's end is warned of.
const endsSoon = 30 * 24 * time.Hour

func (d *doctor) certificate(about, path string, text secret.Text) {
	if text.IsZero() {
		return
	}
	ends, err := entra.CertificateEnds(text)
	const mend = "Make a new one, add it to the registration, and put it into the settings; then take the old one away."
	switch left := ends.Sub(d.now()); {
	case err != nil:
		d.says(about, path, wrong, "it cannot be read as PEM or PFX", mend)
	case left <= 0:
		d.says(about, path, wrong, "it ended on "+ends.UTC().Format("2 January 2006"), mend)
	case left < endsSoon:
		d.says(about, path, warning, "it ends on "+ends.UTC().Format("2 January 2006"), mend)
	default:
		d.says(about, path, fine, "until "+ends.UTC().Format("2 January 2006"), "")
	}
}

// entraClient reads with the bot's own identity; nobody's session is used.
func (d *doctor) entraClient() (*entra.Client, error) {
	if d.entraOwn != nil {
		return d.entraOwn, nil
	}
	e := d.cfg.Entra
	credential, err := entra.NewAppCredential(entra.CredentialConfig{
		TenantID: e.TenantID, ClientID: e.ClientID, Authority: e.Authority, Secret: e.ClientSecret, Certificate: e.Certificate,
		Federated: entra.Federated(e.Federated), Transport: d.transport, Sandbox: d.cfg.Sandbox,
	})
	if err != nil {
		return nil, err
	}
	return entra.New(entra.Config{
		Graph: e.Graph, Transport: d.transport, AppCredential: credential, SamePersonAttribute: d.cfg.People.SamePerson,
		PersonToken: func(context.Context, pim.Actor, string) (secret.Text, time.Time, error) {
			return secret.Text{}, time.Time{}, pim.Errorf(pim.SignIn, "Nobody is signed in.")
		},
		Now: d.now, Logger: d.log,
	})
}

func (d *doctor) entra(ctx context.Context) {
	const about = "Microsoft Entra"
	client, err := d.entraClient()
	if err != nil {
		d.failed(about, "credential", err, "Correct entra.client_secret, certificate or federated in the settings.")
		return
	}
	granted, err := client.Permissions(ctx)
	if err != nil {
		d.failed(about, "token", err, "Check tenant_id, client_id and the credential under entra in the settings.")
		return
	}
	d.says(about, "token", fine, "obtained", "")
	d.permissions(about, granted)
	if at, err := client.Clock(ctx); err != nil {
		d.failed(about, "clock", err, "")
	} else {
		d.clock(about, d.now().Sub(at))
	}
	redirect := d.cfg.PublicURL + "/auth/entra/callback"
	err = entra.RedirectRegistered(ctx, d.transport, d.cfg.Entra.Authority, d.cfg.Entra.TenantID, d.cfg.Entra.ClientID, redirect)
	switch {
	case err == nil:
		d.says(about, "redirect address", fine, redirect, "")
	case pim.IsKind(err, pim.Administered):
		d.failed(about, "redirect address", err, "Add it to the registration as a redirect address of the platform Web.")
	default:
		d.says(about, "redirect address", warning, pim.Explain(err).Message, "Check that the registration has "+redirect+" as a redirect address of the platform Web.")
	}
}

// permissions are exactly those that are needed: one more to write would be a way to everything.
func (d *doctor) permissions(about string, granted []string) {
	needed := entra.ReadPermissions()
	bad := false
	for _, have := range granted {
		switch {
		case slices.Contains(needed, have) || have == entra.PolicyPermission:
		case strings.Contains(have, "Read") && !strings.Contains(have, "Write"):
			d.says(about, have, warning, "Elevate does not need this permission", "Take it away from the registration.")
		default:
			bad = true
			d.says(about, have, wrong, "this application permission writes, so that the application could make anyone a member", "Take "+have+" away from the registration at once.")
		}
	}
	for _, need := range needed {
		stands := need == "RoleManagementPolicy.Read.AzureADGroup" && slices.Contains(granted, entra.PolicyPermission)
		if slices.Contains(granted, need) || stands {
			continue
		}
		bad = true
		d.says(about, need, wrong, "this application permission is missing", "Add it to the registration and have an administrator consent to it.")
	}
	if !bad {
		d.says(about, "permissions", fine, "those that are needed, all of them to read", "")
	}
}

func (d *doctor) clock(about string, ahead time.Duration) {
	off := ahead.Abs().Round(time.Second)
	switch {
	case off > 30*time.Second:
		d.says(about, "clock", wrong, fmt.Sprintf("this machine's clock is %s off Microsoft's", off), "Set the clock, best by NTP: signatures and tokens are refused by it.")
	case off > 5*time.Second:
		d.says(about, "clock", warning, fmt.Sprintf("this machine's clock is %s off Microsoft's", off), "Have it set by NTP.")
	default:
		d.says(about, "clock", fine, "agrees with Microsoft's", "")
	}
}

// roleSeen is what was read of a role.
type roleSeen struct {
	role       config.Role
	group      pim.GroupID
	name       string
	assignable bool
	approvers  map[pim.PrincipalID]pim.Profile
	reviewers  []pim.GroupID // of an emergency role
}

func (d *doctor) eachRole(ctx context.Context) {
	client, err := d.entraClient()
	if err != nil {
		return // said already
	}
	q := pim.Question{}
	for _, r := range d.cfg.Roles {
		id, name, assignable, err := client.GroupByName(ctx, r.Group)
		if err != nil {
			d.failed("Role "+r.Name, "group", err, "Correct `group` in the settings, or make the group.")
			continue
		}
		seen := roleSeen{role: r, group: id, name: name, assignable: assignable, approvers: map[pim.PrincipalID]pim.Profile{}}
		d.findReviewers(ctx, client, &seen)
		d.roles = append(d.roles, seen)
		q.Policies = append(q.Policies, id)
	}
	d.auditLog(ctx, client)
	answer, err := client.Look(ctx, q)
	if err != nil {
		d.failed("Roles", "rules in PIM", err, "")
		return
	}
	people := pim.Question{}
	for _, p := range answer.Policies {
		people.Members, people.Profiles = append(people.Members, p.ApproverGroups...), append(people.Profiles, p.ApproverPeople...)
	}
	for _, r := range d.roles {
		people.Members = append(people.Members, r.reviewers...)
	}
	who, err := client.Look(ctx, people)
	if err != nil {
		d.failed("Roles", "approvers", err, "")
		return
	}
	d.name(ctx, client, who)
	wanted := wantedOf(d.cfg).Roles
	for i := range d.roles {
		at := slices.IndexFunc(wanted, func(r tenant.Role) bool { return r.Name == d.roles[i].role.Name })
		d.rules(&d.roles[i], wanted[at], answer, who)
		d.reviewers(&d.roles[i], who)
	}
}

// findReviewers finds the groups of those who review the uses of an emergency role.
func (d *doctor) findReviewers(ctx context.Context, client *entra.Client, r *roleSeen) {
	if !r.role.Emergency {
		return
	}
	for _, name := range r.role.Reviewers {
		id, _, _, err := client.GroupByName(ctx, name)
		if err != nil {
			d.failed("Role "+r.role.Name, "reviewers", err, "Correct `reviewers` in the settings, or make the group "+name+".")
			continue
		}
		r.reviewers = append(r.reviewers, id)
	}
}

func (d *doctor) reviewers(r *roleSeen, who pim.Answer) {
	if len(r.reviewers) == 0 {
		return // none are needed, or that none was found is said already
	}
	about := "Role " + r.role.Name
	people := map[pim.PrincipalID]bool{}
	for _, g := range r.reviewers {
		some, read := who.Members[g]
		if !read {
			d.says(about, "reviewers", wrong, "who is in their groups cannot be read", "Check the permission GroupMember.Read.All.")
			return
		}
		for _, p := range some {
			if p.MayAct() == nil {
				people[p.ID] = true
			}
		}
	}
	switch len(people) {
	case 0:
		d.says(about, "reviewers", wrong, "there is nobody who could review a use", "Put people into the groups that `reviewers` names.")
	case 1:
		d.says(about, "reviewers", warning, "there is one, whose own uses nobody can review", "Put a second person into the groups that `reviewers` names.")
	default:
		d.says(about, "reviewers", fine, fmt.Sprintf("%d who could review a use", len(people)), "")
	}
}

// auditLog reads it once, of one group: it is asked for sparingly, also by a bot that runs.
func (d *doctor) auditLog(ctx context.Context, client *entra.Client) {
	const about = "Microsoft Entra"
	if len(d.roles) == 0 {
		return
	}
	_, err := client.Audited(ctx, d.roles[0].group, d.now().Add(-time.Hour))
	switch {
	case err == nil:
		d.says(about, "audit log", fine, "readable", "")
	case pim.IsKind(err, pim.Throttled), pim.IsKind(err, pim.Unavailable):
		d.says(about, "audit log", warning, "it is not readable at the moment: "+pim.Explain(err).Message, "Try again in a minute.")
	default:
		d.failed(about, "audit log", err, "Have an administrator consent to AuditLog.Read.All; without it nobody hears who did something elsewhere.")
	}
}

// name finds the groups and people that the settings name as approvers, to compare them with PIM's. Who is not found is no
// group's or no one's, and differs from all that PIM has.
func (d *doctor) name(ctx context.Context, client *entra.Client, who pim.Answer) {
	d.named = tenant.Actual{Groups: map[string][]tenant.Found{}, People: map[string]pim.Profile{}}
	for id, p := range who.Profiles {
		d.named.People[tenant.Key(string(id))] = p
	}
	for _, r := range d.cfg.Roles {
		for _, name := range r.Approvers {
			key := tenant.Key(name)
			if _, known := d.named.People[key]; known || d.named.Groups[key] != nil || tenant.IsUPN(name) {
				continue
			}
			if id, called, assignable, err := client.GroupByName(ctx, name); err == nil {
				d.named.Groups[key] = []tenant.Found{{ID: id, Name: called, Assignable: assignable}}
			}
		}
	}
}

func (d *doctor) rules(r *roleSeen, declared tenant.Role, answer, who pim.Answer) {
	about := "Role " + r.role.Name
	if r.assignable {
		d.says(about, "group", fine, r.name+", role-assignable", "")
	} else {
		d.says(about, "group", wrong, r.name+" is not role-assignable, so that every Groups Administrator can let anyone in",
			"Make a group with `isAssignableToRole`, which can only be said when it is made, and name that one.")
	}
	policy, read := answer.Policies[r.group]
	if !read {
		said := "the activation rules cannot be read"
		if len(answer.Failed) > 0 {
			said = pim.Explain(answer.Failed[0]).Message
		}
		d.says(about, "PIM", wrong, said, "Bring the group under PIM, and check the permission to read its rules.")
		return
	}
	changes := tenant.Activation(declared, d.named, policy)
	if slices.ContainsFunc(declared.Approvers, tenant.IsUPN) { // whose ids are not read here; `elevate tenant check` reads them
		changes = slices.DeleteFunc(changes, func(c tenant.Change) bool { return c.What == "approvers" })
	}
	for _, c := range changes {
		d.says(about, c.What, wrong, fmt.Sprintf("PIM says %s, the settings say %s", c.Was, c.Will),
			"Change it in PIM's settings of the group, or in the settings; `elevate tenant plan` shows what would be changed.")
	}
	if len(changes) == 0 {
		d.says(about, "rules in PIM", fine, "as declared", "")
	}
	if policy.Approval {
		d.approvers(about, r, policy, who)
	}
}

func (d *doctor) approvers(about string, r *roleSeen, policy pim.Policy, who pim.Answer) {
	var gone []string
	see := func(p pim.Profile) {
		if p.MayAct() == nil {
			r.approvers[p.ID] = p
		} else {
			gone = append(gone, cmp.Or(p.Name, string(p.ID)))
		}
	}
	for _, id := range policy.ApproverPeople {
		see(who.Profiles[id])
	}
	for _, g := range policy.ApproverGroups {
		for _, p := range who.Members[g] {
			see(p)
		}
	}
	if len(gone) > 0 {
		slices.Sort(gone)
		d.says(about, "approvers", warning, strings.Join(gone, ", ")+": gone, disabled or a guest's", "Take them out of PIM's approvers or their group.")
	}
	switch len(r.approvers) {
	case 0:
		d.says(about, "approvers", wrong, "PIM names nobody who could approve", "Name approvers in PIM's settings of the group.")
	case 1:
		d.says(about, "approvers", warning, "there is one, whose own requests nobody can approve", "Name a second approver.")
	default:
		d.says(about, "approvers", fine, fmt.Sprintf("%d who could approve", len(r.approvers)), "")
	}
}

// stateSeen is what the state file, or serve, says of itself.
type stateSeen struct {
	Serving      bool                           `json:"serving"`
	Parked       int                            `json:"parked"`
	Untaken      map[string]string              `json:"untaken,omitempty"` // conversations that did not take a card or message yet, and why
	UnknownWords map[string]int                 `json:"unknown_words,omitempty"`
	Swept        time.Time                      `json:"swept,omitzero"`
	Unwritten    bool                           `json:"unwritten,omitempty"`
	SinkBehind   bool                           `json:"sink_behind,omitempty"`
	Reached      map[pim.PrincipalID][]pim.Chat `json:"reached,omitempty"`
}

func (d *doctor) state(ctx context.Context) {
	const about = "State"
	words := []string{"doctor"}
	for _, r := range d.roles {
		for id := range r.approvers {
			words = append(words, string(id))
		}
	}
	raw, err := d.order(ctx, words)
	var seen stateSeen
	if err == nil {
		err = json.Unmarshal(raw, &seen)
	}
	if err != nil {
		d.says(about, "state file", wrong, err.Error(), "Start `elevate serve`, or run doctor as the user that serves.")
		return
	}
	if seen.Serving {
		d.says(about, "serve", fine, "running", "")
	} else {
		d.says(about, "serve", warning, "it does not run", "Start `elevate serve`.")
	}
	d.work(about, seen)
	for _, r := range d.roles {
		d.reached(r, seen)
	}
}

func (d *doctor) work(about string, seen stateSeen) {
	switch {
	case seen.Unwritten:
		d.says(about, "state file", wrong, "it cannot be written", "Look at its disk.")
	case seen.SinkBehind:
		d.says(about, "audit sink", wrong, "it does not take events, and work waits for it", "Look at what reads serve's standard output, or at the sink.")
	default:
		d.says(about, "state file", fine, "readable", "")
	}
	if seen.Parked > 0 {
		d.says(about, "queue", warning, fmt.Sprintf("%d pieces of work were given up", seen.Parked), "`elevate queue list` names them; retry or drop each.")
	}
	for _, to := range slices.Sorted(maps.Keys(seen.Untaken)) {
		d.says(about, "queue", warning, "what is to be said in "+to+" waits: "+seen.Untaken[to],
			"Mend what it names. `elevate queue list` has all that waits, and `elevate queue retry all` has it sent at once.")
	}
	for _, word := range slices.Sorted(maps.Keys(seen.UnknownWords)) {
		d.says(about, "PIM's words", warning, fmt.Sprintf("PIM called %d requests %q, which Elevate does not know", seen.UnknownWords[word], word), "Tell Elevate's authors; such a request stays as it is.")
	}
	if seen.Serving && !seen.Swept.IsZero() && d.now().Sub(seen.Swept) > sweepLate {
		d.says(about, "PIM", wrong, "it was not read since "+seen.Swept.UTC().Format("15:04 UTC"), "The log says why.")
	}
}

// reached names the approvers who hear of a request nowhere.
func (d *doctor) reached(r roleSeen, seen stateSeen) {
	if !r.role.Ask.Direct {
		return
	}
	var names []string
	for id, p := range r.approvers {
		if len(seen.Reached[id]) == 0 {
			names = append(names, cmp.Or(p.Name, string(id)))
		}
	}
	if len(names) == 0 {
		return
	}
	slices.Sort(names)
	d.says("Role "+r.role.Name, "direct messages", warning, "none can be sent to "+strings.Join(names, ", "),
		"Have them type /elevate sign-in in Slack, or write to Elevate in Teams, which they may have blocked there.")
}

// places are all conversations of one chat that the settings name.
func (d *doctor) places(of func(config.Place) string) []string {
	ids := []string{of(d.cfg.Audit.Anchor)}
	for _, r := range d.cfg.Roles {
		ids = append(ids, of(r.Ask.Place), of(r.Notify), of(r.Remind.Escalate.Place))
	}
	slices.Sort(ids)
	return slices.DeleteFunc(slices.Compact(ids), func(id string) bool { return id == "" })
}
