package simteams

import (
	"context"
	"errors"
)

// errNothingYet says that a person did nothing that could be repeated.
var errNothingYet = errors.New("there is nothing to repeat yet")

// last returns a person's last message or click.
func (s *Server) last(person string) (*Person, delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.person(person)
	if err != nil {
		return nil, delivery{}, err
	}
	d := s.screen(p).last
	if d == nil {
		return nil, delivery{}, errNothingYet
	}
	return p, *d, nil
}

// Again delivers a person's last message or click once more, id and all.
func (s *Server) Again(ctx context.Context, person string) error {
	p, d, err := s.last(person)
	if err != nil {
		return err
	}
	return s.deliver(ctx, p, d)
}

// Forge delivers a person's last message or click once more with something wrong, and returns what the bot answered.
// Nobody sees the answer.
func (s *Server) Forge(ctx context.Context, person string, f Forgery) (Ack, error) {
	_, d, err := s.last(person)
	if err != nil {
		return Ack{}, err
	}
	return s.Send(ctx, d.activity, f)
}
