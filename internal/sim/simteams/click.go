package simteams

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// refreshLabel is what the menu of every card with a refresh action has.
const refreshLabel = "Refresh card"

// unreachable is what a client shows when the bot does not answer an invoke in time, or cannot be asked.
const unreachable = "Unable to reach app. Please try again."

// Press says which button a person presses.
type Press struct {
	Button  string            // its title or id; empty: the first one of a card with the inputs of Values
	On      string            // words the message shows; empty: any
	In      string            // a place; empty: wherever the person sees it, the newest first
	Message string            // id of the message; empty: any
	Values  map[string]string // by an input's id, or the beginning of its label
}

// Pressed is what happened at once, before the bot answered.
type Pressed struct {
	URL  string // where the button leads
	Sent bool   // the bot was told
}

// Click presses a button as a person would. What their client or the bot finds wrong they see.
func (s *Server) Click(ctx context.Context, person string, press Press) (Pressed, error) {
	d, p, done, err := s.press(person, press)
	if err != nil || !done.Sent {
		return done, err
	}
	return done, s.deliver(ctx, p, d)
}

// deliver sends what a person caused, and shows them the answer of an invoke.
func (s *Server) deliver(ctx context.Context, p *Person, d delivery) error {
	ack, err := s.Send(ctx, d.activity, Forgery{})
	if !d.invoke {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.notice(p, unreachable)
		return err
	}
	return s.invokeAnswer(p, d, ack)
}

// press makes the delivery of a click.
func (s *Server) press(person string, press Press) (delivery, *Person, Pressed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.person(person)
	if err != nil {
		return delivery{}, nil, Pressed{}, err
	}
	if p.Left {
		return delivery{}, nil, Pressed{}, fmt.Errorf("%s's account is gone and cannot click anything", p.Key)
	}
	at, b, err := s.locate(p, press)
	if err != nil {
		return delivery{}, nil, Pressed{}, err
	}
	if link := text(b.action["url"]); text(b.action["type"]) == "Action.OpenUrl" {
		return delivery{}, p, Pressed{URL: link}, nil
	}
	if !at.room.Installed || at.room.Blocked {
		s.notice(p, unreachable)
		return delivery{}, p, Pressed{}, nil
	}
	inputs := b.inputs()
	given, err := values(inputs, press.Values)
	if err != nil {
		return delivery{}, nil, Pressed{}, err
	}
	for _, input := range inputs {
		if said := complaint(input, text(given[text(input["id"])])); said != "" {
			s.notice(p, said)
			return delivery{}, p, Pressed{}, nil
		}
	}
	d, err := s.clicked(p, at, b, given)
	if err != nil {
		return delivery{}, nil, Pressed{}, err
	}
	s.screen(p).last = &d
	return d, p, Pressed{Sent: true}, nil
}

// surface is one message with buttons.
type surface struct {
	room    *room
	message *Message
}

// locate finds the button a person means. The lock is held.
func (s *Server) locate(p *Person, press Press) (surface, button, error) {
	surfaces, err := s.surfaces(p, press)
	if err != nil {
		return surface{}, button{}, err
	}
	for _, fits := range []func(button) bool{press.exactly, press.roughly} {
		for _, at := range surfaces {
			for _, b := range s.buttons(p, at.message) {
				if fits(b) {
					return at, b.opened(p), nil
				}
			}
		}
	}
	return surface{}, button{}, fmt.Errorf("%s sees no button %q there; what can be pressed: %s", p.Key, press.Button, s.titles(p, surfaces))
}

func (press Press) exactly(b button) bool {
	if press.Button == "" {
		return press.fills(b)
	}
	return strings.EqualFold(b.title(), press.Button) || text(b.action["id"]) == press.Button && press.Button != ""
}

func (press Press) roughly(b button) bool {
	return press.Button != "" && strings.HasPrefix(strings.ToLower(b.title()), strings.ToLower(press.Button))
}

// fills says whether a button sends the inputs that values were given for.
func (press Press) fills(b button) bool {
	inputs := b.inputs()
	for word := range press.Values {
		if !slices.ContainsFunc(inputs, func(input object) bool { return matches(input, word) }) {
			return false
		}
	}
	return len(press.Values) > 0 && reports(b)
}

