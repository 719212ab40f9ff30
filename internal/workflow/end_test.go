package workflow_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
	"elevate/internal/workflow/workflowtest"
)

func (w *world) trail() (events []pim.Event) {
	w.t.Helper()
	w.view(func(tx *store.Tx) error {
		var err error
		events, err = tx.Events(0, 100_000)
		return err
	})
	return events
}

func TestAnAbsenceTakesTwoReadsThatAgree(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		r := w.request(w.becomesActive())
		at := pim.Membership{Group: mde, Principal: alice}
		w.pass(time.Until(r.Ends) + 20*time.Second)
		r = w.is(r.ID, pim.Active)
		if r.Absent.IsZero() {
			t.Fatal("the first absence was not noted")
		}
		// A membership that is back makes the count start anew.
		w.dir.Stand(at, "")
		w.pass(20 * time.Second)
		if r = w.is(r.ID, pim.Active); !r.Absent.IsZero() {
			t.Error("the absence was not forgotten")
		}
		w.dir.Fall(at)
		fell := w.now()
		w.pass(25 * time.Second)
		w.is(r.ID, pim.Active)
		w.pass(30 * time.Second)
		r = w.is(r.ID, pim.Ended)
		if r.EndedAt.Sub(fell) < 30*time.Second || r.Ending != pim.Expired || r.StillBy != "" {
			t.Errorf("ended %s after it fell, as %s, still by %q", r.EndedAt.Sub(fell), r.Ending, r.StillBy)
		}
	})
}

func TestWhoRemainsAMemberByAnotherAssignmentHasEndedAndItIsSaidByWhat(t *testing.T) {
	for _, row := range []struct{ name, by, want string }{
		{"a standing assignment", "assignment-1", "a standing assignment in PIM"}, {"what PIM does not know", "", "a membership that PIM does not know"},
	} {
		t.Run(row.name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.signIn(alice, bob)
				id := w.becomesActive()
				w.dir.Stand(pim.Membership{Group: mde, Principal: alice}, row.by)
				w.pass(time.Hour + 6*time.Minute)
				if r := w.is(id, pim.Ended); r.StillBy != row.want {
					t.Errorf("still by %q", r.StillBy)
				}
				for _, at := range []pim.Conversation{direct(alice), oncall, approvals} {
					w.expect(workflowtest.Text(w.cardOf(id, at).Card()), "still has access, by "+row.want)
				}
			})
		})
	}
}

func TestARevocationElsewhereIsNoticedWithinTheSweepAndReadBack(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.becomesActive()
		w.pass(10 * time.Minute)
		w.dir.Revoke(w.request(id).Copy.ID)
		w.pass(2 * time.Minute)
		if r := w.is(id, pim.Ended); r.Ending != pim.Revoked {
			t.Errorf("ended as %s", r.Ending)
		}
	})
}

func TestAReleaseIsReadBack(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.becomesActive()
		w.pass(10 * time.Minute)
		w.expect(w.says(alice, "release mde-admin"), "on its way to PIM")
		w.pass(5 * time.Second)
		w.is(id, pim.Active)
		w.pass(40 * time.Second)
		if r := w.is(id, pim.Ended); r.Ending != pim.Released {
			t.Errorf("ended as %s", r.Ending)
		}
		w.expect(w.says(alice, "release mde-admin"), "no active MDE Administrator")
	})
}

func TestARevocationIsNoticedAlthoughTheClockWentBack(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.becomesActive()
		w.pass(10 * time.Minute)
		w.mu.Lock()
		w.skew = -time.Hour
		w.mu.Unlock()
		w.dir.Revoke(w.request(id).Copy.ID)
		w.pass(5 * time.Minute)
		w.is(id, pim.Ended)
	})
}

// cardsSay is the text of a request's cards, the holder's, the approvers' and on-call's.
func (w *world) cardsSay(id pim.RequestID) (said string) {
	w.t.Helper()
	for _, at := range []pim.Conversation{direct(alice), approvals, oncall} {
		said += workflowtest.Text(w.cardOf(id, at).Card())
	}
	return said
}

