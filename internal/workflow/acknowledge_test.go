package workflow_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
	"elevate/internal/workflow"
	"elevate/internal/workflow/workflowtest"
)

// alarmed is on-call's message of the only alarm.
func (w *world) alarmed() workflowtest.Message {
	w.t.Helper()
	var found []workflowtest.Message
	for _, m := range w.chat.In(oncall) {
		if m.Card().Request == "" && !strings.Contains(workflowtest.Text(m.Card()), "Bob was made an owner") {
			found = append(found, m)
		}
	}
	if len(found) != 1 {
		w.t.Fatalf("on-call has %d messages of alarms: %q", len(found), w.alarms())
	}
	return found[0]
}

// intrudes has Dave be a member of mde-admin's group by nothing, and waits for the alarm.
func (w *world) intrudes() (m pim.Membership, alarm string) {
	w.t.Helper()
	m = pim.Membership{Group: mde, Principal: dave}
	w.dir.Stand(m, "")
	w.pass(15 * time.Minute)
	for _, b := range w.alarmed().Card().Buttons {
		if b.Act == card.Acknowledge {
			return m, b.Digest
		}
	}
	w.t.Fatalf("nothing to acknowledge on %s", workflowtest.Text(w.alarmed().Card()))
	return m, ""
}

// acknowledges has somebody press the button of an alarm.
func (w *world) acknowledges(from workflow.Sender, alarm string) string {
	w.t.Helper()
	r := w.bot.Click(context.Background(), from, workflow.Click{Act: card.Acknowledge, Digest: alarm, Ref: w.alarmed().Ref})
	said := w.read(r)
	w.settle()
	return said
}

func TestAnAlarmSaysWhoDidItOnceTheAuditLogHasIt(t *testing.T) {
	for name, row := range map[string]struct {
		does func(w *world) // and what is logged of it
		want string
	}{
		"outside PIM": {func(w *world) {
			w.dir.Log(pim.AuditEntry{Activity: "Add member to group", By: bob, About: []string{string(mde), string(dave)}, At: w.now().Add(-time.Hour)})
			w.dir.Log(pim.AuditEntry{Activity: "Add member to group", By: erin, About: []string{string(mde), string(dave)}})
			w.dir.Log(pim.AuditEntry{Activity: "Add member to group", By: carol, About: []string{string(mde), string(alice)}})
			w.dir.Stand(pim.Membership{Group: mde, Principal: dave}, "")
		}, "Done by Erin"},
		"in PIM": {func(w *world) {
			w.dir.Log(pim.AuditEntry{Activity: "Add member to role in PIM completed (permanent)", OfPIM: true, By: erin, Reason: "for good", About: []string{string(mde), string(dave)}})
			w.dir.Log(pim.AuditEntry{Activity: "Add member to group", ByPIM: true, Name: "MS-PIM", About: []string{string(mde), string(dave)}})
			w.dir.Stand(pim.Membership{Group: mde, Principal: dave}, "assignment-1")
		}, "(for good)"},
		"an owner": {func(w *world) {
			w.dir.Log(pim.AuditEntry{Activity: "Add owner to group", By: erin, About: []string{string(mde), string(dave)}})
			w.dir.Administer(mde, func(g *workflowtest.Group) { g.Owners = append(g.Owners, dave) })
		}, "Done by Erin"},
		"rules": {func(w *world) {
			w.dir.Log(pim.AuditEntry{Activity: "Update role setting in PIM", OfPIM: true, By: erin, About: []string{string(mde)}})
			w.dir.Log(pim.AuditEntry{Activity: "Update role setting in PIM", OfPIM: true, By: bob, About: []string{string(mde)}})
			w.dir.Administer(mde, func(g *workflowtest.Group) { g.Max = 24 * time.Hour })
		}, "Done by Bob"},
		"nobody logged it": {func(w *world) {
			w.dir.Stand(pim.Membership{Group: mde, Principal: dave}, "")
			w.pass(7 * time.Hour)
		}, "Entra's audit log does not say who did it."},
		"the log could not be read": {func(w *world) {
			w.dir.Break(workflowtest.OpAudit, workflowtest.Fault{Err: pim.Errorf(pim.Unavailable, "It is down.")})
			w.dir.Stand(pim.Membership{Group: mde, Principal: dave}, "")
			w.pass(25 * time.Hour)
		}, "could not be read for a day"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) { w.dir.AuditDelay = 30 * time.Minute }, func(w *world) {
				w.pass(time.Minute)
				row.does(w)
				w.pass(15 * time.Minute)
				first := workflowtest.Text(w.alarmed().Cards[0])
				w.expect(first, "Who did it stands in Entra's audit log some minutes later")
				w.restart()
				w.pass(2 * time.Hour)
				w.expect(workflowtest.Text(w.alarmed().Card()), row.want)
				if strings.Contains(workflowtest.Text(w.alarmed().Card()), "some minutes later") {
					t.Error("it is still looked for")
				}
				if n := len(w.alarmed().Cards); n > 3 {
					t.Errorf("the message was written %d times", n)
				}
			})
		})
	}
}

