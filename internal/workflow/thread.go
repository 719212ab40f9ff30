package workflow

import (
	"slices"
	"strings"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
)

// below is a reply below a card, or the next message in a requester's own conversation:
// which step, and where.
type below struct {
	to   pim.Conversation
	step string
	key  string
}

// repliesBelow are the replies below a card of on-call's for the steps that were not
// told there yet, and notes that they are now. That is stored with what the card shows,
// so each step is told once, unless the answer to the reply gets lost. The requester
// hears of steps that come together in one message, and of none again where a second
// card stands.
func repliesBelow(ref *store.Ref, sc *scene) []below {
	to, said := ref.Conversation, ref.Said
	if to.User != "" {
		said = sc.heard
	}
	var names []string
	for _, step := range sc.steps {
		if !slices.Contains(said, step.Name) {
			names = append(names, step.Name)
		}
	}
	ref.Said, sc.heard = append(ref.Said, names...), append(sc.heard, names...)
	switch {
	case len(names) == 0 || !ref.Adopted.IsZero():
		return nil
	case to.User != "":
		names = []string{strings.Join(names, ",")}
	case ref.Thread == "":
		return nil
	default:
		to.Thread = ref.Thread
	}
	var replies []below
	for _, name := range names {
		replies = append(replies, below{to, name, "step|" + string(sc.request.ID) + "|" + name + "|" + ref.ID})
	}
	return replies
}

func (s *Service) reply(tx *store.Tx, r *pim.Request, replies []below) error {
	for _, one := range replies {
		if err := s.putTell(tx, one.key, r.ID, one.to, message{Step: one.step}); err != nil {
			return err
		}
		if one.to.User == "" {
			continue
		}
		if err := s.putWhisper(tx, one.key, r, message{Step: one.step}); err != nil {
			return err
		}
	}
	return nil
}

// stepsFor are the steps of a request that are told to a viewer.
func stepsFor(v card.Viewer, r pim.Request, role pim.Role) []card.Told {
	switch v {
	case card.OnCall:
		return card.Progress(r, role)
	case card.Requester:
		return card.Heard(r, role)
	case card.Approvers: // their card is all they need
	}
	return nil
}

// steps draws steps of a request, as they are now, in one message; nil where they were
// taken back.
func steps(names string, to pim.Conversation) func(pim.Request, pim.Role, time.Time) *card.Card {
	wanted, v := strings.Split(names, ","), card.OnCall
	if to.User != "" {
		v = card.Requester
	}
	return func(r pim.Request, role pim.Role, _ time.Time) *card.Card {
		var drawn *card.Card
		for _, told := range stepsFor(v, r, role) {
			if !slices.Contains(wanted, told.Name) {
				continue
			}
			c := told.Card
			if drawn != nil {
				c.Lines = append(drawn.Lines, c.Lines...)
			}
			drawn = &c
		}
		return drawn
	}
}
