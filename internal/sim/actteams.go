package sim

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"elevate/internal/sim/simchat"
	"elevate/internal/sim/simteams"
)

func (s *Sandbox) teamsChat() chat {
	return chat{
		revision: s.Teams.Revision, waitFor: s.Teams.WaitFor,
		heard: func(ctx context.Context, person string, after int) ([]simchat.Shown, error) {
			if err := s.Teams.Look(ctx, person); err != nil {
				return nil, err
			}
			return s.Teams.Heard(person, after)
		},
		sees: func(ctx context.Context, person string) ([]simchat.Shown, error) {
			if err := s.Teams.Look(ctx, person); err != nil {
				return nil, err
			}
			return s.Teams.Sees(person, 0)
		},
	}
}

func (s *Sandbox) actTeams(ctx context.Context, person string, words []string) (Result, error) {
	if _, err := s.Teams.Person(person); err != nil {
		return Result{}, err
	}
	verb, rest := words[0], words[1:]
	switch {
	case strings.HasPrefix(verb, "/"):
		return s.say(ctx, person, "dm", words)
	case verb == "say" && len(rest) > 0:
		return s.say(ctx, person, "dm", rest)
	case verb == "in" && len(rest) > 1:
		return s.say(ctx, person, rest[0], rest[1:])
	case verb == "click" && len(rest) > 0:
		return s.clickTeams(ctx, person, rest)
	case verb == "fill" && len(rest) > 0:
		return s.fillTeams(ctx, person, rest)
	case verb == "sees":
		return s.teamsChat().watch(ctx, person, rest)
	}
	said := clauses(words, "in")
	if len(said[""]) == 1 {
		return s.placeTeams(ctx, person, verb, orWord(strings.Join(said["in"], " "), "dm"))
	}
	return s.actTeamsRare(ctx, person, words)
}

// say says something; what is not said to the bot has no answer to wait for.
func (s *Sandbox) say(ctx context.Context, person, place string, words []string) (Result, error) {
	before := s.Teams.Revision()
	told, err := s.Teams.Say(ctx, person, place, strings.Join(words, " "))
	if err == nil && !told {
		return Result{Text: "(said; the bot is not told without its mention)"}, nil
	}
	return s.teamsChat().after(ctx, person, before, Result{}, err)
}

// clickTeams presses a button, with what is filled in beside it.
func (s *Sandbox) clickTeams(ctx context.Context, person string, words []string) (Result, error) {
	said := clauses(words, "on", "in", "reason")
	label, values, err := options(said[""])
	if err != nil {
		return Result{}, err
	}
	if reason := strings.Join(said["reason"], " "); reason != "" {
		values["reason"] = reason
	}
	return s.pressTeams(ctx, person, simteams.Press{
		Button: label, On: strings.Join(said["on"], " "), In: strings.Join(said["in"], " "), Values: values,
	})
}

// fillTeams fills in the newest form that has the fields, and sends it by its first button.
func (s *Sandbox) fillTeams(ctx context.Context, person string, words []string) (Result, error) {
	values, err := assignments(words)
	if err != nil {
		return Result{}, err
	}
	return s.pressTeams(ctx, person, simteams.Press{Values: values})
}

func (s *Sandbox) pressTeams(ctx context.Context, person string, press simteams.Press) (Result, error) {
	if err := s.Teams.Look(ctx, person); err != nil { // whoever presses a button has looked at it
		return Result{}, err
	}
	before := s.Teams.Revision()
	done, err := s.Teams.Click(ctx, person, press)
	if err == nil && done.URL != "" {
		return Result{Text: "(opens) " + done.URL}, nil
	}
	return s.teamsChat().after(ctx, person, before, Result{}, err)
}

// actTeamsRare are the words that are seldom said.
func (s *Sandbox) actTeamsRare(ctx context.Context, person string, words []string) (Result, error) {
	said := clauses(words, "in")
	switch {
	case words[0] == "forge" && len(words) > 1:
		return s.forgeTeams(ctx, person, words[1], words[2:])
	case words[0] == "odd" && len(said[""]) == 2:
		return s.oddTeams(ctx, person, orWord(strings.Join(said["in"], " "), "dm"), words[1])
	case words[0] == "account" && len(words) == 2:
		return s.accountTeams(person, words[1])
	case words[0] == "client" && len(words) == 2 && (words[1] == "old" || words[1] == "new"):
		err := s.Teams.ChangePerson(person, func(p *simteams.Person) { p.OldClient = words[1] == "old" })
		return Result{Text: person + " has a client that is " + words[1]}, err
	}
	return Result{}, unknown(append([]string{person, "teams"}, words...))
}

