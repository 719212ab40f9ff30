package card

import (
	"strings"
	"time"

	"elevate/internal/pim"
)

// Answer draws a sentence for the person who said something. It may hold names,
// so it is kept inert.
func Answer(text string) Card {
	return Card{Tone: Neutral, Lines: []Text{Typed(text)}, Fallback: text}
}

// Problem draws what went wrong.
func Problem(err *pim.Error) Card {
	title, tone := problem(err.Kind)
	return Card{Title: title, Tone: tone, Lines: []Text{Typed(err.Message)}, Fallback: err.Message}
}

// NotDone tells somebody that a step of theirs came to nothing after all, and why.
func NotDone(why string) Card {
	return Card{Title: "Not done", Tone: Bad, Lines: []Text{Typed(why)}, Fallback: why}
}

// PIMUnread tells on-call that PIM cannot be read.
func PIMUnread(why string) Card {
	return Card{Title: "PIM cannot be read", Tone: Alarm, Lines: []Text{Typed(why)}, Fallback: why}
}

func problem(kind pim.Kind) (title string, tone Tone) {
	switch kind {
	case pim.Invalid:
		return "That does not work like this", Bad
	case pim.Forbidden:
		return "Not allowed", Bad
	case pim.NotFound:
		return "Not found", Bad
	case pim.Conflict:
		return "Not possible now", Bad
	case pim.SignIn:
		return "Sign in first", Waiting
	case pim.Throttled, pim.Unavailable:
		return "Not possible at the moment", Waiting
	case pim.AnswerLost:
		return "Not known yet", Waiting
	case pim.Administered:
		return "An administrator is needed", Bad
	case pim.Internal:
		return "Something went wrong", Bad
	}
	return "Something went wrong", Bad
}

// SignInLink offers a sign-in that goes on with nothing.
func SignInLink(url string) Card {
	return Card{
		Title: "Sign in", Tone: Waiting,
		Lines: []Text{
			Plain("Sign in with Microsoft, so that Elevate knows who you are."),
			linkRules,
		},
		Buttons:  []Button{signInButton(url)},
		Fallback: "Sign in with Microsoft, so that Elevate knows who you are.",
	}
}

// linkRules stand beside each sign-in link.
var linkRules = Plain("The sign-in link is for you alone, works once and for ten minutes.")

// SignInNeeded asks for a sign-in. What is what goes on after it, in words that
// follow "to": "approve request k7m2pq".
func SignInNeeded(what, url string) Card {
	return Card{
		Title: "Sign in to go on", Tone: Waiting,
		Lines: []Text{
			Join(Plain("Sign in to "), Typed(what), Plain(". It goes on by itself afterwards.")),
			linkRules,
		},
		Buttons:  []Button{signInButton(url)},
		Fallback: "Sign in to " + what + ".",
	}
}

func signInButton(url string) Button {
	return Button{Label: "Sign in", Act: SignIn, Style: Primary, URL: url}
}

// Asked answers a request: what was understood, what happens next, who is
// asked. With a sign-in link it says that nothing was asked of PIM yet.
func Asked(r pim.Request, role pim.Role, approvers []string, signInURL string) Card {
	d := newDrawing(&r, role, View{Viewer: Requester, Now: r.Created})
	c := Card{
		Title: d.heading(), Tone: Waiting, Facts: d.facts(), Notes: d.notes(), Request: r.ID,
		Fallback: "Your request " + string(r.ID) + " for " + d.title + " " + d.shown.phrase() + " was stored.",
	}
	if signInURL != "" {
		c.Lines = []Text{Plain("Nothing was asked of PIM yet. Sign in within ten minutes; the request goes on by itself afterwards.")}
		c.Buttons = []Button{signInButton(signInURL)}
		c.Fallback = "Sign in to send your request " + string(r.ID) + " for " + d.title + "."
		return c
	}
	c.Lines = []Text{whatComesNext(role, approvers)}
	if r.Waits() {
		c.Lines = []Text{follows(&r)}
	}
	if role.Emergency {
		c.Lines = append(c.Lines, Plain("This role is for emergencies: on-call is told loudly as soon as there is access, and somebody else reviews it afterwards."))
	}
	return c
}

func whatComesNext(role pim.Role, approvers []string) Text {
	switch {
	case !role.NeedsApproval:
		return Plain("It is on its way to PIM, which needs nobody's approval for this role.")
	case len(approvers) == 0:
		return Plain("It is on its way to PIM, which asks the role's approvers.")
	}
	return Join(Plain("It is on its way to PIM, which asks "), listed(approvers, "and"), Plain("."))
}

// Deciding answers a decision that is on its way to PIM.
func Deciding(r pim.Request, role pim.Role, approve bool) Card {
	what := "denial"
	if approve {
		what = "approval"
	}
	return about(r, role, "Your "+what+" of request "+string(r.ID)+" for "+roleTitle(role, &r)+" is on its way to PIM.")
}

// Canceling answers a cancellation that is on its way to PIM.
func Canceling(r pim.Request, role pim.Role) Card {
	return about(r, role, "Request "+string(r.ID)+" for "+roleTitle(role, &r)+" is being canceled.")
}

// Releasing answers a release that is on its way to PIM.
func Releasing(r pim.Request, role pim.Role) Card {
	return about(r, role, "The release of "+roleTitle(role, &r)+", request "+string(r.ID)+", is on its way to PIM.")
}

