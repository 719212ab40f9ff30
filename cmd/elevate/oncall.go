package main

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"elevate/adapters/pagerduty"
	"elevate/internal/config"
	"elevate/internal/pim"
	"elevate/internal/workflow"
)

const (
	// rosterEvery is how often PagerDuty is asked who is on call. It is asked
	// ahead, so that no card ever waits for the answer.
	rosterEvery = 2 * time.Minute
	// rosterLife is how long an answer counts where no newer one came: soon the
	// shift may be over, and nobody is better than the wrong one.
	rosterLife = 5 * time.Minute
	// foundLife is how long it counts who an address belongs to.
	foundLife = time.Hour
)

// roster knows who is on call now. One loop asks, and everybody else reads what
// it found.
//
// Who an address belongs to is looked up by principal name, and nothing is
// decided by it: whoever administers PagerDuty could write any address there.
// The worst that comes of it is a mention of somebody else.
type roster struct {
	ask   func(context.Context) ([]pagerduty.Person, error)
	find  func(ctx context.Context, name string) (pim.Profile, error)
	now   func() time.Time
	log   *slog.Logger
	known atomic.Pointer[shift]

	// The loop's own.
	found   map[string]foundPerson
	failing bool
}

// shift is who was on call at a time.
type shift struct {
	at     time.Time
	people []workflow.OnCallPerson
}

// foundPerson is whose an address is; "" is nobody's.
type foundPerson struct {
	at time.Time
	id pim.PrincipalID
}

// onCall returns who is on call, as far as that is known at this moment.
func (r *roster) onCall() []workflow.OnCallPerson {
	s := r.known.Load()
	if s == nil || r.now().Sub(s.at) >= rosterLife {
		return nil
	}
	return s.people
}

// run asks until ctx ends.
func (r *roster) run(ctx context.Context) error {
	every(ctx, rosterEvery, func() { r.refresh(ctx) })
	return nil
}

// refresh asks once. A failure is logged when it begins and when it ends.
func (r *roster) refresh(ctx context.Context) {
	asked := r.now()
	people, err := r.ask(ctx)
	switch {
	case ctx.Err() != nil:
		return
	case err != nil && !r.failing:
		r.log.Warn("on_call_not_read", "error", pim.Explain(err).Message, "note", "on-call is told without names meanwhile")
	case err == nil && r.failing:
		r.log.Info("on_call_read")
	}
	if r.failing = err != nil; r.failing {
		return
	}
	s := &shift{at: asked}
	for _, p := range people {
		s.people = append(s.people, workflow.OnCallPerson{Name: p.Name, Person: r.person(ctx, p.Email)})
	}
	r.known.Store(s)
}

// person is whose address it is; "" where that is not known now.
func (r *roster) person(ctx context.Context, address string) pim.PrincipalID {
	address = strings.ToLower(address)
	for known, f := range r.found {
		if r.now().Sub(f.at) >= foundLife {
			delete(r.found, known)
		}
	}
	if f, known := r.found[address]; known {
		return f.id
	}
	ctx, cancel := context.WithTimeout(ctx, pagerduty.Within)
	defer cancel()
	who, err := r.find(ctx, address)
	if err != nil {
		return "" // it is asked again with the next answer
	}
	f := foundPerson{at: r.now()}
	if who.MayAct() == nil {
		f.id = who.ID
	}
	r.found[address] = f
	return f.id
}

// pagerDuty reads the schedule of the settings; nil without one.
func pagerDuty(cfg *config.Config, around surroundings) *pagerduty.Client {
	p := cfg.OnCall.PagerDuty
	if p == nil {
		return nil
	}
	return pagerduty.New(pagerduty.Config{API: p.API, Token: p.Token, Schedule: p.Schedule, Transport: around.transport, Now: around.now})
}

// wireOnCall makes the roster, if there is a schedule.
func (b *bot) wireOnCall() {
	client := pagerDuty(b.cfg, b.around)
	if client == nil {
		return
	}
	b.onCall = &roster{
		// How old an answer is counts in machine time: the sandbox's clock jumps.
		ask: client.OnCall, find: b.entra.PersonByName, now: time.Now, log: b.around.log, found: map[string]foundPerson{},
	}
}

// whoIsOnCall is what the workflow asks; nil where there is no schedule.
func (b *bot) whoIsOnCall() func() []workflow.OnCallPerson {
	if b.onCall == nil {
		return nil
	}
	return b.onCall.onCall
}

func (d *doctor) pagerDuty(ctx context.Context) {
	const about = "PagerDuty"
	client := pagerDuty(d.cfg, surroundings{now: d.now, transport: d.transport})
	if client == nil {
		return
	}
	name, err := client.Schedule(ctx)
	if err != nil {
		d.failed(about, "schedule", err, "Check token, a read-only REST API key, and schedule under on_call.pagerduty in the settings, and api where the account is in the EU.")
		return
	}
	d.says(about, "schedule", fine, name, "")
	people, err := client.OnCall(ctx)
	if err != nil {
		d.failed(about, "on call now", err, "")
		return
	}
	var names []string
	for _, p := range people {
		names = append(names, p.Name)
	}
	if len(names) == 0 {
		d.says(about, "on call now", warning, "nobody", "Look at the schedule: on-call is told without names.")
		return
	}
	d.says(about, "on call now", fine, strings.Join(names, ", "), "")
}
