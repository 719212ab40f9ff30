package entra

import (
	"context"

	"elevate/internal/pim"
)

// Look reads everything a question asks for, with the application's read-only identity, in as few round trips as Graph
// allows. What could not be read is in the answer's Failed; an error means that nothing was answered at all.
//
// Eligibilities are read both by person and, for the groups in Policies and Active, by group: whether Graph's filter by
// person returns what a person is eligible for through a group is not documented, and this is right either way.
func (c *Client) Look(ctx context.Context, q pim.Question) (pim.Answer, error) {
	v := newView(c)
	if err := v.ask(ctx, q); err != nil {
		return pim.Answer{}, err
	}
	if len(v.queue) == 0 {
		v.answer.At, _ = c.clock.graph()
		return v.answer, nil
	}
	if err := v.run(ctx); err != nil {
		return pim.Answer{}, err
	}
	v.answer.At, v.answer.Failed = v.at, v.failed
	return v.answer, nil
}

// view collects an answer. A list gets into it only when its last page was read.
type view struct {
	rounds
	answer pim.Answer
	err    error
}

func newView(c *Client) *view {
	return &view{rounds: rounds{client: c}, answer: pim.Answer{
		Requests: map[string]pim.Copy{}, Gone: map[string]bool{}, Pending: map[pim.GroupID][]pim.Copy{},
		Recent: map[pim.Recent][]pim.Copy{}, Access: map[pim.Membership]pim.Access{}, Active: map[pim.GroupID][]pim.Instance{},
		Policies: map[pim.GroupID]pim.Policy{}, Members: map[pim.GroupID][]pim.Profile{}, Owners: map[pim.GroupID][]pim.Profile{},
		Profiles: map[pim.PrincipalID]pim.Profile{}, Eligible: map[pim.PrincipalID][]pim.Eligibility{},
		MayHave: map[pim.GroupID][]pim.Eligibility{},
	}}
}

// ask puts every part of a question on the queue.
func (v *view) ask(ctx context.Context, q pim.Question) error {
	for _, id := range distinct(q.Requests) {
		v.askRequest(ctx, id)
	}
	for _, group := range distinct(q.Pending) {
		v.askPending(ctx, group)
	}
	for _, recent := range distinct(q.Recent) {
		v.askRecent(ctx, recent)
	}
	for _, membership := range distinct(q.Access) {
		v.askAccess(ctx, membership)
	}
	for _, group := range distinct(q.Active) {
		v.askActive(ctx, group)
	}
	for _, group := range distinct(q.Policies) {
		v.askPolicy(ctx, group)
	}
	for _, group := range distinct(q.Members) {
		v.askMembers(ctx, group)
	}
	for _, group := range distinct(q.Owners) {
		v.askOwners(ctx, group)
	}
	for _, person := range distinct(q.Profiles) {
		v.askProfile(ctx, person)
	}
	for _, group := range distinct(q.MayHave) {
		v.askMayHave(ctx, group)
	}
	v.askEligible(ctx, distinct(q.Eligible), distinct(append(append([]pim.GroupID{}, q.Policies...), q.Active...)))
	return v.err
}

// put queues a reading that the client could make.
func (v *view) put(r *reading, err error) {
	if err != nil {
		v.err = err
		return
	}
	v.queue = append(v.queue, r)
}

func distinct[T comparable](list []T) []T {
	seen := make(map[T]bool, len(list))
	var out []T
	var zero T
	for _, one := range list {
		if one != zero && !seen[one] {
			seen[one] = true
			out = append(out, one)
		}
	}
	return out
}
