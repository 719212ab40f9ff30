package workflow

import (
	"errors"
	"fmt"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
)

// reviewsKept is where the open reviews stand, oldest first, in one record: what is
// looked at for them grows with them, never with what was reviewed.
const reviewsKept = "reviews"

// OpenReviews are the requests whose use of an emergency role nobody has reviewed
// yet, oldest first.
func OpenReviews(tx *store.Tx) (open []pim.Request, err error) {
	var ids []pim.RequestID
	if _, err := tx.Meta(reviewsKept, &ids); err != nil {
		return nil, err
	}
	for _, id := range ids {
		r, err := tx.Request(id)
		if err != nil {
			return nil, err
		}
		if r.Unreviewed() { // an older version that ran meanwhile leaves the review out when it writes a request
			open = append(open, r)
		}
	}
	return open, nil
}

// openReview begins the review of a request whose access was read, or may have been
// there unread, where its role is one for emergencies.
func (s *Service) openReview(tx *store.Tx, r *pim.Request) error {
	role, ok := s.cfg.Roles.Named(r.Role)
	if !ok || !role.Emergency || role.Group != r.Group || r.Review != nil {
		return nil
	}
	var ids []pim.RequestID
	if _, err := tx.Meta(reviewsKept, &ids); err != nil {
		return err
	}
	if err := tx.PutMeta(reviewsKept, append(ids, r.ID)); err != nil {
		return err
	}
	r.Review = &pim.Review{Opened: tx.Now()}
	if err := s.nameForReview(tx, r, role); err != nil {
		return err
	}
	if err := s.record(tx, r, pim.Event{Kind: pim.EventReviewOpened, Chat: pim.System, From: r.State}); err != nil {
		return err
	}
	if err := s.loudAgain(tx, r, role); err != nil {
		return err
	}
	if err := s.putOverdue(tx); err != nil {
		return err
	}
	return s.turn(tx, r)
}

// loudAgain posts on-call's card once more where one stands already, since nobody
// hears of a card that is rewritten.
func (s *Service) loudAgain(tx *store.Tx, r *pim.Request, role pim.Role) error {
	if !r.Late {
		return nil
	}
	return s.putAgain(tx, r, role.Notify, card.OnCall)
}

// reviewing is somebody's step to close a review.
type reviewing struct {
	request pim.RequestID
	note    string
	clicked time.Time
	since   time.Time // when it was said first, before a sign-in interrupted it
	intent  string    // what a sign-in interrupted; it is spent with the step
	shown   bool      // a card of the request stood in front of the person
}

// signedInSince is how new the sign-in has to be where each decision needs one.
func (v reviewing) signedInSince() time.Time {
	if v.since.IsZero() {
		return v.clicked
	}
	return v.since
}

// reviewNote is what a review effect carries.
type reviewNote struct {
	Note    string    `json:"note"`
	Clicked time.Time `json:"clicked"`
}

func reviewEffect(r *pim.Request, as pim.Actor, n reviewNote) (store.Effect, error) {
	return withData(store.Effect{
		Key: kindReview + "|" + string(r.ID) + "|" + string(as.Person), Kind: kindReview, Request: r.ID,
		Lane: kindReview + ":" + string(r.ID), As: as,
	}, n)
}

// review is the one door for closing a review: button, form, command and resumed
// sign-in all come through here.
func (s *Service) review(from Sender, v reviewing) Reply {
	v.note = pim.Tidy(v.note)
	if err := pim.CheckNote(v.note); err != nil {
		return problem(err)
	}
	if err := s.takeTrying(from); err != nil {
		return problem(err)
	}
	out, err := s.beginReview(from, v)
	r := out.request
	switch {
	case err != nil:
		return s.notDone(err)
	case out.signIn:
		return s.signInFirst(from)
	case out.url != "":
		return reply(card.SignInNeeded(fmt.Sprintf("review request %s", r.ID), out.url))
	case out.neutral:
		return reply(card.Answer(fmt.Sprintf("Your review of request %s is being checked, if you are one of its reviewers. You are told in a direct message.", r.ID)))
	case out.again:
		return s.asItIs(from, r, card.OnCall)
	}
	role, _ := s.cfg.Roles.Named(r.Role)
	return reply(card.Reviewing(r, role))
}

// beginReview checks who says it, and has it checked afresh or the person sign in.
// Evidence is decided on, so the sign-in has to be as new as for an approval.
func (s *Service) beginReview(from Sender, v reviewing) (out ruled, err error) {
	err = s.update(func(tx *store.Tx) error {
		out = ruled{}
		who, err := s.identify(tx, from.Account, from.Name)
		if err != nil {
			return err
		}
		if who.actor.Person == "" {
			out.signIn = true
			return nil
		}
		r, err := tx.Request(v.request)
		if err != nil {
			return noRequest(v.request)
		}
		out.request = r
		if first, found, err := s.seen(tx, from); err != nil || found && first.ID == r.ID {
			out.again = found
			return errors.Join(err, s.linkAgain(tx, from, &r, &out.url))
		}
		if out.neutral, err = s.mayBeginReview(tx, &r, who, v.shown); err != nil {
			return err
		}
		return s.beginReviewAs(tx, from, who, v, &out)
	})
	return out, err
}

