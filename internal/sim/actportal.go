package sim

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"elevate/internal/sim/simentra"
)

// actPortal does in PIM's own portal what people do without the bot. What PIM refuses is a result, not an error.
func (s *Sandbox) actPortal(person string, words []string) (Result, error) {
	verb, rest := words[0], words[1:]
	act := map[string]func(string, []string) (string, error){
		"activate": s.portalActivate,
		"approve":  func(by string, w []string) (string, error) { return s.portalDecide(by, w, s.Entra.Portal().Approve) },
		"deny":     func(by string, w []string) (string, error) { return s.portalDecide(by, w, s.Entra.Portal().Deny) },
		"cancel":   s.portalCancel,
		"release":  s.portalRelease,
		"revoke":   s.portalRevoke,
		"assign":   s.portalAssign,
		"account":  s.portalAccount,

		"assign-app": s.portalAssignApp,
		"policy":     s.portalPolicy,
		"member":     s.portalMember,
		"owner":      s.portalOwner,
		"nest":       s.portalNest,
		"eligible":   func(by string, w []string) (string, error) { return s.portalEligible(by, w, true) },
		"uneligible": func(by string, w []string) (string, error) { return s.portalEligible(by, w, false) },
		"defender":   s.portalDefender,
	}[verb]
	if act == nil || len(rest) == 0 {
		return Result{}, unknown(append([]string{person, "portal"}, words...))
	}
	said, refused := act(person, rest)
	if _, misunderstood := errors.AsType[*UnknownError](refused); misunderstood {
		return Result{}, refused
	}
	if refused != nil {
		said = "the portal refused: " + refused.Error()
		return Result{Text: said, Failed: said}, nil //nolint:nilerr // the refusal is what the person sees
	}
	return Result{Text: said}, nil
}

// group finds a group by its name, or by the words after Role_ in any writing: mde-administrator, mde-admin.
func (s *Sandbox) group(word string) string {
	for _, role := range modelRoles() {
		if role.Name == word {
			return role.Group
		}
	}
	wanted := strings.ToLower(strings.ReplaceAll(word, "-", " "))
	for _, g := range s.Entra.Portal().Groups() {
		name := strings.ToLower(g)
		if name == wanted || strings.TrimPrefix(name, "role_") == wanted {
			return g
		}
	}
	return word
}

func (s *Sandbox) portalActivate(person string, words []string) (string, error) {
	a := simentra.Activation{Person: person, Group: s.group(words[0])}
	rest := words[1:]
	if len(rest) > 0 {
		if d, err := time.ParseDuration(rest[0]); err == nil {
			a.Duration = iso(d)
			rest = rest[1:]
		}
	}
	a.Justification = strings.Join(rest, " ")
	id, err := s.Entra.Portal().Activate(a)
	if err != nil {
		return "", err
	}
	return s.request(id), nil
}

// iso writes a duration as PIM does.
func iso(d time.Duration) string { return fmt.Sprintf("PT%dM", int(d.Minutes())) }

// request is one line about a request.
func (s *Sandbox) request(id string) string {
	for _, r := range s.Entra.Portal().Requests("") {
		if r.ID == id {
			return requestLine(r)
		}
	}
	return id
}

func requestLine(r simentra.RequestView) string {
	line := fmt.Sprintf("%s %s %s %s %s %q", r.ID, r.Person, r.Action, r.Group, r.Status, r.Justification)
	if r.DecidedBy != "" {
		line += fmt.Sprintf(" (%s by %s: %q)", r.Decision, r.DecidedBy, r.DecisionNote)
	}
	return line
}

// open finds a request that somebody means: by its id, by the person who made it, or by words of its justification;
// the newest that is not over.
func (s *Sandbox) open(word string) (string, error) {
	requests := s.Entra.Portal().Requests("")
	for _, r := range slices.Backward(requests) {
		over := slices.Contains([]string{"Denied", "Canceled", "Failed", "Revoked"}, r.Status)
		if r.ID == word || !over && (r.Person == word || strings.Contains(r.Justification, word)) {
			return r.ID, nil
		}
	}
	return "", fmt.Errorf("no open request fits %q", word)
}

func (s *Sandbox) portalDecide(by string, words []string, decide func(person, id, reason string) error) (string, error) {
	id, err := s.open(words[0])
	if err != nil {
		return "", err
	}
	if err := decide(by, id, strings.Join(words[1:], " ")); err != nil {
		return "", err
	}
	return s.request(id), nil
}

func (s *Sandbox) portalCancel(person string, words []string) (string, error) {
	id, err := s.open(words[0])
	if err != nil {
		return "", err
	}
	if err := s.Entra.Portal().Cancel(person, id); err != nil {
		return "", err
	}
	return s.request(id), nil
}

