package pim

import "time"

// Certainty is what is known about a yes-or-no question.
type Certainty int

// The three answers.
const (
	NotKnown Certainty = iota
	Yes
	No
)

// Decider is somebody who wants to decide a request, with what is known of them.
type Decider struct {
	Actor   Actor
	Profile Profile // of Actor.Person; zero when it was not read yet
	// SamePerson says that the decider and the requester are one person:
	// both signed in for one chat account or in one browser session, or
	// share the configured attribute.
	SamePerson bool
	// Approver says whether the policy in PIM names this person.
	Approver Certainty
	// Digest is of the facts the person was shown, "" for a typed command,
	// which shows none.
	Digest string
}

// MayDecide says why this person may not decide this request now, or nil.
// Every door calls it, at the click, when the queued call runs, and after an
// interrupted sign-in; PIM checks once more. Approver NotKnown passes here: PIM's
// own assignedToMe decides before anything is sent.
func MayDecide(r *Request, d Decider, now time.Time) error {
	switch {
	case d.Actor.Person == "":
		return Errorf(SignIn, "Sign in first: Elevate does not know who you are.")
	case ownRequest(r, d):
		return Errorf(Forbidden, "You cannot decide your own request. Another approver has to.")
	case d.Profile.ID != "" && d.Profile.ID != d.Actor.Person:
		return Errorf(Internal, "The profile that was read belongs to somebody else. Nothing was decided.")
	}
	if d.Profile.ID != "" {
		if err := d.Profile.MayAct(); err != nil {
			return err
		}
	}
	return mayDecideNow(r, d, now)
}

// Undecided says why nobody may decide this request any more, or not yet; nil
// where somebody may.
func Undecided(r *Request) error {
	switch {
	case r.State != Pending:
		return Errorf(Conflict, "Request %s is not waiting for a decision: it is %s.", r.ID, r.State.Phrase())
	case r.Decided != nil:
		return Errorf(Conflict, "Request %s was decided a moment ago, and PIM is carrying it out. The card shows what becomes of it.", r.ID)
	}
	return nil
}

func mayDecideNow(r *Request, d Decider, now time.Time) error {
	if err := Undecided(r); err != nil {
		return err
	}
	switch {
	case d.Approver == No:
		return Errorf(Forbidden, "You are not among the approvers that PIM names for this role, so you cannot decide request %s.", r.ID)
	case d.Digest != "" && d.Digest != r.Digest():
		return Errorf(Conflict, "Request %s has changed since this card was drawn. Look at the new card and decide again.", r.ID)
	}
	if c := r.Claimed(now); c != nil && c.By.Person != d.Actor.Person {
		return Errorf(Conflict, "%s is deciding request %s at this moment. Wait a moment and look at the card again.", orSomebody(c.By.Name), r.ID)
	}
	return nil
}

// ownRequest also looks at who becomes a member and at who PIM says created it.
func ownRequest(r *Request, d Decider) bool {
	p := d.Actor.Person
	sameAccount := !r.Requester.Account.IsZero() && r.Requester.Account == d.Actor.Account
	return d.SamePerson || sameAccount ||
		p == r.Requester.Person || p == r.Principal || p == r.Copy.Principal || p == r.Copy.CreatedBy
}

func orSomebody(name string) string {
	if name == "" {
		return "Somebody"
	}
	return name
}

// MayCancel says why this person may not cancel this request, or nil: only the
// person who asked may.
func MayCancel(r *Request, by Actor) error {
	if !ownedBy(r, by) {
		return Errorf(Forbidden, "Only the person who asked can cancel request %s.", r.ID)
	}
	switch r.State {
	case WaitingForSignIn, Submitting, Pending, Scheduled:
		return nil
	case Granting:
		return Errorf(Conflict, "Request %s is being granted, so it cannot be canceled. Release it as soon as it is active.", r.ID)
	case Active:
		return Errorf(Conflict, "Request %s was granted already, so it cannot be canceled. Release it instead.", r.ID)
	case Refused, Denied, Canceled, TimedOut, Failed, Ended:
		return Errorf(Conflict, "There is nothing to cancel: request %s is %s.", r.ID, r.State.Phrase())
	}
	return Errorf(Internal, "Request %s is in a state that Elevate does not know.", r.ID)
}

// MayRelease says why this person may not release this access, or nil.
func MayRelease(r *Request, by Actor) error {
	switch {
	case !ownedBy(r, by):
		return Errorf(Forbidden, "Only the person who holds the access can release it.")
	case r.State != Active:
		return Errorf(Conflict, "There is nothing to release: request %s is %s.", r.ID, r.State.Phrase())
	}
	return nil
}

// MayRevoke says why nobody can end this access at that time, or nil. Whether a
// person may is PIM's to say: its owners and administrators may.
func MayRevoke(r *Request, now time.Time) error {
	from := r.Copy.Start
	if from.IsZero() {
		from = r.MemberSince
	}
	switch {
	case r.State != Active:
		return Errorf(Conflict, "There is nothing to revoke: request %s is %s.", r.ID, r.State.Phrase())
	case r.Leaving != "":
		return Errorf(Conflict, "PIM is ending this access already. The card of request %s says so when it is over.", r.ID)
	case now.Before(from.Add(MinDuration)):
		return Errorf(Conflict, "PIM lets nobody end an access in its first five minutes. Type it again in %s.", FormatDuration(from.Add(MinDuration).Sub(now).Truncate(time.Second)+time.Second))
	}
	return nil
}

func ownedBy(r *Request, by Actor) bool {
	if by.Person != "" && (by.Person == r.Requester.Person || by.Person == r.Principal) {
		return true
	}
	return r.Requester.Person == "" && !by.Account.IsZero() && by.Account == r.Requester.Account
}

// Reader is somebody who wants to read requests, with what is known of them.
type Reader struct {
	Actor    Actor
	Auditor  bool            // member of a group in `readers`
	Eligible map[string]bool // role names
	Approves map[string]bool // role names
	Reviews  map[string]bool // role names: those of emergencies whose reviews the person may close
}

// MayRead reports whether a person may see a request: one's own always; a
// role's requests for those eligible, approver or reviewer for it and for auditors;
// never an unlinked person.
func MayRead(r *Request, by Reader) bool {
	if by.Actor.Person == "" {
		return false
	}
	return ownedBy(r, by.Actor) || MayReadRole(r.Role, by)
}

// MayReadRole reports whether a person may see who has a role and who had it.
func MayReadRole(role string, by Reader) bool {
	return by.Actor.Person != "" && (by.Auditor || by.Eligible[role] || by.Approves[role] || by.Reviews[role])
}

// Phrase returns the state in words that fit "it is …".
func (s State) Phrase() string {
	switch s {
	case WaitingForSignIn:
		return "waiting for a sign-in"
	case Submitting:
		return "on its way to PIM"
	case Pending:
		return "waiting for approval"
	case Scheduled:
		return "approved and scheduled"
	case Granting:
		return "being granted"
	case Active:
		return "active"
	case Refused:
		return "refused by PIM"
	case Denied:
		return "denied"
	case Canceled:
		return "canceled"
	case TimedOut:
		return "out of time"
	case Failed:
		return "failed"
	case Ended:
		return "ended"
	}
	return string(s)
}
