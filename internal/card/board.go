package card

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"elevate/internal/pim"
)

// Board is who is elevated now, of the roles that a place is told of.
type Board struct {
	Rows   []WhoRow // their alarms are only counted
	Alarms int
	// Unchecked is since when PIM could not be read of some of them; zero while it can.
	Unchecked time.Time
	Now       time.Time
}

// boardRows is how many people a board names. It is read at a glance; /elevate who
// names them all.
const boardRows = 15

// WhoBoard draws the message that stands in on-call's place and is kept current.
func WhoBoard(b Board) Card {
	c := Card{Title: "Who is elevated now", Tone: Neutral}
	if !b.Unchecked.IsZero() {
		c.Lines = append(c.Lines, unchecked(b.Unchecked))
	}
	held := 0
	var rows []Text
	for _, row := range b.Rows {
		for _, h := range row.Holders {
			if held++; held <= boardRows {
				rows = append(rows, boardLine(row.Role, h, b.Now))
			}
		}
	}
	if held > boardRows {
		rows = append(rows, Text{{Plain: fmt.Sprintf("and %d more \u2013 ", held-boardRows)}, {Code: "/elevate who"}})
	}
	c.Lines = append(c.Lines, stacked(rows)...)
	c.Fallback = fmt.Sprintf("Who is elevated now: %d.", held)
	if held == 0 {
		c.Lines, c.Fallback = append(c.Lines, Plain("Nobody is elevated now, by a request that Elevate knows.")), "Nobody is elevated now."
	}
	if b.Alarms > 0 {
		c.Tone = Alarm
		c.Lines = append(c.Lines, Text{{Plain: "\u26A0 " + counted(b.Alarms, "alarm is", "alarms are") + " open \u2013 "}, {Code: "/elevate who"}, {Plain: " lists them."}})
	}
	c.Notes = []Text{Plain("This message is kept current. What is left is counted every five minutes.")}
	return c
}

// stacked puts lines close below each other, in one paragraph.
func stacked(lines []Text) []Text {
	var t Text
	for i, line := range lines {
		if i > 0 {
			t = append(t, Span{Plain: "\n"})
		}
		t = append(t, line...)
	}
	if t == nil {
		return nil
	}
	return []Text{t}
}

func boardLine(role pim.Role, h Holder, now time.Time) Text {
	t := Text{{Strong: role.Title}, {Plain: ": "}, {Typed: Cut(named(h.Name), maxCalled)}}
	if h.Until.IsZero() {
		return Join(t, Plain(", without an end"))
	}
	return Join(t, Plain(" until "), At(h.Until), Plain(" ("+left(h.Until.Sub(now))+")"))
}

// left says how much time is left, to five minutes: that is how often it is counted.
func left(d time.Duration) string {
	const step = 5 * time.Minute
	switch rounded := d.Round(step); {
	case d <= 0:
		return "being read back"
	case rounded < step:
		return "less than 5 min left"
	default:
		return pim.FormatDuration(rounded) + " left"
	}
}

// counted is a number with its noun.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// Many are requests of which too many came at once to have a card each, oldest first.
type Many struct {
	Began    time.Time
	Requests []pim.Request
	Roles    pim.Roles
}

// Open reports whether some of them are not over.
func (m Many) Open() bool {
	return slices.ContainsFunc(m.Requests, func(r pim.Request) bool { return r.State.Open() })
}

// crowdNames is how many requests a summary names.
const crowdNames = 12

// ManyAtOnce draws the one message that tells on-call of them.
func ManyAtOnce(m Many) Card {
	n := len(m.Requests)
	c := Card{
		Title: fmt.Sprintf("%s at once", counted(n, "more request", "more requests")), Tone: Neutral,
		Fallback: fmt.Sprintf("On-call is told of %s in one message.", counted(n, "more request", "more requests")),
		Lines:    []Text{Join(Plain("Since "), At(m.Began), Plain(" so many came that these have no message of their own: "+m.states()+"."))},
	}
	c.Lines = append(c.Lines, stacked(m.names())...)
	c.Lines = append(c.Lines, m.commands())
	c.Notes = []Text{Plain("This message changes as they do. Whatever is late, or keeps access after its end, has a message of its own all the same.")}
	return c
}

