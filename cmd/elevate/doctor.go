package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"

	"elevate/adapters/entra"
	"elevate/adapters/slack"
	"elevate/adapters/teams"
	"elevate/internal/config"
	"elevate/internal/pim"
	"elevate/internal/tenant"
)

// verdict is what a check came to.
type verdict string

const (
	fine    verdict = "ok"
	warning verdict = "warning"
	wrong   verdict = "wrong"
)

// checked is one check of doctor's.
type checked struct {
	About   string  `json:"about"`
	What    string  `json:"what"`
	Verdict verdict `json:"verdict"`
	Said    string  `json:"said,omitempty"`
	Mend    string  `json:"mend,omitempty"` // what to do, where it is not fine
}

// doctor looks at an installation from outside, and changes nothing.
type doctor struct {
	cfg       *config.Config
	transport http.RoundTripper
	log       *slog.Logger
	now       func() time.Time
	// order asks a running serve, or the state file.
	order func(ctx context.Context, words []string) ([]byte, error)
	tell  func(checked)

	// The bot's own clients, where it looks at itself; else nil.
	entraOwn *entra.Client
	slackOwn *slack.Client
	teamsOwn *teams.Client

	wrongs, warnings int
	roles            []roleSeen
	named            tenant.Actual // the approvers that the settings name
}

// doctorWithin bounds each part, so that one service that does not answer holds no other.
const doctorWithin = 30 * time.Second

func (p program) doctorCommand() *ffcli.Command {
	set := p.flags("doctor")
	path := set.String("config", "", "the settings `FILE` (required)")
	asJSON := set.Bool("json", false, "print one JSON object a line")
	return &ffcli.Command{
		Name: "doctor", ShortUsage: "elevate doctor -config FILE [-json]", FlagSet: set,
		ShortHelp: "check settings, state, Entra, roles and chats, and say what to mend",
		Exec: func(ctx context.Context, args []string) error {
			if err := noWords(args); err != nil {
				return err
			}
			cfg, err := p.load(*path)
			if err != nil {
				return err
			}
			way := newTransport()
			d := &doctor{
				cfg: cfg, transport: way, log: slog.New(slog.DiscardHandler), now: time.Now, tell: teller(p.out, *asJSON),
				order: func(ctx context.Context, words []string) ([]byte, error) {
					var out bytes.Buffer
					err := p.operate(ctx, *path, order{Words: words}, &out)
					return out.Bytes(), err
				},
			}
			if cfg.SandboxClock != "" {
				ctx, stop := context.WithCancel(ctx)
				defer stop()
				d.now = newSandboxClock(ctx, cfg.SandboxClock, &http.Client{Transport: way, Timeout: 5 * time.Second}).Now
			}
			return d.run(ctx)
		},
	}
}

// teller prints a check as it is made.
func teller(out io.Writer, asJSON bool) func(checked) {
	about := ""
	return func(c checked) {
		if asJSON {
			raw, err := json.Marshal(c)
			if err == nil {
				fmt.Fprintf(out, "%s\n", raw)
			}
			return
		}
		if c.About != about {
			about = c.About
			fmt.Fprintf(out, "\n%s\n", about)
		}
		sign := map[verdict]string{fine: "✓", warning: "!", wrong: "✗"}[c.Verdict]
		fmt.Fprintf(out, "  %s %s\n", sign, strings.TrimSuffix(c.What+": "+c.Said, ": "))
		if c.Mend != "" {
			fmt.Fprintf(out, "      %s\n", c.Mend)
		}
	}
}

// errUnwell is told when something is wrong.
var errUnwell = errors.New("something is wrong; what to mend stands above")

func (d *doctor) run(ctx context.Context) error {
	d.check(ctx, d.settings, d.entra, d.eachRole, d.state, d.slack, d.teams, d.pagerDuty)
	if d.wrongs > 0 {
		return errUnwell
	}
	return nil
}

func (d *doctor) check(ctx context.Context, parts ...func(context.Context)) {
	for _, part := range parts {
		ctx, cancel := context.WithTimeout(ctx, doctorWithin)
		part(ctx)
		cancel()
		if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
			d.says("Time", "one part", wrong, "a service did not answer within half a minute", "Look at the network and run doctor again.")
		}
	}
}

func (d *doctor) says(about, what string, v verdict, said, mend string) {
	switch v {
	case wrong:
		d.wrongs++
	case warning:
		d.warnings++
	case fine:
	}
	d.tell(checked{About: about, What: what, Verdict: v, Said: said, Mend: mend})
}

// unreachable is what to do where a service was not reached at all.
const unreachable = "Look at the network, the proxy and the certificates that this machine trusts (SSL_CERT_FILE), and at the service's status page."

// failed says what kept a check from being made, and what is known of that.
func (d *doctor) failed(about, what string, err error, mend string) {
	e := pim.Explain(err)
	said := e.Message
	if e.Code != "" && !strings.Contains(said, e.Code) {
		said = strings.TrimSuffix(said, ".") + " (" + e.Code + ")."
	}
	if e.Kind == pim.Unavailable || e.Kind == pim.Throttled {
		mend = unreachable
	}
	d.says(about, what, wrong, said, mend)
}
