package sim

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"elevate/internal/sim/cast"
	"elevate/internal/sim/simchat"
	"elevate/internal/sim/simentra"
	"elevate/internal/sim/simslack"
	"elevate/internal/sim/simteams"
)

// Result is what came of an act.
type Result struct {
	Text    string          `json:"text"` // what the person sees, cards drawn as text
	Shown   []simchat.Shown `json:"shown,omitzero"`
	Page    *Page           `json:"page,omitzero"`
	Confirm string          `json:"confirm,omitzero"` // the text of a confirm dialog that came up
	Failed  string          `json:"failed,omitzero"`  // Slack's, Teams' or PIM's own error, as the person sees it
	Status  int             `json:"status,omitzero"`  // of the app's answer to a forged delivery
	MS      int64           `json:"ms"`
}

// An UnknownError says that nobody understands an act, with the line of the help that comes nearest.
type UnknownError struct {
	Line string `json:"line"`
	Help string `json:"help"`
	Said string `json:"said,omitzero"` // a better sentence than that a line is not understood
}

func (e *UnknownError) Error() string {
	if e.Said != "" {
		return e.Said
	}
	return fmt.Sprintf("%q is not understood. Try: %s", e.Line, e.Help)
}

// Act does as a person what the words say, in one of the chats, in their browser or in the PIM portal, and returns
// what they see then. It is the language of `elevate act PERSON slack|teams|web|portal WORDS…`; Help lists it.
func (s *Sandbox) Act(ctx context.Context, person, chat string, words []string) (Result, error) {
	return s.Do(ctx, append([]string{person, chat}, words...))
}

// Do carries out one line of the language, also those that belong to nobody: clock, break, heal, graph, help.
func (s *Sandbox) Do(ctx context.Context, words []string) (Result, error) {
	began := s.now()
	result, err := s.do(ctx, words)
	result.MS = s.now().Sub(began).Milliseconds()
	return result, err
}

func (s *Sandbox) do(ctx context.Context, words []string) (Result, error) {
	if len(words) == 0 || words[0] == "help" {
		return Result{Text: Help()}, nil
	}
	switch words[0] {
	case "clock":
		return s.actClock(ctx, words[1:])
	case "break":
		return s.actBreak(words[1:])
	case "heal":
		return s.actHeal()
	case "graph":
		return s.actGraph(words[1:])
	case "teams":
		return s.actTeamsSide(words[1:])
	case "pagerduty":
		return s.actPagerDuty(words[1:])
	case "pings":
		return Result{Text: strconv.FormatInt(s.pings.Load(), 10) + " pings"}, nil
	case "people":
		return s.actPeople()
	case "tenant":
		return s.actTenant(words[1:])
	case "crowd":
		return s.actCrowd(words[1:])
	case "event":
		return s.actEvent(ctx, words[1:])
	}
	if _, known := s.cast.Person(words[0]); !known {
		return Result{}, s.unknownPerson(words)
	}
	return s.doAs(ctx, words)
}

// doAs carries out what a person does.
func (s *Sandbox) doAs(ctx context.Context, words []string) (Result, error) {
	if len(words) < 3 {
		return Result{}, unknown(words)
	}
	switch words[1] {
	case "slack":
		return s.actSlack(ctx, words[0], words[2:])
	case "teams":
		return s.actTeams(ctx, words[0], words[2:])
	case "web":
		return s.actWeb(ctx, words[0], words[2:])
	case "portal":
		return s.actPortal(words[0], words[2:])
	}
	return Result{}, unknown(words)
}

// failed turns what a chat says of a failed delivery into a result: the person sees it, so it is no error of the act.
func failed(r Result, err error) (Result, error) {
	if d, ok := errors.AsType[*simslack.DeliveryError](err); ok {
		r.Failed = d.Code
		return r, nil
	}
	if d, ok := errors.AsType[*simteams.DeliveryError](err); ok {
		r.Failed = d.Code
		return r, nil
	}
	return r, err
}

// unknownPerson answers a line that begins with nobody's name: it may have been meant for somebody, or be no person's.
func (s *Sandbox) unknownPerson(words []string) error {
	e := &UnknownError{Line: strings.Join(words, " "), Help: "people, which lists who there is"}
	if len(words) > 1 && slices.Contains([]string{"slack", "teams", "web", "portal"}, words[1]) {
		e.Said = s.nobody(words[0]).Error()
	}
	return e
}

// nobody says that there is no such person, and who there is.
func (s *Sandbox) nobody(word string) error {
	var keys []string
	for _, p := range s.cast.People {
		keys = append(keys, p.Key)
	}
	return fmt.Errorf("nobody is called %q; people are %s", word, strings.Join(keys, ", "))
}

