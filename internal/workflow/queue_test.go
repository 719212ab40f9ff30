package workflow_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
	"elevate/internal/workflow/workflowtest"
)

// panics is a fault of Elevate's own.
func panics() { panic("boom") }

func (w *world) parked() (parked []store.Parked) {
	w.t.Helper()
	w.view(func(tx *store.Tx) error {
		var err error
		parked, err = tx.Parked()
		return err
	})
	return parked
}

func (w *world) parkedEvents() (n int) {
	for _, e := range w.trail() {
		if e.Kind == pim.EventParked {
			n++
		}
	}
	return n
}

func TestAPersonsStepThatPanicsTwiceIsParkedSaidAndReopensTheCard(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.asks(alice)
		w.dir.Break(workflowtest.OpDecide, workflowtest.Fault{First: panics})
		w.clicks(bob, card.Approve, id)
		w.pass(20 * time.Second)
		parked := w.parked()
		if len(parked) != 1 || parked[0].Effect.Request != id || w.parkedEvents() != 1 {
			t.Fatalf("parked %+v, %d events", parked, w.parkedEvents())
		}
		w.expect(w.told(bob), "gave up your step (decide, request "+string(id), "elevate queue list")
		r := w.is(id, pim.Pending)
		if n := len(w.cardOf(id, approvals).Card().Buttons); r.Claim != nil || n == 0 {
			t.Errorf("claim %+v, %d buttons", r.Claim, n)
		}
		// Somebody else can decide it, and the operator can have the first tried again.
		w.dir.Mend(workflowtest.OpDecide)
		w.signIn(carol)
		w.clicks(carol, card.Approve, id)
		w.pass(5 * time.Second)
		w.is(id, pim.Active)
	})
}

func TestAPanicThatHappensOnceIsTriedAgain(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.asks(alice)
		w.dir.Fail(workflowtest.OpDecide, workflowtest.Fault{First: panics})
		w.clicks(bob, card.Approve, id)
		w.pass(20 * time.Second)
		w.is(id, pim.Active)
		if n := len(w.parked()); n != 0 {
			t.Errorf("%d effects are parked", n)
		}
	})
}

// What a chat refuses an administrator may mend, or the person who took the bot out: then the card stands there, true.
func TestARefusedCardHoldsBackNoAccessAndComesWhenItMay(t *testing.T) {
	for name, why := range map[string]error{
		"a place that refuses": pim.Errorf(pim.Forbidden, "Slack does not let Elevate write there."),
		"a place that is gone": pim.Errorf(pim.NotFound, "Slack does not know that conversation."),
		"a token that ran out": pim.Errorf(pim.Administered, "Slack does not take Elevate's token."),
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.signIn(alice, bob)
				w.chat.Shut(approvals, why)
				w.chat.Shut(oncall, why)
				id := w.asks(alice)
				w.expect(w.says(bob, "approve "+string(id)), "on its way")
				w.pass(5 * time.Second)
				w.is(id, pim.Active)
				w.pass(30 * time.Minute)
				if n := len(w.parked()); n != 0 || len(w.chat.In(oncall)) != 0 {
					t.Errorf("%d parked, %d cards", n, len(w.chat.In(oncall)))
				}
				w.chat.Shut(oncall, nil)
				w.bot.Reopened(oncall)
				w.pass(2 * time.Second)
				if cards := w.cardsIn(oncall); len(cards) != 1 || !strings.Contains(workflowtest.Text(cards[0].Card()), "active") {
					t.Errorf("%d cards", len(cards))
				}
				w.pass(time.Hour + time.Minute)
				w.is(id, pim.Ended)
			})
		})
	}
}

func TestACardThatCannotBePostedForADayIsParked(t *testing.T) {
	inWorld(t, func(w *world) { w.cfg.Tick = time.Minute }, func(w *world) {
		w.signIn(alice)
		w.chat.Shut(approvals, errDown)
		w.asks(alice)
		w.pass(23 * time.Hour)
		if n := len(w.parked()); n != 0 {
			t.Fatalf("%d effects are parked already", n)
		}
		w.pass(70 * time.Minute)
		parked := w.parked()
		if len(parked) != 1 || !strings.Contains(parked[0].Why, "too long") {
			t.Errorf("parked %+v", parked)
		}
	})
}

