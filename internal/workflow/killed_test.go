package workflow_test

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
	"elevate/internal/workflow"
	"elevate/internal/workflow/workflowtest"
)

var onCallInTeams = pim.Conversation{Chat: pim.Teams, Workspace: string(tenant), ID: "19:oncall@thread.tacv2"}

// powerCut ends the process right after the work of one call to the outside was done,
// and before anything of it is on the disk.
type powerCut struct {
	w  *world
	at int // which call

	under sync.RWMutex // held by calls that are under way
	mu    sync.Mutex
	calls []workflowtest.Op
	state []byte // the state file at that moment, nil while there is power
	told  string // what the audit sink was told until then
}

// outside are the calls that change something elsewhere; what is only read can be read again.
var outside = map[workflowtest.Op]bool{
	workflowtest.OpSubmit: true, workflowtest.OpCancel: true, workflowtest.OpDecide: true, workflowtest.OpPost: true,
	workflowtest.OpUpdate: true, workflowtest.OpHome: true, workflowtest.OpWhisper: true,
}

var allOps = []workflowtest.Op{
	workflowtest.OpSubmit, workflowtest.OpCancel, workflowtest.OpDecide, workflowtest.OpAssigned, workflowtest.OpWaiting,
	workflowtest.OpLook, workflowtest.OpPost, workflowtest.OpUpdate, workflowtest.OpAccount, workflowtest.OpHome,
	workflowtest.OpWhisper,
}

func (c *powerCut) sides() []*workflowtest.Faults {
	return []*workflowtest.Faults{&c.w.dir.Faults, &c.w.chat.Faults, &c.w.teams.Faults}
}

func (c *powerCut) around(op workflowtest.Op, after bool) {
	if !after {
		c.under.RLock()
		return
	}
	cut := c.counts(op)
	if cut {
		for _, side := range c.sides() {
			for _, op := range allOps {
				side.Break(op, workflowtest.Fault{Err: pim.Errorf(pim.Unavailable, "This process is dead.")})
			}
		}
	}
	c.under.RUnlock()
	if cut {
		c.under.Lock() // once the calls under way are through
		defer c.under.Unlock()
		c.keep()
	}
}

// counts reports whether the power is cut after this call.
func (c *powerCut) counts(op workflowtest.Op) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !outside[op] {
		return false
	}
	c.calls = append(c.calls, op)
	return len(c.calls) == c.at
}

// keep takes what is on the disk.
func (c *powerCut) keep() {
	c.mu.Lock()
	defer c.mu.Unlock()
	errCut := errors.New("the power is cut") // whoever writes holds the file still; what is written here goes nowhere
	err := c.w.db.Update(context.Background(), func(*store.Tx) error {
		var err error
		if c.state, err = os.ReadFile(c.w.path); err != nil {
			return err
		}
		c.told = c.w.sink.String()
		return errCut
	})
	if !errors.Is(err, errCut) {
		c.w.t.Errorf("the power was not cut: %v", err)
	}
}

// restored starts the next process on what the dead one left on the disk.
func (c *powerCut) restored() {
	c.w.t.Helper()
	c.mu.Lock()
	dead, state := c.state != nil, c.state
	c.mu.Unlock()
	if !dead {
		return
	}
	c.w.Stop() // what it does from here on is lost with its file
	if err := c.w.db.Close(); err != nil {
		c.w.t.Fatal(err)
	}
	if err := os.WriteFile(c.w.path, state, 0o600); err != nil {
		c.w.t.Fatal(err)
	}
	c.w.sink.Keep(c.told)
	for _, side := range c.sides() {
		for _, op := range allOps {
			side.Mend(op)
		}
	}
	c.mu.Lock()
	c.state, c.at = nil, 0
	c.mu.Unlock()
	c.w.start()
	c.w.pass(5 * time.Second)
	c.w.signIn(alice, bob, carol, dave, erin) // who owns the groups was not known at first, so sessions ended with a step
}

