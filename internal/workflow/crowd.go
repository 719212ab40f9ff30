package workflow

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
)

// crowdMost is how many requests have a card in a place where approvers are asked:
// as many as a list shows, and as somebody would scroll through. The others follow,
// oldest first, as these are decided.
const crowdMost = 20

// crowdOfOne is how many of these are one person's at most, so that nobody who asks for
// much keeps the others without a card.
const crowdOfOne = crowdMost / 2

// crowdRemind is how often approvers are reminded of a crowd as a whole.
const crowdRemind = 15 * time.Minute

// crowd is what waits for approvers in a place.
type crowd struct {
	// Open are the requests that have a card there, or get one now. Those that were
	// decided since leave it when the next one comes.
	Open []pim.RequestID `json:"open,omitempty"`
	// More are those that wait without one, oldest first.
	More []queued `json:"more,omitempty"`
	// Joined is when the newest of them came, and Reminded when approvers were last
	// reminded of them.
	Joined   time.Time `json:"joined,omitzero"`
	Reminded time.Time `json:"reminded,omitzero"`
	Stands   standing  `json:"stands,omitzero"`
}

// queued is a request that waits without a card, with when it was asked for.
type queued struct {
	ID    pim.RequestID `json:"id"`
	Asked time.Time     `json:"asked"`
}

func crowdKept(to pim.Conversation) string { return "crowd|" + to.String() }

func crowdOf(tx *store.Tx, to pim.Conversation) (crowd, error) {
	var c crowd
	_, err := tx.Meta(crowdKept(to), &c)
	return c, err
}

// crowded reports whether requests wait in a place without a card.
func crowded(tx *store.Tx, to pim.Conversation) (bool, error) {
	c, err := crowdOf(tx, to)
	return len(c.More) > 0, err
}

func (c *crowd) put(tx *store.Tx, to pim.Conversation) error { return tx.PutMeta(crowdKept(to), *c) }

// has reports whether a request has a card, or is to get one.
func (c *crowd) has(id pim.RequestID) bool { return slices.Contains(c.Open, id) }

// join has a request wait without a card. Of those that were asked for at the same
// moment, the ids decide, so that the order is the same whoever comes first.
func (c *crowd) join(r *pim.Request, now time.Time) {
	at, there := slices.BinarySearchFunc(c.More, queued{r.ID, r.Created}, older)
	if !there {
		c.More, c.Joined = slices.Insert(c.More, at, queued{r.ID, r.Created}), now
	}
}

func older(a, b queued) int {
	return cmp.Or(a.Asked.Compare(b.Asked), strings.Compare(string(a.ID), string(b.ID)))
}

// prune takes out of the open ones what is decided, and counts the others by whose they are.
func (c *crowd) prune(tx *store.Tx) (map[pim.PrincipalID]int, error) {
	held := map[pim.PrincipalID]int{}
	var open []pim.RequestID
	for _, id := range c.Open {
		r, err := tx.Request(id)
		if err != nil {
			return nil, err
		}
		if wanted(&r, card.Approvers) {
			open = append(open, id)
			held[r.Principal]++
		}
	}
	c.Open = open
	return held, nil
}

// roomApprovers reports whether a request gets a card in a place where none stands. While
// others wait for one, it is given by who is oldest.
func roomApprovers(tx *store.Tx, r *pim.Request, to pim.Conversation) (bool, error) {
	c, err := crowdOf(tx, to)
	if err != nil || c.has(r.ID) {
		return c.has(r.ID), err
	}
	held, err := c.prune(tx)
	return len(c.More) == 0 && len(c.Open) < crowdMost && held[r.Principal] < crowdOfOne, err
}

// noteAsked notes that a request has a card in a place.
func noteAsked(tx *store.Tx, id pim.RequestID, to pim.Conversation) error {
	c, err := crowdOf(tx, to)
	if err != nil || c.has(id) {
		return err
	}
	if _, err := c.prune(tx); err != nil {
		return err
	}
	c.Open = append(c.Open, id)
	return c.put(tx, to)
}

// waitForRoom has a request wait without a card until it is among the oldest.
func (s *Service) waitForRoom(tx *store.Tx, id pim.RequestID, to pim.Conversation) error {
	r, err := tx.Request(id)
	if err != nil || !wanted(&r, card.Approvers) {
		return err
	}
	c, err := crowdOf(tx, to)
	if err != nil {
		return err
	}
	if !c.has(id) {
		c.join(&r, tx.Now())
		if err := c.put(tx, to); err != nil {
			return err
		}
	}
	return s.putBoard(tx, boardWaiting, to)
}

