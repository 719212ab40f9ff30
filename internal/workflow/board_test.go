package workflow_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/workflow"
	"elevate/internal/workflow/workflowtest"
)

// boards are the messages that show who is elevated now.
func (w *world) boards(at pim.Conversation) []workflowtest.Message {
	w.t.Helper()
	return w.titled(at, "Who is elevated now")
}

// board is what the one board of a place shows.
func (w *world) board(at pim.Conversation) string {
	w.t.Helper()
	all := w.boards(at)
	if len(all) != 1 {
		w.t.Fatalf("%d boards stand in %s", len(all), at)
	}
	return workflowtest.Text(all[0].Card())
}

func TestOneBoardShowsWhoIsElevatedNow(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, dave)
		w.pass(time.Hour)
		if n := len(w.boards(oncall)); n != 0 {
			t.Fatalf("%d boards before anybody was elevated", n)
		}
		w.says(alice, "mde-analyst triage")
		w.pass(20 * time.Second)
		w.expect(w.board(oncall), "MDE Analyst: Alice until ", "(1 h left)")
		w.says(dave, "mde-analyst triage too")
		w.pass(20 * time.Second)
		w.expect(w.board(oncall), "Alice", "Dave")
		w.restart()
		w.pass(31 * time.Minute)
		w.expect(w.board(oncall), "(30 min left)", "Dave")
		if n := len(w.boards(oncall)[0].Cards); n > 10 {
			t.Errorf("it was rewritten %d times within half an hour", n)
		}
		w.pass(40 * time.Minute)
		w.expect(w.board(oncall), "Nobody is elevated now")
		before := len(w.boards(oncall)[0].Cards)
		w.pass(5 * time.Hour)
		if n := len(w.boards(oncall)[0].Cards); n != before {
			t.Errorf("it was rewritten %d times while nothing happened", n-before)
		}
		if n := len(w.boards(approvals)); n != 0 {
			t.Errorf("%d boards stand where nothing is told to on-call", n)
		}
	})
}

func TestABoardShowsOnlyTheRolesOfItsPlace(t *testing.T) {
	inWorld(t, func(w *world) { w.cfg.Roles[1].Notify = []pim.Conversation{leads} }, func(w *world) {
		w.signIn(alice, bob)
		w.becomesActive()
		w.says(alice, "mde-analyst triage")
		w.pass(20 * time.Second)
		w.expect(w.board(oncall), "MDE Administrator: Alice")
		w.expect(w.board(leads), "MDE Analyst: Alice")
		if strings.Contains(w.board(oncall), "Analyst") || strings.Contains(w.board(leads), "Administrator") {
			t.Error("a board shows a role that its place is not told of")
		}
		w.dir.Stand(pim.Membership{Group: analyst, Principal: erin}, "")
		w.pass(20 * time.Minute)
		w.expect(w.board(leads), "1 alarm is open", "/elevate who")
		if said := w.board(oncall); strings.Contains(said, "alarm") {
			t.Errorf("on-call's board says %q", said)
		}
		w.dir.Fall(pim.Membership{Group: analyst, Principal: erin})
		w.pass(20 * time.Minute)
		if said := w.board(leads); strings.Contains(said, "alarm") {
			t.Errorf("after the end of the alarm it says %q", said)
		}
	})
}

// What a board counts, /elevate who lists: an alarm that somebody acknowledged is on neither.
func TestABoardCountsNoAlarmThatIsAcknowledged(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		w.becomesActive()
		w.says(alice, "mde-analyst triage")
		w.pass(20 * time.Second)
		w.dir.Stand(pim.Membership{Group: mde, Principal: dave}, "")
		w.pass(8 * time.Minute)
		w.expect(w.board(oncall), "1 alarm is open")
		id := ""
		for _, m := range w.titled(oncall, "alarm") {
			id = m.Card().Buttons[0].Digest
		}
		r := w.bot.Click(context.Background(), w.sender(bob), workflow.Click{Act: card.Acknowledge, Digest: id})
		w.expect(w.read(r), "You have acknowledged")
		w.pass(10 * time.Second)
		if said := w.board(oncall); strings.Contains(said, "alarm") {
			t.Errorf("with an acknowledged alarm it says %q", said)
		}
	})
}

func TestABoardThatWasDeletedComesWithTheNextMembership(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, dave)
		w.says(alice, "mde-analyst triage")
		w.pass(20 * time.Second)
		w.chat.Remove(w.boards(oncall)[0].Ref)
		w.pass(40 * time.Minute)
		if n := len(w.boards(oncall)); n != 0 {
			t.Fatalf("%d boards stand although nobody is elevated since it was deleted", n)
		}
		w.says(dave, "mde-analyst triage too")
		w.pass(20 * time.Second)
		w.expect(w.board(oncall), "Alice", "Dave")
		w.pass(3 * time.Hour)
		w.chat.Remove(w.boards(oncall)[0].Ref) // while it says that nobody is
		w.says(dave, "mde-analyst once more")
		w.pass(20 * time.Second)
		w.expect(w.board(oncall), "Dave")
	})
}