// killedStories are all that Elevate does for people, in pieces: each step says what is done
// and how long nothing else is.
var killedStories = map[string]killedStory{
	"approved, asked for again, denied": {steps: []killedStep{
		{func(w *world) { w.says(alice, "mde-admin isolating WS-042") }, 5 * time.Second},
		{func(w *world) { w.says(bob, "approve "+string(w.newest(alice).ID)+" go ahead") }, 570 * time.Second},
		{func(w *world) { w.says(alice, "mde-admin still isolating WS-042") }, 7 * time.Minute},
		{func(w *world) { w.says(carol, "deny "+string(w.newest(alice).ID)+" that was long enough") }, 5 * time.Minute},
	}},
	"an emergency, released, overdue for review, reviewed": {settings: emergency, timely: true, steps: []killedStep{
		{func(w *world) { w.says(dave, "mde-analyst "+alarming) }, 6 * time.Minute},
		{func(w *world) { w.says(dave, "release mde-analyst") }, 3 * time.Minute},
		{func(w *world) { w.jumps(25 * time.Hour) }, time.Minute},
		{func(w *world) { w.says(carol, "review "+string(w.newest(dave).ID)+" looked at it") }, 3 * time.Minute},
	}},
	"an alarm, its doer, acknowledged, over": {steps: []killedStep{
		{func(w *world) { w.stands(dave, erin) }, 15 * time.Minute},
		{func(w *world) { w.acknowledgesFirst(bob) }, 2 * time.Minute},
		{func(w *world) { w.dir.Fall(pim.Membership{Group: mde, Principal: dave}) }, 10 * time.Minute},
	}},
	"more than approvers and on-call can read": {timely: true, few: 67, steps: []killedStep{
		{func(w *world) { w.askInTurn("mde-admin", w.hires(24)) }, time.Minute},
		{func(w *world) { w.askInTurn("mde-analyst", w.hires(9)) }, 20 * time.Minute},
	}},
	"revoked": {steps: []killedStep{
		{func(w *world) { w.says(dave, "mde-admin taking over") }, 5 * time.Second},
		{func(w *world) { w.clicks(bob, card.Approve, w.newest(dave).ID) }, 6 * time.Minute},
		{func(w *world) { w.says(erin, "revoke "+string(w.newest(dave).ID)+" wrong machine") }, 3 * time.Minute},
	}},
	"reminded of, escalated, canceled": {steps: []killedStep{
		{func(w *world) { w.says(dave, "mde-live collecting memory") }, 6 * time.Minute},
		{func(w *world) { w.says(dave, "cancel "+string(w.newest(dave).ID)) }, 2 * time.Minute},
	}},
	"all of it in PIM's own portal": {steps: []killedStep{
		{func(w *world) { w.opensHomeAnyway(alice); w.activates(alice, hunt) }, 2 * time.Minute},
		{func(w *world) { w.reviewsInPortal(bob, hunt) }, 70 * time.Minute},
	}},
}

type killedStory struct {
	settings func(*world)
	steps    []killedStep
	few      int // of the calls, only each so many-th is cut after
	// timely is set where a chat that was down for an hour rightly says less: what was to
	// be said is over by then.
	timely bool
}

type killedStep struct {
	do    func(*world)
	after time.Duration
}

// lives plays a story. The power is cut at one call, if at all.
func lives(t *testing.T, story killedStory, at int, check func(*world, *powerCut)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, t.TempDir())
		if story.settings != nil {
			story.settings(w)
		}
		cut := &powerCut{w: w, at: at}
		for i := range w.cfg.Roles {
			r := &w.cfg.Roles[i]
			r.Default, r.Direct, r.Notify = 12*time.Minute, true, append(r.Notify, onCallInTeams)
			if r.Name == "mde-live" {
				r.Remind = pim.Reminding{After: 2 * time.Minute, EscalateAfter: 4 * time.Minute, Escalate: []pim.Conversation{leads}}
			}
		}
		for _, side := range cut.sides() {
			side.Around = cut.around
		}
		w.revive = cut.restored
		w.start()
		w.settle()
		w.signIn(alice, bob, carol, dave, erin)
		for _, step := range story.steps {
			step.do(w)
			for end := w.now().Add(step.after); w.now().Before(end); cut.restored() {
				w.pass(5 * time.Second)
			}
		}
		w.pass(5 * time.Minute)
		check(w, cut)
		w.close()
	})
}

const (
	reply = "a reply below a card"
	heard = "the requester hears: "
	board = "Who is elevated now"
)

// standing is what stands in one place: how often each title is read there.
type standing map[string]map[string]int

// summary is what came of each request, and what stands in each place.
func summary(w *world) (requests string, places standing) {
	for _, r := range w.allRequests() {
		requests += fmt.Sprintf("%s of %s: %s %s\n", r.Role, names[r.Principal], r.State, r.Ending)
	}
	places = standing{}
	for _, chat := range []*workflowtest.Messenger{w.chat, w.teams} {
		for _, m := range chat.All() {
			place := m.Ref.Conversation.String()
			if places[place] == nil {
				places[place] = map[string]int{}
			}
			c := m.Card()
			text := cmp.Or(c.Title, c.Fallback)
			if isStep(m) && c.Request != "" {
				for _, step := range c.Lines { // those that come together are told together
					places[place][heard+step[0].Plain]++
				}
				continue
			}
			if m.Ref.Conversation.Thread != "" {
				text = reply // its words follow what is true when it is sent
			}
			if strings.Contains(text, "only until the step it was for") {
				continue // why differs with what is known of owners at that moment
			}
			for _, r := range w.allRequests() {
				text = strings.ReplaceAll(text, string(r.ID), r.Role)
			}
			places[place][text]++
		}
	}
	return requests, places
}

