package bounded_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"elevate/internal/bounded"
)

func repeats(most int) *bounded.Repeats[string] {
	return bounded.NewRepeats(bounded.RepeatsConfig[string]{
		Life: time.Minute, Most: most, Weigh: func(s string) int { return len(s) }, Heaviest: 100,
		Again: func(s string) bool { return s == "again" }, Now: time.Now,
	})
}

func TestARepetitionGetsTheFirstAnswerForAsLongAsItIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, n := repeats(3), 0
		do := func(name string) string {
			t.Helper()
			v, err := r.Do(t.Context(), name, func() string { n++; return name + strconv.Itoa(n) })
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		if first := do("a"); do("a") != first || do("b") == first || n != 2 {
			t.Errorf("%d pieces of work for two names", n)
		}
		do("c")
		do("d") // there is room for three, so the oldest is forgotten
		if do("b"); n != 4 {
			t.Errorf("%d pieces of work", n)
		}
		if do("a"); n != 5 {
			t.Error("what was too much is still known")
		}
		time.Sleep(2 * time.Minute)
		if do("a"); n != 6 {
			t.Error("what was too old is still known")
		}
	})
}

func TestAnAnswerThatIsNotToBeKeptIsMadeAgain(t *testing.T) {
	r, n := repeats(10), 0
	for range 3 {
		if _, err := r.Do(t.Context(), "form", func() string { n++; return "again" }); err != nil {
			t.Fatal(err)
		}
	}
	if n != 3 {
		t.Errorf("%d pieces of work", n)
	}
}

func TestARepetitionIsNotLeftWaitingByAPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, began, goOn := repeats(10), make(chan struct{}), make(chan struct{})
		go func() {
			defer func() { _ = recover() }()
			_, _ = r.Do(context.Background(), "a", func() string {
				close(began)
				<-goOn
				panic("boom")
			})
		}()
		<-began
		short, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err := r.Do(short, "a", func() string { return "" }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a repetition that was given up came to %v", err)
		}
		ended := make(chan error)
		go func() {
			_, err := r.Do(context.Background(), "a", func() string { return "" })
			ended <- err
		}()
		synctest.Wait()
		close(goOn)
		if err := <-ended; !errors.Is(err, bounded.ErrFirstFailed) {
			t.Errorf("the repetition came to %v", err)
		}
		if v, err := r.Do(context.Background(), "a", func() string { return "new" }); v != "new" || err != nil {
			t.Errorf("%q, %v", v, err)
		}
	})
}