func TestABoardWhosePostIsNotAnsweredIsPostedTwiceAtMost(t *testing.T) {
	inWorld(t, func(w *world) { w.cfg.Roles[1].Notify = []pim.Conversation{leads} }, func(w *world) {
		w.signIn(alice)
		lost := workflowtest.Fault{Err: errLost, Done: true}
		w.chat.Break(workflowtest.OpPost, lost)
		w.says(alice, "mde-analyst triage")
		w.pass(30 * time.Minute)
		w.restart()
		w.pass(20 * time.Minute)
		if n := len(w.boards(leads)); n != 2 {
			t.Errorf("%d boards stand after answers that got lost", n)
		}
		w.chat.Mend(workflowtest.OpPost)
	})
}

func TestABoardComesOnceItsPlaceTakesIt(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		w.chat.Shut(oncall, pim.Errorf(pim.Forbidden, "The bot is not there."))
		w.says(alice, "mde-analyst triage")
		w.pass(10 * time.Minute)
		w.chat.Shut(oncall, nil)
		w.bot.Reopened(oncall)
		w.pass(10 * time.Second)
		w.expect(w.board(oncall), "Alice")
	})
}

// elevates has people become members of a role without an approval, a moment apart.
func (w *world) elevates(all []member) {
	w.t.Helper()
	w.ask("mde-analyst", all)
	w.pass(15 * time.Second)
	for _, m := range all {
		w.is(w.of(m).ID, pim.Active)
	}
}

func TestOnCallHasSingleCardsAgainWhenItIsQuiet(t *testing.T) {
	inWorld(t, onCallIs(), func(w *world) {
		all := w.hires(12)
		w.elevates(all[:8])
		if cards, sums := len(w.cardsIn(oncall)), w.titled(oncall, "at once"); cards != 5 || len(sums) != 1 {
			t.Fatalf("%d cards and %d summaries for eight at once", cards, len(sums))
		}
		sum := func() string { return workflowtest.Text(w.titled(oncall, "at once")[0].Card()) }
		w.expect(sum(), "3 more requests at once", "3 active", all[5].name, "/elevate history mde-analyst")
		w.pass(2 * time.Minute)
		w.elevates(all[8:9])
		if cards := len(w.cardsIn(oncall)); cards != 6 {
			t.Errorf("%d cards after it was quiet", cards)
		}

		// What is told of in the summary turns there, across a restart.
		w.restart()
		from := w.sender(alice)
		from.Account, from.Name = all[5].account, all[5].name
		w.saysFrom(from, "release mde-analyst")
		w.pass(7 * time.Minute)
		w.is(w.of(all[5]).ID, pim.Ended)
		w.expect(sum(), "2 active, 1 released")
		if cards := len(w.cardsIn(oncall)); cards != 6 {
			t.Errorf("%d cards: what stands in the summary got one", cards)
		}
		w.pass(2 * time.Hour)
		w.expect(sum(), "2 ended at its time, 1 released")
		if n := w.bot.Waiting(); n > 5 {
			t.Errorf("%d effects are left", n)
		}
		w.elevates(all[9:10])
		if cards := len(w.cardsIn(oncall)); cards != 7 {
			t.Errorf("%d cards after all was over", cards)
		}
	})
}

func TestWhatIsLateOrRemainsIsNeverSwallowed(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		all := w.hires(8)
		w.elevates(all[:7])
		last := w.of(all[6]).ID
		w.dir.Stand(pim.Membership{Group: analyst, Principal: all[6].id}, "assignment-1")
		w.dir.Timing(10*time.Minute, 0, 0)
		w.ask("mde-analyst", all[7:])
		w.pass(7 * time.Minute)
		w.expect(workflowtest.Text(w.cardOf(w.of(all[7]).ID, oncall).Card()), "still being granted")
		w.pass(2 * time.Hour)
		w.is(last, pim.Ended)
		c := w.cardOf(last, oncall).Card()
		w.expect(workflowtest.Text(c), "still has access")
		if c.Tone != card.Alarm {
			t.Errorf("its tone is %s", c.Tone)
		}
	})
}

