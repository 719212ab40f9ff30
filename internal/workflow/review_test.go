package workflow_test

import (
	"context"
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

const (
	seniors  pim.GroupID = "group-of-seniors"
	declared pim.GroupID = "group-of-deciders-by-the-settings"
	alarming             = "WS-042 encrypts files, isolating it"
)

// emergency makes mde-analyst a role for emergencies, whose uses Carol, Dave and Alice
// review and that Bob and Carol would approve.
func emergency(w *world) {
	w.cfg.Roles[1].Emergency, w.cfg.Roles[1].Reviewers = true, []pim.GroupID{seniors}
	w.dir.Gather(seniors, carol, dave, alice)
	w.dir.Gather(declared, bob, carol, alice)
	w.cfg.Peoples = func(_ context.Context, role string) (workflow.PeoplesGroups, error) {
		if role != "mde-analyst" {
			return workflow.PeoplesGroups{}, nil
		}
		return workflow.PeoplesGroups{Approvers: []pim.GroupID{declared}, People: []pim.PrincipalID{erin}, Names: []string{"fay@example.com"}}, nil
	}
	w.cfg.DecideWithin = time.Hour
}

func inEmergency(t *testing.T, test func(*world)) {
	t.Helper()
	inWorld(t, emergency, test)
}

// uses has Alice use the emergency role.
func (w *world) uses() pim.RequestID {
	w.t.Helper()
	w.signIn(alice)
	said := w.says(alice, "mde-analyst "+alarming)
	w.pass(5 * time.Second)
	id := w.newest(alice).ID
	if r := w.request(id); r.State != pim.Active {
		w.t.Fatalf("the request is %s; the answer was\n%s", r.State, said)
	}
	return id
}

// unreviewed fails the test unless the review is open and the trail has none.
func (w *world) unreviewed(id pim.RequestID) {
	w.t.Helper()
	if r := w.request(id); !r.Unreviewed() || r.Review.Note != "" || r.Review.By.Person != "" {
		w.t.Errorf("the review is %+v", r.Review)
	}
	if n, _ := w.event(id, pim.EventReviewed); n != 0 {
		w.t.Errorf("it was reviewed %d times", n)
	}
}

func (w *world) openReviews() (ids []pim.RequestID) {
	w.t.Helper()
	w.view(func(tx *store.Tx) error {
		ids = nil
		open, err := workflow.OpenReviews(tx)
		for _, r := range open {
			ids = append(ids, r.ID)
		}
		return err
	})
	return ids
}

func TestTheUseOfAnEmergencyRoleIsToldLoudlyNamingEveryoneWhoWasNotAsked(t *testing.T) {
	inEmergency(t, func(w *world) {
		id := w.uses()
		on := w.cardOf(id, oncall).Card()
		w.expect(workflowtest.Text(on), "EMERGENCY: MDE Analyst: active", "Not asked: Bob, Carol, Erin and fay@example.com.", "Review: open, for Carol and Dave.")
		if on.Tone != card.Alarm {
			t.Errorf("the tone is %s", on.Tone)
		}
		mine := workflowtest.Text(w.cardOf(id, direct(alice)).Card())
		w.expect(mine, "Review: open, for Carol and Dave. Somebody else than you looks at it")
		w.lacks(mine, "EMERGENCY", "Not asked")
		if n, e := w.event(id, pim.EventReviewOpened); n != 1 || e.To != pim.Active {
			t.Errorf("%d events of the opening: %+v", n, e)
		}
		w.pass(2 * time.Hour)
		w.is(id, pim.Ended)
		w.expect(workflowtest.Text(w.cardOf(id, oncall).Card()), "EMERGENCY: MDE Analyst: ended at its time", "Review: open")
	})
}

func TestOtherRolesAreNeitherLoudNorReviewed(t *testing.T) {
	inEmergency(t, func(w *world) {
		w.signIn(alice, bob, carol)
		id := w.becomesActive()
		w.lacks(workflowtest.Text(w.cardOf(id, oncall).Card()), "EMERGENCY", "Review")
		w.expect(w.says(carol, "review "+string(id)+" fine"), "needs no review")
	})
}

func TestTheReasonForAnEmergencyHasAtLeastTwentyCharactersAtEveryDoor(t *testing.T) {
	inEmergency(t, func(w *world) {
		w.signIn(alice)
		const want = "at least 20 characters, and yours has 11"
		w.expect(w.says(alice, "mde-analyst ransomware \u200b\u200b\u200b\u200b\u200b\u200b\u200b\u200b\u200b!"), "at least 20 characters, and yours has 12")
		w.expect(w.says(alice, "mde-analyst"), "at least 20 characters, and yours is empty")
		r := w.bot.Filled(context.Background(), w.sender(alice), card.Filled{Name: card.FormAsk, Values: map[string]string{
			card.FieldRole: "mde-analyst", card.FieldReason: "ransomware!",
		}})
		w.expect(r.Errors[card.FieldReason], want)
		if n := len(w.allRequests()); n != 0 {
			t.Errorf("%d requests were stored", n)
		}
	})
}

func TestAReviewerClosesTheReviewAndEverybodySeesIt(t *testing.T) {
	inEmergency(t, func(w *world) {
		id := w.uses()
		w.signIn(carol)
		w.pass(2 * time.Minute)
		w.expect(w.says(carol, "review "+string(id)+" looked at it with *Alice*"), "is being checked")
		w.pass(5 * time.Second)
		r := w.request(id)
		if r.Review.By.Person != carol || r.Review.Note != "looked at it with *Alice*" || r.Review.Closed.IsZero() {
			t.Errorf("%+v", r.Review)
		}
		if n, e := w.event(id, pim.EventReviewed); n != 1 || e.By.Person != carol || e.Text != r.Review.Note {
			t.Errorf("%d events: %+v", n, e)
		}
		for _, at := range []pim.Conversation{oncall, direct(alice)} {
			said := workflowtest.Text(w.cardOf(id, at).Card())
			w.expect(said, "Reviewed by Carol: looked at it with *Alice*")
			w.lacks(said, "EMERGENCY", "Review: open")
		}
		w.expect(w.told(alice), "Your use of MDE Analyst was reviewed.")
		w.expect(w.told(carol), "is reviewed, with your note")
		if open := w.openReviews(); len(open) != 0 {
			t.Errorf("open are %v", open)
		}
		w.expect(w.says(dave, "history"), "Sign in") // no link yet: he hears nothing
		w.signIn(dave)
		w.expect(w.says(dave, "review "+string(id)+" me too"), "was reviewed already, by Carol")
	})
}

// Whoever may not close a review is told why, and the review stays open.
func TestWhoMayNotCloseAReview(t *testing.T) {
	for name, row := range map[string]struct {
		who    pim.PrincipalID
		before func(*world)
		note   string
		want   string // said at once
		told   string // said afterwards
	}{
		"the holder":                       {who: alice, want: "You cannot review what you did yourself"},
		"somebody who is no reviewer":      {who: bob, want: "There is no request"},
		"an account that is not linked":    {who: erin, before: func(w *world) { w.signOut(erin) }, want: "Sign in"},
		"the holder's second account":      {who: admin, before: theSecondAccount, want: "You cannot review what you did yourself"},
		"somebody with the same attribute": {who: dave, before: theSameAttribute, want: "is being checked", told: "You cannot review what you did yourself"},
		"a reviewer who is none any more":  {who: carol, before: func(w *world) { w.dir.Gather(seniors, dave) }, want: "is being checked", told: "You are not among the reviewers"},
		"a reviewer who is disabled":       {who: carol, before: disabled(carol), want: "is being checked", told: "disabled"},
		"a reviewer whose chat account is gone": {who: carol, before: func(w *world) {
			w.chat.Close(account(carol), pim.Errorf(pim.Forbidden, "Your Slack account is deactivated."))
		}, want: "is being checked", told: "deactivated"},
		"somebody who turned out to be the holder meanwhile": {who: dave, before: func(w *world) {
			w.dir.Fail(workflowtest.OpLook, workflowtest.Fault{First: func() { w.update(func(tx *store.Tx) error { return tx.Join(alice, dave) }) }})
		}, want: "is being checked", told: "You cannot review what you did yourself"},
		"somebody who unlinked meanwhile": {who: dave, before: func(w *world) {
			w.dir.Fail(workflowtest.OpLook, workflowtest.Fault{First: func() {
				w.update(func(tx *store.Tx) error { return tx.DeleteLink(account(dave)) })
			}})
		}, want: "is being checked", told: "not linked to you any more"},
		"a note without words":    {who: carol, note: " \u200b ", want: "Say what you found"},
		"a note that is too long": {who: carol, note: strings.Repeat("x", 401), want: "at most 400 fit"},
	} {
		t.Run(name, func(t *testing.T) {
			inEmergency(t, func(w *world) {
				id := w.uses()
				if row.who != erin {
					w.signIn(row.who)
				}
				w.pass(2 * time.Minute)
				if row.before != nil {
					row.before(w)
				}
				note := row.note
				if note == "" {
					note = "fine by me"
				}
				w.expect(w.says(row.who, "review "+string(id)+" "+note), row.want)
				w.pass(20 * time.Second)
				w.expect(w.told(row.who), row.told)
				w.unreviewed(id)
			})
		})
	}
}

// The role's name is given to another group: those who review the uses of that one do not read of the old one.
func TestReviewersOfARoleThatWasPointedElsewhereReadNothingOfBefore(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob, dave)
		id := w.becomesActive()
		roles := roles()
		roles[0].Group, roles[0].Emergency, roles[0].Reviewers = "11111111-0000-4000-8000-000000000005", true, []pim.GroupID{seniors}
		w.dir.Gather(seniors, dave)
		w.cfg.Roles = roles
		w.restart()
		w.pass(15 * time.Minute)
		for _, words := range []string{"history", "history " + string(id), "revoke " + string(id) + " out", "approve " + string(id), "review " + string(id) + " fine"} {
			if said := w.says(dave, words); strings.Contains(said, "isolating") || strings.Contains(said, "Alice") || strings.Contains(said, "needs no review") || strings.Contains(said, "active") {
				t.Errorf("%s: Dave reads\n%s", words, said)
			}
		}
	})
}

