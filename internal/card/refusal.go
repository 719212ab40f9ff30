package card

import (
	"slices"
	"time"

	"elevate/internal/pim"
)

// notGiven says what helps whoever asked for what PIM did not take.
func (d drawing) notGiven() []Text {
	why := d.r.Refusal
	none := Plain("No access was given.")
	if why == nil || d.v.Viewer != Requester {
		return []Text{none}
	}
	switch why.Mend() {
	case pim.MendForm:
		return []Text{Join(none, Plain(" Fill it in again: what you typed stands in the form."))}
	case pim.MendLength:
		if why.Most > 0 {
			return []Text{Join(none, Plain(" PIM allows at most "+pim.FormatDuration(why.Most)+" for this role at the moment."))}
		}
		return []Text{Join(none, Plain(" How long PIM allows could not be read. Fill it in again for less."))}
	case pim.MendRole:
		return []Text{none, eligibleInstead(why, d.v.Roles), d.whoHelps()}
	case pim.MendHeld:
		return []Text{heldAlready(why, d.v.Other)}
	case pim.MendOpen:
		return []Text{askedAlready(d.v.Other)}
	case pim.MendAdministrator, pim.MendSignIn, pim.MendLater:
	}
	return []Text{none}
}

// eligibleInstead says what the person may ask for, and how it is typed.
func eligibleInstead(why *pim.Refusal, all pim.Roles) Text {
	if !why.Known {
		return Plain("Type /elevate roles to see what you are eligible for.")
	}
	t := Plain("You are eligible for ")
	n := 0
	for _, name := range why.Roles {
		role, ok := all.Named(name)
		if !ok {
			continue
		}
		if n++; n > mostNames {
			break
		}
		if n > 1 {
			t = append(t, Span{Plain: ", "})
		}
		t = append(t, Span{Strong: role.Title}, Span{Plain: " "}, Span{Code: "/elevate " + role.Name})
	}
	if n == 0 {
		return Plain("PIM shows no role here that you are eligible for.")
	}
	return append(t, Span{Plain: "."})
}

// whoHelps says who can make somebody eligible, as far as the settings tell: whoever manages the groups that are.
func (d drawing) whoHelps() Text {
	names := slices.DeleteFunc(slices.Clone(d.eligible), pim.IsGUID)
	if len(names) == 0 {
		return Plain("Ask whoever manages " + d.title + " to make you eligible for it in PIM.")
	}
	return Join(Plain("Members of "), listed(names, "or"), Plain(" are eligible for "+d.title+". Ask whoever manages that group to add you."))
}

// heldAlready says until when there is access already, and by what.
func heldAlready(why *pim.Refusal, other *pim.Request) Text {
	end := until(why.Until)
	if other != nil && !other.Ends.IsZero() {
		end = until(other.Ends)
	}
	t := Join(Plain("You have this access"), end)
	if other == nil {
		return Join(t, Plain(", by an activation that Elevate has no card of. Use it as it is, or end it where it was made."))
	}
	t = Join(t, Plain(", by request "), Text{{Code: string(other.ID)}}, Plain(", which has a card of its own. "))
	if other.State != pim.Active {
		return Join(t, Plain("Use it as soon as that card says that you are a member."))
	}
	return Join(t, Plain("Use it as it is, or release it first."))
}

// askedAlready names the request that has to be decided or canceled first.
func askedAlready(other *pim.Request) Text {
	if other == nil {
		return Plain("PIM does not show yet which one. Type /elevate status in a minute, or look at your requests in PIM.")
	}
	if other.State == pim.Granting || other.State == pim.Active {
		return heldAlready(&pim.Refusal{}, other)
	}
	return Join(Plain("It is request "), Text{{Code: string(other.ID)}}, Plain(", which is "+other.State.Phrase()+" and has a card of its own. Cancel it before you ask for something else."))
}

// cameToNothing reports whether a request that was made here gave no access, and whoever made it did not take it back.
func (d drawing) cameToNothing() bool {
	if d.r.Chat == pim.Portal {
		return false
	}
	switch d.r.State {
	case pim.Failed, pim.TimedOut:
		return true
	case pim.Canceled:
		return d.r.Copy.ID == "" && d.r.Why != ""
	case pim.Refused:
		return d.r.Refusal != nil
	case pim.WaitingForSignIn, pim.Submitting, pim.Pending, pim.Scheduled, pim.Granting, pim.Active, pim.Denied, pim.Ended:
	}
	return false
}