func (w *world) offersRelease(id pim.RequestID) bool {
	w.t.Helper()
	return slices.ContainsFunc(w.cardOf(id, direct(alice)).Card().Buttons, func(b card.Button) bool { return b.Act == card.Release })
}

func TestAReleaseWithinFiveMinutesIsDoneWhenPIMTakesIt(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.becomesActive()
		w.says(alice, "release mde-admin")
		w.pass(time.Minute)
		r := w.is(id, pim.Active)
		w.expect(w.told(alice), "release MDE Administrator in its first five minutes")
		said := w.cardsSay(id)
		w.expect(said, "Elevate releases it at")
		if r.Releasing == nil || r.Releasing.Due.Sub(r.Copy.Start) < 5*time.Minute {
			t.Errorf("releasing %v", r.Releasing)
		}
		if strings.Contains(said, "PIM has taken") || r.Leaving != "" || w.offersRelease(id) {
			t.Errorf("a release that PIM refused counts as taken (%q):\n%s", r.Leaving, said)
		}
		w.pass(4*time.Minute + 10*time.Second)
		if r = w.request(id); r.Leaving != pim.Released || r.Releasing != nil {
			t.Errorf("leaving %q, releasing %v", r.Leaving, r.Releasing)
		}
		w.expect(w.cardsSay(id), "PIM has taken the release")
		w.pass(time.Minute)
		if r := w.is(id, pim.Ended); r.Ending != pim.Released {
			t.Errorf("ended as %s", r.Ending)
		}
	})
}

func TestAReleaseWhoseSessionIsGoneIsOfferedAgainAndTheAccessExpires(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.becomesActive()
		w.says(alice, "release mde-admin")
		w.pass(time.Minute)
		w.signOut(alice)
		w.pass(5 * time.Minute)
		r := w.is(id, pim.Active)
		if r.Releasing != nil || r.Leaving != "" || !w.offersRelease(id) {
			t.Errorf("releasing %v, leaving %q, the button is there: %t", r.Releasing, r.Leaving, w.offersRelease(id))
		}
		w.expect(w.told(alice), "Sign in to release MDE Administrator")
		w.pass(time.Hour) // nobody signs in, and the access runs to its end
		if r := w.is(id, pim.Ended); r.Ending != pim.Expired {
			t.Errorf("ended as %s", r.Ending)
		}
		if _, last := w.event(id, pim.EventEnded); last.Text != string(pim.Expired) {
			t.Errorf("the trail says it ended as %s", last.Text)
		}
	})
}

func TestAReleaseOfWhatPIMEndedItselfIsNotCalledOne(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.becomesActive()
		w.pass(10*time.Minute + 30*time.Second)
		w.dir.Fail(workflowtest.OpSubmit, workflowtest.Fault{First: func() { w.dir.Revoke(w.request(id).Copy.ID) }})
		w.says(alice, "release mde-admin")
		w.pass(2 * time.Minute)
		if r := w.is(id, pim.Ended); r.Ending != pim.Revoked {
			t.Errorf("ended as %s", r.Ending)
		}
	})
}

func TestAReleaseThatARestoredBackupDoesNotKeepIsOfferedAgain(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.becomesActive()
		w.says(alice, "release mde-admin")
		w.pass(time.Minute)
		w.end()
		if err := w.db.Restored(context.Background()); err != nil {
			t.Fatal(err)
		}
		w.restart()
		w.pass(10 * time.Second)
		if r := w.is(id, pim.Active); r.Releasing != nil || !w.offersRelease(id) {
			t.Errorf("releasing %v, the button is there: %t", r.Releasing, w.offersRelease(id))
		}
	})
}

func TestAReleaseWhoseAnswerGotLostIsNotCalledAFailure(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.becomesActive()
		w.pass(10 * time.Minute)
		w.dir.Fail(workflowtest.OpSubmit, workflowtest.Fault{Err: errLost, Done: true})
		w.says(alice, "release mde-admin")
		w.pass(time.Minute)
		if r := w.is(id, pim.Ended); r.Ending != pim.Released {
			t.Errorf("ended as %s", r.Ending)
		}
	})
}

