package workflow

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"elevate/internal/pim"
	"elevate/internal/store"
)

// policyAge is how old what we know of the approvers may be for a decision to
// become a claim.
const policyAge = 5 * time.Minute

// policyNearlyOld is when a poll that runs anyway reads the policy again.
const policyNearlyOld = 4 * time.Minute

// policyUse is how old a policy may be to refuse a request nobody could approve.
const policyUse = 15 * time.Minute

// ever is an age that nothing has.
const ever = 100 * 365 * 24 * time.Hour

// approval is what is known of a group's activation rules and approvers.
type approval struct {
	policy    pim.Policy
	approvers map[pim.PrincipalID]pim.Profile
	at        time.Time // by our own clock
}

// policies remembers the activation rules of groups, in memory only: PIM has
// the last word.
type policies struct {
	mu sync.Mutex
	by map[pim.GroupID]approval
}

func newPolicies() *policies { return &policies{by: map[pim.GroupID]approval{}} }

// get returns what is known of a group's rules, if it is not older than age.
func (p *policies) get(g pim.GroupID, now time.Time, age time.Duration) (approval, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a, ok := p.by[g]
	return a, ok && now.Sub(a.at) <= age && !a.at.After(now.Add(time.Minute))
}

func (p *policies) put(g pim.GroupID, a approval) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.by[g] = a
}

// approver says whether one of these ids is an approver for the group.
func (p *policies) approver(g pim.GroupID, now time.Time, ids ...pim.PrincipalID) pim.Certainty {
	return p.names(g, now, policyAge, ids...)
}

// names is approver with a policy of at most that age.
func (p *policies) names(g pim.GroupID, now time.Time, age time.Duration, ids ...pim.PrincipalID) pim.Certainty {
	a, ok := p.get(g, now, age)
	if !ok {
		return pim.NotKnown
	}
	for _, id := range ids {
		if _, ok := a.approvers[id]; ok {
			return pim.Yes
		}
	}
	return pim.No
}

// learn keeps the policies in an answer, reading the members of approver
// groups that the answer does not hold yet. Where nobody knew the approvers before,
// the cards are drawn anew: they go to the approvers' direct messages too.
func (s *Service) learn(ctx context.Context, a pim.Answer) error {
	now := s.cfg.Now()
	var missing []pim.GroupID
	for _, p := range a.Policies {
		for _, g := range p.ApproverGroups {
			if _, ok := a.Members[g]; !ok && !slices.Contains(missing, g) {
				missing = append(missing, g)
			}
		}
	}
	members := maps.Clone(a.Members)
	if members == nil {
		members = map[pim.GroupID][]pim.Profile{}
	}
	if len(missing) > 0 {
		more, err := s.cfg.Directory.Look(ctx, pim.Question{Members: missing})
		if err != nil {
			return err
		}
		maps.Copy(members, more.Members)
	}
	var met []pim.GroupID
	for g, p := range a.Policies {
		_, before := s.policies.get(g, now, policyUse)
		s.policies.put(g, known(p, members, now))
		if _, is := s.policies.get(g, now, policyUse); is && !before {
			met = append(met, g)
		}
	}
	return s.turnPending(met)
}

// turnPending has the cards of what waits for a decision in these groups drawn anew. It
// looks as a writer does: whoever is writing a request at this moment knew no approvers.
func (s *Service) turnPending(groups []pim.GroupID) error {
	if len(groups) == 0 {
		return nil
	}
	return s.update(func(tx *store.Tx) error {
		for _, g := range groups {
			pending, err := tx.OpenInGroup(g, pim.Pending)
			if err != nil {
				return err
			}
			if err := s.turnEach(tx, pending); err != nil {
				return err
			}
		}
		return nil
	})
}

func known(p pim.Policy, members map[pim.GroupID][]pim.Profile, now time.Time) approval {
	a := approval{policy: p, approvers: map[pim.PrincipalID]pim.Profile{}, at: now}
	for _, id := range p.ApproverPeople {
		a.approvers[id] = pim.Profile{ID: id, Enabled: true, Found: true}
	}
	for _, g := range p.ApproverGroups {
		m, read := members[g]
		if !read {
			// Half a list of approvers would refuse people who may decide.
			a.at = time.Time{}
			continue
		}
		for _, person := range m {
			a.approvers[person.ID] = person
		}
	}
	return a
}

// question returns what to ask to know the policy of a group, with the members
// of the approver groups it named last time.
func (s *Service) policyQuestion(q *pim.Question, g pim.GroupID) {
	q.Policies = append(q.Policies, g)
	s.policies.mu.Lock()
	defer s.policies.mu.Unlock()
	for _, m := range s.policies.by[g].policy.ApproverGroups {
		if !slices.Contains(q.Members, m) {
			q.Members = append(q.Members, m)
		}
	}
}

// names returns the approvers' names, in order, without whoever asks: nobody decides
// about themselves.
func (a approval) names(asks ...pim.PrincipalID) []string {
	var names []string
	for id, p := range a.approvers {
		if p.Name != "" && !slices.Contains(asks, id) {
			names = append(names, p.Name)
		}
	}
	slices.Sort(names)
	return names
}
