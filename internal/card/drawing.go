package card

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"elevate/internal/pim"
)

// drawing is one request's card while it is drawn.
type drawing struct {
	r     *pim.Request
	v     View
	shown shown
	title string // the role's
	name  string // the requester's
	gives string
	// eligible are the groups whose members may ask for the role.
	eligible []string
	claim    *pim.Claim
}

func newDrawing(r *pim.Request, role pim.Role, v View) drawing {
	return drawing{
		r: r, v: v, shown: factsOf(r, role), title: roleTitle(role, r), gives: role.Gives, eligible: role.Eligible,
		name: named(v.RequesterName, r.Requester.Name), claim: r.Claimed(v.Now),
	}
}

// roleTitle also names a role that the settings do not hold any more.
func roleTitle(role pim.Role, r *pim.Request) string {
	if role.Title != "" {
		return role.Title
	}
	return named(r.Role)
}

// named returns the first name that is not empty.
func named(names ...string) string {
	for _, n := range names {
		if n != "" {
			return n
		}
	}
	return "Somebody"
}

// lines are what a reader has to know beyond the facts.
func (d drawing) lines() []Text {
	lines := d.notAsked()
	if !d.v.Unchecked.IsZero() {
		lines = append(lines, unchecked(d.v.Unchecked))
	}
	if d.claim != nil {
		doing := " is denying…"
		if d.claim.Approve {
			doing = " is approving…"
		}
		lines = append(lines, Join(Typed(named(d.claim.By.Name)), Plain(doing)))
	}
	if d.r.Chat == pim.Portal {
		lines = append(lines, Plain("Asked in the PIM portal, not through Elevate."))
	}
	if d.shown.imitated {
		lines = append(lines, Plain("The justification carries a mark like Elevate's that does not belong to this request. Decide by what stands here, not by another card."))
	}
	if d.saysWhy() {
		lines = append(lines, Typed(d.r.Why))
	}
	if v := d.r.Revoking; v != nil && (d.r.Leaving == pim.Revoked || d.r.Ending == pim.Revoked) {
		lines = append(lines, revokedBy(v))
	}
	return slices.Concat(lines, d.situation(), d.review())
}

// unchecked says since when PIM could not be read.
func unchecked(since time.Time) Text {
	return Join(Plain("Not checked since "), At(since), Plain(": PIM cannot be read at the moment, so this may be out of date."))
}

// saysWhy leaves out what the decision's own reason says already.
func (d drawing) saysWhy() bool {
	decided := d.r.Decided != nil && d.r.Decided.Reason != ""
	return d.r.Why != "" && (d.r.State != pim.Denied || !decided)
}

// situation says what a state means, what it waits for and what helps.
func (d drawing) situation() []Text {
	switch d.r.State {
	case pim.WaitingForSignIn:
		return []Text{Plain("Not asked of PIM yet: a sign-in is missing.")}
	case pim.Submitting:
		return d.sending()
	case pim.Pending:
		return d.pending()
	case pim.Scheduled:
		return []Text{Plain("PIM will begin at the time that was asked for. Elevate says so when it has read the membership.")}
	case pim.Granting:
		return d.granting()
	case pim.Active:
		return d.active()
	case pim.Denied:
		return d.denied()
	case pim.TimedOut, pim.Failed:
		return []Text{Plain("No access was given. Whoever still needs it can ask again.")}
	case pim.Refused, pim.Canceled:
		return d.notGiven()
	case pim.Ended:
		return d.ended()
	}
	return nil
}

func (d drawing) sending() []Text {
	if d.r.Waits() {
		return []Text{follows(d.r)}
	}
	if d.r.Sending.Lost { // also while PIM is still answering, for as long as it takes
		return []Text{Plain("It was sent to PIM, whose answer has not come yet. If it stays away, Elevate looks whether PIM took the request before it does anything else.")}
	}
	return []Text{Plain("Not asked of PIM yet: the request is on its way.")}
}

// follows says what a request waits for that was made before the end of an access.
func follows(r *pim.Request) Text {
	return Join(Plain("It waits for the end of the access that is there now"), at(" at ", r.Follows.Ends),
		Plain(": PIM cannot prolong one, and takes no second one before. Elevate sends it by itself once that end was read back; with an approval it can take a while until there is access again."))
}

// pending tells the requester what to expect; approvers have the buttons.
func (d drawing) pending() []Text {
	if d.r.Decided != nil {
		return []Text{Plain("PIM has taken the decision. This card changes as soon as PIM shows what became of it.")}
	}
	var lines []Text
	if !d.r.Reminded.IsZero() && d.v.Viewer == Approvers && d.claim == nil {
		lines = append(lines, Join(Plain("Still waiting since "), At(d.r.OpenSince()), Plain(": nobody has decided yet.")))
	}
	if !d.r.Escalated.IsZero() {
		lines = append(lines, Join(Plain("Nobody had decided it by "), At(d.r.Escalated), Plain(", so another place was asked, too.")))
	}
	if d.v.Viewer != Requester || d.claim != nil {
		return lines
	}
	return append(lines, Plain("PIM waits for an approver. This card changes when one of them has decided; nothing else is needed of you."))
}

func (d drawing) denied() []Text {
	by := d.r.Decided
	if by == nil || by.Reason == "" {
		return []Text{Plain("No access was given.")}
	}
	return []Text{Join(Typed(named(by.By.Name)), Plain(" denied it: "), Typed(by.Reason)), Plain("No access was given.")}
}

func (d drawing) granting() []Text {
	if !d.r.Late {
		return []Text{Plain("PIM is adding the membership. There is access once Elevate has read it back, and this card says so then.")}
	}
	return []Text{
		Plain("This takes longer than five minutes. PIM has taken the request, but the membership cannot be read in Microsoft Entra yet, so there is no access yet. Elevate goes on looking."),
		Plain("It often comes by itself. If it does not, an administrator can look at the request in PIM."),
	}
}