func TestAnUpdateWhoseAnswerGotLostIsMadeOnceMoreAndTheCardIsRight(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.asks(alice)
		w.chat.Fail(workflowtest.OpUpdate, workflowtest.Fault{Err: errLost}, workflowtest.Fault{Err: errLost, Done: true}, workflowtest.Fault{Err: errDown})
		w.clicks(bob, card.Approve, id)
		w.pass(time.Minute)
		w.is(id, pim.Active)
		for _, at := range []pim.Conversation{approvals, direct(alice), oncall} {
			w.expect(workflowtest.Text(w.cardOf(id, at).Card()), "member since")
			if n := len(w.cardsIn(at)); n != 1 {
				t.Errorf("%d messages stand in %s", n, at)
			}
		}
	})
}

func TestGraphsRetryAfterIsWaitedFor(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, dave)
		w.dir.Fail(workflowtest.OpSubmit, workflowtest.Fault{Err: throttled(40 * time.Second)})
		w.says(alice, "mde-admin isolating WS-042")
		w.pass(39 * time.Second)
		if n := w.dir.Calls(workflowtest.OpSubmit); n != 1 {
			t.Fatalf("sent %d times while Graph asked to wait", n)
		}
		// Nobody else waits with her.
		w.says(dave, "mde-admin isolating WS-043")
		w.pass(time.Second)
		w.is(w.newest(dave).ID, pim.Pending)
		w.pass(5 * time.Second)
		w.is(w.newest(alice).ID, pim.Pending)
		if n := w.dir.Calls(workflowtest.OpSubmit); n != 3 {
			t.Errorf("sent %d times", n)
		}
	})
}

func TestADueTimeThatIsTooFarAheadIsNow(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		id := w.asks(alice)
		far := func() {
			w.update(func(tx *store.Tx) error {
				effects, err := tx.Effects()
				if err != nil {
					return err
				}
				for _, e := range effects {
					if e.Kind == "watch" {
						e.Due = tx.Now().Add(30 * 24 * time.Hour)
						if err := tx.PutEffect(e); err != nil {
							return err
						}
					}
				}
				return nil
			})
		}
		// Hourly.
		far()
		if err := w.dir.Review(carol, w.request(id).Copy.ID, false, "no"); err != nil {
			t.Fatal(err)
		}
		w.pass(61 * time.Minute)
		w.is(id, pim.Denied)
		// And at the start.
		id = w.asks(alice)
		far()
		w.restart()
		if err := w.dir.Review(carol, w.request(id).Copy.ID, false, "no"); err != nil {
			t.Fatal(err)
		}
		w.pass(15 * time.Second)
		w.is(id, pim.Denied)
	})
}

func (w *world) setClock(by time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.skew += by
}

func TestAClockThatIsSetHoldsNothingUp(t *testing.T) {
	for name, by := range map[string]time.Duration{"back three hours": -3 * time.Hour, "back a minute": -time.Minute, "ahead twenty minutes": 20 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.signIn(alice)
				w.chat.Shut(oncall, throttled(30*time.Second)) // a lane that is paused when the clock is set
				id := w.asks(alice)
				w.chat.Shut(approvals, throttled(30*time.Second))
				w.setClock(by)
				if err := w.dir.Review(carol, w.request(id).Copy.ID, false, "in the portal"); err != nil {
					t.Fatal(err)
				}
				w.pass(15 * time.Second)
				w.is(id, pim.Denied)
				w.expect(w.told(alice), "denied")
			})
		})
	}
}

func TestALaneThatWasAskedToWaitGoesOnInTimeAlsoWhenTheClockIsSetBack(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		w.chat.Shut(approvals, throttled(30*time.Second))
		id := w.asks(alice)
		w.setClock(-3 * time.Hour)
		w.chat.Shut(approvals, nil)
		w.pass(45 * time.Second)
		w.cardOf(id, approvals)
	})
}

func TestAStopCutsNoStepInHalf(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		w.dir.Fail(workflowtest.OpSubmit, workflowtest.Fault{First: func() { time.Sleep(20 * time.Second) }})
		w.says(alice, "mde-admin isolating WS-042")
		id := w.newest(alice).ID
		began := time.Now()
		w.end() // while PIM has not answered yet
		if took := time.Since(began); took < 15*time.Second {
			t.Errorf("stopped after %s", took)
		}
		if r := w.request(id); r.State != pim.Pending || r.Sending.Lost {
			t.Errorf("%s, lost %t", r.State, r.Sending.Lost)
		}
		w.run()
		w.pass(5 * time.Second)
		if n := w.dir.Calls(workflowtest.OpSubmit); n != 1 {
			t.Errorf("sent %d times", n)
		}
	})
}

