package teams

import (
	"encoding/base64"
	"fmt"
	"regexp"

	"elevate/internal/pim"
	"elevate/internal/workflow"
)

// Codes compute and check authentication codes, as a keyset does.
type Codes interface {
	MAC(data []byte) []byte
	Verify(code, data []byte) error
}

// covered is what the code of a request's card is computed over. A thread's card
// may stand in any thread of its channel: which one it begins is known only after
// it was drawn.
func covered(request pim.RequestID, conversation string) []byte {
	return fmt.Appendf(nil, "elevate teams card %d %s %s", len(request), request, withoutThread(conversation))
}

// in draws for a conversation.
func (d drawing) in(conversation string) drawing {
	d.at = conversation
	return d
}

// bind makes a button's token one of a card about this one request, in the
// conversation that it is drawn for.
func (d drawing) bind(t token) token {
	t.Of = ofCard
	if d.at != "" && d.codes != nil {
		t.Code = base64.RawURLEncoding.EncodeToString(d.codes.MAC(covered(t.Request, d.at)))
	}
	return t
}

// bound reports whether a click came from a request's card that was drawn for the
// conversation it was clicked in.
func (h *Handler) bound(a *received, f filled) bool {
	code, err := base64.RawURLEncoding.DecodeString(f.Code)
	return f.OfCard && err == nil && h.client.cfg.Codes.Verify(code, covered(f.Request, a.Conversation.ID)) == nil
}

// clickedRef is the message that was clicked, to adopt if it is not known. A list
// is not a request's card and must not become one, nor may a message in a
// conversation for which no such card was drawn. Which message of the
// conversation it is stays the client's word.
func (h *Handler) clickedRef(a *received, from workflow.Sender, f filled) pim.MessageRef {
	if !messageID.MatchString(a.ReplyToID) || !h.bound(a, f) {
		return pim.MessageRef{}
	}
	if a.Conversation.ConversationType != personal && !plainID.MatchString(a.ReplyToID) {
		return pim.MessageRef{}
	}
	at := a.Conversation.ID
	if threaded(a) {
		at = threadOf(at, a.ReplyToID)
	}
	return pim.MessageRef{Conversation: from.Place, ID: a.ReplyToID, Channel: at}
}

// The forms that a message's id has: among many, only a number without another spelling.
var (
	messageID = regexp.MustCompile(`^[!-~]{1,128}$`)
	plainID   = regexp.MustCompile(`^[1-9][0-9]{0,30}$`)
)

// threaded reports whether messages of the conversation begin threads.
func threaded(a *received) bool {
	kind := a.Conversation.ConversationType
	return kind != personal && kind != groupChat
}

// threadOf is the conversation of a card in a channel. Each begins a thread of its own, so that it has one name, whichever
// thread a client says it was clicked in.
func threadOf(conversation, message string) string {
	return withoutThread(conversation) + ";messageid=" + message
}