func theSecondAccount(w *world) {
	w.dir.Gather(seniors, carol, admin)
	w.pass(2 * time.Minute)
	w.update(func(tx *store.Tx) error { return tx.Join(alice, admin) })
}

func theSameAttribute(w *world) {
	for _, p := range []pim.PrincipalID{alice, dave} {
		w.dir.Person(p, func(p *pim.Profile) { p.SamePerson = "4711" })
	}
}

func disabled(who pim.PrincipalID) func(*world) {
	return func(w *world) { w.dir.Person(who, func(p *pim.Profile) { p.Enabled = false }) }
}

func TestAnApproverMayReviewWhatTheyApproved(t *testing.T) {
	inWorld(t, func(w *world) {
		emergency(w)
		w.cfg.Roles[0].Emergency, w.cfg.Roles[0].Reviewers = true, []pim.GroupID{"group-of-one"}
		w.dir.Gather("group-of-one", bob)
	}, func(w *world) {
		w.signIn(alice, bob)
		w.says(alice, "mde-admin "+alarming)
		w.pass(2 * time.Second)
		id := w.newest(alice).ID
		w.clicks(bob, card.Approve, id)
		w.pass(2 * time.Minute)
		w.expect(workflowtest.Text(w.cardOf(id, oncall).Card()), "EMERGENCY", "Did not decide: Carol.", "Review: open, for Bob.")
		w.says(bob, "review "+string(id)+" as I approved it")
		w.pass(5 * time.Second)
		if r := w.request(id); r.Unreviewed() {
			t.Errorf("%+v, he was told\n%s", r.Review, w.told(bob))
		}
		// Carol reviews no use of this role.
		w.signIn(carol)
		w.expect(w.says(carol, "review "+string(id)+" hm"), "You are not among the reviewers of mde-admin")
	})
}