// mending are the next steps of whoever asked for what came to nothing.
func (d drawing) mending() []Button {
	if !d.cameToNothing() {
		return nil
	}
	again := Button{Label: "Ask again", Act: OpenForm, Role: d.r.Role, Request: d.r.ID}
	why := d.r.Refusal
	if why == nil {
		return []Button{again}
	}
	switch why.Mend() {
	case pim.MendForm:
		again.Label, again.Style = "Fill in again", Primary
	case pim.MendLength:
		if again.Label = "Fill in again"; why.Most > 0 {
			return []Button{most(why.Most, Button{Request: d.r.ID}), again}
		}
	case pim.MendRole:
		return d.otherRoles()
	case pim.MendHeld, pim.MendOpen:
		return inTheWay(d.v.Other, d.title)
	case pim.MendSignIn, pim.MendAdministrator, pim.MendLater:
	}
	return []Button{again}
}

// otherRolesMost is how many roles are offered by a button.
const otherRolesMost = 3

// otherRoles are the roles that the person may ask for instead.
func (d drawing) otherRoles() []Button {
	var some []Button
	for _, name := range d.r.Refusal.Roles {
		if role, ok := d.v.Roles.Named(name); ok && len(some) < otherRolesMost {
			some = append(some, Button{Label: "Ask for " + role.Title, Act: OpenForm, Role: role.Name})
		}
	}
	return some
}

// most asks again for the longest that is allowed, in one click; of is what is asked for again.
func most(d time.Duration, of Button) Button {
	of.Label, of.Act, of.Style = "Ask for "+pim.FormatDuration(d), AskMost, Primary
	return of
}

// inTheWay is what can be done about one's own request that stands in the way of another.
func inTheWay(other *pim.Request, title string) []Button {
	if other == nil {
		return nil
	}
	switch {
	case other.State == pim.Active && other.Leaving == "" && other.Releasing == nil:
		return []Button{releaseButton(other, "Release", title)}
	case other.State == pim.WaitingForSignIn, other.State == pim.Submitting, other.State == pim.Scheduled,
		other.State == pim.Pending && other.Decided == nil:
		return []Button{cancelButton(other, "Cancel "+string(other.ID))}
	}
	return nil
}

// InTheWay answers somebody whose own request stands in the way of what they ask for, with what that one's card shows. It
// is no card of that request: what it says would be gone as soon as that one is drawn anew.
func InTheWay(err *pim.Error, other pim.Request, role pim.Role) Card {
	d := newDrawing(&other, role, View{Viewer: Requester})
	c := Problem(err)
	c.Facts, c.Steps, c.Notes = d.request(), d.steps(), d.notes()
	if other.State == pim.Active && !other.Ends.IsZero() {
		c.Lines = append(c.Lines, Join(Plain("You have it"), until(other.Ends), Plain(".")))
	}
	c.Buttons = inTheWay(&other, d.title)
	return c
}

// Unasked answers what cannot be asked for like this, with the form that holds what was typed. Draft names that, and
// longest is how long is allowed, where that is what is wrong.
func Unasked(err *pim.Error, role pim.Role, draft string, longest time.Duration) Card {
	c := Problem(err)
	c.Lines = append(c.Lines, Plain("Nothing was asked for."))
	if longest > 0 {
		c.Buttons = []Button{most(longest, Button{Role: role.Name, Digest: draft})}
	}
	c.Buttons = append(c.Buttons, Button{Label: "Fill in the form", Act: OpenForm, Role: role.Name, Digest: draft})
	return c
}

// wanted marks a field of the form that PIM wants otherwise.
func wanted(f Field, why *pim.Refusal) Field {
	if why == nil || !slices.Contains(why.Wants(), f.Name) {
		return f
	}
	f.Optional = false
	switch {
	case f.Name != FieldDuration:
		f.Hint = "PIM wants this filled in for the role."
	case why.Most > 0:
		f.Hint = "PIM allows at most " + pim.FormatDuration(why.Most) + "."
	default:
		f.Hint = "PIM refused this length."
	}
	return f
}
