package main

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	"elevate/internal/pim"
	"elevate/internal/workflow"
)

// tenant is a PIM that takes its time, lets everybody ask and leaves every request pending.
type tenant struct {
	takes time.Duration

	mu       sync.Mutex
	requests map[string]pim.Copy
}

var _ workflow.Directory = (*tenant)(nil)

func newTenant(takes time.Duration) *tenant {
	return &tenant{takes: takes, requests: map[string]pim.Copy{}}
}

func (t *tenant) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return pim.Errorf(pim.AnswerLost, "PIM did not answer.")
	case <-time.After(t.takes):
		return nil
	}
}

// Submit takes a request.
func (t *tenant) Submit(ctx context.Context, as pim.Actor, a pim.Activation) (pim.Copy, error) {
	if err := t.wait(ctx); err != nil {
		return pim.Copy{}, err
	}
	c := pim.Copy{
		ID: rand.Text(), Status: "PendingApproval", Action: a.Action, Access: pim.Member, Group: a.Group, Principal: a.Principal,
		CreatedBy: as.Person, Created: time.Now().UTC(), Justification: a.Justification, Ticket: a.Ticket,
		Start: time.Now().UTC(), Duration: a.Duration, Expiration: "afterDuration",
	}
	c.ApprovalID = c.ID
	t.mu.Lock()
	defer t.mu.Unlock()
	t.requests[c.ID] = c
	return c, nil
}

// Audited finds nothing.
func (t *tenant) Audited(ctx context.Context, _ pim.GroupID, _ time.Time) (pim.Audited, error) {
	return pim.Audited{Calls: 1}, t.wait(ctx)
}

// Cancel does nothing.
func (t *tenant) Cancel(ctx context.Context, _ pim.Actor, _ string) error { return t.wait(ctx) }

// Decide does nothing.
func (t *tenant) Decide(ctx context.Context, _ pim.Actor, _ pim.Ruling) (pim.Stage, error) {
	return pim.Stage{}, t.wait(ctx)
}

// Assigned knows no approval.
func (t *tenant) Assigned(ctx context.Context, _ pim.Actor, _ string) (pim.Stage, error) {
	return pim.Stage{}, t.wait(ctx)
}

// Waiting knows no request.
func (t *tenant) Waiting(ctx context.Context, _ pim.Actor) ([]pim.Copy, error) {
	return nil, t.wait(ctx)
}

// Look answers about requests and policies.
func (t *tenant) Look(ctx context.Context, q pim.Question) (pim.Answer, error) {
	if err := t.wait(ctx); err != nil {
		return pim.Answer{}, err
	}
	a := pim.Answer{
		At: time.Now(), Requests: map[string]pim.Copy{}, Policies: map[pim.GroupID]pim.Policy{},
		Profiles: map[pim.PrincipalID]pim.Profile{},
	}
	for _, g := range q.Policies {
		a.Policies[g] = pim.Policy{Group: g, Approval: true, ApproverPeople: []pim.PrincipalID{person(passed), person(passed + 1)}}
	}
	for _, id := range q.Profiles {
		a.Profiles[id] = pim.Profile{ID: id, Name: "Person", Enabled: true, Found: true}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range q.Requests {
		if c, ok := t.requests[id]; ok {
			a.Requests[id] = c
		}
	}
	return a, nil
}
