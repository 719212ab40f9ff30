package card

import (
	"cmp"

	"elevate/internal/pim"
)

// alarmed is whom an alarm is about.
func alarmed(a pim.Alarm) string { return cmp.Or(a.Name, string(a.Person)) }

// AlarmFor tells on-call of what nobody asked for here: of somebody who has a role by no request that Elevate or PIM
// knows, of changed rules, of people who came or went. The message stays, and says later who did it, who has taken note
// of it, and that it is over.
func AlarmFor(role pim.Role, a pim.Alarm) Card {
	title := roleTitle(role, &pim.Request{Role: role.Name})
	switch a.Kind { //nolint:exhaustive // the others are about somebody
	case pim.AlarmRules:
		return rulesChanged(title, a)
	case pim.AlarmPeople:
		return peopleChanged(title, a)
	}
	if !a.Over.IsZero() {
		said := Join(Typed(alarmed(a)), Plain(" "+a.Phrase()+": that is over. It was seen from "), At(a.Since), Plain(" until "), At(a.Over), Plain("."))
		c := Card{Title: title + ": alarm over", Tone: Neutral, Lines: []Text{said}, Fallback: title + ": an alarm is over."}
		c.Lines = append(c.Lines, doers(a)...)
		return c
	}
	c := Card{
		Title: title + ": alarm", Tone: Alarm, Fallback: title + ": " + alarmed(a) + " " + a.Phrase() + ".",
		Lines: []Text{Join(Typed(alarmed(a)), Plain(" "+a.Phrase()+". It was read twice; seen since "), At(a.Since), Plain("."))},
	}
	c.Lines = append(c.Lines, doers(a)...)
	if a.Acknowledged != nil {
		c.Title, c.Tone = title+": alarm, acknowledged", Neutral
		c.Lines = append(c.Lines, Plain("It is quiet now, and listed nowhere, until it is gone. If it comes again, it is a new alarm."))
		return c
	}
	c.Lines = append(c.Lines, Plain("Nobody asked for it here. Take it back in Entra if it should not be, or acknowledge it. /elevate who lists it until then."))
	c.Buttons = []Button{acknowledgeButton("Acknowledge", a)}
	return c
}

func acknowledgeButton(label string, a pim.Alarm) Button {
	return Button{
		Label: label, Act: Acknowledge, Digest: a.ID,
		Confirm: &Confirm{
			Title: "Acknowledge this alarm?", Text: alarmed(a) + " " + a.Phrase() + ". Everybody hears that you have taken note of it. It stays as it is in Entra.",
			Yes: "Acknowledge", No: "Back",
		},
	}
}

// doers say who did it, as far as that is known, and who has taken note.
func doers(a pim.Alarm) []Text {
	var lines []Text
	for _, e := range a.By {
		said := Join(Plain("Done by "), Typed(e.Who()), Plain(", "), At(e.At), Plain(": "), Typed(e.Activity))
		if e.Reason != "" {
			said = Join(said, Plain(" ("), Typed(e.Reason), Plain(")"))
		}
		lines = append(lines, Join(said, Plain(", says Entra's audit log.")))
	}
	switch {
	case len(a.By) > 0:
	case !a.Sought.IsZero():
		lines = append(lines, Plain("Who did it stands in Entra's audit log some minutes later, and here then."))
	case a.Unread:
		lines = append(lines, Plain("Entra's audit log could not be read for a day, so it is not known who did it."))
	case a.Over.IsZero():
		lines = append(lines, Plain("Entra's audit log does not say who did it."))
	}
	if by := a.Acknowledged; by != nil {
		lines = append(lines, Join(Plain("Acknowledged by "), Typed(named(by.By.Name)), Plain(", "), At(by.At), Plain(".")))
	}
	return lines
}

// rulesChanged tells on-call that what PIM asks before an activation is not what it was.
func rulesChanged(title string, a pim.Alarm) Card {
	c := Card{
		Title: title + ": PIM's rules were changed", Tone: Alarm, Fallback: title + ": PIM's activation rules were changed.",
		Lines: []Text{Join(Plain("In PIM, "), Typed(a.What), Plain("."))},
	}
	c.Lines = append(c.Lines, doers(a)...)
	c.Lines = append(c.Lines, Plain("If that was not meant to be, set it back: elevate tenant apply makes it as declared."))
	return c
}

// peopleChanged tells on-call who came into or left the groups of those who may ask for a role, or approve it.
func peopleChanged(title string, a pim.Alarm) Card {
	c := Card{
		Title: title + ": people were changed", Tone: Alarm, Fallback: title + ": who may ask or approve was changed.",
		Lines: []Text{Join(Plain("In Entra, "), Typed(a.What), Plain("."))},
	}
	c.Lines = append(c.Lines, doers(a)...)
	c.Lines = append(c.Lines, Plain("If that was not meant to be, take it back in Entra."))
	return c
}