func TestCancelAndReleaseNeverExpire(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		id := w.asks(alice)
		w.dir.Break(workflowtest.OpCancel, workflowtest.Fault{Err: errDown})
		w.says(alice, "cancel "+string(id))
		w.pass(3 * time.Hour)
		w.is(id, pim.Pending)
		w.dir.Mend(workflowtest.OpCancel)
		w.pass(2 * time.Minute)
		w.is(id, pim.Canceled)
	})
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		w.says(alice, "mde-admin for 8h isolating WS-042")
		w.pass(3 * time.Second)
		id := w.newest(alice).ID
		w.says(bob, "approve "+string(id))
		w.pass(10 * time.Minute)
		w.dir.Break(workflowtest.OpSubmit, workflowtest.Fault{Err: errDown})
		w.says(alice, "release mde-admin")
		w.pass(3 * time.Hour)
		w.is(id, pim.Active)
		w.dir.Mend(workflowtest.OpSubmit)
		w.pass(3 * time.Minute)
		w.is(id, pim.Ended)
	})
}

func TestACancellationWhoseAnswerGotLostCounts(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		id := w.asks(alice)
		// The watch is blind, so the second call meets PIM's refusal.
		w.dir.Fail(workflowtest.OpCancel, workflowtest.Fault{Err: errLost, Done: true, First: func() { w.dir.Fail(workflowtest.OpLook, workflowtest.Fault{Err: errDown}) }})
		w.says(alice, "cancel "+string(id))
		w.pass(time.Minute)
		w.is(id, pim.Canceled)
		if n := len(w.chat.In(direct(alice))); n != 1 {
			t.Errorf("Alice has %d messages:\n%s", n, w.told(alice))
		}
	})
}

func TestACancellationThatCameTooLateIsSaid(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.asks(alice)
		w.dir.Fail(workflowtest.OpCancel, workflowtest.Fault{First: func() {
			if err := w.dir.Review(carol, w.request(id).Copy.ID, true, "in the portal"); err != nil {
				t.Error(err)
			}
		}})
		w.says(alice, "cancel "+string(id))
		w.pass(10 * time.Second)
		w.is(id, pim.Active)
		w.expect(w.told(alice), "cancel")
	})
}

func TestOnlyTheHolderCancelsAndReleases(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob, dave)
		id := w.asks(alice)
		w.expect(w.says(dave, "cancel "+string(id)), "There is no request")
		w.says(bob, "approve "+string(id))
		w.pass(5 * time.Second)
		w.is(id, pim.Active)
		w.expect(w.says(dave, "release mde-admin"), "no active")
		w.expect(w.says(alice, "cancel "+string(id)), "Release it instead")
	})
}

func TestWhatPIMDoesNotKnowIsCanceledAtOnce(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.knows(alice)
		w.says(alice, "mde-admin isolating WS-042")
		id := w.newest(alice).ID
		w.expect(w.says(alice, "cancel "+string(id)), "PIM was not asked for anything")
		w.is(id, pim.Canceled)
		if _, err := w.resumes(alice); err != nil {
			t.Error(err)
		}
		w.pass(3 * time.Second)
		if n := len(w.dir.Copies()); n != 0 {
			t.Errorf("PIM holds %d requests", n)
		}
	})
}

func TestAnEndThatPIMMovedIsFollowed(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.becomesActive()
		longer := w.request(id).Ends.Add(time.Hour)
		w.dir.Change(w.request(id).Copy.ID, func(c *pim.Copy) { c.Duration, c.End = 0, longer })
		w.pass(90 * time.Minute)
		if r := w.is(id, pim.Active); !r.Ends.Equal(longer) {
			t.Errorf("it ends %s", r.Ends)
		}
		w.pass(32 * time.Minute)
		w.is(id, pim.Ended)
	})
}

func TestAnAccessThatEndedWhileNobodyLookedIsEndedAtTheStart(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.becomesActive()
		w.end()
		w.pass(3 * time.Hour)
		if err := w.db.Close(); err != nil {
			t.Fatal(err)
		}
		w.start()
		w.pass(time.Minute)
		if r := w.is(id, pim.Ended); r.Ending != pim.Expired {
			t.Errorf("ended as %s", r.Ending)
		}
	})
}
