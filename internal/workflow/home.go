package workflow

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
)

// A Homer is a Messenger whose chat has a page for each person.
type Homer interface {
	ShowHome(ctx context.Context, a pim.ChatAccount, c card.Card) error
}

const (
	homesMost  = 200            // pages that are kept current
	homeLife   = 24 * time.Hour // after it was opened
	homesEvery = 2 * time.Second
	homesIdle  = 15 * time.Minute // between rounds that nothing asked for
	// Slack takes about a hundred pages a minute of an app, some of which are of
	// people who open theirs at that moment.
	homesAtOnce  = 8 // shown without a pause
	homesPause   = 750 * time.Millisecond
	homesReadPer = 4 // people whose eligibilities a round has read
	// homesReadEvery is how often the same person's are asked for.
	homesReadEvery = 10 * time.Minute
)

// homes remembers who opened their page lately, in memory only: whoever opens it
// is told what is so, whatever was remembered.
type homes struct {
	mu    sync.Mutex
	by    map[pim.ChatAccount]*home
	round time.Time // when the last one began
	pace  *rate.Limiter
}

// home is one person's page: their Home tab, or in a chat that has none the newest
// answer to status.
type home struct {
	account pim.ChatAccount
	answer  pim.MessageRef           // zero for a Home tab
	links   map[pim.RequestID]string // the sign-in links that the answer holds
	opened  time.Time
	tried   time.Time // when a round last came to it

	mu    sync.Mutex // held while it is drawn and shown, so that an older drawing never comes last
	shows string     // the hash of what it shows; "" where that is not known
	old   bool       // the person's eligibilities are old, or not known
	read  time.Time  // when they were last asked for
}

// wantsReading reports whether a person's eligibilities are to be read again.
func (h *home) wantsReading(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.old || now.Sub(h.read) < homesReadEvery {
		return false
	}
	h.read = now
	return true
}

// open remembers that somebody opened their page. There is an end to how many
// are remembered; it is those who opened theirs last.
func (h *homes) open(a pim.ChatAccount, now time.Time) *home {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.by == nil {
		h.by = map[pim.ChatAccount]*home{}
	}
	page := h.by[a]
	if page == nil {
		if len(h.by) >= homesMost {
			delete(h.by, slices.MinFunc(h.listed(), func(a, b *home) int { return a.opened.Compare(b.opened) }).account)
		}
		page = &home{account: a}
		h.by[a] = page
	}
	page.opened = now
	return page
}

func (h *homes) listed() []*home {
	var all []*home
	for _, page := range h.by {
		all = append(all, page)
	}
	return all
}

// begin begins a round: those whose turn is longest ago come first.
func (h *homes) begin(now time.Time) []*home {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.round = now
	for a, page := range h.by {
		if now.Sub(page.opened) > homeLife {
			delete(h.by, a)
		}
	}
	all := h.listed()
	slices.SortFunc(all, func(a, b *home) int {
		return cmp.Or(a.tried.Compare(b.tried), cmp.Compare(a.account.User, b.account.User))
	})
	return all
}

func (h *homes) forget(page *home) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.by[page.account] == page {
		delete(h.by, page.account)
	}
}

// next is when a round may begin; false while nobody's page is remembered.
func (h *homes) next(now time.Time) (time.Time, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	due := h.round.Add(homesEvery)
	if due.Before(now) || due.Sub(now) > homesEvery {
		due = now
	}
	return due, len(h.by) > 0
}

// turnHomes has the pages looked at that people opened lately, as soon as a round
// may begin: what is shown there may have changed.
func (s *Service) turnHomes(tx *store.Tx) error {
	due, some := s.homes.next(tx.Now())
	if !some {
		return nil
	}
	return tx.PutEffect(store.Effect{Key: kindHomes, Kind: kindHomes, Lane: kindHomes, Due: due})
}

// homesTurned is turnHomes after something that was written already.
func (s *Service) homesTurned() {
	if _, some := s.homes.next(s.cfg.Now()); !some {
		return
	}
	if err := s.update(s.turnHomes); err != nil {
		s.cfg.Logger.Warn("homes_not_turned", "error", err)
	}
}

// OpenHome shows somebody their page: at once what is known, and completed when
// the rest was read. It is then kept current.
func (s *Service) OpenHome(ctx context.Context, from Sender) error {
	page := s.homes.open(from.Account, s.cfg.Now())
	_, err := s.showHome(ctx, page, true)
	if never(err) {
		s.homes.forget(page)
		return err
	}
	stored := s.update(func(tx *store.Tx) error {
		who, err := s.identify(tx, from.Account, from.Name)
		if err != nil {
			return err
		}
		if err := s.readEligible(tx, who); err != nil {
			return err
		}
		return s.turnHomes(tx)
	})
	return cmp.Or(err, stored)
}