var everyCut = flag.Bool("every-cut", false, "cut the power after each single call, which takes a minute")

// chosen are the calls after which the power is cut usually: what changes something in PIM,
// and of what chats are told, which is much of the same, some.
func chosen(op workflowtest.Op, at int) bool {
	switch op { //nolint:exhaustive // all others change something in PIM
	case workflowtest.OpPost, workflowtest.OpHome:
		return at%3 == 0
	case workflowtest.OpUpdate, workflowtest.OpWhisper:
		return at%8 == 0
	}
	return true
}

func TestThePowerMayBeCutAfterEachCall(t *testing.T) {
	for name, story := range killedStories {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var want string
			var wantStands standing
			var calls []workflowtest.Op
			submits, decisions := 0, 0
			lives(t, story, 0, func(w *world, cut *powerCut) {
				want, wantStands = summary(w)
				calls, submits, decisions = cut.calls, len(w.dir.Copies()), w.dir.Decisions()
			})
			t.Logf("%d calls, %d requests in PIM, %d decisions\n%s", len(calls), submits, decisions, want)
			for at, op := range calls {
				if !*everyCut && !chosen(op, at) || at%max(story.few, 1) != 0 {
					continue
				}
				lives(t, story, at+1, func(w *world, _ *powerCut) {
					got, stands := summary(w)
					if got != want {
						t.Errorf("after call %d, %s, the requests are\n%s\nwithout a cut\n%s", at, op, got, want)
					}
					if len(w.dir.Copies()) != submits || w.dir.Decisions() != decisions {
						t.Errorf("after call %d, %s, PIM holds %d requests and %d decisions, without a cut %d and %d", at, op, len(w.dir.Copies()), w.dir.Decisions(), submits, decisions)
					}
					sayTwice(t, fmt.Sprintf("call %d, %s", at, op), stands, wantStands)
				})
			}
		})
	}
}

// A chat that takes nothing for an hour, from any step on, and a PIM that says nothing for one
// after the last.
func TestAnHourWithoutAChatOrPIMLosesNothingAndSaysNothingTwice(t *testing.T) {
	for name, story := range killedStories {
		if story.timely {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var want string
			var wantStands standing
			lives(t, story, 0, func(w *world, _ *powerCut) {
				w.pass(2 * time.Hour)
				want, wantStands = summary(w)
			})
			for at := range story.steps {
				for _, side := range []string{"slack", "teams", "pim"} {
					if side == "pim" && at < len(story.steps)-1 {
						continue // what is asked of PIM meanwhile is given up after ten minutes
					}
					lives(t, downFrom(story, at, side), 0, func(w *world, _ *powerCut) {
						w.pass(2 * time.Hour)
						got, stands := summary(w)
						if got != want {
							t.Errorf("%s down from step %d on: the requests are\n%s\nelse\n%s", side, at, got, want)
						}
						when := fmt.Sprintf("an hour without %s from step %d on", side, at)
						sayNoMore(t, when, stands, wantStands)
						whisperOnce(t, when, w)
					})
				}
			}
		})
	}
}

// downFrom is a story in which one side is down for an hour from a step on.
func downFrom(story killedStory, at int, side string) killedStory {
	do := story.steps[at].do
	story.steps = slices.Clone(story.steps)
	story.steps[at].do = func(w *world) {
		do(w)
		faults := map[string]*workflowtest.Faults{"slack": &w.chat.Faults, "teams": &w.teams.Faults, "pim": &w.dir.Faults}[side]
		ops := []workflowtest.Op{workflowtest.OpPost, workflowtest.OpUpdate, workflowtest.OpHome, workflowtest.OpWhisper}
		if side == "pim" {
			w.pass(5 * time.Second) // what was said is on its way
			ops = []workflowtest.Op{workflowtest.OpLook}
		}
		for _, op := range ops {
			faults.Break(op, workflowtest.Fault{Err: pim.Errorf(pim.Unavailable, "It is down.")})
			time.AfterFunc(time.Hour, func() { faults.Mend(op) })
		}
	}
	return story
}

