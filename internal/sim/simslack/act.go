package simslack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Slash runs a slash command as a person in a channel; line begins with the command.
func (s *Server) Slash(ctx context.Context, person, channel, line string) error {
	d, p, err := s.command(person, channel, line)
	if err != nil {
		return err
	}
	return s.deliverCommand(ctx, p, d)
}

func (s *Server) deliverCommand(ctx context.Context, p *Person, d Delivery) error {
	ack, err := s.Send(ctx, d, Forgery{})
	s.mu.Lock()
	defer s.mu.Unlock()
	command := text(d.Payload["command"])
	if err != nil {
		return s.failed(p, command, err)
	}
	r := s.room(text(d.Payload["channel_id"]))
	if err := s.commandAnswer(p, r, ack.Body); err != nil {
		return s.failed(p, command, err)
	}
	return nil
}

// failed tells the person what Slack says of a delivery the app did not take, and passes the error on.
func (s *Server) failed(p *Person, what string, err error) error {
	if d, ok := errors.AsType[*DeliveryError](err); ok {
		s.notice(p.ID, fmt.Sprintf("%s failed with the error %q", what, d.Code))
	}
	return err
}

// command makes the delivery of a slash command.
func (s *Server) command(person, channel, line string) (Delivery, *Person, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.person(person)
	if err != nil {
		return Delivery{}, nil, err
	}
	r := s.room(channel)
	if strings.EqualFold(channel, "dm") {
		r = s.direct(p)
	}
	name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	if err := s.mayCommand(p, r, name); err != nil {
		return Delivery{}, nil, err
	}
	payload := object{
		"token": "", "team_id": s.cfg.Workspace.ID, "team_domain": s.cfg.Workspace.Domain, "channel_id": r.ID, "channel_name": channelRef(r)["name"],
		"user_id": p.ID, "user_name": p.Name, "command": name, "text": s.escaped(strings.TrimSpace(rest)), "api_app_id": s.cfg.App.ID,
		"is_enterprise_install": "false", "response_url": s.newHook("commands", p.ID, r.ID, ""), "trigger_id": s.newTrigger(p.ID, ""),
	}
	if s.cfg.Workspace.Enterprise != "" {
		payload["enterprise_id"] = s.cfg.Workspace.Enterprise
	}
	d := Delivery{Kind: SlashCommand, Payload: payload}
	s.screen(p.ID).last = &d
	return d, p, nil
}

// mayCommand refuses what Slack would not let a person type.
func (s *Server) mayCommand(p *Person, r *room, name string) error {
	switch {
	case p.Deleted:
		return fmt.Errorf("%s is deactivated and cannot type anything", p.Name)
	case r == nil || !r.has(p.ID):
		return fmt.Errorf("%s is not in that channel", p.Name)
	case p.Stranger:
		return fmt.Errorf("%s is not a valid command: slash commands belong to the workspace that installed the app, and %s is of another", name, p.Name)
	}
	if !slices.Contains(s.cfg.App.Commands, name) {
		return fmt.Errorf("%s is not a valid command", name)
	}
	return nil
}

var mention = regexp.MustCompile(`([@#])([\w.-]+)`)

// escaped turns names of people and channels into ids, as should_escape in the manifest asks for. The lock is held.
func (s *Server) escaped(line string) string {
	return mention.ReplaceAllStringFunc(line, func(m string) string {
		if m[0] == '@' {
			if p, err := s.person(m[1:]); err == nil {
				return "<@" + p.ID + ">"
			}
			return m
		}
		if r := s.room(m[1:]); r != nil {
			return "<#" + r.ID + ">"
		}
		return m
	})
}

// commandAnswer shows what the app answered a command with. The lock is held.
func (s *Server) commandAnswer(p *Person, r *room, body []byte) error {
	answer := strings.TrimSpace(string(body))
	if answer == "" {
		return nil
	}
	fields, isObject := decode([]byte(answer))
	if !isObject {
		if json.Valid([]byte(answer)) {
			return &DeliveryError{"invalid_command_response", nil}
		}
		fields = object{"text": answer}
	}
	if err := s.reply(r, p.ID, fields); err != nil {
		return &DeliveryError{"invalid_command_response", err}
	}
	return nil
}

// reply posts a message the app gave as an answer: ephemeral unless it says in_channel. The lock is held.
func (s *Server) reply(r *room, person string, fields object) error {
	body, err := readContent(&call{args: fields})
	if err != nil {
		return err
	}
	if body.empty() {
		return refuse("no_text")
	}
	m := &Message{Text: body.text, Blocks: body.blocks, Author: s.cfg.App.BotUser, Metadata: body.metadata}
	if text(fields["response_type"]) != "in_channel" {
		m.Only = person
	}
	s.say(r, m)
	return nil
}
