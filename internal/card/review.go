package card

import (
	"fmt"
	"time"

	"elevate/internal/pim"
)

// loud reports whether a card calls out that an emergency role was used and that
// nobody has reviewed it. The holder knows.
func (d drawing) loud() bool { return d.r.Unreviewed() && d.v.Viewer != Requester }

// notAsked names everyone who was not asked before an emergency role was used, or who
// had no say where PIM wanted an approval.
func (d drawing) notAsked() []Text {
	if !d.loud() {
		return nil
	}
	const what = "This is a role for emergencies. "
	switch not := d.r.Review.NotAsked; {
	case not == nil:
		return []Text{Plain(what + "Who would have been asked could not be read in Microsoft Entra yet; this card names them as soon as it was.")}
	case len(not.Some) == 0 && d.r.Decided != nil:
		return []Text{Plain(what + "Nobody else could have decided about it.")}
	case len(not.Some) == 0:
		return []Text{Plain(what + "Nobody was asked, and the settings name nobody who could have been.")}
	default:
		label := "Not asked:"
		if d.r.Decided != nil { // PIM asked them all
			label = "Did not decide:"
		}
		return []Text{Join(Plain(what), Text{{Strong: label}, {Plain: " "}}, everyone(*not), Plain("."))}
	}
}

// everyone names people, and how many there are beside them.
func everyone(n pim.Names) Text {
	var t Text
	for i, name := range n.Some {
		switch {
		case i == 0:
		case i == len(n.Some)-1 && n.More == 0:
			t = append(t, Span{Plain: " and "})
		default:
			t = append(t, Span{Plain: ", "})
		}
		t = append(t, Span{Typed: Cut(name, maxCalled)})
	}
	if n.More > 0 {
		t = append(t, Span{Plain: fmt.Sprintf(" and %d more", n.More)})
	}
	return t
}

// review says where the review of an emergency role's use stands.
func (d drawing) review() []Text {
	v := d.r.Review
	switch {
	case v == nil:
		return nil
	case !d.r.Unreviewed():
		return []Text{reviewedText(v)}
	}
	t := Plain("Review: open, for ")
	switch {
	case v.Reviewers == nil:
		t = Join(t, Plain("the role's reviewers"))
	case len(v.Reviewers.Some) == 0:
		t = Join(t, Plain("the role's reviewers, among whom there is nobody else at the moment"))
	default:
		t = Join(t, everyone(*v.Reviewers))
	}
	if d.v.Viewer == Requester {
		return []Text{Join(t, Plain(". Somebody else than you looks at it, and you are told."))}
	}
	return []Text{Join(t, Plain(". One of them closes it with a note: "), Text{{Code: "/elevate review " + string(d.r.ID) + " …"}})}
}

// reviewedText says who closed a review, and what they found.
func reviewedText(v *pim.Review) Text {
	return Join(Plain("Reviewed by "), Typed(named(v.By.Name)), Plain(": "), Typed(v.Note))
}

// reviewing is the button on the cards that others than the holder see; whoever
// presses it is judged then.
func (d drawing) reviewing() []Button {
	if !d.loud() {
		return nil
	}
	return []Button{reviewButton(d.r)}
}

func reviewButton(r *pim.Request) Button {
	return Button{Label: "Review…", Act: Review, Request: r.ID, Digest: r.Digest()}
}

// ReviewForm asks for the note of a review.
func ReviewForm(r pim.Request, role pim.Role, now time.Time) Form {
	d := newDrawing(&r, role, View{Viewer: OnCall, Now: now})
	return Form{
		Name: FormReview, Title: "Review the use", Submit: "Close the review", Lines: []Text{d.usedLine()}, Request: r.ID, Digest: r.Digest(),
		Fields: []Field{{Name: FieldNote, Label: "Note", Hint: NoteHint, Long: true, Max: pim.MaxReason}},
	}
}

// NoteHint says what a review's note is for.
const NoteHint = "What you found. The holder reads it, the trail keeps it."

// usedLine says of a use who had what, when and why.
func (d drawing) usedLine() Text {
	t := Join(Text{{Code: string(d.r.ID)}, {Plain: " "}, {Typed: d.name}, {Plain: " used "}, {Strong: d.title}})
	if !d.r.MemberSince.IsZero() {
		t = Join(t, at(" from ", d.r.MemberSince))
	}
	if !d.r.EndedAt.IsZero() {
		t = Join(t, at(" to ", d.r.EndedAt))
	}
	return Join(t, Plain(": "), orNone(d.shown.reason))
}

// Reviewing answers a review that is being checked.
func Reviewing(r pim.Request, role pim.Role) Card {
	c := about(r, role, "Your review of request "+string(r.ID)+" for "+roleTitle(role, &r)+" is being checked: Elevate reads in Microsoft Entra whether you are one of the reviewers.")
	c.Lines = append(c.Lines, Plain("You are told in a direct message, and the cards of the request show it."))
	return c
}

// Reviewed tells the holder that somebody looked at the use of an emergency role.
func Reviewed(r pim.Request, role pim.Role) Card {
	title := roleTitle(role, &r)
	return Card{
		Title: title + ": reviewed", Tone: Neutral, Request: r.ID, Fallback: "Your use of " + title + " was reviewed.",
		Lines: []Text{reviewedText(r.Review)},
	}
}

// OverdueReviews names the uses of emergency roles that nobody has reviewed in time,
// oldest first as they come.
func OverdueReviews(late []pim.Request, roles pim.Roles, now time.Time) Card {
	c := list("Reviews overdue", len(late), "")
	c.Tone = Alarm
	c.Fallback = fmt.Sprintf("%d uses of emergency roles were not reviewed within a day.", len(late))
	if len(late) == 1 {
		c.Fallback = "One use of an emergency role was not reviewed within a day."
	}
	for i := range late[:min(len(late), mostRows)] {
		r := &late[i]
		role, _ := roles.Named(r.Role)
		d := newDrawing(r, role, View{Viewer: OnCall, Now: now})
		line := Join(d.usedLine(), at("; open since ", r.Review.Opened))
		if v := r.Review.Reviewers; v != nil && len(v.Some) > 0 {
			line = Join(line, Plain(", for "), everyone(*v))
		}
		c.Lines = append(c.Lines, line)
	}
	c.Notes = append(c.Notes, Text{{Plain: "A reviewer closes one with "}, {Code: "/elevate review <id> <note>"}, {Plain: ". They are named once a day."}})
	return c
}

// reviewRows is how many of them stand beside other lists.
const reviewRows = 8

// reviewsSection lists the uses that wait for somebody's review.
func reviewsSection(reviews []pim.Request, roles pim.Roles, now time.Time, most int) Section {
	var rows []Row
	for i := range reviews {
		r := &reviews[i]
		role, _ := roles.Named(r.Role)
		line := newDrawing(r, role, View{Viewer: OnCall, Now: now}).usedLine()
		if r.ReviewOverdue(now) {
			line = Join(line, Plain(" (overdue)"))
		}
		rows = append(rows, Row{Text: line, Buttons: []Button{reviewButton(r)}})
	}
	return section("Reviews that wait for you", rows, min(most, reviewRows), "/elevate history", "")
}