func TestAReviewerOfAnotherRoleIsNone(t *testing.T) {
	inWorld(t, func(w *world) {
		emergency(w)
		w.cfg.Roles[0].Emergency, w.cfg.Roles[0].Reviewers = true, []pim.GroupID{"group-of-one"}
		w.dir.Gather("group-of-one", erin)
	}, func(w *world) {
		w.signIn(erin)
		id := w.uses()
		w.pass(2 * time.Minute)
		w.expect(w.says(erin, "review "+string(id)+" fine"), "There is no request")
		w.unreviewed(id)
	})
}

// The settings may have changed since the role was used.
func TestAReviewThatNobodyCanCloseAnyMoreSaysWhoHelps(t *testing.T) {
	inEmergency(t, func(w *world) {
		id := w.uses()
		w.signIn(carol, alice)
		w.pass(2 * time.Minute)
		w.Stop()
		w.cfg.Roles[1].Emergency, w.cfg.Roles[1].Reviewers = false, nil
		w.restart()
		w.pass(2 * time.Minute)
		w.expect(w.clicksOn(carol, card.Review, id, w.cardOf(id, oncall)), "name no reviewers for mde-analyst any more")
		w.expect(w.says(alice, "review "+string(id)+" all is well"), "name no reviewers for mde-analyst any more")
		w.unreviewed(id)
	})
}

