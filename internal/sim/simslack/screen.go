package simslack

import "elevate/internal/sim/simchat"

// screen is what one person has before them, besides the conversations they are in.
type screen struct {
	views   []*view // open modals, the last one on top
	home    *view
	notices []Notice
	last    *Delivery // the person's last command or click
}

// Notice is something Slack itself tells a person: an error instead of the app's answer.
type Notice struct {
	Text     string
	Revision int
}

// screen returns a person's screen. The lock is held.
func (s *Server) screen(user string) *screen {
	if s.screens[user] == nil {
		s.screens[user] = &screen{}
	}
	return s.screens[user]
}

// top is the modal a person looks at, if any.
func (sc *screen) top() *view {
	if len(sc.views) == 0 {
		return nil
	}
	return sc.views[len(sc.views)-1]
}

// notice shows a person what Slack says of a failure. The lock is held.
func (s *Server) notice(user, text string) {
	sc := s.screen(user)
	sc.notices = append(sc.notices, Notice{Text: text, Revision: s.Touch()})
}

// Shown is one thing a person sees, drawn as text.
type Shown = simchat.Shown

// Sees lists what a person can see, oldest first, of what changed after a revision; zero lists all.
func (s *Server) Sees(person string, after int) ([]Shown, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.person(person)
	if err != nil {
		return nil, err
	}
	var seen []Shown
	for _, r := range s.channels {
		if r.has(p.ID) {
			seen = append(seen, s.conversation(p, r, after)...)
		}
	}
	sc := s.screen(p.ID)
	if sc.home != nil && sc.home.revision > after {
		seen = append(seen, s.drawView(p, "home", sc.home))
	}
	if top := sc.top(); top != nil && top.revision > after {
		seen = append(seen, s.drawView(p, "form", top))
	}
	for _, n := range sc.notices {
		if n.Revision > after {
			seen = append(seen, Shown{Where: "slack", Text: n.Text, Revision: n.Revision})
		}
	}
	sortShown(seen)
	return seen, nil
}

// conversation lists what a person sees in one channel.
func (s *Server) conversation(p *Person, r *room, after int) []Shown {
	var seen []Shown
	for _, m := range r.messages {
		if m.Revision > after && m.visibleTo(p.ID) {
			seen = append(seen, s.drawMessage(p, r, m))
		}
	}
	return seen
}

// Messages returns copies of what stands in a channel, ephemeral messages included.
func (s *Server) Messages(channel string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.room(channel)
	if r == nil {
		return nil
	}
	var list []Message
	for _, m := range r.messages {
		list = append(list, *m)
	}
	return list
}

// FormOpen says whether a person has a modal before them.
func (s *Server) FormOpen(person string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.person(person)
	return err == nil && s.screen(p.ID).top() != nil
}
