package simteams

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"time"
)

// The roles people have in a conversation.
const (
	RoleUser      = "user"
	RoleGuest     = "guest"
	RoleAnonymous = "anonymous"
)

// Person is somebody in the conversations of the tenant.
type Person struct {
	Key      string // how acts name them: alice
	Name     string
	ObjectID string // Entra object id; empty for anonymous people
	UPN      string
	Tenant   string // empty: ours
	Role     string // user when empty
	TZ       string // IANA name; UTC when empty

	Left      bool // the account is gone
	OldClient bool // a client without Universal Actions: it shows the fallback of a button
}

// zone is the time zone a person lives in.
func (p *Person) zone() *time.Location {
	if loc, err := time.LoadLocation(p.TZ); err == nil {
		return loc
	}
	return time.UTC
}

func (p *Person) role() string {
	if p.Role == "" {
		return RoleUser
	}
	return p.Role
}

// mri is the id of a person that only this bot knows them by.
func (s *Server) mri(p *Person) string {
	sum := sha256.Sum256([]byte(s.cfg.App.ID + "|" + p.Key))
	return "29:1" + base64.RawURLEncoding.EncodeToString(sum[:])
}

// MRI is the id by which conversations know a person.
func (s *Server) MRI(key string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.person(key)
	if err != nil {
		return "", err
	}
	return s.mri(p), nil
}

func (s *Server) tenant(p *Person) string {
	if p.Tenant == "" {
		return s.cfg.Tenant
	}
	return p.Tenant
}

// person finds somebody by the name that acts use. The lock is held.
func (s *Server) person(key string) (*Person, error) {
	for _, p := range s.people {
		if strings.EqualFold(p.Key, key) {
			return p, nil
		}
	}
	return nil, fmt.Errorf("nobody in this Teams is called %q", key)
}

// byID finds somebody by what the connector takes for an id: theirs in conversations, or the Entra object id. The lock is held.
func (s *Server) byID(id string) *Person {
	for _, p := range s.people {
		if s.mri(p) == id || p.ObjectID != "" && strings.EqualFold(p.ObjectID, id) {
			return p
		}
	}
	return nil
}

// Person returns what is known of somebody.
func (s *Server) Person(key string) (Person, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.person(key)
	if err != nil {
		return Person{}, err
	}
	return *p, nil
}

// ChangePerson edits somebody, as an administrator would.
func (s *Server) ChangePerson(key string, edit func(*Person)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.person(key)
	if err != nil {
		return err
	}
	edit(p)
	return nil
}

// account is a person as activities name them.
func (s *Server) account(p *Person) object {
	o := object{"id": s.mri(p), "name": p.Name}
	if p.ObjectID != "" {
		o["aadObjectId"] = p.ObjectID
	}
	return o
}

// member is a person as rosters show them.
func (s *Server) member(p *Person) object {
	o := s.account(p)
	given, surname, _ := strings.Cut(p.Name, " ")
	o["givenName"], o["surname"], o["tenantId"], o["userRole"] = given, surname, s.tenant(p), p.role()
	if p.ObjectID != "" {
		o["objectId"] = p.ObjectID
	}
	if p.UPN != "" {
		o["userPrincipalName"], o["email"] = p.UPN, p.UPN
	}
	return o
}