// Where each decision takes a sign-in of its own, each review does.
func TestAReviewTakesTheRolesOwnRulesForASignIn(t *testing.T) {
	inWorld(t, func(w *world) {
		emergency(w)
		w.cfg.Roles[1].DecideFresh, w.cfg.Roles[1].DecideContext = true, "c2"
	}, func(w *world) {
		id := w.uses()
		w.signIn(carol)
		w.pass(2 * time.Minute)
		w.expect(w.says(carol, "review "+string(id)+" looked at it"), "Sign in to review request")
		if _, err := w.resumes(carol, "c1"); err == nil {
			t.Error("a sign-in without the context was enough")
		}
		w.unreviewed(id)
		w.pass(time.Minute)
		w.says(carol, "review "+string(id)+" looked at it")
		if _, err := w.resumes(carol, "c2"); err != nil {
			t.Error(err)
		}
		w.pass(5 * time.Second)
		if r := w.request(id); r.Unreviewed() {
			t.Error("the review is open")
		}
	})
}

func TestTheFirstOfTwoReviewsCountsAndTheSecondGetsWhatIs(t *testing.T) {
	inEmergency(t, func(w *world) {
		id := w.uses()
		w.signIn(carol, dave)
		w.pass(2 * time.Minute)
		w.dir.Fail(workflowtest.OpLook, workflowtest.Fault{Slow: 5 * time.Second})
		w.says(carol, "review "+string(id)+" first")
		w.expect(w.says(carol, "review "+string(id)+" on second thoughts"), "being checked already, with what you wrote first")
		w.says(dave, "review "+string(id)+" second")
		w.pass(20 * time.Second)
		if r := w.request(id); r.Review.Note != "first" || r.Review.By.Person != carol {
			t.Errorf("%+v", r.Review)
		}
		w.expect(w.told(dave), "was reviewed already, by Carol: first")
		if n, _ := w.event(id, pim.EventReviewed); n != 1 {
			t.Errorf("it was reviewed %d times", n)
		}
		if n := strings.Count(w.told(alice), "Your use of"); n != 1 {
			t.Errorf("Alice was told %d times", n)
		}
	})
}

// The same input that arrives twice is one step.
func TestAReviewThatArrivesTwiceIsOne(t *testing.T) {
	inEmergency(t, func(w *world) {
		id := w.uses()
		w.signIn(carol)
		w.pass(2 * time.Minute)
		from := w.sender(carol)
		w.saysFrom(from, "review "+string(id)+" looked at it")
		w.restart()
		w.pass(10 * time.Second)
		w.saysFrom(from, "review "+string(id)+" looked at it")
		w.pass(10 * time.Second)
		if n, _ := w.event(id, pim.EventReviewed); n != 1 {
			t.Errorf("it was reviewed %d times", n)
		}
	})
}