func TestRemindersAndEscalationsDoNotUndoACrowdsBound(t *testing.T) {
	inWorld(t, func(w *world) {
		reminded(w)
		w.cfg.Roles[0].Direct = true
	}, func(w *world) {
		w.signIn(bob)
		all := w.hires(24)
		w.ask("mde-admin", all)
		w.pass(2*time.Hour + 20*time.Minute)
		for _, at := range []pim.Conversation{approvals, leads, direct(bob)} {
			if n := len(w.cardsIn(at)); n != 20 {
				t.Errorf("%d cards stand in %s", n, at)
			}
			if n := len(w.titled(at, "4 more requests wait for a decision")); n != 1 {
				t.Errorf("%d summaries stand in %s", n, at)
			}
		}
		said := 0
		for _, m := range w.chat.In(approvals) {
			if strings.Contains(workflowtest.Text(m.Card()), "24 requests still wait for a decision") {
				said++
			}
		}
		if said < 2 || said > 4 {
			t.Errorf("approvers were reminded %d times within two hours", said)
		}

		// Each is decidable by command, and the summary goes when nobody waits without a card.
		w.session(account(bob), bob, w.now(), 8*time.Hour)
		w.expect(w.says(bob, "approvals"), "Waiting for you: 24", "4 more are not shown", string(w.of(all[0]).ID), string(w.of(all[23]).ID))
		for _, m := range all[15:] {
			w.says(bob, "deny "+string(w.of(m).ID)+" not today")
			w.pass(time.Second)
		}
		w.pass(time.Minute)
		for _, m := range all[15:] {
			w.is(w.of(m).ID, pim.Denied)
		}
		for _, at := range []pim.Conversation{approvals, leads, direct(bob)} {
			if n := len(w.titled(at, "No more wait than you see")); n != 1 {
				t.Errorf("%d summaries of %s say that they are done", n, at)
			}
		}
		if n := w.bot.Waiting(); n > 40 {
			t.Errorf("%d effects are left", n)
		}
	})
}

// below are the replies below a message, oldest first.
func (w *world) below(m workflowtest.Message) (said []string) {
	w.t.Helper()
	for _, one := range w.chat.In(m.Ref.Conversation) {
		if one.Ref.Conversation.Thread == m.Ref.ID {
			said = append(said, workflowtest.Text(one.Card()))
		}
	}
	return said
}

func TestEachStepIsToldOnceBelowTheCardOfOnCall(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob, erin)
		id := w.becomesActive()
		first := w.cardOf(id, oncall)
		if said := w.below(first); len(said) != 0 {
			t.Errorf("what the first card says is told below it, too: %q", said)
		}
		w.restart()
		w.pass(6 * time.Minute)
		w.says(erin, "revoke "+string(id)+" not needed any more")
		w.pass(5 * time.Second)
		w.restart()
		w.pass(2 * time.Minute)
		w.is(id, pim.Ended)
		w.pass(time.Hour)
		said := w.below(first)
		if len(said) != 2 {
			t.Fatalf("below it is told %q", said)
		}
		w.expect(said[0], "Revoked by Erin: not needed any more")
		w.expect(said[1], "It is over: revoked, removed (read back)")
	})
}

func TestStepsOfALateGrantAreToldBelowItsCard(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		w.dir.Timing(8*time.Minute, 0, 0)
		id := w.asks(alice)
		w.clicks(bob, card.Approve, id)
		w.pass(10 * time.Minute)
		w.is(id, pim.Active)
		m := w.cardOf(id, oncall)
		w.expect(workflowtest.Text(m.Cards[0]), "still being granted")
		w.expect(strings.Join(w.below(m), ""), "Alice is a member since")
		w.dir.Stand(pim.Membership{Group: mde, Principal: alice}, "assignment-1")
		w.pass(2 * time.Hour)
		said := w.below(m)
		if len(said) != 2 {
			t.Fatalf("below it is told %q", said)
		}
		w.expect(said[1], "still has access, by a standing assignment")
	})
}

func TestNothingIsToldBelowACardThatIsGoneOrWhereThereAreNoThreads(t *testing.T) {
	groupChat := pim.Conversation{Chat: pim.Teams, Workspace: string(tenant), ID: "19:oncall@thread.v2"}
	inWorld(t, func(w *world) { w.cfg.Roles[0].Notify = append(w.cfg.Roles[0].Notify, groupChat) }, func(w *world) {
		w.signIn(alice, bob)
		id := w.becomesActive()
		w.pass(6 * time.Minute)
		w.chat.Fail(workflowtest.OpPost, workflowtest.Fault{Err: errDown}) // of the reply
		w.says(alice, "release mde-admin")
		w.pass(200 * time.Millisecond)
		w.chat.Remove(w.cardOf(id, oncall).Ref)
		w.pass(10 * time.Minute)
		w.is(id, pim.Ended)
		for _, m := range append(w.chat.In(oncall), w.teams.In(groupChat)...) {
			if m.Ref.Conversation.Thread != "" {
				t.Errorf("in %s is told %q", m.Ref.Conversation, workflowtest.Text(m.Card()))
			}
		}
		if n := len(w.parked()); n != 0 {
			t.Errorf("%d effects are parked", n)
		}
	})
}