// states counts the requests by where they stand.
func (m Many) states() string {
	var order []string
	count := map[string]int{}
	for i := range m.Requests {
		r := &m.Requests[i]
		said := newDrawing(r, pim.Role{}, View{Viewer: OnCall}).standing()
		if count[said] == 0 {
			order = append(order, said)
		}
		count[said]++
	}
	slices.Sort(order)
	for i, said := range order {
		order[i] = fmt.Sprintf("%d %s", count[said], said)
	}
	return strings.Join(order, ", ")
}

// names are the first of those that are not over.
func (m Many) names() []Text {
	var lines []Text
	hidden := 0
	for i := range m.Requests {
		r := &m.Requests[i]
		switch {
		case !r.State.Open():
			continue
		case len(lines) == crowdNames:
			hidden++
			continue
		}
		role, _ := m.Roles.Named(r.Role)
		t := Text{{Code: string(r.ID)}, {Plain: " "}, {Typed: Cut(named(r.Requester.Name), maxCalled)}, {Plain: ", "}, {Strong: roleTitle(role, r)}}
		if r.State == pim.Active {
			t = Join(t, until(r.Ends))
		}
		lines = append(lines, t)
	}
	if hidden > 0 {
		lines = append(lines, Plain(fmt.Sprintf("and %d more", hidden)))
	}
	return lines
}

// commands say how to see them all.
func (m Many) commands() Text {
	t := Text{{Code: "/elevate who"}, {Plain: " lists who is elevated"}}
	for i, name := range rolesOf(m.Requests) {
		if i == 0 {
			t = append(t, Span{Plain: "; what became of each: "})
		} else {
			t = append(t, Span{Plain: ", "})
		}
		t = append(t, Span{Code: "/elevate history " + name})
	}
	return append(t, Span{Plain: "."})
}

// rolesOf are the roles of requests, as many as a line bears.
func rolesOf(requests []pim.Request) []string {
	var names []string
	for i := range requests {
		if name := requests[i].Role; name != "" && !slices.Contains(names, name) && len(names) < crowdNames {
			names = append(names, name)
		}
	}
	return names
}

// Crowd are the requests that wait for approvers without a card, oldest first,
// beside those that have one.
type Crowd struct {
	Requests []pim.Request
	Cards    int
	Roles    pim.Roles
}

// CrowdWaits draws the one message that names them.
func CrowdWaits(w Crowd) Card {
	n := len(w.Requests)
	if n == 0 {
		const none = "Every request that waits for a decision here has its own message again."
		return Card{Title: "No more wait than you see", Tone: Neutral, Lines: []Text{Plain(none)}, Fallback: none}
	}
	said := counted(n, "more request waits", "more requests wait")
	c := Card{
		Title: said + " for a decision", Tone: Waiting, Fallback: said + " for a decision.",
		Lines: []Text{Join(
			Plain(fmt.Sprintf("%d have a message of their own above, at most ten of one person's. As these are decided, the next ones follow, oldest first. Of the others the oldest waits since ", w.Cards)),
			At(w.Requests[0].Created), Plain("."))},
	}
	var rows []Text
	for i := range w.Requests[:min(n, crowdNames)] {
		r := &w.Requests[i]
		role, _ := w.Roles.Named(r.Role)
		rows = append(rows, Join(Text{{Code: string(r.ID)}, {Plain: " "}, {Typed: Cut(named(r.Requester.Name), maxCalled)}, {Plain: ", "}, {Strong: roleTitle(role, r)}, {Plain: ", asked "}}, At(r.Created)))
	}
	if n > crowdNames {
		rows = append(rows, Plain(fmt.Sprintf("and %d more", n-crowdNames)))
	}
	c.Lines = append(append(c.Lines, stacked(rows)...), Text{{Code: "/elevate approvals"}, {Plain: " lists what waits for you; "}, {Code: "/elevate approve"}, {Plain: " or "}, {Code: "/elevate deny"}, {Plain: " and the id decide any of them."}})
	return c
}
