package workflow_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
	"elevate/internal/workflow/workflowtest"
)

// traces are what a request has evidence of.
func (w *world) traces(id pim.RequestID) string {
	var found []string
	for _, e := range w.request(id).Evidence {
		if e.Trace != "" {
			found = append(found, string(e.Trace))
		}
	}
	return strings.Join(found, " ")
}

// seeks are the requests that the audit log is still read for.
func (w *world) seeks() (names []string) {
	w.view(func(tx *store.Tx) (err error) {
		names, err = tx.MetaUnder("evidence|")
		return err
	})
	return names
}

func TestTheAuditLogSaysWhoDecidedElsewhereAndWhy(t *testing.T) {
	for name, row := range map[string]struct {
		approve           bool
		state             pim.State
		first, then, last string
	}{
		"approved": {true, pim.Active, "Approved in PIM", "Approved in PIM by Bob", "checked by phone"},
		"denied":   {false, pim.Denied, "Denied in PIM", "Denied in PIM by Bob", "Bob denied it: checked by phone"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.signIn(alice, bob)
				id := w.asks(alice)
				if err := w.dir.Review(bob, w.request(id).Copy.ID, row.approve, "checked by phone"); err != nil {
					t.Fatal(err)
				}
				w.pass(20 * time.Second)
				w.is(id, row.state)
				early := workflowtest.Text(w.cardOf(id, approvals).Card())
				w.expect(early, row.first)
				if strings.Contains(early, "by Bob") {
					t.Errorf("nobody said so yet:\n%s", early)
				}
				w.restart() // what waits for the log is on the disk
				w.pass(10 * time.Minute)
				for _, at := range []pim.Conversation{approvals, direct(alice)} {
					w.expect(workflowtest.Text(w.cardOf(id, at).Card()), row.then, row.last)
				}
				if n, e := w.event(id, pim.EventEvidence); n == 0 || e.Person != alice {
					t.Errorf("%d events, %+v", n, e)
				}
				if left := w.seeks(); len(left) > 0 {
					t.Errorf("still sought: %q", left)
				}
				w.is(id, row.state)
			})
		})
	}
}

// The log is read for what was done here, too: its rows are evidence.
func TestAnActivationKeepsItsRowsOfTheAuditLog(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.becomesActive()
		before := workflowtest.Text(w.cardOf(id, oncall).Card())
		w.pass(10 * time.Minute)
		if got := w.traces(id); got != "approved activated added" {
			t.Errorf("evidence of %q", got)
		}
		if after := workflowtest.Text(w.cardOf(id, oncall).Card()); after != before {
			t.Errorf("the card changed without a reason:\n%s\n%s", before, after)
		}
		if by := w.request(id).Decided; by.Chat != pim.Slack {
			t.Errorf("decided %+v", by)
		}
		reads := w.dir.Calls(workflowtest.OpAudit)
		w.pass(40 * time.Minute)
		if n := w.dir.Calls(workflowtest.OpAudit); n != reads {
			t.Errorf("read %d times more although nothing turned", n-reads)
		}
		w.pass(30 * time.Minute)
		w.is(id, pim.Ended)
		if got := w.traces(id); got != "approved activated added ended removed" {
			t.Errorf("evidence of %q", got)
		}
		w.expect(w.says(bob, "history "+string(id)), "audit log", "request approved", "evidence")
	})
}

func TestTheAuditLogSaysWhoEndedItElsewhere(t *testing.T) {
	for name, row := range map[string]struct {
		does func(w *world, id pim.RequestID)
		want string
	}{
		"removed in PIM": {func(w *world, id pim.RequestID) {
			w.dir.RevokeAs(erin, w.request(id).Copy.ID, "left her desk")
		}, "It was ended in PIM by Erin: left her desk."},
		"taken out of the group": {func(w *world, id pim.RequestID) {
			w.dir.Gone(w.request(id).Copy.ID)
			w.dir.Log(pim.AuditEntry{Activity: "Remove member from group", By: erin, About: []string{string(mde), string(alice)}})
		}, "The membership was taken away past PIM by Erin."},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.signIn(alice, bob)
				id := w.becomesActive()
				w.pass(10 * time.Minute)
				row.does(w, id)
				w.pass(20 * time.Minute)
				r := w.is(id, pim.Ended)
				w.expect(r.Why, row.want)
				w.expect(workflowtest.Text(w.cardOf(id, oncall).Card()), row.want)
				w.expect(workflowtest.Text(w.cardOf(id, direct(alice)).Card()), row.want)
			})
		})
	}
}

func TestTheAuditLogSaysWhoCanceledItElsewhere(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		id := w.asks(alice)
		w.dir.Withdraw(erin, w.request(id).Copy.ID)
		w.pass(30 * time.Second)
		w.is(id, pim.Canceled)
		w.expect(workflowtest.Text(w.cardOf(id, approvals).Card()), "It was canceled in PIM.")
		w.pass(10 * time.Minute)
		w.expect(workflowtest.Text(w.cardOf(id, approvals).Card()), "It was canceled in PIM by Erin.")
	})
}