// reports says whether pressing a button tells the bot.
func reports(b button) bool {
	kind := text(b.action["type"])
	return kind == "Action.Execute" || kind == "Action.Submit"
}

// opened is the button itself, or the first one of the card that it opens.
func (b button) opened(p *Person) button {
	inner, ok := b.action["card"].(object)
	if !ok || text(b.action["type"]) != "Action.ShowCard" {
		return b
	}
	for _, next := range pressable(p, inner, append(slices.Clone(b.in), inner)) {
		if reports(next) {
			return next
		}
	}
	return b
}

// buttons lists what a person can press on a message, the menu included. The lock is held.
func (s *Server) buttons(p *Person, m *Message) []button {
	var found []button
	cards := m.cardsFor(p)
	for _, card := range cards {
		found = append(found, buttonsOf(p, card)...)
	}
	if action, _, _ := refreshOf(cards); action != nil && !p.OldClient {
		menu := maps.Clone(action)
		menu["title"] = refreshLabel
		found = append(found, button{action: menu})
	}
	return found
}

// surfaces lists where a person can press something, the newest first.
func (s *Server) surfaces(p *Person, press Press) ([]surface, error) {
	var only *room
	if press.In != "" {
		var err error
		if only, err = s.place(p, press.In); err != nil {
			return nil, err
		}
	}
	var found []surface
	for _, r := range s.rooms {
		if !r.has(p) || only != nil && only != r {
			continue
		}
		for _, m := range r.messages {
			fits := s.visibleTo(m, p) && (press.Message == "" || m.ID == press.Message)
			if fits && containsFold(s.drawMessage(p, r, m).Text, press.On) {
				found = append(found, surface{r, m})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b surface) int { return b.message.Sent.Compare(a.message.Sent) })
	return found, nil
}

func containsFold(s, part string) bool {
	return strings.Contains(strings.ToLower(s), strings.ToLower(part))
}

// titles names what a person could press instead.
func (s *Server) titles(p *Person, surfaces []surface) string {
	var list []string
	for _, at := range surfaces {
		for _, b := range s.buttons(p, at.message) {
			if title := b.title(); title != "" && !slices.Contains(list, title) {
				list = append(list, title)
			}
		}
	}
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, ", ")
}

// clicked makes the activity of a button. The lock is held.
func (s *Server) clicked(p *Person, at surface, b button, given object) (delivery, error) {
	switch kind := text(b.action["type"]); kind {
	case "Action.Execute":
		return s.execute(p, at.room, at.message, b.action, given, "manual"), nil
	case "Action.Submit":
		return s.submit(p, at, b.action, given)
	default:
		return delivery{}, errors.New("a button of the kind " + kind + " tells the bot nothing")
	}
}

// execute is the invoke of an Action.Execute. The lock is held.
func (s *Server) execute(p *Person, r *room, m *Message, action, given object, trigger string) delivery {
	a := s.activity("invoke", p, r, m.Thread)
	said := object{"type": "Action.Execute", "data": merged(action["data"], given)}
	for _, key := range []string{"id", "verb", "title"} {
		if value := text(action[key]); value != "" {
			said[key] = value
		}
	}
	a["name"], a["replyToId"] = "adaptiveCard/action", m.ID
	a["value"] = object{"action": said, "trigger": trigger}
	data, _ := a["channelData"].(object)
	data["source"], data["legacy"] = object{"name": "message"}, object{"replyToId": m.ID}
	return delivery{activity: a, message: m, revision: m.Revision, invoke: true}
}

// submit is the message of an Action.Submit: a value and no text. The lock is held.
func (s *Server) submit(p *Person, at surface, action, given object) (delivery, error) {
	data := merged(action["data"], given)
	if teams, ok := data["msteams"].(object); ok && text(teams["type"]) != "" {
		return delivery{}, fmt.Errorf("what Teams does with msteams.type %s is not simulated", text(teams["type"]))
	}
	a := s.activity("message", p, at.room, at.message.Thread)
	a["id"] = s.newMessageID()
	a["value"], a["replyToId"] = data, at.message.ID
	return delivery{activity: a, message: at.message}, nil
}

// merged is a button's data with the inputs in it.
func merged(data any, given object) object {
	all := object{}
	if o, ok := data.(object); ok {
		maps.Copy(all, o)
	}
	maps.Copy(all, given)
	return all
}
