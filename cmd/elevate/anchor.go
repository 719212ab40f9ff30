package main

import (
	"context"
	"errors"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
	"elevate/internal/workflow"
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
	at := b.cfg.Audit.Anchor
	var failed error
	if b.slack != nil && at.Slack != "" {
		to := pim.Conversation{Chat: pim.Slack, Workspace: b.cfg.Slack.TeamID, ID: at.Slack}
		failed = b.anchorIn(ctx, b.slack, to, anchoredNote)
	}
	if b.teams != nil && at.Teams != "" {
		to := pim.Conversation{Chat: pim.Teams, Workspace: b.cfg.Teams.TenantID, ID: at.Teams}
		failed = errors.Join(failed, b.anchorIn(ctx, b.teams, to, anchoredNote+" in teams"))
	}
	return failed
}

// anchorIn puts it into one place, and notes that it did.
func (b *bot) anchorIn(ctx context.Context, chat workflow.Messenger, to pim.Conversation, note string) error {
	head, err := b.db.Head()
	if err != nil || head.Seq == 0 {
		return err
	}
	now, last := b.around.now(), time.Time{}
	err = b.db.View(func(tx *store.Tx) error {
		_, err := tx.Meta(note, &last)
		return err
	})
	if err != nil || now.Sub(last) < anchorEvery {
		return err
	}
	if _, err := chat.Post(ctx, to, anchorCard(head)); err != nil {
		return err
	}
	return b.db.Update(ctx, func(tx *store.Tx) error { return tx.PutMeta(note, now) })
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
