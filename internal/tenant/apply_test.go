package tenant_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"elevate/internal/pim"
	"elevate/internal/tenant"
)

// changer notes what is done, and fails as it is told.
type changer struct {
	mu    sync.Mutex
	did   []string
	busy  map[string]int // changes under way, by group
	worst int
	all   int
	most  int // changes under way at once
	fails map[string][]error
	// nicknames are those that groups were made with.
	nicknames map[string]string
	stop      context.CancelFunc // called in the first step
}

func (c *changer) do(group, what string) error {
	c.mu.Lock()
	c.busy[group]++
	c.all++
	c.worst, c.most = max(c.worst, c.busy[group]), max(c.most, c.all)
	if c.stop != nil {
		c.stop()
	}
	c.mu.Unlock()
	time.Sleep(time.Second)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy[group]--
	c.all--
	if errs := c.fails[what]; len(errs) > 0 {
		c.fails[what] = errs[1:]
		if errs[0] != nil {
			return errs[0]
		}
	}
	c.did = append(c.did, what)
	return nil
}

func (c *changer) MakeGroup(_ context.Context, s tenant.Step, nickname string, lost bool) (pim.GroupID, error) {
	what := "make " + s.Group
	c.mu.Lock()
	if before := c.nicknames[s.Group]; before != "" && before != nickname {
		what += " with another nickname"
	}
	c.nicknames[s.Group] = nickname
	c.mu.Unlock()
	if lost {
		what += " again"
	}
	return pim.GroupID("id of " + s.Group), c.do(s.Group, what)
}

func (c *changer) AddMember(_ context.Context, group pim.GroupID, person pim.PrincipalID) error {
	return c.do(string(group), "add "+string(person)+" to "+string(group))
}

func (c *changer) SetRule(_ context.Context, group pim.GroupID, s tenant.Step, approvers tenant.Approvers) error {
	what := "rule " + s.Rule + " of " + string(group)
	for _, g := range approvers.Groups {
		what += " by " + string(g)
	}
	return c.do(string(group), what)
}

func (c *changer) MakeEligible(_ context.Context, group pim.GroupID, _ tenant.Step, principal pim.PrincipalID) error {
	return c.do(string(group), "eligible "+string(principal)+" for "+string(group))
}

// apply carries the plan for an empty tenant with three roles out.
func apply(t *testing.T, c *changer) (plan tenant.Plan, states []tenant.State, told []tenant.Progress) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := wanted()
		for _, name := range []string{"two", "three"} {
			r := w.Roles[0]
			r.Name, r.Group, r.Eligible = name, "Role_"+name, []string{"PIM " + name}
			w.Roles = append(w.Roles, r)
		}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		c.busy, c.nicknames = map[string]int{}, map[string]string{}
		if c.stop != nil {
			c.stop = stop
		}
		plan = tenant.Compare(w, nothing())
		states = plan.Apply(ctx, c, nothing(), tenant.Tempo{Now: time.Now, Wait: tenant.Wait}, func(p tenant.Progress) { told = append(told, p) })
	})
	return plan, states, told
}

func TestRolesAreDoneSideBySideAndNeverTwoChangesToOneGroup(t *testing.T) {
	t.Parallel()
	c := &changer{}
	plan, states, _ := apply(t, c)
	if c.worst != 1 || c.most < 3 || len(c.did) != len(plan.Steps) || slices.ContainsFunc(states, func(s tenant.State) bool { return s != tenant.Done }) {
		t.Errorf("at one group %d, at once %d, did %v", c.worst, c.most, c.did)
	}
	approved := slices.Index(c.did, "rule "+tenant.ApprovalRule+" of id of Role_two by id of Approvers")
	if approved < 0 || approved < slices.Index(c.did, "make Approvers") || !slices.Contains(c.did, "eligible id of PIM two for id of Role_two") {
		t.Errorf("%v", c.did)
	}
}

func TestWhatMayYetWorkIsTriedAgainAndSaysWhy(t *testing.T) {
	t.Parallel()
	lag := pim.Errorf(pim.Unavailable, "PIM does not know the group yet.")
	busy := &pim.Error{Kind: pim.Throttled, Message: "Graph is busy.", RetryAfter: time.Minute}
	c := &changer{fails: map[string][]error{
		"make Role_two": {busy, pim.Errorf(pim.AnswerLost, "Nobody knows.")}, "rule " + tenant.PermanentRule + " of id of Role_three": {lag, lag, busy},
	}}
	_, states, told := apply(t, c)
	waits := 0
	for _, p := range told {
		if p.State == tenant.Waiting && p.Says != "" {
			waits++
		}
	}
	if waits != 5 || slices.ContainsFunc(c.did, func(what string) bool { return strings.Contains(what, "another nickname") }) || slices.ContainsFunc(states, func(s tenant.State) bool { return s != tenant.Done }) || !slices.Contains(c.did, "make Role_two again") {
		t.Errorf("%d waits, %v", waits, c.did)
	}
}

func TestAFailureLeavesTheOtherRoles(t *testing.T) {
	t.Parallel()
	c := &changer{fails: map[string][]error{"make Role_two": {pim.Errorf(pim.Administered, "Not allowed.")}}}
	plan, states, _ := apply(t, c)
	for i, s := range plan.Steps {
		want := tenant.Done
		switch {
		case s.Group == "Role_two" && s.Kind == tenant.MakeGroup, s.Group == "Role_two" && s.Rule == tenant.PermanentRule:
			want = tenant.Failed
		case s.Group == "Role_two":
			want = tenant.Left
		}
		if states[i] != want {
			t.Errorf("%s: %s, want %s", s.Says, states[i], want)
		}
	}
}

func TestPatienceEnds(t *testing.T) {
	t.Parallel()
	lag := make([]error, 100)
	for i := range lag {
		lag[i] = pim.Errorf(pim.Unavailable, "PIM does not know the group yet.")
	}
	c := &changer{fails: map[string][]error{"make Approvers": lag, "make Approvers again": lag}}
	_, states, told := apply(t, c)
	if !slices.Contains(states, tenant.Failed) || told[len(told)-1].Step == 0 {
		t.Errorf("%v", states)
	}
}

func TestAnInterruptionFinishesTheStepInHandAndBeginsNoOther(t *testing.T) {
	t.Parallel()
	c := &changer{stop: func() {}}
	_, states, _ := apply(t, c)
	done := 0
	for _, s := range states {
		if s == tenant.Done {
			done++
		}
	}
	if done == 0 || done > 4 || done != len(c.did) {
		t.Errorf("%d done, %v", done, c.did)
	}
}

func TestOneGroupByItsNameAndItsIDIsChangedOnceAtATime(t *testing.T) {
	t.Parallel()
	w, a := wanted(), as()
	w.Roles[0].Eligible = []string{"PIM Admin", id(people)}
	w.Groups = []tenant.Group{{Name: "PIM Admin", Members: []string{"alice@contoso.com", "carol@contoso.com"}}, {Name: id(people), Members: []string{"carol@contoso.com"}}}
	c := &changer{busy: map[string]int{}}
	synctest.Test(t, func(t *testing.T) {
		plan := tenant.Compare(w, a)
		plan.Apply(t.Context(), c, a, tenant.Tempo{Now: time.Now, Wait: tenant.Wait}, func(tenant.Progress) {})
	})
	if c.worst != 1 || len(c.did) < 2 {
		t.Errorf("at one group %d, did %v", c.worst, c.did)
	}
}
