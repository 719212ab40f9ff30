package tenant

import (
	"cmp"
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"elevate/internal/pim"
)

// Approvers are who approves a role, by id.
type Approvers struct {
	Groups []pim.GroupID
	People []pim.PrincipalID
}

// A Changer carries out single steps. Each is safe to repeat. What may yet work is an error of kind Throttled, Unavailable or
// AnswerLost; another is final.
type Changer interface {
	// MakeGroup makes a group with that mail nickname, which no other has. Lost says that an earlier try may have made it.
	MakeGroup(ctx context.Context, s Step, nickname string, lost bool) (pim.GroupID, error)
	AddMember(ctx context.Context, group pim.GroupID, person pim.PrincipalID) error
	SetRule(ctx context.Context, group pim.GroupID, s Step, approvers Approvers) error
	MakeEligible(ctx context.Context, group pim.GroupID, s Step, principal pim.PrincipalID) error
}

// State is where a step is.
type State string

// The states of a step.
const (
	Waiting State = "waiting" // for what Progress.Says
	Done    State = "done"
	Failed  State = "failed"
	Left    State = "left" // not begun: interrupted, or what it needs failed
)

// Progress is told of each step as it comes about.
type Progress struct {
	Step  int // its place in the plan
	State State
	Says  string // why, where it waits or failed
}

// Limits of carrying out.
const (
	sideBySide = 4 // lanes at once
	firstPause = 2 * time.Second
	mostPause  = 15 * time.Second
	seenPause  = 10 * time.Second // after which a group that was made is in the lists, before another is
	// patience is for how long a step is tried: replication takes minutes.
	patience = 5 * time.Minute
)

// Tempo is how time is told and waited for.
type Tempo struct {
	Now  func() time.Time
	Wait func(ctx context.Context, d time.Duration) error
}

// Apply carries out a plan, as it was shown: groups first, then each role by itself. It never makes two changes to one group at
// once. When ctx ends, the steps in hand are finished and no other is begun. Actual is what the plan was made from. It
// returns the state of each step.
func (p Plan) Apply(ctx context.Context, to Changer, actual Actual, tempo Tempo, tell func(Progress)) []State {
	a := &applying{to: to, tempo: tempo, plan: p, actual: actual, tell: tell, states: make([]State, len(p.Steps)), ids: map[string]pim.GroupID{}}
	for i := range a.states {
		a.states[i] = Left
	}
	for _, first := range []bool{true, false} {
		lanes, order := map[string][]int{}, []string{}
		for i, s := range p.Steps {
			if (s.Kind == MakeGroup || s.Kind == AddMember) != first {
				continue
			}
			k := cmp.Or(string(s.GroupID), Key(s.Group)) // the settings may name one group by its name and by its id
			if lanes[k] == nil {
				order = append(order, k)
			}
			lanes[k] = append(lanes[k], i)
		}
		a.run(ctx, order, lanes)
	}
	return a.states
}

// Wait waits on the machine's clock.
func Wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// applying is a plan that is being carried out.
type applying struct {
	to     Changer
	tempo  Tempo
	plan   Plan
	actual Actual
	tell   func(Progress)

	mu     sync.Mutex
	states []State
	ids    map[string]pim.GroupID // of groups that were made
}

func (a *applying) run(ctx context.Context, order []string, lanes map[string][]int) {
	slots := make(chan struct{}, sideBySide)
	var done sync.WaitGroup
	for _, k := range order {
		slots <- struct{}{}
		done.Go(func() {
			defer func() { <-slots }()
			for _, i := range lanes[k] {
				if !a.step(ctx, i) {
					return
				}
			}
		})
	}
	done.Wait()
}

func (a *applying) report(p Progress) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p.State != Waiting {
		a.states[p.Step] = p.State
	}
	a.tell(p)
}

