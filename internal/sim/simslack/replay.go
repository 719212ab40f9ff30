package simslack

import (
	"context"
	"errors"
)

// errNothingYet says that a person did nothing that could be repeated.
var errNothingYet = errors.New("there is nothing to repeat yet")

// last returns a person's last command, click or submission.
func (s *Server) last(person string) (*Person, Delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.person(person)
	if err != nil {
		return nil, Delivery{}, err
	}
	d := s.screen(p.ID).last
	if d == nil {
		return nil, Delivery{}, errNothingYet
	}
	return p, *d, nil
}

// Again delivers a person's last command or click once more, trigger id and all, and shows its answer.
func (s *Server) Again(ctx context.Context, person string) error {
	p, d, err := s.last(person)
	if err != nil {
		return err
	}
	if d.Kind == SlashCommand {
		return s.deliverCommand(ctx, p, d)
	}
	return s.deliverClick(ctx, p, d)
}

// Forge delivers a person's last command or click once more with something wrong, and returns what the app answered.
// Nobody sees the answer.
func (s *Server) Forge(ctx context.Context, person string, f Forgery) (Ack, error) {
	_, d, err := s.last(person)
	if err != nil {
		return Ack{}, err
	}
	return s.Send(ctx, d, f)
}