func (s *Sandbox) portalRelease(person string, words []string) (string, error) {
	group := s.group(words[0])
	if err := s.Entra.Portal().Release(person, group, strings.Join(words[1:], " ")); err != nil {
		return "", err
	}
	return person + " released " + group, nil
}

func (s *Sandbox) portalRevoke(admin string, words []string) (string, error) {
	if len(words) < 2 {
		return "", unknown([]string{admin, "portal", "revoke"})
	}
	group := s.group(words[1])
	if err := s.Entra.Portal().Revoke(admin, words[0], group, strings.Join(words[2:], " ")); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s revoked %s of %s", admin, group, words[0]), nil
}

// portalAssign makes somebody a member without an activation: PERSON GROUP [DURATION] REASON.
func (s *Sandbox) portalAssign(admin string, words []string) (string, error) {
	if len(words) < 2 {
		return "", unknown([]string{admin, "portal", "assign"})
	}
	group, rest, lasts := s.group(words[1]), words[2:], ""
	if len(rest) > 0 {
		if d, err := time.ParseDuration(rest[0]); err == nil {
			lasts, rest = iso(d), rest[1:]
		}
	}
	if err := s.Entra.Portal().Assign(admin, words[0], group, lasts, strings.Join(rest, " ")); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s assigned %s to %s", admin, group, words[0]), nil
}

// portalAssignApp lets a group or a person sign in to Elevate.
func (s *Sandbox) portalAssignApp(admin string, words []string) (string, error) {
	name := strings.Join(words, " ")
	if _, person := s.cast.Person(name); !person {
		name = s.group(name)
	}
	if err := s.Entra.Portal().AssignApp(admin, s.app.ClientID, name); err != nil {
		return "", err
	}
	return name + " may sign in to " + s.app.Name, nil
}

// portalAccount changes how an account stands: PERSON disabled|enabled|revoked|removed.
func (s *Sandbox) portalAccount(admin string, words []string) (string, error) {
	if len(words) != 2 {
		return "", unknown([]string{admin, "portal", "account"})
	}
	who := words[0]
	var err error
	switch words[1] {
	case "disabled":
		err = s.Entra.SetEnabled(who, false)
	case "enabled":
		err = s.Entra.SetEnabled(who, true)
	case "revoked":
		err = s.Entra.RevokeSessions(who)
	case "removed":
		err = s.Entra.RemovePerson(who)
	default:
		return "", unknown([]string{admin, "portal", "account"})
	}
	return who + " is " + words[1] + " in Entra", err
}

// actGraph shows what the directory holds.
func (s *Sandbox) actGraph(words []string) (Result, error) {
	if len(words) == 0 {
		return Result{}, unknown([]string{"graph"})
	}
	group := ""
	if len(words) > 1 {
		group = s.group(strings.Join(words[1:], " "))
	}
	switch words[0] {
	case "members", "active":
		return s.members(group)
	case "requests":
		return Result{Text: s.requests(group)}, nil
	case "calls":
		return Result{Text: s.calls()}, nil
	}
	return Result{}, unknown(append([]string{"graph"}, words...))
}

// members lists who is in a group, or in each of the governed ones.
func (s *Sandbox) members(group string) (Result, error) {
	groups := []string{group}
	if group == "" {
		groups = nil
		for _, role := range modelRoles() {
			groups = append(groups, role.Group)
		}
	}
	var lines []string
	for _, g := range groups {
		people, err := s.Entra.Portal().Members(g)
		if err != nil && group == "" {
			lines = append(lines, g+": (there is no such group)")
			continue
		}
		if err != nil {
			return Result{}, err
		}
		if len(people) == 0 {
			people = []string{"(nobody)"}
		}
		lines = append(lines, g+": "+strings.Join(people, ", "))
	}
	return Result{Text: strings.Join(lines, "\n")}, nil
}

func (s *Sandbox) requests(group string) string {
	var lines []string
	for _, r := range s.Entra.Portal().Requests("") {
		if group == "" || r.Group == group {
			lines = append(lines, requestLine(r))
		}
	}
	if len(lines) == 0 {
		return "(none)"
	}
	return strings.Join(lines, "\n")
}

// calls counts the calls of Graph so far.
func (s *Sandbox) calls() string {
	return counted(s.Entra.Calls())
}

// counted lists how often something happened.
func counted(counts map[string]int) string {
	var lines []string
	for name, n := range counts {
		lines = append(lines, fmt.Sprintf("%6d %s", n, name))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