// never reports whether a chat will not show a page, by itself, later on.
func never(err error) bool {
	if err == nil {
		return false
	}
	switch pim.Explain(err).Kind { //nolint:exhaustive // the others pass
	case pim.Throttled, pim.Unavailable, pim.AnswerLost, pim.Administered:
		return false
	}
	return true
}

// keepStatus has an answer to status follow what happens, as a Home tab does. The one
// before it stays as it is.
func (s *Service) keepStatus(a pim.ChatAccount, ref pim.MessageRef, drawn card.Card, links map[pim.RequestID]string) {
	page := s.homes.open(a, s.cfg.Now())
	page.mu.Lock()
	page.answer, page.links, page.shows, page.old = ref, links, hashOf(drawn), true
	page.mu.Unlock()
	s.homesTurned()
}

// showHomes is a round: it draws the pages that are remembered, and shows those
// that changed, no faster than Slack takes them.
func (s *Service) showHomes(ctx context.Context, _ store.Effect) (result, error) {
	read := 0
	pages := s.homes.begin(s.cfg.Now())
	for _, page := range pages {
		if s.homes.pace.TokensAt(s.cfg.Now()) < 1 {
			return result{again: homesPause}, nil
		}
		page.tried = s.cfg.Now() // a round's own, and there is one at a time
		changed, err := s.showHome(ctx, page, false)
		switch {
		case never(err):
			s.homes.forget(page) // until it is opened once more
			s.cfg.Logger.Warn("home_not_shown", "account", page.account.String(), "error", err)
		case err != nil:
			return result{}, err
		}
		if changed {
			s.homes.pace.AllowN(s.cfg.Now(), 1)
		}
		if read < homesReadPer && page.wantsReading(s.cfg.Now()) {
			read++
			if err := s.readEligibleOf(page.account); err != nil {
				return result{}, err
			}
		}
	}
	if len(pages) == 0 {
		return result{}, nil
	}
	return result{again: homesIdle}, nil
}

// readEligibleOf has somebody's eligibilities read again, where they are old.
func (s *Service) readEligibleOf(a pim.ChatAccount) error {
	return s.update(func(tx *store.Tx) error {
		who, err := s.identify(tx, a, "")
		if err != nil {
			return err
		}
		return s.readEligible(tx, who)
	})
}

// showHome draws a page and shows it where it is another than it was, or always.
// It reports whether the chat was asked to.
func (s *Service) showHome(ctx context.Context, page *home, always bool) (asked bool, err error) {
	page.mu.Lock()
	defer page.mu.Unlock()
	show, draw := s.shower(page)
	if show == nil {
		return false, pim.Errorf(pim.NotFound, "This chat has no page for each person.")
	}
	var drawn card.Card
	err = s.cfg.Store.View(func(tx *store.Tx) error {
		who, err := s.identify(tx, page.account, "")
		if err != nil {
			return err
		}
		if page.old = s.oldEligible(who, tx.Now()); who.actor.Person == "" {
			page.read = time.Time{} // once they are known, it is read at once
		}
		drawn, err = draw(tx, who)
		return err
	})
	if err != nil {
		return false, err
	}
	hash := hashOf(drawn)
	if hash == page.shows && !always {
		return false, nil
	}
	page.shows = ""
	if err := show(ctx, drawn); err != nil {
		return true, err
	}
	page.shows = hash
	return true, nil
}

// shower is how a page is shown, and what is drawn there; nil where its chat cannot.
func (s *Service) shower(page *home) (func(context.Context, card.Card) error, func(*store.Tx, identity) (card.Card, error)) {
	messenger := s.cfg.Messengers[page.account.Chat]
	if ref := page.answer; ref.ID != "" && messenger != nil {
		return func(ctx context.Context, c card.Card) error { return messenger.Update(ctx, ref, c) }, s.drawStatus(page.links)
	}
	if chat, can := messenger.(Homer); can {
		return func(ctx context.Context, c card.Card) error { return chat.ShowHome(ctx, page.account, c) }, s.drawHome
	}
	return nil, nil
}

// drawStatus draws an answer to status anew, with the sign-in links that it had.
func (s *Service) drawStatus(links map[pim.RequestID]string) func(*store.Tx, identity) (card.Card, error) {
	return func(tx *store.Tx, who identity) (card.Card, error) {
		if who.actor.Person == "" {
			return card.HomeSignIn(), nil
		}
		mine, p, err := s.statusOf(tx, who)
		return card.Status(mine, links, p), err
	}
}

func (s *Service) drawHome(tx *store.Tx, who identity) (card.Card, error) {
	if who.actor.Person == "" {
		return card.HomeSignIn(), nil
	}
	p, err := s.page(tx, who)
	return card.Home(p), err
}
