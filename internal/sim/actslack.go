package sim

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"elevate/internal/sim/simslack"
)

func (s *Sandbox) actSlack(ctx context.Context, person string, words []string) (Result, error) {
	if _, err := s.Slack.Person(person); err != nil {
		return Result{}, err
	}
	before := s.Slack.Revision()
	verb, rest := words[0], words[1:]
	switch {
	case strings.HasPrefix(verb, "/"):
		return s.slackChat().after(ctx, person, before, Result{}, s.Slack.Slash(ctx, person, simslack.General, strings.Join(words, " ")))
	case verb == "in" && len(rest) > 1:
		return s.slackChat().after(ctx, person, before, Result{}, s.Slack.Slash(ctx, person, rest[0], strings.Join(rest[1:], " ")))
	case verb == "click" && len(rest) > 0:
		return s.click(ctx, person, before, rest)
	case verb == "fill" && len(rest) > 0, verb == "submit":
		values, err := assignments(rest)
		if err != nil {
			return Result{}, err
		}
		return s.slackChat().after(ctx, person, before, Result{}, s.Slack.Submit(ctx, person, values))
	case verb == "sees":
		return s.slackChat().watch(ctx, person, rest)
	}
	return s.actSlackRare(ctx, person, before, words)
}

// actSlackRare are the words that are seldom said.
func (s *Sandbox) actSlackRare(ctx context.Context, person string, before int, words []string) (Result, error) {
	switch line := strings.Join(words, " "); {
	case line == "close":
		return s.slackChat().after(ctx, person, before, Result{}, s.Slack.CloseForm(ctx, person))
	case line == "home":
		return s.slackChat().after(ctx, person, before, Result{}, s.Slack.OpenHome(ctx, person))
	case line == "again":
		return s.slackChat().after(ctx, person, before, Result{}, s.Slack.Again(ctx, person))
	case words[0] == "forge" && len(words) == 2:
		return s.forge(ctx, person, words[1])
	case words[0] == "account" && len(words) == 2:
		return s.account(person, words[1])
	}
	return Result{}, unknown(append([]string{person, "slack"}, words...))
}

// click presses a button, and gives the reason where one is asked for: in the message, or in the form that opens.
func (s *Sandbox) click(ctx context.Context, person string, before int, words []string) (Result, error) {
	said := clauses(words, "on", "in", "reason", "dismiss")
	label, values, err := options(said[""])
	if err != nil {
		return Result{}, err
	}
	reason := strings.Join(said["reason"], " ")
	if reason != "" {
		values["reason"] = reason
	}
	_, dismiss := said["dismiss"]
	press := simslack.Press{
		Button: label, On: strings.Join(said["on"], " "), In: strings.Join(said["in"], " "), Values: values, Dismiss: dismiss,
	}
	formBefore := s.Slack.FormOpen(person)
	done, err := s.Slack.Click(ctx, person, press)
	r := Result{Confirm: done.Confirm}
	if dismiss && err == nil {
		r.Text = "(dismissed) " + done.Confirm
		return r, nil
	}
	r, err = s.slackChat().after(ctx, person, before, r, err)
	if err != nil || reason == "" || formBefore || !s.Slack.FormOpen(person) {
		return r, err
	}
	return s.slackChat().after(ctx, person, s.Slack.Revision(), r, s.Slack.Submit(ctx, person, map[string]string{"reason": reason}))
}

// forge delivers a person's last command or click again with something wrong.
func (s *Sandbox) forge(ctx context.Context, person, how string) (Result, error) {
	forgeries := map[string]simslack.Forgery{
		"signature": {WrongSignature: true},
		"stale":     {Age: 10 * time.Minute},
		"future":    {Age: -10 * time.Minute},
		"team":      {Team: s.cast.OtherTeam.ID},
		"app":       {App: "A0SOMEOTHER"},
		"garbage":   {Body: []byte("payload=%7B%22type%22%3A&=;")},
		"huge":      {Body: bytes.Repeat([]byte("text=x&"), 1<<19)},
		"replay":    {},
	}
	f, known := forgeries[how]
	if !known {
		return Result{}, unknown([]string{person, "slack", "forge", how})
	}
	ack, err := s.Slack.Forge(ctx, person, f)
	r, err := failed(Result{Status: ack.Status}, err)
	r.Text = fmt.Sprintf("the bot answered with status %d: %s", ack.Status, ack.Body)
	return r, err
}

// account changes how a person stands in the workspace.
func (s *Sandbox) account(person, how string) (Result, error) {
	flags := map[string]func(*simslack.Person) *bool{
		"deleted":          func(p *simslack.Person) *bool { return &p.Deleted },
		"restricted":       func(p *simslack.Person) *bool { return &p.Restricted },
		"ultra_restricted": func(p *simslack.Person) *bool { return &p.UltraRestricted },
		"stranger":         func(p *simslack.Person) *bool { return &p.Stranger },
		"bot":              func(p *simslack.Person) *bool { return &p.Bot },
		"invited":          func(p *simslack.Person) *bool { return &p.Invited },
	}
	if flags[how] == nil && how != "active" {
		return Result{}, unknown([]string{person, "slack", "account", how})
	}
	err := s.Slack.ChangePerson(person, func(p *simslack.Person) {
		for name, flag := range flags {
			*flag(p) = name == how
		}
	})
	return Result{Text: person + " is " + how + " in Slack"}, err
}
