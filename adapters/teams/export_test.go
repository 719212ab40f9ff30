package teams

import "github.com/infracloudio/msbotbuilder-go/schema"

// Remembered is how many activities are known again.
func (h *Handler) Remembered() int { return h.first.Len() }

// Sendable says why an activity would not be sent, or nil.
func Sendable(a schema.Activity) error {
	_, err := outgoing(a, nil)
	return err
}

// Covered is what the code of a request's card is computed over.
var Covered = covered
