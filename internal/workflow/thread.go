package workflow

import (
	"slices"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
)

// below is a reply below a card: which step, and where.
type below struct {
	to   pim.Conversation
	step string
	key  string
}

// repliesBelow are the replies below a card of on-call's for the steps that were not
// told there yet, and notes that they are now. That is stored with what the card shows,
// so each step is told once, unless the answer to the reply gets lost.
func repliesBelow(ref *store.Ref, sc scene) []below {
	var replies []below
	for _, step := range sc.steps {
		if slices.Contains(ref.Said, step.Name) {
			continue
		}
		ref.Said = append(ref.Said, step.Name)
		if ref.Thread == "" || !ref.Adopted.IsZero() {
			continue
		}
		to := ref.Conversation
		to.Thread = ref.Thread
		replies = append(replies, below{to, step.Name, "step|" + string(sc.request.ID) + "|" + step.Name + "|" + ref.ID})
	}
	return replies
}

func (s *Service) reply(tx *store.Tx, id pim.RequestID, replies []below) error {
	for _, r := range replies {
		if err := s.putTell(tx, r.key, id, r.to, message{Step: r.step}); err != nil {
			return err
		}
	}
	return nil
}

// step draws one step of a request as it is now; nil where it was taken back.
func step(name string) func(pim.Request, pim.Role, time.Time) *card.Card {
	return func(r pim.Request, role pim.Role, _ time.Time) *card.Card {
		for _, told := range card.Progress(r, role) {
			if told.Name == name {
				return &told.Card
			}
		}
		return nil
	}
}