// A review is evidence: a stolen chat session alone closes none.
func TestAReviewNeedsASignInAsNewAsADecision(t *testing.T) {
	inEmergency(t, func(w *world) {
		id := w.uses()
		w.knows(carol)
		w.session(account(carol), carol, w.now().Add(-2*time.Hour), 8*time.Hour)
		w.pass(2 * time.Minute)
		w.expect(w.says(carol, "review "+string(id)+" looked at it"), "Sign in to review request")
		w.pass(time.Minute)
		w.unreviewed(id)
		text, err := w.resumes(carol)
		if err != nil {
			t.Fatal(err)
		}
		w.expect(text, "Your step to review Alice's use of MDE Analyst is being checked")
		w.pass(5 * time.Second)
		if r := w.request(id); r.Unreviewed() || r.Review.Note != "looked at it" {
			t.Errorf("%+v", r.Review)
		}
	})
}

// Nobody knows who the reviewers are while Entra is away: it is tried for ten minutes, over a restart, and then the person is told.
func TestAReviewThatCannotBeCheckedIsNotTaken(t *testing.T) {
	for name, row := range map[string]struct {
		away time.Duration
		want string
	}{
		"for a while": {5 * time.Minute, "is reviewed, with your note"},
		"for long":    {15 * time.Minute, "nobody knows whether you are one of the reviewers. Review it again."},
	} {
		t.Run(name, func(t *testing.T) {
			inEmergency(t, func(w *world) {
				id := w.uses()
				w.signIn(carol)
				w.pass(2 * time.Minute)
				w.dir.Hide(workflowtest.PartMembers, errDown)
				w.says(carol, "review "+string(id)+" looked at it")
				w.pass(row.away / 2)
				w.restart()
				w.pass(row.away / 2)
				w.unreviewed(id)
				w.dir.Hide(workflowtest.PartMembers, nil)
				w.pass(2 * time.Minute)
				w.expect(w.told(carol), row.want)
			})
		})
	}
}

func TestTheButtonOpensAFormWhoseNoteClosesTheReview(t *testing.T) {
	inEmergency(t, func(w *world) {
		id := w.uses()
		w.signIn(alice, bob, carol)
		w.pass(2 * time.Minute)
		on := w.cardOf(id, oncall)
		w.expect(w.clicksOn(bob, card.Review, id, on), "You are not among the reviewers")
		w.expect(w.clicksOn(alice, card.Review, id, on), "You cannot review what you did yourself")
		w.expect(w.clicksOn(carol, card.Review, id, on), "form review")
		fill := func(note string) workflow.Reply {
			return w.bot.Filled(context.Background(), w.sender(carol), card.Filled{
				Name: card.FormReview, Request: id, Values: map[string]string{card.FieldNote: note}, Ref: on.Ref,
			})
		}
		w.expect(fill(" ").Errors[card.FieldNote], "Say what you found")
		w.expect(fill(strings.Repeat("x", 401)).Errors[card.FieldNote], "at most 400 fit")
		w.unreviewed(id)
		w.expect(w.read(fill("looked at it")), "is being checked")
		w.pass(5 * time.Second)
		if r := w.request(id); r.Unreviewed() {
			t.Error("the review is open")
		}
	})
}

// In Teams a client says which request a button is of. It opens nothing for a bystander.
func TestAForgedButtonClosesNoReview(t *testing.T) {
	inEmergency(t, func(w *world) {
		id := w.uses()
		w.pass(2 * time.Minute)
		for _, p := range []pim.PrincipalID{bob, alice} {
			w.session(inTeams(p), p, w.now(), time.Hour)
			from := w.senderInTeams(p, teamsChannel)
			said := w.read(w.bot.Click(context.Background(), from, workflow.Click{Act: card.Review, Request: id, Ref: pim.MessageRef{Channel: "x", ID: "y"}}))
			want := map[pim.PrincipalID]string{bob: "There is no request", alice: "You cannot review what you did yourself"}[p]
			w.expect(said, want)
		}
		stranger := w.senderInTeams(carol, teamsChannel)
		stranger.Account.Workspace = "99999999-0000-4000-8000-000000000000"
		w.expect(w.read(w.bot.Filled(context.Background(), stranger, card.Filled{
			Name: card.FormReview, Request: id, Values: map[string]string{card.FieldNote: "from elsewhere"},
		})), "Sign in")
		w.pass(20 * time.Second)
		w.unreviewed(id)
	})
}

