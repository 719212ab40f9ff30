package workflow

import (
	"slices"

	"elevate/internal/pim"
	"elevate/internal/store"
)

// adoptedMost is how many messages that only a client named are kept for a
// request in one place: each is a call whenever the request turns.
const adoptedMost = 3

// adopt takes a message as one of its request's cards, where its reference was
// lost, and has it drawn anew; one that holds a sign-in link only once the
// request turns.
func (s *Service) adopt(tx *store.Tx, r *pim.Request, ref store.Ref, draw bool) error {
	if _, _, found, err := tx.RefByMessage(ref.Channel, ref.ID); err != nil || found {
		return err
	}
	viewer := s.viewerIn(r, ref.Conversation)
	ref.Audience = string(viewer)
	if !ref.Adopted.IsZero() {
		if err := evict(tx, r.ID, ref.Conversation); err != nil {
			return err
		}
	}
	if err := tx.PutRef(r.ID, ref); err != nil {
		return err
	}
	if !draw {
		return nil
	}
	return s.putCards(tx, r, []spot{{ref.Conversation, viewer}})
}

// evict makes room for one more message that only a client named.
func evict(tx *store.Tx, id pim.RequestID, at pim.Conversation) error {
	refs, err := tx.Refs(id)
	if err != nil {
		return err
	}
	refs = slices.DeleteFunc(refs, func(r store.Ref) bool { return r.Adopted.IsZero() || r.Conversation.String() != at.String() })
	slices.SortFunc(refs, func(a, b store.Ref) int { return a.Adopted.Compare(b.Adopted) })
	for len(refs) >= adoptedMost {
		if err := tx.DeleteRef(id, refs[0]); err != nil {
			return err
		}
		refs = refs[1:]
	}
	return nil
}
