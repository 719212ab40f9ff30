package card

import (
	"fmt"
	"strings"
	"time"

	"elevate/internal/pim"
)

// HistoryList lists requests that a person may look at, newest first as they come.
func HistoryList(requests []pim.Request, roles pim.Roles, now time.Time) Card {
	c := list("History", len(requests), "There is no request here that you may look at.")
	for i := range requests[:min(len(requests), mostRows)] {
		r := &requests[i]
		role, _ := roles.Named(r.Role)
		c.Lines = append(c.Lines, newDrawing(r, role, View{Viewer: OnCall, Now: now}).historyLine())
	}
	if len(requests) > 0 {
		c.Notes = append(c.Notes, Join(Plain("More of one: "), Text{{Code: "/elevate history <id>"}}))
	}
	return c
}

// historyLine says of a request who asked for what and why, who decided, and what became of it.
func (d drawing) historyLine() Text {
	t := Join(Text{{Code: string(d.r.ID)}, {Plain: " "}, {Typed: d.name}, {Plain: ": "}, {Strong: d.title}, {Plain: ", "}}, d.shown.length(),
		Plain(", asked "), At(d.r.Created), Plain(": "), orNone(d.shown.reason))
	if d.r.Decided != nil {
		t = Join(t, Plain(" \u00b7 "), verdict(d.r.Decided))
	}
	if !d.r.MemberSince.IsZero() {
		t = Join(t, Plain(" \u00b7 member since "), At(d.r.MemberSince))
	}
	t = Join(t, Plain(" \u00b7 "+d.standing()))
	if !d.r.EndedAt.IsZero() {
		t = Join(t, Plain(" "), At(d.r.EndedAt))
	}
	switch {
	case d.r.Unreviewed() && d.r.ReviewOverdue(d.v.Now):
		t = Join(t, Plain(" \u00b7 review overdue"))
	case d.r.Unreviewed():
		t = Join(t, Plain(" \u00b7 review open"))
	case d.r.Review != nil:
		t = Join(t, Plain(" \u00b7 reviewed by "), Typed(named(d.r.Review.By.Name)), Plain(": "), Typed(d.r.Review.Note))
	}
	return t
}

// mostEvents is how many events of one request a card shows, the newest.
const mostEvents = 40

// mostSaid is how much of an event's own words a card shows: a typed reason, or some
// rows of the audit log.
const mostSaid = 400

// Story tells one request with its events. It offers nothing: a request's own
// card does.
func Story(r pim.Request, role pim.Role, events []pim.Event, now time.Time) Card {
	c := ForRequest(r, role, View{Viewer: OnCall, Now: now})
	c.Buttons, c.Steps = nil, nil
	c.Request = "" // it is no card of the request's, so it never turns
	if left := len(events) - mostEvents; left > 0 {
		c.Lines = append(c.Lines, Plain(fmt.Sprintf("%d earlier events are not shown; `elevate audit export` has all.", left)))
		events = events[left:]
	}
	at := pim.State("")
	for _, e := range events {
		c.Lines = append(c.Lines, eventLine(e, at))
		at = e.To
	}
	return c
}

// happened are the kinds of a request's events in people's words; the trail's own stand
// in `elevate requests show`.
var happened = map[pim.EventKind]string{
	pim.EventRequested: "asked for", pim.EventIntent: "begun without a sign-in", pim.EventSent: "sent to PIM", pim.EventSubmitted: "given to PIM",
	pim.EventObserved: "seen", pim.EventFound: "found in PIM", pim.EventClaimed: "taken up",
	pim.EventUnclaimed: "left undecided", pim.EventConfirmed: "membership read back",
	pim.EventEnded: "end read back", pim.EventReleasing: "release asked for", pim.EventRevoking: "removal asked for",
	pim.EventReminded: "approvers reminded", pim.EventEscalated: "another place asked, too", pim.EventEnding: "holder told that it ends soon",
	pim.EventLate: "late", pim.EventParked: "a step was given up", pim.EventRetried: "a step is tried again",
	pim.EventUnknownWord: "PIM said a word that Elevate does not know",
}

// eventLine tells an event of a request that was in that state before.
func eventLine(e pim.Event, before pim.State) Text {
	t := Join(At(e.At), Plain(" "+named(happened[e.Kind], strings.ReplaceAll(string(e.Kind), "_", " "))))
	if e.By.Name != "" {
		word := " by "
		if e.Kind == pim.EventRefused {
			word = ", what was asked for by " // PIM or Elevate refused it
		}
		t = Join(t, Plain(word), Typed(e.By.Name))
	}
	if e.Chat != "" && e.Chat != pim.System {
		t = Join(t, Plain(" in "+e.Chat.Title()))
	}
	if text := strings.TrimSuffix(e.Text, ": "); text != "" {
		t = Join(t, Plain(" \u2014 "), Typed(Cut(text, mostSaid)))
	}
	if e.To != "" && e.To != before {
		t = Join(t, Plain(" \u2192 "+e.To.Phrase()))
	}
	return t
}
