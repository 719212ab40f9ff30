package teams

import (
	"net/http"
	"time"

	"elevate/internal/bounded"
)

// For how long, how many and how many bytes of answers are kept for what comes
// twice: Teams sends an activity again when the answer was late, and people click
// twice.
const (
	repeatLife  = 10 * time.Minute
	mostRepeats = 10_000
	mostAnswers = 4 << 20
)

func newRepeats(now func() time.Time) *bounded.Repeats[encoded] {
	return bounded.NewRepeats(bounded.RepeatsConfig[encoded]{
		Life: repeatLife, Most: mostRepeats, Heaviest: mostAnswers, Now: now,
		Weigh: func(e encoded) int { return len(e.body) },
		// One that says that something went wrong is not kept: another try is welcome.
		Again: func(e encoded) bool { return e.status >= http.StatusInternalServerError },
	})
}
