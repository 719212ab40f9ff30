package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"
	"github.com/pkg/browser"

	"elevate/adapters/entra"
	"elevate/internal/config"
	"elevate/internal/pim"
	"elevate/internal/tenant"
)

// exitDiffers is how plan and check end where the tenant is not as declared. Mistakes in a command line of theirs end with
// exitError, so that a pipeline never takes one for the other.
const exitDiffers = 2

// differs ends a command with exitDiffers; all has been said.
type differs struct{}

func (differs) Error() string { return "the tenant is not as the settings declare it" }

// tenantFlags are what all commands that look at the tenant take.
type tenantFlags struct {
	config string
	way    string
	json   bool
	yes    bool
}

const waysToSignIn = "how to sign in: `WAY` is browser, device (a code to enter in a browser anywhere) or pipeline (as the application tenant.client_id, by workload identity)"

func (p program) tenantCommand() *ffcli.Command {
	c := &ffcli.Command{
		Name: "tenant", ShortUsage: "elevate tenant <init|plan|apply|check|import> [flags]", FlagSet: p.flags("tenant"),
		ShortHelp: "set up groups, rules and eligibilities in Entra as the settings declare them",
		Subcommands: []*ffcli.Command{
			p.tenantInitCommand(),
			p.tenantSub("plan", "show what would be changed, and change nothing; ends with 0 if nothing, with 2 if something", p.tenantPlan),
			p.tenantSub("apply", "show the plan, ask, and carry it out; a second run goes on where the first stopped", p.tenantApply),
			p.tenantSub("check", "name what is not as declared, and who changed it; ends with 0 if nothing, with 2 if something", p.tenantCheck),
			p.tenantImportCommand(),
		},
	}
	c.Exec = p.group(c)
	return c
}

func (p program) tenantSub(name, help string, do func(context.Context, *tenantSide) error) *ffcli.Command {
	var f tenantFlags
	set := p.flags(name)
	set.StringVar(&f.config, "config", "", "the settings `FILE` (required)")
	set.StringVar(&f.way, "sign-in", string(entra.ByBrowser), waysToSignIn)
	usage := "elevate tenant " + name + " -config FILE [-sign-in WAY]"
	if name == "apply" {
		set.BoolVar(&f.yes, "yes", false, "carry the plan out without asking")
		usage += " [-yes]"
	} else {
		set.BoolVar(&f.json, "json", false, "print one JSON object")
		usage += " [-json]"
	}
	return &ffcli.Command{
		Name: name, ShortUsage: usage, ShortHelp: help, FlagSet: set,
		Exec: func(ctx context.Context, args []string) error {
			if err := noWords(args); err != nil {
				return err
			}
			side, err := p.openTenant(ctx, f, entra.AdministratorConfig{Changes: name == "apply", Groups: true})
			if err != nil {
				return err
			}
			return do(ctx, side)
		},
	}
}

// tenantSide is a tenant that somebody is signed in to, and what the settings declare of it.
type tenantSide struct {
	p      program
	cfg    *config.Config
	flags  tenantFlags
	admin  *entra.Administrator
	now    func() time.Time
	tempo  tenant.Tempo
	who    string
	wanted tenant.Wanted
}

