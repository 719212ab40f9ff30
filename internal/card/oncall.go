package card

import "elevate/internal/pim"

// OnCallPerson is somebody who is on call now: a name that a directory outside gave, and their accounts in the card's
// chat, as far as they are known.
type OnCallPerson struct {
	Name     string
	Accounts []pim.ChatAccount
}

// maxCalled bounds how much of a name is shown.
const maxCalled = 60

// Call says on a card who is on call now, and mentions them where they have an account.
func (c *Card) Call(people []OnCallPerson) {
	var names []string
	for _, p := range people {
		name := Cut(p.Name, maxCalled)
		names = append(names, name)
		for _, a := range p.Accounts {
			c.Mention, c.MentionNames = append(c.Mention, a), append(c.MentionNames, name)
		}
	}
	if len(names) > 0 {
		c.Lines = append(c.Lines, Join(Plain("On call now: "), listed(names, "and"), Plain(".")))
	}
}
