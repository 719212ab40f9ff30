package simslack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Press says which button a person presses.
type Press struct {
	Button  string            // its label or action id
	On      string            // words the message shows; empty: any
	In      string            // a channel, dm, home or form; empty: wherever the person sees it, the newest first
	Message string            // timestamp of the message; empty: any
	Values  map[string]string // by label, block id or action id: inputs in the message, or the option of a select
	Dismiss bool              // say no to the confirm dialog
}

// Pressed is what happened at once, before the app answered.
type Pressed struct {
	Confirm string // what the confirm dialog says, with its two buttons, if there was one
	URL     string // where the button leads
	Sent    bool   // the app was told
}

// surface is one place with buttons: a message, a modal or the Home tab.
type surface struct {
	room    *room
	message *Message
	view    *view
	blocks  []any
}

// Click presses a button as a person would: the confirm dialog first, then the app is told.
func (s *Server) Click(ctx context.Context, person string, press Press) (Pressed, error) {
	d, p, done, err := s.press(person, press)
	if err != nil || !done.Sent {
		return done, err
	}
	return done, s.deliverClick(ctx, p, d)
}

func (s *Server) deliverClick(ctx context.Context, p *Person, d Delivery) error {
	_, err := s.Send(ctx, d, Forgery{})
	if err == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed(p, "The button", err)
}

// press makes the delivery of a click.
func (s *Server) press(person string, press Press) (Delivery, *Person, Pressed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.person(person)
	if err != nil {
		return Delivery{}, nil, Pressed{}, err
	}
	if p.Deleted {
		return Delivery{}, nil, Pressed{}, fmt.Errorf("%s is deactivated and cannot click anything", p.Name)
	}
	at, block, e, err := s.locate(p, press)
	if err != nil {
		return Delivery{}, nil, Pressed{}, err
	}
	done := Pressed{URL: text(e["url"])}
	if c, ok := e["confirm"].(object); ok {
		done.Confirm = words(c["title"]) + " \u2014 " + words(c["text"]) + " [" + words(c["deny"]) + "] [" + words(c["confirm"]) + "]"
		if press.Dismiss {
			return Delivery{}, p, done, nil
		}
	}
	payload, err := s.blockActions(p, at, block, e, press)
	if err != nil {
		return Delivery{}, nil, done, err
	}
	done.Sent = true
	d := Delivery{Kind: Interaction, Payload: payload}
	s.screen(p.ID).last = &d
	return d, p, done, nil
}

// locate finds the element a person means. The lock is held.
func (s *Server) locate(p *Person, press Press) (surface, object, object, error) {
	surfaces := s.surfaces(p, press)
	for _, exact := range []bool{true, false} {
		for _, at := range surfaces {
			for _, b := range at.blocks {
				block, _ := b.(object)
				for _, e := range elementsOf(block) {
					if reports(block, e) && labelled(e, press.Button, exact) {
						return at, block, e, nil
					}
				}
			}
		}
	}
	return surface{}, nil, nil, fmt.Errorf("%s sees no button %q there; what can be pressed: %s", p.Name, press.Button, buttonsOf(surfaces))
}

// reports says whether touching an element tells the app: everything does, except inputs of a form.
func reports(block, e object) bool {
	return interactive(e) && (text(block["type"]) != "input" || block["dispatch_action"] == true)
}

func labelled(e object, wanted string, exact bool) bool {
	label := words(e["text"])
	if label == "" {
		label = words(e["placeholder"])
	}
	if exact {
		return strings.EqualFold(label, wanted) || text(e["action_id"]) == wanted
	}
	return strings.HasPrefix(strings.ToLower(label), strings.ToLower(wanted))
}

func buttonsOf(surfaces []surface) string {
	var labels []string
	for _, at := range surfaces {
		for _, b := range at.blocks {
			block, _ := b.(object)
			for _, e := range elementsOf(block) {
				if label := words(e["text"]); reports(block, e) && label != "" && !slices.Contains(labels, label) {
					labels = append(labels, label)
				}
			}
		}
	}
	if len(labels) == 0 {
		return "nothing"
	}
	return strings.Join(labels, ", ")
}

// surfaces lists where a person can press something: the open modal, then messages, the newest first, then the Home tab.
func (s *Server) surfaces(p *Person, press Press) []surface {
	sc := s.screen(p.ID)
	var found []surface
	in := strings.ToLower(press.In)
	if top := sc.top(); top != nil && (in == "" || in == "form") && press.Message == "" && press.On == "" {
		blocks, _ := top.body["blocks"].([]any)
		found = append(found, surface{view: top, blocks: blocks})
	}
	if in != "form" && in != "home" {
		found = append(found, s.messageSurfaces(p, press)...)
	}
	if sc.home != nil && (in == "" || in == "home") && press.Message == "" {
		blocks, _ := sc.home.body["blocks"].([]any)
		found = append(found, surface{view: sc.home, blocks: blocks})
	}
	return found
}