func TestARestoredBotSweepsBeforeItSaysAnything(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.asks(alice)
		w.end()
		if err := w.db.Restored(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := w.db.Close(); err != nil {
			t.Fatal(err)
		}
		before := len(w.chat.All())
		w.cfg.SweepFirst = true
		w.dir.Break(workflowtest.OpLook, workflowtest.Fault{Err: errDown})
		w.start()
		w.update(func(tx *store.Tx) error {
			e := store.Effect{Key: "tell|x", Kind: "tell", Lane: direct(alice).String(), To: direct(alice), Data: []byte(`{"text":"Hello."}`)}
			return tx.PutEffect(e)
		})
		w.pass(2 * time.Minute)
		if n := len(w.chat.All()); n != before {
			t.Errorf("%d messages before the first sweep", n-before)
		}
		if err := w.dir.Review(carol, w.request(id).Copy.ID, false, "no"); err != nil {
			t.Fatal(err)
		}
		w.dir.Mend(workflowtest.OpLook)
		w.pass(2 * time.Minute)
		w.is(id, pim.Denied)
		w.expect(w.told(alice), "Hello.")
	})
}

func TestACancellationAndAReleaseWhoseSessionProvesUnusableGoOnAfterASignIn(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		id := w.asks(alice)
		w.dir.Fail(workflowtest.OpCancel, workflowtest.Fault{Err: errSignIn})
		w.says(alice, "cancel "+string(id))
		w.pass(3 * time.Second)
		w.is(id, pim.Pending)
		w.expect(w.told(alice), "Sign in to cancel")
		if _, err := w.resumes(alice); err != nil {
			t.Fatal(err)
		}
		w.pass(3 * time.Second)
		w.is(id, pim.Canceled)
	})
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.becomesActive()
		w.pass(10 * time.Minute)
		w.dir.Fail(workflowtest.OpSubmit, workflowtest.Fault{Err: errSignIn})
		w.says(alice, "release mde-admin")
		w.pass(3 * time.Second)
		w.is(id, pim.Active)
		w.expect(w.told(alice), "Sign in to")
		if _, err := w.resumes(alice); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Minute)
		if r := w.is(id, pim.Ended); r.Ending != pim.Released {
			t.Errorf("ended as %s", r.Ending)
		}
	})
}

func TestTheSamePersonsSecondClickLetsTheFirstStand(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		id := w.asks(alice)
		shown := w.cardOf(id, approvals)
		w.dir.Break(workflowtest.OpDecide, workflowtest.Fault{Slow: 5 * time.Second})
		w.clicksOn(bob, card.Approve, id, shown)
		w.expect(w.clicksOn(bob, card.Approve, id, shown), "on its way")
		w.expect(w.says(bob, "deny "+string(id)+" on second thoughts"), "Your decision to approve request "+string(id)+" is on its way to PIM already")
		w.pass(30 * time.Second)
		w.is(id, pim.Active)
		if n := w.dir.Decisions(); n != 1 {
			t.Errorf("%d decisions", n)
		}
	})
}

func TestSignOutEndsTheSessionAndNothingElse(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		id := w.asks(alice)
		w.expect(w.says(alice, "sign-out"), "You are signed out")
		if w.hasSession(alice) {
			t.Error("the session is still there")
		}
		w.is(id, pim.Pending)
		w.expect(w.says(alice, "cancel "+string(id)), "Sign in")
		w.expect(w.says(alice, "unlink"), "unlinked")
		w.expect(w.says(alice, "roles"), "Sign in with Microsoft")
	})
}

func TestAClickOnAnApprovalThatExpiredInPIMSaysSo(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		id := w.asks(alice)
		w.pass(24*time.Hour + time.Minute)
		w.signIn(bob)
		w.dir.Expire(w.request(id).Copy.ID)
		w.clicks(bob, card.Approve, id)
		w.pass(5 * time.Second)
		w.expect(w.told(bob), "has expired in PIM")
		if strings.Contains(w.told(bob), "decided by somebody else") {
			t.Errorf("Bob was told\n%s", w.told(bob))
		}
		w.pass(time.Minute)
		w.is(id, pim.TimedOut)
	})
}

