package workflow

import (
	"context"
	"slices"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
)

const (
	// manyMost is how many of on-call's cards begin in a place within manyWithin. Five
	// still read as what happens; what comes beyond them is told of by one summary. It is
	// also what Slack takes of a place at once without complaint.
	manyMost   = 5
	manyWithin = time.Minute
	// manyLife is how long one summary takes up more. What comes later stands in a
	// new one, below what was said since.
	manyLife = time.Hour
)

// many is what is kept of on-call's cards in a place.
type many struct {
	// Newest are the times at which the newest requests came, manyMost at most.
	Newest []time.Time `json:"newest,omitempty"`
	// Summaries are those of whose requests some are not over yet, oldest first.
	Summaries []summary `json:"summaries,omitempty"`
}

// summary is one message for many requests.
type summary struct {
	Began    time.Time       `json:"began"`
	Joined   time.Time       `json:"joined"` // the newest of them
	Requests []pim.RequestID `json:"requests"`
	Stands   standing        `json:"stands,omitzero"`
}

func manyKept(to pim.Conversation) string { return "many|" + to.String() }

func manyOf(tx *store.Tx, to pim.Conversation) (many, error) {
	var m many
	_, err := tx.Meta(manyKept(to), &m)
	return m, err
}

func (m *many) put(tx *store.Tx, to pim.Conversation) error { return tx.PutMeta(manyKept(to), *m) }

// came notes that a request came to a place.
func (m *many) came(now time.Time) {
	m.Newest = append(m.Newest, now)
	m.Newest = m.Newest[max(len(m.Newest)-manyMost, 0):]
}

// full reports whether so many came lately that the next one has no card of its own.
// Those that stand in a summary count too: cards begin again when it is quiet.
func (m *many) full(now time.Time) bool {
	return len(m.Newest) == manyMost && now.Sub(m.Newest[0]).Abs() < manyWithin
}

// loud reports whether on-call has to hear of a request by a card of its own,
// however many there are.
func loud(r *pim.Request) bool {
	return r.Review != nil || r.State == pim.Granting && r.Late || r.State == pim.Ended && r.StillBy != ""
}

// joined has a request told of in the newest summary of a place.
func (m *many) joined(id pim.RequestID, now time.Time) {
	last := len(m.Summaries) - 1
	if last < 0 || now.Sub(m.Summaries[last].Began) > manyLife {
		m.Summaries = append(m.Summaries, summary{Began: now})
		last++
	}
	s := &m.Summaries[last]
	s.Joined, s.Requests = now, append(s.Requests, id)
}

// summed reports whether on-call is told of a request in a summary of the place.
func summed(r *pim.Request, to pim.Conversation) bool { return slices.Contains(r.Summed, to.String()) }

// roomOnCall reports whether on-call gets a card of a request of which none stands.
func roomOnCall(tx *store.Tx, r *pim.Request, to pim.Conversation) (bool, error) {
	if loud(r) || summed(r, to) {
		return loud(r), nil
	}
	m, err := manyOf(tx, to)
	return !m.full(tx.Now()), err
}

// noteCame notes a card of on-call's that was posted.
func noteCame(tx *store.Tx, to pim.Conversation) error {
	m, err := manyOf(tx, to)
	if err != nil {
		return err
	}
	m.came(tx.Now())
	return m.put(tx, to)
}

// sum has on-call told of a request in a summary, from now on.
func (s *Service) sum(tx *store.Tx, id pim.RequestID, to pim.Conversation) error {
	r, err := tx.Request(id)
	if err != nil {
		return err
	}
	if !summed(&r, to) {
		m, err := manyOf(tx, to)
		if err != nil {
			return err
		}
		m.came(tx.Now())
		m.joined(id, tx.Now())
		if err := m.put(tx, to); err != nil {
			return err
		}
		r.Summed = append(r.Summed, to.String())
		if err := tx.PutRequest(r); err != nil {
			return err
		}
	}
	return s.putBoard(tx, boardMany, to)
}

// turnSummary has the summary drawn in which a request is told of beside its card.
func (s *Service) turnSummary(tx *store.Tx, r *pim.Request, at spot) error {
	if at.viewer != card.OnCall || !summed(r, at.to) {
		return nil
	}
	return s.putBoard(tx, boardMany, at.to)
}

// showMany draws the summaries of a place. One whose requests are all over is drawn
// once more, and forgotten.
func (s *Service) showMany(ctx context.Context, to pim.Conversation) (more bool, err error) {
	var m many
	var pages []card.Many
	var people []card.OnCallPerson
	err = s.cfg.Store.View(func(tx *store.Tx) error {
		var err error
		if m, err = manyOf(tx, to); err != nil {
			return err
		}
		if people, err = s.onCallNow(tx, to); err != nil {
			return err
		}
		pages = nil
		for _, one := range m.Summaries {
			page, err := s.manyPage(tx, one)
			if err != nil {
				return err
			}
			pages = append(pages, page)
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	for i, one := range m.Summaries {
		drawn := card.ManyAtOnce(pages[i])
		first := drawn
		first.Call(people)
		err := s.stand(ctx, kept{
			to: to, was: one.Stands, drawn: drawn, first: first, begun: one.Joined,
			save: func(tx *store.Tx, st standing) error {
				return changeSummary(tx, to, one.Began, func(kept *summary) { kept.Stands = st })
			},
		})
		if err != nil {
			return false, err
		}
		if pages[i].Open() {
			continue
		}
		if err := s.forgetSummary(to, one); err != nil {
			return false, err
		}
	}
	return false, nil
}

func (s *Service) manyPage(tx *store.Tx, one summary) (card.Many, error) {
	page := card.Many{Began: one.Began, Roles: s.cfg.Roles}
	for _, id := range one.Requests {
		r, err := tx.Request(id)
		if err != nil {
			return page, err
		}
		page.Requests = append(page.Requests, r)
	}
	slices.SortStableFunc(page.Requests, func(a, b pim.Request) int { return a.MemberSince.Compare(b.MemberSince) })
	return page, nil
}

// changeSummary changes one of a place's summaries, if it is there still.
func changeSummary(tx *store.Tx, to pim.Conversation, began time.Time, change func(*summary)) error {
	m, err := manyOf(tx, to)
	if err != nil {
		return err
	}
	for i := range m.Summaries {
		if m.Summaries[i].Began.Equal(began) {
			change(&m.Summaries[i])
		}
	}
	return m.put(tx, to)
}

// forgetSummary forgets a summary, unless more came since it was drawn.
func (s *Service) forgetSummary(to pim.Conversation, drawn summary) error {
	return s.update(func(tx *store.Tx) error {
		m, err := manyOf(tx, to)
		if err != nil {
			return err
		}
		m.Summaries = slices.DeleteFunc(m.Summaries, func(one summary) bool {
			return one.Began.Equal(drawn.Began) && len(one.Requests) == len(drawn.Requests)
		})
		return m.put(tx, to)
	})
}
