package card

import (
	"fmt"
	"strings"
	"time"

	"elevate/internal/pim"
)

// facts are what an approver needs, in the order of reading: who, what it gives,
// why, how long, and what is known besides. The title names the role.
func (d drawing) facts() []Fact { return append(d.request(), d.background()...) }

// request are the facts that were asked for.
func (d drawing) request() []Fact {
	facts := []Fact{{"Who", d.person()}}
	if d.askedByOther() {
		facts = append(facts, Fact{"Asked for by", Text{{Code: string(d.r.Copy.CreatedBy)}}})
	}
	if d.gives != "" {
		facts = append(facts, Fact{"Gives", Plain(d.gives)})
	}
	if d.asOther() {
		facts = append(facts, Fact{"As", Join(Typed(d.r.Copy.Access), Plain(" of the group, not as a member"))})
	}
	facts = append(facts, Fact{"Why", orNone(d.shown.reason)}, Fact{"How long", d.shown.length()})
	if !d.shown.start.IsZero() {
		facts = append(facts, Fact{"Begins", At(d.shown.start)})
	}
	if d.shown.ticket != "" {
		facts = append(facts, Fact{"Ticket", Typed(d.shown.ticket)})
	}
	return facts
}

// asOther reports whether PIM's copy asks for anything but a membership.
func (d drawing) asOther() bool {
	return d.shown.inPIM && !strings.EqualFold(d.r.Copy.Access, pim.Member)
}

// askedByOther reports whether PIM names another creator than who becomes a member.
func (d drawing) askedByOther() bool {
	return d.shown.inPIM && d.r.Copy.CreatedBy != d.r.Copy.Principal
}

func (d drawing) person() Text {
	account := d.r.Requester.Account
	// In Teams an account is an object id, which tells nobody anything.
	if d.v.Viewer != Approvers || account.IsZero() || account.Chat != d.v.Chat || account.Chat == pim.Teams {
		return Typed(d.name)
	}
	return Text{{Typed: d.name}, {Plain: " ("}, {Account: account}, {Plain: ")"}}
}

func orNone(typed string) Text {
	if typed == "" {
		return Plain("no reason given")
	}
	return Typed(typed)
}

// background is what helps to decide, while there is something to decide, and
// afterwards why it was decided so.
func (d drawing) background() []Fact {
	if d.r.State != pim.Pending {
		if d.r.Decided == nil || d.r.Decided.Reason == "" || d.r.State == pim.Denied {
			return nil
		}
		return []Fact{{"Decision", Typed(d.r.Decided.Reason)}}
	}
	facts := []Fact{{"Last 30 days", d.history()}, {"Has it now", holders(d.v.Others, "nobody else")}}
	if names := d.approvers(); len(names) > 0 {
		facts = append(facts, Fact{"Approvers", listed(names, "and")})
	}
	return facts
}

func (d drawing) approvers() []string {
	if len(d.v.ApproverNames) > 0 {
		return d.v.ApproverNames
	}
	return d.r.Approvers
}

// history leaves out since when Elevate has been looking where that is longer
// than what is told.
func (d drawing) history() Text {
	seen := d.v.Seen
	if !seen.First && !seen.Since.IsZero() && d.v.Now.Sub(seen.Since) >= 30*24*time.Hour {
		return Plain(times(seen.Times30d))
	}
	said := times(seen.Times30d)
	if seen.First {
		said += "; this is the first time"
	}
	said += ", as far as Elevate has seen"
	if seen.Since.IsZero() {
		return Plain(said)
	}
	return Join(Plain(said+" since "), At(seen.Since))
}

func times(n int) string {
	switch n {
	case 0:
		return "not once"
	case 1:
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// mostNames is how many people a fact lists.
const mostNames = 10

func holders(others []Holder, none string) Text {
	if len(others) == 0 {
		return Plain(none)
	}
	var t Text
	for i, h := range others[:min(len(others), mostNames)] {
		if i > 0 {
			t = append(t, Span{Plain: ", "})
		}
		t = append(t, Span{Typed: named(h.Name)})
		if !h.Until.IsZero() {
			t = append(t, Span{Plain: " until "}, Span{Time: h.Until})
		}
	}
	return append(t, more(len(others))...)
}

// listed names people; last is the word before the last of them.
func listed(names []string, last string) Text {
	var t Text
	for i, name := range names[:min(len(names), mostNames)] {
		switch {
		case i == 0:
		case i == len(names)-1:
			t = append(t, Span{Plain: " " + last + " "})
		default:
			t = append(t, Span{Plain: ", "})
		}
		t = append(t, Span{Typed: name})
	}
	return append(t, more(len(names))...)
}

func more(all int) Text {
	if all <= mostNames {
		return nil
	}
	return Plain(fmt.Sprintf(" and %d more", all-mostNames))
}