// openTenant reads the settings, whole and before the first call, and signs in.
func (p program) openTenant(ctx context.Context, f tenantFlags, as entra.AdministratorConfig, options ...config.Option) (*tenantSide, error) {
	cfg, err := p.load(f.config, append(options, config.NoSecrets())...)
	if err != nil {
		return nil, err
	}
	as.Way = entra.Way(f.way)
	switch as.Way {
	case entra.ByBrowser:
		if !p.hasDisplay(runtime.GOOS) {
			return nil, errors.New("there is no display here for a browser to open on; run it again with -sign-in device, which shows a code to enter in a browser anywhere")
		}
		browser.Stdout, browser.Stderr = io.Discard, io.Discard // what browsers print is noise, and no part of a plan
	case entra.ByDevice:
	case entra.ByPipeline:
		if strings.EqualFold(cfg.Tenant.ClientID, config.GraphCommandLine) {
			return nil, errors.New("a pipeline signs in by its workload identity, as an application of its own, never as the bot's: register one with a federated credential " +
				"for the pipeline and the application permissions that the README lists, and set tenant.client_id to its client id")
		}
		if file, _ := p.env("AZURE_FEDERATED_TOKEN_FILE"); file == "" {
			return nil, errors.New("no workload identity is here: AZURE_FEDERATED_TOKEN_FILE has to name the file with the pipeline's token; a person signs in with -sign-in device")
		}
	default:
		return nil, usagef("there is no way to sign in called %q; -sign-in takes browser, device or pipeline", f.way)
	}
	if !f.json {
		p.out = plain{p.out}
	}
	p.errs = plain{p.errs}
	way := newTransport()
	as.TenantID, as.ClientID, as.Authority, as.Graph = cfg.Entra.TenantID, cfg.Tenant.ClientID, cfg.Entra.Authority, cfg.Entra.Graph
	as.SamePersonAttribute, as.Transport, as.Sandbox, as.Now = cfg.People.SamePerson, way, cfg.Sandbox, time.Now
	as.Defender = cfg.Tenant.Defender == config.DefenderBeta
	as.Tell = func(message string) { printWrapped(p.errs, "", "", message) }
	tempo := tenant.Tempo{Now: time.Now, Wait: tenant.Wait}
	if cfg.SandboxClock != "" {
		clock := newSandboxClock(ctx, cfg.SandboxClock, &http.Client{Transport: way, Timeout: 5 * time.Second})
		as.Now, tempo = clock.Now, tenant.Tempo{Now: clock.Now, Wait: clock.wait}
	}
	admin, err := entra.NewAdministrator(as)
	if err != nil {
		return nil, err
	}
	if as.Way == entra.ByBrowser {
		fmt.Fprintln(p.errs, "Signing in in the browser on this machine …")
	}
	who, err := admin.SignIn(ctx)
	if err != nil {
		return nil, shown(err)
	}
	printWrapped(p.errs, "", "", "Signed in as "+who+" to the tenant "+cfg.Entra.TenantID+".")
	return &tenantSide{p: p, cfg: cfg, flags: f, admin: admin, now: as.Now, tempo: tempo, who: who, wanted: wantedOf(cfg)}, nil
}

// hasDisplay reports whether a browser can open. Elsewhere than on X and Wayland there is always a desktop to try.
func (p program) hasDisplay(system string) bool {
	if slices.Contains([]string{"windows", "darwin"}, system) {
		return true
	}
	return slices.ContainsFunc([]string{"DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "WSL_DISTRO_NAME"}, func(name string) bool {
		value, _ := p.env(name)
		return value != ""
	})
}

// shown is an error as a person sees it.
func shown(err error) error {
	if e, ok := errors.AsType[*pim.Error](err); ok {
		return errors.New(e.Message)
	}
	return err
}

// wantedOf is what the settings declare of the tenant.
func wantedOf(cfg *config.Config) tenant.Wanted {
	w := tenant.Wanted{Readers: slices.Clone(cfg.Readers)}
	for _, r := range cfg.Roles {
		if r.Emergency {
			w.Readers = append(w.Readers, r.Reviewers...)
		}
		rules := tenant.Rules{
			Longest: r.Duration.Max, Justification: r.Require.Justification, Ticket: r.Require.Ticket, MFA: r.Require.MFA,
			Context: r.Require.AuthenticationContext, Approval: r.Require.Approval,
		}
		if r.Mail != config.MailKeep {
			all := r.Mail == config.MailAll
			rules.Mail = &all
		}
		w.Roles = append(w.Roles, tenant.Role{
			Name: r.Name, Title: r.Title, Gives: r.Gives, Group: r.Group, Eligible: r.Eligible, Approvers: r.Approvers, Rules: rules, Protected: r.Protected,
		})
	}
	for _, g := range cfg.Tenant.Groups {
		w.Groups = append(w.Groups, tenant.Group{Name: g.Name, Description: g.Description, Members: g.Members})
	}
	return w
}

