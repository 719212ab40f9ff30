package slack_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"elevate/adapters/slack"
	"elevate/internal/pim"
)

func TestAChannelIsWrittenToOnceASecondAfterABurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pace := slack.NewPace(machineTime)
		var at []time.Duration
		begun := time.Now()
		for len(at) < 20 {
			switch err := pace.Wait(t.Context(), "C0APPROVALS"); {
			case err == nil:
				at = append(at, time.Since(begun))
			case !pim.IsKind(err, pim.Throttled):
				t.Fatal(err)
			default:
				time.Sleep(pim.Explain(err).RetryAfter)
			}
		}
		if want := 15 * time.Second; at[19] < want || at[4] != 0 {
			t.Errorf("twenty messages went at %s", fmt.Sprint(at))
		}
		if err := pace.Wait(t.Context(), "C0ONCALL"); err != nil || time.Since(begun) != at[19] {
			t.Errorf("another channel waits, too: %v", err)
		}
	})
}

func TestWhoWouldWaitLongIsToldHowLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pace := slack.NewPace(machineTime)
		refused := make(chan error, 20)
		for range cap(refused) {
			go func() { refused <- pace.Wait(t.Context(), "C0APPROVALS") }()
		}
		taken := 0
		for range cap(refused) {
			err := <-refused
			switch said := pim.Explain(err); {
			case err == nil:
				taken++
			case said.Kind != pim.Throttled || said.RetryAfter <= 3*time.Second:
				t.Errorf("%v, after %s", err, said.RetryAfter)
			}
		}
		if taken != 8 {
			t.Errorf("%d of twenty at once were taken", taken)
		}
	})
}