func TestAPolicyOlderThanFiveMinutesMakesNoClaim(t *testing.T) {
	for name, row := range map[string]struct {
		by     pim.PrincipalID
		claims int
	}{"who is an approver, as PIM says": {bob, 1}, "who is none, as PIM says": {dave, 0}} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.signIn(alice, row.by)
				id := w.asks(alice)
				w.dir.Hide(workflowtest.PartPolicies, errForbidden)
				w.pass(6 * time.Minute)
				asked := w.dir.Calls(workflowtest.OpAssigned)
				w.expect(w.clicks(row.by, card.Approve, id), "on its way") // nobody here knows better
				w.pass(5 * time.Second)
				if w.dir.Calls(workflowtest.OpAssigned) == asked {
					t.Error("PIM was not asked whether they may")
				}
				if n, _ := w.event(id, pim.EventClaimed); n != row.claims {
					t.Errorf("%d claims", n)
				}
			})
		})
	}
}

func TestAnUnlinkedAccountReadsNothingOfAPersons(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		id := w.asks(alice)
		w.says(alice, "unlink")
		if said := w.says(alice, "status"); strings.Contains(said, string(id)) {
			t.Errorf("the account shows a request of the person it was linked to:\n%s", said)
		}
		// What the account asked for itself, before anybody signed in for it, it sees.
		w.says(alice, "mde-analyst looking around")
		w.expect(w.says(alice, "status"), string(w.newest(alice).ID))
	})
}

func TestADiskThatFailsAfterACardWasPostedPostsNoSecondOne(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		away := w.path + ".away"
		w.chat.Fail(workflowtest.OpPost, workflowtest.Fault{Slow: time.Millisecond, First: func() {
			if err := os.Rename(w.path, away); err != nil {
				t.Error(err)
			}
		}})
		w.says(alice, "mde-admin isolating WS-042")
		w.pass(10 * time.Minute)
		if n := w.chat.Calls(workflowtest.OpPost); n > 2 { // the place where it is asked, and one that was on its way
			t.Errorf("%d posts while nothing could be noted", n)
		}
		w.expect(w.says(bob, "approve "+string(w.newest(alice).ID)), "nothing was")
		if err := os.Rename(away, w.path); err != nil {
			t.Fatal(err)
		}
		w.pass(6 * time.Minute)
		id := w.newest(alice).ID
		if cards := w.chat.In(approvals); len(cards) != 1 {
			t.Errorf("%d cards stand where it is asked", len(cards))
		}
		w.clicks(bob, card.Approve, id)
		w.pass(time.Minute)
		w.is(id, pim.Active)
		for _, at := range []pim.Conversation{approvals, oncall, direct(alice)} {
			if n := len(w.cardsIn(at)); n > 1 {
				t.Errorf("%d messages in %s", n, at)
			}
		}
	})
}

func TestADefiniteRefusalIsToldAndNothingIsSentAgain(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice, bob)
		no := pim.Errorf(pim.Administered, "PIM refused: the request's times were not understood. Tell an administrator to check the clock of Elevate's host.")
		w.dir.Break(workflowtest.OpSubmit, workflowtest.Fault{Err: no})
		w.says(alice, "mde-admin isolating WS-042")
		w.pass(11 * time.Minute)
		if r := w.newest(alice); r.State != pim.Refused || w.dir.Calls(workflowtest.OpSubmit) != 1 {
			t.Errorf("%s after %d calls: %s", r.State, w.dir.Calls(workflowtest.OpSubmit), r.Why)
		}
	})
}

func TestPanicsThatAreFarApartParkNothing(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.pass(time.Minute)
		for range 3 {
			w.dir.Fail(workflowtest.OpLook, workflowtest.Fault{First: panics})
			w.pass(48 * time.Hour)
		}
		before := w.dir.Calls(workflowtest.OpLook)
		w.pass(time.Hour)
		if n := w.dir.Calls(workflowtest.OpLook) - before; n == 0 || len(w.parked()) > 0 {
			t.Errorf("%d looks within an hour, parked %v", n, w.parked())
		}
	})
}

func TestAPanicInATransactionParksItsEffect(t *testing.T) {
	inWorld(t, func(w *world) {
		end := w.cfg.EndSession
		w.cfg.KeepSessions = false
		w.cfg.EndSession = func(tx *store.Tx, a pim.ChatAccount) error {
			if a == account(alice) {
				panics()
			}
			return end(tx, a)
		}
	}, func(w *world) {
		w.signIn(alice)
		w.says(alice, "mde-admin isolating WS-042")
		w.pass(5 * time.Minute)
		if parked := w.parked(); len(parked) != 1 || parked[0].Effect.Kind != "submit" {
			t.Errorf("parked: %+v", parked)
		}
	})
}

