package simteams

import (
	"context"
	"slices"
	"time"
)

const (
	viewLife = time.Minute // a view that is older is asked for again when its person looks
	looks    = 20          // so many cards are asked for at most, the newest
)

// view is what one person sees in a message's place.
type view struct {
	card     object    // nil: what everybody sees
	at       time.Time // when it was asked for, in the world's time
	revision int
}

func (m *Message) revisionFor(p *Person) int {
	if v := m.views[p.Key]; v != nil {
		return max(m.Revision, v.revision)
	}
	return m.Revision
}

// cardsFor are the cards as a person sees them.
func (m *Message) cardsFor(p *Person) []object {
	if v := m.views[p.Key]; v != nil && v.card != nil {
		return []object{v.card}
	}
	return m.Cards
}

// keep remembers what a person's click or look brought; a nil card leaves what they saw. The lock is held.
func (s *Server) keep(p *Person, m *Message, card object) {
	if m.views == nil {
		m.views = map[string]*view{}
	}
	v := m.views[p.Key]
	if v == nil {
		v = &view{}
		m.views[p.Key] = v
	}
	v.at = s.cfg.Clock()
	if card != nil {
		v.card, v.revision = card, s.Touch()
	}
}

// refreshOf is the action by which a card is asked for anew, or nil.
func refreshOf(cards []object) (action object, people []any, listed bool) {
	if len(cards) == 0 {
		return nil, nil, false
	}
	refresh, _ := cards[0]["refresh"].(object)
	action, _ = refresh["action"].(object)
	people, listed = refresh["userIds"].([]any)
	return action, people, listed
}

// due says whether a person's client asks for the card by itself when they look at it. The lock is held.
func (s *Server) due(p *Person, r *room, m *Message) bool {
	action, people, listed := refreshOf(m.cardsFor(p))
	if action == nil || p.OldClient || m.Author != s.botID() {
		return false
	}
	if listed && !slices.Contains(people, any(s.mri(p))) || !listed && len(r.Members) > maxViews {
		return false
	}
	v := m.views[p.Key]
	return v == nil || s.cfg.Clock().Sub(v.at) > viewLife
}

// Look lets a person look at all their conversations: their client asks for the cards that have a view of their own.
func (s *Server) Look(ctx context.Context, person string) error {
	wanted, p, err := s.wanted(person)
	if err != nil {
		return err
	}
	for _, d := range wanted {
		ack, err := s.Send(ctx, d.activity, Forgery{})
		s.mu.Lock()
		if card, ok := answeredCard(ack.Body); err == nil && ok && d.current() {
			s.keep(p, d.message, card)
		}
		s.mu.Unlock()
	}
	return ctx.Err()
}

// wanted are the cards a person's client asks for now, the oldest first.
func (s *Server) wanted(person string) ([]delivery, *Person, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.person(person)
	if err != nil {
		return nil, nil, err
	}
	var wanted []delivery
	for _, r := range s.rooms {
		for _, m := range r.messages {
			if !r.has(p) || !s.visibleTo(m, p) || !s.due(p, r, m) {
				continue
			}
			action, _, _ := refreshOf(m.cardsFor(p))
			wanted = append(wanted, s.execute(p, r, m, action, nil, "automatic"))
			s.keep(p, m, nil)
		}
	}
	return wanted[max(len(wanted)-looks, 0):], p, nil
}
