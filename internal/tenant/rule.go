package tenant

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"elevate/internal/pim"
)

// The ids of PIM's rules that are declared.
// https://learn.microsoft.com/graph/identity-governance-pim-rules-overview
const (
	PermanentRule  = "Expiration_Admin_Eligibility"
	LongestRule    = "Expiration_EndUser_Assignment"
	EnablementRule = "Enablement_EndUser_Assignment"
	ContextRule    = "AuthenticationContext_EndUser_Assignment"
	ApprovalRule   = "Approval_EndUser_Assignment"
)

// PIM's words for what an activation needs.
const (
	wordMFA           = "MultiFactorAuthentication"
	wordJustification = "Justification"
	wordTicket        = "Ticketing"
)

// EnabledWords are the words of the rule of what an activation needs, with those kept that are not declared.
func EnabledWords(r Rules, before []string) []string {
	var words []string
	for word, on := range map[string]bool{wordMFA: r.MFA, wordJustification: r.Justification, wordTicket: r.Ticket} {
		if on {
			words = append(words, word)
		}
	}
	for _, word := range before {
		ours := slices.ContainsFunc([]string{wordMFA, wordJustification, wordTicket}, func(w string) bool { return strings.EqualFold(w, word) })
		if !ours {
			words = append(words, word)
		}
	}
	slices.Sort(words)
	return words
}

// rules makes a step for each rule that differs. A group that PIM has no rules for yet gets them all.
func (c *comparison) rules(r Role) {
	if r.Rules.Longest > LongestActivation {
		c.refuse(r.Name, "Write 24h or less as duration.max.", "%s is longer than what PIM takes.", pim.FormatDuration(r.Rules.Longest))
	}
	group, _ := c.actual.group(r.Group)
	details := c.actual.Details[group.ID]
	before, known := Policy{}, details.Policy != nil
	if known {
		before = *details.Policy
	}
	onboarded := known && (before.Touched || len(details.Eligible) > 0 || len(details.Activated) > 0)
	for _, change := range c.differences(r, before, known) {
		c.step(Step{
			Kind: SetRule, Role: r.Name, Group: r.Group, GroupID: group.ID, Rule: change.rule, Rules: r.Rules, Approvers: r.Approvers,
			Says: change.says, Changes: change.changes, Onboards: !onboarded,
		})
		onboarded = true
	}
}

type ruleChange struct {
	rule, says string
	changes    []Change
}

// differences are in an order in which PIM takes them: MFA and an authentication context never stand together.
func (c *comparison) differences(r Role, before Policy, known bool) []ruleChange {
	var out []ruleChange
	add := func(rule, says string, changes ...Change) {
		changes = slices.DeleteFunc(changes, func(ch Change) bool { return known && ch.Was == ch.Will })
		for i := range changes {
			if !known {
				changes[i].Was = "PIM's default"
			}
		}
		if len(changes) > 0 {
			out = append(out, ruleChange{rule, fmt.Sprintf(says, r.Group), changes})
		}
	}
	add(PermanentRule, "Let eligibility for %s be without end", Change{"eligibility without end", yesNo(before.Permanent), yesNo(true)})
	add(LongestRule, "Set the longest activation of %s", Change{"longest activation", pim.FormatDuration(before.MaxDuration), pim.FormatDuration(r.Rules.Longest)})
	enablement := func() {
		add(EnablementRule, "Set what an activation of %s needs",
			Change{"justification", yesNo(before.Justification), yesNo(r.Rules.Justification)},
			Change{"ticket", yesNo(before.Ticketing), yesNo(r.Rules.Ticket)}, Change{"MFA", yesNo(before.MFA), yesNo(r.Rules.MFA)})
	}
	context := func() {
		add(ContextRule, "Set the authentication context of %s", Change{"authentication context", cmp.Or(before.Context, "none"), cmp.Or(r.Rules.Context, "none")})
	}
	if r.Rules.MFA {
		context()
		enablement()
	} else {
		enablement()
		context()
	}
	approval := []Change{{"approval", yesNo(before.Approval), yesNo(r.Rules.Approval)}}
	if r.Rules.Approval {
		approval = append(approval, Change{"approvers", c.approversThere(before), c.approversWanted(r)})
	}
	add(ApprovalRule, "Set who approves activations of %s", approval...)
	if r.Rules.Mail != nil {
		for _, rule := range mailRules {
			add(rule, "Set whether PIM mails "+mailTo[rule]+" of %s", Change{"mail to " + mailTo[rule], yesNo(before.Mail[rule]), yesNo(*r.Rules.Mail)})
		}
	}
	return out
}

// mailTo says whom a rule about mail is for.
var mailTo = map[string]string{
	mailRules[0]: "administrators about activations", mailRules[1]: "requesters about activations", mailRules[2]: "approvers about activations",
}

func (c *comparison) approversThere(p Policy) string {
	var names []string
	for _, g := range p.ApproverGroups {
		names = append(names, c.actual.NameOf(pim.PrincipalID(g)))
	}
	for _, id := range p.ApproverPeople {
		names = append(names, c.actual.NameOf(id))
	}
	return listOf(names)
}

func (c *comparison) approversWanted(r Role) string {
	var names []string
	for _, name := range distinct(r.Approvers) {
		if g, found := c.actual.group(name); found {
			name = g.Name
		} else if p, found := c.actual.People[Key(name)]; found && p.Name != "" {
			name = p.Name
		}
		names = append(names, name)
	}
	return listOf(names)
}

func listOf(names []string) string {
	slices.Sort(names)
	return cmp.Or(strings.Join(slices.Compact(names), ", "), "none")
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// eligibilities makes the people's groups eligible without end.
func (c *comparison) eligibilities(r Role) {
	group, _ := c.actual.group(r.Group)
	there := c.actual.Details[group.ID].Eligible
	for _, name := range distinct(r.Eligible) {
		people, _ := c.actual.group(name)
		i := slices.IndexFunc(there, func(e Eligible) bool { return people.ID != "" && e.Principal == pim.PrincipalID(people.ID) })
		s := Step{
			Kind: MakeEligible, Role: r.Name, Group: r.Group, GroupID: group.ID, Principal: name, PrincipalID: pim.PrincipalID(people.ID),
			Says: fmt.Sprintf("Make %s eligible for %s without end", name, r.Group),
		}
		switch {
		case i < 0:
			c.step(s)
		case !there[i].End.IsZero():
			s.Extends = true
			s.Changes = []Change{{"end of the eligibility", there[i].End.UTC().Format("2 January 2006"), "none"}}
			c.step(s)
		}
	}
}

// undeclared names who stands in a role's group beside what is declared.
func (c *comparison) undeclared(r Role) {
	group, found := c.actual.group(r.Group)
	if !found {
		return
	}
	details, declared := c.actual.Details[group.ID], map[pim.PrincipalID]bool{}
	for _, name := range r.Eligible {
		if g, found := c.actual.group(name); found {
			declared[pim.PrincipalID(g.ID)] = true
		}
	}
	for _, e := range details.Eligible {
		if !declared[e.Principal] {
			c.beside(r.Name, group.ID, "List it as eligible in the settings, or remove the eligibility in PIM.",
				"%s is eligible for %s and not declared.", called(c.actual.NameOf(e.Principal), string(e.Principal)), r.Group)
		}
	}
	for _, m := range details.Members {
		if !details.Activated[m.ID] {
			c.beside(r.Name, group.ID, "Take them out of the group: membership should come from PIM alone.",
				"%s is a member of %s for good, without PIM.", called(m.Name, string(m.ID)), r.Group)
		}
	}
}