func TestAnEffectOfAKindThatNobodyKnowsIsParked(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.update(func(tx *store.Tx) error {
			return tx.PutEffect(store.Effect{Key: "novel|1", Kind: "novel", Lane: "novel"})
		})
		w.pass(time.Minute)
		if parked := w.parked(); len(parked) != 1 || parked[0].Effect.Key != "novel|1" {
			t.Errorf("parked: %+v", parked)
		}
	})
}

func TestAThrottledPartOfALookHoldsItsLane(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		w.asks(alice)
		wait := pim.Errorf(pim.Throttled, "Graph asks Elevate to wait.")
		wait.RetryAfter = 10 * time.Minute
		w.dir.Hide(workflowtest.PartRequests, wait)
		w.pass(30 * time.Second)
		before := w.dir.Calls(workflowtest.OpLook)
		w.pass(8 * time.Minute)
		if n := w.dir.Calls(workflowtest.OpLook) - before; n > 10 { // the sweep goes on: it has a lane of its own
			t.Errorf("%d looks while Graph asked to wait", n)
		}
	})
}

func TestAStepThatCouldNotBeSentWithinTenMinutesIsSaidWhileGraphIsDown(t *testing.T) {
	hour := pim.Errorf(pim.Throttled, "Graph asks Elevate to wait.")
	hour.RetryAfter = time.Hour
	for name, fault := range map[string]error{"down": pim.Errorf(pim.Unavailable, "down"), "throttled for an hour": hour} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.signIn(alice, bob, dave)
				id := w.asks(alice)
				for _, op := range []workflowtest.Op{workflowtest.OpSubmit, workflowtest.OpLook, workflowtest.OpAssigned, workflowtest.OpDecide} {
					w.dir.Break(op, workflowtest.Fault{Err: fault})
				}
				w.clicks(bob, card.Approve, id)
				w.says(dave, "mde-live looking at the alert")
				w.pass(12 * time.Minute)
				w.expect(w.told(bob), "Your decision to approve was not taken")
				if r := w.newest(dave); r.State != pim.Failed || w.dir.Decisions() != 0 {
					t.Errorf("%s: %s", r.State, r.Why)
				}
			})
		})
	}
}

func TestASessionThatRunsOutHasItsEventAlsoWhileGraphIsDown(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(alice)
		w.dir.Break(workflowtest.OpLook, workflowtest.Fault{Err: pim.Errorf(pim.Unavailable, "down")})
		w.pass(9 * time.Hour)
		if w.hasSession(alice) || !strings.Contains(w.sink.String(), `"signed_out"`) {
			t.Error("it is there, or went without an event")
		}
	})
}

// One group that cannot be read may not keep everybody's messages back for ever.
func TestARestoredBotSpeaksOnceASweepWasAnsweredInPart(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.end()
		if err := w.db.Restored(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := w.db.Close(); err != nil {
			t.Fatal(err)
		}
		w.cfg.SweepFirst = true
		w.dir.Hide(workflowtest.PartPolicies, errDown)
		w.start()
		w.update(func(tx *store.Tx) error {
			e := store.Effect{Key: "tell|x", Kind: "tell", Lane: direct(alice).String(), To: direct(alice), Data: []byte(`{"text":"Hello."}`)}
			return tx.PutEffect(e)
		})
		w.pass(2 * time.Minute)
		if !w.bot.Swept().IsZero() {
			t.Error("a sweep that failed in part counts as one that succeeded")
		}
		w.expect(w.told(alice), "Hello.")
	})
}

func TestWhatAChatMissedStandsThereWithinASweepOfItsReturn(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		for _, gone := range []time.Duration{20 * time.Minute, 41 * time.Minute, time.Hour, 3 * time.Hour} {
			w.signIn(alice)
			w.chat.Break(workflowtest.OpPost, workflowtest.Fault{Err: errDown})
			w.says(alice, "mde-admin isolating WS-042")
			id := w.newest(alice).ID
			w.pass(gone)
			w.chat.Mend(workflowtest.OpPost)
			w.pass(time.Minute)
			if got := workflowtest.Text(w.cardOf(id, approvals).Card()); !strings.Contains(got, "approval needed") {
				t.Errorf("a minute after %s without the chat stands there\n%s", gone, got)
			}
			w.says(alice, "cancel "+string(id))
			w.pass(time.Minute)
		}
	})
}