// step carries one step out, and reports whether those that follow it may be.
func (a *applying) step(ctx context.Context, i int) bool {
	s, pause, began := a.plan.Steps[i], firstPause, a.tempo.Now()
	nickname, lost := newNickname(s.Group), false
	for {
		if ctx.Err() != nil {
			return false
		}
		// The step in hand is finished, also when the program is told to stop.
		err := a.change(context.WithoutCancel(ctx), s, nickname, lost)
		if err == nil {
			a.report(Progress{Step: i, State: Done})
			return true
		}
		e := pim.Explain(err)
		lost = lost || e.Kind != pim.Throttled
		again := e.Kind == pim.Throttled || e.Kind == pim.Unavailable || e.Kind == pim.AnswerLost
		wait := max(pause, e.RetryAfter)
		if s.Kind == MakeGroup && e.Kind == pim.AnswerLost {
			wait = max(wait, seenPause)
		}
		if !again || a.tempo.Now().Sub(began)+wait > patience {
			a.report(Progress{Step: i, State: Failed, Says: e.Message})
			return false
		}
		a.report(Progress{i, Waiting, e.Message})
		pause = min(2*pause, mostPause)
		if a.tempo.Wait(ctx, wait) != nil {
			return false
		}
	}
}

// change makes one try.
func (a *applying) change(ctx context.Context, s Step, nickname string, lost bool) error {
	group, err := a.groupID(s.Group, s.GroupID)
	if s.Kind == MakeGroup {
		id, err := a.to.MakeGroup(ctx, s, nickname, lost)
		if err == nil {
			a.mu.Lock()
			a.ids[Key(s.Group)] = id
			a.mu.Unlock()
		}
		return err
	}
	if err != nil {
		return err
	}
	switch s.Kind {
	case AddMember:
		return a.to.AddMember(ctx, group, s.PrincipalID)
	case SetRule:
		approvers, err := a.approvers(s)
		if err != nil {
			return err
		}
		return a.to.SetRule(ctx, group, s, approvers)
	case MakeEligible:
		principal, err := a.groupID(s.Principal, pim.GroupID(s.PrincipalID))
		if err != nil {
			return err
		}
		return a.to.MakeEligible(ctx, group, s, pim.PrincipalID(principal))
	case MakeGroup:
	}
	return pim.Errorf(pim.Internal, "Elevate does not know how to %s.", s.Kind)
}

// newNickname is what Graph wants of every group, although no mail is sent to it: at most 64 letters, digits and dashes. It
// names the group of one step alone, so that what a lost answer left is found again, and nothing else is taken for it.
// https://learn.microsoft.com/graph/api/resources/group
func newNickname(name string) string {
	const most = 40
	var out strings.Builder
	for _, r := range name {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) && out.Len() < most {
			out.WriteRune(unicode.ToLower(r))
		}
	}
	return cmp.Or(out.String(), "group") + "-" + strings.ToLower(rand.Text()[:12])
}

// groupID is the id of a group that stood before or was made.
func (a *applying) groupID(name string, known pim.GroupID) (pim.GroupID, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if known != "" {
		return known, nil
	}
	if id, made := a.ids[Key(name)]; made {
		return id, nil
	}
	if g, found := a.actual.group(name); found {
		return g.ID, nil
	}
	return "", pim.Errorf(pim.Conflict, "The group %s was not made, so this was not done.", name)
}

func (a *applying) approvers(s Step) (Approvers, error) {
	var out Approvers
	if s.Rule != ApprovalRule || !s.Rules.Approval {
		return out, nil
	}
	for _, name := range distinct(s.Approvers) {
		_, isGroup := a.actual.group(name)
		if p, isPerson := a.actual.People[Key(name)]; isPerson && !isGroup {
			out.People = append(out.People, p.ID)
			continue
		}
		id, err := a.groupID(name, "")
		if err != nil {
			return out, err
		}
		out.Groups = append(out.Groups, id)
	}
	slices.Sort(out.Groups)
	slices.Sort(out.People)
	return Approvers{slices.Compact(out.Groups), slices.Compact(out.People)}, nil
}
