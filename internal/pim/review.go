package pim

import (
	"fmt"
	"time"
	"unicode/utf8"
)

// MinEmergencyReason is how long the reason for an emergency role is at least, in
// characters as they are stored.
const MinEmergencyReason = 20

// ReviewWithin is how long a review may stay open before it is overdue.
const ReviewWithin = 24 * time.Hour

// Review is the look that somebody else takes at the use of an emergency role.
type Review struct {
	Opened time.Time `json:"opened"`
	// NotAsked are those who would have decided elsewhere and did not, Reviewers those
	// who may close it, as they were when it was opened and for display alone; nil
	// while that was not read.
	NotAsked  *Names    `json:"not_asked,omitempty"`
	Reviewers *Names    `json:"reviewers,omitempty"`
	By        Actor     `json:"by,omitzero"`
	Note      string    `json:"note,omitempty"`
	Closed    time.Time `json:"closed,omitzero"`
}

// Names are people by the directory's names, as many as one reads.
type Names struct {
	Some []string `json:"some,omitempty"`
	More int      `json:"more,omitempty"` // how many there are beside those
}

// mostNames is how many people are named.
const mostNames = 30

// NamesOf keeps of names as many as one reads.
func NamesOf(names []string) *Names {
	most := min(len(names), mostNames)
	return &Names{Some: names[:most:most], More: len(names) - most}
}

// Unreviewed reports whether the request waits for a review.
func (r *Request) Unreviewed() bool { return r.Review != nil && r.Review.Closed.IsZero() }

// ReviewOverdue reports whether the request waits for a review for too long.
func (r *Request) ReviewOverdue(now time.Time) bool {
	return r.Unreviewed() && !now.Before(r.Review.Opened.Add(ReviewWithin))
}

// ReviewState is what became of the review: "", open, overdue or closed.
func (r *Request) ReviewState(now time.Time) string {
	switch {
	case r.Review == nil:
		return ""
	case r.ReviewOverdue(now):
		return "overdue"
	case r.Unreviewed():
		return "open"
	}
	return "closed"
}

// Reviewer is somebody who wants to close a review, with what is known of them.
type Reviewer struct {
	Actor   Actor
	Profile Profile // of the account that is among the reviewers; zero when it was not read yet
	// SamePerson is as for a Decider.
	SamePerson bool
	// Member says whether one of the role's reviewers' groups has this person.
	Member Certainty
}

// MayReview says why this person may not close the review of this request, or nil.
// Who approved the request may: approving is no use of the access. Member NotKnown
// passes here, at the click, and nowhere else.
func MayReview(r *Request, by Reviewer) error {
	switch {
	case by.Actor.Person == "":
		return Errorf(SignIn, "Sign in first: Elevate does not know who you are.")
	case r.Review == nil:
		return Errorf(Conflict, "Request %s needs no review: only the use of an emergency role does.", r.ID)
	case ownRequest(r, Decider{Actor: by.Actor, SamePerson: by.SamePerson}):
		return Errorf(Forbidden, "You cannot review what you did yourself. Another of the role's reviewers has to close the review of request %s.", r.ID)
	case by.Member == No:
		return Errorf(Forbidden, "You are not among the reviewers of %s, so you cannot close the review of request %s. If you were added to their group just now, try again in a few minutes.", r.Role, r.ID)
	case !r.Unreviewed(): // not for others to hear: what was found is told with it
		return Errorf(Conflict, "Request %s was reviewed already, by %s: %s", r.ID, orSomebody(r.Review.By.Name), r.Review.Note)
	}
	if by.Profile.ID != "" {
		return by.Profile.MayAct()
	}
	return nil
}

// CheckNote says what is wrong with the note of a review, or nil.
func CheckNote(note string) error {
	text := Tidy(note)
	switch n := utf8.RuneCountInString(text); {
	case n == 0:
		return Errorf(Invalid, "Say what you found, as in /elevate review k7m2pq checked with the holder, ….")
	case n > MaxReason:
		return Errorf(Invalid, "The note has %d characters, at most %d fit. Shorten it.", n, MaxReason)
	}
	return nil
}

// checkEmergency wants a reason of some length for an emergency role: nobody else
// hears why before there is access.
func checkEmergency(role Role, reason string) error {
	n := utf8.RuneCountInString(Tidy(reason))
	if !role.Emergency || n >= MinEmergencyReason {
		return nil
	}
	has := fmt.Sprintf("yours has %d", n)
	if n == 0 {
		has = "yours is empty"
	}
	return Errorf(Invalid, "%s is for emergencies: its reason needs at least %d characters, and %s. Say what has happened and what you will do.", role.Title, MinEmergencyReason, has)
}