func TestWhoMayAcknowledgeAnAlarm(t *testing.T) {
	for name, row := range map[string]struct {
		before  func(w *world)
		who     func(w *world) workflow.Sender
		forged  string
		want    string
		refused bool
	}{
		"an approver":              {nil, func(w *world) workflow.Sender { return w.sender(bob) }, "", "You have acknowledged that Dave", false},
		"who is eligible":          {nil, func(w *world) workflow.Sender { return w.sender(alice) }, "", "You have acknowledged that Dave", false},
		"the one it is about":      {nil, func(w *world) workflow.Sender { return w.sender(dave) }, "", "about yourself", true},
		"a stranger":               {nil, func(w *world) workflow.Sender { return w.sender(erin) }, "", "There is no such alarm", true},
		"somebody who is unlinked": {nil, func(w *world) workflow.Sender { return w.sender(carol) }, "", "Sign in", true},
		"a forged id":              {nil, func(w *world) workflow.Sender { return w.sender(bob) }, "abc234", "There is no such alarm", true},
		"no id":                    {nil, func(w *world) workflow.Sender { return w.sender(bob) }, "-", "There is no such alarm", true},
		"another workspace": {nil, func(w *world) workflow.Sender {
			from := w.sender(bob)
			from.Account.Workspace = "T9"
			return from
		}, "", "Sign in", true},
		"another tenant in Teams": {nil, func(w *world) workflow.Sender {
			from := w.sender(bob)
			from.Account = pim.ChatAccount{Chat: pim.Teams, Workspace: "99999999-0000-4000-8000-000000000000", User: string(bob)}
			return from
		}, "", "Sign in", true},
		"once seen with the one it is about": {func(w *world) {
			w.update(func(tx *store.Tx) error { return tx.Join(bob, dave) })
		}, func(w *world) workflow.Sender { return w.sender(bob) }, "", "about yourself", true},
		"one person by the attribute": {func(w *world) {
			w.dir.Person(bob, func(p *pim.Profile) { p.SamePerson = "E-1" })
			w.dir.Person(dave, func(p *pim.Profile) { p.SamePerson = "E-1" })
		}, func(w *world) workflow.Sender { return w.sender(bob) }, "", "about yourself", true},
		"whoever did it": {func(w *world) {
			w.dir.Log(pim.AuditEntry{Activity: "Add member to group", By: bob, About: []string{string(mde), string(dave)}, At: w.now().Add(-15 * time.Minute)})
			w.pass(10 * time.Minute)
		}, func(w *world) workflow.Sender { return w.sender(bob) }, "", "about what you did", true},
		"whom another alarm of the role is about": {func(w *world) {
			w.dir.Administer(mde, func(g *workflowtest.Group) { g.Owners = append(g.Owners, bob) })
			w.pass(15 * time.Minute)
		}, func(w *world) workflow.Sender { return w.sender(bob) }, "", "Another alarm of MDE Administrator", true},
		"while nobody can say who is who": {func(w *world) {
			w.dir.Hide(workflowtest.PartProfiles, pim.Errorf(pim.Unavailable, "down"))
		}, func(w *world) workflow.Sender { return w.sender(bob) }, "", "could not say who is who", true},
		"a disabled account": {func(w *world) {
			w.dir.Person(bob, func(p *pim.Profile) { p.Enabled = false })
		}, func(w *world) workflow.Sender { return w.sender(bob) }, "", "disabled", true},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.knows(alice, bob, dave, erin)
				_, id := w.intrudes()
				if row.before != nil {
					row.before(w)
				}
				if row.forged != "" {
					id = strings.TrimPrefix(row.forged, "-")
				}
				w.expect(w.acknowledges(row.who(w), id), row.want)
				said := workflowtest.Text(w.alarmed().Card())
				if done := strings.Contains(said, "Acknowledged by"); done == row.refused {
					t.Errorf("on-call reads\n%s", said)
				}
				if listed := strings.Contains(w.says(alice, "who"), "is a member outside PIM"); listed != row.refused {
					t.Errorf("who lists it: %t", listed)
				}
			})
		})
	}
}

