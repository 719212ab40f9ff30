package simteams

import (
	"context"
	"errors"
)

// Install adds the app to a person's chats, or to the conversation they are in, and tells the bot. It is told again
// when the app was there already, as after an update.
func (s *Server) Install(ctx context.Context, person, place string) error {
	return s.installation(ctx, person, place, "add")
}

// Uninstall takes the app away again.
func (s *Server) Uninstall(ctx context.Context, person, place string) error {
	return s.installation(ctx, person, place, "remove")
}

func (s *Server) installation(ctx context.Context, person, place, action string) error {
	told, err := s.installed(person, place, action)
	for _, a := range told {
		if err == nil {
			_, err = s.Send(ctx, a, Forgery{})
		}
	}
	return err
}

// installed makes the change and the activities that tell of it.
func (s *Server) installed(person, place, action string) ([]object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.person(person)
	if err != nil {
		return nil, err
	}
	r, err := s.place(p, place)
	switch {
	case err != nil:
		return nil, err
	case r.Private:
		return nil, errors.New("apps with bots cannot be added to private channels")
	case r.Kind == Personal && (p.role() != RoleUser || p.Left):
		return nil, errors.New("only users of the tenant can add apps")
	}
	s.install(r, action == "add")
	s.Touch()
	changed := s.activity("conversationUpdate", p, r, "")
	key := "membersAdded"
	if action == "remove" {
		key = "membersRemoved"
	}
	changed[key] = []any{object{"id": s.botID()}}
	told := s.activity("installationUpdate", p, r, "")
	told["action"] = action
	if r.Kind == Personal && action == "remove" {
		return []object{told}, nil // nobody is left to have a conversation with
	}
	return []object{changed, told}, nil
}

// install is for the whole team where it is for one of its channels. The lock is held.
func (s *Server) install(r *room, on bool) {
	r.Installed = on
	if r.Kind != Channel {
		return
	}
	for _, other := range s.rooms {
		if other.Kind == Channel && !other.Private {
			other.Installed = on
		}
	}
}

// Reaches says whether the app was added to a person's chats.
func (s *Server) Reaches(person string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.person(person)
	return err == nil && s.personal(p).Installed
}

// Block keeps the bot from writing to a person; the bot is not told.
func (s *Server) Block(person string, on bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.person(person)
	if err != nil {
		return err
	}
	s.personal(p).Blocked = on
	return nil
}