// sayNoMore holds that nothing is said more often than without an outage but the outage
// itself, and that on-call reads of each request what it would have read.
func sayNoMore(t *testing.T, when string, got, want standing) {
	t.Helper()
	for place, titles := range got {
		for title, n := range titles {
			outage := title == "PIM cannot be read" || strings.HasPrefix(title, "PIM is read again")
			if strings.HasPrefix(title, heard) && n == 1 {
				continue // else the card says it, which was posted later
			}
			if n > want[place][title] && (!outage || n > 1) {
				t.Errorf("%s, in %s stand %v, else %v", when, place, titles, want[place])
			}
		}
	}
	for _, at := range []pim.Conversation{oncall, onCallInTeams} {
		for title, n := range want[at.String()] {
			if title == reply || title == board { // what is over by the time is not told of
				continue
			}
			if got[at.String()][title] != n {
				t.Errorf("%s, in %s stand %v, else %v", when, at, got[at.String()], want[at.String()])
			}
		}
	}
}

// whisperOnce holds that nobody was shown the same twice where they asked.
func whisperOnce(t *testing.T, when string, w *world) {
	t.Helper()
	said := map[string]int{}
	for _, one := range append(w.chat.Whispers(), w.teams.Whispers()...) {
		text := one.To.String() + ": " + workflowtest.Text(one.Card)
		if said[text]++; said[text] > 1 {
			t.Errorf("%s, it was whispered again: %s", when, text)
		}
	}
}

// sayTwice holds that all that is said without a cut is said, and that in one place at most
// one message is beside it: what was posted when the power was cut, which nobody can know
// of afterwards.
func sayTwice(t *testing.T, op string, got, want standing) {
	t.Helper()
	for place, titles := range got {
		more := 0
		for title, n := range titles {
			over := n - want[place][title]
			if over <= 0 || title == board && over == 1 { // which has a lane of its own
				continue
			}
			if strings.HasPrefix(title, heard) && n <= max(want[place][title], 1)+1 {
				continue // once more, with the message that it stood in
			}
			more += over
			t.Logf("after %s, in %s: %q", op, place, title)
		}
		if more > 1 {
			t.Errorf("after %s, in %s stand %v, without a cut %v", op, place, titles, want[place])
		}
	}
	for place, titles := range want {
		for title, n := range titles {
			if strings.HasPrefix(title, heard) {
				n-- // a card that was posted once more, and later, says a step itself
			}
			if got[place][title] < n {
				t.Errorf("after %s, in %s stand %v, without a cut %v", op, place, got[place], titles)
			}
		}
	}
}

// opensHomeAnyway is what Slack tells when somebody opens their page; whether it can be
// shown is not its business.
func (w *world) opensHomeAnyway(p pim.PrincipalID) {
	_ = w.bot.OpenHome(context.Background(), w.sender(p))
}

// reviewsInPortal decides what was asked for a group past Elevate.
func (w *world) reviewsInPortal(p pim.PrincipalID, g pim.GroupID) {
	w.t.Helper()
	for _, c := range w.dir.Copies() {
		if c.Group == g {
			if err := w.dir.Review(p, c.ID, true, "seen in the portal"); err != nil {
				w.t.Error(err)
			}
		}
	}
}

// jumps has the clock be later at once.
func (w *world) jumps(d time.Duration) {
	w.mu.Lock()
	w.skew += d
	w.mu.Unlock()
	w.signIn(alice, bob, carol, dave, erin)
}

// stands has somebody be a member of mde-admin's group by nothing, and the audit log know by whom.
func (w *world) stands(p, by pim.PrincipalID) {
	w.dir.Log(pim.AuditEntry{Activity: "Add member to group", By: by, About: []string{string(mde), string(p)}})
	w.dir.Stand(pim.Membership{Group: mde, Principal: p}, "")
}

// acknowledgesFirst has somebody press the button of an alarm at on-call's, in either chat.
func (w *world) acknowledgesFirst(p pim.PrincipalID) {
	w.t.Helper()
	for _, m := range append(w.chat.In(oncall), w.teams.In(onCallInTeams)...) {
		for _, b := range m.Card().Buttons {
			if b.Act == card.Acknowledge {
				w.read(w.bot.Click(context.Background(), w.sender(p), workflow.Click{Act: card.Acknowledge, Digest: b.Digest, Ref: m.Ref}))
				return
			}
		}
	}
	w.t.Error("there is no alarm to acknowledge")
}

// askInTurn has all of them ask for a role at the same moment, one after the other.
func (w *world) askInTurn(role string, all []member) {
	w.t.Helper()
	for _, m := range all {
		w.once++
		from := workflow.Sender{Account: m.account, Name: m.name, Place: general, Once: fmt.Sprintf("once-%d", w.once), Zone: time.UTC}
		w.bot.Command(context.Background(), from, role+" isolating WS-042")
		w.settle()
		w.revive()
	}
}
