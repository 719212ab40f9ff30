package simslack

import (
	"fmt"
	"time"
)

// triggerLife is how long a trigger id can open a view.
const triggerLife = 3 * time.Second

// keptTriggers is how many are remembered at least, so that a late use can be told from an unknown id.
const keptTriggers = 5_000

// trigger is what a trigger id stands for.
type trigger struct {
	person string
	made   time.Time
	spent  bool
	view   string // the view it came from; views.push needs one
}

// newTrigger makes a trigger id for something a person did. The lock is held.
func (s *Server) newTrigger(person, view string) string {
	s.dropOldTriggers()
	s.lastID++
	id := fmt.Sprintf("%d.%d.%s", s.cfg.Now().UnixMilli(), s.lastID, randomHex(16))
	s.triggers[id] = trigger{person: person, made: s.cfg.Now(), view: view}
	return id
}

// spend uses up a trigger id. A second use and a late one are told apart, as Slack does. The lock is held.
func (s *Server) spend(id string) (trigger, error) {
	t, known := s.triggers[id]
	switch {
	case id == "":
		return t, &apiError{"invalid_arguments", object{"response_metadata": object{"messages": []string{"[ERROR] missing required field: trigger_id"}}}}
	case !known:
		return t, refuse("invalid_trigger_id")
	case t.spent:
		return t, refuse("exchanged_trigger_id")
	case s.cfg.Now().Sub(t.made) > triggerLife:
		return t, refuse("expired_trigger_id")
	}
	t.spent = true
	s.triggers[id] = t
	return t, nil
}

// dropOldTriggers forgets trigger ids that can open nothing any more, once there are many. The lock is held.
func (s *Server) dropOldTriggers() {
	if len(s.triggers) < 2*keptTriggers {
		return
	}
	for id, t := range s.triggers {
		if s.cfg.Now().Sub(t.made) > time.Minute {
			delete(s.triggers, id)
		}
	}
}