// turnCrowds has the places looked at in which a request waits no more: the next
// one may get a card there. An access that is there was decided before.
func (s *Service) turnCrowds(tx *store.Tx, r *pim.Request) error {
	if wanted(r, card.Approvers) || r.Copy.ID == "" || r.State == pim.Active || r.State == pim.Ended {
		return nil
	}
	role, _ := s.cfg.Roles.Named(r.Role)
	direct, err := s.approversDirect(tx, r, role)
	if err != nil {
		return err
	}
	for _, to := range slices.Concat(role.Ask, role.Remind.Escalate, direct) {
		// While some wait without a card, the effect is there.
		if _, crowded, err := tx.Effect(boardKey(boardWaiting, to)); err != nil || !crowded {
			if err != nil {
				return err
			}
			continue
		}
		if err := s.putBoard(tx, boardWaiting, to); err != nil {
			return err
		}
	}
	return nil
}

// showWaiting gives cards to the oldest that have none, as far as there is room, and
// draws the summary of the rest.
func (s *Service) showWaiting(ctx context.Context, to pim.Conversation) (more bool, err error) {
	var c crowd
	var page card.Crowd
	err = s.update(func(tx *store.Tx) (err error) {
		if c, err = crowdOf(tx, to); err != nil {
			return err
		}
		page, err = s.admit(tx, &c, to)
		return err
	})
	if err != nil {
		return false, err
	}
	drawn := card.CrowdWaits(page)
	err = s.stand(ctx, kept{
		to: to, was: c.Stands, drawn: drawn, first: drawn, begun: c.Joined,
		save: func(tx *store.Tx, st standing) error {
			now, err := crowdOf(tx, to)
			if err != nil {
				return err
			}
			now.Stands = st
			return now.put(tx, to)
		},
	})
	if err != nil || len(c.More) > 0 {
		return true, err
	}
	return false, s.crowdOver(to)
}

// admit moves the oldest that wait without a card to those that get one.
func (s *Service) admit(tx *store.Tx, c *crowd, to pim.Conversation) (page card.Crowd, err error) {
	held, err := c.prune(tx)
	if err != nil {
		return page, err
	}
	var more []queued
	for _, q := range c.More {
		r, err := tx.Request(q.ID)
		if err != nil {
			return page, err
		}
		strange, err := s.stranger(tx, &r, to)
		switch {
		case err != nil:
			return page, err
		case strange || !wanted(&r, card.Approvers):
			continue
		case len(c.Open) >= crowdMost || held[r.Principal] >= crowdOfOne:
			more, page.Requests = append(more, q), append(page.Requests, r)
			continue
		}
		c.Open = append(c.Open, q.ID)
		held[r.Principal]++
		if err := s.putCards(tx, &r, []spot{{to, card.Approvers}}); err != nil {
			return page, err
		}
	}
	c.More = more
	page.Cards, page.Roles = len(c.Open), s.cfg.Roles
	return page, c.put(tx, to)
}

// crowdOver forgets the summary's message, unless somebody joined meanwhile: the next
// crowd has one of its own, below what was said since.
func (s *Service) crowdOver(to pim.Conversation) error {
	return s.update(func(tx *store.Tx) error {
		c, err := crowdOf(tx, to)
		if err != nil || len(c.More) > 0 {
			return err
		}
		c.Stands, c.Joined, c.Reminded = standing{}, time.Time{}, time.Time{}
		return c.put(tx, to)
	})
}

// remindOfCrowd reminds approvers of all that waits in a place, instead of posting a
// card of each once more.
func (s *Service) remindOfCrowd(tx *store.Tx, to pim.Conversation) error {
	c, err := crowdOf(tx, to)
	if err != nil || tx.Now().Sub(c.Reminded).Abs() < crowdRemind {
		return err
	}
	c.Reminded = tx.Now()
	if err := c.put(tx, to); err != nil {
		return err
	}
	text := fmt.Sprintf("%d requests still wait for a decision. Their cards and one summary stand above; /elevate approvals lists what waits for you, oldest first.", len(c.Open)+len(c.More))
	return s.putTell(tx, "crowd", "", to, message{Text: text})
}
