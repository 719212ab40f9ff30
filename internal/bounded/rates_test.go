package bounded_test

import (
	"strconv"
	"testing"
	"time"

	"elevate/internal/bounded"
)

func TestOneTakesNothingFromTheOthers(t *testing.T) {
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	r := bounded.NewRates(2, time.Minute, 3)
	for n, want := range []bool{true, true, false, false} {
		if r.Allow("mallory", now) != want {
			t.Errorf("the %d. time: not %v", n+1, want)
		}
	}
	if !r.Allow("alice", now) || !r.Allow("mallory", now.Add(time.Minute)) || r.Allow("mallory", now.Add(time.Minute)) {
		t.Error("it is not one a minute for each")
	}
	for i := range 10 { // more than are remembered
		if !r.Allow(strconv.Itoa(i), now) {
			t.Error("somebody new has none")
		}
	}
}