// placeTeams does what is one word and has a place, or needs none.
func (s *Sandbox) placeTeams(ctx context.Context, person, verb, place string) (Result, error) {
	before := s.Teams.Revision()
	switch verb {
	case "install":
		return s.teamsChat().after(ctx, person, before, Result{}, s.Teams.Install(ctx, person, place))
	case "uninstall":
		return failed(Result{Text: "took the app away from " + place}, s.Teams.Uninstall(ctx, person, place))
	case "join":
		return failed(Result{Text: person + " is in " + place}, s.Teams.Join(ctx, person, place))
	case "leave":
		return failed(Result{Text: person + " is not in " + place}, s.Teams.Leave(ctx, person, place))
	case "block", "unblock":
		return Result{Text: person + " did " + verb + " the bot"}, s.Teams.Block(person, verb == "block")
	case "again":
		return s.teamsChat().after(ctx, person, before, Result{}, s.Teams.Again(ctx, person))
	}
	return Result{}, unknown([]string{person, "teams", verb})
}

func orWord(word, otherwise string) string {
	if word == "" {
		return otherwise
	}
	return word
}

// forgeTeams delivers a person's last message or click again with something wrong.
func (s *Sandbox) forgeTeams(ctx context.Context, person, how string, words []string) (Result, error) {
	const elsewhere = "https://connector.fabrikam.example/teams/"
	forgeries := map[string]simteams.Forgery{
		"none": {Alg: "none"}, "hs256": {Alg: "HS256"}, "tampered": {Tampered: true}, "key": {Key: "unknown"}, "endorsement": {Key: "foreign"},
		"issuer": {Issuer: "https://sts.windows.net/" + s.cast.TenantID + "/"}, "audience": {Audience: s.app.ClientID},
		"service": {Service: elsewhere}, "noservice": {NoService: true}, "elsewhere": {ServiceURL: elsewhere},
		"expired": {Age: 2 * time.Hour}, "future": {Age: -time.Hour}, "noexp": {NoExpiry: true}, "missing": {NoToken: true}, "scheme": {Scheme: "Basic"},
		"tenant": {Tenant: s.cast.OtherTenantID}, "channel": {Channel: "webchat"}, "bot": {Bot: s.app.ClientID},
		"garbage": {Body: []byte(`{"type":"message","text":`)}, "huge": {Body: bytes.Repeat([]byte(" "), 10<<20)},
		"deep": {Body: append(append([]byte(`{"type":"message","value":`), bytes.Repeat([]byte(`[`), 100_000)...), '}')}, "replay": {},
	}
	f, known := forgeries[how]
	if how == "data" && len(words) > 0 {
		data, err := assignments(words)
		if err != nil {
			return Result{}, err
		}
		f, known, words = simteams.Forgery{Data: map[string]any{}}, true, nil
		for key, value := range data {
			f.Data[key] = value
		}
	}
	if !known || len(words) > 0 {
		return Result{}, unknown([]string{person, "teams", "forge", how})
	}
	ack, err := s.Teams.Forge(ctx, person, f)
	r, err := failed(Result{Status: ack.Status}, err)
	r.Text = fmt.Sprintf("the bot answered with status %d: %s", ack.Status, ack.Body)
	return r, err
}

// oddTeams sends what is no message and no click.
func (s *Sandbox) oddTeams(ctx context.Context, person, place, kind string) (Result, error) {
	ack, err := s.Teams.Odd(ctx, person, place, kind)
	r, err := failed(Result{Status: ack.Status}, err)
	r.Text = fmt.Sprintf("the bot answered with status %d: %s", ack.Status, ack.Body)
	return r, err
}

// accountTeams changes how a person stands in the tenant's Teams.
func (s *Sandbox) accountTeams(person, how string) (Result, error) {
	known := map[string]func(*simteams.Person){
		"active":    func(*simteams.Person) {},
		"left":      func(p *simteams.Person) { p.Left = true },
		"guest":     func(p *simteams.Person) { p.Role = simteams.RoleGuest },
		"anonymous": func(p *simteams.Person) { p.Role, p.ObjectID = simteams.RoleAnonymous, "" },
		"external":  func(p *simteams.Person) { p.Tenant = s.cast.OtherTenantID },
	}
	change := known[how]
	if change == nil {
		return Result{}, unknown([]string{person, "teams", "account", how})
	}
	err := s.Teams.ChangePerson(person, func(p *simteams.Person) {
		if as, ok := s.cast.Person(person); ok && as.ObjectID != "" {
			p.Left, p.Role, p.Tenant, p.ObjectID = false, "", "", as.ObjectID
		}
		change(p)
	})
	return Result{Text: person + " is " + how + " in Teams"}, err
}

// actTeamsSide says what the connector has to say of the bot.
func (s *Sandbox) actTeamsSide(words []string) (Result, error) {
	switch strings.Join(words, " ") {
	case "calls":
		counts := map[string]int{}
		for _, c := range s.Teams.Calls() {
			counts[strings.TrimSpace(fmt.Sprintf("%s %d %s", c.Name, c.Status, c.Code))]++
		}
		return Result{Text: orWord(counted(counts), "(none)")}, nil
	case "findings":
		return Result{Text: orWord(strings.Join(s.Teams.Findings(), "\n"), "(none)")}, nil
	}
	return Result{}, unknown(append([]string{"teams"}, words...))
}
