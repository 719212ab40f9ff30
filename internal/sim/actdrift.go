package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"elevate/internal/sim/simentra"
)

// portalPolicy changes a rule of a group: GROUP max 4h | approval|justification|ticket|mfa|permanent on|off | approver NAME….
func (s *Sandbox) portalPolicy(admin string, words []string) (string, error) {
	var change simentra.PolicyChange
	if len(words) < 3 || !s.readPolicy(words[1], words[2:], &change) {
		return "", unknown(append([]string{admin, "portal", "policy"}, words...))
	}
	group := s.group(words[0])
	if err := s.Entra.Portal().ChangePolicy(admin, group, change); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s changed the policy of %s: %s", admin, group, strings.Join(words[1:], " ")), nil
}

func (s *Sandbox) readPolicy(what string, words []string, change *simentra.PolicyChange) bool {
	switch what {
	case "max":
		d, err := time.ParseDuration(words[0])
		change.Max = iso(d)
		return err == nil && len(words) == 1
	case "approver":
		for _, word := range words {
			change.Approvers = append(change.Approvers, s.principal(word))
		}
		return true
	}
	on := words[0] == "on"
	switched, known := map[string]**bool{
		"approval": &change.Approval, "justification": &change.Justification, "ticket": &change.Ticketing, "mfa": &change.MFA,
		"permanent": &change.Permanent,
	}[what]
	if !known || len(words) != 1 || !slices.Contains([]string{"on", "off"}, words[0]) {
		return false
	}
	*switched = &on
	return true
}

// principal is a person's key as it is, or a group's name from its words.
func (s *Sandbox) principal(word string) string {
	if _, person := s.cast.Person(word); person {
		return word
	}
	return s.group(word)
}

// portalMember changes the direct members of a group: add|remove PERSON GROUP.
func (s *Sandbox) portalMember(admin string, words []string) (string, error) {
	return s.addOrRemove(admin, "member", words, s.Entra.Portal().AddMember, s.Entra.Portal().RemoveMember)
}

// portalOwner changes who owns a group: add|remove PRINCIPAL GROUP.
func (s *Sandbox) portalOwner(admin string, words []string) (string, error) {
	return s.addOrRemove(admin, "owner", words, s.Entra.Portal().AddOwner, s.Entra.Portal().RemoveOwner)
}

func (s *Sandbox) addOrRemove(admin, what string, words []string, add, remove func(admin, principal, group string) error) (string, error) {
	act := map[string]func(admin, principal, group string) error{"add": add, "remove": remove}[words[0]]
	if act == nil || len(words) != 3 {
		return "", unknown(append([]string{admin, "portal", what}, words...))
	}
	who, group := s.principal(words[1]), s.group(words[2])
	if err := act(admin, who, group); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s: %s %s %s %s", admin, words[0], what, who, group), nil
}

// portalNest makes one group a member of another: GROUP in GROUP.
func (s *Sandbox) portalNest(admin string, words []string) (string, error) {
	if len(words) != 3 || words[1] != "in" {
		return "", unknown(append([]string{admin, "portal", "nest"}, words...))
	}
	inner, outer := s.group(words[0]), s.group(words[2])
	if err := s.Entra.Portal().AddMember(admin, inner, outer); err != nil {
		return "", err
	}
	return inner + " is in " + outer, nil
}

// portalEligible gives or takes a permanent eligibility: PRINCIPAL GROUP.
func (s *Sandbox) portalEligible(admin string, words []string, give bool) (string, error) {
	verb, said, act := "eligible", "is eligible for", s.Entra.Portal().MakeEligible
	if !give {
		verb, said, act = "uneligible", "is no longer eligible for", s.Entra.Portal().RemoveEligibility
	}
	if len(words) != 2 {
		return "", unknown(append([]string{admin, "portal", verb}, words...))
	}
	who, group := s.principal(words[0]), s.group(words[1])
	if err := act(admin, who, group); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s %s %s", who, said, group), nil
}

// portalDefender gives a group a role in Microsoft Defender's portal: GROUP ROLE.
func (s *Sandbox) portalDefender(admin string, words []string) (string, error) {
	if len(words) < 2 {
		return "", unknown(append([]string{admin, "portal", "defender"}, words...))
	}
	group, role := s.group(words[0]), strings.Join(words[1:], " ")
	if err := s.Entra.Portal().GiveDefenderRole(admin, group, role); err != nil {
		return "", err
	}
	return group + " has the role " + role + " in Defender", nil
}
