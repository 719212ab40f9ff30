package main

import (
	"context"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
)

const (
	// anchorEvery is how often the head of the event chain is put into the chat.
	anchorEvery = 24 * time.Hour
	// anchoredNote is where the state file keeps when that was done last.
	anchoredNote = "anchored"
)

// anchor puts the head of the event chain where somebody who can write the
// state file cannot change it: into the chat, once a day, if a place is set.
func (b *bot) anchor(ctx context.Context) error {
	if b.slack == nil || b.cfg.Audit.Anchor.Slack == "" {
		return nil
	}
	head, err := b.db.Head()
	if err != nil || head.Seq == 0 {
		return err
	}
	now, last := b.around.now(), time.Time{}
	err = b.db.View(func(tx *store.Tx) error {
		_, err := tx.Meta(anchoredNote, &last)
		return err
	})
	if err != nil || now.Sub(last) < anchorEvery {
		return err
	}
	to := pim.Conversation{Chat: pim.Slack, Workspace: b.cfg.Slack.TeamID, ID: b.cfg.Audit.Anchor.Slack}
	if _, err := b.slack.Post(ctx, to, anchorCard(head)); err != nil {
		return err
	}
	return b.db.Update(ctx, func(tx *store.Tx) error { return tx.PutMeta(anchoredNote, now) })
}

// anchorCard says the head in the form that `audit verify` takes.
func anchorCard(head store.Anchor) card.Card {
	return card.Card{
		Title: "Audit anchor",
		Lines: []card.Text{
			{{Code: head.String()}},
			{{Plain: "This is the newest event of the audit trail. Whoever keeps it can prove later that nothing up to it was changed or taken away: "}, {Code: verifyCommand(head)}},
		},
		Fallback: "Audit anchor: " + head.String(),
	}
}

// verifyCommand is what an operator types to verify against an anchor.
func verifyCommand(head store.Anchor) string {
	return "elevate audit verify -config FILE -anchor " + head.String()
}
