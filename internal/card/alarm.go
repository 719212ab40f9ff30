package card

import (
	"cmp"

	"elevate/internal/pim"
)

// alarmed is whom an alarm is about.
func alarmed(a pim.Alarm) string { return cmp.Or(a.Name, string(a.Person)) }

// AlarmFor tells on-call of somebody who has a role by no request that Elevate
// or PIM knows, or that it is over.
func AlarmFor(role pim.Role, a pim.Alarm, over bool) Card {
	title := roleTitle(role, &pim.Request{Role: role.Name})
	if over {
		said := Join(Typed(alarmed(a)), Plain(" "+a.Phrase()+": that is over. It was seen from "), At(a.Since), Plain(" on."))
		return Card{Title: title + ": alarm over", Tone: Neutral, Lines: []Text{said}, Fallback: title + ": an alarm is over."}
	}
	return Card{
		Title: title + ": alarm", Tone: Alarm, Fallback: title + ": " + alarmed(a) + " " + a.Phrase() + ".",
		Lines: []Text{
			Join(Typed(alarmed(a)), Plain(" "+a.Phrase()+". It was read twice; seen since "), At(a.Since), Plain(".")),
			Plain("Nobody asked for it here. Find out who did it in Entra's audit log, and take it back there if it should not be. /elevate who lists it until it is gone."),
		},
	}
}

// RulesChanged tells on-call that what PIM asks before an activation is not what
// it was.
func RulesChanged(role pim.Role, what string) Card {
	title := roleTitle(role, &pim.Request{Role: role.Name})
	return Card{
		Title: title + ": PIM's rules were changed", Tone: Alarm, Fallback: title + ": PIM's activation rules were changed.",
		Lines: []Text{
			Join(Plain("In PIM, "), Typed(what), Plain(".")),
			Plain("If that was not meant to be, set it back: elevate tenant check says who changed it, elevate tenant apply makes it as declared."),
		},
	}
}

// PeopleChanged tells on-call who came into or left the groups of those who may ask
// for a role, or approve it.
func PeopleChanged(role pim.Role, what string) Card {
	title := roleTitle(role, &pim.Request{Role: role.Name})
	return Card{
		Title: title + ": people were changed", Tone: Alarm, Fallback: title + ": who may ask or approve was changed.",
		Lines: []Text{
			Join(Plain("In Entra, "), Typed(what), Plain(".")),
			Plain("If that was not meant to be, take it back in Entra: elevate tenant check says who changed it."),
		},
	}
}
