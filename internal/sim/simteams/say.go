package simteams

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// delivery is an activity that a person caused, kept so that it can be sent again.
type delivery struct {
	activity object
	message  *Message // the message whose card was clicked
	revision int      // of that message, when it was
	invoke   bool
}

// current says whether the message is still as it was when it was clicked: a rewrite that came in between is newer than
// the answer. The lock is held.
func (d delivery) current() bool { return d.message.Revision == d.revision }

// Say says something as a person in a conversation. Where others are, the bot is told only when the words begin with its
// mention (@ and its name); words that begin with a slash are a slash command there, which only the person sees. In the
// personal chat everything is said as it was typed. It returns whether the bot was told.
func (s *Server) Say(ctx context.Context, person, place, words string) (bool, error) {
	d, err := s.said(person, place, words)
	if err != nil || d.activity == nil {
		return false, err
	}
	_, err = s.Send(ctx, d.activity, Forgery{})
	return true, err
}

// said puts a message into a conversation and makes its delivery; without an activity the bot is not told.
func (s *Server) said(person, place, words string) (delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, r, err := s.speaker(person, place)
	if err != nil {
		return delivery{}, err
	}
	words = strings.TrimSpace(words)
	if r.Kind != Personal && strings.HasPrefix(words, "/") {
		return s.slash(p, r, strings.TrimPrefix(words, "/"))
	}
	rest, mentioned := s.mentioned(words)
	m := s.say(r, &Message{Author: s.mri(p), Text: words, Format: "plain"})
	if !r.Installed || r.Blocked || r.Private || r.Kind != Personal && !mentioned {
		return delivery{}, nil
	}
	a := s.messageActivity(p, r, m)
	if r.Kind != Personal {
		s.mention(a, r, rest)
	}
	d := delivery{activity: a}
	s.screen(p).last = &d
	return d, nil
}

// speaker finds who speaks where. The lock is held.
func (s *Server) speaker(person, place string) (*Person, *room, error) {
	p, err := s.person(person)
	if err != nil {
		return nil, nil, err
	}
	if p.Left {
		return nil, nil, fmt.Errorf("%s's account is gone and cannot say anything", p.Key)
	}
	r, err := s.place(p, place)
	switch {
	case err != nil:
		return nil, nil, err
	case r.Kind == Personal && p.role() != RoleUser:
		return nil, nil, fmt.Errorf("%s is no user of the tenant and has no chat with the bot", p.Key)
	case r.Kind == Personal && !r.Installed:
		return nil, nil, fmt.Errorf("%s has not added the app; act: %s teams install", p.Key, p.Key)
	case r.Blocked:
		return nil, nil, fmt.Errorf("%s has blocked the bot", p.Key)
	}
	return p, r, nil
}

// mentioned takes the bot's mention off the beginning of what was typed. The lock is held.
func (s *Server) mentioned(words string) (string, bool) {
	name := "@" + s.cfg.App.Name
	if len(words) < len(name) || !strings.EqualFold(words[:len(name)], name) {
		return words, false
	}
	return strings.TrimSpace(words[len(name):]), true
}

// errNoSlash says that the manifest offers nothing after a slash, or that the app is not here.
var errNoSlash = errors.New("this conversation offers no slash command of the bot's")

// slash is a slash command, which arrives as a message that is targeted at the bot. The lock is held.
func (s *Server) slash(p *Person, r *room, words string) (delivery, error) {
	title, _, _ := strings.Cut(words, " ")
	if !r.Installed || r.Private || len(s.cfg.App.Commands) == 0 {
		return delivery{}, errNoSlash
	}
	if !slices.Contains(s.cfg.App.Commands, title) {
		return delivery{}, fmt.Errorf("/%s is none of the slash commands %s", title, strings.Join(s.cfg.App.Commands, ", "))
	}
	m := s.say(r, &Message{Author: s.mri(p), Text: words, Format: "plain", Only: s.mri(p)})
	a := s.messageActivity(p, r, m)
	recipient, _ := a["recipient"].(object)
	recipient["isTargeted"] = true
	d := delivery{activity: a}
	s.screen(p).last = &d
	return d, nil
}
