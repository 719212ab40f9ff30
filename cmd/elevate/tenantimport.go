package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/peterbourgon/ff/v3/ffcli"

	"elevate/adapters/entra"
	"elevate/internal/card"
	"elevate/internal/config"
	"elevate/internal/pim"
	"elevate/internal/tenant"
)

func (p program) tenantImportCommand() *ffcli.Command {
	var f tenantFlags
	set := p.flags("import")
	set.StringVar(&f.config, "config", "", "the settings `FILE`, which may have no roles yet (required)")
	set.StringVar(&f.way, "sign-in", string(entra.ByBrowser), waysToSignIn)
	out := set.String("out", "-", "the `FILE` to write, which must not be there yet; - is standard output")
	return &ffcli.Command{
		Name: "import", ShortUsage: "elevate tenant import -config FILE [-out FILE] [-sign-in WAY]", FlagSet: set,
		ShortHelp: "write roles: for the groups that are under PIM already",
		Exec: func(ctx context.Context, args []string) error {
			if err := noWords(args); err != nil {
				return err
			}
			t, err := p.openTenant(ctx, f, entra.AdministratorConfig{Groups: true}, config.MayHaveNoRoles())
			if err != nil {
				return err
			}
			return t.importRoles(ctx, *out)
		},
	}
}

// importRoles writes what stands as settings: a proposal, to be read and put into the file.
func (t *tenantSide) importRoles(ctx context.Context, out string) error {
	ids, err := t.admin.GroupsOfPIM(ctx)
	if err != nil {
		return shown(err)
	}
	if len(ids) == 0 {
		return fmt.Errorf("no group of the tenant is under PIM yet; `elevate tenant init` writes roles to begin with")
	}
	var w tenant.Wanted
	for _, id := range ids {
		w.Roles = append(w.Roles, tenant.Role{Group: string(id)})
	}
	actual, err := t.admin.Read(ctx, w)
	if err != nil {
		return shown(err)
	}
	names, err := t.namesOf(ctx, w, actual)
	if err != nil {
		return err
	}
	declared := t.declared(ctx)
	var text bytes.Buffer
	fmt.Fprintf(&text, "# Groups under PIM in the tenant %s, read %s.\n# Look at the proposed names, say where approvers are asked and on-call is told, and put the roles into the settings.\nroles:\n",
		t.cfg.Entra.TenantID, t.now().UTC().Format("2 January 2006 15:04 UTC"))
	taken, written := map[string]bool{}, 0
	for _, r := range t.cfg.Roles {
		taken[r.Name] = true
	}
	for _, id := range ids {
		found := actual.Groups[tenant.Key(string(id))]
		if len(found) != 1 || declared[id] {
			continue
		}
		written++
		writeRole(&text, found[0], actual.Details[id], names, proposed(found[0].Name, taken))
	}
	if written == 0 {
		return fmt.Errorf("all %s under PIM are behind roles of the settings already", counted(len(ids), "group"))
	}
	if out == "-" {
		_, err := t.p.out.Write(text.Bytes())
		return err
	}
	if err := t.p.writeOut(out, text.Bytes()); err != nil {
		return err
	}
	fmt.Fprintf(t.p.errs, "Wrote %s to %s.\n", counted(written, "role"), out)
	return nil
}

// declared are the groups that are behind roles of the settings.
func (t *tenantSide) declared(ctx context.Context) map[pim.GroupID]bool {
	behind := map[pim.GroupID]bool{}
	if len(t.wanted.Roles) == 0 {
		return behind
	}
	actual, err := t.admin.Read(ctx, t.wanted)
	if err != nil {
		return behind // they are proposed once more, which harms nothing
	}
	for _, r := range t.wanted.Roles {
		for _, g := range actual.Groups[tenant.Key(r.Group)] {
			behind[g.ID] = true
		}
	}
	return behind
}

// principal is somebody, or a group, by name.
type principal struct {
	name    string
	isGroup bool
	// byName is true where the settings can name it so: no other group has the name, and it is no person's or id.
	byName bool
}

// namesOf looks up who is eligible and who approves.
func (t *tenantSide) namesOf(ctx context.Context, w tenant.Wanted, actual tenant.Actual) (map[pim.PrincipalID]principal, error) {
	var ask tenant.Wanted
	for _, r := range w.Roles {
		d := actual.Details[pim.GroupID(tenant.Key(r.Group))]
		role := tenant.Role{Group: r.Group}
		for _, e := range d.Eligible {
			role.Approvers = append(role.Approvers, string(e.Principal)) // both groups and people are looked for among approvers
		}
		if d.Policy != nil {
			for _, g := range d.Policy.ApproverGroups {
				role.Approvers = append(role.Approvers, string(g))
			}
			for _, p := range d.Policy.ApproverPeople {
				role.Approvers = append(role.Approvers, string(p))
			}
		}
		ask.Roles = append(ask.Roles, role)
	}
	found, err := t.admin.Read(ctx, ask)
	if err != nil {
		return nil, shown(err)
	}
	names := map[pim.PrincipalID]principal{}
	var same tenant.Wanted
	for _, groups := range found.Groups {
		for _, g := range groups {
			usable := config.Wrong("group", g.Name) == "" && !pim.IsGUID(g.Name)
			names[pim.PrincipalID(g.ID)] = principal{g.Name, true, usable}
			if usable {
				same.Groups = append(same.Groups, tenant.Group{Name: g.Name})
			}
		}
	}
	namesakes, err := t.admin.Read(ctx, same)
	if err != nil {
		return nil, shown(err)
	}
	for id, p := range names {
		p.byName = p.byName && len(namesakes.Groups[tenant.Key(p.name)]) == 1
		names[id] = p
	}
	for _, p := range found.People {
		names[p.ID] = principal{name: p.Name}
	}
	return names, nil
}