func TestAnAcknowledgedAlarmIsQuietWhileItIsTheSame(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.knows(alice, bob)
		m, id := w.intrudes()
		w.expect(w.says(alice, "who"), "Dave", "[Acknowledge "+id+"]")
		w.expect(w.acknowledges(w.sender(bob), id), "You have acknowledged")
		w.expect(w.acknowledges(w.sender(alice), id), "Bob has acknowledged that alarm of MDE Administrator already")
		w.restart()
		w.pass(3 * time.Hour)
		if cards := w.alarmed().Cards; len(cards) > 3 || len(cards[len(cards)-1].Buttons) > 0 {
			t.Errorf("%d cards, the last is %+v", len(cards), cards[len(cards)-1])
		}
		found := 0
		w.view(func(tx *store.Tx) error {
			events, err := tx.Events(1, 1000)
			for _, e := range events {
				if e.Kind == pim.EventAcknowledged && e.By.Person == bob && e.Person == dave && e.Group == mde && strings.Contains(e.Text, id) {
					found++
				}
			}
			return err
		})
		if found != 1 {
			t.Errorf("%d events", found)
		}
		w.dir.Fall(m)
		w.pass(15 * time.Minute)
		w.expect(workflowtest.Text(w.alarmed().Card()), "that is over", "Acknowledged by Bob")
		w.expect(w.acknowledges(w.sender(alice), id), "is over already")
		w.dir.Stand(m, "")
		w.pass(15 * time.Minute)
		if said := w.alarms(); len(said) != 2 || strings.Contains(said[1], "Acknowledged") {
			t.Errorf("on-call reads %q", said)
		}
		w.expect(w.says(alice, "who"), "Dave", "is a member outside PIM")
	})
}

// Rows of the audit log come minutes later: by then, whoever did it may have acknowledged it.
func TestNobodyHasAcknowledgedWhatTheyDidThemselves(t *testing.T) {
	for name, row := range map[string]struct {
		before func(w *world)
		by     pim.PrincipalID // who did it; Bob acknowledges it
		stays  bool
	}{
		"who did it":       {func(*world) {}, bob, false},
		"a second account": {func(w *world) { w.update(func(tx *store.Tx) error { return tx.Join(bob, erin) }) }, erin, false},
		"one person by an attribute": {func(w *world) {
			w.dir.Person(bob, func(p *pim.Profile) { p.SamePerson = "E-1" })
			w.dir.Person(erin, func(p *pim.Profile) { p.SamePerson = "E-1" })
		}, erin, false},
		"somebody else": {func(*world) {}, erin, true},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) { w.dir.AuditDelay = 30 * time.Minute }, func(w *world) {
				w.knows(alice, bob)
				row.before(w)
				w.dir.Log(pim.AuditEntry{Activity: "Add member to group", By: row.by, About: []string{string(mde), string(dave)}})
				_, id := w.intrudes()
				alarm := w.alarmed()
				w.expect(w.acknowledges(w.sender(bob), id), "You have acknowledged")
				w.pass(15 * time.Minute)
				w.restart()
				w.pass(time.Hour)
				said, open := "", false
				for _, m := range w.chat.In(oncall) {
					if m.Ref == alarm.Ref {
						said, open = workflowtest.Text(m.Card()), len(m.Card().Buttons) > 0
					}
				}
				w.expect(said, "Done by ")
				if open == row.stays || strings.Contains(said, "Acknowledged by") != row.stays {
					t.Errorf("on-call reads\n%s", said)
				}
				if listed := strings.Contains(w.says(alice, "who"), "is a member outside PIM"); listed == row.stays {
					t.Errorf("who lists it: %t", listed)
				}
				told := 0
				for _, m := range w.chat.In(oncall) {
					if strings.Contains(workflowtest.Text(m.Card()), "Bob has acknowledged that Dave") {
						told++
					}
				}
				if row.stays && told > 0 || !row.stays && told != 1 {
					t.Errorf("on-call is told %d times", told)
				}
			})
		})
	}
}

// What a board counts, who lists.
func TestABoardDoesNotCountWhatIsAcknowledged(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		w.says(alice, "mde-analyst triage")
		w.pass(20 * time.Second)
		m := pim.Membership{Group: mde, Principal: dave}
		w.dir.Stand(m, "")
		w.pass(15 * time.Minute)
		w.expect(w.board(oncall), "1 alarm is open")
		id := ""
		w.view(func(tx *store.Tx) error {
			open, err := workflow.OpenAlarms(tx)
			id = open[0].ID
			return err
		})
		w.expect(w.read(w.bot.Click(t.Context(), w.sender(bob), workflow.Click{Act: card.Acknowledge, Digest: id})), "You have acknowledged")
		w.pass(2 * time.Minute)
		if said := w.board(oncall); strings.Contains(said, "alarm") {
			t.Errorf("the board says\n%s", said)
		}
	})
}

// A message that somebody deleted stays deleted, and one whose post is repeated is one message.
func TestAnAlarmsMessageIsWrittenOnce(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.knows(bob)
		w.chat.Fail(workflowtest.OpPost, workflowtest.Fault{Err: pim.Errorf(pim.Unavailable, "down")})
		_, id := w.intrudes()
		w.chat.Remove(w.alarmed().Ref)
		r := w.bot.Click(context.Background(), w.sender(bob), workflow.Click{Act: card.Acknowledge, Digest: id})
		w.expect(w.read(r), "You have acknowledged")
		w.pass(time.Hour)
		if said := w.alarms(); len(said) > 0 {
			t.Errorf("on-call reads %q", said)
		}
	})
}
