package sim

import (
	"context"
	"fmt"
	"strings"
	"time"

	"elevate/internal/sim/simchat"
)

const (
	answerWithin = 2 * time.Second        // how long an act waits for something to appear
	quiet        = 150 * time.Millisecond // when nothing changes for so long, the answer is complete
	watchWithin  = 30 * time.Second       // how long sees … until waits
)

// chat is one of the two, as far as acts watch what a person sees there.
type chat struct {
	revision func() int
	waitFor  func(context.Context, func() bool) error
	// heard is what others said to a person after a revision, sees is all that stands there.
	heard func(ctx context.Context, person string, after int) ([]simchat.Shown, error)
	sees  func(ctx context.Context, person string) ([]simchat.Shown, error)
}

func (s *Sandbox) slackChat() chat {
	return chat{
		revision: s.Slack.Revision, waitFor: s.Slack.WaitFor,
		heard: func(_ context.Context, person string, after int) ([]simchat.Shown, error) {
			return s.Slack.Sees(person, after)
		},
		sees: func(_ context.Context, person string) ([]simchat.Shown, error) { return s.Slack.Sees(person, 0) },
	}
}

// after shows what a person sees once an act was answered.
func (c chat) after(ctx context.Context, person string, before int, r Result, err error) (Result, error) {
	r, err = failed(r, err)
	if err != nil {
		return r, err
	}
	c.settle(ctx, person, before)
	r.Shown, err = c.heard(ctx, person, before)
	r.Text = draw(r)
	return r, err
}

// settle waits until something appeared for a person, and then until nothing more does.
func (c chat) settle(ctx context.Context, person string, before int) {
	something := func() bool {
		shown, err := c.heard(ctx, person, before)
		return err != nil || len(shown) > 0
	}
	waiting, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	if c.waitFor(waiting, something) != nil {
		return
	}
	for range 10 {
		at := c.revision()
		calm, stop := context.WithTimeout(ctx, quiet)
		err := c.waitFor(calm, func() bool { return c.revision() != at })
		stop()
		if err != nil {
			return
		}
	}
}

// draw is a result as text.
func draw(r Result) string {
	var parts []string
	if r.Confirm != "" {
		parts = append(parts, "(confirmed) "+r.Confirm)
	}
	for _, shown := range r.Shown {
		head := shown.Where
		if shown.Ephemeral {
			head += " (only you)"
		}
		if shown.Thread != "" {
			head += " (in a thread)"
		}
		parts = append(parts, "— "+head+"\n"+shown.Text)
	}
	if r.Failed != "" && len(r.Shown) == 0 {
		parts = append(parts, r.Failed)
	}
	return strings.Join(parts, "\n\n")
}

// watch lists what stands somewhere, and waits for words to appear when asked to.
func (c chat) watch(ctx context.Context, person string, words []string) (Result, error) {
	said := clauses(words, "until", "within")
	place := strings.Join(said[""], " ")
	until := strings.Join(said["until"], " ")
	within, err := duration(said["within"], watchWithin)
	if err != nil {
		return Result{}, err
	}
	var r Result
	look := func() bool {
		r.Shown, err = c.sees(ctx, person)
		r.Shown = inPlace(r.Shown, place)
		r.Text = draw(r)
		return err != nil || until == "" || strings.Contains(strings.ToLower(r.Text), strings.ToLower(until))
	}
	waiting, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if waitErr := c.waitFor(waiting, look); waitErr != nil {
		return r, fmt.Errorf("%s does not see %q there", person, until)
	}
	if r.Text == "" {
		r.Text = "(nothing)"
	}
	return r, err
}

func duration(words []string, otherwise time.Duration) (time.Duration, error) {
	if len(words) == 0 {
		return otherwise, nil
	}
	return time.ParseDuration(words[0])
}

func inPlace(shown []simchat.Shown, place string) []simchat.Shown {
	if place == "" {
		return shown
	}
	var there []simchat.Shown
	for _, one := range shown {
		if one.Where == place || one.Channel == place || one.Where == "#"+place {
			there = append(there, one)
		}
	}
	return there
}
