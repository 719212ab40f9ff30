package sim

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"elevate/internal/sim/simchat"
	"elevate/internal/sim/simentra"
	"elevate/internal/sim/simslack"
	"elevate/internal/sim/simteams"
)

// breakage is a fault as it was asked for.
type breakage struct {
	method string
	kind   string
	times  int
	after  time.Duration
}

// commonFault says whether a word is a fault that all services know.
func commonFault(word string) bool {
	return slices.Contains([]string{"429", "5xx", "no", "reset", "slow"}, word)
}

// readBreakage reads [METHOD] KIND [TIMES] [after DURATION].
func readBreakage(words []string, known func(string) bool) (breakage, bool) {
	b := breakage{after: 5 * time.Second}
	said := clauses(words, "after")
	for _, word := range said[""] {
		n, err := strconv.Atoi(word)
		switch {
		case b.kind == "" && known(word):
			b.kind = word
		case err == nil && n > 0 && b.kind != "":
			b.times = n
		case b.method == "" && b.kind == "":
			b.method = word
		default:
			return b, false
		}
	}
	if after := said["after"]; len(after) == 1 {
		d, err := time.ParseDuration(after[0])
		if err != nil {
			return b, false
		}
		b.after = d
	}
	return b, b.kind != ""
}

func (s *Sandbox) actBreak(words []string) (Result, error) {
	if len(words) == 0 {
		return Result{}, unknown([]string{"break"})
	}
	known := commonFault
	if words[0] == "teams" {
		known = func(word string) bool { return simteams.KnownFault(simteams.FaultKind(word)) }
	}
	b, ok := readBreakage(words[1:], known)
	if !ok {
		return Result{}, unknown(append([]string{"break"}, words...))
	}
	switch words[0] {
	case "slack":
		s.Slack.Break(b.method, simslack.Fault{Kind: simslack.FaultKind(b.kind), Times: b.times, RetryAfter: b.after, Delay: b.after})
	case "teams":
		s.Teams.Break(b.method, simteams.Fault{Kind: simteams.FaultKind(b.kind), Times: b.times, RetryAfter: b.after, Delay: b.after})
	case "pagerduty":
		s.PagerDuty.Break(b.method, simchat.Fault{Kind: simchat.FaultKind(b.kind), Times: b.times, RetryAfter: b.after, Delay: b.after})
	case "graph", "login":
		s.breakEntra(words[0], b)
	default:
		return Result{}, unknown(append([]string{"break"}, words...))
	}
	return Result{Text: "broken: " + strings.Join(words, " ")}, nil
}

// breakEntra makes calls of Graph or of the sign-in service fail. METHOD is part of the path.
func (s *Sandbox) breakEntra(side string, b breakage) {
	f := simentra.Fault{Side: side, Path: b.method, Count: b.times}
	switch b.kind {
	case "429":
		f.Status, f.RetryAfter = http.StatusTooManyRequests, strconv.Itoa(int(b.after.Seconds()))
	case "5xx":
		f.Status, f.Body = http.StatusBadGateway, simentra.BodyHTML
	case "no":
		f.Status, f.Body = http.StatusInternalServerError, simentra.BodyObject
	case "reset":
		f.Drop, f.AfterWork = true, true
	case "slow":
		f.Delay = b.after
	}
	s.Entra.Break(f)
}

func (s *Sandbox) actHeal() (Result, error) {
	s.Slack.Heal()
	s.Teams.Heal()
	s.PagerDuty.Heal()
	s.Entra.Mend()
	return Result{Text: "everything works again"}, nil
}