func (s *Server) messageSurfaces(p *Person, press Press) []surface {
	var found []surface
	for _, r := range s.channels {
		if !r.has(p.ID) || !placed(r, press.In) {
			continue
		}
		for _, m := range r.messages {
			fits := m.visibleTo(p.ID) && (press.Message == "" || m.TS == press.Message)
			if fits && containsFold(s.drawMessage(p, r, m).Text, press.On) {
				found = append(found, surface{room: r, message: m, blocks: m.Blocks})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b surface) int { return strings.Compare(b.message.TS, a.message.TS) })
	return found
}

func containsFold(s, part string) bool {
	return strings.Contains(strings.ToLower(s), strings.ToLower(part))
}

func placed(r *room, in string) bool {
	if strings.EqualFold(in, "dm") {
		return r.With != ""
	}
	in = strings.TrimPrefix(in, "#")
	return in == "" || r.Name == in || r.ID == in
}

// userRef is a person as interactions name them.
func (s *Server) userRef(p *Person) object {
	return object{"id": p.ID, "username": p.Name, "name": p.Name, "team_id": s.team(p)}
}

// interaction is what all interactions have. team is the workspace the app is installed in, also for clicks of people
// from other workspaces: only user.team_id tells them apart.
func (s *Server) interaction(kind string, p *Person) object {
	o := object{
		"type": kind, "team": s.teamRef(), "user": s.userRef(p), "api_app_id": s.cfg.App.ID, "token": "",
		"is_enterprise_install": false, "enterprise": nil,
	}
	if id := s.cfg.Workspace.Enterprise; id != "" {
		o["enterprise"] = object{"id": id, "name": s.cfg.Workspace.Name}
	}
	return o
}

func (s *Server) teamRef() object {
	return object{"id": s.cfg.Workspace.ID, "domain": s.cfg.Workspace.Domain}
}

// blockActions is the payload of a click. The lock is held.
func (s *Server) blockActions(p *Person, at surface, block, e object, press Press) (object, error) {
	action, err := s.action(block, e, press)
	if err != nil {
		return nil, err
	}
	o := s.interaction("block_actions", p)
	o["actions"] = []any{action}
	if at.view != nil {
		o["container"] = object{"type": "view", "view_id": at.view.id}
		o["view"] = s.viewObject(at.view)
		o["trigger_id"] = s.newTrigger(p.ID, at.view.id)
		return o, nil
	}
	m := at.message
	values, err := messageValues(m, press)
	if err != nil {
		return nil, err
	}
	o["container"] = object{"type": "message", "message_ts": m.TS, "channel_id": at.room.ID, "is_ephemeral": m.ephemeral()}
	o["channel"] = channelRef(at.room)
	o["state"] = object{"values": values}
	o["response_url"] = s.newHook("actions", p.ID, at.room.ID, m.TS)
	o["trigger_id"] = s.newTrigger(p.ID, "")
	if !m.ephemeral() {
		o["message"] = s.messageObject(m)
	}
	return o, nil
}

func channelRef(r *room) object {
	if r.With != "" {
		return object{"id": r.ID, "name": "directmessage"}
	}
	return object{"id": r.ID, "name": r.Name}
}

// action is the element that was touched.
func (s *Server) action(block, e object, press Press) (object, error) {
	a := object{"type": e["type"], "action_id": e["action_id"], "block_id": block["block_id"], "action_ts": s.newTS()}
	if text(e["type"]) == "button" {
		for _, key := range []string{"text", "value", "style", "url"} {
			if e[key] != nil {
				a[key] = e[key]
			}
		}
		return a, nil
	}
	for key, typed := range press.Values {
		if matches(block, e, key) {
			state, err := given(e, typed)
			if err != nil {
				return nil, err
			}
			maps.Copy(a, state)
			return a, nil
		}
	}
	return nil, errors.New("say which option: the element is a " + text(e["type"]))
}

// messageValues is the state of the inputs a message carries.
func messageValues(m *Message, press Press) (object, error) {
	values := stateOf(m.Blocks, nil)
	for _, b := range m.Blocks {
		block, _ := b.(object)
		e, _ := block["element"].(object)
		for key, typed := range press.Values {
			if e == nil || !matches(block, e, key) {
				continue
			}
			state, err := given(e, typed)
			if err != nil {
				return nil, err
			}
			values[text(block["block_id"])] = object{text(e["action_id"]): state}
		}
	}
	return values, nil
}

// matches says whether a person's word for an input means this one: its label, or the beginning of it, or one of its ids.
func matches(block, e object, key string) bool {
	if text(block["block_id"]) == key || text(e["action_id"]) == key {
		return true
	}
	label := words(block["label"])
	if label == "" {
		label = words(e["placeholder"])
	}
	return key != "" && strings.HasPrefix(strings.ToLower(label), strings.ToLower(key))
}
