package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"elevate/adapters/entra"
	"elevate/internal/pim"
	"elevate/internal/tenant"
)

// lookBack is how far the audit log is looked at for who changed something: Entra keeps thirty days.
const lookBack = 30 * 24 * time.Hour

func (p program) tenantCheck(ctx context.Context, t *tenantSide) error {
	plan, actual, hand, err := t.look(ctx)
	if err != nil {
		return err
	}
	hand = slices.DeleteFunc(hand, func(h handwork) bool { return !h.Wrong && !h.Unread })
	if plan.Nothing() && len(plan.Undeclared)+len(hand) == 0 {
		if t.flags.json {
			return t.printJSON(plan, hand, nil)
		}
		printFindings(t.p.out, "Warnings", "!", plan.Warnings)
		printFindings(t.p.out, othersTitle, "?", plan.Others)
		fmt.Fprintf(t.p.out, "No drift: %s as declared.\n", counted(len(t.cfg.Roles), "role"))
		return nil
	}
	changed := t.whoChanged(ctx, plan, actual)
	if t.flags.json {
		err = t.printJSON(plan, hand, changed)
	} else {
		t.print(plan, hand, drift(plan, hand))
		t.printChanged(changed, actual)
	}
	return cmp.Or(err, unread(hand), error(differs{}))
}

// drift says in a line what is not as declared.
func drift(plan tenant.Plan, hand []handwork) string {
	var parts []string
	add := func(n int, noun, more string) {
		if n > 0 {
			parts = append(parts, counted(n, noun)+" "+more)
		}
	}
	wrong, unread := 0, 0
	for _, h := range hand {
		if h.Unread {
			unread++
		} else {
			wrong += len(h.Steps)
		}
	}
	add(len(plan.Refused), "thing", "to correct first")
	add(len(plan.Steps), "change", "to make")
	add(len(plan.Undeclared), "thing", "there and not declared")
	add(wrong, "step", "by hand")
	if len(parts) == 0 {
		return "Nothing differs of what could be looked at; " + counted(unread, "part") + " could not be."
	}
	add(unread, "part", "that could not be looked at")
	return "Not as declared: " + strings.Join(parts, ", ") + "."
}

// whoChanged asks the audit log about each group that is not as declared.
func (t *tenantSide) whoChanged(ctx context.Context, plan tenant.Plan, actual tenant.Actual) []changedJSON {
	var groups []pim.GroupID
	for _, s := range plan.Steps {
		groups = append(groups, s.GroupID)
	}
	for _, f := range plan.Undeclared {
		groups = append(groups, f.Group)
	}
	slices.Sort(groups)
	groups = slices.DeleteFunc(slices.Compact(groups), func(g pim.GroupID) bool { return g == "" })
	var out []changedJSON
	for _, g := range groups {
		touched, err := t.touched(ctx, g)
		if err != nil {
			fmt.Fprintf(t.p.errs, "Who changed %s is not known: %v\n", actual.NameOf(pim.PrincipalID(g)), shown(err))
			continue
		}
		out = append(out, changedJSON{g, touched})
	}
	return out
}

// auditPause is how long Entra wants the audit log left alone after five questions.
// https://learn.microsoft.com/graph/throttling-limits#identity-and-access-reports-service-limits
const auditPause = 10 * time.Second

// touched asks the audit log, and waits where it is asked too much.
func (t *tenantSide) touched(ctx context.Context, g pim.GroupID) ([]entra.Touching, error) {
	for range 5 {
		touched, err := t.admin.Touched(ctx, g, lookBack)
		if !pim.IsKind(err, pim.Throttled) {
			return touched, err
		}
		pause := max(pim.Explain(err).RetryAfter, auditPause)
		fmt.Fprintf(t.p.errs, "The audit log is asked too much; going on in %s.\n", pause)
		if err := tenant.Wait(ctx, pause); err != nil { // by the machine's clock, which the sandbox counts by, too
			return nil, err
		}
	}
	return t.admin.Touched(ctx, g, lookBack)
}

func (t *tenantSide) printChanged(changed []changedJSON, actual tenant.Actual) {
	if len(changed) == 0 {
		return
	}
	fmt.Fprintf(t.p.out, "\nWho changed these groups, as the audit log has it (it is some minutes behind)\n")
	for _, c := range changed {
		printWrapped(t.p.out, "  ", "  ", actual.NameOf(pim.PrincipalID(c.Group)))
		if len(c.Changes) == 0 {
			fmt.Fprintln(t.p.out, "      nothing in the last 30 days")
		}
		for _, touch := range c.Changes {
			printWrapped(t.p.out, "      "+touch.At.UTC().Format("2 Jan 15:04 UTC")+"  ", "        ", touch.By+": "+what(touch))
		}
	}
}

func what(t entra.Touching) string {
	if t.About == "" {
		return t.Activity
	}
	return t.Activity + " (" + t.About + ")"
}
