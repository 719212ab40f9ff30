package simslack

import (
	"fmt"
	"strings"
	"time"
)

// Person is a user of the workspace, or of another one that shares a channel with it.
type Person struct {
	ID         string
	Name       string // how acts name them: alice
	RealName   string
	Team       string // empty: the workspace itself
	Enterprise string
	TZ         string // IANA name; UTC when empty
	Email      string

	Deleted         bool
	Bot             bool
	Stranger        bool // of a workspace that is connected through a shared channel
	Restricted      bool // guest of several channels
	UltraRestricted bool // guest of one channel
	Invited         bool // asked to join, never came
}

// guest says whether the person is a guest of the workspace.
func (p *Person) guest() bool { return p.Restricted || p.UltraRestricted }

// zone is the time zone a person lives in.
func (p *Person) zone() *time.Location {
	if loc, err := time.LoadLocation(p.TZ); err == nil {
		return loc
	}
	return time.UTC
}

// person finds somebody by name or user id. The lock is held.
func (s *Server) person(nameOrID string) (*Person, error) {
	wanted := strings.TrimPrefix(nameOrID, "@")
	for _, p := range s.people {
		if strings.EqualFold(p.Name, wanted) || p.ID == wanted {
			return p, nil
		}
	}
	return nil, fmt.Errorf("nobody in this Slack is called %q", nameOrID)
}

// Person returns what is known of somebody, by name or user id.
func (s *Server) Person(nameOrID string) (Person, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.person(nameOrID)
	if err != nil {
		return Person{}, err
	}
	return *p, nil
}

// ChangePerson edits somebody, as an administrator of the workspace would. The event user_change goes out with SendUserChange.
func (s *Server) ChangePerson(nameOrID string, edit func(*Person)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.person(nameOrID)
	if err != nil {
		return err
	}
	edit(p)
	return nil
}

// team is the workspace a person belongs to.
func (s *Server) team(p *Person) string {
	if p.Team != "" {
		return p.Team
	}
	return s.cfg.Workspace.ID
}

// userObject is a person as users.info and user_change show them. The lock is held.
func (s *Server) userObject(p *Person) object {
	zone := p.zone()
	_, offset := s.cfg.Clock().In(zone).Zone()
	u := object{
		"id": p.ID, "team_id": s.team(p), "name": p.Name, "real_name": p.RealName, "deleted": p.Deleted,
		"tz": zone.String(), "tz_label": zone.String(), "tz_offset": offset,
		"profile":  object{"real_name": p.RealName, "display_name": p.Name, "team": s.team(p)},
		"is_admin": false, "is_owner": false, "is_primary_owner": false, "is_bot": p.Bot, "is_app_user": false,
		"is_restricted": p.Restricted, "is_ultra_restricted": p.UltraRestricted, "updated": s.cfg.Clock().Unix(),
	}
	if p.Stranger {
		u["is_stranger"] = true
	}
	if p.Invited {
		u["is_invited_user"] = true
	}
	if s.cfg.Workspace.Enterprise != "" && p.Team == "" {
		u["enterprise_user"] = object{"id": p.ID, "enterprise_id": s.cfg.Workspace.Enterprise, "teams": []any{s.cfg.Workspace.ID}}
	}
	return u
}