func TestAReviewerReadsWhatTheyReviewAndSeesWhatWaits(t *testing.T) {
	inEmergency(t, func(w *world) {
		id := w.uses()
		w.signIn(carol, alice)
		w.pass(2 * time.Minute)
		for _, text := range []string{"approvals", "status"} {
			w.expect(w.says(carol, text), "Reviews that wait for you", string(id)+" Alice used MDE Analyst", alarming)
			w.lacks(w.says(alice, text), "Reviews that wait for you")
		}
		w.expect(w.says(carol, "history "+string(id)), "review opened", "Review: open")
		w.expect(w.says(carol, "history"), string(id), "review open")
		w.says(carol, "review "+string(id)+" looked at it")
		w.pass(time.Minute)
		w.lacks(w.says(carol, "approvals"), "Reviews that wait for you")
		w.expect(w.says(carol, "history"), "reviewed by Carol: looked at it")
	})
}

func TestOverdueReviewsAreNamedOnceADayOverRestarts(t *testing.T) {
	inEmergency(t, func(w *world) {
		named := func() int { return strings.Count(strings.Join(w.alarms(), "\n"), "Reviews overdue") }
		id := w.uses()
		w.pass(23 * time.Hour)
		if n := named(); n != 0 {
			t.Fatalf("named %d times within a day", n)
		}
		w.pass(2 * time.Hour)
		w.restart()
		w.pass(2 * time.Hour)
		if n := named(); n != 1 {
			t.Fatalf("named %d times on the first day", n)
		}
		w.expect(strings.Join(w.alarms(), "\n"), string(id)+" Alice used MDE Analyst", "for Carol and Dave", "One use of an emergency role")
		// Three days in which nobody runs are made up by one message.
		w.Stop()
		w.pass(72 * time.Hour)
		w.restart()
		w.pass(time.Hour)
		if n := named(); n != 2 {
			t.Fatalf("named %d times after three missed days", n)
		}
		w.signIn(carol)
		w.says(carol, "review "+string(id)+" late, and fine")
		w.pass(26 * time.Hour)
		if n := named(); n != 2 {
			t.Errorf("named %d times although it is reviewed", n)
		}
	})
}

// Many are one message in each place of both chats, oldest first and bounded.
func TestManyOverdueReviewsAreOneMessage(t *testing.T) {
	inWorld(t, func(w *world) {
		emergency(w)
		w.cfg.Roles[1].Notify = []pim.Conversation{oncall, teamsChannel}
	}, func(w *world) {
		w.update(func(tx *store.Tx) error {
			var ids []pim.RequestID
			for i := range 25 {
				r := pim.Request{
					ID: tx.NewRequestID(), Role: "mde-analyst", Group: analyst, Requester: pim.Actor{Person: alice, Name: fmt.Sprintf("Person %02d", i)},
					Principal: alice, Chat: pim.Portal, State: pim.Ended, Created: tx.Now(), Review: &pim.Review{Opened: tx.Now().Add(time.Duration(i)*time.Minute - 26*time.Hour)},
				}
				if _, err := tx.Append(pim.Event{Kind: pim.EventReviewOpened, Request: r.ID, Chat: pim.System, To: r.State}); err != nil {
					return err
				}
				if err := tx.PutRequest(r); err != nil {
					return err
				}
				ids = append(ids, r.ID)
			}
			return tx.PutMeta("reviews", ids)
		})
		w.restart()
		w.pass(time.Minute)
		said := slices.DeleteFunc(w.alarms(), func(one string) bool { return !strings.Contains(one, "Reviews overdue") })
		if len(said) != 1 {
			t.Fatalf("%d messages: %q", len(said), said)
		}
		w.expect(said[0], "25 uses", "Person 00", "5 more are not shown")
		w.lacks(said[0], "Person 24")
		var there []string
		for _, m := range w.teams.In(teamsChannel) {
			if m.Card().Request == "" {
				there = append(there, workflowtest.Text(m.Card()))
			}
		}
		if !slices.Equal(there, said) {
			t.Errorf("in Teams: %q", there)
		}
	})
}