// What the log does not say is noted, and not sought for ever.
func TestALogThatHasNothingIsGivenUpWithAWord(t *testing.T) {
	for name, row := range map[string]struct {
		fault bool
		after time.Duration
		want  string
	}{
		"nothing in it":  {false, 7 * time.Hour, "does not say: approved, activated, added, ended, removed"},
		"cannot be read": {true, 26 * time.Hour, "could not be read for 24 h"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) { w.dir.AuditDelay = 1000 * time.Hour }, func(w *world) {
				if row.fault {
					w.dir.Break(workflowtest.OpAudit, workflowtest.Fault{Err: pim.Errorf(pim.Administered, "no consent")})
				}
				w.signIn(alice, bob)
				id := w.becomesActive()
				w.pass(time.Hour + row.after)
				n, e := w.event(id, pim.EventEvidence)
				if n != 1 || !strings.Contains(e.Text, row.want) {
					t.Errorf("%d events: %s", n, e.Text)
				}
				if left := w.seeks(); len(left) > 0 {
					t.Errorf("still sought: %q", left)
				}
				reads := w.dir.Calls(workflowtest.OpAudit)
				w.pass(3 * time.Hour)
				if more := w.dir.Calls(workflowtest.OpAudit) - reads; more > 0 {
					t.Errorf("read %d times more", more)
				}
			})
		})
	}
}

// One reading serves everything of a group, and readings keep a distance, whatever happens at once.
func TestAFloodIsNotAFloodOfReadings(t *testing.T) {
	var times []time.Time
	inWorld(t, func(w *world) {
		for i := range 25 {
			p := pim.PrincipalID(fmt.Sprintf("00000000-0000-4000-8000-0000000001%02d", i))
			w.dir.Administer(mde, func(g *workflowtest.Group) { g.Eligible = append(g.Eligible, p) })
			w.dir.Administer(live, func(g *workflowtest.Group) { g.Eligible = append(g.Eligible, p) })
		}
		w.dir.Around = func(op workflowtest.Op, after bool) {
			if op == workflowtest.OpAudit && !after {
				times = append(times, w.now())
			}
		}
	}, func(w *world) {
		w.knows(bob)
		for i := range 25 {
			p := pim.PrincipalID(fmt.Sprintf("00000000-0000-4000-8000-0000000001%02d", i))
			for _, g := range []pim.GroupID{mde, live} {
				if err := w.dir.Review(bob, w.activates(p, g), true, "all of them"); err != nil {
					t.Fatal(err)
				}
			}
		}
		w.pass(15 * time.Minute)
		for _, r := range w.allRequests() {
			if r.State != pim.Active || r.Decided.By.Person != bob || len(r.Untraced()) > 0 {
				t.Fatalf("%s is %s, decided %+v, without %v", r.ID, r.State, r.Decided, r.Untraced())
			}
		}
		if len(times) == 0 || len(times) > 30 {
			t.Errorf("the log was read %d times", len(times))
		}
		for i := 1; i < len(times); i++ {
			if d := times[i].Sub(times[i-1]); d < 3*time.Second {
				t.Errorf("two readings %s apart", d)
			}
		}
	})
}

// Entra says wait, and nothing else waits for it.
func TestAThrottledLogHoldsNobody(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		w.dir.Break(workflowtest.OpAudit, workflowtest.Fault{Err: &pim.Error{Kind: pim.Throttled, Message: "slow down", RetryAfter: 10 * time.Minute}})
		id := w.becomesActive()
		w.pass(5 * time.Minute)
		if n := w.dir.Calls(workflowtest.OpAudit); n != 1 {
			t.Errorf("read %d times", n)
		}
		w.dir.Mend(workflowtest.OpAudit)
		w.says(alice, "release mde-admin")
		w.pass(2 * time.Minute)
		w.is(id, pim.Ended)
		w.pass(15 * time.Minute)
		if got := w.traces(id); got != "approved activated added ended removed" {
			t.Errorf("evidence of %q", got)
		}
	})
}

// Who decided by the log is shown, and counts for nothing.
func TestTheAuditLogDecidesNothing(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.asks(alice)
		pimID := w.request(id).Copy.ID
		w.dir.Log(pim.AuditEntry{Activity: "Add member to role request approved (PIM activation)", OfPIM: true, By: bob, Request: pimID, About: []string{string(mde), string(alice)}})
		w.dir.Log(pim.AuditEntry{Activity: "Add member to group", Name: "MS-PIM", ByPIM: true, About: []string{string(mde), string(alice)}})
		w.pass(30 * time.Minute)
		if r := w.is(id, pim.Pending); r.Decided != nil || !r.MemberSince.IsZero() {
			t.Errorf("%+v", r)
		}
		w.expect(w.clicks(bob, card.Approve, id), "")
		w.pass(5 * time.Second)
		if r := w.is(id, pim.Active); r.Decided.Chat != pim.Slack {
			t.Errorf("decided %+v", r.Decided)
		}
	})
}
