package card

import (
	"time"

	"elevate/internal/pim"
)

// Told is a step of a request's that is told in a message of its own, to on-call below its
// card: a message that is rewritten notifies nobody.
type Told struct {
	// Name is the step's own: each is told once.
	Name string
	Card Card
}

// Heard are the steps that the requester hears of in messages of their own, in their
// order. What they did themselves they know; who revoked or reviewed it is told when that happens.
func Heard(r pim.Request, role pim.Role) []Told {
	d := newDrawing(&r, role, View{Viewer: Requester})
	var told []Told
	yours := "Your request for " + d.title
	if by := r.Decided; by != nil && by.Approve {
		told = append(told, d.heard("approved", Neutral, yours+" was approved.", Plain(yours+" was "), ruled(by), at(" at ", by.At), because(by.Reason)))
	}
	if !r.MemberSince.IsZero() {
		told = append(told, d.heard("member", Good, "You have "+d.title+".",
			Plain("You have "+d.title+", as a member since "), At(r.MemberSince), Plain(" ("+readBack(&r)+")"), at(", until ", r.Ends), Plain(".")))
	}
	if end := d.heardLast(yours); end.Name != "" {
		told = append(told, end)
	}
	return told
}

// heardLast is the step that a request came to, if it is one to hear of.
func (d drawing) heardLast(yours string) Told {
	r := d.r
	switch {
	case r.State == pim.Denied && r.Decided != nil:
		return d.heard("denied", Bad, yours+" was denied.", Plain(yours+" was "), ruled(r.Decided), at(" at ", r.Decided.At), because(r.Decided.Reason))
	case r.State == pim.Granting && r.Late:
		return d.heard("late", Alarm, d.title+" is not there yet.", Plain(d.title+" is not there yet: PIM has granted it, and after five minutes there is no membership. Elevate goes on looking."))
	case r.State == pim.Canceled && r.Why != "" && (r.Copy.ID != "" || r.Follows != nil) || r.State == pim.TimedOut || r.State == pim.Failed:
		return d.heard("over", Bad, yours+" gave no access.", Plain(yours+": "+d.standing()+"."), apart(r.Why), Plain(" No access was given."))
	case r.State == pim.Ended && r.StillBy != "":
		return d.heard("remains", Alarm, "You still have access to "+d.title+".", Plain("You still have access to "+d.title+", by "), Typed(r.StillBy), Plain(", although request "+string(r.ID)+" "+ending(r.Ending)+"."))
	case r.State == pim.Ended:
		return d.heard("ended", Neutral, "Your "+d.title+" is over.", Plain("Your "+d.title+" is over: "+ending(r.Ending)+", removed (read back)"), at(" at ", r.EndedAt), Plain("."))
	}
	return Told{}
}

func (d drawing) heard(name string, tone Tone, short string, what ...Text) Told {
	return Told{name, Card{Tone: tone, Lines: []Text{Join(what...)}, Fallback: short, Request: d.r.ID}}
}

// ruled says inside a sentence how it was decided, and by whom.
func ruled(by *pim.Decided) Text {
	word := "denied"
	if by.Approve {
		word = "approved"
	}
	if by.Chat == pim.Portal {
		word += " in PIM"
	}
	if by.By.Name == "" {
		return Plain(word)
	}
	return Join(Plain(word+" by "), Typed(by.By.Name))
}

func because(reason string) Text {
	if reason == "" {
		return Plain(".")
	}
	return Join(Plain(": "), Typed(reason))
}

// readBack says that a membership was read, and how long that took since PIM could
// give it. Of what was asked for elsewhere Elevate may have heard much later.
func readBack(r *pim.Request) string {
	from, after := r.Submitted, "PIM was asked"
	if r.Decided != nil && r.Decided.Approve {
		from, after = r.Decided.At, "the approval"
	}
	if r.Copy.Start.After(from) && r.Copy.Start.Sub(r.Copy.Created) > time.Minute {
		from, after = r.Copy.Start, "its start"
	}
	took := r.MemberSince.Sub(from)
	if from.IsZero() || took < 0 || r.Chat == pim.Portal {
		return "read back"
	}
	return "read back, " + pim.FormatDuration(max(took.Round(time.Second), time.Second)) + " after " + after
}

// Progress are the steps of which on-call is told, since PIM granted a request, in their order.
func Progress(r pim.Request, role pim.Role) []Told {
	d := newDrawing(&r, role, View{Viewer: OnCall})
	var told []Told
	say := func(name string, tone Tone, what Text) {
		told = append(told, Told{name, Card{Tone: tone, Lines: []Text{what}, Fallback: d.sentence(), Request: r.ID}})
	}
	if by := r.Decided; by != nil && by.Approve {
		name := "approved"
		if by.By.Name != "" || by.Reason != "" {
			name = "approved by" // PIM may say who and why only later
		}
		say(name, Neutral, approved(by))
	}
	switch {
	case r.State == pim.Failed:
		say("failed", Bad, Plain("PIM could not give the access after all."))
	case r.State == pim.Granting && r.Late:
		say("late", Alarm, Plain("PIM has granted it, and after five minutes there is no membership yet. Elevate goes on looking."))
	}
	if !r.MemberSince.IsZero() {
		say("member", Good, Join(Typed(d.name), Plain(" is a member since "), At(r.MemberSince), Plain(" ("+readBack(&r)+")"), until(r.Ends), Plain(".")))
	}
	switch {
	case r.Leaving == pim.Released:
		say("released", Neutral, Join(Plain("Released by "), Typed(d.name), Plain(".")))
	case r.Leaving == pim.Revoked && r.Revoking != nil:
		say("revoked", Neutral, revokedBy(r.Revoking))
	}
	switch {
	case r.State != pim.Ended:
	case r.StillBy != "":
		say("remains", Alarm, Join(Typed(d.name), Plain(" still has access, by "), Typed(r.StillBy), Plain(", although this request "+ending(r.Ending)+".")))
	default:
		say("ended", Neutral, Join(Plain("It is over: "+ending(r.Ending)+", removed (read back) "), At(r.EndedAt), Plain(".")))
	}
	return told
}

func approved(by *pim.Decided) Text {
	t := Plain("Approved")
	if by.Chat == pim.Portal {
		t = Plain("Approved in PIM")
	}
	if by.By.Name != "" {
		t = Join(t, Plain(" by "), Typed(by.By.Name))
	}
	if by.Reason != "" {
		return Join(t, Plain(": "), Typed(by.Reason))
	}
	return Join(t, Plain("."))
}

// apart is what was typed or said elsewhere, after a space that no chat takes away.
func apart(s string) Text {
	if s == "" {
		return nil
	}
	return Join(Plain(" "), Typed(s))
}
