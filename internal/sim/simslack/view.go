package simslack

import (
	"encoding/json"
	"maps"
	"slices"
)

const (
	maxStack    = 3
	maxViewJSON = 250_000
)

// view is one modal, or a Home tab.
type view struct {
	id       string
	hash     string
	body     object // what the app sent
	previous string
	root     string
	values   map[string]object // what was filled in so far, by block id and action id
	errors   map[string]string // by block id, as the app answered
	revision int
}

// readView reads and checks the view of a call. kind is what the method takes: modal or home.
func readView(c *call, kind string) (object, error) {
	value, there, err := c.structure("view")
	if err != nil || !there {
		return nil, &apiError{"invalid_arguments", object{"response_metadata": object{"messages": []string{"[ERROR] missing required field: view"}}}}
	}
	body, ok := value.(object)
	if !ok {
		return nil, refuse("invalid_arguments")
	}
	if raw, err := json.Marshal(body); err != nil || len(raw) > maxViewJSON {
		return nil, refuse("view_too_large")
	}
	if bad := CheckView(body); len(bad) > 0 {
		return nil, invalidView(bad)
	}
	if text(body["type"]) != kind {
		return nil, invalidView([]string{"unsupported type: " + text(body["type"]) + " [json-pointer:/view/type]"})
	}
	return body, nil
}

func invalidView(bad []string) error {
	return &apiError{"invalid_arguments", object{"response_metadata": object{"messages": marked(bad)}}}
}

// newView makes a view out of what the app sent. The lock is held.
func (s *Server) newView(body object) *view {
	blocks, _ := body["blocks"].([]any)
	s.nameBlocks(blocks)
	v := &view{id: s.newID("V"), hash: s.newHash(), body: body, values: map[string]object{}}
	v.root = v.id
	v.revision = s.Touch()
	return v
}

func (s *Server) newHash() string { return s.newTS() + "." + randomHex(4) }

func (s *Server) viewsOpen(c *call) (object, error) {
	body, err := readView(c, "modal")
	if err != nil {
		return nil, err
	}
	t, err := s.spend(c.text("trigger_id"))
	if err != nil {
		return nil, err
	}
	screen := s.screen(t.person)
	v := s.newView(body)
	screen.views = []*view{v}
	return object{"view": s.viewObject(v)}, nil
}

func (s *Server) viewsPush(c *call) (object, error) {
	body, err := readView(c, "modal")
	if err != nil {
		return nil, err
	}
	t, err := s.spend(c.text("trigger_id"))
	if err != nil {
		return nil, err
	}
	screen := s.screen(t.person)
	if t.view == "" || len(screen.views) == 0 {
		return nil, refuse("invalid_trigger_id")
	}
	v, err := s.push(screen, body)
	if err != nil {
		return nil, err
	}
	return object{"view": s.viewObject(v)}, nil
}

// push lays a view upon the ones a person has open.
func (s *Server) push(screen *screen, body object) (*view, error) {
	if len(screen.views) >= maxStack {
		return nil, refuse("push_limit_reached")
	}
	top := screen.views[len(screen.views)-1]
	v := s.newView(body)
	v.previous, v.root = top.id, top.root
	screen.views = append(screen.views, v)
	return v, nil
}

func (s *Server) viewsUpdate(c *call) (object, error) {
	body, err := readView(c, "modal")
	if err != nil {
		return nil, err
	}
	v := s.openView(c.text("view_id"), c.text("external_id"))
	if v == nil {
		return nil, refuse("not_found")
	}
	if hash := c.text("hash"); hash != "" && hash != v.hash {
		return nil, refuse("hash_conflict")
	}
	s.replaceView(v, body)
	return object{"view": s.viewObject(v)}, nil
}

// replaceView gives a view new content; what was filled in stays where block and action keep their ids.
func (s *Server) replaceView(v *view, body object) {
	blocks, _ := body["blocks"].([]any)
	s.nameBlocks(blocks)
	v.body, v.hash, v.errors, v.revision = body, s.newHash(), nil, s.Touch()
	for id := range v.values {
		if !slices.ContainsFunc(blocks, func(b any) bool { o, _ := b.(object); return text(o["block_id"]) == id }) {
			delete(v.values, id)
		}
	}
}

// openView finds an open modal by its id or its external id. The lock is held.
func (s *Server) openView(id, external string) *view {
	for _, screen := range s.screens {
		for _, v := range screen.views {
			if id != "" && v.id == id || external != "" && text(v.body["external_id"]) == external {
				return v
			}
		}
	}
	return nil
}

func (s *Server) viewsPublish(c *call) (object, error) {
	if s.homeOff {
		return nil, refuse("not_enabled")
	}
	p, err := s.person(c.text("user_id"))
	if err != nil || p.ID != c.text("user_id") {
		return nil, refuse("user_not_found")
	}
	body, err := readView(c, "home")
	if err != nil {
		return nil, err
	}
	screen := s.screen(p.ID)
	if hash := c.text("hash"); hash != "" && screen.home != nil && hash != screen.home.hash {
		return nil, refuse("hash_conflict")
	}
	if screen.home == nil {
		screen.home = s.newView(body)
	} else {
		s.replaceView(screen.home, body)
	}
	return object{"view": s.viewObject(screen.home)}, nil
}

// viewObject is a view as the Web API and interactions show it.
func (s *Server) viewObject(v *view) object {
	o := object{
		"id": v.id, "team_id": s.cfg.Workspace.ID, "app_id": s.cfg.App.ID, "bot_id": s.cfg.App.BotID,
		"app_installed_team_id": s.cfg.Workspace.ID, "hash": v.hash, "root_view_id": v.root, "previous_view_id": nil,
		"private_metadata": "", "callback_id": "", "external_id": "", "clear_on_close": false, "notify_on_close": false,
		"title": nil, "close": nil, "submit": nil, "state": object{"values": v.state()},
	}
	if v.previous != "" {
		o["previous_view_id"] = v.previous
	}
	maps.Copy(o, v.body)
	return o
}
