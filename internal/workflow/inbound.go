package workflow

import (
	"context"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
)

// Sender is who says something in a chat, as the adapter has verified it.
type Sender struct {
	// Account is the chat account, from the signed or authenticated input and
	// from nothing else.
	Account pim.ChatAccount
	// Name is for display only: nothing is ever decided by it.
	Name string
	// Place is where it was said; for what has no place (a form, the Home tab)
	// the direct conversation with the account.
	Place pim.Conversation
	// Once names the input: what arrives twice under one name gets the first's
	// answer. It is not the chat's own trigger id, which is a credential.
	Once string
	// Zone is the person's own time zone, never nil.
	Zone *time.Location
}

// Click is a button that was pressed. Act, Request, Digest and Role came back
// from the chat and are untrusted.
type Click struct {
	Act     card.Act
	Request pim.RequestID
	Digest  string
	Reason  string
	Role    string
	// Ref is the message that was clicked, to adopt; zero when it is not a
	// message of ours that can be rewritten.
	Ref pim.MessageRef
	// Posted is set when nobody clicked: the adapter has just posted Ref itself.
	Posted bool
}

// Reply is what the person who said something sees at once.
type Reply struct {
	// Card is for this person only; nil when there is nothing to say.
	Card *card.Card
	// Form is opened for the person, when there is one.
	Form *card.Form
	// Errors are sentences by form field; the form stays open then.
	Errors map[string]string
	// Later takes a network and is run after the answer, within bounds; its card
	// goes to the same person. It is nil for nearly everything.
	Later func(ctx context.Context) card.Card
	// Kept takes where the card stands, for as long as it is to follow what happens; nil
	// where it does not. A chat in which answers pass by does not call it.
	Kept func(ref pim.MessageRef)
}
