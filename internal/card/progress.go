package card

import "elevate/internal/pim"

// Told is a step of a request's that on-call is told of below its card: a message that
// is rewritten notifies nobody.
type Told struct {
	// Name is the step's own: each is told once.
	Name string
	Card Card
}

// Progress are the steps that a request has taken since PIM granted it, in their order.
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
		say("member", Good, Join(Typed(d.name), Plain(" is a member since "), At(r.MemberSince), Plain(" (read back)"), until(r.Ends), Plain(".")))
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