// Revoking answers the removal of a member that is on its way to PIM.
func Revoking(r pim.Request, role pim.Role) Card {
	c := about(r, role, "Your step to end request "+string(r.ID)+" for "+roleTitle(role, &r)+" is on its way to PIM.")
	c.Lines = append(c.Lines, Plain("PIM lets only owners of the group and administrators do that. Whoever hears of this access hears of its end once that was read back."))
	return c
}

// Revoked tells the holder of an access who ended it.
func Revoked(r pim.Request, role pim.Role) Card {
	title := roleTitle(role, &r)
	c := Card{
		Title: title + ": revoked", Tone: Bad, Request: r.ID, Fallback: "Your " + title + " was ended by somebody else.",
		Lines: []Text{Plain("PIM is ending your access. Save what you can; the card of the request says when the membership is gone.")},
	}
	if r.Revoking != nil {
		c.Lines = append([]Text{revokedBy(r.Revoking)}, c.Lines...)
	}
	return c
}

// revokedBy says who ended an access, and why.
func revokedBy(by *pim.Revoking) Text {
	return Join(Plain("Revoked by "), Typed(named(by.By.Name)), Plain(": "), Typed(by.Reason))
}

// EndsSoon tells the holder of an access that it ends.
func EndsSoon(r pim.Request, role pim.Role) Card {
	title := roleTitle(role, &r)
	return Card{
		Tone: Neutral, Request: r.ID, Fallback: title + " ends soon.",
		Lines: []Text{
			Join(Plain("Your "+title+" ends at "), At(r.Ends), Plain(". Finish or save what needs it.")),
			Plain("PIM cannot prolong it. If you need more time, ask again now: Elevate sends it as soon as this access is over."),
		},
		Buttons: []Button{{Label: "Ask again", Act: OpenForm, Role: r.Role, Request: r.ID}},
	}
}

func about(r pim.Request, role pim.Role, sentence string) Card {
	return Card{Title: roleTitle(role, &r), Tone: Waiting, Lines: []Text{Plain(sentence)}, Fallback: sentence, Request: r.ID}
}

// FormReady hands back a form that a sign-in interrupted, with what was typed for it.
func FormReady(role, draft string) Card {
	return Card{
		Title: "You are signed in", Tone: Neutral, Lines: []Text{Plain("Go on where you were: nothing was asked of PIM yet.")},
		Buttons:  []Button{{Label: "Open the form", Act: OpenForm, Style: Primary, Role: role, Digest: draft}},
		Fallback: "You are signed in; open the form to go on.",
	}
}

// helpLine is what can be typed and what it does; helpOn are those about one thing.
type (
	helpLine struct{ command, does string }
	helpOn   struct {
		about string
		lines []helpLine
	}
)

var help = []helpOn{
	{"Ask for access", []helpLine{
		{"/elevate", "opens the form"},
		{"/elevate <role> <reason>", "asks for a role for its usual time"},
		{"/elevate <role> for 2h <reason>", "asks for two hours; also until 18:00, from 22:00, from tomorrow 06:00"},
		{"/elevate release <role>", "gives access back before its time"},
		{"/elevate cancel <id>", "takes a request back"},
	}},
	{"Look", []helpLine{
		{"/elevate roles", "shows your roles and who would be asked"},
		{"/elevate status", "shows your requests"},
		{"/elevate approvals", "shows the requests that wait for you"},
		{"/elevate who", "shows who is elevated now"},
		{"/elevate history [role|person|id]", "shows what was asked for and what became of it"},
	}},
	{"Decide", []helpLine{
		{"/elevate approve <id> [reason]", "approves, as the button does"},
		{"/elevate deny <id> <reason>", "denies, as the button does"},
		{"/elevate review <id> <note>", "closes the review of an emergency role's use, for its reviewers"},
		{"/elevate revoke <id> <reason>", "ends somebody's access, for owners and administrators of the group"},
	}},
	{"Your account", []helpLine{
		{"/elevate sign-in", "signs you in with Microsoft, and links this chat account the first time"},
		{"/elevate sign-out", "ends your sign-in"},
		{"/elevate unlink", "ends the link to this chat account"},
	}},
}

// Help lists what can be typed in a chat. Nobody is linked in Teams, whose accounts are the people themselves.
func Help(in pim.Chat) Card {
	c := Card{Title: "What you can type", Tone: Neutral, Fallback: "Type /elevate, a role and a reason, or /elevate alone for the form."}
	for _, on := range help {
		t := Text{{Strong: on.about}}
		for _, l := range on.lines {
			if in == pim.Teams {
				if l.command == "/elevate unlink" {
					continue
				}
				l.does = strings.TrimSuffix(l.does, ", and links this chat account the first time")
			}
			t = append(t, Span{Plain: "\n"}, Span{Code: l.command}, Span{Plain: " " + l.does})
		}
		c.Lines = append(c.Lines, t)
	}
	c.Buttons = []Button{{Label: "Open the form", Act: OpenForm}}
	return c
}

// until says an end behind other words; nothing when there is none.
func until(t time.Time) Text { return at(" until ", t) }

// at says a time behind other words; nothing when there is none.
func at(before string, t time.Time) Text {
	if t.IsZero() {
		return nil
	}
	return Join(Plain(before), At(t))
}

// NotKept stands where a card stood for a chat account that is not linked any
// more: who is not known is told nothing.
func NotKept(id pim.RequestID) Card {
	const sentence = "This chat account is not linked to anybody any more, so Elevate does not show here what becomes of the request."
	return Card{Title: "Not shown any more", Tone: Neutral, Lines: []Text{Plain(sentence)}, Fallback: sentence, Request: id}
}
