package workflow

import (
	"context"
	"strings"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
)

// A Whisperer is a Messenger whose chat can show something to one account alone in a
// place where others are too. It stands there for a while, and nothing finds it again.
type Whisperer interface {
	Whisper(ctx context.Context, at pim.Conversation, to pim.ChatAccount, c card.Card) error
}

// whisperLife is how long something is worth whispering. Their direct message says it anyway.
const whisperLife = 5 * time.Minute

// tellRequester tells whoever asked something in a direct message, and where they asked.
func (s *Service) tellRequester(tx *store.Tx, key string, r *pim.Request, m message) error {
	if r.Requester.Account.IsZero() {
		return nil
	}
	if err := s.putTell(tx, key, r.ID, pim.DirectTo(r.Requester.Account), m); err != nil {
		return err
	}
	return s.putWhisper(tx, key, r, m)
}

// putWhisper has whoever asked told something where they asked, so that only they see it:
// in a place where others are too, and whose chat can do that.
func (s *Service) putWhisper(tx *store.Tx, key string, r *pim.Request, m message) error {
	at, to := r.Origin, r.Requester.Account
	_, can := s.cfg.Messengers[at.Chat].(Whisperer)
	if !can || at.User != "" || at.Workspace != to.Workspace {
		return nil
	}
	e, err := withData(store.Effect{
		Key: kindWhisper + "|" + to.String() + "|" + key, Kind: kindWhisper, Request: r.ID, Lane: kindWhisper + "|" + string(at.Chat), To: at,
	}, m)
	if err != nil {
		return err
	}
	return tx.PutEffect(e)
}

// whisperSaid has the steps whispered that the requester's first card says itself.
func (s *Service) whisperSaid(tx *store.Tx, sc *scene, said []string) error {
	if sc.view.Viewer != card.Requester || len(said) == 0 {
		return nil
	}
	names := strings.Join(said, ",")
	return s.putWhisper(tx, "step|"+string(sc.request.ID)+"|"+names, &sc.request, message{Step: names})
}

// whisper tells whoever asked something where they asked. It is kind, and no more: what
// that place does not take, or only after a while, is dropped.
func (s *Service) whisper(ctx context.Context, e store.Effect) (result, error) {
	messenger, can := s.cfg.Messengers[e.To.Chat].(Whisperer)
	if !can || s.cfg.Now().Sub(e.First) > whisperLife {
		return result{}, nil
	}
	to, err := s.asker(e.Request)
	if err != nil || to.IsZero() {
		return result{}, err
	}
	m, err := dataOf[message](e)
	if err != nil {
		return result{}, err
	}
	at := e.To
	e.To = pim.DirectTo(to) // the words are those of the direct message
	c, err := s.cardFor(e, m)
	if err != nil || c == nil {
		return result{}, err
	}
	err = messenger.Whisper(ctx, at, to, *c)
	if pim.IsKind(err, pim.Throttled) || pim.IsKind(err, pim.Unavailable) || pim.IsKind(err, pim.AnswerLost) {
		return result{}, err
	}
	return result{}, nil
}

// asker is the account that asked for a request, if it is still linked to whoever asked.
func (s *Service) asker(id pim.RequestID) (a pim.ChatAccount, err error) {
	err = s.cfg.Store.View(func(tx *store.Tx) error {
		a = pim.ChatAccount{}
		r, err := tx.Request(id)
		if err != nil {
			return err
		}
		who, err := s.identify(tx, r.Requester.Account, "")
		if err == nil && owns(&r, who) {
			a = r.Requester.Account
		}
		return err
	})
	return a, err
}