// proposed makes a role's name of a group's: small letters, digits and dashes, and none that is taken or a word of the command.
func proposed(group string, taken map[string]bool) string {
	var out strings.Builder
	bare := group
	for _, prefix := range []string{"role_", "role-", "role ", "pim_", "pim-", "pim ", "sg_", "sg-"} {
		if len(bare) > len(prefix) && strings.EqualFold(bare[:len(prefix)], prefix) {
			bare = bare[len(prefix):]
		}
	}
	for _, r := range strings.ToLower(bare) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			out.WriteRune(r)
		case out.Len() > 0 && !strings.HasSuffix(out.String(), "-"):
			out.WriteByte('-')
		}
	}
	name := strings.Trim(out.String()[:min(out.Len(), 28)], "-")
	if config.Wrong("role", name) != "" {
		name = "role-" + name
	}
	name = strings.TrimRight(name, "-")
	free := name
	for n := 2; taken[free]; n++ {
		free = name + "-" + strconv.Itoa(n)
	}
	taken[free] = true
	return free
}

// quotedYAML writes a text so that it is one in YAML, whatever it holds: JSON's quotes are YAML's.
func quotedYAML(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return `""`
	}
	return strings.TrimSpace(b.String())
}

func listYAML(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = quotedYAML(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// listPrincipals writes principals by name where that is clear, and else by id, with the names behind them.
func listPrincipals(key string, ids []pim.PrincipalID, names map[pim.PrincipalID]principal) string {
	var list, behind []string
	for _, id := range ids {
		if who := names[id]; who.byName {
			list = append(list, who.name)
		} else {
			list = append(list, string(id))
			behind = append(behind, onOneLine(cmp.Or(who.name, string(id))))
		}
	}
	text := key + ": " + listYAML(list)
	if len(behind) > 0 {
		text += "   # " + strings.Join(behind, ", ")
	}
	return text
}

func writeRole(out *bytes.Buffer, g tenant.Found, d tenant.Details, names map[pim.PrincipalID]principal, name string) {
	line := func(format string, args ...any) { fmt.Fprintf(out, "    "+format+"\n", args...) }
	fmt.Fprintf(out, "  - name: %s\n", quotedYAML(name))
	line("title: %s", quotedYAML(cut(cmp.Or(onOneLine(g.Name), name), 75)))
	if gives := onOneLine(g.Description); gives != "" {
		line("gives: %s", quotedYAML(cut(gives, 200)))
	}
	line("group: %s   # %s", quotedYAML(string(g.ID)), onOneLine(g.Name))
	var eligible []pim.PrincipalID
	for _, e := range d.Eligible {
		if names[e.Principal].isGroup {
			eligible = append(eligible, e.Principal)
		} else {
			line("# %s (%s) is eligible by themselves; Elevate declares groups.", onOneLine(names[e.Principal].name), e.Principal)
		}
	}
	if len(eligible) > 0 {
		slices.SortFunc(eligible, func(a, b pim.PrincipalID) int {
			return cmp.Or(cmp.Compare(names[a].name, names[b].name), cmp.Compare(a, b))
		})
		line("%s", listPrincipals("eligible", slices.Compact(eligible), names))
	}
	if !g.Assignable {
		line("# This group is not role-assignable: every Groups Administrator can let anyone in. `tenant plan` refuses it.")
	}
	if d.Policy == nil {
		line("# PIM showed no rules for it; those below are PIM's usual ones.")
		line("ask: {direct: true}")
		return
	}
	writeRules(line, d.Policy, names)
}

// writeRules writes what PIM asks of who activates, as far as settings can say it.
func writeRules(line func(string, ...any), p *tenant.Policy, names map[pim.PrincipalID]principal) {
	var approvers []pim.PrincipalID
	for _, id := range p.ApproverGroups {
		approvers = append(approvers, pim.PrincipalID(id))
	}
	approvers = append(approvers, p.ApproverPeople...)
	if len(approvers) > 0 {
		line("%s", listPrincipals("approvers", approvers, names))
	}
	line("duration: {default: %s, max: %s}", pim.TypedDuration(min(p.MaxDuration, time.Hour)), pim.TypedDuration(p.MaxDuration))
	authContext := p.Context
	if config.Wrong("context", authContext) != "" {
		line("# Its authentication context is %s, which settings cannot name: c1 to c99.", quotedYAML(authContext))
		authContext = ""
	}
	line("require: {justification: %t, approval: %t, ticket: %t, mfa: %t, authentication_context: '%s'}",
		p.Justification, p.Approval, p.Ticketing, p.MFA && authContext == "", authContext)
	if p.Ticketing {
		line("ticket: '^INC-\\d+$'   # how a ticket looks: change it")
	}
	if p.Approval {
		line("ask: {direct: true}")
	}
}

// onOneLine is a text without line breaks and control characters, which neither cards nor comments take, and without what
// turns or hides the words beside it.
func onOneLine(s string) string {
	plain := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\uFEFF' {
			return ' '
		}
		return r
	}, card.Visible(strings.ToValidUTF8(s, "?")))
	return strings.Join(strings.Fields(plain), " ")
}

func cut(s string, most int) string {
	runes := []rune(s)
	return strings.TrimSpace(string(runes[:min(len(runes), most)]))
}
