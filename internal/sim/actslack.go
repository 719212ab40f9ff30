package sim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"elevate/internal/sim/simslack"
)

const (
	answerWithin = 2 * time.Second        // how long an act waits for something to appear
	quiet        = 150 * time.Millisecond // when nothing changes for so long, the answer is complete
	watchWithin  = 30 * time.Second       // how long sees … until waits
)

func (s *Sandbox) actSlack(ctx context.Context, person string, words []string) (Result, error) {
	if _, err := s.Slack.Person(person); err != nil {
		return Result{}, err
	}
	before := s.Slack.Revision()
	verb, rest := words[0], words[1:]
	switch {
	case strings.HasPrefix(verb, "/"):
		return s.after(ctx, person, before, Result{}, s.Slack.Slash(ctx, person, simslack.General, strings.Join(words, " ")))
	case verb == "in" && len(rest) > 1:
		return s.after(ctx, person, before, Result{}, s.Slack.Slash(ctx, person, rest[0], strings.Join(rest[1:], " ")))
	case verb == "click" && len(rest) > 0:
		return s.click(ctx, person, before, rest)
	case verb == "fill" && len(rest) > 0, verb == "submit":
		values, err := assignments(rest)
		if err != nil {
			return Result{}, err
		}
		return s.after(ctx, person, before, Result{}, s.Slack.Submit(ctx, person, values))
	case verb == "sees":
		return s.sees(ctx, person, rest)
	}
	return s.actSlackRare(ctx, person, before, words)
}

// actSlackRare are the words that are seldom said.
func (s *Sandbox) actSlackRare(ctx context.Context, person string, before int, words []string) (Result, error) {
	switch line := strings.Join(words, " "); {
	case line == "close":
		return s.after(ctx, person, before, Result{}, s.Slack.CloseForm(ctx, person))
	case line == "home":
		return s.after(ctx, person, before, Result{}, s.Slack.OpenHome(ctx, person))
	case line == "again":
		return s.after(ctx, person, before, Result{}, s.Slack.Again(ctx, person))
	case words[0] == "forge" && len(words) == 2:
		return s.forge(ctx, person, words[1])
	case words[0] == "account" && len(words) == 2:
		return s.account(person, words[1])
	}
	return Result{}, unknown(append([]string{person, "slack"}, words...))
}

// after shows what a person sees once an act was answered.
func (s *Sandbox) after(ctx context.Context, person string, before int, r Result, err error) (Result, error) {
	r, err = failed(r, err)
	if err != nil {
		return r, err
	}
	s.settle(ctx, person, before)
	r.Shown, err = s.Slack.Sees(person, before)
	r.Text = draw(r)
	return r, err
}

// settle waits until something appeared for a person, and then until nothing more does.
func (s *Sandbox) settle(ctx context.Context, person string, before int) {
	something := func() bool {
		shown, err := s.Slack.Sees(person, before)
		return err != nil || len(shown) > 0
	}
	waiting, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	if s.Slack.WaitFor(waiting, something) != nil {
		return
	}
	for range 10 {
		at := s.Slack.Revision()
		calm, stop := context.WithTimeout(ctx, quiet)
		err := s.Slack.WaitFor(calm, func() bool { return s.Slack.Revision() != at })
		stop()
		if err != nil {
			return
		}
	}
}

// draw is a result as text.
func draw(r Result) string {
	var parts []string
	if r.Confirm != "" {
		parts = append(parts, "(confirmed) "+r.Confirm)
	}
	for _, shown := range r.Shown {
		head := shown.Where
		if shown.Ephemeral {
			head += " (only you)"
		}
		parts = append(parts, "— "+head+"\n"+shown.Text)
	}
	if r.Failed != "" && len(r.Shown) == 0 {
		parts = append(parts, r.Failed)
	}
	return strings.Join(parts, "\n\n")
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
	r, err = s.after(ctx, person, before, r, err)
	if err != nil || reason == "" || formBefore || !s.Slack.FormOpen(person) {
		return r, err
	}
	return s.after(ctx, person, s.Slack.Revision(), r, s.Slack.Submit(ctx, person, map[string]string{"reason": reason}))
}

// clauses splits words at keywords; what stands before the first belongs to the empty one.
func clauses(words []string, keywords ...string) map[string][]string {
	said := map[string][]string{}
	current := ""
	for _, word := range words {
		isKeyword := false
		for _, k := range keywords {
			isKeyword = isKeyword || word == k
		}
		if _, twice := said[word]; isKeyword && !twice && current != "reason" {
			current = word
			said[current] = nil
			continue
		}
		said[current] = append(said[current], word)
	}
	return said
}

// options takes the assignments out of a label's words.
func options(words []string) (string, map[string]string, error) {
	var label, assigned []string
	for _, word := range words {
		if strings.Contains(word, "=") {
			assigned = append(assigned, word)
		} else {
			label = append(label, word)
		}
	}
	values, err := assignments(assigned)
	if len(label) == 0 {
		err = errors.New("say which button")
	}
	return strings.Join(label, " "), values, err
}

// assignments reads FIELD=VALUE; words without an equals sign belong to the value before them.
func assignments(words []string) (map[string]string, error) {
	values := map[string]string{}
	last := ""
	for _, word := range words {
		field, value, ok := strings.Cut(word, "=")
		switch {
		case ok:
			last = field
			values[field] = strings.Trim(value, `"`)
		case last == "":
			return nil, fmt.Errorf("%q is no FIELD=VALUE", word)
		default:
			values[last] = strings.Trim(values[last]+" "+word, `"`)
		}
	}
	return values, nil
}

// sees lists what stands somewhere, and waits for words to appear when asked to.
func (s *Sandbox) sees(ctx context.Context, person string, words []string) (Result, error) {
	said := clauses(words, "until", "within")
	place := strings.Join(said[""], " ")
	until := strings.Join(said["until"], " ")
	within, err := duration(said["within"], watchWithin)
	if err != nil {
		return Result{}, err
	}
	var r Result
	look := func() bool {
		r.Shown, err = s.Slack.Sees(person, 0)
		r.Shown = inPlace(r.Shown, place)
		r.Text = draw(r)
		return err != nil || until == "" || strings.Contains(strings.ToLower(r.Text), strings.ToLower(until))
	}
	waiting, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if waitErr := s.Slack.WaitFor(waiting, look); waitErr != nil {
		return r, fmt.Errorf("%s does not see %q there", person, until)
	}
	if r.Text == "" {
		r.Text = "(nothing)"
	}
	return r, err
}

func duration(words []string, otherwise time.Duration) (time.Duration, error) {
	if len(words) == 0 {
		return otherwise, nil
	}
	return time.ParseDuration(words[0])
}

func inPlace(shown []simslack.Shown, place string) []simslack.Shown {
	if place == "" {
		return shown
	}
	var there []simslack.Shown
	for _, one := range shown {
		if one.Where == place || one.Channel == place || one.Where == "#"+place {
			there = append(there, one)
		}
	}
	return there
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
