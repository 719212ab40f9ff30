package main

import (
	"fmt"
	"io"
	"strings"

	"elevate/internal/tenant"
)

// print shows a plan to a person.
func (t *tenantSide) print(plan tenant.Plan, hand []handwork) {
	out := t.p.out
	printFindings(out, "Refused, so nothing would be changed", "✗", plan.Refused)
	role := ""
	for _, s := range plan.Steps {
		if s.Role != role {
			role = s.Role
			fmt.Fprintf(out, "\n%s\n", t.titled(role))
		}
		printStep(out, s)
	}
	printFindings(out, "Warnings", "!", plan.Warnings)
	printFindings(out, "There and not declared; nothing is done about it", "?", plan.Undeclared)
	printByHand(out, hand)
	fmt.Fprintf(out, "\n%s\n", summary(plan))
}

// titled is a role's name with its title.
func (t *tenantSide) titled(name string) string {
	for _, r := range t.cfg.Roles {
		if r.Name == name && r.Title != name {
			return name + " (" + r.Title + ")"
		}
	}
	return name
}

func printStep(out io.Writer, s tenant.Step) {
	sign := "+"
	if s.Kind == tenant.SetRule || s.Extends {
		sign = "~"
	}
	fmt.Fprintf(out, "  %s %s\n", sign, s.Says)
	for _, c := range s.Changes {
		fmt.Fprintf(out, "      %s: %s → %s\n", c.What, c.Was, c.Will)
	}
	if s.Onboards {
		fmt.Fprintf(out, "      This brings %s under PIM, which cannot be undone.\n", s.Group)
	}
}

func printFindings(out io.Writer, title, sign string, findings []tenant.Finding) {
	if len(findings) == 0 {
		return
	}
	fmt.Fprintf(out, "\n%s\n", title)
	for _, f := range findings {
		fmt.Fprintf(out, "  %s %s: %s\n", sign, f.About, f.Says)
		if f.Mend != "" {
			fmt.Fprintf(out, "      %s\n", f.Mend)
		}
	}
}

func summary(plan tenant.Plan) string {
	groups := fmt.Sprintf("The tenant has %d of %d role-assignable groups", plan.Assignable, tenant.MaxAssignable)
	if plan.Making > 0 {
		groups += fmt.Sprintf(", and %d more are made", plan.Making)
	}
	switch {
	case len(plan.Refused) > 0:
		return fmt.Sprintf("%s to correct first. %s.", counted(len(plan.Refused), "thing"), groups)
	case len(plan.Steps) == 0:
		return "Nothing to do: groups, rules and eligibilities are as declared. " + groups + "."
	}
	return fmt.Sprintf("%s to make. %s.", counted(len(plan.Steps), "change"), groups)
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// handwork is what a person has to do, because no stable interface does it.
type handwork struct {
	Title string   `json:"title"`
	Wrong bool     `json:"wrong,omitempty"` // it was looked at and is not as it should be
	Steps []string `json:"steps"`
}

func printByHand(out io.Writer, hand []handwork) {
	if len(hand) == 0 {
		return
	}
	fmt.Fprintf(out, "\nBy hand\n")
	for _, h := range hand {
		fmt.Fprintf(out, "  %s\n", h.Title)
		for i, s := range h.Steps {
			fmt.Fprintf(out, "    %d. %s\n", i+1, strings.ReplaceAll(s, "\n", "\n       "))
		}
	}
}
