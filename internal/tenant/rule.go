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
	if r.Rules.Longest < ShortestLimit {
		c.refuse(r.Name, "Write 30m or more as duration.max; duration.default may be shorter.", "PIM takes no longest activation of %s.", pim.FormatDuration(r.Rules.Longest))
	}
	group, _ := c.actual.group(r.Group)
	details := c.actual.Details[group.ID]
	before, known := Policy{}, details.Policy != nil
	if known {
		before = *details.Policy
	}
	onboarded := known && (before.Touched || len(details.Eligible) > 0 || len(details.Activated) > 0)
	for _, change := range c.differences(r, before, known) {
		step := Step{
			Kind: SetRule, Role: r.Name, Group: r.Group, GroupID: group.ID, Rule: change.rule, Rules: r.Rules, Approvers: r.Approvers,
			Says: change.says, Changes: change.changes, Onboards: !onboarded,
		}
		if change.rule == ApprovalRule && r.Rules.Approval {
			for _, name := range distinct(r.Approvers) {
				step.Notes = append(step.Notes, c.whoIsIn(name)...)
			}
		}
		c.step(step)
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
			out = append(out, ruleChange{rule, fmt.Sprintf(says, c.spelled(r.Group)), changes})
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
	add(ApprovalRule, "Set who approves activations of %s", append([]Change{{"approval", yesNo(before.Approval), yesNo(r.Rules.Approval)}}, c.approvers(r, before)...)...)
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

// approver is who approves, by id; a group that is yet to be made has a name alone.
type approver struct {
	id   pim.PrincipalID
	name string
}

// approvers compares by id who approves; the names are for reading. What PIM has beyond that, as another stage, is a difference.
func (c *comparison) approvers(r Role, before Policy) []Change {
	if !r.Rules.Approval {
		return nil
	}
	var there []approver
	for _, g := range before.ApproverGroups {
		there = append(there, approver{pim.PrincipalID(g), c.actual.NameOf(pim.PrincipalID(g))})
	}
	for _, id := range before.ApproverPeople {
		there = append(there, approver{id, c.actual.NameOf(id)})
	}
	var wanted []approver
	for _, name := range distinct(r.Approvers) {
		if g, found := c.actual.group(name); found {
			wanted = append(wanted, approver{pim.PrincipalID(g.ID), g.Name})
		} else if p, found := c.actual.People[Key(name)]; found {
			wanted = append(wanted, approver{p.ID, cmp.Or(p.Name, name)})
		} else {
			wanted = append(wanted, approver{"", name})
		}
	}
	there, wanted = inOrder(there), inOrder(wanted)
	sameID := func(a, b approver) bool { return a.id == b.id && a.id != "" }
	if slices.EqualFunc(there, wanted, sameID) && len(before.Beyond) == 0 {
		return nil
	}
	return []Change{{"approvers", named(there, wanted, before.Beyond), named(wanted, there, nil)}}
}

// inOrder sorts by id and leaves out who is there twice.
func inOrder(list []approver) []approver {
	slices.SortFunc(list, func(a, b approver) int { return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.name, b.name)) })
	return slices.CompactFunc(list, func(a, b approver) bool { return a.id == b.id && (a.id != "" || a.name == b.name) })
}

// named lists approvers, with the id of those whose name another one has, too.
func named(list, others []approver, beyond []string) string {
	names := slices.Clone(beyond)
	for _, a := range list {
		namesake := func(o approver) bool { return o.id != a.id && Key(o.name) == Key(a.name) }
		if a.id != "" && a.name != string(a.id) && (slices.ContainsFunc(others, namesake) || slices.ContainsFunc(list, namesake)) {
			a.name += " (" + string(a.id) + ")"
		}
		names = append(names, a.name)
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
		peoples, _ := c.actual.group(name)
		i := slices.IndexFunc(there, func(e Eligible) bool { return peoples.ID != "" && e.Principal == pim.PrincipalID(peoples.ID) })
		s := Step{
			Kind: MakeEligible, Role: r.Name, Group: r.Group, GroupID: group.ID, Principal: name, PrincipalID: pim.PrincipalID(peoples.ID), Notes: c.whoIsIn(name),
			Says: fmt.Sprintf("Make %s eligible for %s without end", c.spelled(name), c.spelled(r.Group)),
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
				"%s is eligible for %s and not declared.", called(c.actual.NameOf(e.Principal), string(e.Principal)), c.spelled(r.Group))
		}
	}
	for _, m := range details.Members {
		end, assigned := details.Assigned[m.ID]
		who := called(m.Name, string(m.ID))
		switch {
		case assigned && end.IsZero():
			c.beside(r.Name, group.ID, removeAssignment, "%s is assigned to %s in PIM without end: nobody asks for it, and nobody approves it.", who, c.spelled(r.Group))
		case assigned:
			c.beside(r.Name, group.ID, removeAssignment, "%s is assigned to %s in PIM until %s: nobody asks for it, and nobody approves it.", who, c.spelled(r.Group), end.UTC().Format("2 January 2006 15:04 UTC"))
		case !details.Activated[m.ID]:
			c.beside(r.Name, group.ID, "Take them out of the group: membership should come from PIM alone.",
				"%s is a member of %s for good, without PIM.", who, c.spelled(r.Group))
		}
	}
	for _, o := range details.Owners {
		c.beside(r.Name, group.ID, "Take the ownership away in Entra: whoever owns the group can add members to it, and change PIM's rules for it, without anybody's approval.",
			"%s owns %s.", called(o.Name, string(o.ID)), c.spelled(r.Group))
	}
	for _, e := range details.Owning {
		c.beside(r.Name, group.ID, "Remove the eligibility in PIM: owners can add members without anybody's approval.",
			"%s may become an owner of %s by PIM.", called(c.actual.NameOf(e.Principal), string(e.Principal)), c.spelled(r.Group))
	}
}

const removeAssignment = "Remove the assignment in PIM, under the group's assignments."

// mostNamed is how many people of a group are named.
const mostNamed = 5

// whoIsIn says who is in a group that stands already: they get what the group gets.
func (c *comparison) whoIsIn(name string) []string {
	group, found := c.actual.group(name)
	if !found {
		return nil
	}
	inside := c.actual.Details[group.ID]
	says := fmt.Sprintf("%s (%s) has %s in it", group.Name, group.ID, people(len(inside.People)))
	if len(inside.People) > 0 {
		says += ": " + some(namesEach(inside.People))
	}
	if len(inside.Owners) > 0 {
		var owners []string
		for _, o := range inside.Owners {
			owners = append(owners, called(o.Name, string(o.ID)))
		}
		says += "; its owners can let others in: " + some(owners)
	}
	return []string{says + "."}
}

func people(n int) string {
	switch n {
	case 0:
		return "nobody"
	case 1:
		return "1 person"
	}
	return fmt.Sprintf("%d people", n)
}

// some names the first of many.
func some(names []string) string {
	slices.Sort(names)
	if len(names) > mostNamed {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:mostNamed], ", "), len(names)-mostNamed)
	}
	return strings.Join(names, ", ")
}
