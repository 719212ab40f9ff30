package simteams

import (
	"cmp"
	"slices"

	"elevate/internal/sim/simchat"
)

// screen is what one person has before them, besides the conversations they are in.
type screen struct {
	notices []notice
	last    *delivery // the person's last message or click
}

// notice is something a person's client itself says: an error in place of the bot's answer, or its toast.
type notice struct {
	text     string
	revision int
}

// screen returns a person's screen. The lock is held.
func (s *Server) screen(p *Person) *screen {
	if s.screens[p.Key] == nil {
		s.screens[p.Key] = &screen{}
	}
	return s.screens[p.Key]
}

// notice shows a person what their client says. The lock is held.
func (s *Server) notice(p *Person, words string) {
	sc := s.screen(p)
	sc.notices = append(sc.notices, notice{words, s.Touch()})
}

// Shown is one thing a person sees, drawn as text.
type Shown = simchat.Shown

// Sees lists what a person can see, oldest first, of what changed after a revision; zero lists all. Cards that would be
// asked for anew stand there as they were last: Look asks.
func (s *Server) Sees(person string, after int) ([]Shown, error) {
	return s.seen(person, after, func(*Person, *Message) bool { return true })
}

// Heard is Sees without what the person said themselves.
func (s *Server) Heard(person string, after int) ([]Shown, error) {
	return s.seen(person, after, func(p *Person, m *Message) bool { return m.Author != s.mri(p) })
}

func (s *Server) seen(person string, after int, wanted func(*Person, *Message) bool) ([]Shown, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.person(person)
	if err != nil {
		return nil, err
	}
	var seen []Shown
	for _, r := range s.rooms {
		for _, m := range r.messages {
			if r.has(p) && s.visibleTo(m, p) && m.revisionFor(p) > after && wanted(p, m) {
				seen = append(seen, s.drawMessage(p, r, m))
			}
		}
	}
	for _, n := range s.screen(p).notices {
		if n.revision > after {
			seen = append(seen, Shown{Where: "teams", Text: n.text, Revision: n.revision})
		}
	}
	slices.SortStableFunc(seen, func(a, b Shown) int { return cmp.Compare(a.Revision, b.Revision) })
	return seen, nil
}
