package card

import (
	"fmt"
	"time"

	"elevate/internal/pim"
)

// homeRows is how much of each list a page shows, and besideRows how much an
// answer does that lists something else first.
const (
	homeRows   = 15
	besideRows = 4
)

// Page is what concerns one person at a moment.
type Page struct {
	// Open are the person's open requests, newest first.
	Open []pim.Request
	// Waits are the requests that wait for the person's decision.
	Waits []Wait
	// Reviews are the uses of emergency roles that wait for the person's review.
	Reviews []pim.Request
	// Approves is set when the person approves some role.
	Approves bool
	// Roles are those the person may activate, if that is Known.
	Roles []RoleRow
	Known bool
	// Who are those who have the roles that the person may look at.
	Who []WhoRow
	// All are the roles of the settings.
	All pim.Roles
	Now time.Time
}

// Home is a person's page.
func Home(p Page) Card {
	c := Card{Title: "Elevate", Tone: Neutral, Fallback: "What you have, what waits for you, and what you may ask for."}
	c.Sections = append([]Section{p.open()}, p.beside(homeRows)...)
	c.Notes = []Text{{{Plain: "This page follows what happens. "}, {Code: "/elevate help"}, {Plain: " lists what you can type."}}}
	return c
}

// HomeSignIn is the page of somebody who is not known yet. The link is made by
// the click: it works once, and a page stays.
func HomeSignIn() Card {
	const why = "Sign in with Microsoft, so that Elevate knows who you are. This page then shows your roles, what you have and what waits for you."
	return Card{
		Title: "Elevate", Tone: Neutral, Lines: []Text{Plain(why)}, Fallback: why,
		Buttons: []Button{{Label: "Sign in", Act: BeginSignIn, Style: Primary}},
	}
}

// Status answers with the person's requests and what else concerns them.
func Status(mine []pim.Request, links map[pim.RequestID]string, p Page) Card {
	c := StatusList(mine, links, p.All, p.Now)
	c.Sections = p.beside(besideRows)
	return c
}

// beside is what concerns the person beside their own requests.
func (p Page) beside(most int) []Section {
	var some []Section
	if p.Approves || len(p.Waits) > 0 {
		some = append(some, p.waits(most))
	}
	if len(p.Reviews) > 0 {
		some = append(some, reviewsSection(p.Reviews, p.All, p.Now, most))
	}
	some = append(some, p.roles(most))
	if len(p.Who) > 0 {
		some = append(some, p.who(most))
	}
	return some
}

// section begins a list of which at most so many rows are shown; command lists them all.
func section(title string, rows []Row, most int, command, empty string) Section {
	s := Section{Title: title, Rows: rows[:min(len(rows), most)]}
	switch {
	case len(rows) == 0:
		s.Rows = []Row{{Text: Plain(empty)}}
	case len(rows) > most:
		s.Rows = append(s.Rows[:most:most], Row{Text: Text{{Plain: fmt.Sprintf("and %d more \u2013 ", len(rows)-most)}, {Code: command}}})
	}
	return s
}

func (p Page) open() Section {
	var rows []Row
	for i := range p.Open {
		r := &p.Open[i]
		role, _ := p.All.Named(r.Role)
		d := newDrawing(r, role, View{Viewer: Requester, Now: p.Now})
		row := Row{Text: Join(Text{{Strong: d.title}, {Plain: ": " + d.standing()}})}
		if d.stays() {
			row.Text = Join(row.Text, until(r.Ends))
		}
		row.Text = Join(row.Text, Plain(" \u00b7 "), Text{{Code: string(r.ID)}})
		row.Buttons = d.undoing()
		if r.State == pim.WaitingForSignIn {
			row.Text = Join(row.Text, Plain(" \u00b7 "), Text{{Code: "/elevate status"}, {Plain: " gives its sign-in link"}})
			row.Buttons = []Button{cancelButton(r, "Cancel")}
		}
		rows = append(rows, row)
	}
	return section("Your access and requests", rows, homeRows, "/elevate status", "You have no access now, and asked for none.")
}

func (p Page) waits(most int) Section {
	var rows []Row
	for i := range p.Waits {
		w := &p.Waits[i]
		d := newDrawing(&w.Request, w.Role, View{Viewer: Approvers, RequesterName: w.Requester, Now: p.Now})
		row := Row{Text: d.waitLine()}
		if !d.odd() {
			row.Buttons = d.able()
		}
		rows = append(rows, row)
	}
	return section("Waiting for you", rows, most, "/elevate approvals", "Nothing waits for your decision.")
}

func (p Page) roles(most int) Section {
	const title, command = "Your roles", "/elevate roles"
	if !p.Known {
		return Section{Title: title, Rows: []Row{{Text: Text{{Plain: "Elevate is reading in PIM what you may activate. "}, {Code: command}, {Plain: " waits for it."}}}}}
	}
	var rows []Row
	for _, r := range p.Roles {
		row := Row{Text: roleLine(r)}
		if r.Holds.IsZero() && r.Waits == nil {
			row.Buttons = []Button{{Label: "Activate\u2026", Act: OpenForm, Role: r.Role.Name}}
		}
		rows = append(rows, row)
	}
	return section(title, rows, most, command, "You have no role that Elevate could activate. Ask an administrator for an eligibility in PIM.")
}

// who leaves out the roles that nobody has.
func (p Page) who(most int) Section {
	var rows []Row
	for _, row := range p.Who {
		if len(row.Holders) > 0 {
			rows = append(rows, Row{Text: Join(Text{{Strong: row.Role.Title}, {Plain: ": "}}, holders(row.Holders, "nobody"))})
		}
		for _, a := range row.Alarms {
			rows = append(rows, Row{Text: alarmLine(a)})
		}
	}
	return section("Elevated now", rows, most, "/elevate who", "Nobody, of the roles that you may look at.")
}