// part says what somebody is in the model scenario.
func (s *Sandbox) part(p cast.Person) string {
	var parts, asks, approves []string
	for _, role := range modelRoles() {
		if s.in(p.Key, role.Eligible) {
			asks = append(asks, role.Name)
		}
		if s.in(p.Key, role.Approvers) {
			approves = append(approves, role.Name)
		}
	}
	if len(asks) > 0 {
		parts = append(parts, "may ask for "+strings.Join(asks, ", "))
	}
	if len(approves) > 0 {
		parts = append(parts, "approves "+strings.Join(approves, ", "))
	}
	if s.in(p.Key, []string{cast.Auditors}) {
		parts = append(parts, "may read everything")
	}
	for _, odd := range []struct {
		is   bool
		what string
	}{
		{p.Admin, "administrator of the tenant"},
		{p.GroupsAdmin, "administrator of groups"},
		{p.UserType == cast.Guest, "guest of the tenant"},
		{p.Slack.Restricted, "guest in Slack"},
		{p.Slack.Deactivated, "deactivated in Slack"},
		{p.Slack.Stranger, "from another workspace"},
		{p.Slack.Bot, "bot"},
		{p.Anonymous, "without an account, in a group chat in Teams"},
	} {
		if odd.is {
			parts = append(parts, odd.what)
		}
	}
	if p.UserType == cast.Member && !s.Teams.Reaches(p.Key) {
		parts = append(parts, "has not added the app in Teams")
	}
	if member, err := s.Slack.Person(p.Slack.UserID); err == nil && member.TZ != "" {
		parts = append(parts, "lives in "+member.TZ)
	}
	return strings.Join(parts, "; ")
}

// in says whether somebody is a member of one of the groups.
func (s *Sandbox) in(key string, groups []string) bool {
	return slices.ContainsFunc(groups, func(name string) bool {
		people, err := s.Entra.Portal().Members(name)
		return err == nil && slices.Contains(people, key) // a group may not have been made yet
	})
}

// actPeople lists who there is, and what they may do.
func (s *Sandbox) actPeople() (Result, error) {
	var lines []string
	for _, p := range s.cast.People {
		slack := p.Slack.UserID
		if slack == "" {
			slack = "not in Slack"
		}
		line := fmt.Sprintf("%-10s %-22s %-12s %-26s %s", p.Key, p.DisplayName, slack, p.UPN, s.part(p))
		lines = append(lines, strings.TrimRight(line, " "))
	}
	return Result{Text: strings.Join(lines, "\n")}, nil
}

// longPages is how long the lists of a large tenant's Graph are.
const longPages = 100

// actCrowd makes the tenant large: NUMBER GROUP REASON.
func (s *Sandbox) actCrowd(words []string) (Result, error) {
	n := 0
	if len(words) > 0 {
		n, _ = strconv.Atoi(words[0]) // what is no number is none
	}
	if n <= 0 || len(words) < 3 {
		return Result{}, unknown(append([]string{"crowd"}, words...))
	}
	s.Entra.SetBehavior(func(b *simentra.Behavior) { b.PageSize = longPages })
	if err := s.Entra.Portal().Crowd(n, s.group(words[1]), strings.Join(words[2:], " ")); err != nil {
		return Result{}, err
	}
	return Result{Text: fmt.Sprintf("%d newcomers asked for %s", n, s.group(words[1]))}, nil
}

// actClock moves the clock; events that Slack tries again at that time are sent.
func (s *Sandbox) actClock(ctx context.Context, words []string) (Result, error) {
	for _, word := range words {
		if speed, ok := strings.CutPrefix(word, "x"); ok {
			rate, err := parseRate(speed)
			if err != nil {
				return Result{}, err
			}
			s.Clock.SetRate(rate)
			continue
		}
		d, err := time.ParseDuration(strings.TrimPrefix(word, "+"))
		if err != nil || d < 0 {
			return Result{}, &UnknownError{Line: "clock " + strings.Join(words, " "), Help: "clock [+1h30m] [x60]"}
		}
		s.Clock.Advance(d)
	}
	if len(words) > 0 {
		s.follower.catchesUp(ctx, s.now())
	}
	r := Result{Text: s.Clock.Now().UTC().Format(time.RFC3339)}
	return failed(r, s.Slack.RetryEvents(ctx))
}

func parseRate(s string) (float64, error) {
	var rate float64
	if _, err := fmt.Sscanf(s, "%g", &rate); err != nil || rate <= 0 {
		return 0, &UnknownError{Line: "clock x" + s, Help: "clock x60, which makes a minute pass in a second"}
	}
	return rate, nil
}

// actEvent sends an event of Slack's Events API that no person's click causes.
func (s *Sandbox) actEvent(ctx context.Context, words []string) (Result, error) {
	var err error
	switch {
	case len(words) == 1 && words[0] == "url_verification":
		err = s.Slack.VerifyURL(ctx)
	case len(words) == 1 && words[0] == "ssl_check":
		status, err := s.Slack.SSLCheck(ctx)
		return Result{Text: fmt.Sprintf("answered with status %d", status), Status: status}, err
	case len(words) == 1 && words[0] == "app_uninstalled":
		err = s.Slack.Uninstall(ctx)
	case len(words) == 2 && words[0] == "home" && (words[1] == "on" || words[1] == "off"):
		s.Slack.SetHome(words[1] == "on")
		return Result{Text: "the app's Home tab is " + words[1]}, nil
	case len(words) == 2 && words[0] == "user_change":
		err = s.Slack.SendUserChange(ctx, words[1])
	default:
		return Result{}, unknown(append([]string{"event"}, words...))
	}
	return failed(Result{Text: "sent " + words[0]}, err)
}
