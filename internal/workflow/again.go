package workflow

import (
	"context"
	"slices"
	"sync"
	"time"

	"elevate/internal/bounded"
	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
)

// onceLife is how long a repeated step gets the first one's answer, and seenLife
// how long it is known which request it led to: a signature of Slack's is accepted
// for five minutes, a token of the Bot Framework's is good for an hour.
const (
	onceLife = 15 * time.Minute
	seenLife = 70 * time.Minute
)

// How many answers are kept in memory for steps that arrive twice, and how many
// bytes they take, roughly. The state file knows for longer which request a step
// led to.
const (
	answersMost     = 5_000
	answersHeaviest = 4 << 20
)

func newAnswers(now func() time.Time) *bounded.Repeats[Reply] {
	return bounded.NewRepeats(bounded.RepeatsConfig[Reply]{
		Life: onceLife, Most: answersMost, Weigh: weigh, Heaviest: answersHeaviest, Now: now,
		// Nothing was done about a form that stays open.
		Again: func(r Reply) bool { return len(r.Errors) > 0 },
	})
}

// laterParts is what an answer that reads after it weighs: it holds what was typed,
// and then what was read.
const laterParts = 32

// weigh says about how many bytes an answer takes.
func weigh(r Reply) int {
	const perPart = 256 // a span of a text, whose words are short
	parts := 4
	if r.Later != nil {
		parts += laterParts
	}
	if r.Card != nil {
		parts += 2*len(r.Card.Buttons) + len(r.Card.Steps)
		for _, t := range slices.Concat(r.Card.Lines, r.Card.Notes) {
			parts += len(t)
		}
		for _, f := range r.Card.Facts {
			parts += 1 + len(f.Value)
		}
		for _, section := range r.Card.Sections {
			for _, row := range section.Rows {
				parts += 1 + len(row.Text) + 2*len(row.Buttons)
			}
		}
	}
	if r.Form != nil {
		for _, f := range r.Form.Fields {
			parts += 1 + len(f.Options)
		}
	}
	return parts * perPart
}

// once carries out a step, or gives what arrives again the first one's answer:
// the same to the last word, also where nothing was written.
func (s *Service) once(ctx context.Context, from Sender, step func() Reply) Reply {
	if from.Once == "" {
		return step()
	}
	r, err := s.answers.Do(ctx, onceKey(from), func() Reply { return sameLater(step()) })
	if err != nil {
		return problem(pim.Errorf(pim.Unavailable, "This arrived twice, and the first is still being worked on. `/elevate status` shows what came of it."))
	}
	return r
}

// sameLater keeps what an answer reads after it for those that arrive again.
func sameLater(r Reply) Reply {
	if r.Later == nil {
		return r
	}
	later := r.Later
	var first sync.Once
	var read card.Card
	r.Later = func(ctx context.Context) card.Card {
		first.Do(func() { read = later(ctx) })
		return read
	}
	return r
}

// asItIs answers a step whose first answer is not known any more, as after a
// restart, with the request as it is now.
func (s *Service) asItIs(from Sender, r pim.Request, v card.Viewer) Reply {
	hears := false
	view := card.View{Viewer: v, Now: s.cfg.Now(), Chat: r.Chat, ApproverNames: r.Approvers, PortalURL: s.cfg.PIMPage}
	err := s.cfg.Store.View(func(tx *store.Tx) error {
		who, err := s.identify(tx, from.Account, from.Name)
		if err != nil {
			return err
		}
		if hears = owns(&r, who) || r.Requester.Person == "" && r.Requester.Account == from.Account; !hears {
			_, hears, err = s.viewerFor(tx, &r, who)
		}
		if err != nil {
			return err
		}
		return s.viewRefusal(tx, &r, &view)
	})
	switch {
	case err != nil:
		return s.notDone(err)
	case !hears:
		return s.signInFirst(from) // the link has ended since
	}
	role, _ := s.cfg.Roles.Named(r.Role)
	drawn := card.ForRequest(r, role, view)
	drawn.Buttons = nil // it is no card of the request's, so it would never turn
	return reply(drawn)
}