// An access that began and ended while nobody looked is reviewed all the same.
func TestAnAccessThatNobodyReadIsReviewed(t *testing.T) {
	for name, end := range map[string]func(*world, pim.RequestID){
		"it ran out":     func(w *world, _ pim.RequestID) { w.pass(2 * time.Hour) },
		"it was revoked": func(w *world, id pim.RequestID) { w.pass(10 * time.Minute); w.dir.Revoke(w.request(id).Copy.ID) },
	} {
		t.Run(name, func(t *testing.T) {
			inEmergency(t, func(w *world) {
				w.dir.Timing(10*time.Second, 0, 0)
				w.signIn(alice)
				w.says(alice, "mde-analyst "+alarming)
				w.pass(2 * time.Second)
				id := w.is(w.newest(alice).ID, pim.Granting).ID
				w.Stop()
				end(w, id)
				w.restart()
				w.pass(10 * time.Minute)
				w.is(id, pim.Failed)
				w.unreviewed(id)
				w.expect(workflowtest.Text(w.cardOf(id, oncall).Card()), "EMERGENCY: MDE Analyst: failed", "Not asked: Bob")
			})
		})
	}
}

// Activated in the portal, past every rule of Elevate's.
func TestAUseThatWasAskedForElsewhereIsLoudToo(t *testing.T) {
	inEmergency(t, func(w *world) {
		if _, err := w.dir.Ask(alice, pim.Activation{Action: pim.SelfActivate, Group: analyst, Principal: alice, Justification: "x", Duration: time.Hour}); err != nil {
			t.Fatal(err)
		}
		w.pass(3 * time.Minute)
		all := w.allRequests()
		if len(all) != 1 {
			t.Fatalf("%d requests", len(all))
		}
		w.expect(workflowtest.Text(w.cardOf(all[0].ID, oncall).Card()), "EMERGENCY", "Not asked: Bob, Carol, Erin", "Asked in the PIM portal")
		w.unreviewed(all[0].ID)
	})
}

// A card that stands already is rewritten without anybody hearing of it.
func TestAUseThatWasLateIsPostedOnceMore(t *testing.T) {
	inEmergency(t, func(w *world) {
		w.dir.Timing(7*time.Minute, 0, 0)
		w.signIn(alice)
		w.says(alice, "mde-analyst "+alarming)
		w.pass(6 * time.Minute)
		id := w.newest(alice).ID
		w.expect(workflowtest.Text(w.cardOf(id, oncall).Card()), "still being granted")
		w.pass(2 * time.Minute)
		w.is(id, pim.Active)
		posted := 0
		for _, m := range w.chat.In(oncall) {
			if m.Card().Request == id && m.Ref.Conversation.Thread == "" {
				posted++
				w.expect(workflowtest.Text(m.Card()), "EMERGENCY")
			}
		}
		if posted != 2 {
			t.Errorf("%d cards stand there", posted)
		}
	})
}

// Who they are is read when it can be, and the card says so until then.
func TestACardNamesThoseWhoWereNotAskedAsSoonAsTheyAreKnown(t *testing.T) {
	inWorld(t, func(w *world) {
		emergency(w)
		w.dir.Hide(workflowtest.PartMembers, errDown)
	}, func(w *world) {
		id := w.uses()
		w.expect(workflowtest.Text(w.cardOf(id, oncall).Card()), "could not be read in Microsoft Entra yet", "for the role's reviewers")
		w.dir.Hide(workflowtest.PartMembers, nil)
		w.pass(15 * time.Minute)
		w.expect(workflowtest.Text(w.cardOf(id, oncall).Card()), "Not asked: Bob, Carol, Erin", "for Carol and Dave")
		if n, _ := w.event(id, pim.EventReviewOpened); n != 1 {
			t.Errorf("%d events", n)
		}
	})
}

func TestARequestThatAnOlderVersionWroteWithoutItsReviewHoldsNothingUp(t *testing.T) {
	inEmergency(t, func(w *world) {
		id := w.uses()
		w.update(func(tx *store.Tx) error {
			r, err := tx.Request(id)
			if err != nil {
				return err
			}
			r.Review = nil
			return tx.PutRequest(r)
		})
		w.restart()
		w.pass(25 * time.Hour)
		w.is(id, pim.Ended)
		if open := w.openReviews(); len(open) > 0 {
			t.Errorf("reviews of %q are open", open)
		}
	})
}
