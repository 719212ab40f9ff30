package workflow

import (
	"context"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
)

// Directory is what the workflow needs of Microsoft Entra. What changes
// something names the person it is done as, and is done with that person's own
// token.
type Directory interface {
	// Submit sends an activation, a release or a removal and returns PIM's copy.
	Submit(ctx context.Context, as pim.Actor, a pim.Activation) (pim.Copy, error)
	// Cancel takes back a request that is pending or scheduled.
	Cancel(ctx context.Context, as pim.Actor, pimID string) error
	// Decide rules on the stage that is assigned to the person, and returns it
	// as it was before.
	Decide(ctx context.Context, as pim.Actor, r pim.Ruling) (pim.Stage, error)
	// Assigned returns the stage of an approval as the person sees it.
	Assigned(ctx context.Context, as pim.Actor, approvalID string) (pim.Stage, error)
	// Waiting returns the requests that PIM says wait for the person.
	Waiting(ctx context.Context, as pim.Actor) ([]pim.Copy, error)
	// Look reads with the application's read-only identity.
	Look(ctx context.Context, q pim.Question) (pim.Answer, error)
	// Audited reads what the audit log has of a group from a time on, with the
	// same identity. It is no part of Look: Entra takes few such calls, and a poll
	// that people wait for may not wait for them.
	Audited(ctx context.Context, g pim.GroupID, since time.Time) (pim.Audited, error)
}

// Messenger posts cards to one chat and rewrites them. Its errors are
// *pim.Error of the kinds Throttled, Unavailable, AnswerLost, NotFound (the
// message or the place is gone), Forbidden and Administered.
type Messenger interface {
	Post(ctx context.Context, to pim.Conversation, c card.Card) (pim.MessageRef, error)
	Update(ctx context.Context, ref pim.MessageRef, c card.Card) error
	// Account says whether a chat account may still be used: nil, or an error
	// of kind Forbidden when it is gone, a guest's or foreign.
	Account(ctx context.Context, a pim.ChatAccount) error
}
