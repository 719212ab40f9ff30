package workflow

import (
	"slices"
	"time"

	"elevate/internal/pim"
	"elevate/internal/store"
)

// codeExists is PIM's word for an activation that is active already.
const codeExists = "RoleAssignmentExists"

// codePending is its word for one that was asked for already.
const codePending = "PendingRoleAssignmentRequest"

// codeOf is what PIM would say to a second request beside this one.
func codeOf(other pim.Request) string {
	if other.State == pim.Active || other.State == pim.Granting {
		return codeExists
	}
	return codePending
}

// followsLife is how long after the end of an access PIM may still say that there is
// one.
const followsLife = settled

// followedOver returns when the access that a request follows was read back as over;
// zero while it is not.
func (s *Service) followedOver(r pim.Request) (over time.Time, err error) {
	err = s.cfg.Store.View(func(tx *store.Tx) error {
		before, err := tx.Request(r.Follows.Request)
		if err != nil {
			return err
		}
		if before.State != pim.Active {
			over = before.EndedAt
		}
		return nil
	})
	return over, err
}

// waitsForEnd reports whether a request waits for the end of an access that is not
// over yet. It may have ended while the request waited for a sign-in.
func waitsForEnd(tx *store.Tx, r *pim.Request) (bool, error) {
	if !r.Waits() {
		return false, nil
	}
	before, err := tx.Request(r.Follows.Request)
	return before.State == pim.Active, err
}

// lagsBehind reports whether PIM refuses what follows an access because its own
// lists do not show yet that it is over.
func (s *Service) lagsBehind(r pim.Request, said *pim.Error) (bool, error) {
	if r.Follows == nil || said.Code != codeExists {
		return false, nil
	}
	over, err := s.followedOver(r)
	return s.cfg.Now().Sub(over) < followsLife, err
}

// followsRevoked is why what followed an access is not sent.
const followsRevoked = "The access that it was to follow was revoked, so nothing was asked for. Ask again if it is still needed."

// followersOf are the requests that wait for the end of an access.
func followersOf(tx *store.Tx, before *pim.Request) ([]pim.Request, error) {
	open, err := tx.OpenOf(before.Group, pim.ChatAccount{}, before.Principal)
	return slices.DeleteFunc(open, func(r pim.Request) bool { return !r.Waits() || r.Follows.Request != before.ID }), err
}

// followsEarly is why it is not sent where the access was over before its time, and nobody here ended it.
const followsEarly = "The access that it was to follow was over before its time, and nobody ended it here, so nothing was asked for. Ask again if it is still needed."

// sendFollowing sends what waited for the end of this access, as its holder. Who was
// taken out does not come in again by what they asked for before, wherever that was done:
// PIM's copy does not say that it was.
func (s *Service) sendFollowing(tx *store.Tx, over *pim.Request) error {
	waiting, err := followersOf(tx, over)
	if err != nil {
		return err
	}
	for _, r := range waiting {
		if why := takenOut(over); why != "" {
			if err := s.cancelUnsent(tx, &r, pim.Event{Kind: pim.EventCanceled, Chat: pim.System}, why); err != nil {
				return err
			}
			continue // its effect finds it canceled, and ends the session
		}
		e, err := personEffect(kindSubmit, &r, r.Requester, decision{Clicked: tx.Now(), Chat: r.Chat})
		if err != nil {
			return err
		}
		if err := tx.PutEffect(e); err != nil {
			return err
		}
	}
	return nil
}

// takenOut says why nothing follows an access that somebody else ended, or may have ended; "" where it may be followed.
func takenOut(over *pim.Request) string {
	switch over.Ending {
	case pim.Revoked:
		return followsRevoked
	case pim.Unknown:
		return followsEarly
	case pim.Expired, pim.Released:
	}
	return ""
}

// endMoved has what waits for the end of this access say when that is now.
func (s *Service) endMoved(tx *store.Tx, before *pim.Request) error {
	waiting, err := followersOf(tx, before)
	if err != nil {
		return err
	}
	for _, r := range waiting {
		r.Follows.Ends = before.Ends
		if err := s.record(tx, &r, pim.Event{Kind: pim.EventObserved, Chat: pim.System, From: r.State, Text: "the end of request " + string(before.ID) + " was moved"}); err != nil {
			return err
		}
		if err := s.turn(tx, &r); err != nil {
			return err
		}
	}
	return nil
}