func (d drawing) active() []Text {
	switch {
	case d.r.Leaving == pim.Released:
		return []Text{Plain("PIM has taken the release. Elevate says so when the membership is gone.")}
	case d.r.Leaving != "":
		return []Text{Plain("PIM has taken the removal. Elevate says so when the membership is gone.")}
	case d.past():
		return []Text{Join(Plain("Its time was over at "), At(d.r.Ends), Plain(". Elevate says so when it has read that the membership is gone."))}
	case d.r.Releasing != nil && !d.r.Releasing.Due.IsZero():
		return []Text{Join(Plain("PIM lets nobody release an access in its first five minutes. Elevate releases it at "), At(d.r.Releasing.Due), Plain("."))}
	case d.r.Releasing != nil:
		return []Text{Plain("The release is on its way to PIM, which has not taken it yet.")}
	}
	if d.v.Viewer != Requester {
		return []Text{Join(Typed(d.name), Plain(" has this access"), until(d.r.Ends), Plain(". PIM ends it by itself."))}
	}
	return []Text{
		Join(Plain("You have this access"), until(d.r.Ends), Plain(". PIM ends it by itself.")),
		Plain("Tokens from before and open portals can lag behind the membership for up to an hour. If something is missing, sign out there and in again."),
	}
}

// past reports an access whose time is over and whose end was not read back yet.
func (d drawing) past() bool {
	return d.r.State == pim.Active && !d.r.Ends.IsZero() && !d.v.Now.Before(d.r.Ends)
}

// stays reports an access that nothing ends before its time, as far as Elevate knows.
func (d drawing) stays() bool {
	return d.r.State == pim.Active && d.r.Leaving == "" && d.r.Releasing == nil && !d.past()
}

func (d drawing) ended() []Text {
	var lines []Text
	if d.r.Ending == pim.Unknown && d.r.Why == "" {
		lines = append(lines, Plain("The membership is gone before its time, and PIM does not say by what."))
	}
	if d.r.StillBy != "" {
		lines = append(lines, Join(Typed(d.name), Plain(" still has access, by "), Typed(d.r.StillBy), Plain(". Elevate cannot end that; an administrator of the group can.")))
	} else if d.r.Ending != "" {
		lines = append(lines, Plain("Tokens from before can work in some places until they run out, for up to an hour."))
	}
	return lines
}

// steps are what happened, with the times at which it was seen.
func (d drawing) steps() []Step {
	r := d.r
	asked := Step{What: Plain("asked in " + r.Chat.Title()), At: r.Created}
	if r.Chat == pim.Portal && !r.Copy.Created.IsZero() {
		asked.At = r.Copy.Created
	}
	steps := []Step{asked}
	if !r.Submitted.IsZero() && r.Chat != pim.Portal {
		steps = append(steps, Step{Plain("asked of PIM"), r.Submitted})
	}
	if r.Decided != nil {
		steps = append(steps, Step{verdict(r.Decided), r.Decided.At})
	}
	if !r.MemberSince.IsZero() {
		steps = append(steps, Step{Plain("member since (" + readBack(r) + ")"), r.MemberSince})
	}
	return append(steps, d.afterwards()...)
}

// afterwards are the end and the review, in the order in which they come.
func (d drawing) afterwards() (steps []Step) {
	if !d.r.MemberSince.IsZero() {
		steps = d.leaving()
	}
	if v := d.r.Review; v != nil && !v.Closed.IsZero() {
		steps = append(steps, Step{Join(Plain("reviewed by "), Typed(named(v.By.Name))), v.Closed})
	}
	slices.SortStableFunc(steps, func(a, b Step) int { return a.At.Compare(b.At) })
	return steps
}

// leaving leaves out a planned end that did not come to pass.
func (d drawing) leaving() []Step {
	r, steps := d.r, []Step(nil)
	gone := r.State == pim.Ended && !r.EndedAt.IsZero()
	if !r.Ends.IsZero() && (!gone || !r.Ends.After(r.EndedAt)) {
		steps = append(steps, Step{Plain("until"), r.Ends})
	}
	if gone {
		what := "removed (read back)"
		if r.StillBy != "" {
			what = "activation over (read back)"
		}
		steps = append(steps, Step{Plain(what), r.EndedAt})
	}
	return steps
}

// verdict says how it was decided, and by whom.
func verdict(by *pim.Decided) Text {
	t := ruled(by)
	if by.Chat == pim.Portal {
		t[0].Plain = strings.ToUpper(t[0].Plain[:1]) + t[0].Plain[1:]
	}
	return t
}

func (d drawing) notes() []Text {
	notes := []Text{Join(Plain("Request "), Text{{Code: string(d.r.ID)}})}
	if len(d.v.Unreached) > 0 {
		notes = append(notes, Join(Plain("No direct message was sent to "), listed(d.v.Unreached, "and"),
			Plain(": Elevate has no chat with them yet. It has one once they sign in from Slack, or write to Elevate in Teams.")))
	}
	if d.v.Closed > 0 {
		notes = append(notes, Plain(fmt.Sprintf("Elevate could not write into %d of %d places where approvers are asked. Tell an approver yourself; an administrator finds the reason with elevate doctor.", d.v.Closed, d.v.Places)))
	}
	if d.v.Unheard {
		notes = append(notes, Plain("Elevate could not tell on-call: their place refuses it. Tell them yourself; an administrator finds the reason with elevate doctor."))
	}
	if d.v.PortalURL != "" {
		notes = append(notes, Text{{Link: Link{Label: "See it in PIM", URL: d.v.PortalURL}}})
	}
	return notes
}
