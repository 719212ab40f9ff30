package workflow_test

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
	"elevate/internal/workflow"
	"elevate/internal/workflow/workflowtest"
)

// member is one of the many people of a test.
type member struct {
	id      pim.PrincipalID
	name    string
	account pim.ChatAccount
}

// hires has n more people who may ask for roles, and are signed in.
func (w *world) hires(n int) []member {
	w.t.Helper()
	var all []member
	for i := range n {
		name := fmt.Sprintf("Person %03d", i)
		all = append(all, member{
			pim.PrincipalID(fmt.Sprintf("44444444-0000-4000-8000-%012d", i)), name,
			pim.ChatAccount{Chat: pim.Slack, Workspace: "T0", User: fmt.Sprintf("U-%03d", i)},
		})
	}
	for _, m := range all {
		w.dir.Person(m.id, func(p *pim.Profile) { *p = m.profile() })
	}
	for _, g := range []pim.GroupID{mde, analyst} {
		w.dir.Administer(g, func(g *workflowtest.Group) {
			for _, m := range all {
				g.Eligible = append(g.Eligible, m.id)
			}
		})
	}
	w.update(func(tx *store.Tx) error {
		for _, m := range all {
			if err := tx.PutLink(store.Link{Account: m.account, Tenant: tenant, Person: m.id, Name: m.name, Since: tx.Now()}); err != nil {
				return err
			}
			s := store.Session{Account: m.account, Tenant: tenant, Person: m.id, Name: m.name, AuthTime: tx.Now(), SignedIn: tx.Now(), Expires: tx.Now().Add(8 * time.Hour)}
			if err := tx.PutSession(s, []byte("sealed")); err != nil {
				return err
			}
		}
		return nil
	})
	return all
}

func (m member) profile() pim.Profile { return pim.Profile{ID: m.id, Name: m.name, Enabled: true} }

// ask has all of them ask for a role, a moment apart.
func (w *world) ask(role string, all []member) {
	w.t.Helper()
	for _, m := range all {
		w.once++
		from := workflow.Sender{Account: m.account, Name: m.name, Place: general, Once: fmt.Sprintf("once-%d", w.once), Zone: time.UTC}
		w.bot.Command(context.Background(), from, role+" isolating WS-042")
		w.pass(10 * time.Millisecond)
	}
}

func (w *world) of(m member) pim.Request {
	w.t.Helper()
	return w.Newest(m.account)
}

// titled are the messages in a place whose title has a word.
func (w *world) titled(at pim.Conversation, word string) []workflowtest.Message {
	w.t.Helper()
	return slices.DeleteFunc(w.chat.In(at), func(m workflowtest.Message) bool { return !strings.Contains(m.Card().Title, word) })
}

// undecided are the requests of a place's cards that can be decided, as they stand.
func (w *world) undecided(at pim.Conversation) (ids []pim.RequestID) {
	w.t.Helper()
	for _, m := range w.cardsIn(at) {
		if slices.ContainsFunc(m.Card().Buttons, func(b card.Button) bool { return b.Act == card.Approve }) {
			ids = append(ids, m.Card().Request)
		}
	}
	return ids
}

// busiest is how many messages a place got at most within a time, and all of them.
func busiest(messages []workflowtest.Message, within time.Duration) (most, posts, rewrites int) {
	var at []time.Time
	for _, m := range messages {
		at = append(at, m.Times...)
		posts, rewrites = posts+1, rewrites+len(m.Times)-1
	}
	slices.SortFunc(at, time.Time.Compare)
	for i := range at {
		n := 0
		for _, t := range at[i:] {
			if t.Sub(at[i]) >= within {
				break
			}
			n++
		}
		most = max(most, n)
	}
	return most, posts, rewrites
}

func (w *world) loadOf(what string, at pim.Conversation) {
	w.t.Helper()
	all := w.chat.In(at)
	second, posts, rewrites := busiest(all, time.Second)
	minute, _, _ := busiest(all, time.Minute)
	w.t.Logf("%s: %d messages posted, %d rewritten; at most %d in a second, %d in a minute", what, posts, rewrites, second, minute)
}

var atOnce = flag.Int("requests", 45, "how many ask at once in TestManyRequestsAtOnceStayReadable")

