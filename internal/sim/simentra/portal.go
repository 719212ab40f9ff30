package simentra

import (
	"fmt"
	"strings"
	"time"
)

// A Portal is the Entra admin center: people act in it without the bot. Whoever uses it has done every sign-in step that
// a rule could ask for. People are named by key, groups by name.
type Portal struct{ s *Server }

// Portal returns the tenant's admin center.
func (s *Server) Portal() Portal { return Portal{s} }

// An Activation is what somebody fills in. Empty Duration and Until mean the longest that is allowed.
type Activation struct {
	Person, Group string
	Duration      string // ISO 8601
	Start, Until  time.Time
	Justification string
	TicketNumber  string
	TicketSystem  string
}

// A RequestView is what the admin center shows of a request.
type RequestView struct {
	ID            string    `json:"id"`
	Person        string    `json:"person"` // key
	Group         string    `json:"group"`  // name
	Action        string    `json:"action"`
	Status        string    `json:"status"`
	Stage         string    `json:"stage,omitempty"`
	Decision      string    `json:"decision,omitempty"`
	DecidedBy     string    `json:"decided_by,omitempty"`
	DecisionNote  string    `json:"decision_note,omitempty"`
	Justification string    `json:"justification"`
	Duration      string    `json:"duration,omitempty"`
	Created       time.Time `json:"created"`
	Start         time.Time `json:"start"`
	End           time.Time `json:"end"`
}

func (s *Server) viewOf(r *request) RequestView {
	v := RequestView{
		ID: r.id, Action: r.action, Status: r.status, Justification: r.justification, Duration: r.window.spelled,
		Created: r.created, Start: r.window.start, End: r.window.endFrom(r.window.start),
	}
	if p := s.dir.person(r.principal); p != nil {
		v.Person = p.Key
	}
	if g := s.dir.group(r.group); g != nil {
		v.Group = g.Name
	}
	if r.stage != nil {
		v.Stage, v.Decision, v.DecisionNote = r.stage.status, r.stage.result, r.stage.justification
		if p := s.dir.person(r.stage.reviewer); p != nil {
			v.DecidedBy = p.Key
		}
	}
	return v
}

// whole is an actor whose sign-in satisfies everything.
func (s *Server) whole(p *person, group string) actor {
	context := s.policyOf(group, accessMember).authContext()
	return actor{oid: p.ObjectID, mfa: true, cp1: true, acrs: []string{context}}
}

func (s *Server) names(who, groupName string) (*person, *group, error) {
	p := s.dir.find(who)
	if p == nil {
		return nil, nil, fmt.Errorf("nobody is called %q", who)
	}
	g := s.dir.groupNamed(groupName)
	if g == nil {
		return nil, nil, fmt.Errorf("no group is called %q", groupName)
	}
	return p, g, nil
}

// Activate asks for an activation and returns the request's id.
func (p Portal) Activate(a Activation) (string, error) {
	in := submission{Action: "selfActivate", Justification: a.Justification, ScheduleInfo: schedule(a)}
	in.TicketInfo.TicketNumber, in.TicketInfo.TicketSystem = optional(a.TicketNumber), optional(a.TicketSystem)
	return p.submit(a.Person, a.Person, a.Group, in)
}

func optional(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func schedule(a Activation) *scheduleInfo {
	info := &scheduleInfo{}
	if !a.Start.IsZero() {
		start := a.Start.UTC().Format(time.RFC3339Nano)
		info.StartDateTime = &start
	}
	kind, until := "", a.Until.UTC().Format(time.RFC3339Nano)
	switch {
	case a.Duration != "":
		kind = afterDuration
	case !a.Until.IsZero():
		kind = afterDateTime
	default:
		kind = notSpecified
	}
	info.Expiration = &struct {
		Type        *string `json:"type"`
		Duration    *string `json:"duration"`
		EndDateTime *string `json:"endDateTime"`
	}{&kind, &a.Duration, &until}
	return info
}

func (p Portal) submit(by, principal, groupName string, in submission) (string, error) {
	now := p.s.lock()
	defer p.s.mu.Unlock()
	actor, g, err := p.s.names(by, groupName)
	if err != nil {
		return "", err
	}
	subject, _, err := p.s.names(principal, groupName)
	if err != nil {
		return "", err
	}
	in.AccessID, in.GroupID, in.PrincipalID = accessMember, g.ID, subject.ObjectID
	r, e := p.s.submit(p.s.whole(actor, g.ID), in, now)
	if e != nil {
		return "", e
	}
	return r.id, nil
}

// Release ends one's own activation.
func (p Portal) Release(person, group, justification string) error {
	_, err := p.submit(person, person, group, submission{Action: "selfDeactivate", Justification: justification})
	return err
}

// Revoke lets an owner or administrator end somebody's membership, however it came about.
func (p Portal) Revoke(admin, person, group, justification string) error {
	_, err := p.submit(admin, person, group, submission{Action: "adminRemove", Justification: justification})
	return err
}

// Assign lets an owner or administrator make somebody an active member, for a duration or, if that is empty, for good.
func (p Portal) Assign(admin, person, group, duration, justification string) error {
	in := submission{Action: "adminAssign", Justification: justification}
	if duration != "" {
		in.ScheduleInfo = schedule(Activation{Duration: duration})
	}
	_, err := p.submit(admin, person, group, in)
	return err
}

// Approve approves a request.
func (p Portal) Approve(person, requestID, justification string) error {
	return p.decide(person, requestID, verdict{true, justification})
}

// Deny denies a request.
func (p Portal) Deny(person, requestID, justification string) error {
	return p.decide(person, requestID, verdict{false, justification})
}

func (p Portal) decide(by, requestID string, v verdict) error {
	return p.withRequest(by, requestID, func(who actor, r *request, now time.Time) *graphError {
		if r.stage == nil {
			return errNoApproval.with("")
		}
		return p.s.decide(who, r, v, now)
	})
}

// Cancel takes a request back.
func (p Portal) Cancel(person, requestID string) error {
	return p.withRequest(person, requestID, p.s.cancel)
}

func (p Portal) withRequest(by, requestID string, do func(actor, *request, time.Time) *graphError) error {
	now := p.s.lock()
	defer p.s.mu.Unlock()
	r, found := p.s.pim.requests[requestID]
	if !found {
		return fmt.Errorf("no request has the id %q", requestID)
	}
	who := p.s.dir.find(by)
	if who == nil {
		return fmt.Errorf("nobody is called %q", by)
	}
	if e := do(p.s.whole(who, r.group), r, now); e != nil {
		return e
	}
	return nil
}

// Requests returns the requests about a person, oldest first; an empty key means everybody's.
func (p Portal) Requests(person string) []RequestView {
	p.s.lock()
	defer p.s.mu.Unlock()
	out := []RequestView{}
	for _, r := range p.s.allRequests(func(*request) bool { return true }) {
		if v := p.s.viewOf(r); person == "" || strings.EqualFold(v.Person, person) {
			out = append(out, v)
		}
	}
	return out
}

// Members returns the keys of the people who are members of a group now, as the directory shows it.
func (p Portal) Members(groupName string) ([]string, error) {
	now := p.s.lock()
	defer p.s.mu.Unlock()
	g := p.s.dir.groupNamed(groupName)
	if g == nil {
		return nil, fmt.Errorf("no group is called %q", groupName)
	}
	out := []string{}
	for _, id := range p.s.members(g, now) {
		if m := p.s.dir.person(id); m != nil {
			out = append(out, m.Key)
		}
	}
	return out, nil
}
