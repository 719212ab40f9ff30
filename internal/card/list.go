package card

import (
	"fmt"
	"time"

	"elevate/internal/pim"
)

// mostRows and mostActs are how much of a list one card shows, and for how many
// rows it has buttons.
const (
	mostRows = 20
	mostActs = 5
)

// RoleRow is a role that a person may activate.
type RoleRow struct {
	Role      pim.Role
	Approvers []string
	// Eligible is when the eligibility ends; zero: it does not.
	Eligible time.Time
	// Holds is when the present access ends; zero: none.
	Holds time.Time
	// Waits is an open request for the role that gives nothing yet; nil: none.
	Waits *pim.Request
}

// RolesList lists the roles a person may activate.
func RolesList(rows []RoleRow) Card {
	c := list("Your roles", len(rows), "You have no role that Elevate could activate. Ask an administrator for an eligibility in PIM.")
	for i, row := range rows[:min(len(rows), mostRows)] {
		c.Lines = append(c.Lines, roleLine(row))
		if i < mostActs && row.Holds.IsZero() && row.Waits == nil {
			c.Buttons = append(c.Buttons, Button{Label: "Ask for " + row.Role.Title, Act: OpenForm, Role: row.Role.Name})
		}
	}
	return c
}

// roleLine names a role, and under it what it gives and what it takes.
func roleLine(row RoleRow) Text {
	t := Text{{Strong: row.Role.Title}, {Plain: " "}, {Code: row.Role.Name}}
	if !row.Holds.IsZero() {
		t = Join(t, Plain(" \u00b7 you have it"), until(row.Holds))
	}
	if row.Waits != nil {
		t = Join(t, Plain(" \u00b7 your request "), Text{{Code: string(row.Waits.ID)}}, Plain(" is "+newDrawing(row.Waits, row.Role, View{Viewer: Requester}).standing()))
	}
	if row.Role.Gives != "" {
		t = append(t, Span{Plain: "\n" + row.Role.Gives})
	}
	if row.Role.Emergency {
		t = append(t, Span{Plain: "\nFor emergencies: on-call hears of it at once, and somebody else reviews it."})
	}
	t = Join(t, Plain("\n"+howLong(row.Role)))
	switch {
	case !row.Role.NeedsApproval:
		t = append(t, Span{Plain: "no approval needed"})
	case len(row.Approvers) > 0:
		t = Join(t, Plain("approved by "), listed(row.Approvers, "or"))
	default:
		t = append(t, Span{Plain: "approval needed"})
	}
	if !row.Eligible.IsZero() {
		t = Join(t, Plain(" \u00b7 eligible"), until(row.Eligible))
	}
	return t
}

// howLong says for how long a role is given, before what else there is to say.
func howLong(role pim.Role) string {
	var s string
	if role.Default > 0 {
		s = "Usually " + pim.FormatDuration(role.Default) + " \u00b7 "
	}
	if role.Max > 0 {
		s += "at most " + pim.FormatDuration(role.Max) + " \u00b7 "
	}
	return s
}

// StatusList lists a person's requests, newest first as they come. Links are the
// sign-in links of those that wait for one.
func StatusList(requests []pim.Request, links map[pim.RequestID]string, roles pim.Roles, now time.Time) Card {
	c := list("Your requests", len(requests), "You have no requests. /elevate and a role's name asks for one.")
	for i := range requests[:min(len(requests), mostRows)] {
		r := &requests[i]
		role, _ := roles.Named(r.Role)
		d := newDrawing(r, role, View{Viewer: Requester, Now: now})
		c.Lines = append(c.Lines, d.statusLine())
		if len(c.Buttons) < mostActs {
			c.Buttons = append(c.Buttons, d.signingIn(links[r.ID])...)
			c.Buttons = append(c.Buttons, d.namedUndoing()...)
		}
	}
	return c
}

// signingIn are the ways out of waiting for a sign-in.
func (d drawing) signingIn(url string) []Button {
	if d.r.State != pim.WaitingForSignIn {
		return nil
	}
	cancel := cancelButton(d.r, "Cancel "+string(d.r.ID))
	if url == "" {
		return []Button{cancel}
	}
	in := signInButton(url)
	in.Label = "Sign in for " + string(d.r.ID)
	return []Button{in, cancel}
}

func (d drawing) statusLine() Text {
	t := Text{{Code: string(d.r.ID)}, {Plain: " "}, {Strong: d.title}, {Plain: ": " + d.standing()}}
	if d.stays() {
		t = Join(t, until(d.r.Ends))
	}
	return Join(t, Plain(", asked "), At(d.r.Created))
}

// namedUndoing are the buttons of a list, where the label has to name the request.
func (d drawing) namedUndoing() []Button {
	buttons := d.undoing()
	for i := range buttons {
		buttons[i].Label += " " + string(d.r.ID)
	}
	return buttons
}

