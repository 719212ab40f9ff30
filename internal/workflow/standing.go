package workflow

import (
	"context"
	"fmt"
	"sync"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
)

// standing is a message that is kept in a place: one, which is rewritten.
type standing struct {
	Ref   pim.MessageRef `json:"ref,omitzero"`
	Shows string         `json:"shows,omitempty"` // the hash of what it shows
	// At is when it was last seen to stand there. Somebody who deletes it does not get
	// it again before something new begins.
	At time.Time `json:"at,omitzero"`
	// Posting counts the posts since then whose answer did not come: each may stand there.
	Posting int `json:"posting,omitempty"`
}

// postingMost is how often a post is tried whose answers get lost.
const postingMost = 2

// kept is a standing message with where it is kept, and what it is to show.
type kept struct {
	to   pim.Conversation
	was  standing
	save func(*store.Tx, standing) error
	// drawn is what it is to show, and first what it shows when it is posted.
	drawn, first card.Card
	// begun is when the newest of what it tells of began; zero where there is nothing
	// to post it for.
	begun time.Time
}

// stand shows a standing message. What it shows already is not sent, and one that
// somebody deleted is posted again only for what began since.
func (s *Service) stand(ctx context.Context, k kept) error {
	messenger, st := s.cfg.Messengers[k.to.Chat], k.was
	hash := hashOf(k.drawn)
	if st.Ref.ID != "" {
		if st.Shows == hash {
			return nil
		}
		err := messenger.Update(ctx, st.Ref, k.drawn)
		if err == nil {
			st.Shows, st.At = hash, s.cfg.Now()
			return s.saved(k, st)
		}
		if !pim.IsKind(err, pim.NotFound) {
			return err
		}
		st = standing{At: st.At}
		if err := s.saved(k, st); err != nil {
			return err
		}
	}
	if !k.begun.After(st.At) {
		return nil
	}
	return s.postStanding(ctx, messenger, k, st, hash)
}

// postStanding posts a standing message. That it may stand there is noted before: of
// posts whose answers get lost there are two at most, also if the process ends here.
func (s *Service) postStanding(ctx context.Context, m Messenger, k kept, st standing, hash string) error {
	if st.Posting >= postingMost {
		return s.saved(k, standing{At: s.cfg.Now()})
	}
	st.Posting++
	if err := s.saved(k, st); err != nil {
		return err
	}
	ref, err := m.Post(ctx, k.to, k.first)
	switch {
	case err == nil:
		return s.saved(k, standing{Ref: placed(ref, k.to), Shows: hash, At: s.cfg.Now()})
	case pim.IsKind(err, pim.AnswerLost):
		return err
	}
	st.Posting--
	if noted := s.saved(k, st); noted != nil {
		return noted
	}
	return err
}

func (s *Service) saved(k kept, st standing) error {
	return s.update(func(tx *store.Tx) error { return k.save(tx, st) })
}

// placed is a message with the conversation it was posted to, where the chat left that out.
func placed(ref pim.MessageRef, to pim.Conversation) pim.MessageRef {
	if ref.Conversation == (pim.Conversation{}) {
		ref.Conversation = to
	}
	return ref
}

// The messages that a place may have beside its cards.
const (
	boardWho     = "who"     // who is elevated now, where on-call is told
	boardMany    = "many"    // the requests that came too many at once for on-call
	boardWaiting = "waiting" // the requests that wait without a card for approvers
)

const (
	// boardEvery is how often such a message is drawn while much happens, so that it
	// takes a small part of what a chat takes in one place: Slack's one message a
	// second, Teams' sixty in thirty seconds.
	boardEvery = 5 * time.Second
	// boardIdle is how often it is drawn while nothing happens, for the time left.
	boardIdle = 5 * time.Minute
)

// drawings remembers when the standing messages were drawn.
type drawings struct {
	mu sync.Mutex
	at map[string]time.Time
}

// begin notes that a message is drawn now. Those whose pause is over are forgotten.
func (d *drawings) begin(key string, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.at == nil {
		d.at = map[string]time.Time{}
	}
	for other, at := range d.at {
		if now.Sub(at) > boardEvery {
			delete(d.at, other)
		}
	}
	d.at[key] = now
}

// next is when a message may be drawn.
func (d *drawings) next(key string, now time.Time) time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	due := d.at[key].Add(boardEvery)
	if due.Before(now) || due.Sub(now) > boardEvery {
		return now
	}
	return due
}

func boardKey(what string, to pim.Conversation) string {
	return kindBoard + "|" + what + "|" + to.String()
}

// putBoard has a standing message drawn as soon as it may be.
func (s *Service) putBoard(tx *store.Tx, what string, to pim.Conversation) error {
	if s.cfg.Messengers[to.Chat] == nil {
		return nil
	}
	key := boardKey(what, to)
	return tx.PutEffect(store.Effect{
		Key: key, Kind: kindBoard, Lane: kindBoard + ":" + to.String(), To: to, Data: quote(what), Due: s.drawings.next(key, tx.Now()),
	})
}

// board draws one of a place's standing messages.
func (s *Service) board(ctx context.Context, e store.Effect) (result, error) {
	what, err := dataOf[string](e)
	if err != nil {
		return result{}, err
	}
	if s.cfg.Messengers[e.To.Chat] == nil {
		return result{}, nil
	}
	draw, known := map[string]func(context.Context, pim.Conversation) (bool, error){
		boardWho: s.showWho, boardMany: s.showMany, boardWaiting: s.showWaiting,
	}[what]
	if !known {
		return result{park: fmt.Sprintf("This version of Elevate does not know the message %q.", what)}, nil
	}
	s.drawings.begin(e.Key, s.cfg.Now())
	more, err := draw(ctx, e.To)
	if err != nil {
		return givenUp(err)
	}
	if more {
		return result{again: boardIdle}, nil
	}
	return result{}, nil
}