// beginReviewAs puts the effect, or the intent where the session is not good enough.
func (s *Service) beginReviewAs(tx *store.Tx, from Sender, who identity, v reviewing, out *ruled) error {
	r := &out.request
	role, _ := s.cfg.Roles.Named(r.Role)
	if err := remember(tx, from, r.ID); err != nil {
		return err
	}
	if v.intent != "" {
		if err := tx.DeleteIntent(v.intent); err != nil {
			return err
		}
	}
	switch lacks := s.lacks(who.session, role, v.signedInSince(), tx.Now()); {
	case lacks == nil:
	case v.intent != "":
		return lacks // another sign-in would end as this one did
	case out.neutral:
		out.signIn = true // its page would have to say what is agreed to
		return nil
	default:
		in := store.Intent{Request: r.ID, Verb: verbReview, Reason: v.note, Clicked: v.signedInSince(), Claims: withContext("", role.DecideContext)}
		var err error
		out.url, err = s.intendByLink(tx, from, in)
		return err
	}
	e, err := reviewEffect(r, who.actor, reviewNote{Note: v.note, Clicked: v.clicked})
	if err != nil {
		return err
	}
	if _, waits, err := tx.Effect(e.Key); err != nil {
		return err
	} else if waits {
		return pim.Errorf(pim.Conflict, "Your review of request %s is being checked already, with what you wrote first.", r.ID)
	}
	return tx.PutEffect(e)
}

// mayBeginReview says why this person may not close this review, as far as is known
// here, and as if there were no such request where they may not know of it. Where
// nobody knows who the reviewers are, neutral is set: nothing is told of it.
func (s *Service) mayBeginReview(tx *store.Tx, r *pim.Request, who identity, shown bool) (neutral bool, err error) {
	member := s.reviewer(r, who)
	if member != pim.Yes && !shown {
		known, err := s.mayHear(tx, r, who)
		if err != nil && (member == pim.No || !r.Unreviewed()) {
			return false, err
		}
		neutral = err != nil || !known
	}
	if _, err := s.reviewedRole(r); err != nil && r.Unreviewed() && !neutral {
		return neutral, err
	}
	same, err := samePerson(tx, r, who)
	if err != nil {
		return neutral, err
	}
	return neutral, pim.MayReview(r, pim.Reviewer{Actor: who.actor, SamePerson: same, Member: member})
}

// reviewedRole returns the role of a request, to review by.
func (s *Service) reviewedRole(r *pim.Request) (pim.Role, error) {
	role, err := s.roleOf(r)
	if err != nil || !role.Emergency || len(role.Reviewers) == 0 {
		return role, pim.Errorf(pim.Administered, "Elevate's settings name no reviewers for %s any more, so nobody can close the review of request %s. Ask an administrator to name some.", r.Role, r.ID)
	}
	return role, nil
}

// reviewer says whether somebody was among the reviewers of a request's role when
// these were last read. It lets people see what waits for them; what closes a review
// is read afresh.
func (s *Service) reviewer(r *pim.Request, who identity) pim.Certainty {
	role, ok := s.cfg.Roles.Named(r.Role)
	if !ok || role.Group != r.Group || !role.Emergency {
		return pim.No
	}
	return s.reviewerOf(role, who)
}

func (s *Service) reviewerOf(role pim.Role, who identity) pim.Certainty {
	certainty := pim.No
	for _, g := range role.Reviewers {
		for _, id := range who.ids() {
			switch s.reviewers.certainly(g, id) {
			case pim.Yes:
				return pim.Yes
			case pim.NotKnown:
				certainty = pim.NotKnown
			case pim.No:
			}
		}
	}
	return certainty
}

// reviewsRoles are the roles, by name, whose uses somebody may review, as far as known.
func (s *Service) reviewsRoles(who identity) map[string]bool {
	reviews := map[string]bool{}
	for _, role := range s.cfg.Roles {
		reviews[role.Name] = role.Emergency && s.reviewerOf(role, who) == pim.Yes
	}
	return reviews
}

// reviewForm opens the form for a review's note, if the person may close it.
func (s *Service) reviewForm(from Sender, id pim.RequestID, shown bool) Reply {
	var r pim.Request
	signIn := false
	err := s.cfg.Store.View(func(tx *store.Tx) error {
		who, err := s.identify(tx, from.Account, from.Name)
		if err != nil {
			return err
		}
		if signIn = who.actor.Person == ""; signIn {
			return nil
		}
		if r, err = tx.Request(id); err != nil {
			return noRequest(id)
		}
		neutral, err := s.mayBeginReview(tx, &r, who, shown)
		if err == nil && neutral {
			return noRequest(id) // the form says what it is about
		}
		return err
	})
	switch {
	case err != nil:
		return s.notDone(err)
	case signIn:
		return s.signInFirst(from)
	}
	role, _ := s.cfg.Roles.Named(r.Role)
	form := card.ReviewForm(r, role, s.cfg.Now())
	return Reply{Form: &form}
}

// reviewFilled closes a review with the note of a form.
func (s *Service) reviewFilled(from Sender, f card.Filled, shown bool) Reply {
	note := pim.Tidy(f.Values[card.FieldNote])
	if err := pim.CheckNote(note); err != nil {
		return Reply{Errors: map[string]string{card.FieldNote: pim.Explain(err).Message}}
	}
	return s.review(from, reviewing{request: f.Request, note: note, clicked: s.cfg.Now(), shown: shown})
}

// resumeReview goes on after the sign-in by the same door.
func (s *Service) resumeReview(from Sender, in store.Intent) (string, error) {
	out, err := s.beginReview(from, reviewing{
		request: in.Request, note: in.Reason, clicked: s.cfg.Now(), since: in.Clicked, intent: in.ID,
		shown: true, // else there were no such intent
	})
	switch {
	case err != nil:
		return "", errors.Join(err, s.update(func(tx *store.Tx) error { return tx.DeleteIntent(in.ID) }))
	case out.signIn || out.url != "":
		return "", pim.Errorf(pim.SignIn, "This sign-in was not new enough to review with. Review again in the chat and sign in with your password when you are asked to.")
	}
	return fmt.Sprintf("Your step to %s is being checked. You can close this page; the card of request %s shows the rest.", s.describe(in.Verb, out.request), in.Request), nil
}