// Wait is a request that waits for somebody's decision.
type Wait struct {
	Request   pim.Request
	Role      pim.Role
	Requester string
}

// ApprovalsList lists what waits for a person, oldest first as it comes, with the facts of each: what its
// buttons decide stands in its line. What does not fit a line has no buttons here.
func ApprovalsList(waits []Wait, reviews []pim.Request, roles pim.Roles, now time.Time) Card {
	c := list("Waiting for you", len(waits), "Nothing waits for your decision.")
	for i := range waits[:min(len(waits), mostRows)] {
		w := &waits[i]
		d := newDrawing(&w.Request, w.Role, View{Viewer: Approvers, RequesterName: w.Requester, Now: now})
		c.Lines = append(c.Lines, d.waitLine())
		if i < mostActs && d.claim == nil && !d.odd() && w.Request.State == pim.Pending {
			c.Buttons = append(c.Buttons,
				approveButton(d.r, "Approve "+string(d.r.ID), d.title, d.name, d.shown),
				Button{Label: "Deny " + string(d.r.ID) + "…", Act: Deny, Style: Danger, Request: d.r.ID, Digest: d.r.Digest()})
		}
	}
	if len(waits) > mostRows {
		c.Notes[0] = Join(c.Notes[0], furtherIDs(waits[mostRows:]))
	}
	if len(reviews) > 0 {
		c.Sections = append(c.Sections, reviewsSection(reviews, roles, now, mostRows))
	}
	return c
}

// mostIDs is how many ids fit a line.
const mostIDs = 150

// furtherIDs names the requests for which there is no line, so that a command can
// decide them, too.
func furtherIDs(waits []Wait) Text {
	t := Plain(" Their ids, oldest first: ")
	for i := range waits[:min(len(waits), mostIDs)] {
		t = append(t, Span{Code: string(waits[i].Request.ID)}, Span{Plain: " "})
	}
	if len(waits) > mostIDs {
		t = append(t, Span{Plain: "and so on. The others are listed as these are decided."})
	}
	return t
}

func (d drawing) waitLine() Text {
	t := Join(Text{{Code: string(d.r.ID)}, {Plain: " "}, {Typed: d.name}, {Plain: " asks for "}, {Strong: d.title}, {Plain: ", "}}, d.shown.length())
	if !d.shown.start.IsZero() {
		t = Join(t, Plain(", from "), At(d.shown.start))
	}
	t = Join(t, Plain(": "), orNone(d.shown.reason))
	if d.shown.ticket != "" {
		t = Join(t, Plain(", ticket "), Typed(d.shown.ticket))
	}
	if d.odd() {
		t = Join(t, Plain(" (unusual: read its own card before you decide)"))
	}
	if d.claim != nil {
		t = Join(t, Plain(" ("), Typed(named(d.claim.By.Name)), Plain(" is deciding)"))
	}
	return t
}

// odd reports whether there is more to know than a line says: an ownership,
// somebody else's asking, a mark that is not ours.
func (d drawing) odd() bool {
	return d.asOther() || d.askedByOther() || d.shown.imitated
}

// WhoRow is a role with those who have it now.
type WhoRow struct {
	Role    pim.Role
	Holders []Holder
	Alarms  []pim.Alarm // who has it otherwise
}

// WhoList lists who is elevated now.
func WhoList(rows []WhoRow) Card {
	c := list("Who is elevated now", len(rows), "There is no role here that you may look at.")
	for _, row := range rows[:min(len(rows), mostRows)] {
		c.Lines = append(c.Lines, Join(Text{{Strong: row.Role.Title}, {Plain: ": "}}, holders(row.Holders, "nobody")))
		for _, a := range row.Alarms[:min(len(row.Alarms), mostRows)] {
			c.Lines = append(c.Lines, alarmLine(a))
			if a.ID != "" && len(c.Buttons) < mostActs {
				c.Buttons = append(c.Buttons, acknowledgeButton("Acknowledge "+a.ID, a))
			}
		}
	}
	return c
}

func alarmLine(a pim.Alarm) Text {
	t := Join(Plain("⚠ "), Typed(alarmed(a)), Plain(" "+a.Phrase()+", seen since "), At(a.Since))
	for i, e := range a.By {
		before := ", done by "
		if i > 0 {
			before = " and "
		}
		t = Join(t, Plain(before), Typed(e.Who()))
	}
	if a.ID != "" {
		t = Join(t, Plain(" ("), Text{{Code: a.ID}}, Plain(")"))
	}
	return Join(t, Plain("."))
}

// list begins a list's card.
func list(title string, n int, empty string) Card {
	c := Card{Title: title, Tone: Neutral, Fallback: fmt.Sprintf("%s: %d.", title, n)}
	if n == 0 {
		c.Lines, c.Fallback = []Text{Plain(empty)}, empty
	}
	if n > mostRows {
		c.Notes = []Text{Plain(fmt.Sprintf("%d more are not shown.", n-mostRows))}
	}
	return c
}