// look reads all there is to say of the tenant: the plan, and what is to be done by hand.
func (t *tenantSide) look(ctx context.Context) (tenant.Plan, tenant.Actual, []handwork, error) {
	groups, all := t.lookBeside(ctx)
	plan, actual, err := t.read(ctx)
	if err != nil {
		all()
		return plan, actual, nil, err
	}
	unread := t.others(ctx, &plan, actual, groups())
	seen := all()
	seen.groupsErr = cmp.Or(seen.groupsErr, unread)
	return plan, actual, t.byHand(ctx, actual, *seen), nil
}

// others names the groups under PIM that are behind no role. A tenant may have some that are not Elevate's.
func (t *tenantSide) others(ctx context.Context, plan *tenant.Plan, actual tenant.Actual, under []pim.GroupID) error {
	foreign := slices.DeleteFunc(slices.Clone(under), func(id pim.GroupID) bool { return actual.Behind(t.wanted, id) })
	if len(foreign) == 0 {
		return nil
	}
	found, err := t.admin.Beside(ctx, foreign)
	maps.Copy(actual.Groups, found.Groups) // for their names
	plan.Beside(t.wanted, actual, found)
	return err
}

// read reads what stands, and compares.
func (t *tenantSide) read(ctx context.Context) (tenant.Plan, tenant.Actual, error) {
	actual, err := t.admin.Read(ctx, t.wanted)
	if err != nil {
		return tenant.Plan{}, actual, shown(err)
	}
	return tenant.Compare(t.wanted, actual), actual, nil
}

func (p program) tenantPlan(ctx context.Context, t *tenantSide) error {
	plan, _, hand, err := t.look(ctx)
	if err != nil {
		return err
	}
	if t.flags.json {
		err = t.printJSON(plan, hand, nil)
	} else {
		t.print(plan, hand, summary(plan))
	}
	if err := cmp.Or(err, unread(hand)); err != nil {
		return err
	}
	switch {
	case len(plan.Refused) > 0:
		return errRefused
	case len(plan.Steps) > 0:
		return differs{}
	}
	return nil
}

var errRefused = errors.New("nothing can be changed before the settings or the tenant are corrected as said above")

// planJSON is a plan for machines.
type planJSON struct {
	Tenant     string           `json:"tenant"`
	SignedInAs string           `json:"signed_in_as"`
	Refused    []tenant.Finding `json:"refused"`
	Steps      []tenant.Step    `json:"steps"`
	Onboards   []string         `json:"onboards"` // groups that come under PIM for good
	Warnings   []tenant.Finding `json:"warnings"`
	Undeclared []tenant.Finding `json:"undeclared"`
	Others     []tenant.Finding `json:"others"` // groups under PIM that are behind no role
	Assignable assignableJSON   `json:"role_assignable_groups"`
	ByHand     []handwork       `json:"by_hand"`
	Changed    []changedJSON    `json:"changed,omitempty"` // by whom, for check
}

type assignableJSON struct {
	Now   int `json:"now"`
	After int `json:"after"`
	Limit int `json:"limit"`
}

// changedJSON is what the audit log says of a group.
type changedJSON struct {
	Group   pim.GroupID      `json:"group"`
	Changes []entra.Touching `json:"changes"`
}

func (t *tenantSide) printJSON(plan tenant.Plan, hand []handwork, changed []changedJSON) error {
	enc := json.NewEncoder(t.p.out)
	enc.SetEscapeHTML(false)
	return enc.Encode(planJSON{
		Tenant: t.cfg.Entra.TenantID, SignedInAs: t.who, Refused: notNil(plan.Refused), Steps: notNil(plan.Steps), Onboards: notNil(plan.Onboards()),
		Warnings: notNil(plan.Warnings), Undeclared: notNil(plan.Undeclared), Others: notNil(plan.Others), ByHand: notNil(hand), Changed: changed,
		Assignable: assignableJSON{plan.Assignable, plan.Assignable + plan.Making, tenant.MaxAssignable},
	})
}

// notNil has an empty list printed as one.
func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