func TestManyRequestsAtOnceStayReadable(t *testing.T) {
	n := *atOnce
	inWorld(t, nil, func(w *world) {
		for _, op := range []workflowtest.Op{workflowtest.OpPost, workflowtest.OpUpdate} {
			w.chat.Break(op, workflowtest.Fault{Slow: 150 * time.Millisecond})
		}
		w.signIn(bob)
		people := w.hires(n)
		w.ask("mde-admin", people)
		w.pass(time.Minute)
		w.loadOf("approvers, all asked", approvals)
		if got := len(w.chat.In(approvals)); got != 21 {
			t.Errorf("approvers got %d messages", got)
		}
		w.oldestFirst(people)
		waits := w.titled(approvals, "wait for a decision")
		if len(waits) != 1 || !strings.HasPrefix(waits[0].Card().Title, fmt.Sprintf("%d more requests wait", n-20)) {
			t.Fatalf("%d summaries: %v", len(waits), waits)
		}
		w.expect(workflowtest.Text(waits[0].Card()), "/elevate approvals", "Person 020", fmt.Sprintf("and %d more", n-32))

		// As some are decided, the next oldest get their cards. What has none can be decided, too.
		for _, m := range people[:7] {
			w.says(bob, "approve "+string(w.of(m).ID))
		}
		w.says(bob, "deny "+string(w.of(people[n-1]).ID)+" not today")
		w.pass(30 * time.Second)
		w.is(w.of(people[n-1]).ID, pim.Denied)
		w.is(w.of(people[6]).ID, pim.Active)
		w.oldestFirst(people[7 : n-1])
		w.expect(w.titled(approvals, "wait for a decision")[0].Card().Title, fmt.Sprintf("%d more", n-28))

		// The rest is approved in the portal, all at once.
		for _, m := range people[7 : n-1] {
			if err := w.dir.Review(carol, w.of(m).Copy.ID, true, "go on"); err != nil {
				t.Fatal(err)
			}
		}
		w.pass(3 * time.Minute)
		for _, m := range people[:n-1] {
			w.is(w.of(m).ID, pim.Active)
		}
		if n := len(w.undecided(approvals)); n != 0 {
			t.Errorf("%d cards still offer a decision", n)
		}
		w.loadOf("approvers, all decided", approvals)
		w.loadOf("on-call, all active", oncall)
		w.sumsUp(people)
		w.pass(2 * time.Hour)
		for _, m := range people[:n-1] {
			w.is(w.of(m).ID, pim.Ended)
		}
		w.loadOf("on-call, all over", oncall)
		sum := w.titled(oncall, "at once")
		w.expect(workflowtest.Text(sum[0].Card()), fmt.Sprintf("%d ended at its time", n-6))
		w.expect(workflowtest.Text(w.titled(oncall, "Who is elevated")[0].Card()), "Nobody is elevated now")
		if n := w.bot.Waiting(); n > 5 {
			t.Errorf("%d effects are left", n)
		}
	})
}

// oldestFirst checks that the oldest of the people whose requests wait have cards,
// and that these came in their order.
func (w *world) oldestFirst(people []member) {
	w.t.Helper()
	var want []pim.RequestID
	for _, m := range people[:20] {
		want = append(want, w.of(m).ID)
	}
	if got := w.undecided(approvals); !slices.Equal(got, want) {
		w.t.Errorf("cards stand for\n%v\nthe oldest are\n%v", got, want)
	}
}

// sumsUp checks what on-call sees when all of them are elevated.
func (w *world) sumsUp(people []member) {
	w.t.Helper()
	sum, board := w.titled(oncall, "at once"), w.titled(oncall, "Who is elevated")
	if cards := len(w.cardsIn(oncall)); cards > 10 || len(sum) != 1 || len(board) != 1 {
		w.t.Fatalf("on-call has %d cards, %d summaries, %d boards", cards, len(sum), len(board))
	}
	w.expect(workflowtest.Text(sum[0].Card()), "active", "/elevate who", "/elevate history mde-admin", "and ")
	w.expect(workflowtest.Text(board[0].Card()), people[0].name, fmt.Sprintf("and %d more", len(people)-16), "/elevate who")
}

func TestACrowdOutlivesARestartAndStaysInOrder(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.chat.Break(workflowtest.OpPost, workflowtest.Fault{Slow: 300 * time.Millisecond})
		w.signIn(bob)
		people := w.hires(26)
		w.ask("mde-admin", people)
		w.pass(3 * time.Second) // some cards stand, others are on their way
		if n := len(w.undecided(approvals)); n == 0 || n >= 20 {
			t.Fatalf("%d cards stand before the restart", n)
		}
		w.restart()
		w.pass(time.Minute)
		w.oldestFirst(people)
		w.says(bob, "approve "+string(w.of(people[3]).ID))
		w.restart()
		w.pass(time.Minute)
		w.is(w.of(people[3]).ID, pim.Active)
		w.oldestFirst(slices.Delete(slices.Clone(people), 3, 4))
		w.expect(w.titled(approvals, "wait for a decision")[0].Card().Title, "5 more")
	})
}
